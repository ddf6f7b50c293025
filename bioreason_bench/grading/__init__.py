"""Grading: the final answer, the chain before it, and rewards built on the same verdict.

    from bioreason_bench.grading import grade, make_grader

The names below are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bioreason_bench.grading.answer import final_answer, normalise, same_answer
    from bioreason_bench.grading.grader import (
        ERROR_KINDS,
        Grade,
        Grader,
        grade,
        grader_for,
        grader_for_record,
        make_grader,
    )

__all__ = [
    "ERROR_KINDS",
    "Grade",
    "Grader",
    "final_answer",
    "grade",
    "grader_for",
    "grader_for_record",
    "make_grader",
    "normalise",
    "same_answer",
]

_IN_ANSWER = ("final_answer", "normalise", "same_answer")


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "answer" if name in _IN_ANSWER else "grader"
    return getattr(import_module(f"{__name__}.{module}"), name)
