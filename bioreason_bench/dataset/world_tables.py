"""The tables of a world: relations, people, facts, paths, biographies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.dataset.sharding import Shard, in_order, row_range
from bioreason_bench.draw import Draw
from bioreason_bench.language import biographies
from bioreason_bench.questions.sets import Columns
from bioreason_bench.splits.levels import TRAIN, PathPlan
from bioreason_bench.world.facts import World
from bioreason_bench.world.relations import CONTEXTUAL, PARAMETRIC

__all__ = ["WorldTables"]


@dataclass(frozen=True)
class WorldTables:
    """The world's own tables; `paths` are those of all skills.

    Each method named like a schema makes the columns of one file of that schema.
    """

    world: World
    paths: Sequence[PathPlan]

    def shards(self, shard_rows: int) -> list[Shard]:
        """Every file of these tables."""
        tables = (
            ("relations", TRAIN, "relation", len(self.world.table), shard_rows),
            ("people", TRAIN, "person", len(self.world.people), shard_rows),
            ("facts", TRAIN, "fact", int(self._facts_before[-1]), 10 * shard_rows),
            ("paths", TRAIN, "path", len(self.paths), shard_rows),
            *(
                ("biographies", group, "biography", len(self._biographies[group]), shard_rows)
                for group in (PARAMETRIC, CONTEXTUAL)
            ),
        )
        return [shard for table in tables for shard in in_order(*table)]

    def make(self, shard: Shard) -> Columns:
        """The columns of one of these files."""
        makers = {
            "relation": self.relation,
            "person": self.person,
            "fact": self.fact,
            "path": self.path,
            "biography": self.biography,
        }
        return makers[shard.kind](shard)

    def relation(self, shard: Shard) -> Columns:
        rows = self.world.table.relations[slice(*row_range(shard, len(self.world.table)))]
        known = {row.name for row in self.world.table.relations}
        return {
            "name": [row.name for row in rows],
            "object": [row.object for row in rows],
            "group": [row.group for row in rows],
            "inverse": [row.inverse if row.inverse in known else "" for row in rows],
            "symmetric": [row.symmetric for row in rows],
            "exclusive": [row.exclusive for row in rows],
            "never_next": [[name for name in row.never_next if name in known] for row in rows],
        }

    def person(self, shard: Shard) -> Columns:
        begin, end = row_range(shard, len(self.world.people))
        return {
            "name": self.world.names[begin:end],
            "known": self.world.known[begin:end].tolist(),
            "in_context": self.world.in_context[begin:end].tolist(),
            "heldout_wordings": self.world.people.heldout_wordings[begin:end].tolist(),
        }

    @cached_property
    def _facts_before(self) -> NDArray[np.int64]:
        """[people + 1] how many facts are stated about the people before each one, and in all."""
        counts = np.zeros(len(self.world.people), np.int64)
        for column in self.world.steps:
            counts += column[:-1] >= 0
        return np.concatenate([[0], np.cumsum(counts)])

    def _facts(self, begin: int, end: int) -> tuple[list[int], list[int]]:
        """(person, relation) of the stated facts with these numbers, by person."""
        before = self._facts_before
        first = int(np.searchsorted(before, begin, "right")) - 1
        last = int(np.searchsorted(before, end, "left"))
        people, relations = np.nonzero(self.world.steps[:, first:last].T >= 0)
        mine = slice(begin - int(before[first]), end - int(before[first]))
        return (people[mine] + first).tolist(), relations[mine].tolist()

    def fact(self, shard: Shard) -> Columns:
        world = self.world
        people, relations = self._facts(*row_range(shard, int(self._facts_before[-1])))
        texts = [world.texts[row.object] for row in world.table.relations]
        return {
            "subject": [world.names[person] for person in people],
            "relation": [world.table[relation].name for relation in relations],
            "object": [
                texts[r][world.objects[r, person]]
                for person, r in zip(people, relations, strict=True)
            ],
            "group": [world.table[relation].group for relation in relations],
        }

    def path(self, shard: Shard) -> Columns:
        plans = self.paths[slice(*row_range(shard, len(self.paths)))]
        table = self.world.table
        return {
            "skill": [plan.skill for plan in plans],
            "path": [list(table.path_names(plan.path)) for plan in plans],
            "pattern": [table.pattern(plan.path) for plan in plans],
            "hops": [len(plan.path) for plan in plans],
            "level": [plan.level for plan in plans],
        }

    @cached_property
    def _biographies(self) -> dict[str, NDArray[np.int64]]:
        """Group -> [rows] person * paraphrases + number of the paraphrase.

        Paraphrases of one person are far apart, as training on a stream needs them.
        """
        draw = Draw(self.world.config.seed).at("biographies")
        rows: dict[str, NDArray[np.int64]] = {}
        for group, described, paraphrases in (
            (PARAMETRIC, self.world.known, self.world.config.paraphrases),
            (CONTEXTUAL, self.world.in_context, 1),
        ):
            people = np.flatnonzero(described)
            rows[group] = np.concatenate(
                [
                    draw.at("order", group, k).permutation(people) * paraphrases + k
                    for k in range(paraphrases)
                ]
            )
        return rows

    def biography(self, shard: Shard) -> Columns:
        group = shard.split
        paraphrases = self.world.config.paraphrases if group == PARAMETRIC else 1
        people, rendering = np.divmod(
            self._biographies[group][slice(*row_range(shard, len(self._biographies[group])))],
            paraphrases,
        )
        texts = biographies.texts(self.world, group, people, rendering)
        return {
            "id": [
                f"{group}-{person:06d}-{k}"
                for person, k in zip(people.tolist(), rendering.tolist(), strict=True)
            ],
            "person": [self.world.names[person] for person in people.tolist()],
            "group": [group] * len(people),
            "rendering": rendering.tolist(),
            "text": texts,
        }
