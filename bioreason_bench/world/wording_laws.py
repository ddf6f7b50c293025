"""The rules that give every sentence and question one reading.

A table that breaks one raises a ValueError with the relations and the rule.

A statement has two slots, the subject's name and the object.  Names are runs of capitalized words,
so a reader sees where a name begins and ends, but a value may be any text.  Hence statements are
read in two ways:

* *Name first*: the first slot is a name, such as "{subject} wrote {object}." or "{object}
  supervised {subject}."  The words up to the second slot identify the statement.
* *Value first*, such as "It was in {object} that {subject} died.": the words before the value tell
  that it is such a statement; it is then read from its end, where the name is.

A question is an ask whose person is a phrase.  A phrase is a name in *units*, one per hop, all of
one style: "the boss of " or "the person who supervised " before the name, or "'s boss" after it.
The rules make sure that the text before the name, and the text after it, divide into ask and units
in one way only.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import pairwise, permutations
from typing import TypeVar

from bioreason_bench.world.relations import Relation, RelationTable
from bioreason_bench.world.templates import (
    CAPITAL,
    POSSESSIVE,
    Ask,
    Statement,
    check_noun,
    cut_ask,
    cut_clause,
    cut_statement,
)
from bioreason_bench.world.words import read_words

Cut = TypeVar("Cut")
_CAPITAL = re.compile(f"[{CAPITAL}]")


def of_unit(noun: str) -> str:
    """Return the unit of a noun that precedes the name: "the boss of "."""
    return f"the {noun} of "


def clause_unit(clause: Ask) -> str:
    """Return the unit of a relative clause: "the person who supervised "."""
    return f"the person {clause.before}"


def check_wording(table: RelationTable) -> None:
    """Raise ValueError for the first rule that the wordings of the table break."""
    for row in table.relations:
        list(_cut_all(row, row.nouns, check_noun))
    statements = [
        (row, cut)
        for row in table.relations
        for cut in _cut_all(row, row.statements, partial(cut_statement, to_person=row.to_person))
    ]
    asks = [(row, cut) for row in table.relations for cut in _cut_all(row, row.asks, cut_ask)]
    people = [row for row in table.relations if row.to_person]
    _check_complete(table)
    _check_first_words([(row, cut.before) for row, cut in statements])
    _check_first_words([(row, cut.before) for row, cut in asks])
    _check_value_first(statements)
    _check_name_first(statements)
    _check_nouns(people)
    units = [(of_unit(noun), row) for row in people for noun in row.nouns]
    units += [
        (clause_unit(cut), row) for row in people for cut in _cut_all(row, row.clauses, cut_clause)
    ]
    _check_units(units)
    _check_asks(asks, [unit for unit, _ in units], [noun for row in people for noun in row.nouns])


def _cut_all(row: Relation, templates: Iterable[str], cut: Callable[[str], Cut]) -> Iterator[Cut]:
    """Yield the templates split at their slots; name the relation in errors."""
    for template in templates:
        try:
            yield cut(template)
        except ValueError as problem:
            raise ValueError(f"relation '{row.name}': {problem}") from None


def _check_complete(table: RelationTable) -> None:
    """Every relation can end a long question, and every relation to a person has nouns."""
    for row in table.relations:
        if not any(cut_ask(ask).final for ask in row.asks):
            raise ValueError(
                f"relation '{row.name}': at least one ask must end in \"{{person}}?\", "
                "for long phrases"
            )
        if row.to_person and not row.nouns:
            raise ValueError(
                f"relation '{row.name}': it leads to a person, so it needs nouns, "
                'as in "the boss of Ann Lee"'
            )


def _check_first_words(wordings: Iterable[tuple[Relation, str]]) -> None:
    """No wording begins with a word that is also part of people's names."""
    names = {*read_words("first_names"), *read_words("last_names")}
    for row, before in wordings:
        word = before.partition(" ")[0]
        if word in names:
            raise ValueError(
                f"relation '{row.name}': a wording begins with {word!r}, "
                "which is also the name of people; begin it with another word"
            )


def value_first(row: Relation, cut: Statement) -> bool:
    """Whether the first slot of the statement is a value, so that it is read from its end."""
    return cut.object_first and not row.to_person


def _check_value_first(statements: Sequence[tuple[Relation, Statement]]) -> None:
    """The words before a value tell that a value follows; the words after it identify the rest.

    After the words "It was in ", anything may follow, so no other statement begins with them.  From
    the end of such a statement, the words after the name and then those before it are known.
    """
    endings = defaultdict(list)
    for row, cut in statements:
        if value_first(row, cut):
            _check_before_value(row, cut.before, statements)
            endings[cut.before, cut.after].append((cut.between[::-1], row))
    for group in endings.values():
        group.sort(key=lambda item: item[0])
        for (between, row), (other, other_row) in pairwise(group):
            if other.startswith(between):
                raise ValueError(
                    f"relation '{other_row.name}': the statement with {other[::-1].strip()!r} "
                    f"reads like one of '{row.name}'; reword one of them"
                )


def _check_before_value(
    row: Relation, before: str, statements: Iterable[tuple[Relation, Statement]]
) -> None:
    """No other statement begins with the words before a value, but others before a value."""
    for other_row, other in statements:
        same = other.before == before and value_first(other_row, other)
        if other.before.startswith(before) and not same:
            raise ValueError(
                f"relation '{other_row.name}': a statement begins with {other.before.strip()!r}, "
                f"but in '{row.name}' any value can follow {before.strip()!r}; "
                "reword one of them"
            )


def _check_name_first(statements: Iterable[tuple[Relation, Statement]]) -> None:
    """After the first name, the words up to the second slot identify the statement.

    If two names follow the same words, the words after them do.  The words before a value may not
    begin those of another statement; the words before a name may, because the other statement goes
    on with a small letter.
    """
    by_before = defaultdict(list)
    for row, cut in statements:
        if not value_first(row, cut):
            by_before[cut.before].append((row, cut))
    for group in by_before.values():
        group.sort(key=lambda item: (item[1].between, item[1].after))
        for (row, cut), (other_row, other) in pairwise(group):
            names = row.to_person and other_row.to_person
            if cut.between == other.between and not (names and cut.after != other.after):
                raise ValueError(
                    f"relation '{other_row.name}': the statement with "
                    f"{other.between.strip()!r} reads like one of '{row.name}'; "
                    "reword one of them"
                )
            rest = other.between.removeprefix(cut.between)
            if other.between.startswith(cut.between) and (
                not row.to_person or _CAPITAL.match(rest)
            ):
                raise ValueError(
                    f"relation '{other_row.name}': the statement with {other.between.strip()!r} "
                    f"begins like the one of '{row.name}' with {cut.between.strip()!r}, "
                    "so a value could be taken for words; reword one of them"
                )


def _check_nouns(people: Iterable[Relation]) -> None:
    """No noun belongs to two relations."""
    owner: dict[str, Relation] = {}
    for row in people:
        for noun in row.nouns:
            if noun in owner:
                raise ValueError(
                    f"relation '{row.name}': its noun {noun!r} is also a noun of "
                    f"'{owner[noun].name}'"
                )
            owner[noun] = row


def _check_units(units: Iterable[tuple[str, Relation]]) -> None:
    """No unit begins another, so a run of units divides in one way only.

    If one unit begins another, it also begins its neighbour in alphabetical order.
    """
    ordered = sorted(units, key=lambda item: item[0])
    for (unit, row), (other, other_row) in pairwise(ordered):
        if other.startswith(unit):
            raise ValueError(
                f"relation '{other_row.name}': {other.strip()!r} begins like {unit.strip()!r} "
                f"of '{row.name}', so a phrase could be read in two ways; reword one of them"
            )


def _check_asks(
    asks: Iterable[tuple[Relation, Ask]], units: Sequence[str], nouns: Sequence[str]
) -> None:
    """No ask with one phrase is the same text as another ask with another phrase."""
    owner: dict[Ask, Relation] = {}
    by_after, by_before = defaultdict(list), defaultdict(list)
    for row, cut in asks:
        if cut in owner:
            raise ValueError(
                f"relation '{row.name}': {_quote(cut)} is already an ask of '{owner[cut].name}'"
            )
        owner[cut] = row
        by_after[cut.after].append(cut)
        by_before[cut.before].append(cut)
    confusable = [
        (one, other)
        for group in by_after.values()
        for one, other in permutations(group, 2)
        if _beginnings_meet(one, other, units)
    ]
    confusable += [
        (one, other)
        for group in by_before.values()
        for one, other in permutations(group, 2)
        if _endings_meet(one, other, nouns)
    ]
    if confusable:
        one, other = confusable[0]
        raise ValueError(
            f"relation '{owner[other].name}': ask {_quote(other)} could be read as {_quote(one)} "
            f"of '{owner[one].name}' with a longer phrase; reword one of them"
        )


def _quote(ask: Ask) -> str:
    return repr(f"{ask.before}{{person}}{ask.after}")


def _beginnings_meet(one: Ask, other: Ask, units: Sequence[str]) -> bool:
    """Can two asks that end alike, each followed by units, begin with the same text?"""
    return other.before.startswith(one.before) and meets(other.before[len(one.before) :], units)


def meets(rest: str, units: Iterable[str]) -> bool:
    """Can `rest` followed by units be the same text as other units?

    This is the test of Sardinas and Patterson (1953): it follows what either side has in excess.

    >>> meets("the boss of ", ["the boss of ", "the rival of "])
    True
    >>> meets("the boss of ", ["the boss of the ", "rival of ", "the rival of "])
    True
    >>> meets("the head of ", ["the boss of ", "the rival of "])
    False
    """
    seen: set[str] = set()
    excesses = [rest]
    while excesses:
        text = excesses.pop()
        if not text:
            return True
        if text not in seen:
            seen.add(text)
            excesses += [unit[len(text) :] for unit in units if unit.startswith(text)]
            excesses += [text[len(unit) :] for unit in units if text.startswith(unit)]
    return False


def _endings_meet(one: Ask, other: Ask, nouns: Iterable[str]) -> bool:
    """Can two asks that begin alike, each after a possessive phrase, end with the same text?"""
    known = set(nouns)
    if not other.after.endswith(one.after):
        return False
    excess = other.after[: len(other.after) - len(one.after)]
    if other.possessive and not one.possessive:
        return excess.removeprefix(POSSESSIVE) in known
    return any(noun + excess in known for noun in known)
