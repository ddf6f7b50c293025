"""`bioreason stats`: what a release holds and what guessing scores, or what a model answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bioreason_bench.commands.parameters import PATH
from bioreason_bench.commands.tables import score_table, table
from bioreason_bench.errors import UsageError
from bioreason_bench.escaping import json_text, visible

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from bioreason_bench.release.read import Release

SAMPLE = 2_000  # lengths are measured on about this many rows of a split
TOKENISH = r"\w+|[^\w\s]"  # a word or a punctuation mark; tokenizers split a little finer
SPLITS = ("train", "validation", "test", "parametric", "contextual")


@click.command(name="stats")
@click.argument("folder", metavar="DIR|RESULTS", type=PATH)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option(
    "--eval-results",
    "repo",
    metavar="OWNER/NAME",
    help="Print the scores of RESULTS as the YAML by which a model's repository on the Hub states "
    "its scores on this data set.",
)
@click.option(
    "--out",
    type=PATH,
    metavar="DIR",
    help="Write it to DIR/.eval_results/NAME.yaml instead; DIR is a clone of that repository.",
)
def command(folder: Path, as_json: bool, repo: str | None, out: Path | None) -> None:
    """Print row counts, hops, patterns, lengths, chance levels and solver scores of DIR.

    For RESULTS, the --output_path of a bioreason eval: accuracy with intervals by level, hops,
    pattern and group of the unseen relation, and first errors.
    """
    if repo is not None:
        _write_eval_results(folder, repo, out)
        return
    if out is not None:
        raise UsageError("--out is for the file of --eval-results; add --eval-results OWNER/NAME")
    from bioreason_bench.evaluation.results import has_results, has_scores, read_results
    from bioreason_bench.evaluation.summary import summarise
    from bioreason_bench.evaluation.text import render
    from bioreason_bench.release.manifest import MANIFEST
    from bioreason_bench.release.read import Release

    if not (folder / MANIFEST).is_file() and has_results(folder):
        records = summarise(read_results(folder))
        click.echo(json_text(records, indent=1) if as_json else render(records))
        return
    if not (folder / MANIFEST).is_file() and has_scores(folder):
        raise UsageError(
            f"{folder} holds scores and no answers; run lm_eval again with --log_samples, "
            "or bioreason eval, which adds it"
        )
    release = Release(folder)
    statistics = collect_statistics(release)
    click.echo(json_text(statistics, indent=1) if as_json else _text(release, statistics))


def _write_eval_results(folder: Path, repo: str, out: Path | None) -> None:
    """Print the YAML of .eval_results, or write it below `out` and print its path."""
    import yaml

    from bioreason_bench.evaluation.harness.eval_results import eval_results
    from bioreason_bench.release.disk import write_whole

    text = yaml.safe_dump(eval_results(folder, repo), sort_keys=False, allow_unicode=True)
    if out is None:
        click.echo(text, nl=False)
        return
    if not out.is_dir():
        raise UsageError(f"there is no folder {out}; clone the model's repository there")
    path = out / ".eval_results" / f"{repo.rpartition('/')[2]}.yaml"
    path.parent.mkdir(exist_ok=True)
    write_whole(path, text)
    click.echo(str(path))


def collect_statistics(release: Release) -> dict[str, Any]:
    """The statistics of a release, as values for JSON.

    Returns:
        preset, seed: Those of the release.
        rows: {config: {split: rows}}.
        questions: {files: counts and lengths}, where files is such as "comp/zeroshot/test".
        chance: {relation: how many objects it has, and how often a blind guess is right}.
        audit: The content of audit.json, None if there is none.
    """
    from bioreason_bench.audit.report import read_audit
    from bioreason_bench.explore.words import part_of
    from bioreason_bench.schema import columns

    files: dict[str, list[str]] = {}  # "comp/zeroshot/test" -> its files
    for file, entry in release.manifest["files"].items():
        if "question" in columns(entry["schema"]):
            files.setdefault(part_of(file), []).append(file)
    return {
        "preset": release.manifest["preset"],
        "seed": release.manifest["seed"],
        "rows": {
            config: {split: release.count(config, split) for split in release.splits(config)}
            for config in release.configs()
        },
        "questions": {stem: _questions(release, names) for stem, names in files.items()},
        "chance": _chance(release),
        "audit": read_audit(release.path),
    }


def _questions(release: Release, files: Sequence[str]) -> dict[str, Any]:
    """Counts by hops, pattern and answer kind, and lengths, of the questions in some files."""
    from bioreason_bench.schema import columns

    names = ["hops", "pattern", "answer_kind"]
    counts: dict[str, Counter] = {name: Counter() for name in names}
    for file in files:
        rows = release.read(release.path / file, names)
        for name in names:
            for one in rows[name].value_counts().to_pylist():
                counts[name][one["values"]] += one["counts"]
    texts = ["question", "context", "chain"]
    has_people = "context_people" in columns(release.manifest["files"][files[0]]["schema"])
    wanted = [*texts, "context_people"] if has_people else texts
    sample = release.read(release.path / files[0], wanted)
    if sample.num_rows:
        step = max(1, sample.num_rows // SAMPLE)
        sample = sample.take(list(range(0, sample.num_rows, step)))
    people = sample["context_people"].to_pylist() if has_people else []
    return {
        "rows": counts["hops"].total(),
        **{name: {str(v): n for v, n in sorted(c.items())} for name, c in counts.items()},
        "tokenish": {name: _lengths(sample[name]) for name in texts},
        "context_people": round(sum(map(len, people)) / len(people), 2) if people else 0,
    }


def _lengths(column: pa.ChunkedArray) -> dict[str, int]:
    """Median, 95th percentile and maximum of the number of words and punctuation marks."""
    import numpy as np
    import pyarrow.compute as pc

    lengths = pc.count_substring_regex(column, TOKENISH).to_numpy()
    if not len(lengths):
        return {"median": 0, "p95": 0, "max": 0}
    return {
        "median": int(np.median(lengths)),
        "p95": int(np.percentile(lengths, 95)),
        "max": int(lengths.max()),
    }


def _chance(release: Release) -> dict[str, dict[str, Any]]:
    """By relation: how many objects it has, and how often guesses without any knowledge are right.

    `uniform` guesses any object that occurs, `majority` always the most frequent one.
    """
    if "facts" not in release.configs():
        return {}
    relations = release.table("relations").to_pylist()
    chances = {}
    for row, counts in zip(relations, _object_counts(release, relations), strict=True):
        if len(counts):
            chances[row["name"]] = {
                "object": row["object"],
                "group": row["group"],
                "objects": len(counts),
                "uniform": 1 / len(counts),
                "majority": float(counts.max() / counts.sum()),
            }
    return chances


def _object_counts(
    release: Release, relations: Sequence[Mapping[str, Any]]
) -> Iterator[NDArray[np.int64]]:
    """How often each relation has each of its objects; of a fact only a hash is kept."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    names = pa.array([row["name"] for row in relations], pa.string())
    numbers, keys = [np.empty(0, np.int16)], [np.empty(0, np.int64)]
    for file in release.files("facts", "train"):
        facts = release.read(file, ["relation", "object"]).combine_chunks()
        number = pc.index_in(facts["relation"], names).fill_null(-1)
        numbers.append(number.to_numpy().astype(np.int16))
        for chunk in facts["object"].dictionary_encode().chunks:
            hashes = np.fromiter(map(hash, chunk.dictionary.to_pylist()), np.int64)
            keys.append(hashes[chunk.indices.to_numpy()])
    relation, objects = np.concatenate(numbers), np.concatenate(keys)
    for number in range(len(names)):
        yield np.unique(objects[relation == number], return_counts=True)[1]


def _text(release: Release, statistics: Mapping[str, Any]) -> str:
    audit = statistics["audit"]
    if audit and audit["solvers"]:
        scores = [
            "solvers of the audit: the oracle, and shortcuts (to be no better than chance)",
            *score_table(audit["solvers"]),
        ]
    else:
        scores = [f"no solver scores yet: bioreason verify {release.path} --write"]
    lines = [
        f"{release.path}: preset {statistics['preset']}, seed {statistics['seed']}",
        "",
        "rows",
        *_rows_table(statistics["rows"]),
        "",
        "questions    (lengths in words and punctuation marks: median, 95th percentile, maximum)",
        *_questions_table(statistics["questions"]),
        "",
        *_chance_table(statistics["chance"]),
        *scores,
    ]
    return "\n".join(map(visible, lines))


def _rows_table(rows: Mapping[str, Mapping[str, int]]) -> list[str]:
    cells = [
        [config, *(f"{counts[split]:,}" if split in counts else "" for split in SPLITS)]
        for config, counts in rows.items()
    ]
    return table([["config", *SPLITS], *cells])


def _questions_table(questions: Mapping[str, Mapping[str, Any]]) -> list[str]:
    texts = ["question", "context", "chain"]
    cells = [
        [
            stem,
            f"{row['rows']:,}",
            _shares(row["hops"]),
            _most_frequent(row["pattern"]),
            *(_three(row["tokenish"][name]) for name in texts),
        ]
        for stem, row in questions.items()
    ]
    return table([["files", "rows", "hops", "patterns", *texts], *cells], left=4)


def _chance_table(chances: Mapping[str, Mapping[str, Any]]) -> list[str]:
    cells = [
        [
            name,
            row["group"],
            row["object"],
            f"{row['objects']:,}",
            f"{row['uniform']:.2%}",
            f"{row['majority']:.2%}",
        ]
        for name, row in sorted(chances.items(), key=lambda item: -item[1]["uniform"])
    ]
    head = ["answer relation", "group", "leads to", "objects", "uniform", "majority"]
    title = "chance of a blind guess    (any object that occurs; always the most frequent object)"
    return [title, *table([head, *cells], left=3), ""] if cells else []


def _shares(counts: Mapping[str, int]) -> str:
    total = sum(counts.values())
    return " ".join(f"{key}:{value / total:.0%}" for key, value in counts.items())


def _most_frequent(counts: Mapping[str, int], limit: int = 3) -> str:
    """The most frequent keys, and how many others there are: "CP PC CPC +5"."""
    first = [key for key, _ in sorted(counts.items(), key=lambda item: -item[1])[:limit]]
    others = [f"+{len(counts) - limit}"] if len(counts) > limit else []
    return " ".join([*first, *others])


def _three(lengths: Mapping[str, int]) -> str:
    return "/".join(str(lengths[key]) for key in ("median", "p95", "max"))
