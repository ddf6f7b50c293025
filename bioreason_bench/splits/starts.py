"""Who can start a path, by pool and in drawn order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import Draw
from bioreason_bench.splits.distractors import LARGE, Branches
from bioreason_bench.splits.paths import RelationPath
from bioreason_bench.taxonomy import SKILLS
from bioreason_bench.world.facts import World
from bioreason_bench.world.pools import scatter
from bioreason_bench.world.relations import CONTEXTUAL

__all__ = ["COMMUNITY", "HELDOUT", "OPEN", "POOLS", "Starts", "skill_of"]

OPEN, HELDOUT, COMMUNITY = "open", "heldout", "community"
POOLS = (OPEN, HELDOUT, COMMUNITY)
MAX_TRIED = 3_072  # starts of a pool that are tried for a path
TRIED = 8  # of them for each training question that a path has on average, where that is more
MAX_CACHED = 400_000_000  # bytes of starts and branches kept, whatever the size of the world


def skill_of(pattern: str) -> str:
    """The skill of a path: mem (all P), ctx (all C) or comp."""
    if "C" not in pattern:
        return "mem"
    return "comp" if "P" in pattern else "ctx"


@dataclass(frozen=True)
class Starts:
    """The people from whom a path's questions can start."""

    world: World
    draw: Draw
    _members: dict[RelationPath, dict[str, NDArray[np.int32]]] = field(
        default_factory=dict, repr=False
    )
    _branches: dict[RelationPath, Branches] = field(default_factory=dict, repr=False)
    _cached: dict[str, int] = field(default_factory=dict, repr=False)

    @cached_property
    def pools(self) -> dict[str, NDArray[np.int64]]:
        """The people of each pool, by id."""
        world = self.world
        words = self.draw.at("heldout").uniform(len(world.people))
        heldout = ~world.community & (words < world.config.heldout_starts)
        return {
            OPEN: np.flatnonzero(~world.community & ~heldout),
            HELDOUT: np.flatnonzero(heldout),
            COMMUNITY: np.flatnonzero(world.community),
        }

    def branches(self, path: RelationPath) -> Branches:
        """The alternatives of a path's hops, kept for the next call."""
        if path not in self._branches:
            world = self.world
            skill = skill_of(world.table.pattern(path))
            stream = self.draw.at("distractors")
            if len(world.people) < LARGE:  # larger ones keep nothing for everybody
                self._make_room(len(path) * len(world.people) // 8)
            self._branches[path] = Branches(world, path, skill, world.config.distractors, stream)
        return self._branches[path]

    @cached_property
    def most_tried(self) -> int:
        """How many starts of a pool are tried for a trained path."""
        config = self.world.config
        asked = [
            (config.skill(name).train + config.skill(name).rl) // max(1, config.skill(name).paths)
            for name in SKILLS
        ]
        return max(MAX_TRIED, TRIED * max(asked))

    def members(self, path: RelationPath, tried: int = 0) -> dict[str, NDArray[np.int32]]:
        """The valid starts of each pool, in an order drawn for this path.

        A start is valid if the path leads to an answer over people who are all different, with
        alternatives at every branch; and, with leak guards, if at least one read hop is not
        implied by memory.  Of a large pool the first `tried` people in drawn order are tried, by
        default `most_tried`; the first call for a path decides how many.
        """
        if path not in self._members:
            branches = self.branches(path)
            stream = self.draw.at("starts", *self.world.table.path_names(path))
            by_pool = {}
            for name, people in self.pools.items():
                drawn = _first_drawn(people, tried or self.most_tried, stream)
                valid = self._valid(branches, drawn)
                by_pool[name] = drawn[valid].astype(np.int32)
            self._make_room(4 * sum(map(len, by_pool.values())))
            self._members[path] = by_pool
        return self._members[path]

    def keep(self, members: Mapping[RelationPath, Mapping[str, NDArray[np.int32]]]) -> None:
        """Take these as what `members` returns: they were made before, for the same world."""
        self._members.update({path: dict(people) for path, people in members.items()})

    def _valid(self, branches: Branches, people: NDArray) -> NDArray[np.bool_]:
        """[people] True for valid starts; the costly checks come last, for few people."""
        world, path = self.world, branches.path
        valid = np.zeros(len(people), bool)
        enough = world.table.people_on(path) + branches.count + 1  # to fill up a context
        if branches.read and branches.count and branches.ready.sum() < enough:
            return valid
        rows = np.flatnonzero(branches.leads_on(0, people))
        if world.config.leak_guards and branches.read:
            rows = rows[~self._implied_throughout(path, branches.read, people[rows])]
        valid[rows] = branches.grow(people[rows]).valid
        return valid

    def _implied_throughout(
        self, path: RelationPath, read: list[int], starts: NDArray
    ) -> NDArray[np.bool_]:
        """[starts] True where every read hop is the mirror of a recalled fact."""
        walk = self.world.walk(path, starts)
        implied = np.ones(len(starts), bool)
        for hop in read:
            implied &= self.implied(path[hop], walk[:, hop], walk[:, hop + 1])
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

    def first(self, path: RelationPath, pool: str, count: int) -> NDArray[np.int32]:
        """The first `count` valid starts of a pool; questions take slices of it."""
        return self.members(path)[pool][:count]

    def _make_room(self, size: int) -> None:
        """Before `size` bytes are kept: beyond MAX_CACHED bytes in all, drop everything else."""
        self._cached["bytes"] = self._cached.get("bytes", 0) + size
        if self._cached["bytes"] > MAX_CACHED:
            self._members.clear()
            self._branches.clear()
            self._cached["bytes"] = size


def _first_drawn(people: NDArray, most: int, draw: Draw) -> NDArray[np.int64]:
    """The first `most` of the people in drawn order; of many people, without drawing for all."""
    most = min(most, len(people))
    if len(people) >= LARGE:
        return people[scatter(most, len(people), draw)]
    words = draw.words(people)  # all different
    ahead = np.argpartition(words, most - 1)[:most] if most else np.arange(0)
    return people[ahead[np.argsort(words[ahead])]]
