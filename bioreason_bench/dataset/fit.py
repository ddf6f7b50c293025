"""Sizes that a user's graph can reach.

A preset asks for more questions than some graphs have.  `fit_sizes` lowers the sizes that the user
has not chosen, one at a time, until the data set can be planned.  `make_or_explain` lowers nothing,
and names every size that the world cannot reach.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from bioreason_bench.config import WorldConfig
from bioreason_bench.dataset.dataset import Dataset, further_sets, make_dataset, plan_paths
from bioreason_bench.draw import Draw
from bioreason_bench.errors import Shortage, UsageError, all_at_once
from bioreason_bench.questions.certificates import Certificates
from bioreason_bench.questions.contexts import Contexts
from bioreason_bench.questions.records import Writer
from bioreason_bench.splits.starts import Starts
from bioreason_bench.taxonomy import KIND_NAMES, LEVELS, SKILLS
from bioreason_bench.world.facts import make_world

__all__ = ["fit_sizes", "make_or_explain"]

Changes = dict[str, tuple[int, int]]  # field -> what was asked for, and what is left of it
SIZES = ("train", "rl", *LEVELS, *KIND_NAMES)


def make_or_explain(config: WorldConfig) -> Dataset:
    """Make the data set.

    Raises:
        UsageError: The configuration cannot be met; names every size that is too large.
    """
    try:
        return make_dataset(config)
    except Shortage:
        fields = [f"{skill}.{name}" for skill in SKILLS for name in SIZES]
        _fit(config, fixed=fields)
        raise  # not reached in practice: the same plan has just failed


def fit_sizes(config: WorldConfig, fixed: Collection[str]) -> tuple[WorldConfig, Changes]:
    """Lower the numbers of questions that the world cannot reach.

    A graph with few relations between people may have no alternatives for as many distractors as
    the configuration asks for, and then no question of a skill.  In that case there are as many
    distractors as leave questions of most skills.

    Args:
        config: The configuration.
        fixed: Fields that must not change, such as comp.train.

    Returns:
        The configuration that can be met, and what was changed.

    Raises:
        UsageError: A fixed field asks for too much, or no question is left.
    """
    fewest = config.distractors if "distractors" in fixed else 0
    best = _fit(config, fixed)
    for distractors in range(config.distractors - 1, fewest - 1, -1):
        if _trained(best) == _trained(config):
            break
        fitted = _fit(replace(config, distractors=distractors), fixed)
        best = fitted if _trained(fitted) > _trained(best) else best
    if not _trained(best):
        raise UsageError(
            f"{config.facts} has no path of {' or '.join(map(str, config.hops))} hops whose "
            "people are all different; add facts, or lower distractors"
        )
    return best, _changes(config, best)


def _trained(config: WorldConfig) -> int:
    """The number of skills with training questions."""
    return sum(config.skill(skill).train > 0 for skill in SKILLS)


def _fit(config: WorldConfig, fixed: Collection[str]) -> WorldConfig:
    """Lower sizes, one after another, until the data set can be planned.

    Raises UsageError, with all of them, if any of these sizes is fixed.
    """
    root = Draw(config.seed)
    starts = Starts(make_world(config), root.at("splits"))
    refused: dict[str, Shortage] = {}  # by field; the first shortage has the number asked for
    while True:
        try:
            _plan(config, starts, root)
        except Shortage as shortage:
            config, changed = _lower(config, shortage, fixed)
            if changed & set(fixed):
                refused.setdefault(shortage.field, shortage)
        else:
            break
    if refused:
        raise all_at_once(list(refused.values()))
    return config


def _plan(config: WorldConfig, starts: Starts, root: Draw) -> None:
    """Decide everything that could raise Shortage."""
    paths = plan_paths(config, starts)
    certificates = Certificates.collect(starts, paths)
    writer = Writer(starts, Contexts(starts, root.at("contexts")), root.at("wording"))
    list(further_sets(config, paths, certificates, writer, root))


def _lower(
    config: WorldConfig, shortage: Shortage, fixed: Collection[str]
) -> tuple[WorldConfig, set[str]]:
    """The configuration without the shortage, and the fields that are lowered for it.

    What depends on a lowered size is lowered with it.
    """
    skill, _, field = shortage.field.partition(".")
    sizes = config.skill(skill)
    asked, room = getattr(sizes, field), shortage.available
    if shortage.what.startswith("validation"):  # a tenth of the test questions, dealt after them
        room += asked
    if shortage.field in fixed:  # what is told of other sizes must hold for a sensible choice here
        room //= 2
    if field == "iid":
        room = room * 2 // 3  # other kinds of questions need starts of the same paths
    left = {field: min(asked - 1, room * 10 // 11 if field in LEVELS else room)}
    if field == "train":  # questions for reinforcement learning are dealt from the same starts
        share = room * sizes.rl // (asked + sizes.rl)
        left["rl"] = min(sizes.rl, room if f"{skill}.rl" in fixed else share)
        left["train"] = room - left["rl"]
        if not left["train"]:
            left |= dict.fromkeys(SIZES, 0)
    changed = [name for name, count in left.items() if count != getattr(sizes, name)]
    fitted: dict[str, Any] = {skill: replace(sizes, **{name: left[name] for name in changed})}
    return replace(config, **fitted), {f"{skill}.{name}" for name in changed}


def _changes(before: WorldConfig, after: WorldConfig) -> Changes:
    changes = {
        f"{skill}.{name}": (asked, left)
        for skill in SKILLS
        for name in SIZES
        if (asked := getattr(before.skill(skill), name))
        != (left := getattr(after.skill(skill), name))
    }
    if after.distractors < before.distractors:
        changes["distractors"] = (before.distractors, after.distractors)
    return changes
