"""The plan of a release: everything that is decided before a row is written, and the rows of any file of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.config import SKILLS, Config
from bioreason_bench.dataset.sharding import SHARD_ROWS, Shard, by_key, key_range
from bioreason_bench.dataset.tables import Tables
from bioreason_bench.draw import Draw
from bioreason_bench.questions.contexts import Contexts
from bioreason_bench.questions.counterfactual import (
    CONFLICT,
    COUNTERFACTUAL,
    Crossed,
    draw_crossed,
    write_conflicts,
    write_twins,
)
from bioreason_bench.questions.direction import DIRECTION, Directions
from bioreason_bench.questions.probes import Probes
from bioreason_bench.questions.records import Columns, Writer, merge
from bioreason_bench.splits import levels
from bioreason_bench.splits.levels import RL, TEST, TRAIN, VALIDATION, PathPlan
from bioreason_bench.splits.paths import Path
from bioreason_bench.splits.starts import HELDOUT, OPEN, Starts
from bioreason_bench.world.facts import World, make_world
from bioreason_bench.world.relations import CONTEXTUAL, PARAMETRIC

PORTIONS = 10


@dataclass(frozen=True)
class Dataset:
    """Everything that is decided before a row is written."""

    config: Config
    world: World
    starts: Starts
    paths: dict[str, list[PathPlan]]  # by skill
    met: dict[
        str, NDArray[np.bool_]
    ]  # skill -> [people] who stand on a chain of its training questions
    crossed: dict[str, list[Crossed]]  # counterfactual, conflict -> their questions
    directions: Directions

    def shards(self, shard_rows: int = SHARD_ROWS) -> list[Shard]:
        """Every file of the release, in the order of its layout (DESIGN section 9); empty splits have none."""
        made = self.tables.shards(shard_rows)
        for folder, split, level, skill in self._splits():
            total = sum(plan.count(level, split) for plan in self.paths[skill])
            keys = partial(self._question_keys, skill, level, split)
            made += by_key(folder, split, "question", total, shard_rows, keys)
        for kind, rows in ((COUNTERFACTUAL, 2), (CONFLICT, 1)):
            total = rows * sum(len(crossed.starts) for crossed in self.crossed[kind])
            made += by_key(
                f"comp/{kind}",
                TEST,
                kind,
                total,
                shard_rows,
                lambda k=kind, n=rows: np.repeat(np.concatenate(self._crossed_keys(k)), n),
            )
        made += by_key(
            f"mem/{DIRECTION}",
            TEST,
            DIRECTION,
            2 * len(self.directions.keys),
            shard_rows,
            lambda: np.repeat(self.directions.keys, 2),
        )
        made += by_key(
            "probes", TEST, "probe", len(self.probes), shard_rows, lambda: self.probes.keys
        )
        return made

    def make(self, shard: Shard) -> Columns:
        """The columns of one shard: a pure function of the plan and the shard's place."""
        makers: dict[str, Callable[[Shard], Columns]] = {
            "relation": self.tables.relation,
            "person": self.tables.person,
            "fact": self.tables.fact,
            "path": self.tables.path,
            "biography": self.tables.biography,
            "question": self._question_rows,
            COUNTERFACTUAL: self._crossed_rows,
            CONFLICT: self._crossed_rows,
            DIRECTION: self._direction_rows,
            "probe": lambda shard: self.probes.write(
                self.writer, key_range(shard.number, shard.count)
            ),
        }
        return makers[shard.kind](shard)

    @cached_property
    def tables(self) -> Tables:
        return Tables(self.world, [plan for plans in self.paths.values() for plan in plans])

    @cached_property
    def writer(self) -> Writer:
        draw = Draw(self.config.seed)
        return Writer(self.starts, Contexts(self.starts, draw.at("contexts")), draw.at("wording"))

    @cached_property
    def probes(self) -> Probes:
        tested = [
            (plan, level, self.starts_of(plan, level, TEST)) for plan, level in self._tested()
        ]
        return Probes.collect(
            self.world,
            [(plan.path, starts, self._ids(plan, level, starts)) for plan, level, starts in tested],
        )

    @cached_property
    def max_train_hops(self) -> dict[str, int]:
        return {
            skill: max((len(plan.path) for plan in plans if plan.trained), default=0)
            for skill, plans in self.paths.items()
        }

    @cached_property
    def seen(self) -> dict[str, set[int]]:
        """Relations that stand in a training path of the skill."""
        return {
            skill: {relation for plan in plans if plan.trained for relation in plan.path}
            for skill, plans in self.paths.items()
        }

    def starts_of(self, plan: PathPlan, level: str, split: str) -> NDArray[np.int32]:
        """The people from whom a split's questions on a path start."""
        return plan.starts(self.starts, level, split)

    # questions -------------------------------------------------------------------------------------------------------

    def _splits(self) -> Iterator[tuple[str, str, str, str]]:
        """(folder, split, level, skill) of every file of questions."""
        for skill in SKILLS:
            yield skill, TRAIN, TRAIN, skill
            if self.config.skill(skill).rl:
                yield skill, RL, RL, skill
            for level in self.config.levels:
                for split in (VALIDATION, TEST):
                    yield f"{skill}/{level}", split, level, skill

    def _tested(self) -> Iterator[tuple[PathPlan, str]]:
        for plans in self.paths.values():
            for plan in plans:
                for level, split in plan.slices:
                    if split == TEST:
                        yield plan, level

    def _ids(self, plan: PathPlan, level: str, starts: NDArray[np.int32]) -> list[str]:
        name = TRAIN if level == RL else level
        return [f"{plan.skill}-{name}-{plan.number:04d}-{start:06d}" for start in starts.tolist()]

    def _keys(self, plan: PathPlan, starts: NDArray) -> NDArray[np.uint64]:
        return Draw(self.config.seed).at("order", plan.skill, plan.number).words(starts)

    def _question_keys(self, skill: str, level: str, split: str) -> NDArray[np.uint64]:
        plans = [plan for plan in self.paths[skill] if plan.count(level, split)]
        return np.concatenate(
            [self._keys(plan, self.starts_of(plan, level, split)) for plan in plans]
        )

    def _question_rows(self, shard: Shard) -> Columns:
        skill, _, level = shard.folder.partition("/")
        level = level or shard.split
        low, high = key_range(shard.number, shard.count)
        parts, keys = [], []
        for plan in self.paths[skill]:
            if plan.count(level, shard.split):
                starts = self.starts_of(plan, level, shard.split)
                key = self._keys(plan, starts)
                here = np.flatnonzero((key >= low) & (key <= high))
                if here.size:
                    keys.append(key[here])
                    parts.append(self._rows_of_path(plan, level, shard.split, starts[here], here))
        return merge(parts, keys)

    def _rows_of_path(
        self, plan: PathPlan, level: str, split: str, starts: NDArray, places: NDArray
    ) -> Columns:
        size, training = len(starts), split in (TRAIN, RL)
        rows = {
            "id": self._ids(plan, level, starts),
            "skill": [plan.skill] * size,
            "level": [TRAIN if training else level] * size,
        }
        rows |= self.writer.write(plan.path, starts)
        rows |= self.certificate(
            plan.skill,
            plan.path,
            self.world.walk(plan.path, starts),
            path_in_train=plan.trained,
            start_in_train=training,
        )
        rows["portion"] = self._portions(plan, places, split).tolist() if training else [0] * size
        return rows

    def certificate(
        self,
        skill: str,
        path: Path,
        walk: NDArray,
        *,
        path_in_train: bool,
        start_in_train: bool = False,
    ) -> Columns:
        """What the skill's training questions have shown of the questions with these walks."""
        size = len(walk)
        return {
            "path_in_train": [path_in_train] * size,
            "unseen_relations": [
                [
                    self.world.table[relation].name
                    for relation in path
                    if relation not in self.seen[skill]
                ]
            ]
            * size,
            "start_in_train": [start_in_train] * size,
            "hops_beyond_train": [max(0, len(path) - self.max_train_hops[skill])] * size,
            "people_in_train": self.writer.people_met(path, walk, self.met[skill]),
            "direction_seen": self.writer.direction_seen(path, walk),
        }

    # questions beyond the levels ---------------------------------------------------------------------------------------

    def _crossed_keys(self, kind: str) -> list[NDArray[np.uint64]]:
        draw = Draw(self.config.seed).at("order", kind)
        return [
            draw.at(crossed.plan.number).words(crossed.starts) for crossed in self.crossed[kind]
        ]

    def _crossed_rows(self, shard: Shard) -> Columns:
        low, high = key_range(shard.number, shard.count)
        write, each = (write_twins, 2) if shard.kind == COUNTERFACTUAL else (write_conflicts, 1)
        parts, keys = [], []
        for crossed, key in zip(
            self.crossed[shard.kind], self._crossed_keys(shard.kind), strict=True
        ):
            here = np.flatnonzero((key >= low) & (key <= high))
            if here.size:
                parts.append(
                    write(
                        self.writer,
                        crossed,
                        here,
                        partial(self.certificate, "comp", path_in_train=True),
                    )
                )
                keys.append(np.repeat(key[here], each))
        return merge(parts, keys)

    def _direction_rows(self, shard: Shard) -> Columns:
        low, high = key_range(shard.number, shard.count)
        here = np.flatnonzero((self.directions.keys >= low) & (self.directions.keys <= high))
        return self.directions.write(
            self.writer, here, partial(self.certificate, "mem", path_in_train=False)
        )

    def _portions(self, plan: PathPlan, places: NDArray, split: str) -> NDArray[np.int64]:
        """1..10 by place in the path's training slice, so that the portions are nested and each holds every path alike."""
        total = plan.count(TRAIN, TRAIN)
        if split == RL:  # the last of the training slice
            places = places + total - plan.count(RL, RL)
        offset = Draw(self.config.seed).at("portion", plan.skill).uniform([plan.number])
        return 1 + (PORTIONS * (places + offset) / total).astype(np.int64)


def make_dataset(config: Config) -> Dataset:
    """World, paths, levels and counts.  Raises UsageError where the configuration asks for more than can be."""
    world = make_world(config)
    draw = Draw(config.seed).at("splits")
    starts = Starts(world, draw)
    table = world.table
    paths: dict[str, list[PathPlan]] = {}
    for skill, group in (("mem", PARAMETRIC), ("ctx", CONTEXTUAL)):
        relations = [number for number, row in enumerate(table.relations) if row.group == group]
        paths[skill] = levels.plan_skill(config, starts, skill, relations, draw.at(skill))
    atomic = levels.usable(table, paths["mem"] + paths["ctx"])
    paths["comp"] = levels.plan_skill(config, starts, "comp", atomic, draw.at("comp"))
    met = {skill: levels.people_in_training(starts, plans) for skill, plans in paths.items()}
    pool = HELDOUT if config.heldout_starts else OPEN
    crossed: dict[str, list[Crossed]] = {}
    for kind in (COUNTERFACTUAL, CONFLICT):
        taken = crossed.get(COUNTERFACTUAL, [])
        crossed[kind] = draw_crossed(
            kind,
            starts,
            paths["comp"],
            getattr(config.comp, kind),
            config.hops,
            pool,
            taken,
            draw.at(kind),
        )
    directions = Directions.collect(world, config.mem.direction, draw.at(DIRECTION))
    return Dataset(config, world, starts, paths, met, crossed, directions)
