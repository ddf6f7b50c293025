"""The texts of a world: names, listed values, and composed values (one per person or per day).

Composed texts (e-mail and street addresses, phone numbers, and people's names) are combinations of
words.  The text with number k depends on k alone: a random permutation takes k to the number of a
combination.  So no two texts are equal, and each can be made without the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioreason_bench.draw import Draw
from bioreason_bench.errors import UsageError
from bioreason_bench.world.names import name_words
from bioreason_bench.world.relations import PERSON, RelationTable
from bioreason_bench.world.words import read_words

DATE_ORIGIN = date(1800, 1, 1).toordinal()  # value 0 of the kind "date"; value k is k days later
DATE_END = date(2025, 1, 1).toordinal()  # the first day after the last value
UNIQUE = frozenset({"address", "email", "phone"})  # person k has value k
COMPOSED = UNIQUE | {"date"}
MONTHS = (
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
    """Return the texts of a world: object kind -> texts by value id; names are under "person".

    Args:
        table: The relation table; only kinds that its relations lead to get texts.
        people: The number of people.
        draw: The stream for names and composed values.
        language: "english" or "symbols" (then texts are tokens such as p17 and pet3).
        pool_sizes: For some listed pools, how many of the first values to use.
        birth_years: The first and the last year of birth.
        locale: The locale of the names; "" for the frozen English ones.

    Raises:
        UsageError: There are more people than names or values, or a setting is out of range.
    """
    _check_pool_sizes(table, pool_sizes)
    if date(birth_years[0], 1, 1).toordinal() < DATE_ORIGIN:
        raise UsageError(
            f"birth_years begin in {birth_years[0]}; the calendar of this package begins in 1800"
        )
    kinds = dict.fromkeys(row.object for row in table.relations if not row.to_person)
    counts = {kind: _count(kind, table, people, pool_sizes) for kind in kinds}
    if language == "symbols":
        return {PERSON: [f"p{k}" for k in range(people)]} | {
            kind: [f"{kind}{k}" for k in range(count)] for kind, count in counts.items()
        }
    for kind in filter(UNIQUE.__contains__, counts):
        available = prod(map(len, _parts(kind)))
        if people > available:
            raise UsageError(
                f"{people:,} people are asked for, but there are only {available:,} values "
                f"of the kind {kind!r}; lower known or novel"
            )
    texts = {PERSON: people_names(people, draw.at(PERSON), *name_words(table, locale))}
    for kind, count in counts.items():
        if kind in table.pools:
            texts[kind] = list(table.pools[kind][:count])
        else:
            texts[kind] = composed(kind, count, draw.at(kind))
    return texts


def _check_pool_sizes(table: RelationTable, pool_sizes: Mapping[str, int]) -> None:
    for kind, size in pool_sizes.items():
        if kind not in table.pools:
            raise UsageError(
                f"pool_sizes.{kind} is set, but no relation of this world leads to a listed pool "
                f"{kind!r}; the pools are {', '.join(sorted(table.pools))}"
            )
        if not isinstance(size, int) or not 2 <= size <= len(table.pools[kind]):
            raise UsageError(
                f"pool_sizes.{kind} is {size!r}; it must be a whole number "
                f"from 2 to the {len(table.pools[kind])} values of the pool"
            )


def _count(kind: str, table: RelationTable, people: int, pool_sizes: Mapping[str, int]) -> int:
    """Return the number of values of a kind."""
    if kind in UNIQUE:
        return people
    if kind == "date":
        return DATE_END - DATE_ORIGIN
    return pool_sizes.get(kind, len(table.pools[kind]))


def people_names(count: int, draw: Draw, first: Sequence[str], last: Sequence[str]) -> list[str]:
    """Return unique names: first and last, plus a middle name if pairs would become scarce.

    Pairs are scarce if a world would use more than a quarter of them.
    """
    words = [first, last] if count <= len(first) * len(last) // 4 else [first, first, last]
    available = prod(map(len, words))
    if count > available:
        raise UsageError(
            f"{count:,} people are asked for, but there are only {available:,} names; "
            "lower known or novel"
        )
    return list(map(" ".join, _combinations(words, count, draw)))


def composed(kind: str, index: int | ArrayLike, draw: Draw) -> list[str]:
    """Return the texts of a composed kind with these numbers (an integer n means 0..n-1).

    Different numbers give different texts.
    """
    if kind == "date":
        days = np.arange(index) if isinstance(index, int) else np.asarray(index)
        return [
            f"{MONTHS[day.month - 1]} {day.day}, {day.year}"
            for day in map(date.fromordinal, (days + DATE_ORIGIN).tolist())
        ]
    template = {"email": "{}.{}{}@{}", "phone": "{}-555-{:04d}", "address": "{} {} {}"}[kind]
    return [template.format(*words) for words in _combinations(_parts(kind), index, draw)]


def _parts(kind: str) -> list[Sequence[Any]]:
    """Return the word lists whose combinations are the texts of a kind in UNIQUE."""
    if kind == "email":
        return [
            read_words("email_first"),
            read_words("email_second"),
            range(10, 1000),
            read_words("email_domains"),
        ]
    if kind == "phone":  # area codes without service numbers such as 911; 555 numbers are fictional
        return [
            [code for code in range(201, 990) if code % 100 != 11 and code != 555],
            range(10_000),
        ]
    if kind == "address":
        return [range(1, 10_000), read_words("street_words"), read_words("street_kinds")]
    raise KeyError(kind)


def _combinations(
    words: Sequence[Sequence[Any]], index: int | ArrayLike, draw: Draw
) -> Iterator[tuple[Any, ...]]:
    """Yield a combination (one word of each list) per number, no two alike.

    Combinations are numbered like digits, the last list changing fastest.  With lists of 3 and 10
    words, combination 27 has word 2 of the first list and word 7 of the second.
    """
    remaining = scatter(index, prod(map(len, words)), draw)
    columns: list[Iterator[Any]] = []
    for column in reversed(words):
        remaining, chosen = np.divmod(remaining, len(column))
        columns.append(map(column.__getitem__, chosen.tolist()))
    return zip(*reversed(columns), strict=True)


def scatter(index: int | ArrayLike, size: int, draw: Draw) -> NDArray[np.int64]:
    """Return a random permutation of 0..size-1 at some indices, without making all of it.

    A Feistel network of four rounds permutes the numbers of 2 * `half` bits.  An image that is not
    below `size` is permuted again until it is ("cycle walking"), which keeps the map one-to-one.
    For size 10 (half = 2, so numbers below 16) an index may go 4 -> 13 -> 11 -> 6.

    Args:
        index: The indices to permute; an integer n means 0..n-1.
        size: The number of items.
        draw: The stream that decides the permutation.

    Raises:
        UsageError: An index is not below `size`.
    """
    image = (
        np.arange(index, dtype=np.int64)
        if isinstance(index, int)
        else np.asarray(index, np.int64).copy()
    )
    if image.size and not 0 <= image.min() <= image.max() < size:
        raise UsageError(
            f"{int(image.max()) + 1:,} different texts are asked for, "
            f"but there are only {size:,}; lower known or novel"
        )
    half = np.uint64(max(1, -(-(size - 1).bit_length() // 2)))
    mask = (np.uint64(1) << half) - np.uint64(1)
    outside = np.ones(image.shape, bool)  # every index is permuted at least once
    while outside.any():
        numbers = image[outside].astype(np.uint64)
        left, right = numbers >> half, numbers & mask
        for turn in range(4):
            left, right = right, left ^ (draw.at("turn", turn).words(right) & mask)
        image[outside] = ((left << half) | right).astype(np.int64)
        outside = image >= size
    return image
