"""Who can distract in a context.

A *run* is a maximal stretch of contextual hops.  A run that follows a recalled hop must not be
found without recalling: distractors copy the whole run, so that each distracting person leads on
inside the context exactly as the gold person does.  If only the run's first person were copied,
the two biographies that hang together would give the answer away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.splits.paths import RelationPath
from bioreason_bench.world.facts import World
from bioreason_bench.world.relations import CONTEXTUAL

__all__ = ["Runs", "copied_run", "find_runs", "min_heads", "states_all"]


@dataclass(frozen=True)
class Runs:
    """The run of a path that distractors copy, for every person who could be at its head.

    Attributes:
        begin: Hop of the path that the run begins with.
        people: [people, length] the people whose biographies are read, one after the other.
        heads: [people] True where the run is complete and each of its members states all
            contextual relations of the path.
        status: [people] only runs of the same status (community, known or novel) distract from
            each other.
    """

    begin: int
    people: NDArray[np.int32]
    heads: NDArray[np.bool_]
    status: NDArray[np.int8]

    @property
    def length(self) -> int:
        return self.people.shape[1]

    def enough_heads(self, needed: int) -> NDArray[np.bool_]:
        """[statuses] True where at least `needed` runs of the status can be copied."""
        return np.bincount(self.status[self.heads], minlength=4) >= needed


def copied_run(pattern: str) -> tuple[int, int]:
    """(first hop, hops) of the run that distractors copy.

    It is the last run that a recalled hop leads into: (1, 2) in `PCC`.  A pattern without such a
    run gives the last person read: (0, 1) in `CP`.
    """
    if "PC" in pattern:
        begin = pattern.rindex("PC") + 1
        return begin, len(pattern[begin:].split("P")[0])
    return pattern.rindex("C"), 1


def find_runs(world: World, path: RelationPath) -> Runs:
    """The copied run of `path` from every person."""
    begin, length = copied_run(world.table.pattern(path))
    ready = states_all(world, path)
    people, heads = [np.arange(len(world.people), dtype=np.int32)], ready
    for relation in path[begin : begin + length - 1]:
        people.append(world.steps[relation, people[-1]])
        heads = np.logical_and(heads, ready[people[-1]] & (people[-1] >= 0), dtype=bool)
    status = 2 * world.community.astype(np.int8) + world.known
    return Runs(begin, np.stack(people, axis=1), heads, status)


def states_all(world: World, path: RelationPath) -> NDArray[np.bool_]:
    """[people] whose contextual biography states every contextual relation of the path."""
    asked = [relation for relation in path if world.table[relation].group == CONTEXTUAL]
    return world.in_context & np.all(world.steps[asked, :-1] >= 0, axis=0)


def min_heads(distractors: int, run_length: int, hops: int, chains: int = 1) -> int:
    """Heads that suffice to draw `distractors` disjoint runs that also avoid the gold chains.

    By the pigeonhole principle: each run drawn before the last one shares a person with at most
    `run_length ** 2` other runs, and each of the `hops + 1` entities of a chain is in at most
    `run_length` of them; one more head than that is always free.
    """
    return 1 + (distractors - 1) * run_length**2 + chains * (hops + 1) * run_length
