"""Roles of relations (DESIGN section 6): which are in I.I.D. paths, which only compose, which training never shows."""

from __future__ import annotations

from collections.abc import Sequence

from bioreason_bench.config import Roles
from bioreason_bench.draw import Draw
from bioreason_bench.world.relations import RelationTable

ROLES = ("iid", "composition", "zeroshot")


def draw_roles(
    table: RelationTable, relations: Sequence[int], shares: Roles, draw: Draw
) -> dict[int, str]:
    """The role of each relation number.

    Relations are dealt by kind (group, and whether they lead to a person), so that zero-shot relations are of both groups
    and no role runs out of steps to people.
    """
    kinds: dict[tuple[str, bool], list[int]] = {}
    for number in relations:
        kinds.setdefault((table[number].group, table[number].to_person), []).append(number)
    dealt = [
        draw.at(*kind).permutation(members).tolist() for kind, members in sorted(kinds.items())
    ]
    roles = dict.fromkeys(relations, "composition")
    for role in ("zeroshot", "iid"):
        total = round(getattr(shares, role) * len(relations))
        for members, count in zip(
            dealt, split_evenly(total, [len(members) for members in dealt]), strict=True
        ):
            roles.update(dict.fromkeys(members[:count], role))
            del members[:count]
    return roles


def split_evenly(total: int, sizes: Sequence[float]) -> list[int]:
    """`total` in whole parts proportional to `sizes`, by largest remainder."""
    whole = sum(sizes)
    exact = [total * size / whole if whole else 0.0 for size in sizes]
    parts = [int(share) for share in exact]
    for place in sorted(range(len(sizes)), key=lambda k: (parts[k] - exact[k], k))[
        : total - sum(parts)
    ]:
        parts[place] += 1
    return parts
