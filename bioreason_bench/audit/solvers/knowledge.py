"""What solvers may have learned: facts to recall, and training questions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
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

MASK = 0xFFFFFFFF  # the 32 bits of an answer


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
    def majority_objects(self) -> list[tuple[int, float]]:
        """The commonest object of each relation, NOT_STATED if it has none; and its share of all:
        the score of the best constant.
        """
        found = []
        for objects in self.release.facts:
            values, counts = np.unique(objects[objects >= 0], return_counts=True)
            if len(values):
                found.append((int(values[counts.argmax()]), float(counts.max() / counts.sum())))
            else:
                found.append((NOT_STATED, 0.0))
        return found

    @cached_property
    def majority_answers(self) -> dict[tuple[str, int], int]:
        """The commonest answer in training by (skill, last relation); skill "" for all together.

        Of equally common answers the one with the lowest number.
        """
        base = len(self.release.table)
        found: dict[tuple[str, int], int] = {}
        pairs: list[NDArray[np.int64]] = []  # (last relation, answer) as one number
        for skill, exposure in self.exposure.items():
            last = exposure.column("path").astype(np.int64) % (base + 1) - 1  # the last digit
            pairs.append(last << 32 | exposure.column("answer").astype(np.int64) & MASK)
            found |= {(skill, relation): answer for relation, answer in _commonest(pairs[-1])}
        together = np.concatenate([np.empty(0, np.int64), *pairs])
        return found | {("", relation): answer for relation, answer in _commonest(together)}

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
        _ = self.majority_objects, self.majority_answers, self.neighbours, self.interchangeable
        _ = release.rows, release.mirrors, release.contextual, release.births

    def prior(self, question: ParsedQuestion) -> Guess:
        """The commonest answer in training to questions that end in the same relation.

        If there are none and the relation is parametric, its commonest object.
        """
        skill, last = question.record["skill"], question.path[-1]
        overall = self.majority_answers.get(("", last), NOT_STATED)
        answer = self.majority_answers.get((skill, last), overall)
        commonest, share = self.majority_objects[last]
        if answer == NOT_STATED and self.release.parametric[last]:
            answer = commonest
        return Guess(answer, share)


def _commonest(pairs: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """(relation, commonest answer) of numbers that hold both; the lowest of equally common ones."""
    values, counts = np.unique(pairs, return_counts=True)
    relations = values >> 32
    for relation in np.unique(relations).tolist():
        begin, end = np.searchsorted(relations, (relation, relation + 1))
        best = begin + int(counts[begin:end].argmax())
        yield relation, int(values[best : best + 1].astype(np.int32)[0])  # its last 32 bits


class NearestNeighbour:
    """The training questions of one skill, for look-up by start and path.

    Args:
        exposure: The training questions.
        kinds: The kind of object of each relation, shape [relations].
    """

    def __init__(self, exposure: TrainingExposure, kinds: Sequence[str]) -> None:
        self.kinds = kinds
        self.paths = [path_of(code, len(kinds)) for code in exposure.paths]
        index = np.searchsorted(exposure.paths, exposure.column("path"))
        uses: Counter[int] = Counter()  # relation → training questions that use it
        for path, count in zip(self.paths, np.bincount(index).tolist(), strict=True):
            uses.update(dict.fromkeys(path, count))
        # rare relations count for more: log(1 + questions / questions with the relation)
        self.weight = {
            relation: float(np.log(1 + len(index) / count)) for relation, count in uses.items()
        }
        answers, start = exposure.column("answer"), exposure.column("start")
        last_answer = np.zeros(len(self.paths), np.int32)  # of each path
        last_answer[index] = answers
        self.last_answer: list[int] = last_answer.tolist()
        order = np.argsort(start, kind="stable")
        # the questions of person k are those from first[k] to first[k + 1]
        self.first = np.searchsorted(start[order], np.arange(exposure.release.people + 1))
        self.path_index, self.answers = index[order].astype(np.int32), answers[order]
        self._without_start: dict[tuple[int, ...], int] = {}

    def nearest(self, start: int, path: tuple[int, ...]) -> int:
        """The answer of the most similar training question.

        Among the questions with the same start whose answer is of the kind asked for, the one
        that shares most of the path, by weight; if there are none, such a question of any start;
        if there are none either, one with the same start; NOT_STATED if there is none.
        """
        asked, kind = set(path), self.kinds[path[-1]]
        best, answer = (-1.0, -1.0), NOT_STATED
        known = 0 <= start < len(self.first) - 1
        rows = slice(*self.first[start : start + 2].tolist()) if known else slice(0)
        pairs = zip(self.path_index[rows].tolist(), self.answers[rows].tolist(), strict=True)
        for index, reached in pairs:
            other = self.paths[index]
            score = float(self.kinds[other[-1]] == kind), self._overlap(other, asked)
            if score > best:
                best, answer = score, reached
        if best[0] == 1:
            return answer
        if path not in self._without_start:
            self._without_start[path] = self._nearest_of_any(asked, kind)
        elsewhere = self._without_start[path]
        return elsewhere if elsewhere != NOT_STATED else answer

    def _nearest_of_any(self, asked: set[int], kind: str) -> int:
        """The answer of the most similar question of any start; NOT_STATED without one."""
        same_kind = [n for n, other in enumerate(self.paths) if self.kinds[other[-1]] == kind]
        if not same_kind:
            return NOT_STATED
        return self.last_answer[
            max(same_kind, key=lambda index: self._overlap(self.paths[index], asked))
        ]

    def _overlap(self, path: tuple[int, ...], asked: set[int]) -> float:
        """The summed weight of the relations that a path shares with the one asked for."""
        return sum(self.weight[relation] for relation in path if relation in asked)
