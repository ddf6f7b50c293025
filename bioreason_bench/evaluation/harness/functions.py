"""The functions that task files (tasks/*.yaml) name: documents, prompts, targets and scores.

    lm_eval --tasks bioreason_comp --include_path "$(bioreason where tasks)" --model hf ...

lm-evaluation-harness calls `documents` with the leaf's `dataset_kwargs` and with `--metadata`, into
which it merges `--model_args`; unknown arguments are therefore ignored.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import functools
import logging
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bioreason_bench.draw import Draw
from bioreason_bench.errors import ReleaseError, UsageError, quoted, suggest
from bioreason_bench.evaluation.open_source import open_source
from bioreason_bench.evaluation.source import Source
from bioreason_bench.family import FAMILIES, PEOPLE
from bioreason_bench.grading.answer import same_answer
from bioreason_bench.grading.grader import Grade, Grader
from bioreason_bench.questions.prompts import chat_example, chat_prompt, make_prompt
from bioreason_bench.questions.records import unseen_group
from bioreason_bench.schema import columns
from bioreason_bench.statistics import pass_at_k, powers_of_two
from bioreason_bench.taxonomy import OPEN_BOOK, QUESTION_KINDS

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

__all__ = [
    "PASS_AT",
    "documents",
    "example_chat",
    "mean_of_pairs",
    "prompt",
    "prompt_chat",
    "score",
    "score_chat",
    "score_direct",
    "score_samples",
    "target",
    "target_direct",
]

PASS_AT = tuple(powers_of_two(512))
SPLITS = ("test", "validation")
VARIANTS = ("openbook", "probes")  # whose documents differ from those of the other variants
MISSPELT = 0.85  # likeness of a setting to one of ours; arguments of models are less like them
SAMPLES = 64  # per question in the pass@k tasks, unless the user sets another number

_log = logging.getLogger(__name__)
_sources: dict[str, Source] = {}  # by label; the `source` of a document names its grader


# --- documents ------------------------------------------------------------------------------------


def documents(
    questions: str,
    variant: str = "",
    *,
    data: str | None = None,
    revision: str | None = None,
    preset: str | None = None,
    seed: int | str | None = None,
    split: str = "test",
    **others: Any,
) -> DatasetDict:
    """The documents of one config of questions.

    Args:
        questions: The config, such as comp_zeroshot.
        variant: "", "openbook" or "probes".
        data: See `open_source`.
        revision: See `open_source`.
        preset: See `open_source`.
        seed: See `open_source`.
        split: "test" or "validation": which questions are scored.
        others: Settings of other tasks, and arguments of the model.

    Returns:
        Splits `test` (what is scored) and `fewshot` (training questions; for open books, validation
        questions).  Columns are those of a question, `source` (names the grader), `unseen_group`,
        and `probe_of` for probes.

    Raises:
        UsageError: A setting is wrong.
        ReleaseError: The release cannot be read.
    """
    from datasets import Dataset, DatasetDict

    _check_spelling(others)
    if split not in SPLITS:
        raise UsageError(f"split={split!r} must be one of {', '.join(SPLITS)}")
    if variant and variant not in VARIANTS:
        raise UsageError(f"there is no variant={variant!r}: {suggest(variant, VARIANTS)}")
    if data is None and preset is None:  # the preset of the family, if it is not people
        preset = family_preset(questions)
    source = open_source(data, revision, preset, seed)
    source.require(questions)
    _sources[source.label] = source
    skill, level = questions.split("_", 1)
    open_book = variant == "openbook" or level.endswith(f"_{OPEN_BOOK}")
    if variant == "probes":
        rows = _probes(source, questions, split)
    elif variant == "openbook":
        rows = _open_book(source, questions, split)
    else:
        rows = source.table(f"{skill}/{level}", split).to_pylist()
    task = f"{questions} ({variant})" if variant else questions
    _log.info("%s: %d questions from %s", task, len(rows), source.label)
    return DatasetDict(
        {
            "test": Dataset.from_list(_labelled(rows, source)),
            "fewshot": _few_open(source, skill, f"{skill}_{level}", split)
            if open_book
            else _few(source, skill),
        }
    )


def _check_spelling(others: Mapping[str, Any]) -> None:
    """Raise UsageError for a setting that is nearly one of ours, such as `presett`."""
    known = columns("metadata")
    for name in others:
        near = difflib.get_close_matches(name[:100], known, 1, MISSPELT)
        if near and name not in known:
            raise UsageError(f"--metadata has no {quoted(name)}; did you mean {near[0]!r}?")


@functools.lru_cache(maxsize=16)
def _few(source: Source, skill: str) -> Dataset:
    """Training questions of a skill, which all its levels share."""
    from datasets import Dataset

    if family_preset(skill):
        return Dataset.from_list(_labelled(_covering(source, skill), source))
    return Dataset.from_list(_labelled(source.few(skill).to_pylist(), source))


def family_preset(config: str) -> str | None:
    """The preset that a task of another family than people uses, by the name of its config.

    Every family has a preset of its own name.
    """
    name = config.partition("_")[0]
    return name if name in FAMILIES and name != PEOPLE else None


def _covering(source: Source, skill: str) -> list[dict[str, Any]]:
    """Training questions, in an order in which the first ones hold every primitive of training.

    Each of them adds as many primitives as can be; isolated ones are added where there are any.
    """
    rows: list[dict[str, Any]] = source.few(skill).to_pylist()
    with contextlib.suppress(ReleaseError):  # a family need not have isolated primitives
        rows += source.few(f"{skill}_atoms").to_pylist()
    needs = [{row["pattern"], *row["path"]} for row in rows]
    first: list[int] = []
    missing = set().union(*needs)
    while missing:
        best = max(range(len(rows)), key=lambda index: len(needs[index] & missing))
        first.append(best)
        missing -= needs[best]
    rest = [row for index, row in enumerate(rows) if index not in first]
    return [*(rows[index] for index in first), *rest]


def _few_open(source: Source, skill: str, scored: str, split: str) -> Dataset:
    """Open-book questions of another split or level than the one that is scored."""
    from datasets import Dataset

    level = "composition" if split == "validation" and scored.startswith(f"{skill}_iid") else "iid"
    rows = source.table(f"{skill}/{level}_{OPEN_BOOK}", "validation").to_pylist()
    return Dataset.from_list(_labelled(rows, source))


def _open_book(source: Source, questions: str, split: str) -> list[dict[str, Any]]:
    """The open-book questions of a config, as published."""
    kind = next((kind for kind in QUESTION_KINDS if kind.config == questions), None)
    if questions.startswith("ctx_") or (kind and OPEN_BOOK not in kind.variants):
        raise UsageError(
            f"{questions} has no variant openbook: leave the variant out, or choose a level of "
            "mem or comp, or comp_counterfactual"
        )
    if f"{questions}_{OPEN_BOOK}" in source.configs:
        return source.table(f"{questions.replace('_', '/', 1)}_{OPEN_BOOK}", split).to_pylist()
    rows = source.table(questions.replace("_", "/", 1), split).to_pylist()
    if rows and "pair" in rows[0]:
        return opened_pairs(source, rows)
    raise ReleaseError(
        f"{source.label} has no open-book questions of {questions}; "
        "generate a release with --set open_book=true"
    )


def _probes(source: Source, questions: str, split: str) -> list[dict[str, Any]]:
    """The one-hop questions of a config's test questions."""
    if split != "test":
        raise UsageError(
            "probes are made for the test questions alone; leave out split, or set it to test"
        )
    prefix = questions.replace("_", "-", 1) + "-"  # comp_iid -> comp-iid-, as in ids of questions
    rows = []
    for row in source.table("probes", "test").to_pylist():
        of_config = [question for question in row["probe_of"] if question.startswith(prefix)]
        if of_config:
            rows.append(row | {"probe_of": of_config})
    if not rows:
        raise ReleaseError(
            f"{source.label} has no probes of {questions}; "
            "choose another task, or generate the release again"
        )
    return rows


def opened_pairs(source: Source, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Pairs of questions with open books.

    The contexts of both also hold the parametric biographies of everybody about whom one of them
    asks to recall a fact.  `support` says which paragraph of the context states each hop.
    """
    needed: dict[str, dict[str, None]] = {}  # pair -> people, in order
    for row in rows:
        recalled = (
            row["entities"][hop] for hop, letter in enumerate(row["pattern"]) if letter == "P"
        )
        needed.setdefault(row["pair"], {}).update(dict.fromkeys(recalled))
    texts = source.parametric_biographies({one for people in needed.values() for one in people})
    questions = []
    for row in rows:
        people = list(needed[row["pair"]])
        given = row["context"].split("\n") if row["context"] else []
        parts = list(zip(given, row["context_people"], strict=True))
        parts += [(texts[person], person) for person in people]
        order = Draw(0).at(OPEN_BOOK, row["pair"]).permutation(len(parts)).tolist()
        stated_in = [
            len(given) + people.index(subject) if letter == "P" else line
            for subject, letter, line in zip(
                row["entities"], row["pattern"], row["support"], strict=False
            )
        ]
        questions.append(
            {
                **row,
                "context": "\n".join(parts[index][0] for index in order),
                "context_people": [parts[index][1] for index in order],
                "support": [order.index(part) for part in stated_in],
            }
        )
    return questions


def _labelled(rows: list[dict[str, Any]], source: Source) -> list[dict[str, Any]]:
    return [row | {"unseen_group": unseen_group(row), "source": source.label} for row in rows]


def prompt(doc: Mapping[str, Any]) -> str:
    """The prompt of a document."""
    return make_prompt(doc)


def prompt_chat(doc: Mapping[str, Any]) -> str:
    """The message to a chat model: the instruction, which is given once, and the question."""
    return chat_prompt(doc)


def example_chat(doc: Mapping[str, Any]) -> str:
    """The message of a few-shot example to a chat model."""
    return chat_example(doc)


def target(doc: Mapping[str, Any]) -> str:
    """The gold chain, without the blank before it (the harness adds one)."""
    return doc["chain"]


def target_direct(doc: Mapping[str, Any]) -> str:
    """The answer."""
    return doc["answer"]


# --- scores ---------------------------------------------------------------------------------------


def grader_of(doc: Mapping[str, Any]) -> Grader:
    """The grader of the release that the document is from."""
    return _grader(doc["source"])


@functools.lru_cache(maxsize=8)
def _grader(label: str) -> Grader:
    return _sources[label].grader()


def score(doc: Mapping[str, Any], results: Sequence[str]) -> dict[str, Any]:
    """The metrics of one completion; None (a service that fails) counts as an empty completion."""
    grade = grader_of(doc).grade(results[0] or "", doc)
    _note(doc, dataclasses.asdict(grade))
    return grade.metrics() | _metrics_of_kind(doc, grade)


def score_chat(doc: Mapping[str, Any], results: Sequence[str]) -> dict[str, Any]:
    """The metrics of one completion of a chat model, with `truncated`.

    An empty completion is truncated, too: the service keeps thoughts to itself, and they took all
    tokens.
    """
    text = results[0] or ""
    grade = grader_of(doc).grade(text, doc)
    if not text.strip():
        grade = dataclasses.replace(grade, error_kind="truncated")
    _note(doc, dataclasses.asdict(grade))
    return grade.metrics() | {"truncated": float(grade.truncated)} | _metrics_of_kind(doc, grade)


def score_direct(doc: Mapping[str, Any], results: Sequence[str]) -> dict[str, Any]:
    """The metrics of one answer without a chain."""
    grade = grader_of(doc).grade_direct(results[0] or "", doc)
    _note(doc, {"exact_match": grade.exact_match, "answer": grade.answer})
    return {"exact_match": float(grade.exact_match)} | _metrics_of_kind(doc, grade)


def score_samples(doc: Mapping[str, Any], results: Sequence[Sequence[str]]) -> dict[str, float]:
    """pass@k of the samples of one question, for k = 1, 2, 4, ...

    `pass@k` counts right answers, `process_pass@k` right answers with right chains.
    `identical_samples` is 1 if all samples are the same text.
    """
    counts = count_samples(doc, results[0])
    _note(doc, counts)
    return {
        f"{name}@{k}": float(pass_at_k(counts["samples"], counts[column], k))
        for name, column in (("pass", "right"), ("process_pass", "process_right"))
        for k in PASS_AT
        if k <= counts["samples"]
    } | {"identical_samples": float(counts["identical"])}


def count_samples(doc: Mapping[str, Any], texts: Sequence[str]) -> dict[str, Any]:
    """How many samples of a question there are and are right, and whether they are identical."""
    grades = [grader_of(doc).grade(text or "", doc) for text in texts]
    return {
        "samples": len(grades),
        "right": sum(grade.exact_match for grade in grades),
        "process_right": sum(grade.process_verified for grade in grades),
        "identical": len(grades) > 1 and len(set(texts)) == 1,
    }


def _metrics_of_kind(doc: Mapping[str, Any], grade: Grade) -> dict[str, Any]:
    """The metrics of questions beyond the levels: of pairs, and of knowledge conflicts."""
    metrics: dict[str, Any] = {}
    if doc.get("pair"):
        metrics["pair_accuracy"] = (doc["pair"], float(grade.exact_match))
    if doc.get("answer_context"):
        follows = grade.answer is not None and same_answer(grade.answer, doc["answer_context"])
        metrics["follows_context"] = float(follows)
    return metrics


def mean_of_pairs(items: Sequence[tuple[str, float]]) -> float:
    """Share of the pairs both of whose questions are answered right; incomplete pairs are ignored.

    Args:
        items: (pair, score) of each question.
    """
    scores: dict[str, list[float]] = {}
    for pair, score_ in items:
        scores.setdefault(pair, []).append(score_)
    complete = [min(both) for both in scores.values() if len(both) == 2]
    return sum(complete) / len(complete) if complete else math.nan


def _note(doc: Mapping[str, Any], verdict: dict[str, Any]) -> None:
    """Keep the verdict with the document, which the harness logs after scoring.

    The harness averages every metric that a score function returns, so other values go here.
    """
    if isinstance(doc, dict):
        doc["grade"] = verdict
