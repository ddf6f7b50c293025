"""What training has shown of a skill, from its training files alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.audit.reading.evidence import Evidence
from bioreason_bench.audit.reading.questions import Rows, path_of

__all__ = ["Shown", "chain_people", "pairs"]


@dataclass(frozen=True)
class Shown:
    """The training questions of one skill, as arrays over them."""

    evidence: Evidence
    start: NDArray[np.int32]
    path: NDArray[np.int64]
    walk: NDArray[np.int32]
    hops: NDArray[np.int64]

    @classmethod
    def collect(cls, evidence: Evidence, files: Iterable[Rows]) -> Shown:
        """From the rows of the training files; questions that could not be read show nothing."""
        parts = [(rows, rows.path >= 0) for rows in files]
        if not parts:
            return cls(
                evidence,
                np.empty(0, np.int32),
                np.empty(0, np.int64),
                np.empty((0, 9), np.int32),
                np.empty(0, np.int64),
            )
        return cls(
            evidence,
            *(
                np.concatenate([getattr(rows, name)[read] for rows, read in parts])
                for name in ("start", "path", "walk", "hops")
            ),
        )

    @cached_property
    def paths(self) -> NDArray[np.int64]:
        """Distinct path codes, sorted."""
        return np.unique(self.path)

    @cached_property
    def relations(self) -> set[int]:
        """Relations that stand in a training path."""
        return {
            relation for code in self.paths for relation in path_of(code, len(self.evidence.table))
        }

    @cached_property
    def asked(self) -> NDArray[np.uint64]:
        """(start, path) of every training question, as sorted hashes."""
        return np.unique(pairs(self.start, self.path))

    @cached_property
    def met(self) -> NDArray[np.bool_]:
        """[people] who stand on a chain."""
        met = np.zeros(self.evidence.people, bool)
        met[self.walk[(self.walk >= 0) & (self.walk < self.evidence.people)]] = True
        return met

    @cached_property
    def starts(self) -> NDArray[np.bool_]:
        """[people] who begin a question."""
        starts = np.zeros(self.evidence.people, bool)
        starts[self.start] = True
        return starts

    @property
    def longest(self) -> int:
        return int(self.hops.max(initial=0))


def pairs(start: NDArray, path: NDArray) -> NDArray[np.uint64]:
    """One 64-bit number for each (start, path)."""
    mixed = path.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9) + start.astype(
        np.uint64
    )


def chain_people(evidence: Evidence, walk: NDArray) -> NDArray[np.bool_]:
    """[rows, WIDTH] where a person stands on the chain."""
    return (walk >= 0) & (walk < evidence.people)
