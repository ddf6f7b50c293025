"""Pairs of questions that swap the object of one hop.

A question and a donor question of the same path give an altered chain: up to the hop it is the
question's own, from the donated object on it is the donor's.  So it is as long and leads to another
answer.  Two rules use this:

    counterfactual   the last hop that is read; the context is altered accordingly
    conflict         the last hop, recalled, of an exclusive relation (a person has one place of
                     death, but may have two hobbies); the context contradicts the fact
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import Draw
from bioreason_bench.errors import Shortage
from bioreason_bench.splits.levels import PathPlan, remedy
from bioreason_bench.splits.paths import RelationPath, can_conflict
from bioreason_bench.splits.shares import apportion_up_to
from bioreason_bench.splits.starts import Starts
from bioreason_bench.world.relations import RelationTable

__all__ = ["CONFLICT", "COUNTERFACTUAL", "Swap", "SwapRule", "sample_swaps"]

MAX_PATHS = 40  # paths tried first of each number of hops
MAX_TRIES = 40  # donors tried for each question


@dataclass(frozen=True)
class Swap:
    """Questions of one path and the donor of each.

    Attributes:
        plan: The path.
        hop: The hop whose object is swapped.
        starts: [questions] where the questions start.
        donors: [questions] where the donor questions start.
    """

    plan: PathPlan
    hop: int
    starts: NDArray[np.int32]
    donors: NDArray[np.int32]


@dataclass(frozen=True)
class SwapRule:
    """What may be swapped.

    Attributes:
        name: The kind of question, as in taxonomy.QUESTION_KINDS.
        hop: (table, path, hop) -> whether the object of this hop may be swapped.
        question: (starts, path, hop, walk) -> [questions] whether the question may be altered.
        donor: (starts, path, hop, donor walk) -> [questions] whether the donor may give its object.
    """

    name: str
    hop: Callable[[RelationTable, RelationPath, int], bool]
    question: Callable[[Starts, RelationPath, int, NDArray], NDArray[np.bool_]]
    donor: Callable[[Starts, RelationPath, int, NDArray], NDArray[np.bool_]]


def _last_read(table: RelationTable, path: RelationPath, hop: int) -> bool:
    """Whether the hop is the last one that is read: nothing else in the context follows from it."""
    return table.pattern(path).rindex("C") == hop


def _exclusive_recall(table: RelationTable, path: RelationPath, hop: int) -> bool:
    return hop + 1 == len(path) and can_conflict(table, path)


def _all_ready(starts: Starts, path: RelationPath, hop: int, walk: NDArray) -> NDArray[np.bool_]:
    """[questions] True where everybody who could be at the hop has a biography for the context.

    Nobody of them is in the context already.
    """
    branches = starts.branches(path)
    _, others = branches.alternatives(hop - 1, walk[:, hop - 1])
    last = np.concatenate([walk[:, hop, None], others], axis=1)
    tree = branches.grow(walk[:, 0])
    before = np.concatenate([tree.people[position] for position in branches.read], axis=1)
    fresh = ~np.any(last[:, :, None] == before[:, None, :], axis=(1, 2))
    ready: NDArray[np.bool_] = np.all(branches.ready[last], axis=1)
    return ready & fresh


def _not_implied(starts: Starts, path: RelationPath, hop: int, walk: NDArray) -> NDArray[np.bool_]:
    """[questions] True where no parametric biography states the mirror of the hop."""
    return ~starts.implied(path[hop], walk[:, hop], walk[:, hop + 1])


COUNTERFACTUAL = SwapRule("counterfactual", _last_read, _not_implied, _not_implied)
CONFLICT = SwapRule(
    "conflict",
    hop=_exclusive_recall,
    question=_all_ready,
    donor=lambda starts, path, hop, walk: np.ones(len(walk), bool),
)


def sample_swaps(
    rule: SwapRule,
    starts: Starts,
    plans: Sequence[PathPlan],
    total: int,
    *,
    pool: str,
    taken: Sequence[Swap],
    draw: Draw,
) -> list[Swap]:
    """`total` questions on the trained paths among `plans`, hops in their configured shares.

    Their starts are from `pool`, in no split and not in `taken`.  Raises Shortage if there are too
    few.
    """
    in_use = {swap.plan.number: swap.starts for swap in taken}
    shares: Mapping[int, float] = starts.world.config.hops
    by_hops: dict[int, list[Swap]] = {}
    for limit in (4 * total // MAX_PATHS + 16, None):  # few starts of each path, then all of them
        for hops in shares:
            members = [
                plan
                for plan in plans
                if plan.trained and len(plan.path) == hops and swappable(rule, starts, plan.path)
            ]
            order = draw.at("paths", rule.name, hops).permutation(len(members)).tolist()
            by_hops[hops] = [
                _swap_path(rule, starts, plan, free[:limit], draw)
                for plan in (members[index] for index in order[: MAX_PATHS if limit else None])
                if len(free := _free_starts(starts, plan, pool, in_use.get(plan.number)))
            ]
        sizes = [sum(len(swap.starts) for swap in swaps) for swaps in by_hops.values()]
        if sum(sizes) >= total:
            break
    else:
        name = f"comp.{rule.name}"
        raise Shortage(name, "questions", total, sum(sizes), remedy(starts.world.config, name))
    sampled: list[Swap] = []
    for part, swaps in zip(
        apportion_up_to(total, list(shares.values()), sizes), by_hops.values(), strict=True
    ):
        counts = apportion_up_to(part, [1.0] * len(swaps), [len(swap.starts) for swap in swaps])
        sampled += [
            replace(swap, starts=swap.starts[:count], donors=swap.donors[:count])
            for swap, count in zip(swaps, counts, strict=True)
            if count
        ]
    return sampled


def swappable(rule: SwapRule, starts: Starts, path: RelationPath) -> bool:
    """Whether the path has a hop for the rule."""
    return any(rule.hop(starts.world.table, path, hop) for hop in range(len(path)))


def _free_starts(
    starts: Starts, plan: PathPlan, pool: str, taken: NDArray[np.int32] | None
) -> NDArray[np.int32]:
    """The path's starts that neither a split nor `taken` uses, in drawn order."""
    free = starts.first(plan.path, pool, plan.capacity[pool])[plan.used(pool) :]
    return free if taken is None else free[~np.isin(free, taken)]


def _swap_path(
    rule: SwapRule, starts: Starts, plan: PathPlan, mine: NDArray[np.int32], draw: Draw
) -> Swap:
    """Those of the questions from `mine` for which a donor is found."""
    world, path = starts.world, plan.path
    stream = draw.at(rule.name, *world.table.path_names(path))
    hop = next(hop for hop in range(len(path)) if rule.hop(world.table, path, hop))
    everybody = np.sort(np.concatenate(list(starts.members(path).values())))
    walk, donors = world.walk(path, mine), np.full(len(mine), -1, np.int32)
    open_rows = rule.question(starts, path, hop, walk)
    for turn in range(MAX_TRIES):
        rows = np.flatnonzero(open_rows & (donors < 0))
        if rows.size:
            donor = everybody[stream.at(turn).integers(mine[rows], len(everybody))]
            donor_walk = world.walk(path, donor)
            fit = rule.donor(starts, path, hop, donor_walk)
            fit &= _compatible(starts, path, hop, walk[rows], donor_walk)
            donors[rows[fit]] = donor[fit]
    return Swap(plan, hop, mine[donors >= 0], donors[donors >= 0])


def _compatible(
    starts: Starts, path: RelationPath, hop: int, walk: NDArray, donor: NDArray
) -> NDArray[np.bool_]:
    """[questions] True where question and donor can be joined.

    Nobody is on both chains, the answers differ, the objects have the same status, and the new
    object is not related to the subject already (nobody becomes both spouse and sibling).
    """
    world = starts.world
    people = world.table.people_on(path)
    fit = walk[:, -1] != donor[:, -1]
    for column in range(people):
        fit &= (walk[:, column, None] != donor[:, :people]).all(axis=1)
    if world.table[path[hop]].to_person:
        old, new = walk[:, hop + 1], donor[:, hop + 1]
        fit &= (world.community[old] == world.community[new]) & (
            world.known[old] == world.known[new]
        )
        to_people = [number for number, row in enumerate(world.table.relations) if row.to_person]
        fit &= (world.objects[to_people][:, walk[:, hop]] != new).all(axis=0)
    return fit
