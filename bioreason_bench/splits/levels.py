"""Levels of paths, and how many questions each path has at each level (DESIGN section 6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.config import LEVELS, Config
from bioreason_bench.draw import Draw
from bioreason_bench.errors import UsageError
from bioreason_bench.splits.paths import Path, draw_paths, fill
from bioreason_bench.splits.roles import draw_roles
from bioreason_bench.splits.starts import COMMUNITY, HELDOUT, OPEN, Starts
from bioreason_bench.world.relations import CONTEXTUAL, PARAMETRIC, RelationTable

TRAIN, TEST, VALIDATION, RL = "train", "test", "validation", "rl"


@dataclass
class PathPlan:
    """A path of a skill and the slices of its drawn starts that each split takes."""

    skill: str
    number: int
    path: Path
    level: str  # iid (trained, tested with other starts), train (trained only), composition, zeroshot or depth
    capacity: dict[str, int]  # valid starts by pool
    slices: dict[tuple[str, str], tuple[str, int, int]] = field(
        default_factory=dict
    )  # (level, split) -> (pool, begin, end)

    @property
    def trained(self) -> bool:
        return self.level in ("iid", TRAIN)

    def take(self, level: str, split: str, pool: str, count: int) -> None:
        """Give the next `count` starts of the pool to a split."""
        begin = self.used(pool)
        if count:
            self.slices[level, split] = (pool, begin, begin + count)

    def used(self, pool: str) -> int:
        """How many of the pool's starts the slices take."""
        return max((end for taken, _, end in self.slices.values() if taken == pool), default=0)

    def starts(self, starts: Starts, level: str, split: str) -> NDArray[np.int32]:
        """The people from whom the split's questions start."""
        pool, begin, end = self.slices[level, split]
        return starts.first(self.path, pool, self.used(pool))[begin:end]

    def free(self, pool: str) -> int:
        return self.capacity[pool] - sum(
            end - begin for taken, begin, end in self.slices.values() if taken == pool
        )

    def count(self, level: str, split: str) -> int:
        _, begin, end = self.slices.get((level, split), ("", 0, 0))
        return end - begin


def plan_skill(
    config: Config, starts: Starts, skill: str, relations: Sequence[int], draw: Draw
) -> list[PathPlan]:
    """The skill's paths with their levels and slices; `relations` are those it may use.

    Raises UsageError when a level asks for more questions than the world has.
    """
    table, sizes = starts.world.table, config.skill(skill)
    roles = draw_roles(table, relations, sizes.roles, draw.at("roles"))
    drawn = draw_paths(
        table, relations, skill, config.hops, sizes.paths, config.leak_guards, draw.at("paths")
    )
    plans = [
        _plan(starts, skill, number, path, _level(path, roles)) for number, path in enumerate(drawn)
    ]
    plans = [plan for plan in plans if plan.capacity[OPEN]]
    for hops in config.hops:
        others = [plan for plan in plans if plan.level == TRAIN and len(plan.path) == hops]
        for place in draw.at("composition", hops).permutation(len(others))[: len(others) // 2]:
            others[place].level = "composition"

    tested = HELDOUT if config.heldout_starts else OPEN
    _test(plans, config, skill, "iid", tested)
    trained = [plan for plan in plans if plan.trained]
    _share(trained, config, f"{skill}.train", sizes.train, OPEN, TRAIN, TRAIN)
    plans = [plan for plan in plans if not plan.trained or plan.count(TRAIN, TRAIN)]
    seen = {relation for plan in plans if plan.trained for relation in plan.path}
    plans = [plan for plan in plans if plan.level != "composition" or seen.issuperset(plan.path)]
    if "depth" in config.levels:
        count = max(20, sizes.paths // 4)
        deep = draw_paths(
            table,
            sorted(seen),
            skill,
            config.depth_hops,
            count,
            config.leak_guards,
            draw.at("depth"),
        )
        deeper = (
            _plan(starts, skill, len(drawn) + number, path, "depth")
            for number, path in enumerate(deep)
        )
        plans += [plan for plan in deeper if plan.capacity[tested]]
    for level in ("composition", "zeroshot", "depth"):
        _test(plans, config, skill, level, tested)
    _test(plans, config, skill, "entity", COMMUNITY)
    _set_aside(plans, sizes.rl)
    return plans


def usable(table: RelationTable, plans: Iterable[PathPlan]) -> list[int]:
    """Relations that comp may use: those trained in their own atomic skill, so that zero-shot isolates composing."""
    trained = {relation for plan in plans if plan.trained for relation in plan.path}
    return [
        number
        for number in range(len(table))
        if number in trained and table[number].group in (PARAMETRIC, CONTEXTUAL)
    ]


def _plan(starts: Starts, skill: str, number: int, path: Path, level: str) -> PathPlan:
    return PathPlan(
        skill,
        number,
        path,
        level,
        {name: len(people) for name, people in starts.members(path).items()},
    )


def _level(path: Path, roles: dict[int, str]) -> str:
    held = {roles[relation] for relation in path}
    return "zeroshot" if "zeroshot" in held else "iid" if "iid" in held else TRAIN


def _test(plans: list[PathPlan], config: Config, skill: str, level: str, pool: str) -> None:
    if level not in config.levels or not config.skill(skill).test(level):
        return
    fitting = [
        plan for plan in plans if (plan.trained if level == "entity" else plan.level == level)
    ]
    name = f"{skill}.{level}"
    _share(fitting, config, name, config.skill(skill).test(level), pool, level, TEST)
    _share(fitting, config, name, config.skill(skill).validation(level), pool, level, VALIDATION)


def _share(
    plans: list[PathPlan], config: Config, name: str, total: int, pool: str, level: str, split: str
) -> None:
    """Deal `total` questions to the paths: hops by their shares, paths of the same hops alike, none beyond its starts."""
    free = {
        id(plan): max(0, plan.free(pool) - (level == "iid" and pool == OPEN)) for plan in plans
    }  # one start of an iid path is trained
    room = sum(free.values())
    if room < total:
        raise UsageError(
            f"{name}: {total:,} {split} questions are asked for and this world has {room:,}; "
            f"lower {name}, or raise known, novel or {name.split('.')[0]}.paths"
        )
    shares = config.depth_hops if level == "depth" else config.hops
    classes = [[plan for plan in plans if len(plan.path) == hops] for hops in shares]
    parts = fill(
        total,
        list(shares.values()),
        [sum(free[id(plan)] for plan in members) for members in classes],
    )
    for members, part in zip(classes, parts, strict=True):
        for plan, count in zip(
            members,
            fill(part, [1.0] * len(members), [free[id(plan)] for plan in members]),
            strict=True,
        ):
            plan.take(level, split, pool, count)


def _set_aside(plans: list[PathPlan], total: int) -> None:
    """The last starts of each path's training slice form the subset for reinforcement learning, in proportion."""
    counts = [plan.count(TRAIN, TRAIN) for plan in plans]
    for plan, count in zip(
        plans, fill(total, [float(count) for count in counts], counts), strict=True
    ):
        if count:
            pool, _, end = plan.slices[TRAIN, TRAIN]
            plan.slices[RL, RL] = (pool, end - count, end)


def people_in_training(starts: Starts, plans: Iterable[PathPlan]) -> np.ndarray:
    """[people] who stand on the chain of a training question."""
    world = starts.world
    met = np.zeros(len(world.people), bool)
    for plan in plans:
        if (TRAIN, TRAIN) in plan.slices:
            walk = world.walk(plan.path, plan.starts(starts, TRAIN, TRAIN))
            met[walk[:, : world.table.people_on(plan.path)]] = True
    return met


__all__ = [
    "LEVELS",
    "RL",
    "TEST",
    "TRAIN",
    "VALIDATION",
    "PathPlan",
    "people_in_training",
    "plan_skill",
    "usable",
]
