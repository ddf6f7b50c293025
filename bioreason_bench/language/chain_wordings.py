"""More wordings of a relation table, for readers of chains: the words in which questions ask.

A model states a hop in the words of the question as often as in those of a biography.  So a reader
of chains takes more statements than biographies are written in, all made from the table: with its
nouns, its clauses and its asks, with one of two nouns joined by "or", and in the present tense.  A
wording that would read like one of another relation is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from bioreason_bench.world.relations import Relation, RelationTable
from bioreason_bench.world.templates import Statement, cut_statement
from bioreason_bench.world.wording_laws import value_first

__all__ = ["RULES", "more_statements", "with_more_statements"]

RULES = {
    "noun": "its nouns",
    "named": "its nouns, with a name",
    "clause": "its clauses, after “the person” or as a sentence",
    "ask": "its questions that begin with “who” or “what”",
    "either": "one noun of two that are joined by “or”",
    "present": "the present tense of be and have",
}
_EITHER = re.compile(r"\b([a-z]+) or ([a-z]+)\b")
_PRESENT = {"was": "is", "were": "are", "had": "has"}
_PAST = re.compile(rf"\b(?:{'|'.join(_PRESENT)})\b")
_Surface = tuple[str, str, str]  # the words before, between and after the slots


def more_statements(row: Relation) -> Iterator[tuple[str, str]]:
    """Yield (rule, statement) for the statements that follow from the words of a relation."""
    past = [("", statement) for statement in row.statements]
    past += [("noun", statement) for statement in _of_nouns(row)]
    past += [("named", statement) for statement in _of_named(row)]
    past += [("clause", statement) for clause in row.clauses for statement in _of_clause(clause)]
    past += [("ask", statement) for ask in row.asks for statement in _of_ask(ask, row.to_person)]
    past += [
        ("either", _EITHER.sub(rf"\{number}", statement, count=1))
        for _, statement in past
        if _EITHER.search(statement)
        for number in (1, 2)
    ]
    yield from past[len(row.statements) :]
    for _, statement in past:
        if _PAST.search(statement):
            yield "present", _PAST.sub(lambda word: _PRESENT[word[0]], statement)


def _of_nouns(row: Relation) -> Iterator[str]:
    """Yield "{subject}'s boss was {object}." and the like."""
    for noun in row.nouns:
        yield f"{{subject}}'s {noun} was {{object}}."
        yield f"The {noun} of {{subject}} was {{object}}."
        if row.to_person:
            yield f"{{object}} was {{subject}}'s {noun}."
            yield f"{{object}} was the {noun} of {{subject}}."


def _of_named(row: Relation) -> Iterator[str]:
    """Yield "{subject} had a boss named {object}." and the like."""
    for noun in row.nouns if row.to_person else ():
        article = "an" if noun[0] in "aeiou" else "a"
        yield f"{{subject}} had {article} {noun} named {{object}}."


def _of_clause(clause: str) -> Iterator[str]:
    """Yield "The person who supervised {subject} was {object}." and the like."""
    words = clause.replace("{person}", "{subject}")
    yield f"The person {words} was {{object}}."
    yield f"{{object}} was the person {words}."
    if words.startswith("who "):
        yield f"{{object}} {words.removeprefix('who ')}."
    else:
        yield f"{{object}}'s {words.removeprefix('whose ')}."


def _of_ask(ask: str, to_person: bool) -> Iterator[str]:
    """Yield "{object} supervised {subject}." for "Who supervised {person}?", and the like."""
    word, _, words = ask.removesuffix("?").replace("{person}", "{subject}").partition(" ")
    if word not in {"Who", "What"}:
        return
    asked = words.removeprefix("was ")
    if asked != words and asked.startswith(("{subject}'s ", "the ")):
        yield f"{asked[0].upper()}{asked[1:]} was {{object}}."
    elif to_person and word == "Who":
        yield f"{{object}} {words}."


def with_more_statements(table: RelationTable) -> RelationTable:
    """Return the table with every further statement that has one reading."""
    surfaces = _Surfaces(table)
    found = [
        (row, statement, cut)
        for row in table.relations
        for _, statement in more_statements(row)
        if (cut := _cut(row, statement)) and surfaces.may_add(row, cut)
    ]
    for row, _, cut in found:
        surfaces.add(row, cut)
    more: dict[str, list[str]] = {row.name: list(row.statements) for row in table.relations}
    added: set[_Surface] = set()
    for row, statement, cut in found:
        surface = _surface(row, cut)
        if surfaces.has_one_reading(row, cut) and surface not in added:
            more[row.name].append(statement)
            added.add(surface)
    return RelationTable(
        tuple(replace(row, statements=tuple(more[row.name])) for row in table.relations),
        table.pools,
    )


def _cut(row: Relation, statement: str) -> Statement | None:
    """Split the statement at its slots; None if a rule of wordings forbids it."""
    try:
        cut = cut_statement(statement, row.to_person)
    except ValueError:
        return None
    return None if value_first(row, cut) else cut


class _Surfaces:
    """What the statements of a table look like, to tell whether another one has two readings."""

    def __init__(self, table: RelationTable) -> None:
        self._readings: dict[_Surface, set[tuple[str, bool]]] = {}
        # by the words before and between: the relations that go on, and those whose value follows
        self._beginnings: dict[tuple[str, str], set[str]] = {}
        self._before_values: dict[tuple[str, str], set[str]] = {}
        for row in table.relations:
            for statement in row.statements:
                cut = cut_statement(statement, row.to_person)
                if not value_first(row, cut):
                    self.add(row, cut)
        self._own = frozenset(self._readings)

    def add(self, row: Relation, cut: Statement) -> None:
        self._readings.setdefault(_surface(row, cut), set()).add(_reading(row, cut))
        for part in _beginnings(cut.between):
            self._beginnings.setdefault((cut.before, part), set()).add(row.name)
        if not row.to_person:
            self._before_values.setdefault((cut.before, cut.between), set()).add(row.name)

    def may_add(self, row: Relation, cut: Statement) -> bool:
        """Whether no statement of the table reads like this one, or of another begins like it."""
        if _surface(row, cut) in self._own:
            return False
        longer = self._beginnings.get((cut.before, cut.between), set())
        return (row.to_person or longer <= {row.name}) and not self._begins_otherwise(row, cut)

    def has_one_reading(self, row: Relation, cut: Statement) -> bool:
        """Whether statements with these words state one fact, and no other value begins them."""
        one = len(self._readings[_surface(row, cut)]) == 1
        return one and not self._begins_otherwise(row, cut)

    def _begins_otherwise(self, row: Relation, cut: Statement) -> bool:
        """Whether a value of another relation might follow where these words go on."""
        return any(
            self._before_values.get((cut.before, part), set()) - {row.name}
            for part in _beginnings(cut.between)
        )


def _beginnings(between: str) -> list[str]:
    """The proper beginnings of the words between two slots, at blanks."""
    return [between[: match.end()] for match in re.finditer(" ", between) if match.end() > 1][:-1]


def _surface(row: Relation, cut: Statement) -> _Surface:
    """What identifies the statement: for a value, the words before it alone."""
    return cut.before, cut.between, cut.after if row.to_person else ""


def _reading(row: Relation, cut: Statement) -> tuple[str, bool]:
    """What the statement states, the same for a fact that is said from its other end."""
    reading = row.name, cut.object_first
    return min(reading, (row.inverse, not cut.object_first)) if row.inverse else reading
