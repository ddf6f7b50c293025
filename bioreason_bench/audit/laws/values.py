"""Names and values are those that the package has: nobody can write anything into them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.audit.ledger import Ledger, Location
from bioreason_bench.audit.reading.ages import day
from bioreason_bench.audit.reading.parser import ParsedRelease
from bioreason_bench.config import WorldConfig
from bioreason_bench.draw import Draw
from bioreason_bench.errors import UsageError
from bioreason_bench.world.names import blocked_pairs, name_words
from bioreason_bench.world.pools import (
    DATE_END,
    DATE_ORIGIN,
    TEMPLATES,
    UNIQUE,
    composed,
    parts_of,
)

__all__ = ["check_names", "check_values_of"]


def check_names(release: ParsedRelease, config: WorldConfig, ledger: Ledger) -> None:
    """Check that people's names are made of the package's words; a user's names are their own."""
    names = release.texts[: release.people]
    if config.facts and config.language == "english":
        return
    try:
        wrong = _wrong_names(names, release, config)
    except UsageError as error:  # a locale that this installation does not know
        ledger.check_whole("plain names", "data/people", str(error))
        return
    problem = "is no name of this package"
    ledger.check(
        "plain names",
        lambda _: ("data/people", None),
        len(names),
        wrong,
        lambda person: f"{names[person]!r} {problem}",
    )


def _wrong_names(names: list[str], release: ParsedRelease, config: WorldConfig) -> list[int]:
    """The people whose names the package cannot give."""
    if config.language == "symbols":
        return [person for person, name in enumerate(names) if name != f"p{person}"]
    first, last = name_words(release.table, config.locale)
    pairs = blocked_pairs(tuple(first), tuple(last))
    blocked = {(first[pair // len(last)], last[pair % len(last)]) for pair in pairs.tolist()}
    given, family = frozenset(first), frozenset(last)
    wrong = []
    for person, name in enumerate(names):
        words = name.split(" ")
        plain = len(words) in (2, 3) and given.issuperset(words[:-1]) and words[-1] in family
        if not plain or (words[0], words[-1]) in blocked:
            wrong.append(person)
    return wrong


def check_values_of(release: ParsedRelease, config: WorldConfig, ledger: Ledger) -> None:
    """Check that every value is one of its pool, as far as the config lets the pool be used."""
    for number, relation in enumerate(release.table.relations):
        if relation.to_person:
            continue
        objects = release.facts[number]
        subjects = np.flatnonzero(objects >= release.people)
        values, inverse = np.unique(objects[subjects], return_inverse=True)
        texts = [release.texts[value] for value in values.tolist()]
        strange = _strange(texts, relation.object, release, config)
        broken = np.flatnonzero(np.isin(inverse, strange))
        locate = partial(_locate, release, number, subjects)
        problems = {
            row: f"{texts[inverse[row]]!r} is no value of {relation.object}"
            for row in broken.tolist()
        }
        ledger.check("values", locate, len(subjects), broken, problems)


def _locate(
    release: ParsedRelease, relation: int, subjects: NDArray[np.int64], row: int
) -> Location:
    """The biography of the subject in a row."""
    return release.locate(relation, int(subjects[row]))


def _strange(texts: list[str], kind: str, release: ParsedRelease, config: WorldConfig) -> list[int]:
    """The numbers of the texts that are no values of a kind."""
    pool = release.table.pools.get(kind)
    if config.language == "symbols":
        limit = config.pool_sizes.get(kind, len(pool) if pool else None)
        return [number for number, text in enumerate(texts) if not _is_token(text, kind, limit)]
    if pool is not None:
        allowed: Collection[str] = set(pool[: config.pool_sizes.get(kind, len(pool))])
        return _outside(texts, allowed)
    if config.facts:
        return []
    if kind in UNIQUE:
        form = re.compile(_form(kind, release.people))
        return [number for number, text in enumerate(texts) if not form.fullmatch(text)]
    return [number for number, text in enumerate(texts) if not _is_date(text)]


def _outside(texts: Iterable[str], allowed: Collection[str]) -> list[int]:
    return [number for number, text in enumerate(texts) if text not in allowed]


def _is_token(text: str, kind: str, limit: int | None) -> bool:
    """Whether a text is one of pet0, pet1, ..., as far as the pool goes."""
    match = re.fullmatch(rf"{kind}(0|[1-9][0-9]{{0,8}})", text)
    return match is not None and (limit is None or int(match[1]) < limit)


def _form(kind: str, people: int) -> str:
    """A pattern of the texts of a composed kind."""
    parts = parts_of(kind, people)
    template = TEMPLATES[kind] + (" ext {}" if len(parts) > TEMPLATES[kind].count("{") else "")
    pieces = re.split(r"\{[^}]*\}", template)
    formats = re.findall(r"\{[^}]*\}", template)
    form = re.escape(pieces[0])
    for words, slot, piece in zip(parts, formats, pieces[1:], strict=True):
        texts = "|".join(re.escape(slot.format(word)) for word in words)
        form += f"(?:{texts}){re.escape(piece)}"
    return form


def _is_date(text: str) -> bool:
    """Whether a text is a day of the package's calendar, written as it writes days."""
    number = day(text)
    if number is None or not DATE_ORIGIN <= number < DATE_END:
        return False
    return composed("date", [number - DATE_ORIGIN], Draw(0)) == [text]
