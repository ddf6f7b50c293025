"""What the training questions of a skill expose a model to, from the training files alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.audit.reading.parser import ParsedRelease
from bioreason_bench.audit.reading.questions import WIDTH, QuestionTable, path_of

__all__ = ["TrainingExposure", "pair_keys", "people_mask"]


@dataclass(frozen=True)
class TrainingExposure:
    """The training questions of one skill.

    Attributes:
        release: The release.
        start: People, shape [questions].
        path: Path codes, shape [questions].
        walk: Start and objects, shape [questions, WIDTH].
        hops: Shape [questions].
    """

    release: ParsedRelease
    start: NDArray[np.int32]
    path: NDArray[np.int64]
    walk: NDArray[np.int32]
    hops: NDArray[np.int64]

    @classmethod
    def collect(cls, release: ParsedRelease, files: Iterable[QuestionTable]) -> TrainingExposure:
        """Join the training files of a skill, leaving out questions that cannot be read."""
        parts = [(table, table.path >= 0) for table in files]
        return cls(
            release,
            start=np.concatenate([np.empty(0, np.int32), *(t.start[read] for t, read in parts)]),
            path=np.concatenate([np.empty(0, np.int64), *(t.path[read] for t, read in parts)]),
            walk=np.concatenate(
                [np.empty((0, WIDTH), np.int32), *(t.walk[read] for t, read in parts)]
            ),
            hops=np.concatenate([np.empty(0, np.int64), *(t.hops[read] for t, read in parts)]),
        )

    def __len__(self) -> int:
        return len(self.start)

    @cached_property
    def paths(self) -> NDArray[np.int64]:
        """Distinct path codes, sorted."""
        return np.unique(self.path)

    @cached_property
    def relations(self) -> set[int]:
        """The relations of the training paths."""
        base = len(self.release.table)
        return {relation for code in self.paths for relation in path_of(code, base)}

    @cached_property
    def pairs(self) -> set[tuple[int, int]]:
        """The ordered pairs of relations that are adjacent on a training path."""
        base = len(self.release.table)
        return {pair for code in self.paths for pair in pairwise(path_of(code, base))}

    @cached_property
    def questions(self) -> NDArray[np.uint64]:
        """Distinct `pair_keys` of the training questions, sorted."""
        return np.unique(pair_keys(self.start, self.path))

    @cached_property
    def people(self) -> NDArray[np.bool_]:
        """Whether each person is on a training chain, shape [people]."""
        people = np.zeros(self.release.people, bool)
        people[self.walk[people_mask(self.release, self.walk)]] = True
        return people

    @cached_property
    def starts(self) -> NDArray[np.bool_]:
        """Whether each person is the start of a training question, shape [people]."""
        starts = np.zeros(self.release.people, bool)
        starts[self.start] = True
        return starts

    @property
    def longest(self) -> int:
        """The hops of the longest training path."""
        return int(self.hops.max(initial=0))

    @property
    def answers(self) -> NDArray[np.int32]:
        """The answer of each question, shape [questions]."""
        return self.walk[np.arange(len(self)), self.hops]


def pair_keys(start: NDArray[np.int32], path: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A 64-bit key for each (start, path): the path code, mixed over all bits, plus the start."""
    mixed = path.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return mixed + start.astype(np.uint64)


def people_mask(release: ParsedRelease, walk: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Whether each entity of the walks is a person, shape [rows, WIDTH]."""
    return (walk >= 0) & (walk < release.people)
