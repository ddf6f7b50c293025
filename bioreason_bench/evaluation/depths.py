"""Answers by the length of the context, and by the depth at which what is needed stands.

The depth of a biography is the share of the lines before the middle of its own: 0.5 % for the first
of a hundred, 99.5 % for the last.  A question that needs several biographies counts at each of
their depths.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from bioreason_bench.evaluation.answers import Answer, Answers

__all__ = ["PARTS", "at_depths", "at_lengths", "depth_name", "has_long_contexts", "length_name"]

LONG = 3_000  # tokens; contexts of this length are long ones
PARTS = 5  # of a context


def has_long_contexts(answers: Answers) -> bool:
    """Whether any of the questions has a long context; False for records of earlier versions."""
    return any(answer.get("context_tokens", 0) >= LONG for answer in answers)


def at_lengths(answers: Answers) -> list[dict[str, Any]]:
    """The answers to questions with a context, with its `length`.

    That is the nearest of 1, 2, 4, 8, ... thousand tokens.
    """
    return [
        {**answer, "length": _length(answer["context_tokens"])}
        for answer in answers
        if answer.get("context_tokens")
    ]


def at_depths(answers: Answers) -> list[dict[str, Any]]:
    """The answers of `at_lengths`, once for every part that holds a biography which is needed.

    The number of the part, from 0, is the column `depth`.
    """
    return [{**answer, "depth": part} for answer in at_lengths(answers) for part in _parts(answer)]


def _parts(answer: Answer) -> Sequence[int]:
    """The parts of the context that hold what is needed, ascending."""
    return sorted({min(int(PARTS * depth), PARTS - 1) for depth in answer["depths"]})


def _length(tokens: int) -> int:
    return int(1_000 * 2 ** max(0, round(math.log2(tokens / 1_000))))


def length_name(length: int) -> str:
    """4000 is 4k."""
    return f"{length // 1_000}k"


def depth_name(depth: int) -> str:
    """Part 0 of 5 is 0-20 %."""
    return f"{100 * depth // PARTS}-{100 * (depth + 1) // PARTS} %"
