"""Cues to pick one line of a context by; a trace of the sampling makes one of them pay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from bioreason_bench.audit.reading.questions import ParsedQuestion

__all__ = ["CUES", "POSITION_CUES", "best_cues"]


def _mentions(question: ParsedQuestion, line: int) -> int:
    """How often the context mentions the person of a line."""
    return question.context.mentions(question.context.people[line])


def _start_line(question: ParsedQuestion) -> int:
    """The line of the start, 0 if it has none."""
    people = question.context.people
    return people.index(question.start) if question.start in people else 0


CUES: dict[str, Callable[[ParsedQuestion, int], int]] = {
    "first": lambda _, line: -line,
    "last": lambda _, line: line,
    "longest": lambda question, line: question.context.sizes[line],
    "shortest": lambda question, line: -question.context.sizes[line],
    "mentioned": _mentions,
    "unmentioned": lambda question, line: -_mentions(question, line),
    "near the start": lambda question, line: -abs(line - _start_line(question)),
    "far from the start": lambda question, line: abs(line - _start_line(question)),
}
POSITION_CUES = ("first", "last", "longest", "shortest")  # they need no facts about people


def best_cues(counts: Iterable[Counter]) -> dict[tuple[str, str], str]:
    """The cue that was right most often, by (skill, solver); the first in CUES of equal ones."""
    total: Counter = Counter()
    for hits in counts:
        total.update(hits)
    order = list(CUES)
    best: dict[tuple[str, str], str] = {}
    ranked = sorted(total, key=lambda key: (key[:2], -total[key], order.index(key[2])))
    for skill, solver, cue in ranked:
        best.setdefault((skill, solver), cue)
    return best
