"""The texts of a world: names, listed values, and values composed for as many people or days as there are.

Composed texts are a function of their number alone: a drawn one-to-one map (a Feistel network, walked until it lands in
range) takes the number to a combination of words, so that no two are alike and any can be made without the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from math import prod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioreason_bench.draw import Draw
from bioreason_bench.errors import UsageError
from bioreason_bench.world.names import name_words
from bioreason_bench.world.relations import PERSON, RelationTable
from bioreason_bench.world.words import read_words

DATE_ORIGIN = date(1800, 1, 1).toordinal()  # value 0 of the kind "date"; value k is k days later
DATE_END = date(2025, 1, 1).toordinal()  # the first day that is no value
UNIQUE = frozenset(
    {"address", "email", "phone"}
)  # one for each person: the value's number is the person's
COMPOSED = UNIQUE | {"date"}
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def world_texts(
    table: RelationTable,
    people: int,
    draw: Draw,
    *,
    language: str,
    pool_sizes: Mapping[str, int],
    birth_years: tuple[int, int],
    locale: str = "",
) -> dict[str, list[str]]:
    """Object kind -> texts by value id, names (those of `locale`) under "person"; `pool_sizes` keeps the first n values of a listed pool.

    Raises UsageError for more people than names, and for a pool size that cannot be.
    """
    kinds = list(
        dict.fromkeys(relation.object for relation in table.relations if not relation.to_person)
    )
    for kind, size in pool_sizes.items():
        if kind not in table.pools:
            known = ", ".join(sorted(table.pools))
            raise UsageError(
                f"pool_sizes.{kind} is set, but no relation of this world leads to a listed pool {kind!r}; the pools are {known}"
            )
        if not isinstance(size, int) or not 2 <= size <= len(table.pools[kind]):
            raise UsageError(
                f"pool_sizes.{kind} is {size!r}; it must be a whole number from 2 to the {len(table.pools[kind])} values of the pool"
            )
    if date(birth_years[0], 1, 1).toordinal() < DATE_ORIGIN:
        raise UsageError(
            f"birth_years begin in {birth_years[0]}; the calendar of this package begins in 1800"
        )
    counts = {kind: pool_sizes.get(kind, len(table.pools.get(kind, ()))) for kind in kinds}
    counts |= {kind: people for kind in kinds if kind in UNIQUE} | {
        kind: DATE_END - DATE_ORIGIN for kind in kinds if kind == "date"
    }
    if language == "symbols":
        return {PERSON: [f"p{k}" for k in range(people)]} | {
            kind: [f"{kind}{k}" for k in range(count)] for kind, count in counts.items()
        }
    for kind in filter(UNIQUE.__contains__, kinds):
        if people > (room := prod(map(len, _parts(kind)))):
            known = f"there are only {room:,} values of the kind {kind!r}"
            raise UsageError(f"{people:,} people are asked for, but {known}; lower known or novel")
    texts = {PERSON: people_names(people, draw.at(PERSON), *name_words(table, locale))}
    for kind, count in counts.items():
        texts[kind] = (
            list(table.pools[kind][:count])
            if kind in table.pools
            else composed(kind, count, draw.at(kind))
        )
    return texts


def people_names(count: int, draw: Draw, first: Sequence[str], last: Sequence[str]) -> list[str]:
    """Unique names: first and last, and a middle name where more are asked for than a quarter of the pairs."""
    words = [first, last] if count <= len(first) * len(last) // 4 else [first, first, last]
    if count > prod(map(len, words)):
        raise UsageError(
            f"{count:,} people are asked for, but there are only {prod(map(len, words)):,} names; lower known or novel"
        )
    return list(map(" ".join, _combinations(words, count, draw)))


def composed(kind: str, index: int | ArrayLike, draw: Draw) -> list[str]:
    """The texts of the composed `kind` with these numbers (an integer n stands for 0..n-1); unique but for dates outside the calendar."""
    if kind == "date":
        days = np.arange(index) if isinstance(index, int) else np.asarray(index)
        return [
            f"{_MONTHS[day.month - 1]} {day.day}, {day.year}"
            for day in map(date.fromordinal, (days + DATE_ORIGIN).tolist())
        ]
    join = {"email": "{}.{}{}@{}", "phone": "{}-555-{:04d}", "address": "{} {} {}"}[kind].format
    return [join(*words) for words in _combinations(_parts(kind), index, draw)]


def _parts(kind: str) -> list:
    """The lists from which a text of one of the UNIQUE kinds takes a word each."""
    if kind == "email":
        return [
            read_words("email_first"),
            read_words("email_second"),
            range(10, 1000),
            read_words("email_domains"),
        ]
    if kind == "phone":
        return [
            [code for code in range(201, 990) if code % 100 != 11 and code != 555],
            range(10_000),
        ]
    if kind == "address":
        return [range(1, 10_000), read_words("street_words"), read_words("street_kinds")]
    raise KeyError(kind)


def _combinations(words: list, index: int | ArrayLike, draw: Draw) -> zip:
    """For each number a combination of one word of each list, no two alike."""
    place = scatter(index, prod(map(len, words)), draw)
    columns = []
    for column in reversed(words):
        place, chosen = np.divmod(place, len(column))
        columns.append(map(column.__getitem__, chosen.tolist()))
    return zip(*reversed(columns), strict=True)


def scatter(index: int | ArrayLike, size: int, draw: Draw) -> NDArray[np.int64]:
    """A drawn permutation of 0..size-1 at the given places (an integer n stands for 0..n-1), without making all of it.

    Raises UsageError where a place lies beyond the size.
    """
    place = (
        np.arange(index, dtype=np.int64)
        if isinstance(index, int)
        else np.asarray(index, np.int64).copy()
    )
    if place.size and not 0 <= place.min() <= place.max() < size:
        raise UsageError(
            f"{int(place.max()) + 1:,} different texts are asked for, but there are only {size:,}; lower known or novel"
        )
    half = np.uint64(max(1, -(-(size - 1).bit_length() // 2)))
    mask = (np.uint64(1) << half) - np.uint64(1)
    outside = np.ones(place.shape, bool)
    while outside.any():
        left, right = (
            place[outside].astype(np.uint64) >> half,
            place[outside].astype(np.uint64) & mask,
        )
        for turn in range(4):
            left, right = right, left ^ (draw.at("turn", turn).words(right) & mask)
        place[outside] = ((left << half) | right).astype(np.int64)
        outside = place >= size
    return place
