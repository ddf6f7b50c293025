"""Certificates: the columns of a question that say what training has and has not used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.questions.sets import Columns
from bioreason_bench.splits.levels import (
    PathPlan,
    people_in_training,
    trained_pairs,
    trained_relations,
)
from bioreason_bench.splits.paths import RelationPath
from bioreason_bench.splits.roles import Pair, pairs_of
from bioreason_bench.splits.starts import Starts
from bioreason_bench.world.facts import World
from bioreason_bench.world.relations import PARAMETRIC

__all__ = ["Certificates", "direction_seen", "heldout_wordings"]


@dataclass(frozen=True)
class Certificates:
    """What the training questions of each skill use.

    Attributes:
        starts: The world and its starts.
        relations: Skill -> relations on its training paths.
        pairs: Skill -> ordered pairs of relations that are adjacent on its training paths.
        people: Skill -> [people] True for the people on the chains of its training questions.
        max_hops: Skill -> hops of its longest training path.
    """

    starts: Starts
    relations: Mapping[str, set[int]]
    pairs: Mapping[str, set[Pair]]
    people: Mapping[str, NDArray[np.bool_]]
    max_hops: Mapping[str, int]

    @classmethod
    def collect(cls, starts: Starts, paths: Mapping[str, Sequence[PathPlan]]) -> Certificates:
        """From the paths of every skill."""
        return cls(
            starts,
            {skill: trained_relations(plans) for skill, plans in paths.items()},
            {skill: trained_pairs(plans) for skill, plans in paths.items()},
            {skill: people_in_training(starts, plans) for skill, plans in paths.items()},
            {
                skill: max((len(plan.path) for plan in plans if plan.trained), default=0)
                for skill, plans in paths.items()
            },
        )

    def write(
        self,
        skill: str,
        path: RelationPath,
        walk: NDArray,
        *,
        path_in_train: bool,
        start_in_train: bool = False,
    ) -> Columns:
        """The certificates of the questions with these walks ([questions, hops + 1] ids)."""
        size, table = len(walk), self.starts.world.table
        unseen = [table[number].name for number in path if number not in self.relations[skill]]
        in_train = self.people[skill][walk[:, : table.people_on(path)]]
        return {
            "path_in_train": [path_in_train] * size,
            "unseen_relations": [unseen] * size,
            "pairs_unseen": [len(pairs_of([path]) - self.pairs[skill])] * size,
            "start_in_train": [start_in_train] * size,
            "hops_beyond_train": [max(0, len(path) - self.max_hops[skill])] * size,
            "people_in_train": in_train.sum(axis=1).tolist(),
            "direction_seen": direction_seen(self.starts, path, walk),
            "heldout_wordings": heldout_wordings(self.starts.world, path, walk),
        }


def direction_seen(starts: Starts, path: RelationPath, walk: NDArray) -> list[bool]:
    """[questions] True where every hop asks in a direction that training states.

    False where a hop reverses a fact of a parametric biography.
    """
    reversed_fact = np.zeros(len(walk), bool)
    for hop, relation in enumerate(path):
        reversed_fact |= starts.implied(relation, walk[:, hop], walk[:, hop + 1])
    seen: list[bool] = (~reversed_fact).tolist()
    return seen


def heldout_wordings(world: World, path: RelationPath, walk: NDArray) -> list[int]:
    """[questions] recalled hops whose subject's biographies keep two wordings out."""
    recalled = [hop for hop, number in enumerate(path) if world.table[number].group == PARAMETRIC]
    counts: list[int] = world.people.heldout_wordings[walk[:, recalled]].sum(axis=1).tolist()
    return counts
