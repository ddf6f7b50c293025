"""Traces read back into steps: for the grader, and to show a question step by step."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bioreason_bench.families.grading import gold_steps, steps_between
from bioreason_bench.family import Step

__all__ = ["read_steps", "steps_of"]

STEP = re.compile(r"(?P<part>[A-Za-z0-9_ ]{1,80}) = (?P<form>[A-Za-z0-9_ .,()*]{1,600})")
MEANS = "means"  # the operation of every step: a part of the sentence means a logical form


def read_steps(trace: str) -> list[Step | None]:
    """The steps of a trace without its answer, in order; None for what is no step."""
    return steps_between(trace, " ;", _read_step)


def steps_of(record: Mapping[str, Any]) -> list[Step]:
    """The steps of a question's gold trace."""
    return gold_steps(record, read_steps)


def _read_step(text: str) -> Step | None:
    match = STEP.fullmatch(text)
    return Step(MEANS, (match["part"],), match["form"]) if match else None
