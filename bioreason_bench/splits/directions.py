"""Facts of inverse pairs, one side of which training states."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import Draw
from bioreason_bench.errors import Shortage
from bioreason_bench.world.facts import World
from bioreason_bench.world.relations import PARAMETRIC

__all__ = ["Directions", "sample_directions"]


@dataclass(frozen=True)
class Directions:
    """Facts whose relation is parametric and whose inverse relation is contextual.

    Attributes:
        relation: [facts] the parametric relation.
        subject: [facts] its subject.
        inverse: Parametric relation -> its contextual inverse.
        keys: [facts] order keys.
    """

    relation: NDArray[np.int64]
    subject: NDArray[np.int64]
    inverse: dict[int, int]
    keys: NDArray[np.uint64]


def sample_directions(world: World, total: int, draw: Draw) -> Directions:
    """`total` drawn facts, spread evenly over the inverse pairs.

    Raises Shortage if there are too few.
    """
    rows = world.table.relations
    numbers = {row.name: number for number, row in enumerate(rows)}
    inverse = {
        number: numbers[row.inverse]
        for number, row in enumerate(rows)
        if row.group == PARAMETRIC
        and row.inverse in numbers
        and rows[numbers[row.inverse]].group != PARAMETRIC
    }
    subjects = {
        relation: draw.at(rows[relation].name).permutation(np.flatnonzero(world.stated(relation)))
        for relation in inverse
    }
    available = sum(map(len, subjects.values()))
    if available < total:
        raise Shortage(
            "mem.direction", "facts of inverse pairs", total, available, "lower mem.direction"
        )
    # one fact of each pair in turn: (0, boss), (0, child), (1, boss), (1, child), ...
    turns = sorted(
        (turn, relation)
        for relation, people in subjects.items()
        for turn in range(min(total, len(people)))
    )[:total]
    relation = np.array([relation for _, relation in turns], np.int64)
    subject = np.array([subjects[relation][turn] for turn, relation in turns], np.int64)
    keys = draw.at("order").words(relation * len(world.people) + subject)
    return Directions(relation, subject, inverse, keys)
