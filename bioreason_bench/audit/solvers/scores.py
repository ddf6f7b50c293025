"""Scores of the solvers by config: shares of right answers with intervals, and chance.

A solver is scored on the questions that leave it a choice: the others it answers properly, or not
at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.reading.links import last_recalled_branch
from bioreason_bench.audit.reading.parser import NOT_STATED
from bioreason_bench.audit.reading.questions import File, ParsedQuestion
from bioreason_bench.audit.report import Scores
from bioreason_bench.audit.solvers.blind import BLIND_AT, Walks, answer_blindly
from bioreason_bench.audit.solvers.choices import CHOOSERS, choose
from bioreason_bench.audit.solvers.knowledge import Guess, Knowledge
from bioreason_bench.audit.solvers.mutual import MUTUAL, choose_by_names
from bioreason_bench.audit.solvers.open_book import open_book_guesses
from bioreason_bench.audit.solvers.solvers import LEGITIMATE, SOLVERS, oracle
from bioreason_bench.grading.answer import same_answer
from bioreason_bench.statistics import luck_bound, wilson_interval
from bioreason_bench.taxonomy import LEVELS

__all__ = ["SolverResults", "SolverRun", "summarise"]

NAMES = (*SOLVERS, *BLIND_AT, *CHOOSERS, *MUTUAL)
READERS = ("context_only", "last_relation", "linked")  # they give answers that the context states
MARGIN = 0.03  # a shortcut may be better than chance by this much
LUCK = 1 / 30_000  # a difference less likely than this is none of luck; a release has some 110


@dataclass(frozen=True)
class SolverResults:
    """The outcome of all solvers on the questions of one file, to be sent between processes.

    Attributes:
        file: The file.
        start: The start of each question, shape [questions].
        right: Shape [solvers, questions].
        chance: NaN where a solver has no choice to make; shape [solvers, questions].
    """

    file: File
    start: NDArray[np.int64]
    right: NDArray[np.bool_]
    chance: NDArray[np.float64]


class SolverRun:
    """All solvers on the questions of one file."""

    def __init__(self, file: File, knowledge: Knowledge, missing: str | None = None) -> None:
        """Start on a file.

        Args:
            file: The file.
            knowledge: What solvers may use.
            missing: The answer to questions whose context leaves it out; None if none does.
        """
        self.file, self.knowledge, self.missing = file, knowledge, missing
        self.composing = file.skill == "comp" and file.level in LEVELS
        self.starts: list[int] = []
        self.right: dict[str, list[bool]] = {name: [] for name in NAMES}
        self.chance: dict[str, list[float]] = {name: [] for name in NAMES}

    def add(self, question: ParsedQuestion) -> None:
        """Solve a question; one that cannot be read is wrong for the oracle."""
        self.starts.append(question.start)
        texts, answer = self.knowledge.release.texts, question.record["answer"]
        guesses: dict[str, Guess | None] = {"oracle": Guess(NOT_STATED, 0.0)}
        if question.readable:
            guesses = self._guesses(question)
        for name in NAMES:
            guess = guesses.get(name)
            text = texts[guess.answer] if guess and guess.answer >= 0 else self.missing or ""
            self.right[name].append(bool(guess) and same_answer(text, answer))
            self.chance[name].append(guess.chance if guess else np.nan)

    def results(self) -> SolverResults:
        return SolverResults(
            self.file,
            np.array(self.starts, np.int64),
            np.array(list(self.right.values()), bool),
            np.array(list(self.chance.values()), np.float64),
        )

    def _guesses(self, question: ParsedQuestion) -> dict[str, Guess | None]:
        """The guess of each solver, None or none at all where it has no choice to make."""
        knowledge = self.knowledge
        if self.missing:  # other solvers never say that they do not know
            return {"oracle": oracle(question, knowledge)}
        if self.file.open_book:
            return open_book_guesses(question, knowledge)
        guesses: dict[str, Guess | None] = {
            name: solver(question, knowledge) for name, solver in SOLVERS.items()
        }
        if self.file.skill == "mem" or self.file.level not in LEVELS:
            return guesses
        walks = Walks(question, knowledge)
        for name, mutual in MUTUAL.items():
            guesses[name] = choose_by_names(walks, mutual)
        if not self.composing:
            return guesses
        if walks.pattern.endswith("P"):
            guesses |= dict.fromkeys(READERS)  # they have read no answer that they could give
        elif (guess := guesses["context_only"]) and knowledge.distractors:
            chance = walks.chance(last_recalled_branch(walks.pattern))
            guesses["context_only"] = Guess(guess.answer, chance)
        for name, blind in BLIND_AT.items():
            guesses[name] = answer_blindly(walks, blind(walks))
        for name, chooser in CHOOSERS.items():
            guesses[name] = choose(walks, chooser)
        return guesses


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
        for number, name in enumerate(NAMES):
            chosen = ~np.isnan(chance[number])
            if not chosen.any():
                continue
            verdicts = Verdicts(right[number, chosen], chance[number, chosen], start[chosen])
            shortcut = name != "oracle" and (skill, name) not in LEGITIMATE
            config[name] = verdicts.score(shortcut)
            if name == "oracle":
                _check_oracle(folder, verdicts.right, ledger)
            elif guarded and shortcut:
                _check_shortcut(folder, name, verdicts, ledger)
    return scores


@dataclass(frozen=True)
class Verdicts:
    """One solver on the questions of a config in which it has a choice to make.

    Attributes:
        right: Shape [questions].
        chance: Shape [questions].
        start: Shape [questions].
    """

    right: NDArray[np.bool_]
    chance: NDArray[np.float64]
    start: NDArray[np.int64]

    def score(self, shortcut: bool) -> dict[str, Any]:
        """The entry of audit.json."""
        low, high = wilson_interval(self.right, self.start)
        return {
            "questions": len(self.start),
            "score": round(float(self.right.mean()), 6),
            "low": round(low, 6),
            "high": round(high, 6),
            "chance": round(float(self.chance.mean()), 6),
            "shortcut": shortcut,
        }


def _check_oracle(folder: str, right: NDArray[np.bool_], ledger: Ledger) -> None:
    problem = f"it answers {right.mean():.1%} of the test questions; it must answer all"
    ledger.check_whole("oracle", f"data/{folder}", None if right.all() else problem)


def _check_shortcut(folder: str, name: str, verdicts: Verdicts, ledger: Ledger) -> None:
    """A shortcut is at most MARGIN better than chance, unless the difference may be luck."""
    score, chance = float(verdicts.right.mean()), float(verdicts.chance.mean())
    guess = min(max(chance, 1e-6), 1 - 1e-6)
    sure = luck_bound(verdicts.right, verdicts.start, guess) < LUCK
    problem = (
        f"{name} answers {score:.1%} of the {len(verdicts.start):,} test questions that leave it "
        f"a choice, chance is {chance:.1%}"
    )
    above = score - chance > MARGIN and sure
    ledger.check_whole("shortcuts", f"data/{folder}", problem if above else None)
