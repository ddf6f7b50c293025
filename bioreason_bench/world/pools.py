"""The texts of a world: names, listed values, and composed values (one per person or per day).

Composed texts (titles of books, organizations, e-mail and street addresses, phone numbers, and
people's names) are combinations of words.  The text with number k depends on k alone: a random
permutation takes k to the number of a combination.  So no two texts are equal, and each can be made
without the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioreason_bench.draw import Draw
from bioreason_bench.errors import UsageError
from bioreason_bench.texts import CompactTexts
from bioreason_bench.world.names import blocked_pairs, name_words
from bioreason_bench.world.relations import PERSON, RelationTable
from bioreason_bench.world.words import read_words

DATE_ORIGIN = date(1800, 1, 1).toordinal()  # value 0 of the kind "date"; value k is k days later
DATE_END = date(2025, 1, 1).toordinal()  # the first day after the last value
# Person k has value k.
UNIQUE = frozenset({"address", "book", "email", "organization", "phone"})
COMPOSED = UNIQUE | {"date"}
TEMPLATES = {
    "address": "{} {} {}",
    "book": "{} {} {}",
    "email": "{}.{}{}@{}",
    "organization": "{}{} {} {}",
    "phone": "{}-555-{:04d}",
}
# Only the numbers 555-0100 to 555-0199 of an area code are reserved for fiction.  They are enough
# for some 60,000 people; in a larger world everybody gets an extension as well.
FICTIONAL_NUMBERS = range(100, 200)
EXTENSIONS = range(100, 1000)
COMPACT = 100_000  # people from whom on texts are kept as bytes
BLOCK = 65_536  # texts that are composed at a time
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


def texts_of(count: int, people: int, compose: Callable[[NDArray], list[str]]) -> Sequence[str]:
    """The texts with the numbers 0 to `count` - 1, compact in a world of COMPACT people or more."""
    if people < COMPACT or count < COMPACT:
        return compose(np.arange(count))
    return CompactTexts(
        compose(np.arange(begin, min(begin + BLOCK, count))) for begin in range(0, count, BLOCK)
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
) -> dict[str, Sequence[str]]:
    """Return the texts of a world: object kind -> texts by value id; names are under "person".

    Args:
        table: The relation table; only kinds that its relations lead to get texts.
        people: The number of people.
        draw: The stream for names and composed values.
        language: "english" or "symbols" (then texts are tokens such as p17 and pet3).
        pool_sizes: For some listed pools, how many of the first values to use.
        birth_years: The first and the last year of birth.
        locale: The locale of the names; "" for the frozen ones.

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
        symbols: dict[str, Sequence[str]] = {}
        for kind, count in {PERSON: people, **counts}.items():
            sign = "p" if kind == PERSON else kind
            symbols[kind] = texts_of(count, people, partial(_symbols, sign))
        return symbols
    for kind in filter(UNIQUE.__contains__, counts):
        available = prod(map(len, parts_of(kind, people)))
        if people > available:
            raise UsageError(
                f"{people:,} people are asked for, but there are only {available:,} values "
                f"of the kind {kind!r}; lower known or novel"
            )
    named = partial(people_names, people, draw.at(PERSON), *name_words(table, locale))
    texts: dict[str, Sequence[str]] = {PERSON: texts_of(people, people, named)}
    for kind, count in counts.items():
        if kind in table.pools:
            texts[kind] = list(table.pools[kind][:count])
        else:
            compose = partial(composed, kind, draw=draw.at(kind), people=people)
            texts[kind] = texts_of(count, people, compose)
    return texts


def _symbols(sign: str, index: NDArray) -> list[str]:
    return [f"{sign}{k}" for k in index.tolist()]


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


def people_names(
    count: int,
    draw: Draw,
    first: Sequence[str],
    last: Sequence[str],
    index: ArrayLike | None = None,
) -> list[str]:
    """Return unique names: first and last, plus a middle name if pairs would become scarce.

    Pairs are scarce if a world would use more than a quarter of them.  Blocked pairs are left out:
    if pairs 2 and 3 are blocked, the pairs drawn are numbered 0, 1, 4, 5, ...

    Args:
        count: How many names the world has.
        draw: The stream that decides the names.
        first: First names.
        last: Last names.
        index: The numbers of the names to return; all of them if None.
    """
    blocked = blocked_pairs(tuple(first), tuple(last))
    pairs = len(first) * len(last) - len(blocked)
    middle = [""] if count <= pairs // 4 else first
    available = pairs * len(middle)
    if count > available:
        raise UsageError(
            f"{count:,} people are asked for, but there are only {available:,} names; "
            "lower known or novel"
        )
    pair, middle_index = np.divmod(
        scatter(count if index is None else index, available, draw), len(middle)
    )
    # blocked - arange counts the allowed pairs before each blocked one, so the blocked pairs before
    # the allowed pair p are those with a count of at most p.
    pair += np.searchsorted(blocked - np.arange(len(blocked)), pair, side="right")
    first_index, last_index = np.divmod(pair, len(last))
    begins = map(first.__getitem__, first_index.tolist())
    ends = map(last.__getitem__, last_index.tolist())
    if len(middle) == 1:
        return list(map(" ".join, zip(begins, ends, strict=True)))
    middles = map(middle.__getitem__, middle_index.tolist())
    return list(map(" ".join, zip(begins, middles, ends, strict=True)))


def composed(kind: str, index: int | ArrayLike, draw: Draw, people: int = 0) -> list[str]:
    """Return the texts of a composed kind with these numbers (an integer n means 0..n-1).

    Different numbers give different texts.

    Args:
        kind: One of COMPOSED.
        index: The numbers.
        draw: The stream that decides the texts of a kind in UNIQUE.
        people: The size of the world, which decides whether phone numbers need extensions.
    """
    if kind == "date":
        days = np.arange(index) if isinstance(index, int) else np.asarray(index)
        return [
            f"{MONTHS[day.month - 1]} {day.day}, {day.year}"
            for day in map(date.fromordinal, (days + DATE_ORIGIN).tolist())
        ]
    parts = parts_of(kind, people)
    template = TEMPLATES[kind]
    if len(parts) > template.count("{"):
        template += " ext {}"
    return [template.format(*words) for words in _combinations(parts, index, draw)]


def parts_of(kind: str, people: int = 0) -> list[Sequence[Any]]:
    """Return the word lists whose combinations are the texts of a kind in UNIQUE."""
    if kind == "email":
        return [
            read_words("email_first"),
            read_words("email_second"),
            range(10, 1000),
            read_words("email_domains"),
        ]
    if kind == "phone":
        parts: list[Sequence[Any]] = [area_codes(), FICTIONAL_NUMBERS]
        return parts if people <= prod(map(len, parts)) else [*parts, EXTENSIONS]
    if kind == "address":
        return [range(1, 2000), read_words("street_words"), read_words("street_kinds")]
    if kind == "book":
        return [read_words("book_openers"), read_words("book_things"), read_words("book_endings")]
    if kind == "organization":
        return [
            ("", "Greater ", "Old ", "Upper "),
            read_words("organization_places"),
            read_words("organization_topics"),
            read_words("organization_bodies"),
        ]
    raise KeyError(kind)


def area_codes() -> list[int]:
    """Return the numbers that can be the area code of a place in North America.

    Left out are service codes (211), codes kept for expansion (290, 370, 960), and the families of
    toll-free, premium and personal numbers (500, 600, 700, 800, 900, and 522, 533, 822, ...).
    """
    return [
        code
        for code in range(201, 990)
        if code % 100 != 11
        and code // 10 % 10 != 9
        and code // 10 not in (37, 96)
        and code not in (456, 555, 700, 710, 900, 976)
        and not (code // 100 in (5, 6, 8) and (code % 100 == 0 or code // 10 % 10 == code % 10))
        and not 521 <= code <= 529
        and not 880 <= code <= 889
    ]


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
