"""Who can start a path, by pool and in drawn order, and who can distract from it (DESIGN sections 6 and 7)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import Draw
from bioreason_bench.splits.paths import Path
from bioreason_bench.world.facts import World
from bioreason_bench.world.relations import CONTEXTUAL

OPEN, HELDOUT, COMMUNITY = "open", "heldout", "community"
POOLS = (OPEN, HELDOUT, COMMUNITY)
REMEMBERED = 50_000_000  # start ids at most: what is remembered does not grow with the world


@dataclass(frozen=True)
class Runs:
    """What distractors copy of a path: a stretch of contextual hops, for every person who could stand at its head."""

    begin: int  # hop of the path that the run begins with
    people: NDArray[np.int32]  # [people, length] who is read about, one after the other
    heads: NDArray[
        np.bool_
    ]  # [people] whose run is complete, every member stating all contextual relations of the path
    kind: NDArray[
        np.int8
    ]  # [people] only a run of the same kind as the one meant (circle, known or novel) distracts from it

    @property
    def length(self) -> int:
        return self.people.shape[1]


@dataclass(frozen=True)
class Starts:
    """The people from whom a path's questions can start."""

    world: World
    draw: Draw
    _members: dict[Path, dict[str, NDArray[np.int32]]] = field(default_factory=dict, repr=False)
    _first: dict[tuple[Path, str], NDArray[np.int32]] = field(default_factory=dict, repr=False)
    _size: dict[str, int] = field(default_factory=dict, repr=False)

    @cached_property
    def pool(self) -> NDArray[np.int8]:
        """[people] the pool that each person belongs to, as an index into POOLS."""
        world = self.world
        heldout = self.draw.at("heldout").uniform(len(world.people)) < world.config.heldout_starts
        return np.where(world.community, 2, heldout).astype(np.int8)

    def valid(self, path: Path) -> NDArray[np.int64]:
        """People from whom the path leads to an answer, over people who are all different.

        Where a context is shortened or has distractors, everybody read about must state every contextual relation of the path.
        With guards, something has to be read that memory alone does not imply.
        """
        world = self.world
        places = world.places(path, np.arange(len(world.people)))
        arrived = np.flatnonzero(places[-1] >= 0)
        places = [place[arrived] for place in places]
        people = places if world.table[path[-1]].to_person else places[:-1]
        good = np.ones(len(arrived), bool)
        for earlier, later in combinations(people, 2):
            good &= earlier != later
        read = [
            hop for hop, relation in enumerate(path) if world.table[relation].group == CONTEXTUAL
        ]
        if read and (world.config.distractors or world.config.context_facts):
            ready = self.ready(path)
            for hop in read:
                good &= ready[places[hop]]
        if read and world.config.distractors:
            runs = self.runs(path)
            size = runs.length
            needed = (
                1 + (world.config.distractors - 1) * size * size + (len(path) + 1) * size
            )  # whatever else is taken, one run is left
            enough = np.bincount(runs.kind[runs.heads], minlength=4) >= needed
            good &= enough[runs.kind[places[runs.begin]]]
        if read and world.config.leak_guards:
            good &= ~self.remembered(path, read, places)
        return arrived[good]

    def remembered(self, path: Path, read: list[int], places: list[NDArray]) -> NDArray[np.bool_]:
        """[starts] whether all that is to be read could be recalled as well, each hop as the mirror of a fact."""
        told = np.ones(len(places[0]), bool)
        for hop in read:
            told &= self.implied(path[hop], places[hop], places[hop + 1])
        return told

    def implied(self, relation: int, subjects: NDArray, objects: NDArray) -> NDArray[np.bool_]:
        """Whether the relation is a contextual one whose inverse is recalled, and the object's parametric biography states the mirror:
        whoever knows that Ann's child was Bo knows Bo's parent, if knowledge can be turned round.
        """
        inverse = self._inverses[relation]
        if inverse < 0:
            return np.zeros(len(subjects), bool)
        return self.world.steps[inverse, objects] == subjects

    @cached_property
    def _inverses(self) -> list[int]:
        """The number of the parametric inverse of each contextual relation; -1 for all others."""
        rows = self.world.table.relations
        numbers = {row.name: number for number, row in enumerate(rows) if row.group != CONTEXTUAL}
        return [numbers.get(row.inverse, -1) if row.group == CONTEXTUAL else -1 for row in rows]

    def runs(self, path: Path) -> Runs:
        """The run that distractors copy: the last one that a recalled hop leads into; where there is none, the last person read about."""
        world = self.world
        begin, length = copied_run(world.table.pattern(path))
        ready = self.ready(path)
        people, heads = [np.arange(len(world.people), dtype=np.int32)], ready
        for relation in path[begin : begin + length - 1]:
            people.append(world.steps[relation, people[-1]])
            heads = heads & (people[-1] >= 0) & ready[people[-1]]
        return Runs(
            begin,
            np.stack(people, axis=1),
            heads,
            2 * world.community.astype(np.int8) + world.known,
        )

    def ready(self, path: Path) -> NDArray[np.bool_]:
        """[people] who have a contextual biography that states every contextual relation of the path."""
        asked = [relation for relation in path if self.world.table[relation].group == CONTEXTUAL]
        return self.world.in_context & (self.world.steps[asked, :-1] >= 0).all(axis=0)

    def members(self, path: Path) -> dict[str, NDArray[np.int32]]:
        """The valid starts of each pool, by id."""
        if path not in self._members:
            starts = self.valid(path)
            pool = self.pool[starts]
            found = {
                name: starts[pool == number].astype(np.int32) for number, name in enumerate(POOLS)
            }
            self._remember(self._members, path, found, len(starts))
        return self._members[path]

    def first(self, path: Path, pool: str, count: int) -> NDArray[np.int32]:
        """The first `count` starts of a pool, in an order drawn for this path; questions take slices of it."""
        if len(self._first.get((path, pool), ())) < count:
            starts = self.members(path)[pool]
            words = self.draw.at("starts", *self.world.table.path_names(path)).words(
                starts
            )  # all different
            ahead = (
                np.argpartition(words, count - 1)[:count]
                if count < len(words)
                else np.arange(len(words))
            )
            self._remember(
                self._first, (path, pool), starts[ahead[np.argsort(words[ahead])]], count
            )
        return self._first[path, pool][:count] if count else np.empty(0, np.int32)

    def _remember(self, memory: dict, key: object, found: object, size: int) -> None:
        """Keep what was found; where that would be more than REMEMBERED ids, forget all the rest first."""
        self._size["ids"] = self._size.get("ids", 0) + size
        if self._size["ids"] > REMEMBERED:
            self._members.clear()
            self._first.clear()
            self._size["ids"] = size
        memory[key] = found


def copied_run(pattern: str) -> tuple[int, int]:
    """(first hop, hops) of the run that distractors copy, such as (1, 2) in `PCC`.

    Whoever reads a run that a recalled hop leads into must not find it without recalling; were only its first person copied,
    the two biographies that hang together would give it away.
    """
    if "PC" in pattern:
        begin = pattern.rindex("PC") + 1
        return begin, len(pattern[begin:].split("P")[0])
    return pattern.rindex("C"), 1
