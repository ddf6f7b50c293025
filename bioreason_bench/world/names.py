"""The words that people's names consist of, and the names that nobody bears.

By default the words are frozen lists from many of Faker's locales; for a single locale, the
installed Faker provides them.  The names of well-known people are blocked.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.errors import UsageError, suggest
from bioreason_bench.world.relations import RelationTable
from bioreason_bench.world.templates import CAPITAL
from bioreason_bench.world.words import read_words

MIN_NAMES = 20  # a locale needs as many first names, and as many last names
# Months that are also given names, and words that begin sentences whatever the relation table.
RESERVED = {"So", "The", "Their", "They", "April", "August", "June", "May"}
BLOCKED = ("blocked_names", "blocked_gathered")  # word lists of well-known people
_PLAIN = re.compile(rf"[{CAPITAL}][^\W\d_]+")
_NOT_LETTERS = re.compile(r"[^a-z]+")
# Letters that Unicode does not decompose into a letter of a-z and an accent.
_LETTERS = str.maketrans(
    {
        "\u00e6": "ae",
        "\u00f0": "d",
        "\u00f8": "o",
        "\u00fe": "th",
        "\u0111": "d",
        "\u0131": "i",
        "\u0142": "l",
        "\u0153": "oe",
        "\u0254": "o",
        "\u0259": "a",
        "\u025b": "e",
    }
)


def name_words(table: RelationTable, locale: str = "") -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return (first names, last names), each in alphabetical order.

    No name begins a sentence of the table, and none is both a first and a last name.

    Args:
        table: The relation table whose wordings the names must not begin.
        locale: A locale such as "de_DE", for Faker's single-word names in Latin script; "" for the
            frozen lists.

    Raises:
        UsageError: Faker does not know the locale, or has too few such names for it.
    """
    if not locale:
        return _frozen_names()
    reserved = RESERVED | {
        text.split()[0] for row in table.relations for text in (*row.statements, *row.asks)
    }
    all_first, all_last = _faker_names(locale)
    first = plain(all_first) - reserved
    last = plain(all_last) - reserved - first
    if min(len(first), len(last)) < MIN_NAMES:
        raise UsageError(
            f"locale {locale!r} has {len(first)} first and {len(last)} last names of one word "
            "in Latin letters; choose another, such as de_DE"
        )
    return tuple(sorted(first)), tuple(sorted(last))


@cache
def _frozen_names() -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(sorted(read_words("first_names"))), tuple(sorted(read_words("last_names")))


def fold(name: str) -> str:
    """Return the letters a-z of a name, without case, accents and anything that is no letter.

    >>> fold("\u00d8ystein"), fold("Jos\u00e9"), fold("O'Brien")
    ('oystein', 'jose', 'obrien')
    """
    name = name.casefold()
    if not name.isascii():
        name = unicodedata.normalize("NFKD", name.translate(_LETTERS))
    return _NOT_LETTERS.sub("", name)


@cache
def blocked_pairs(first: Sequence[str], last: Sequence[str]) -> NDArray[np.int64]:
    """Return the numbers of the pairs of first and last names that are blocked, in order.

    The number of a pair is the index of its first name times len(last), plus that of its last.  A
    well-known person blocks the first word of their name with each later one ("Martin Luther" and
    "Martin King"), and a name of two words also the other way round.  Case, accents, hyphens and
    apostrophes do not count.
    """
    first_index, last_index = _by_folded(first), _by_folded(last)
    pairs: set[tuple[str, str]] = set()
    for text in (name for file in BLOCKED for name in read_words(file)):
        given, *others = filter(None, map(fold, text.replace("-", " ").split()))
        pairs.update((given, other) for other in others)
        if len(others) == 1:
            pairs.add((others[0], given))
    return np.array(
        sorted(
            k * len(last) + n
            for given, family in pairs
            for k in first_index.get(given, ())
            for n in last_index.get(family, ())
        ),
        np.int64,
    )


def _by_folded(names: Sequence[str]) -> dict[str, list[int]]:
    """Return the indices of the names by their folded form."""
    indices: dict[str, list[int]] = defaultdict(list)
    for k, name in enumerate(names):
        indices[fold(name)].append(k)
    return indices


def plain(names: Iterable[str]) -> set[str]:
    """Return the names that are one capitalized word in Latin script."""
    normalized = (unicodedata.normalize("NFC", name) for name in names)
    return {name for name in normalized if _PLAIN.fullmatch(name)}


@cache
def _faker_names(locale: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    from faker.providers import person

    known = sorted(module.name for module in iter_modules(person.__path__) if "_" in module.name)
    if locale not in known:
        raise UsageError(f"Faker has no names for locale {locale!r}: {suggest(locale, known)}")
    provider = import_module(f"faker.providers.person.{locale}").Provider
    return tuple(_names_of(provider, "first_names")), tuple(_names_of(provider, "last_names"))


def _names_of(provider: type, attribute: str) -> list[str]:
    """Return the provider's names, or else its names for men and for women together.

    A few locales compute their names instead of listing them; for those the result is empty.
    """
    for attributes in ([attribute], [f"{attribute}_male", f"{attribute}_female"]):
        values = [getattr(provider, name, ()) for name in attributes]
        names = [name for value in values if isinstance(value, Collection) for name in value]
        if names:
            return names
    return []
