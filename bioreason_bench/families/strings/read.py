"""Traces read back into steps: for the grader, and to show a question step by step."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bioreason_bench.families.grading import gold_steps, steps_between
from bioreason_bench.families.strings.skills import ALPHABET
from bioreason_bench.family import Step

__all__ = ["read_steps", "steps_of"]

STRING = rf"[{ALPHABET}](?: [{ALPHABET}])*"
STEP = re.compile(
    r"y(?P<number>\d{1,3}) = (?P<word>[a-z]{2,12}) (?P<inputs>[xy]\d{0,3}(?: [xy]\d{0,3})?) = "
    rf"(?P<result>{STRING}|yes|no)"
)


def read_steps(trace: str) -> list[Step | None]:
    """The steps of a trace without its answer, in order; None for a sentence that is no step."""
    return steps_between(trace, " .", _read_step)


def steps_of(record: Mapping[str, Any]) -> list[Step]:
    """The steps of a question's gold trace."""
    return gold_steps(record, read_steps)


def _read_step(text: str) -> Step | None:
    match = STEP.fullmatch(text)
    if not match:
        return None
    inputs = tuple(match["inputs"].split(" "))
    return Step(match["word"], inputs, match["result"], f"y{match['number']}")
