"""Who could be meant at every position of a path, for contexts that state all of its facts.

Where a context leaves out what is to be recalled, only people behind a branch can be mistaken for
the gold person (splits/distractors.py).  In an open book everything is stated, so somebody else
must be possible at every position but the start, which the question names:

    What was the pet of Ann's neighbor?         pattern CP, 3 distractors

    position   0      1                             the answer
    gold       Ann    Bo (her neighbor)             a cat
    others            Cy, Di, Ed (her rival, ...)   a dog, an owl, a carp
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.splits.distractors import Branches

__all__ = ["Level", "candidates"]

NEVER = np.uint64(2**64 - 1)  # the rank of somebody who cannot be meant


class Level(NamedTuple):
    """Who could be meant at one position.

    Attributes:
        people: [questions, candidates] person ids, the gold person first, then others, each once;
            -1 for nobody.
        before: [questions, candidates] the person from whom the path, or a wrong turn, leads to
            them; -1 for nobody.
    """

    people: NDArray[np.int32]
    before: NDArray[np.int32]


def candidates(branches: Branches, starts: NDArray) -> list[Level]:
    """Who could be meant at each position that a hop starts from.

    Up to the last hop that is read they are those of `Branches.grow`.  From there on they are the
    objects of everybody so far, and the people to whom the gold person is related in other ways: as
    many as the config has distractors, or as there are.

    Args:
        branches: The alternatives of the path.
        starts: [questions] valid starts.

    Returns:
        The people of each position.
    """
    world, path = branches.world, branches.path
    walk = world.walk(path, starts)
    levels = list(branches.grow(starts).people)
    for hop in range(len(levels) - 1, len(path) - 1):
        objects = world.steps[path[hop], levels[-1]]
        if branches.pattern[hop] == "C":
            _, others = branches.alternatives(hop, walk[:, hop])
        else:
            others = _otherwise_related(branches, hop, walk)
        people = np.concatenate([objects, others], axis=1).astype(np.int32)
        levels.append(_distinct(branches, hop + 1, people, walk))
    return [
        Level(level, _before(level, levels[position - 1] if position else None))
        for position, level in enumerate(levels)
    ]


def _before(level: NDArray[np.int32], previous: NDArray[np.int32] | None) -> NDArray[np.int32]:
    """[questions, candidates] the person before each one.

    The first columns are the objects of everybody at the position before, the others the people to
    whom the gold person there is related otherwise.
    """
    if previous is None:
        return np.full(level.shape, -1, np.int32)
    more = level.shape[1] - previous.shape[1]
    return np.concatenate([previous, np.repeat(previous[:, :1], more, axis=1)], axis=1)


def _otherwise_related(branches: Branches, hop: int, walk: NDArray) -> NDArray[np.int32]:
    """[questions, count] people to whom the gold person at a recalled hop is related otherwise.

    They have the next relation, their ages would allow that of the hop, and they are not on the
    chain.  Relations that the path does not ask for come first.
    """
    world, path, table = branches.world, branches.path, branches.world.table
    people = walk[:, hop]
    others = np.array(
        [
            number
            for number, row in enumerate(table.relations)
            if row.to_person and row.group == table[path[hop]].group and number != path[hop]
        ],
        np.int64,
    )
    if not len(others) or not branches.count:
        return np.empty((len(walk), 0), np.int32)
    targets = world.steps[others[:, None], people].T  # [questions, others]
    good = world.steps[path[hop + 1], targets] >= 0
    good &= ~_on_chain(branches, targets, walk)
    if any(row.date == "birth" for row in table.relations):  # otherwise nobody's age is known
        good &= branches.plausible(hop, people, targets)
    slots = people[:, None].astype(np.uint64) * np.uint64(len(table)) + others.astype(np.uint64)
    rank = branches.draw.at("otherwise related", hop, *table.path_names(path)).words(slots)
    rank = (rank >> np.uint64(2)) | (np.isin(others, path).astype(np.uint64) << np.uint64(62))
    rank = np.where(good, rank, NEVER)
    order = np.argsort(rank, axis=1, kind="stable")[:, : branches.count]
    taken = np.take_along_axis(rank, order, axis=1) != NEVER
    return np.where(taken, np.take_along_axis(targets, order, axis=1), -1).astype(np.int32)


def _on_chain(branches: Branches, people: NDArray, walk: NDArray) -> NDArray[np.bool_]:
    """Whether each person of a question, [questions, people], is on its gold chain."""
    gold = walk[:, : branches.world.table.people_on(branches.path)]
    return np.any(people[:, :, None] == gold[:, None, :], axis=2)


def _distinct(
    branches: Branches, position: int, people: NDArray[np.int32], walk: NDArray
) -> NDArray[np.int32]:
    """The people of a position without those who are there twice or lead to no answer."""
    able = branches.world.steps[branches.path[position], people] >= 0
    able &= ~_on_chain(branches, people, walk)
    able[:, 0] = True  # the gold person
    for column in range(1, people.shape[1]):
        able[:, column] &= ~np.any(people[:, :column] == people[:, column, None], axis=1)
    return np.where(able, people, -1)
