"""`bioreason stats`: what a release holds, and what guessing is worth; or what a model answered."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bioreason_bench.commands.tables import score_table, table

if TYPE_CHECKING:
    import pyarrow as pa

    from bioreason_bench.release.read import Release

SAMPLE = 2_000  # rows of a split whose lengths are measured
TOKENISH = r"\w+|[^\w\s]"  # a word or a sign; models' tokens are somewhat more


@click.command(name="stats")
@click.argument("folder", metavar="DIR|RESULTS", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def command(folder: Path, as_json: bool) -> None:
    """Count the rows of DIR by config, hops and pattern; lengths; chance levels; the audit's scores where there are some.

    Of RESULTS, the --output_path of a bioreason eval: accuracy and intervals by level, hops, pattern and unseen group, first errors.
    """
    from bioreason_bench.evaluation.results import has_results, read_results, render, summarise
    from bioreason_bench.release.manifest import MANIFEST
    from bioreason_bench.release.read import Release

    if not (folder / MANIFEST).is_file() and has_results(folder):
        records = summarise(read_results(folder))
        click.echo(
            json.dumps(records, indent=1, ensure_ascii=False) if as_json else render(records)
        )
        return
    release = Release(folder)
    found = collect(release)
    click.echo(
        json.dumps(found, indent=1, ensure_ascii=False) if as_json else _text(release, found)
    )


def collect(release: Release) -> dict[str, Any]:
    """Plain values: `rows` {config: {split: n}}, `questions` by place, `chance` by relation, `audit` (None without one)."""
    from bioreason_bench.hub.card import read_audit
    from bioreason_bench.schema import columns

    files: dict[str, list[str]] = {}
    for file, entry in release.manifest["files"].items():
        if "question" in columns(entry["schema"]):
            files.setdefault(
                file.removeprefix("data/").rpartition("-of-")[0].rpartition("-")[0], []
            ).append(file)
    return {
        "preset": release.manifest["preset"],
        "seed": release.manifest["seed"],
        "rows": {
            config: {split: release.count(config, split) for split in release.splits(config)}
            for config in release.configs()
        },
        "questions": {place: _questions(release, names) for place, names in files.items()},
        "chance": _chance(release),
        "audit": read_audit(release.path),
    }


def _questions(release: Release, files: list[str]) -> dict[str, Any]:
    """Counts by hops, pattern and answer kind, and lengths, of the questions in some files."""
    import pyarrow as pa

    counted = pa.concat_tables(
        release.read(release.path / file, ["hops", "pattern", "answer_kind"]) for file in files
    )
    count = {
        name: dict(sorted(Counter(counted[name].to_pylist()).items()))
        for name in counted.column_names
    }
    sample = release.read(
        release.path / files[0], ["question", "context", "context_people", "chain"]
    )
    sample = (
        sample.take(list(range(0, sample.num_rows, max(1, sample.num_rows // SAMPLE))))
        if sample.num_rows
        else sample
    )
    lengths = {name: _lengths(sample[name]) for name in ("question", "context", "chain")}
    people = sample["context_people"].to_pylist()
    return {
        "rows": counted.num_rows,
        **{
            name: {str(key): value for key, value in values.items()}
            for name, values in count.items()
        },
        "tokenish": lengths,
        "context_people": round(sum(map(len, people)) / len(people), 2) if people else 0,
    }


def _lengths(column: pa.ChunkedArray) -> dict[str, int]:
    """Median, 95th percentile and maximum of the number of words and signs."""
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
    """By relation: how many objects there are, and how often a blind guess and the best constant guess are right."""
    import pyarrow.compute as pc

    facts = release.table("facts", columns=["relation", "object"])
    pairs = facts.group_by(["relation", "object"]).aggregate([([], "count_all")])
    found = {}
    for row in release.table("relations").to_pylist():
        counts = pairs.filter(pc.equal(pairs["relation"], row["name"]))["count_all"].to_numpy()
        if len(counts):
            chances = {"uniform": 1 / len(counts), "majority": float(counts.max() / counts.sum())}
            found[row["name"]] = {
                "object": row["object"],
                "group": row["group"],
                "objects": len(counts),
                **chances,
            }
    return found


def _text(release: Release, found: dict[str, Any]) -> str:
    lines = [f"{release.path}: preset {found['preset']}, seed {found['seed']}", "", "rows"]
    splits = ("train", "validation", "test", "parametric", "contextual")
    cells = [
        [config, *(f"{rows[split]:,}" if split in rows else "" for split in splits)]
        for config, rows in found["rows"].items()
    ]
    lines += table([["config", *splits], *cells])
    lines += ["", "questions                       (lengths in words and signs: median, 95 %, max)"]
    cells = [
        [
            place,
            f"{row['rows']:,}",
            _shares(row["hops"]),
            _patterns(row["pattern"]),
            *(_three(row["tokenish"][name]) for name in ("question", "context", "chain")),
        ]
        for place, row in found["questions"].items()
    ]
    lines += table(
        [["files", "rows", "hops", "patterns", "question", "context", "chain"], *cells], left=4
    )
    lines += [
        "",
        "chance of a blind guess         (uniform over the objects that occur; the most frequent object)",
    ]
    cells = [
        [
            name,
            row["group"],
            row["object"],
            f"{row['objects']:,}",
            f"{row['uniform']:.2%}",
            f"{row['majority']:.2%}",
        ]
        for name, row in sorted(found["chance"].items(), key=lambda item: -item[1]["uniform"])
    ]
    lines += table(
        [["answer relation", "group", "leads to", "objects", "uniform", "majority"], *cells], left=3
    )
    if found["audit"] and found["audit"]["solvers"]:
        lines += [
            "",
            "solvers of the audit: the oracle, and shortcuts that should be worth no more than chance",
            *score_table(found["audit"]["solvers"]),
        ]
    else:
        lines += ["", f"no solvers' scores yet: bioreason verify {release.path} --write"]
    return "\n".join(lines)


def _shares(counts: dict[str, int]) -> str:
    total = sum(counts.values())
    return " ".join(f"{key}:{value / total:.0%}" for key, value in counts.items())


def _patterns(counts: dict[str, int], most: int = 3) -> str:
    first = sorted(counts.items(), key=lambda item: -item[1])[:most]
    return " ".join(key for key, _ in first) + (
        f" +{len(counts) - most}" if len(counts) > most else ""
    )


def _three(lengths: dict[str, int]) -> str:
    return "/".join(str(lengths[key]) for key in ("median", "p95", "max"))
