"""The words that people's names are made of: frozen English ones, or those that the installed Faker has for another locale."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Collection, Iterable
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from bioreason_bench.errors import UsageError
from bioreason_bench.world.relations import RelationTable
from bioreason_bench.world.templates import CAPITAL
from bioreason_bench.world.words import read_words

ENOUGH = 20  # first or last names below which a locale is refused
OPENINGS = {
    "So",
    "The",
    "April",
    "August",
    "June",
    "May",
}  # words that begin our sentences whatever the table, and months
_PLAIN = re.compile(rf"[{CAPITAL}][^\W\d_]+")


def name_words(table: RelationTable, locale: str = "") -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(first names, last names) in alphabetical order, none of which begins a sentence of the table or stands in both lists.

    Of another `locale` ("de_DE") the names in Latin letters, one word each, as the installed Faker has them.  Raises UsageError for a
    locale that Faker does not have, or has no names of that kind for.
    """
    if not locale:
        return read_words("first_names"), read_words("last_names")
    taken = OPENINGS | {
        text.split()[0] for row in table.relations for text in (*row.statements, *row.asks)
    }
    first, last = _of_faker(locale)
    kept = sorted(plain(first) - taken)
    rest = sorted(plain(last) - taken - set(kept))
    if min(len(kept), len(rest)) < ENOUGH:
        count = f"{len(kept)} first and {len(rest)} last names"
        raise UsageError(
            f"locale {locale!r} has {count} of one word in Latin letters; choose another, such as de_DE"
        )
    return tuple(kept), tuple(rest)


def plain(names: Iterable[str]) -> set[str]:
    """The names that are one word with a capital in front."""
    return {
        name
        for name in (unicodedata.normalize("NFC", name) for name in names)
        if _PLAIN.fullmatch(name)
    }


@cache
def _of_faker(locale: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    from faker.providers import person

    known = sorted(module.name for module in iter_modules(person.__path__) if "_" in module.name)
    if locale not in known:
        close = difflib.get_close_matches(locale, known, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"it knows {', '.join(known)}"
        raise UsageError(f"Faker knows no names of locale {locale!r}: {hint}")
    provider = import_module(f"faker.providers.person.{locale}").Provider
    return tuple(_words(provider, "first_names")), tuple(_words(provider, "last_names"))


def _words(provider: type, kind: str) -> Iterable[str]:
    """The provider's list of that kind, or else those for men and for women together."""
    for attributes in ([kind], [f"{kind}_male", f"{kind}_female"]):
        lists = [getattr(provider, attribute, ()) for attribute in attributes]
        if found := [
            name for listed in lists if isinstance(listed, Collection) for name in listed
        ]:  # a few locales compute theirs
            return found
    return ()
