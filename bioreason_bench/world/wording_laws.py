"""What keeps language readable in one way only; each breach is a ValueError that names the rows and the law.

A question is an ask around a phrase, and a phrase is a name in units: "the boss of", "the person who supervised" before it,
or "'s boss" after it, of one style only.  Names are runs of words with capital letters, so the reader sees where the name
stands; what is left to check is that the text before it, and the text after it, can be cut up in one way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import pairwise, permutations
from typing import TypeVar

from bioreason_bench.world.relations import Relation, RelationTable
from bioreason_bench.world.templates import (
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


def of_unit(noun: str) -> str:
    return f"the {noun} of "


def clause_unit(clause: Ask) -> str:
    return f"the person {clause.before}"


def check_wording(table: RelationTable) -> None:
    """Raise ValueError for the first breach."""
    for row in table.relations:
        list(_cuts(row, row.nouns, check_noun))
    statements = [
        (row, cut) for row in table.relations for cut in _cuts(row, row.statements, cut_statement)
    ]
    asks = [(row, cut) for row in table.relations for cut in _cuts(row, row.asks, cut_ask)]
    people = [row for row in table.relations if row.to_person]
    nouns = {noun: row for row in people for noun in row.nouns}
    for row in table.relations:
        if not any(cut.final for cut in _cuts(row, row.asks, cut_ask)):
            raise ValueError(
                f"relation '{row.name}': at least one ask must end in \"{{person}}?\", for long phrases"
            )
        if row.to_person and not row.nouns:
            raise ValueError(
                f"relation '{row.name}': it leads to a person, so it needs nouns, as in \"the boss of Ann Lee\""
            )
    _check_names(statements, asks)
    _check_statements(statements)
    _check_nouns(people)
    units = [(of_unit(noun), row) for noun, row in nouns.items()]
    units += [
        (clause_unit(cut), row) for row in people for cut in _cuts(row, row.clauses, cut_clause)
    ]
    _check_units(units)
    _check_asks(asks, [unit for unit, _ in units], list(nouns))


def _cuts(row: Relation, templates: Iterable[str], cut: Callable[[str], Cut]) -> Iterable[Cut]:
    for template in templates:
        try:
            yield cut(template)
        except ValueError as problem:
            raise ValueError(f"relation '{row.name}': {problem}") from None


def _check_names(
    statements: list[tuple[Relation, Statement]], asks: list[tuple[Relation, Ask]]
) -> None:
    """No name begins with a word that begins a template."""
    names = {*read_words("first_names"), *read_words("last_names")}
    for row, cut in [*statements, *asks]:
        word = cut.before.partition(" ")[0]
        if word in names:
            raise ValueError(
                f"relation '{row.name}': a wording begins with {word!r}, which is also the name of people; begin it otherwise"
            )


def _check_statements(statements: list[tuple[Relation, Statement]]) -> None:
    """After the subject, the words up to the object say which statement it is."""
    by_before = defaultdict(list)
    for row, cut in statements:
        by_before[cut.before].append((cut.between, cut, row))
    for group in by_before.values():
        group.sort(
            key=lambda item: (item[0], item[1].after[::-1])
        )  # what begins or ends alike comes to stand side by side
        for (words, cut, row), (other_words, other, other_row) in pairwise(group):
            if words == other_words:
                told = (
                    row.to_person
                    and other_row.to_person
                    and not cut.after.endswith(other.after)
                    and not other.after.endswith(cut.after)
                )
                if not told:
                    raise ValueError(
                        f"relation '{other_row.name}': the statement with {other_words.strip()!r} cannot be told from one of '{row.name}'"
                    )
            elif other_words.startswith(words):
                raise ValueError(
                    f"relation '{other_row.name}': the statement with {other_words.strip()!r} begins like the one of '{row.name}' "
                    f"with {words.strip()!r}, so a value could be taken for words; say one of them differently"
                )


def _check_nouns(people: list[Relation]) -> None:
    owner: dict[str, Relation] = {}
    for row in people:
        for noun in row.nouns:
            if noun in owner:
                raise ValueError(
                    f"relation '{row.name}': its noun {noun!r} is also a noun of '{owner[noun].name}'"
                )
            owner[noun] = row


def _check_units(units: list[tuple[str, Relation]]) -> None:
    """No unit begins another, so a run of units can be cut in one way only."""
    ordered = sorted(units, key=lambda item: item[0])
    for (unit, row), (other, other_row) in pairwise(ordered):
        if other.startswith(unit):
            raise ValueError(
                f"relation '{other_row.name}': {other.strip()!r} begins like {unit.strip()!r} of '{row.name}', "
                "so a phrase could be read in two ways; say one of them differently"
            )


def _check_asks(asks: list[tuple[Relation, Ask]], units: list[str], nouns: list[str]) -> None:
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
    for group, meet in [(group, _heads_meet) for group in by_after.values()] + [
        (group, _tails_meet) for group in by_before.values()
    ]:
        for one, other in permutations(group, 2):
            if meet(one, other, units if meet is _heads_meet else nouns):
                raise ValueError(
                    f"relation '{owner[other].name}': ask {_quote(other)} could be read as {_quote(one)} of '{owner[one].name}' "
                    "with a longer phrase; say one of them differently"
                )


def _quote(ask: Ask) -> str:
    return repr(f"{ask.before}{{person}}{ask.after}")


def _heads_meet(one: Ask, other: Ask, units: list[str]) -> bool:
    """Can `one` with a phrase begin like `other` with another?  Both end alike."""
    return other.before.startswith(one.before) and meets(other.before[len(one.before) :], units)


def meets(rest: str, units: list[str]) -> bool:
    """Can `rest` and some units be the same text as some other units?  (The test of Sardinas and Patterson, 1953.)"""
    seen, open_ = set(), [rest]
    while open_:
        text = open_.pop()
        if not text:
            return True
        if text not in seen:
            seen.add(text)
            open_ += [unit[len(text) :] for unit in units if unit.startswith(text)]
            open_ += [text[len(unit) :] for unit in units if text.startswith(unit)]
    return False


def _tails_meet(one: Ask, other: Ask, nouns: list[str]) -> bool:
    """Can a possessive phrase and the end of `one` be the same text as another phrase and the end of `other`?  Both begin alike."""
    known = set(nouns)
    if not other.after.endswith(one.after):
        return False
    more = other.after[: len(other.after) - len(one.after)]
    if other.possessive and not one.possessive:
        return more.removeprefix(POSSESSIVE) in known
    return any(noun + more in known for noun in nouns)
