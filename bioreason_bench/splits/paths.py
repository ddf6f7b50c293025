"""Relation paths of a skill: which are valid, and which of them are drawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations

import numpy as np

from bioreason_bench.draw import Draw
from bioreason_bench.splits.shares import apportion_up_to
from bioreason_bench.world.relations import RelationTable

__all__ = ["PathRules", "RelationPath", "draw_paths"]

RelationPath = tuple[int, ...]  # relation numbers, first hop first
MAX_LISTED = 100_000  # candidates that are enumerated; of more than that a sample is drawn


@dataclass(frozen=True)
class PathRules:
    """What makes a sequence of relations a path of a skill.

    Attributes:
        table: The relation table.
        skill: `comp` paths mix the groups.
        leak_guards: With leak guards a comp path holds no inverse pair: the sentence that gives
            away the recalled hop would be the very one that another hop asks for.
    """

    table: RelationTable
    skill: str
    leak_guards: bool

    def allow(self, path: RelationPath) -> bool:
        """Whether `path` is valid.

        No relation twice, only people on the way, no step straight back through an inverse.
        """
        relations = [self.table[number] for number in path]
        if len(set(path)) < len(path):
            return False
        if not all(relation.to_person for relation in relations[:-1]):
            return False
        if self.skill == "comp":
            if len({relation.group for relation in relations}) < 2:
                return False
            names = {relation.name for relation in relations}
            if self.leak_guards and any(
                relation.inverse in names and not relation.symmetric for relation in relations
            ):
                return False
        return all(after.name != before.inverse for before, after in pairwise(relations))


def draw_paths(
    rules: PathRules,
    relations: Sequence[int],
    shares: Mapping[int, float],
    total: int,
    draw: Draw,
) -> list[RelationPath]:
    """At most `total` distinct paths over `relations`, their numbers of hops in the given shares.

    Where there are too few short paths, longer ones take their share (there are about 300
    two-hop comp paths in all).
    """
    candidates = {
        hops: list(_candidates(rules, relations, hops, total, draw.at(hops))) for hops in shares
    }
    parts = apportion_up_to(
        total, list(shares.values()), [len(candidates[hops]) for hops in shares]
    )
    return [
        path for hops, part in zip(shares, parts, strict=True) for path in candidates[hops][:part]
    ]


def _candidates(
    rules: PathRules, relations: Sequence[int], hops: int, total: int, draw: Draw
) -> Iterator[RelationPath]:
    """Up to `total` valid paths of `hops` hops, in drawn order."""
    to_people = [number for number in relations if rules.table[number].to_person]
    sequences: Iterable[RelationPath]
    if len(to_people) ** (hops - 1) * len(relations) <= MAX_LISTED:
        listed = [(*way, last) for way in permutations(to_people, hops - 1) for last in relations]
        sequences = (listed[index] for index in draw.permutation(len(listed)))
    else:
        tries = np.arange(40 * total + 1000)
        columns = [
            np.asarray(to_people)[draw.at(hop).integers(tries, len(to_people))]
            for hop in range(hops - 1)
        ]
        columns.append(np.asarray(relations)[draw.at("last").integers(tries, len(relations))])
        sequences = dict.fromkeys(zip(*(column.tolist() for column in columns), strict=True))
    count = 0
    for path in sequences:
        if count < total and rules.allow(path):
            count += 1
            yield path
