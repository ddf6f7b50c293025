"""A model's answers for the page: a table of scores, and the answers to each question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bioreason_bench.evaluation.summary import by

__all__ = ["answers_by_question", "score_rows"]

VERDICT = ("exact_match", "process_verified", "first_error", "error_kind", "samples", "right")
SHOWN = ("model", "task", *VERDICT)
LONGEST = 4_000  # characters of a completion; the middle of a longer one is left out


def score_rows(answers: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Accuracy by model and task: model, task, value, low, high, questions."""
    return by(answers, "model", "task")


def answers_by_question(answers: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """By id of a question: model, task, the verdict, and what the model wrote, line by line."""
    found: dict[str, list[dict[str, Any]]] = {}
    for answer in answers:
        lines = _shortened(answer["completion"]).split("\n")
        shown = {**{name: answer[name] for name in SHOWN}, "completion": lines}
        found.setdefault(answer["id"], []).append(shown)
    return found


def _shortened(completion: str) -> str:
    """The completion without its middle, if it is long."""
    if len(completion) <= LONGEST:
        return completion
    half = LONGEST // 2
    left_out = len(completion) - 2 * half
    return f"{completion[:half]}\n[{left_out:,} characters]\n{completion[-half:]}"
