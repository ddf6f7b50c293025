"""The rows of a world's own tables: relations, people, facts, paths, biographies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.dataset.sharding import Shard, in_order, row_range
from bioreason_bench.draw import Draw
from bioreason_bench.language import biographies
from bioreason_bench.questions.records import Columns
from bioreason_bench.splits.levels import TRAIN, PathPlan
from bioreason_bench.world.facts import World
from bioreason_bench.world.relations import CONTEXTUAL, PARAMETRIC


@dataclass(frozen=True)
class Tables:
    """What the world says of itself; each method named like a kind of row makes the columns of one of its files."""

    world: World
    paths: Sequence[PathPlan]  # of all skills

    def shards(self, shard_rows: int) -> list[Shard]:
        """Every file of these tables."""
        return [
            *in_order("relations", TRAIN, "relation", len(self.world.table), shard_rows),
            *in_order("people", TRAIN, "person", len(self.world.people), shard_rows),
            *in_order("facts", TRAIN, "fact", self._facts[0].size, 10 * shard_rows),
            *in_order("paths", TRAIN, "path", len(self.paths), shard_rows),
            *in_order(
                "biographies",
                PARAMETRIC,
                "biography",
                len(self._biographies[PARAMETRIC]),
                shard_rows,
            ),
            *in_order(
                "biographies",
                CONTEXTUAL,
                "biography",
                len(self._biographies[CONTEXTUAL]),
                shard_rows,
            ),
        ]

    def relation(self, shard: Shard) -> Columns:
        rows = self.world.table.relations[slice(*row_range(shard, len(self.world.table)))]
        known = {row.name for row in self.world.table.relations}
        return {
            "name": [row.name for row in rows],
            "object": [row.object for row in rows],
            "group": [row.group for row in rows],
            "inverse": [row.inverse if row.inverse in known else "" for row in rows],
            "symmetric": [row.symmetric for row in rows],
        }

    def person(self, shard: Shard) -> Columns:
        begin, end = row_range(shard, len(self.world.people))
        return {
            "name": self.world.names[begin:end],
            "known": self.world.known[begin:end].tolist(),
            "in_context": self.world.in_context[begin:end].tolist(),
        }

    @cached_property
    def _facts(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(person, relation) of every stated fact, by person."""
        return np.nonzero(self.world.steps[:, :-1].T >= 0)

    def fact(self, shard: Shard) -> Columns:
        world = self.world
        begin, end = row_range(shard, self._facts[0].size)
        people, relations = (column[begin:end].tolist() for column in self._facts)
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
        """Group -> [rows] person * renderings + rendering: one person's renderings far apart, as a reader of a stream wants."""
        draw = Draw(self.world.config.seed).at("biographies")
        rows = {}
        for group, having, renderings in (
            (PARAMETRIC, self.world.known, self.world.config.paraphrases),
            (CONTEXTUAL, self.world.in_context, 1),
        ):
            people = np.flatnonzero(having)
            rows[group] = np.concatenate(
                [
                    draw.at("order", group, k).permutation(people) * renderings + k
                    for k in range(renderings)
                ]
            )
        return rows

    def biography(self, shard: Shard) -> Columns:
        group = shard.split
        renderings = self.world.config.paraphrases if group == PARAMETRIC else 1
        people, rendering = np.divmod(
            self._biographies[group][slice(*row_range(shard, len(self._biographies[group])))],
            renderings,
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
