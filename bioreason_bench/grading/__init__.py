"""Grading: the final answer, the chain before it, and rewards built on the same verdict.

    from bioreason_bench.grading import grade, make_grader

The names below are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bioreason_bench.grading.answer import same_answer
    from bioreason_bench.grading.grader import (
        ERROR_KINDS,
        Grade,
        Grader,
        grade,
        grader_for,
        grader_for_record,
        make_grader,
    )
    from bioreason_bench.grading.markers import final_answer
    from bioreason_bench.grading.text import normalise
    from bioreason_bench.grading.thoughts import strip_thoughts

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
    "strip_thoughts",
]

_MODULES = {
    "final_answer": "markers",
    "normalise": "text",
    "same_answer": "answer",
    "strip_thoughts": "thoughts",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'grader')}"), name)
