"""Levels of paths, and how many questions each path has at each level.

draw paths → give each its level → deal training questions → drop what training does not support
→ add longer paths → deal test questions.  Every step takes a list of `PathPlan` and returns a new
one.  See docs/design.md, Paths and levels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.config import WorldConfig
from bioreason_bench.draw import Draw
from bioreason_bench.errors import UsageError
from bioreason_bench.splits.paths import PathRules, RelationPath, draw_paths
from bioreason_bench.splits.roles import draw_roles
from bioreason_bench.splits.shares import apportion_up_to
from bioreason_bench.splits.starts import COMMUNITY, HELDOUT, OPEN, Starts

__all__ = [
    "RL",
    "TEST",
    "TRAIN",
    "VALIDATION",
    "PathPlan",
    "people_in_training",
    "plan_skill",
    "trained_relations",
]

TRAIN, TEST, VALIDATION, RL = "train", "test", "validation", "rl"


class Slice(NamedTuple):
    """A range of a pool's drawn starts."""

    pool: str
    begin: int
    end: int


@dataclass(frozen=True)
class PathPlan:
    """A path of a skill, its level, and the slices of its drawn starts that each split takes.

    Attributes:
        skill: mem, ctx or comp.
        number: Index among the skill's drawn paths; part of question ids.
        path: Relation numbers.
        level: "iid" (trained, tested with other starts), "train" (trained only), "composition",
            "zeroshot" or "depth".
        capacity: Valid starts by pool.
        slices: (level, split) -> the starts taken.
    """

    skill: str
    number: int
    path: RelationPath
    level: str
    capacity: Mapping[str, int]
    slices: Mapping[tuple[str, str], Slice] = field(default_factory=dict)

    @property
    def trained(self) -> bool:
        return self.level in ("iid", TRAIN)

    def take(self, level: str, split: str, pool: str, count: int) -> PathPlan:
        """The plan in which a split has the next `count` starts of the pool."""
        if not count:
            return self
        begin = self.used(pool)
        taken = Slice(pool, begin, begin + count)
        return replace(self, slices={**self.slices, (level, split): taken})

    def used(self, pool: str) -> int:
        """How many of the pool's starts the slices take."""
        return max((part.end for part in self.slices.values() if part.pool == pool), default=0)

    def free(self, pool: str) -> int:
        """How many of the pool's starts no slice takes."""
        return self.capacity[pool] - self.used(pool)

    def starts(self, starts: Starts, level: str, split: str) -> NDArray[np.int32]:
        """The people from whom the split's questions start."""
        part = self.slices[level, split]
        return starts.first(self.path, part.pool, self.used(part.pool))[part.begin : part.end]

    def count(self, level: str, split: str) -> int:
        """How many questions the split has on this path."""
        part = self.slices.get((level, split))
        return part.end - part.begin if part else 0


@dataclass(frozen=True)
class Request:
    """So many questions of a split, for the paths that may have them."""

    field: str  # the preset's field, such as comp.zeroshot
    total: int
    pool: str
    level: str
    split: str
    shares: Mapping[int, float]  # hops -> share
    reserve: int = 0  # starts of each path that stay free for a later request
    eligible: Callable[[PathPlan], bool] = lambda plan: True


def plan_skill(
    config: WorldConfig, starts: Starts, skill: str, relations: Sequence[int], draw: Draw
) -> list[PathPlan]:
    """The skill's paths over `relations`, with their levels and slices.

    Raises UsageError if a level asks for more questions than the world has.
    """
    sizes = config.skill(skill)
    rules = PathRules(starts.world.table, skill, config.leak_guards)
    roles = draw_roles(rules.table, relations, sizes.roles, draw.at("roles"))
    drawn = draw_paths(rules, relations, config.hops, sizes.paths, draw.at("paths"))
    plans = [
        make_plan(starts, skill, number, path, level_by_roles(path, roles))
        for number, path in enumerate(drawn)
    ]
    plans = [plan for plan in plans if plan.capacity[OPEN]]
    plans = hold_out_compositions(plans, config, draw.at("composition"))
    plans = deal_tests(plans, config, skill, "iid")
    plans = deal(plans, training_request(config, skill))
    plans = drop_unsupported(plans)
    if "depth" in config.levels:
        plans += deeper_paths(config, starts, rules, plans, len(drawn), draw.at("depth"))
    for level in ("composition", "zeroshot", "depth", "entity"):
        plans = deal_tests(plans, config, skill, level)
    return set_aside_for_rl(plans, sizes.rl)


def make_plan(starts: Starts, skill: str, number: int, path: RelationPath, level: str) -> PathPlan:
    """The plan of a path before any of its starts are taken."""
    capacity = {pool: len(people) for pool, people in starts.members(path).items()}
    return PathPlan(skill, number, path, level, capacity)


def level_by_roles(path: RelationPath, roles: Mapping[int, str]) -> str:
    """The level of a path: zeroshot or iid if a relation has that role, else train."""
    on_path = {roles[relation] for relation in path}
    if "zeroshot" in on_path:
        return "zeroshot"
    return "iid" if "iid" in on_path else TRAIN


def hold_out_compositions(plans: list[PathPlan], config: WorldConfig, draw: Draw) -> list[PathPlan]:
    """Half of the paths that are only trained become composition paths, for each number of hops."""
    held_out: set[int] = set()
    for hops in config.hops:
        others = [
            index
            for index, plan in enumerate(plans)
            if plan.level == TRAIN and len(plan.path) == hops
        ]
        order = draw.at(hops).permutation(len(others))[: len(others) // 2]
        held_out.update(others[index] for index in order.tolist())
    return [
        replace(plan, level="composition") if index in held_out else plan
        for index, plan in enumerate(plans)
    ]


def drop_unsupported(plans: list[PathPlan]) -> list[PathPlan]:
    """Leave out paths that got no training question, and compositions of untrained relations."""
    plans = [plan for plan in plans if not plan.trained or plan.count(TRAIN, TRAIN)]
    seen = trained_relations(plans)
    return [plan for plan in plans if plan.level != "composition" or seen.issuperset(plan.path)]


def deeper_paths(
    config: WorldConfig,
    starts: Starts,
    rules: PathRules,
    plans: list[PathPlan],
    first_number: int,
    draw: Draw,
) -> list[PathPlan]:
    """Paths of trained relations with more hops than training has."""
    relations = sorted(trained_relations(plans))
    total = max(20, config.skill(rules.skill).paths // 4)
    drawn = draw_paths(rules, relations, config.depth_hops, total, draw)
    deeper = (
        make_plan(starts, rules.skill, number, path, "depth")
        for number, path in enumerate(drawn, first_number)
    )
    return [plan for plan in deeper if plan.capacity[test_pool(config)]]


def test_pool(config: WorldConfig) -> str:
    """The pool that test questions start from."""
    return HELDOUT if config.heldout_starts else OPEN


def training_request(config: WorldConfig, skill: str) -> Request:
    return Request(
        f"{skill}.train",
        config.skill(skill).train,
        OPEN,
        TRAIN,
        TRAIN,
        config.hops,
        eligible=lambda plan: plan.trained,
    )


def deal_tests(
    plans: list[PathPlan], config: WorldConfig, skill: str, level: str
) -> list[PathPlan]:
    """Deal the test and then the validation questions of a level."""
    sizes = config.skill(skill)
    if level not in config.levels or not sizes.test(level):
        return plans
    pool = COMMUNITY if level == "entity" else test_pool(config)
    for split, total in ((TEST, sizes.test(level)), (VALIDATION, sizes.validation(level))):
        request = Request(
            f"{skill}.{level}",
            total,
            pool,
            level,
            split,
            config.depth_hops if level == "depth" else config.hops,
            reserve=int(level == "iid" and pool == OPEN),  # an iid path keeps a start to train on
            eligible=lambda plan: plan.trained if level == "entity" else plan.level == level,
        )
        plans = deal(plans, request)
    return plans


def deal(plans: list[PathPlan], request: Request) -> list[PathPlan]:
    """Deal the requested questions: hops by their shares, paths of the same hops evenly.

    Raises UsageError if the eligible paths have too few free starts.
    """
    free = {
        index: max(0, plan.free(request.pool) - request.reserve)
        for index, plan in enumerate(plans)
        if request.eligible(plan)
    }
    room = sum(free.values())
    if room < request.total:
        skill = request.field.split(".")[0]
        raise UsageError(
            f"{request.field}: {request.total:,} {request.split} questions are asked for and "
            f"this world has {room:,}; lower {request.field}, or raise known, novel or "
            f"{skill}.paths"
        )
    classes = [[k for k in free if len(plans[k].path) == hops] for hops in request.shares]
    parts = apportion_up_to(
        request.total,
        list(request.shares.values()),
        [sum(free[index] for index in members) for members in classes],
    )
    dealt = list(plans)
    for members, part in zip(classes, parts, strict=True):
        counts = apportion_up_to(part, [1.0] * len(members), [free[k] for k in members])
        for index, count in zip(members, counts, strict=True):
            dealt[index] = plans[index].take(request.level, request.split, request.pool, count)
    return dealt


def set_aside_for_rl(plans: list[PathPlan], total: int) -> list[PathPlan]:
    """The last starts of each path's training slice form the RL subset, in proportion."""
    counts = [plan.count(TRAIN, TRAIN) for plan in plans]
    parts = apportion_up_to(total, list(map(float, counts)), counts)
    aside = []
    for plan, count in zip(plans, parts, strict=True):
        if count:
            train = plan.slices[TRAIN, TRAIN]
            part = Slice(train.pool, train.end - count, train.end)
            aside.append(replace(plan, slices={**plan.slices, (RL, RL): part}))
        else:
            aside.append(plan)
    return aside


def trained_relations(plans: Iterable[PathPlan]) -> set[int]:
    """The relations of the trained paths."""
    return {relation for plan in plans if plan.trained for relation in plan.path}


def people_in_training(starts: Starts, plans: Iterable[PathPlan]) -> NDArray[np.bool_]:
    """[people] True for the people on the chains of training questions."""
    world = starts.world
    in_train = np.zeros(len(world.people), bool)
    for plan in plans:
        if (TRAIN, TRAIN) in plan.slices:
            walk = world.walk(plan.path, plan.starts(starts, TRAIN, TRAIN))
            in_train[walk[:, : world.table.people_on(plan.path)]] = True
    return in_train
