"""What the training questions of a skill expose a model to, from the training files alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.audit.reading.parser import ParsedRelease
from bioreason_bench.audit.reading.questions import QuestionTable, path_of

__all__ = ["TrainingExposure", "pair_keys", "people_mask"]


@dataclass(frozen=True)
class TrainingExposure:
    """The training questions of one skill.

    Attributes:
        release: The release.
        tables: Its training files.
    """

    release: ParsedRelease
    tables: Sequence[QuestionTable]

    def column(self, name: str) -> NDArray[np.signedinteger]:
        """One column of all questions that can be read: start, path, hops or answer."""
        parts = [getattr(table, name)[table.path >= 0] for table in self.tables]
        return np.concatenate([np.empty(0, np.int8), *parts])

    def __len__(self) -> int:
        return sum(int((table.path >= 0).sum()) for table in self.tables)

    @cached_property
    def paths(self) -> NDArray[np.signedinteger]:
        """Distinct path codes, sorted."""
        return np.unique(self.column("path"))

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
        return np.unique(pair_keys(self.column("start"), self.column("path")))

    @cached_property
    def people(self) -> NDArray[np.bool_]:
        """Whether each person is on a training chain, shape [people]."""
        packed = np.zeros(-(-self.release.people // 8), np.uint8)
        for table in self.tables:
            packed |= table.people
        return np.unpackbits(packed, count=self.release.people).astype(bool)

    @cached_property
    def starts(self) -> NDArray[np.bool_]:
        """Whether each person is the start of a training question, shape [people]."""
        starts = np.zeros(self.release.people, bool)
        starts[self.column("start")] = True
        return starts

    @cached_property
    def longest(self) -> int:
        """The hops of the longest training path."""
        return int(self.column("hops").max(initial=0))


def pair_keys(
    start: NDArray[np.signedinteger], path: NDArray[np.signedinteger]
) -> NDArray[np.uint64]:
    """A 64-bit key for each (start, path): the path code, mixed over all bits, plus the start."""
    mixed = path.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return mixed + start.astype(np.uint64)


def people_mask(release: ParsedRelease, walk: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Whether each entity of the walks is a person, shape [rows, WIDTH]."""
    return (walk >= 0) & (walk < release.people)
