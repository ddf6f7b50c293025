"""Traces read back into steps: for the grader, and to show a question step by step."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bioreason_bench.families.grading import gold_steps, steps_between
from bioreason_bench.family import Step

__all__ = ["read_steps", "steps_of"]

WORDS = r"[a-z]{1,20}(?: [a-z]{1,20}){0,8}"
ACTIONS = r"[A-Z_]{1,20}(?: [A-Z_]{1,20}){0,200}"
STEP = re.compile(rf"(?P<part>{WORDS}) = (?P<actions>{ACTIONS})")
MEANS = "means"  # the operation of every step: a part of the command means actions


def read_steps(trace: str) -> list[Step | None]:
    """The steps of a trace without its answer, in order; None for a sentence that is no step."""
    return steps_between(trace, " .", _read_step)


def steps_of(record: Mapping[str, Any]) -> list[Step]:
    """The steps of a question's gold trace."""
    return gold_steps(record, read_steps)


def _read_step(text: str) -> Step | None:
    match = STEP.fullmatch(text)
    return Step(MEANS, (match["part"],), match["actions"]) if match else None
