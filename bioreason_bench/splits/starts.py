"""Who can start a path, by pool and in drawn order."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import Draw
from bioreason_bench.splits.distractors import find_runs, min_heads, states_all
from bioreason_bench.splits.paths import RelationPath
from bioreason_bench.world.facts import World
from bioreason_bench.world.relations import CONTEXTUAL

__all__ = ["COMMUNITY", "HELDOUT", "OPEN", "POOLS", "Starts"]

OPEN, HELDOUT, COMMUNITY = "open", "heldout", "community"
POOLS = (OPEN, HELDOUT, COMMUNITY)
MAX_CACHED = 50_000_000  # start ids kept in memory: the cache does not grow with the world

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True)
class Starts:
    """The people from whom a path's questions can start."""

    world: World
    draw: Draw
    _members: dict[RelationPath, dict[str, NDArray[np.int32]]] = field(
        default_factory=dict, repr=False
    )
    _first: dict[tuple[RelationPath, str], NDArray[np.int32]] = field(
        default_factory=dict, repr=False
    )
    _cached: dict[str, int] = field(default_factory=dict, repr=False)

    @cached_property
    def pool(self) -> NDArray[np.int8]:
        """[people] the pool that each person belongs to, as an index into POOLS."""
        world = self.world
        words = self.draw.at("heldout").uniform(len(world.people))
        heldout = words < world.config.heldout_starts
        return np.where(world.community, 2, heldout).astype(np.int8)

    def valid(self, path: RelationPath) -> NDArray[np.int64]:
        """People from whom the path leads to an answer, over people who are all different.

        Where a context is shortened or has distractors, everyone read about must state every
        contextual relation of the path.  With leak guards, at least one read hop must not be
        implied by memory alone.
        """
        world, config = self.world, self.world.config
        places = world.walk_columns(path, np.arange(len(world.people)))
        arrived = np.flatnonzero(places[-1] >= 0)
        places = [column[arrived] for column in places]
        good = np.ones(len(arrived), bool)
        for earlier, later in combinations(places[: world.table.people_on(path)], 2):
            good &= earlier != later
        read = [hop for hop, number in enumerate(path) if world.table[number].group == CONTEXTUAL]
        if not read:
            return arrived[good]
        if config.distractors or config.context_facts:
            ready = states_all(world, path)
            for hop in read:
                good &= ready[places[hop]]
        if config.distractors:
            runs = find_runs(world, path)
            enough = runs.enough_heads(min_heads(config.distractors, runs.length, len(path)))
            good &= enough[runs.status[places[runs.begin]]]
        if config.leak_guards:
            good &= ~self._implied_throughout(path, read, places)
        return arrived[good]

    def _implied_throughout(
        self, path: RelationPath, read: list[int], places: list[NDArray[np.int32]]
    ) -> NDArray[np.bool_]:
        """[starts] True where every read hop is the mirror of a recalled fact."""
        implied = np.ones(len(places[0]), bool)
        for hop in read:
            implied &= self.implied(path[hop], places[hop], places[hop + 1])
        return implied

    def implied(self, relation: int, subjects: NDArray, objects: NDArray) -> NDArray[np.bool_]:
        """[subjects] True where a parametric biography states the mirror of a contextual fact.

        A model that knows "Ann's child was Bo" knows who Bo's parent is, if it can reverse facts.
        """
        inverse = self._parametric_inverse[relation]
        if inverse < 0:
            return np.zeros(len(subjects), bool)
        mirrored: NDArray[np.bool_] = self.world.steps[inverse, objects] == subjects
        return mirrored

    @cached_property
    def _parametric_inverse(self) -> list[int]:
        """The number of the parametric inverse of each contextual relation; -1 for all others."""
        rows = self.world.table.relations
        parametric = {row.name: n for n, row in enumerate(rows) if row.group != CONTEXTUAL}
        return [parametric.get(row.inverse, -1) if row.group == CONTEXTUAL else -1 for row in rows]

    def members(self, path: RelationPath) -> dict[str, NDArray[np.int32]]:
        """The valid starts of each pool, by id."""
        if path not in self._members:
            starts = self.valid(path)
            pool = self.pool[starts]
            by_pool = {
                name: starts[pool == number].astype(np.int32) for number, name in enumerate(POOLS)
            }
            self._cache(self._members, path, by_pool, len(starts))
        return self._members[path]

    def first(self, path: RelationPath, pool: str, count: int) -> NDArray[np.int32]:
        """The first `count` starts of a pool, in an order drawn for this path.

        Questions take slices of it.
        """
        if not count:
            return np.empty(0, np.int32)
        if len(self._first.get((path, pool), ())) < count:
            starts = self.members(path)[pool]
            stream = self.draw.at("starts", *self.world.table.path_names(path))
            words = stream.words(starts)  # all different
            if count < len(words):
                ahead = np.argpartition(words, count - 1)[:count]
            else:
                ahead = np.arange(len(words))
            self._cache(self._first, (path, pool), starts[ahead[np.argsort(words[ahead])]], count)
        return self._first[path, pool][:count]

    def _cache(self, cache: dict[Key, Value], key: Key, value: Value, size: int) -> None:
        """Keep a value of `size` ids; beyond MAX_CACHED ids in all, drop everything else first."""
        self._cached["ids"] = self._cached.get("ids", 0) + size
        if self._cached["ids"] > MAX_CACHED:
            self._members.clear()
            self._first.clear()
            self._cached["ids"] = size
        cache[key] = value
