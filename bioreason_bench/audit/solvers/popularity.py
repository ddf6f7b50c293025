"""How often the people of training contexts are meant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.audit.reading.questions import ParsedQuestion

__all__ = ["PackedPopularity", "Popularity"]

PRIOR = 2.0  # contexts with the average share that are added to everybody's


# people who appeared, how often they did, and how often they were meant
PackedPopularity = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]


@dataclass
class Popularity:
    """How often people appear in training contexts, and how often they are on the chain there.

    Attributes:
        appeared: Contexts, shape [people].
        meant: Contexts in which the person is on the chain, shape [people].
        appearances: The sum of `appeared`.
        times_meant: The sum of `meant`.
    """

    appeared: NDArray[np.int64]
    meant: NDArray[np.int64]
    appearances: int = 0
    times_meant: int = 0

    @classmethod
    def empty(cls, people: int) -> Popularity:
        return cls(np.zeros(people, np.int64), np.zeros(people, np.int64))

    def count(self, question: ParsedQuestion) -> None:
        """Add the context of a training question."""
        on_chain = set(question.walk)
        for person in question.context.people:
            if person >= 0:
                self.appeared[person] += 1
                self.meant[person] += person in on_chain
                self.appearances += 1
                self.times_meant += person in on_chain

    def packed(self) -> PackedPopularity:
        """Those who appeared, of all people few in one file."""
        people = np.flatnonzero(self.appeared)
        appeared, meant = self.appeared[people], self.meant[people]
        return people.astype(np.int32), appeared.astype(np.int32), meant.astype(np.int32)

    def add(self, packed: PackedPopularity) -> None:
        people, appeared, meant = packed
        self.appeared[people] += appeared
        self.meant[people] += meant
        self.appearances += int(appeared.sum())
        self.times_meant += int(meant.sum())

    @property
    def average(self) -> float:
        """The share of all appearances in which the person is meant."""
        return self.times_meant / max(1, self.appearances)

    def share(self, meant: NDArray, appeared: NDArray) -> NDArray[np.float64]:
        """The share of appearances in which people are meant, drawn towards the average."""
        shares: NDArray[np.float64] = (meant + PRIOR * self.average) / (appeared + PRIOR)
        return shares
