"""The functions that the task files (tasks/*.yaml) name: documents in, prompts and targets out, one grader for the scores.

    lm_eval --tasks bioreason_comp --include_path "$(bioreason where tasks)" --model hf --model_args pretrained=...

lm-evaluation-harness calls `documents` with the leaf's `dataset_kwargs` and with `--metadata`, into which it also merges
`--model_args`; so what is not known here is not ours and is left alone.
"""

from __future__ import annotations

import dataclasses
import functools
import logging
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bioreason_bench.draw import Draw
from bioreason_bench.errors import ReleaseError, UsageError
from bioreason_bench.evaluation.source import Source, open_source
from bioreason_bench.grading.grader import Grade, Grader, same_answer
from bioreason_bench.questions.records import make_prompt, unseen_group
from bioreason_bench.statistics import pass_at_k, powers_of_two

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

__all__ = [
    "METRICS",
    "PASS_AT",
    "documents",
    "prompt",
    "score",
    "score_direct",
    "score_samples",
    "target",
    "target_direct",
]

METRICS = ("exact_match", "process_verified", "hop_accuracy", "format_rate")
PASS_AT = tuple(powers_of_two(512))
SPLITS = ("test", "validation")
VARIANTS = ("", "openbook", "probes")
SAMPLES = 64  # of each question in the pass@k tasks, where nobody asks for another number

_log = logging.getLogger(__name__)
_sources: dict[
    str, Source
] = {}  # label -> source: a document says by its label which grader it needs


def documents(
    questions: str,
    variant: str = "",
    data: str | None = None,
    revision: str | None = None,
    preset: str | None = None,
    seed: int | str | None = None,
    split: str = "test",
    **_: Any,
) -> DatasetDict:
    """Splits `test` (what is scored) and `fewshot` (training questions for few-shot prompts) of one config of questions.

    Columns are those of a question, and `source` (names the grader), `unseen_group` ("parametric", "contextual", "both" or
    ""), and `probe_of` for probes.  Raises UsageError or ReleaseError with one sentence.
    """
    from datasets import Dataset, DatasetDict

    if split not in SPLITS:
        raise UsageError(f"split={split!r} must be one of {', '.join(SPLITS)}")
    if variant not in VARIANTS:
        raise UsageError(
            f"variant={variant!r} must be one of {', '.join(VARIANTS[1:])}, or be left out"
        )
    source = open_source(data, revision, preset, seed)
    source.require(questions)
    skill, _, level = questions.partition("_")
    rows = (
        _probes(source, questions, split)
        if variant == "probes"
        else source.table(f"{skill}/{level}", split).to_pylist()
    )
    if variant == "openbook":
        rows = opened(source, rows)
    _sources[source.label] = source
    _log.info(
        "%s%s: %d questions from %s",
        questions,
        f" ({variant})" if variant else "",
        len(rows),
        source.label,
    )
    return DatasetDict(
        {"test": Dataset.from_list(_marked(rows, source)), "fewshot": _few(source, skill, variant)}
    )


@functools.lru_cache(maxsize=16)
def _few(source: Source, skill: str, variant: str) -> Dataset:
    """Training questions of a skill, which all its levels share."""
    from datasets import Dataset

    rows = source.few(skill).to_pylist()
    return Dataset.from_list(
        _marked(opened(source, rows) if variant == "openbook" else rows, source)
    )


def _probes(source: Source, questions: str, split: str) -> list[dict[str, Any]]:
    """The one-hop questions of a config's test questions."""
    if split != "test":
        raise UsageError(
            "probes are made for the test questions alone; leave out split, or set it to test"
        )
    mark = questions.replace("_", "-", 1) + "-"
    rows = source.table("probes", "test").to_pylist()
    rows = [
        row | {"probe_of": own}
        for row in rows
        if (own := [name for name in row["probe_of"] if name.startswith(mark)])
    ]
    if not rows:
        raise ReleaseError(
            f"{source.label} has no probes of {questions}; choose another task, or generate the release again"
        )
    return rows


def opened(source: Source, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows as open-book questions: the parametric biography of whoever a fact is to be recalled about stands in the context."""
    needed = [
        [row["entities"][hop] for hop, group in enumerate(row["pattern"]) if group == "P"]
        for row in rows
    ]
    texts = source.parametric_biographies({person for people in needed for person in people})
    made = []
    for row, people in zip(rows, needed, strict=True):
        texts_read = row["context"].split("\n") if row["context"] else []
        parts = list(zip(texts_read, row["context_people"], strict=True)) + [
            (texts[person], person) for person in people
        ]
        order = Draw(0).at("openbook", row["id"]).permutation(len(parts)).tolist()
        shown = {
            "context": "\n".join(parts[place][0] for place in order),
            "context_people": [parts[place][1] for place in order],
        }
        made.append({**row, **shown})
    return made


def _marked(rows: list[dict[str, Any]], source: Source) -> list[dict[str, Any]]:
    return [row | {"unseen_group": unseen_group(row), "source": source.label} for row in rows]


def prompt(doc: Mapping[str, Any]) -> str:
    return make_prompt(doc)


def target(doc: Mapping[str, Any]) -> str:
    """The gold chain, without the blank before it (the harness puts it there)."""
    return doc["chain"]


def target_direct(doc: Mapping[str, Any]) -> str:
    return doc["answer"]


def grader(doc: Mapping[str, Any]) -> Grader:
    """The grader of the release that the document is from."""
    return _grader(doc["source"])


@functools.lru_cache(maxsize=8)
def _grader(label: str) -> Grader:
    return _sources[label].grader()


def score(doc: Mapping[str, Any], results: Sequence[str]) -> dict[str, float]:
    """The metrics of one completion (None where a service gave none)."""
    grade = grader(doc).grade(results[0] or "", doc)
    _note(doc, dataclasses.asdict(grade))
    return as_metrics(grade) | _beside(doc, grade)


def score_direct(doc: Mapping[str, Any], results: Sequence[str]) -> dict[str, float]:
    """The metrics of one answer given without a chain."""
    grade = grader(doc).grade_direct(results[0] or "", doc)
    _note(doc, {"exact_match": grade.exact_match, "answer": grade.answer})
    return {"exact_match": float(grade.exact_match)} | _beside(doc, grade)


def score_samples(doc: Mapping[str, Any], results: Sequence[Sequence[str]]) -> dict[str, float]:
    """pass@k of the samples of one question, by answer and by answer and chain, for k = 1, 2, 4, ..."""
    samples = results[0]
    grades = [grader(doc).grade(sample or "", doc) for sample in samples]
    counts = {
        "pass": sum(grade.exact_match for grade in grades),
        "process_pass": sum(grade.process_verified for grade in grades),
    }
    _note(
        doc,
        {"samples": len(samples), "right": counts["pass"], "process_right": counts["process_pass"]},
    )
    metrics = {}
    for name, right in counts.items():
        metrics |= {
            f"{name}@{k}": float(pass_at_k(len(samples), right, k))
            for k in PASS_AT
            if k <= len(samples)
        }
    return metrics


def as_metrics(grade: Grade) -> dict[str, float]:
    return {
        "exact_match": float(grade.exact_match),
        "process_verified": float(grade.process_verified),
        "hop_accuracy": grade.hop_accuracy,
        "format_rate": float(grade.format_ok),
    }


def _beside(doc: Mapping[str, Any], grade: Grade) -> dict[str, Any]:
    """What further kinds of questions are scored by: twins and both ends of a fact as pairs, conflicts by whom the answer follows."""
    metrics: dict[str, Any] = {}
    if doc.get("pair"):
        metrics["pair_accuracy"] = (doc["pair"], float(grade.exact_match))
    if doc.get("answer_context"):
        metrics["follows_context"] = float(
            grade.answer is not None and same_answer(grade.answer, doc["answer_context"])
        )
    return metrics


def mean_of_pairs(items: Sequence[tuple[str, float]]) -> float:
    """Share of the pairs both of whose questions are answered right; pairs of which one was not asked are left out."""
    pairs: dict[str, list[float]] = {}
    for pair, right in items:
        pairs.setdefault(pair, []).append(right)
    whole = [min(both) for both in pairs.values() if len(both) == 2]
    return sum(whole) / len(whole) if whole else math.nan


def _note(doc: Mapping[str, Any], verdict: dict[str, Any]) -> None:
    """Keep the whole verdict with the document: the harness logs it as it is after scoring, and averages only what it returns."""
    if isinstance(doc, dict):
        doc["grade"] = verdict
