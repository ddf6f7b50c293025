"""The words that people's names consist of.

By default these are frozen English lists; for another locale, the installed Faker provides them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from bioreason_bench.errors import UsageError, suggest
from bioreason_bench.world.relations import RelationTable
from bioreason_bench.world.templates import CAPITAL
from bioreason_bench.world.words import read_words

MIN_NAMES = 20  # a locale needs as many first names, and as many last names
# Months that are also given names, and words that begin sentences whatever the relation table.
RESERVED = {"So", "The", "April", "August", "June", "May"}
_PLAIN = re.compile(rf"[{CAPITAL}][^\W\d_]+")


def name_words(table: RelationTable, locale: str = "") -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return (first names, last names), each in alphabetical order.

    No name begins a sentence of the table, and none is both a first and a last name.

    Args:
        table: The relation table whose wordings the names must not begin.
        locale: A locale such as "de_DE", for Faker's single-word names in Latin script; "" for the
            frozen English lists.

    Raises:
        UsageError: Faker does not know the locale, or has too few such names for it.
    """
    if not locale:
        return read_words("first_names"), read_words("last_names")
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
