"""Relation paths of a skill: which exist, and which of them are drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, permutations

import numpy as np

from bioreason_bench.draw import Draw
from bioreason_bench.splits.roles import split_evenly
from bioreason_bench.world.relations import RelationTable

Path = tuple[int, ...]
FEW = 100_000  # sequences that are listed one by one; of more than that a sample is drawn


def is_path(table: RelationTable, path: Path, skill: str, guards: bool) -> bool:
    """Whether the relations make a path of the skill.

    No relation twice, only people on the way, no step straight back; `comp` mixes the groups.  With `guards` a comp path holds
    no inverse pair at all: the sentence that would give away a recalled hop is the very one asked for at another.
    """
    relations = [table[number] for number in path]
    if len(set(path)) < len(path) or not all(relation.to_person for relation in relations[:-1]):
        return False
    if skill == "comp" and len({relation.group for relation in relations}) < 2:
        return False
    names = [relation.name for relation in relations]
    if guards and any(
        relation.inverse in names and not relation.symmetric for relation in relations
    ):
        return False
    return all(after.name != before.inverse for before, after in pairwise(relations))


def draw_paths(
    table: RelationTable,
    relations: Sequence[int],
    skill: str,
    shares: Mapping[int, float],
    wanted: int,
    guards: bool,
    draw: Draw,
) -> list[Path]:
    """At most `wanted` distinct paths over `relations`, their numbers of hops in the given shares.

    Where there are too few short paths, longer ones take their place (there are about 300 two-hop comp paths in all).
    """
    hops = list(shares)
    found = {
        count: list(_candidates(table, relations, skill, count, wanted, guards, draw.at(count)))
        for count in hops
    }
    parts = fill(wanted, [shares[count] for count in hops], [len(found[count]) for count in hops])
    return [path for count, part in zip(hops, parts, strict=True) for path in found[count][:part]]


def fill(total: int, shares: Sequence[float], most: Sequence[int]) -> list[int]:
    """`total` split by `shares`, no part above its `most`; what does not fit goes to the others."""
    parts = [0] * len(most)
    while left := min(total, sum(most)) - sum(parts):
        free = [
            share if part < limit else 0.0
            for share, part, limit in zip(shares, parts, most, strict=True)
        ]
        if not sum(free):
            free = [float(part < limit) for part, limit in zip(parts, most, strict=True)]
        parts = [
            min(limit, part + extra)
            for part, extra, limit in zip(parts, split_evenly(left, free), most, strict=True)
        ]
    return parts


def _candidates(
    table: RelationTable,
    relations: Sequence[int],
    skill: str,
    hops: int,
    wanted: int,
    guards: bool,
    draw: Draw,
) -> Iterator[Path]:
    """Paths with so many hops in drawn order: all of them where they are few, else `wanted` or nearly so."""
    to_people = [number for number in relations if table[number].to_person]
    if len(to_people) ** (hops - 1) * len(relations) <= FEW:
        listed = [(*way, last) for way in permutations(to_people, hops - 1) for last in relations]
        drawn = (listed[place] for place in draw.permutation(len(listed)))
    else:
        tries = np.arange(40 * wanted + 1000)
        columns = [
            np.asarray(to_people)[draw.at(hop).integers(tries, len(to_people))]
            for hop in range(hops - 1)
        ]
        columns.append(np.asarray(relations)[draw.at("last").integers(tries, len(relations))])
        drawn = dict.fromkeys(zip(*(column.tolist() for column in columns), strict=True))
    count = 0
    for path in drawn:
        if count < wanted and is_path(table, path, skill, guards):
            count += 1
            yield path
