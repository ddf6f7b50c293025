"""Bystanders: people who fill a context up to a length and have no part in its question.

A bystander states what the other biographies of the context state, shortened by the same rule, and
what is withheld from these is withheld from theirs.  Nobody to whom the question leads, rightly or
by a mistake at a branch, is a bystander:

    Who is the neighbor of Ann's boss?      Ann's boss is Bo; her classmate Cy is a distractor

    never bystanders: Ann, Bo, Cy, and the neighbors of Bo and of Cy

If Cy's neighbor could stand in the context and Bo's could not, then the lines would tell that Cy is
not meant.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import Draw, pack
from bioreason_bench.errors import UsageError
from bioreason_bench.splits.distractors import Branches, Tree

__all__ = ["bystanders", "people_led_to"]

NOBODY = -1


def people_led_to(branches: Branches, tree: Tree) -> NDArray[np.int32]:
    """Everybody to whom the questions lead, by right or wrong turns at the branches.

    Returns:
        [starts, people] ids, the same person perhaps several times; -1 for nobody.
    """
    world, path = branches.world, branches.path
    levels = list(tree.people)
    for hop in range(len(levels) - 1, world.table.people_on(path) - 1):
        following = [world.steps[path[hop], levels[-1]]]
        if hop in branches.hops:
            following.append(branches.alternatives(hop, levels[-1][:, 0])[1])
        levels.append(np.concatenate(following, axis=1))
    return np.concatenate(levels, axis=1).astype(np.int32)


def bystanders(
    branches: Branches, starts: NDArray, apart: NDArray, count: int, draw: Draw
) -> NDArray[np.int64]:
    """People drawn for each question from all who state what its path asks for.

    Args:
        branches: The path and its alternatives.
        starts: [questions] their starts.
        apart: [questions, people] who must not be drawn; -1 for nobody.
        count: How many to draw.
        draw: Decides who is drawn.

    Returns:
        [questions, count] ids, all different in a row.

    Raises:
        UsageError: There are fewer.
    """
    pool = np.flatnonzero(branches.ready)
    if len(pool) < count + apart.shape[1]:
        raise UsageError(
            f"context_tokens asks for contexts of about {count:,} people, and only {len(pool):,} "
            "state what they must state there; raise known or novel, or lower context_tokens"
        )
    drawn = np.empty((len(starts), count), np.int64)
    for row, (start, others) in enumerate(zip(starts.tolist(), apart, strict=True)):
        rank = draw.words(pack((start, 40), (pool, 24)))
        rank[np.isin(pool, others)] = np.iinfo(np.uint64).max
        first = np.argpartition(rank, count - 1)[:count] if count else np.empty(0, np.int64)
        drawn[row] = pool[first[np.argsort(rank[first], kind="stable")]]
    return drawn
