"""Scores of the solvers by config: shares of right answers with intervals, and chance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.reading.questions import File, ParsedQuestion
from bioreason_bench.audit.report import Scores
from bioreason_bench.audit.solvers.knowledge import Knowledge
from bioreason_bench.audit.solvers.solvers import LEGITIMATE, SOLVERS
from bioreason_bench.grading.answer import same_answer
from bioreason_bench.statistics import wilson_interval

__all__ = ["SolverResults", "SolverRun", "summarise"]

MARGIN = 0.03  # a shortcut may be better than chance by this much
SURE = 4.0  # standard errors: exceeded by luck once in 30,000 scores; a release has some 70


@dataclass(frozen=True)
class SolverResults:
    """The outcome of all solvers on the questions of one file, to be sent between processes.

    Attributes:
        file: The file.
        start: The start of each question, shape [questions].
        right: Shape [solvers, questions].
        chance: Shape [solvers, questions].
    """

    file: File
    start: NDArray[np.int64]
    right: NDArray[np.bool_]
    chance: NDArray[np.float64]


class SolverRun:
    """All solvers on the questions of one file."""

    def __init__(self, file: File, knowledge: Knowledge) -> None:
        self.file, self.knowledge = file, knowledge
        self.starts: list[int] = []
        self.right: dict[str, list[bool]] = {name: [] for name in SOLVERS}
        self.chance: dict[str, list[float]] = {name: [] for name in SOLVERS}

    def add(self, question: ParsedQuestion) -> None:
        """Solve a question; one that cannot be read is wrong for all solvers, the oracle too."""
        self.starts.append(question.start)
        texts = self.knowledge.release.texts
        for name, solver in SOLVERS.items():
            guess = solver(question, self.knowledge) if question.readable else None
            answer = texts[guess.answer] if guess and guess.answer >= 0 else ""
            self.right[name].append(same_answer(answer, question.record["answer"]))
            self.chance[name].append(guess.chance if guess else 0.0)

    def results(self) -> SolverResults:
        return SolverResults(
            self.file,
            np.array(self.starts, np.int64),
            np.array(list(self.right.values()), bool),
            np.array(list(self.chance.values()), np.float64),
        )


def summarise(results: Iterable[SolverResults], guarded: bool, ledger: Ledger) -> Scores:
    """Score every solver on every config, and check the laws of the oracle and of shortcuts.

    Args:
        results: The results of each file.
        guarded: Whether leak guards and distractors let the law of shortcuts apply.
        ledger: Where checks are counted.

    Returns:
        Questions, score, low, high, chance and shortcut by config and solver.
    """
    by_folder: dict[str, list[SolverResults]] = {}
    for result in results:
        if result.start.size:
            by_folder.setdefault(result.file.folder, []).append(result)
    scores: Scores = {}
    for folder, parts in by_folder.items():
        start = np.concatenate([part.start for part in parts])
        right = np.concatenate([part.right for part in parts], axis=1)
        chance = np.concatenate([part.chance for part in parts], axis=1)
        skill = folder.partition("/")[0]
        config = scores[folder.replace("/", "_")] = {}
        for number, name in enumerate(SOLVERS):
            shortcut = name != "oracle" and (skill, name) not in LEGITIMATE
            config[name] = _score(right[number], chance[number], start, shortcut)
            if name == "oracle":
                _check_oracle(folder, right[number], ledger)
            elif guarded and shortcut:
                _check_shortcut(folder, name, right[number], chance[number], start, ledger)
    return scores


def _score(
    right: NDArray[np.bool_], chance: NDArray[np.float64], start: NDArray[np.int64], shortcut: bool
) -> dict[str, Any]:
    low, high = wilson_interval(right, start)
    return {
        "questions": len(start),
        "score": round(float(right.mean()), 6),
        "low": round(low, 6),
        "high": round(high, 6),
        "chance": round(float(chance.mean()), 6),
        "shortcut": shortcut,
    }


def _check_oracle(folder: str, right: NDArray[np.bool_], ledger: Ledger) -> None:
    problem = f"it answers {right.mean():.1%} of the test questions; it must answer all"
    ledger.check_whole("oracle", f"data/{folder}", None if right.all() else problem)


def _check_shortcut(
    folder: str,
    name: str,
    right: NDArray[np.bool_],
    chance: NDArray[np.float64],
    start: NDArray[np.int64],
    ledger: Ledger,
) -> None:
    """A shortcut is at most MARGIN better than chance, unless the difference may be luck."""
    score, worth = float(right.mean()), float(chance.mean())
    above = score - worth > MARGIN and wilson_interval(right, start, SURE)[0] > worth
    problem = f"{name} answers {score:.1%} of the test questions, chance is {worth:.1%}"
    ledger.check_whole("shortcuts", f"data/{folder}", problem if above else None)
