"""How many questions each path has at each level.

draw paths with their levels → deal zero-shot tests → deal iid tests and training questions → drop
what training does not support → add longer paths → deal the other tests.  Every step takes a list
of `PathPlan` and returns a new one.  See docs/design.md, Paths and levels.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.config import WorldConfig
from bioreason_bench.draw import Draw
from bioreason_bench.errors import Shortage
from bioreason_bench.splits.holdout import (
    TRAIN,
    Leveled,
    draw_by_folds,
    draw_by_roles,
    draw_deeper,
    shape,
)
from bioreason_bench.splits.paths import PathRules, RelationPath, can_conflict
from bioreason_bench.splits.roles import Pair, pairs_of
from bioreason_bench.splits.shares import apportion_up_to
from bioreason_bench.splits.starts import COMMUNITY, HELDOUT, OPEN, Starts
from bioreason_bench.world.relations import RelationTable

__all__ = [
    "RL",
    "TEST",
    "TRAIN",
    "VALIDATION",
    "PathPlan",
    "people_in_training",
    "plan_skill",
    "test_pool",
    "trained_pairs",
    "trained_relations",
]

TEST, VALIDATION, RL = "test", "validation", "rl"
HELD_OUT = (1.0, 0.85, 0.7, 0.5)  # of `heldout_pairs`, tried in turn
UNEVEN = 1.5  # times its equal share of zero-shot questions that a relation or a group may have
FEW, UNEVEN_IF_FEW = 100, 2.5  # the same where there are fewer questions than FEW
ROUNDS = 40  # of changing weights until no relation and no group has more
CONFLICTING = 12  # paths that are added where the drawn ones have too few knowledge conflicts


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
        level: See `Leveled`.
        unseen: The zero-shot relations on it.
        capacity: Valid starts by pool.
        slices: (level, split) -> the starts taken.
    """

    skill: str
    number: int
    path: RelationPath
    level: str
    unseen: tuple[int, ...]
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
    """So many questions of a split, for the paths that may have them.

    Attributes:
        field: The preset's field, such as comp.zeroshot.
        total: Questions.
        pool: The pool that they start from.
        level: Level and
        split: split that get them.
        eligible: Which paths may have them.
        stratum: What the questions are dealt by; evenly among the paths of a stratum.
        weights: Stratum -> share of the questions; what a stratum cannot hold goes to the others.
        reserve: Starts of each path that stay free for a later request.
        remedy: What to do where there are too few, for the error message.
    """

    field: str
    total: int
    pool: str
    level: str
    split: str
    eligible: Callable[[PathPlan], bool]
    stratum: Callable[[PathPlan], Hashable]
    weights: Mapping[Hashable, float]
    reserve: int = 0
    remedy: str = ""


def plan_skill(
    config: WorldConfig,
    starts: Starts,
    skill: str,
    relations: Sequence[int],
    folds: Mapping[int, int],
    draw: Draw,
) -> list[PathPlan]:
    """The skill's paths over `relations`, with their levels and slices.

    Raises Shortage if a level asks for more questions than the world has.
    """
    table = starts.world.table
    rules = PathRules(table, skill, config.leak_guards, bool(config.distractors))
    if config.scheme == "roles":
        leveled = draw_by_roles(config, rules, relations, draw)
        plans = make_plans(starts, skill, leveled, 0)
    else:
        leveled, plans = paths_by_folds(config, starts, rules, relations, folds, draw)
    plans = [plan for plan in plans if plan.capacity[OPEN] or not plan.trained]
    longest = max((len(plan.path) for plan in plans if plan.trained), default=0)
    plans = [plan for plan in plans if len(plan.path) <= longest]  # longer ones are the level depth
    plans = deal_tests(plans, config, table, skill, "zeroshot")
    plans = deal_tests(plans, config, table, skill, "iid")
    plans = deal(plans, training_request(config, skill))
    plans = drop_unsupported(plans)
    check_iid(plans, config, skill)
    if "depth" in config.levels and config.skill(skill).depth:
        plans += deeper_plans(plans, config, starts, rules, len(leveled), draw.at("depth"))
    for level in ("composition", "depth", "entity"):
        plans = deal_tests(plans, config, table, skill, level)
    if config.scheme == "roles":
        return set_aside_for_rl(plans, config.skill(skill).rl)
    return deal(plans, training_request(config, skill, RL))


def paths_by_folds(
    config: WorldConfig,
    starts: Starts,
    rules: PathRules,
    relations: Sequence[int],
    folds: Mapping[int, int],
    draw: Draw,
) -> tuple[list[Leveled], list[PathPlan]]:
    """The paths of a skill in the scheme `folds`, and their plans.

    A small world may have too few trained paths: then fewer pairs of relations are held out, and
    paths for knowledge conflicts are added.
    """
    sizes = config.skill(rules.skill)
    needed = sizes.train + sizes.rl
    leveled: list[Leveled] = []
    plans: list[PathPlan] = []
    for share in HELD_OUT:
        for conflicting in (0, CONFLICTING):
            leveled = draw_by_folds(
                config, rules, relations, folds, draw, share=share, conflicting=conflicting
            )
            plans = make_plans(starts, rules.skill, leveled, 0)
            if rules.skill != "comp" or not too_few_conflicts(plans, config, rules.table):
                break
        if sum(plan.capacity[OPEN] for plan in plans if plan.trained) >= needed:
            break
    return leveled, plans


def too_few_conflicts(plans: Iterable[PathPlan], config: WorldConfig, table: RelationTable) -> bool:
    """Whether the trained paths have hardly any start for the knowledge conflicts asked for."""
    able = (plan for plan in plans if plan.trained and can_conflict(table, plan.path))
    return sum(plan.capacity[OPEN] for plan in able) < config.comp.conflict


def make_plans(
    starts: Starts, skill: str, leveled: Sequence[Leveled], first: int
) -> list[PathPlan]:
    """The plans of paths before any starts are taken; paths without starts are left out."""
    plans = []
    for number, one in enumerate(leveled, first):
        tried = starts.most_tried // (1 if one.level in ("iid", TRAIN) else 2)
        capacity = {pool: len(people) for pool, people in starts.members(one.path, tried).items()}
        if any(capacity.values()):
            plans.append(PathPlan(skill, number, one.path, one.level, one.unseen, capacity))
    return plans


def deeper_plans(
    plans: Iterable[PathPlan],
    config: WorldConfig,
    starts: Starts,
    rules: PathRules,
    first: int,
    draw: Draw,
) -> list[PathPlan]:
    """The plans of longer paths: a quarter of the skill's paths, more if they have too few starts.

    Few people have all the relations of a long path, in some worlds fewer than in others.
    """
    trained = [plan.path for plan in plans if plan.trained]
    sizes, pool = config.skill(rules.skill), test_pool(config)
    total = max(20, sizes.paths // 4)
    while True:
        leveled = draw_deeper(config, rules, trained, total, draw)
        deeper = make_plans(starts, rules.skill, leveled, first)
        room = sum(plan.free(pool) for plan in deeper)
        if room >= sizes.test("depth") + sizes.validation("depth") or len(leveled) < total:
            return deeper
        total *= 2


def drop_unsupported(plans: list[PathPlan]) -> list[PathPlan]:
    """Leave out paths that got no training question, and compositions that training shows.

    A composition path needs relations that are all trained and, where pairs are held out, at least
    one pair that is not.
    """
    plans = [plan for plan in plans if not plan.trained or plan.count(TRAIN, TRAIN)]
    seen = trained_relations(plans)
    return [plan for plan in plans if plan.level != "composition" or seen.issuperset(plan.path)]


def check_iid(plans: Iterable[PathPlan], config: WorldConfig, skill: str) -> None:
    """Raise Shortage if iid questions were on paths that got no training question."""
    asked = config.skill(skill).test("iid") if "iid" in config.levels else 0
    kept = sum(plan.count("iid", TEST) for plan in plans)
    if kept < asked:
        field = f"{skill}.iid"
        advice = f"lower {field}, or raise {skill}.train"
        raise Shortage(field, "test questions", asked, kept, advice)


def test_pool(config: WorldConfig) -> str:
    """The pool that test questions start from."""
    return HELDOUT if config.heldout_starts else OPEN


def training_request(config: WorldConfig, skill: str, split: str = TRAIN) -> Request:
    """The training or RL questions of a skill: hops by their shares, paths evenly."""
    return Request(
        f"{skill}.{split}",
        getattr(config.skill(skill), split),
        OPEN,
        split,
        split,
        eligible=lambda plan: plan.trained,
        stratum=lambda plan: len(plan.path),
        weights=by_hops(config.hops),
        remedy=remedy(config, f"{skill}.{split}"),
    )


def by_hops(shares: Mapping[int, float]) -> dict[Hashable, float]:
    """The weights of strata that are numbers of hops."""
    weights: dict[Hashable, float] = {}
    weights.update(shares.items())
    return weights


def remedy(config: WorldConfig, field: str) -> str:
    """What to do where the world has fewer questions than the field asks for."""
    if config.facts:
        return f"lower {field} or distractors, or add facts"
    if config.relations:
        return f"lower {field} or distractors, or raise known, novel or {field.split('.')[0]}.paths"
    return f"lower {field}, or raise known, novel or {field.split('.')[0]}.paths"


def deal_tests(
    plans: list[PathPlan], config: WorldConfig, table: RelationTable, skill: str, level: str
) -> list[PathPlan]:
    """Deal the test and then the validation questions of a level.

    Zero-shot questions are spread evenly over the groups and relations that are unseen; iid and
    composition questions then get the same shares of patterns and of answers that are people.
    """
    sizes = config.skill(skill)
    if level not in config.levels or not sizes.test(level):
        return plans
    pool = COMMUNITY if level == "entity" else test_pool(config)
    hops = config.depth_hops if level == "depth" else config.hops
    stratum: Callable[[PathPlan], Hashable] = lambda plan: len(plan.path)  # noqa: E731
    weights: Mapping[Hashable, float] = by_hops(hops)
    matched = level in ("iid", "composition") and shape_counts(plans, table)
    if config.scheme == "folds" and level == "zeroshot":
        stratum = lambda plan: (plan.unseen, len(plan.path))  # noqa: E731
        weights = zero_shot_weights(plans, config, table)
    elif config.scheme == "folds" and matched:
        stratum, weights = (lambda plan: shape(plan.path, table)), matched
    request = Request(
        f"{skill}.{level}",
        sizes.test(level),
        pool,
        level,
        TEST,
        eligible=lambda plan: plan.trained if level == "entity" else plan.level == level,
        stratum=stratum,
        weights=weights,
        reserve=int(level == "iid" and pool == OPEN),  # an iid path keeps a start to train on
        remedy=remedy(config, f"{skill}.{level}"),
    )
    if config.scheme == "folds" and level == "zeroshot":
        request = replace(request, weights=evened(plans, request, table))
    plans = deal(plans, request)
    return deal(plans, replace(request, total=sizes.validation(level), split=VALIDATION))


def shape_counts(plans: Iterable[PathPlan], table: RelationTable) -> dict[Hashable, float]:
    """Shape -> zero-shot test questions."""
    counts: dict[Hashable, float] = {}
    for plan in plans:
        if number := plan.count("zeroshot", TEST):
            key = shape(plan.path, table)
            counts[key] = counts.get(key, 0.0) + number
    return counts


def zero_shot_weights(
    plans: Iterable[PathPlan], config: WorldConfig, table: RelationTable
) -> dict[Hashable, float]:
    """(unseen relations, hops) -> share of the zero-shot questions.

    Evenly over the groups of what is unseen (recalled, read, both), then so that the relations of a
    group occur about equally often in all, then by hops.
    """
    groups: dict[str, set[tuple[int, ...]]] = {}
    for plan in plans:
        if plan.level == "zeroshot":
            groups.setdefault("".join(sorted(table.pattern(plan.unseen))), set()).add(plan.unseen)
    both = even_weights(sorted(groups["CP"])) if "CP" in groups else {}
    weights: dict[tuple[int, ...], float] = {}
    for name, sets in groups.items():
        shares = both if len(name) == 2 else compensate(sorted(sets), both)
        weights |= {unseen: share / len(groups) for unseen, share in shares.items()}
    return {
        (unseen, hops): weight * share
        for unseen, weight in weights.items()
        for hops, share in config.hops.items()
    }


def evened(
    plans: list[PathPlan], request: Request, table: RelationTable
) -> Mapping[Hashable, float]:
    """The weights of zero-shot questions, changed where few starts make what is dealt uneven.

    What a stratum cannot hold goes to all others, so that some relations get too many questions.
    Then the weights of these and of their group fall, those of the others rise, and so on.  Returns
    the weights of the most even round.
    """
    limit = UNEVEN if request.total >= FEW else UNEVEN_IF_FEW
    weights, best, least = dict(request.weights), request.weights, float("inf")
    for _ in range(ROUNDS):
        shares = shares_of_unseen(deal(plans, replace(request, weights=weights)), table)
        worst = max(shares.values(), default=0.0)
        if worst < least:
            best, least = dict(weights), worst
        if worst <= limit:
            break
        for key in weights:
            unseen, _ = cast("tuple[tuple[int, ...], int]", key)
            factor = shares.get("".join(sorted(table.pattern(unseen))), 1.0)
            for number in unseen:
                factor *= shares.get(number, 1.0) ** (1 / len(unseen))
            weights[key] /= max(factor, 0.1) ** 0.5
    return best


def shares_of_unseen(plans: Iterable[PathPlan], table: RelationTable) -> dict[Hashable, float]:
    """Zero-shot test questions of each unseen relation and group, relative to an equal share."""
    relations: dict[Hashable, float] = {}
    groups: dict[Hashable, float] = {}
    for plan in plans:
        if plan.level == "zeroshot":
            count, group = plan.count("zeroshot", TEST), "".join(sorted(table.pattern(plan.unseen)))
            groups[group] = groups.get(group, 0.0) + count
            for number in plan.unseen:
                relations[number] = relations.get(number, 0.0) + count
    return {
        key: count * len(counts) / max(1.0, sum(counts.values()))
        for counts in (relations, groups)
        for key, count in counts.items()
    }


def compensate(
    sets: Sequence[tuple[int, ...]], both: Mapping[tuple[int, ...], float]
) -> dict[tuple[int, ...], float]:
    """Weights of single relations, summing to 1, lower where pairs in `both` hold them often."""
    taken = {one: sum(w for pair, w in both.items() if one[0] in pair) for one in sets}
    target = (1 + sum(taken.values())) / len(sets)  # of a relation, alone and in pairs
    left = {one: max(0.1 / len(sets), target - taken[one]) for one in sets}
    return {one: weight / sum(left.values()) for one, weight in left.items()}


def even_weights(sets: Sequence[tuple[int, ...]]) -> dict[tuple[int, ...], float]:
    """Weights, summing to 1, by which the relations of a side occur about equally often.

    Sets of one relation get equal weights.  Where not every first relation meets every second one,
    both sides cannot be even at once: then the mean of the weights that are even for one side.
    Found by iterative proportional fitting.
    """
    weights = dict.fromkeys(sets, 1.0 / len(sets))
    mean = dict.fromkeys(sets, 0.0)
    sides = len(sets[0])
    for turn in range(60):
        totals: dict[int, float] = {}
        for one, weight in weights.items():
            totals[one[turn % sides]] = totals.get(one[turn % sides], 0.0) + weight
        for one in weights:
            weights[one] /= totals[one[turn % sides]] * len(totals)
            mean[one] += weights[one] / sides if turn >= 60 - sides else 0.0
    return mean


def deal(plans: list[PathPlan], request: Request) -> list[PathPlan]:
    """Deal the requested questions: strata by their weights, the paths of a stratum evenly.

    Raises Shortage if the eligible paths have too few free starts.
    """
    free = {
        index: max(0, plan.free(request.pool) - request.reserve)
        for index, plan in enumerate(plans)
        if request.eligible(plan)
    }
    room = sum(free.values())
    if room < request.total:
        what = f"{request.split} questions"
        raise Shortage(request.field, what, request.total, room, request.remedy)
    strata: dict[Hashable, list[int]] = {key: [] for key in request.weights}
    for index in free:
        strata.setdefault(request.stratum(plans[index]), []).append(index)
    parts = apportion_up_to(
        request.total,
        [request.weights.get(key, 0.0) for key in strata],
        [sum(free[index] for index in members) for members in strata.values()],
    )
    dealt = list(plans)
    for members, part in zip(strata.values(), parts, strict=True):
        counts = apportion_up_to(part, [1.0] * len(members), [free[k] for k in members])
        for index, count in zip(members, counts, strict=True):
            dealt[index] = plans[index].take(request.level, request.split, request.pool, count)
    return dealt


def set_aside_for_rl(plans: list[PathPlan], total: int) -> list[PathPlan]:
    """As in the paper: the last starts of each path's training slice form the RL subset."""
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


def trained_pairs(plans: Iterable[PathPlan]) -> set[Pair]:
    """The adjacent pairs of relations of the trained paths."""
    return pairs_of(plan.path for plan in plans if plan.trained)


def people_in_training(starts: Starts, plans: Iterable[PathPlan]) -> NDArray[np.bool_]:
    """[people] True for the people on the chains of training questions."""
    world = starts.world
    in_train = np.zeros(len(world.people), bool)
    for plan in plans:
        if (TRAIN, TRAIN) in plan.slices:
            walk = world.walk(plan.path, plan.starts(starts, TRAIN, TRAIN))
            in_train[walk[:, : world.table.people_on(plan.path)]] = True
    return in_train
