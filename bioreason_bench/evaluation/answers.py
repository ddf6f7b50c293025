"""Answers as plain records: the columns of one, and parts of many.

An answer is one question that a model was asked, with the verdict on what it wrote.  A record has
the columns of `question_columns` and `verdict_columns`; `read_results` adds those of the run and
task.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

from bioreason_bench.errors import quoted
from bioreason_bench.evaluation.harness.names import VARIANTS
from bioreason_bench.grading.grader import Grade
from bioreason_bench.lengths import tokens_in
from bioreason_bench.questions.records import unseen_group
from bioreason_bench.taxonomy import KIND_NAMES, LEVELS, SKILLS
from bioreason_bench.world.relations import CONTEXTUAL, PARAMETRIC

__all__ = [
    "METRICS",
    "Answer",
    "Answers",
    "answer_problem",
    "grouped",
    "question_columns",
    "select",
    "verdict_columns",
]

Answer = Mapping[str, Any]
Answers = Sequence[Answer]

LONGEST_TEXT = 10_000  # characters of an id or a name
MOST_HOPS = 100
PATTERN = re.compile(rf"[A-Za-z0-9_]{{1,{MOST_HOPS}}}")  # PCP, or the name of a construction
MOST_SAMPLES = 1_000_000  # of one question
METRICS = (
    *("exact_match", "process_verified", "hop_accuracy", "format_rate"),
    *("follows_context", "truncated"),
)
ORDER = {
    "skill": SKILLS,
    "level": (*LEVELS, *KIND_NAMES),
    "variant": ("", *VARIANTS),
    "unseen_group": ("none", PARAMETRIC, CONTEXTUAL, "both"),
}


def question_columns(question: Mapping[str, Any]) -> dict[str, Any]:
    """What an answer's record says of the question."""
    return {
        "id": question["id"],
        "start": question["entities"][0],
        "hops": question["hops"],
        "pattern": question["pattern"],
        "unseen_group": question.get("unseen_group") or unseen_group(question),
        "direction_seen": question.get("direction_seen"),
        "altered": question.get("altered"),
        "pair": question.get("pair", ""),
        "probe_of": question.get("probe_of", []),
        "context_tokens": tokens_in(question.get("context", "")),
        "depths": _depths(question),
    }


def _depths(question: Mapping[str, Any]) -> list[float]:
    """The depth of each biography that is read, 0 to 1: the middle of its line in the context.

    Rows of version 0.2 have no `support`; without it nothing is known.
    """
    lines = len(question.get("context_people", ()))
    read = [line for line in question.get("support") or () if line >= 0]
    return [round((line + 0.5) / lines, 4) for line in read]


def verdict_columns(grade: Grade) -> dict[str, Any]:
    """What an answer's record says of the verdict: metrics, and the first wrong hop."""
    return {
        **grade.metrics(),
        "first_error": grade.first_error,
        "error_kind": grade.error_kind,
        "failed_group": grade.failed_group,
    }


def answer_problem(answer: Answer) -> str:
    """What is wrong with the columns of a record from outside, "" if nothing.

    Columns that the record lacks are not checked.
    """
    for column, fits in COLUMNS.items():
        if column in answer and not fits(answer[column]):
            return f"{column} is {quoted(answer[column])}"
    if answer.get("right", 0) > answer.get("samples", 0):
        return "more samples are right than there are"
    return ""


def _text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_TEXT


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_SAMPLES


def _share(value: Any) -> bool:
    return isinstance(value, (int, float)) and 0 <= value <= 1


def _shares(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= MOST_HOPS and all(map(_share, value))


def _or_none(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or fits(value)


def _truth(value: Any) -> bool:
    return value is None or isinstance(value, bool)


def _hops(value: Any) -> bool:
    return _count(value) and 1 <= value <= MOST_HOPS


def _pattern(value: Any) -> bool:
    return isinstance(value, str) and bool(PATTERN.fullmatch(value))


COLUMNS: Mapping[str, Callable[[Any], bool]] = {  # of a record -> whether a value fits
    **dict.fromkeys(("id", "start", "source", "pair"), _text),
    "hops": _hops,
    "pattern": _pattern,
    "unseen_group": lambda value: value in ORDER["unseen_group"],
    **dict.fromkeys(("direction_seen", "altered"), _truth),
    "identical": lambda value: value in (0, 1),
    "probe_of": lambda value: isinstance(value, list) and all(map(_text, value)),
    "context_tokens": lambda value: isinstance(value, int) and value >= 0,
    "depths": _shares,
    **dict.fromkeys(METRICS, _or_none(_share)),
    "first_error": _or_none(_count),
    **dict.fromkeys(("error_kind", "failed_group"), _or_none(_text)),
    **dict.fromkeys(("samples", "right", "process_right"), _count),
}


def select(answers: Iterable[Answer], **values: Any) -> list[Answer]:
    """The answers whose columns have these values, such as skill="comp", variant=""."""
    return [
        answer
        for answer in answers
        if all(answer[column] == value for column, value in values.items())
    ]


def grouped(answers: Iterable[Answer], *keys: str) -> dict[tuple[Any, ...], list[Answer]]:
    """The answers by the values of the keys, in the natural order of skills, levels, patterns."""
    groups: dict[tuple[Any, ...], list[Answer]] = {}
    for answer in answers:
        groups.setdefault(tuple(answer[key] for key in keys), []).append(answer)

    def rank(values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        return [_rank(key, value) for key, value in zip(keys, values, strict=True)]

    return {values: groups[values] for values in sorted(groups, key=rank)}


def _rank(key: str, value: Hashable) -> tuple[Any, ...]:
    """Sorting key: the order of the tables, then the length of a pattern, then the value."""
    order: Sequence[Any] = ORDER.get(key, ())
    known = order.index(value) if value in order else len(order)
    length = len(str(value)) if key == "pattern" else 0
    number = value if isinstance(value, (int, float)) else math.inf
    return known, length, number, str(value)
