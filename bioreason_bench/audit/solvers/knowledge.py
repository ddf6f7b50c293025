"""What solvers may have learned: facts to recall, and training questions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.audit.reading.parser import NOT_STATED, ParsedRelease
from bioreason_bench.audit.reading.questions import ParsedQuestion, path_of
from bioreason_bench.audit.reading.training import TrainingExposure
from bioreason_bench.audit.solvers.cues import CUES
from bioreason_bench.audit.solvers.popularity import Popularity

__all__ = ["Guess", "Knowledge", "NearestNeighbour"]


@dataclass(frozen=True, slots=True)
class Guess:
    """An answer of a solver.

    Attributes:
        answer: Its number, NOT_STATED for none.
        chance: The expected score of guessing among the candidates that the solver sees.
    """

    answer: int
    chance: float


@dataclass(frozen=True)
class Knowledge:
    """What solvers may have learned.

    Attributes:
        release: The release, with its facts.
        exposure: The training questions of each skill.
        cues: The cue to pick a line of the context by, for (skill, solver).
        distractors: Alternatives that the config promises at each branch.
        popularity: Who was meant in the contexts of comp training.
        weights: Of the cues of `learned`; empty without training.
    """

    release: ParsedRelease
    exposure: Mapping[str, TrainingExposure]
    cues: Mapping[tuple[str, str], str] = field(default_factory=dict)
    distractors: int = 0
    popularity: Popularity | None = None
    weights: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    def cue(self, skill: str, solver: str) -> Callable[[ParsedQuestion, int], int]:
        """The cue to pick a line of the context by, the first of CUES without training."""
        return CUES[self.cues.get((skill, solver), next(iter(CUES)))]

    @cached_property
    def interchangeable(self) -> list[list[int]]:
        """For each relation those of its group that lead to the same kind of object."""
        rows = self.release.table.relations
        return [
            [n for n, other in enumerate(rows) if (other.group, other.object) == key]
            for key in ((row.group, row.object) for row in rows)
        ]

    @cached_property
    def majority_shares(self) -> list[float]:
        """The share of the commonest object of each relation: the score of the best constant."""
        shares = []
        for objects in self.release.facts:
            counts = np.unique(objects[objects >= 0], return_counts=True)[1]
            shares.append(float(counts.max() / counts.sum()) if len(counts) else 0.0)
        return shares

    @cached_property
    def majority_answers(self) -> dict[tuple[str, int], int]:
        """The commonest answer in training by (skill, last relation); skill "" for all together.

        Of equally common answers the one with the lowest number.
        """
        base = len(self.release.table)
        counts: dict[tuple[str, int], Counter[int]] = {}
        for skill, exposure in self.exposure.items():
            last = exposure.path % (base + 1) - 1  # the last digit of the path code
            answers = exposure.answers
            for relation in np.unique(last).tolist():
                count = Counter(answers[last == relation].tolist())
                counts[skill, relation] = count
                counts["", relation] = counts.get(("", relation), Counter()) + count
        return {key: _commonest(count) for key, count in counts.items()}

    @cached_property
    def neighbours(self) -> dict[str, NearestNeighbour]:
        """The training questions of each skill that has any, for look-up by similarity."""
        kinds = [relation.object for relation in self.release.table.relations]
        return {
            skill: NearestNeighbour(exposure, kinds)
            for skill, exposure in self.exposure.items()
            if len(exposure)
        }

    def prepare(self) -> None:
        """Compute everything now, so that processes forked later share it."""
        release = self.release
        _ = self.majority_shares, self.majority_answers, self.neighbours
        _ = release.rows, release.ids, release.mirrors
        _ = release.recalled_links, release.births, self.interchangeable

    def prior(self, question: ParsedQuestion) -> Guess:
        """The commonest answer in training to questions that end in the same relation.

        If there are none and the relation is parametric, its commonest object.
        """
        skill, last = question.record["skill"], question.path[-1]
        overall = self.majority_answers.get(("", last), NOT_STATED)
        answer = self.majority_answers.get((skill, last), overall)
        if answer == NOT_STATED and self.release.parametric[last]:
            objects = self.release.facts[last]
            values, counts = np.unique(objects[objects >= 0], return_counts=True)
            answer = int(values[counts.argmax()]) if len(values) else NOT_STATED
        return Guess(answer, self.majority_shares[last])


def _commonest(count: Counter[int]) -> int:
    return min(count, key=lambda answer: (-count[answer], answer))


class NearestNeighbour:
    """The training questions of one skill, for look-up by start and path.

    Args:
        exposure: The training questions.
        kinds: The kind of object of each relation, shape [relations].
    """

    def __init__(self, exposure: TrainingExposure, kinds: Sequence[str]) -> None:
        self.kinds = kinds
        self.paths = [path_of(code, len(kinds)) for code in exposure.paths]
        path_index: NDArray[np.int64] = np.searchsorted(exposure.paths, exposure.path)
        self.path_index: list[int] = path_index.tolist()  # of each question, in `paths`
        self.answers: list[int] = exposure.answers.tolist()  # of each question
        uses: Counter[int] = Counter()  # relation → training questions that use it
        for path, count in zip(self.paths, np.bincount(path_index).tolist(), strict=True):
            uses.update(dict.fromkeys(path, count))
        # rare relations count for more: log(1 + questions / questions with the relation)
        self.weight = {
            relation: float(np.log(1 + len(self.answers) / count))
            for relation, count in uses.items()
        }
        self.by_start: dict[int, list[int]] = {}
        for row, start in enumerate(exposure.start.tolist()):
            self.by_start.setdefault(start, []).append(row)
        self.last_of_path = {path: row for row, path in enumerate(self.path_index)}

    def nearest(self, start: int, path: tuple[int, ...]) -> int:
        """The answer of the most similar training question.

        Among the questions with the same start whose answer is of the kind asked for, the one
        that shares most of the path, by weight; if there are none, such a question of any start;
        if there are none either, one with the same start; NOT_STATED if there is none.
        """
        asked, kind = set(path), self.kinds[path[-1]]
        best, answer = (-1.0, -1.0), NOT_STATED
        for row in self.by_start.get(start, ()):
            other = self.paths[self.path_index[row]]
            score = float(self.kinds[other[-1]] == kind), self._overlap(other, asked)
            if score > best:
                best, answer = score, self.answers[row]
        if best[0] == 1:
            return answer
        same_kind = [
            index for index, other in enumerate(self.paths) if self.kinds[other[-1]] == kind
        ]
        if same_kind:
            index = max(same_kind, key=lambda index: self._overlap(self.paths[index], asked))
            answer = self.answers[self.last_of_path[index]]
        return answer

    def _overlap(self, path: tuple[int, ...], asked: set[int]) -> float:
        """The summed weight of the relations that a path shares with the one asked for."""
        return sum(self.weight[relation] for relation in path if relation in asked)
