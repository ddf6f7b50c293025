"""Roles of relations: which are in iid paths, which only compose, which training never uses.

See docs/design.md, Paths and levels.
"""

from __future__ import annotations

from collections.abc import Sequence

from bioreason_bench.config import Roles
from bioreason_bench.draw import Draw
from bioreason_bench.splits.shares import apportion
from bioreason_bench.world.relations import RelationTable

__all__ = ["draw_roles"]


def draw_roles(
    table: RelationTable, relations: Sequence[int], shares: Roles, draw: Draw
) -> dict[int, str]:
    """The role of each relation number: "iid", "composition" or "zeroshot".

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
