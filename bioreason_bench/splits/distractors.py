"""Relational distractors: who is read about in a context, gold or not.

A model that does not know a relation must not find the next person by elimination.  At every hop
that leads on to another one (a *branch*), the gold person has `count` alternatives: people to whom
the same person is related in other ways, by relations of the same group.  Whoever is read about
leads on to an answer exactly as the gold person does.

    Who is the birth place of Ann's boss?       pattern PC, 3 distractors

    position   0      1                                           2
    gold       Ann    Bo (her boss)                               Lagos
    others            Cy (her classmate), Di (whom she mentored),
                      Ed (her roommate)                           Lima, Pune, Rome

The context holds the biographies of Bo, Cy, Di and Ed.  To know who is related to Ann does not
help; one has to know who is her boss.  At a branch that is read, the person's biography states the
alternatives next to the gold fact.

Whoever a symmetric relation leads to states it from the other end: if Bo is Ann's neighbor, Bo's
biography names Ann.  So at a read hop with a symmetric relation the alternatives are related by
symmetric ones and say so too, and at any other read hop nobody names the person before.

A biography is shortened by its position: it states the contextual relations that the path asks
for, those of its alternatives, and others at random.  It is a function of (path, position, person),
and gold and distractors are shortened by the same rule, so that no form tells them apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import Draw
from bioreason_bench.splits.paths import RelationPath
from bioreason_bench.world.facts import World
from bioreason_bench.world.people import YEAR
from bioreason_bench.world.relations import CONTEXTUAL

__all__ = ["Branches", "Tree", "fillers", "most_wanted"]

LARGE = 100_000  # people from whom on nothing is kept for everybody
MANY = 4  # a quarter of the people, with repeats: from there on each is looked at once
NEVER = np.uint64(2**64 - 1)  # the rank of an alternative that cannot be taken


@dataclass(frozen=True)
class Tree:
    """Who could be at each position of a path, for many starts.

    Attributes:
        people: For each position up to the last one read: [starts, candidates] person ids, the
            gold person first.
        back: For each of them the relation by which they would name the person before, if they are
            an alternative at a read hop; -1 for others.
        valid: [starts] True where all candidates exist, differ, and lead to an answer.
    """

    people: tuple[NDArray[np.int32], ...]
    back: tuple[NDArray[np.int64], ...]
    valid: NDArray[np.bool_]


@dataclass(frozen=True)
class Branches:
    """The alternatives of one path, and what follows from them.

    Attributes:
        world: People and facts.
        path: Relation numbers.
        skill: mem, ctx or comp.
        count: Alternatives at each branch; 0 for none.
        draw: Decides which alternatives are taken; shared by all paths.
    """

    world: World
    path: RelationPath
    skill: str
    count: int
    draw: Draw

    @cached_property
    def pattern(self) -> str:
        return self.world.table.pattern(self.path)

    @cached_property
    def read(self) -> list[int]:
        """The positions whose people are read about."""
        return [hop for hop, letter in enumerate(self.pattern) if letter == "C"]

    @cached_property
    def hops(self) -> list[int]:
        """The branches.

        In comp: every read hop but a final one, and every recalled hop before the last read one
        (what follows is recalled without a check against the context).  In ctx: the hop before the
        last.
        """
        if not self.count or not self.read:
            return []
        final = len(self.path) - 1
        if self.skill != "comp":
            return [final - 1] if final else []
        last_read = self.read[-1]
        return [hop for hop in range(final) if hop < last_read or self.pattern[hop] == "C"]

    @cached_property
    def asked(self) -> list[int]:
        """The contextual relations on the path; everybody who is read about states them."""
        return [number for number in self.path if self.world.table[number].group == CONTEXTUAL]

    @cached_property
    def withheld(self) -> list[int]:
        """Contextual relations that no biography of the context states.

        With leak guards, those that mirror a relation that could be recalled: "Bo was the boss of
        Ann" gives away Ann's boss, and "Cy mentored Ann" excludes Cy.
        """
        table = self.world.table
        if not self.world.config.leak_guards or "P" not in self.pattern:
            return []
        recalled = set(self.path)
        if any(self.pattern[hop] == "P" for hop in self.hops):
            recalled |= {n for n, row in enumerate(table.relations) if row.to_person}
        mirrors = {table[n].inverse for n in recalled if table[n].group != CONTEXTUAL}
        return [
            number
            for number, row in enumerate(table.relations)
            if row.group == CONTEXTUAL and row.name in mirrors and number not in self.path
        ]

    @property
    def ready(self) -> NDArray[np.bool_]:
        """[people] True for those whose contextual biography states all that the path asks for."""
        ready = self.world.in_context.copy()
        for number in self.asked:
            ready &= self.world.steps[number, :-1] >= 0
        return ready

    def are_ready(self, people: NDArray) -> NDArray[np.bool_]:
        """[people] the same for these people."""
        ready = self.world.in_context[people]
        for number in self.asked:
            ready &= self.world.steps[number, people] >= 0
        return ready

    def _others(self, hop: int) -> list[int]:
        """The relations that could be mistaken for that of the hop: same group, to a person.

        At a read hop with a symmetric relation they are symmetric, too.

        Not those whose mirror the path asks for (its sentence would name both people), not those
        that no biography of the context states, and not those of a narrower window of ages (an age
        would exclude them).
        """
        table, relation = self.world.table, self.world.table[self.path[hop]]
        asked = {table[number].inverse for number in self.path}
        unstated = self.withheld if relation.group == CONTEXTUAL else []
        mutual = relation.group == CONTEXTUAL and relation.symmetric
        return [
            number
            for number, row in enumerate(table.relations)
            if row.to_person
            and row.group == relation.group
            and (row.symmetric or not mutual)
            and number not in self.path
            and number not in unstated
            and row.name not in asked
            and _contains(row.older, relation.older)
        ]

    def leads_on(self, position: int, people: NDArray) -> NDArray[np.bool_]:
        """Whether each person, at this position, leads to an answer along the rest of the path.

        Whoever is read about states what the path asks for and, at a branch, enough alternatives.
        `people` may have any shape; -1 leads nowhere.
        """
        if position == len(self.path):
            return people >= 0
        if len(self.world.people) >= LARGE:
            return self._leads_on_now(position, people)
        packed = self._able[position]
        able = np.unpackbits(packed, count=len(self.world.people) + 1).astype(bool)
        leads: NDArray[np.bool_] = able[people]  # the last entry, for -1, is False
        return leads

    def _leads_on_now(self, position: int, people: NDArray) -> NDArray[np.bool_]:
        """`leads_on` for these people alone, where a table of everybody would be large."""
        flat = people.reshape(-1)
        if len(flat) < len(self.world.people) // MANY:
            return self._lead_on(position, flat).reshape(people.shape)
        able = np.zeros(len(self.world.people) + 1, bool)  # the last one for -1: each person once
        able[flat] = True
        able[-1] = False
        ids = np.flatnonzero(able)
        able[ids] = self._lead_on(position, ids)
        leads: NDArray[np.bool_] = able[people]
        return leads

    def _lead_on(self, position: int, ids: NDArray) -> NDArray[np.bool_]:
        """[people] `leads_on` for these."""
        able = np.zeros(len(ids), bool)
        rows = np.flatnonzero(ids >= 0)
        rows = rows[self.world.steps[self.path[position], ids[rows]] >= 0]
        read = self.pattern[position] == "C"
        if read:
            rows = rows[self.are_ready(ids[rows])]
        objects = self.world.steps[self.path[position], ids[rows]]
        rows = rows[self.leads_on(position + 1, objects)]
        if read and position in self.hops:
            others = np.array(self._others(position), np.int64)
            targets = self.world.steps[others[:, None], ids[rows]].T
            fit = (targets >= 0) & self.plausible(position, ids[rows], targets)
            fit[fit] = self.leads_on(position + 1, targets[fit])
            fit = self._one_way_each(position, ids[rows], targets, fit)
            rows = rows[fit.sum(axis=1) >= self.count]
        able[rows] = True
        return able

    @cached_property
    def _able(self) -> list[NDArray[np.uint8]]:
        """For each position, a bit for each person: who leads on from there.

        From the last hop to the first: a person leads on if the object does, and if enough
        alternatives do.
        """
        world, ready = self.world, self.ready
        packed: list[NDArray[np.uint8]] = []
        able = np.ones(len(world.people) + 1, bool)
        for position in reversed(range(len(self.path))):
            objects = world.steps[self.path[position]]
            good = objects >= 0
            if packed:
                good &= able[objects]
            if self.pattern[position] == "C":
                good[:-1] &= ready
                if position in self.hops:
                    rows = np.flatnonzero(good)
                    others = np.array(self._others(position), np.int64)
                    targets = world.steps[others[:, None], rows].T
                    fit = able[targets] & self.plausible(position, rows, targets)
                    fit = self._one_way_each(position, rows, targets, fit)
                    good[rows] = fit.sum(axis=1) >= self.count
            packed.append(np.packbits(good))
            able = good
        return packed[::-1]

    def alternatives(self, hop: int, people: NDArray) -> tuple[NDArray, NDArray]:
        """The alternatives at a branch.

        Args:
            hop: The branch.
            people: [people] who is at the position before it.

        Returns:
            The relations and the people they lead to: [people, count] each, -1 where there are
            too few.
        """
        others = np.array(self._others(hop), np.int64)
        size = len(people)
        if len(others) < self.count:
            none = np.full((size, self.count), -1, np.int32)
            return none, none
        targets = self.world.steps[others[:, None], people].T  # [people, others]
        good = self.leads_on(hop + 1, targets) & self.plausible(hop, people, targets)
        good = self._one_way_each(hop, people, targets, good)
        names = self.world.table.path_names(self.path)
        slots = people[:, None].astype(np.uint64) * np.uint64(len(self.world.table))
        rank = self.draw.at("alternatives", hop, *names).words(slots + others.astype(np.uint64))
        rank = np.where(good, rank, NEVER)
        order = np.argsort(rank, axis=1, kind="stable")[:, : self.count]
        taken = np.take_along_axis(rank, order, axis=1) != NEVER
        relations = np.where(taken, others[order], -1)
        return relations, np.where(taken, np.take_along_axis(targets, order, axis=1), -1)

    def _one_way_each(
        self, hop: int, people: NDArray, targets: NDArray, fit: NDArray
    ) -> NDArray[np.bool_]:
        """The alternatives that fit, without second ways to one person, or to the gold person.

        Invented people are related in one way only.  In a user's facts the largest neighbor may be
        the northernmost neighbor as well.
        """
        if not self.world.config.facts:
            return fit
        gold = self.world.steps[self.path[hop], people]
        fit = fit & (targets != gold[:, None]) & ~self.links(people)[:, self._others(hop)]
        for column in range(1, fit.shape[1]):
            again = (targets[:, :column] == targets[:, column, None]) & fit[:, :column]
            fit[:, column] &= ~again.any(axis=1)
        return fit

    def links(self, people: NDArray) -> NDArray[np.bool_]:
        """[people, relations] True where a fact to read names both ends of a fact to recall.

        With leak guards no context states such a fact.  Invented people are related in one way
        only, so they have none; in a user's facts there are many.
        """
        table, steps = self.world.table, self.world.steps
        linked = np.zeros((len(people), len(table)), bool)
        if not (self.world.config.facts and self.world.config.leak_guards):
            return linked
        for number, row in enumerate(table.relations):
            if row.to_person and row.group == CONTEXTUAL:
                targets = steps[number, people]
                for recalled in set(self.path) - set(self.asked):
                    if table[recalled].to_person:
                        linked[:, number] |= steps[recalled, people] == targets
                        linked[:, number] |= steps[recalled, targets] == people
                linked[:, number] &= targets >= 0
        return linked

    def _asked_links(self, walk: NDArray) -> NDArray[np.bool_]:
        """[starts] True where a relation that the path asks for links both ends of a recalled hop.

        Everybody in the context states it, so the context would name both ends together.
        """
        table, steps = self.world.table, self.world.steps
        linked = np.zeros(len(walk), bool)
        if not (self.world.config.facts and self.world.config.leak_guards):
            return linked
        for hop, number in enumerate(self.path):
            if self.pattern[hop] == "P" and table[number].to_person:
                one, other = walk[:, hop], walk[:, hop + 1]
                for asked in self.asked:
                    if table[asked].to_person:
                        linked |= (steps[asked, one] == other) | (steps[asked, other] == one)
        return linked

    def plausible(self, hop: int, people: NDArray, targets: NDArray) -> NDArray[np.bool_]:
        """Whether the ages would allow the hop's own relation, so that an age tells nothing."""
        older = self.world.table[self.path[hop]].older
        if older is None:
            return np.ones(targets.shape, bool)
        birth = self.world.people.birth
        years = (birth[people][:, None] - birth[targets]) / YEAR
        return (years >= older[0]) & (years <= older[1])

    def grow(self, starts: NDArray) -> Tree:
        """Who could be at each position up to the last one that is read, from each start.

        Position by position: the true objects of everybody so far, then the alternatives of the
        gold person.  Valid starts lead to an answer over people who are all different, and so do
        their alternatives.
        """
        world, path = self.world, self.path
        walk = world.walk(path, starts)
        gold = walk[:, : world.table.people_on(path)]
        valid = self.leads_on(0, walk[:, 0]) & ~_repeats(gold)
        levels, back = [walk[:, :1]], [np.full((len(walk), 1), -1)]
        for hop in range(self.read[-1] if self.read else 0):
            following = [world.steps[path[hop], levels[-1]]]
            names = [np.full(following[0].shape, -1)]
            if hop in self.hops:
                relations, others = self.alternatives(hop, walk[:, hop])
                following.append(others)
                names.append(self.naming_back(hop, relations))
            level = np.concatenate(following, axis=1).astype(np.int32)
            back.append(np.concatenate(names, axis=1))
            valid &= self._distinct(level, gold, on_chain=1)
            levels.append(level)
        if self.read and self.read[-1] in self.hops:  # misread, and recalled on from
            others = self.alternatives(self.read[-1], walk[:, self.read[-1]])[1]
            valid &= self._distinct(others, gold, on_chain=0)
        valid &= ~self._asked_links(walk)
        if len(self.read) > 1:
            valid &= ~_repeats(np.concatenate([levels[position] for position in self.read], axis=1))
        return Tree(tuple(levels), tuple(back), valid)

    def naming_back(self, hop: int, relations: NDArray) -> NDArray[np.int64]:
        """The relations by which alternatives of a hop would name the person before; -1 for none.

        Args:
            hop: The branch.
            relations: The relations that lead to the alternatives, -1 for nobody.
        """
        table = self.world.table
        mutual = np.array([row.symmetric and row.group == CONTEXTUAL for row in table.relations])
        if self.pattern[hop] == "P":
            return np.full(relations.shape, -1)
        return np.where((relations >= 0) & mutual[relations], relations, -1)

    @staticmethod
    def _distinct(people: NDArray, gold: NDArray, on_chain: int) -> NDArray[np.bool_]:
        """[starts] True where all exist and differ, `on_chain` of them on the gold chain."""
        known = np.any(people[:, :, None] == gold[:, None, :], axis=2).sum(axis=1)
        return np.all(people >= 0, axis=1) & ~_repeats(people) & (known == on_chain)

    def stated(
        self, position: int, people: NDArray, facts: int, back: NDArray
    ) -> NDArray[np.bool_]:
        """What a shortened biography states.

        Args:
            position: A position that is read, the one behind the last, or -1 for
                people who fill up.
            people: [people] whose biographies.
            facts: Sentences of a biography; 0 for all.
            back: [people] relations by which they would name the person before, -1 for none; see
                `Tree`.  They state it where the hop's own relation is symmetric, and only there.

        Returns:
            [people, relations] True for the relations stated.
        """
        world, table = self.world, self.world.table
        contextual = np.array([row.group == CONTEXTUAL for row in table.relations])
        available = (world.steps[:, people].T >= 0) & contextual
        available[:, self.withheld] = False
        available &= ~self.links(people) | np.isin(np.arange(len(table)), self.asked)
        naming = np.flatnonzero(back >= 0)
        mutual = len(naming) and table[self.path[position - 1]].symmetric
        if not mutual:
            available[naming, back[naming]] = False
        if not facts:
            return available
        chosen = np.zeros_like(available)
        chosen[:, self.asked] = True
        if mutual:
            chosen[naming, back[naming]] = True
        if position in self.hops:
            relations, _ = self.alternatives(position, people)
            rows, columns = np.nonzero(relations >= 0)
            chosen[rows, relations[rows, columns]] = True
        elif position >= 0:  # behind the last read hop: nobody is longer for naming back
            facts = max(facts, len(self.asked) + 1)
        chosen &= available
        names = table.path_names(self.path)
        slots = people[:, None].astype(np.uint64) * np.uint64(len(table))
        slots = np.add(slots, np.arange(len(table), dtype=np.uint64), dtype=np.uint64)
        words = self.draw.at("facts", position, *names).words(slots)
        return most_wanted(words, available, chosen, facts)


def most_wanted(
    words: NDArray[np.uint64], available: NDArray, wanted: NDArray, count: int
) -> NDArray[np.bool_]:
    """[people, relations] True for the relations wanted, and for others up to `count` in all.

    Args:
        words: Drawn words that decide between the others; [people, relations] as all that follow.
        available: Which relations there are.
        wanted: Those that are always taken; all of them available.
        count: How many are taken, if fewer are wanted.
    """
    rank = np.where(available, words >> np.uint64(1), NEVER)
    rank[wanted] = 0
    last = min(count, rank.shape[1]) - 1
    cut = np.partition(rank, last, axis=1)[:, last, None]
    taken: NDArray[np.bool_] = available & ((rank <= cut) | wanted)
    return taken


def _contains(outer: tuple[int, int] | None, inner: tuple[int, int] | None) -> bool:
    """Whether a window of ages contains another one; None is no limit."""
    if outer is None or inner is None:
        return outer is None
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _repeats(people: NDArray) -> NDArray[np.bool_]:
    """[rows] True where somebody occurs twice in the row."""
    ordered = np.sort(people, axis=1)
    return np.any(ordered[:, 1:] == ordered[:, :-1], axis=1)


def fillers(branches: Branches, chain: NDArray, count: int, draw: Draw) -> NDArray[np.int32]:
    """[rows, count] people who are ready, drawn for each row, all different and none of its chain.

    In a large world people are drawn from everybody until they are ready.
    """
    size = len(branches.world.people)
    pool = np.arange(size) if size >= LARGE else np.flatnonzero(branches.ready)
    drawn = np.full((len(chain), count), -1, np.int32)
    have = np.zeros(len(chain), np.int64)
    rows, turn = np.arange(len(chain)), 0
    while rows.size:
        person = pool[draw.at(turn).integers(chain[rows, 0], len(pool))]
        free = ~np.any(chain[rows] == person[:, None], axis=1)
        free &= ~np.any(drawn[rows] == person[:, None], axis=1)
        if size >= LARGE:
            free &= branches.are_ready(person)
        drawn[rows[free], have[rows[free]]] = person[free]
        have[rows[free]] += 1
        rows = rows[have[rows] < count]
        turn += 1
    return drawn
