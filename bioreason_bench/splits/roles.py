"""Which relations training never uses, and which pairs of relations it never joins.

Two schemes (docs/design.md, Paths and levels):

    folds    a fifth of the relations of each skill is zero-shot, rotated by `fold`: over the five
             folds of a world every relation is zero-shot once in its skill and once in comp; a set
             of ordered pairs of the others is held out for composition
    roles    the paper's: relations are iid, composition or zeroshot (20/70/10 %), drawn by seed
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from bioreason_bench.config import Roles
from bioreason_bench.draw import Draw
from bioreason_bench.splits.paths import PathRules, RelationPath
from bioreason_bench.splits.shares import apportion
from bioreason_bench.world.relations import RelationTable

__all__ = ["FOLDS", "Pair", "deal_folds", "draw_roles", "hold_out_pairs", "pairs_of"]

FOLDS = 5
Pair = tuple[int, int]  # a relation and the one that follows it


def pairs_of(paths: Iterable[RelationPath]) -> set[Pair]:
    """The ordered pairs of relations that are adjacent on some path."""
    return {pair for path in paths for pair in pairwise(path)}


def deal_folds(table: RelationTable, draw: Draw) -> dict[int, int]:
    """The fold, 0 to 4, in which each relation is zero-shot in its own skill.

    Relations are dealt like cards, class by class (group, and whether they lead to a person), so
    that folds are of nearly one size and each has relations of both groups.
    """
    classes: dict[tuple[str, bool], list[int]] = {}
    for number, row in enumerate(table.relations):
        classes.setdefault((row.group, row.to_person), []).append(number)
    order = [
        number
        for key, members in sorted(classes.items())
        for number in draw.at("folds", *key).permutation(members).tolist()
    ]
    return {number: index % FOLDS for index, number in enumerate(order)}


def hold_out_pairs(
    rules: PathRules, relations: Sequence[int], share: float, draw: Draw
) -> set[Pair]:
    """The ordered pairs of `relations` that no training path joins.

    For each relation that leads to people, `share` of those that may follow it, evenly by class, so
    that every relation still follows and is followed by others in training.
    """
    table = rules.table
    held: set[Pair] = set()
    for first in relations:
        classes: dict[tuple[str, bool], list[int]] = {}
        for second in relations:
            if rules.allow_pair(first, second):
                key = (table[second].group, table[second].to_person)
                classes.setdefault(key, []).append(second)
        for key, members in classes.items():
            stream = draw.at(table[first].name, *key)
            # 0.2 of 7 members are 1.4: one, or two with a chance of 0.4
            count = int(share * len(members) + float(stream.at("count").uniform([0])[0]))
            order = stream.permutation(members)[: min(count, len(members) - 1)]
            held.update((first, second) for second in order.tolist())
    return held


def draw_roles(
    table: RelationTable, relations: Sequence[int], shares: Roles, draw: Draw
) -> Mapping[int, str]:
    """The paper's roles: relation -> "iid", "composition" or "zeroshot".

    Roles are dealt separately by group and by whether a relation leads to a person, so that
    zero-shot relations come from both groups and no role lacks relations that lead to people.
    """
    classes: dict[tuple[str, bool], list[int]] = {}
    for number in relations:
        classes.setdefault((table[number].group, table[number].to_person), []).append(number)
    decks = [
        draw.at(*key).permutation(members).tolist() for key, members in sorted(classes.items())
    ]
    roles = dict.fromkeys(relations, "composition")
    for role in ("zeroshot", "iid"):
        total = round(getattr(shares, role) * len(relations))
        for deck, count in zip(decks, apportion(total, list(map(len, decks))), strict=True):
            roles.update(dict.fromkeys(deck[:count], role))
            del deck[:count]
    return roles
