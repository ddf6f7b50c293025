"""The reader of English: finds names by their capitals and looks up the words around them."""

from __future__ import annotations

import re
from typing import NamedTuple

from bioreason_bench.world.relations import RelationTable
from bioreason_bench.world.templates import (
    CAPITAL,
    POSSESSIVE,
    cut_ask,
    cut_clause,
    cut_statement,
    without_article,
)
from bioreason_bench.world.wording_laws import clause_unit, of_unit

_WORD = rf"[{CAPITAL}][\w-]*"
_NAME = re.compile(rf"{_WORD}(?: {_WORD})*")
_OPENING = re.compile(  # words before the subject, if any, and the subject
    rf"([A-Z][a-z]* [a-z][^{CAPITAL}]*)?({_WORD}(?: {_WORD})*)"
)
_SENTENCE_BREAK = re.compile(r"(?<=[.?!])\s+")


class _Ending(NamedTuple):
    """What completes a statement whose words up to the object are known."""

    after: str
    relation: str
    article: bool


class _Statements:
    """The statements that have the same words before their subject.

    Attributes:
        endings: By the words between subject and object.
        max_words: The most words between subject and object.
    """

    def __init__(self) -> None:
        self.endings: dict[str, list[_Ending]] = {}
        self.max_words = 0

    def add(self, between: str, ending: _Ending) -> None:
        self.endings.setdefault(between, []).append(ending)
        self.max_words = max(self.max_words, between.count(" "))


class EnglishParser:
    """Reads the wordings of a relation table; see `reader.Parser`.

    Every search tries at most as many words as the longest wording has, and looks each candidate up
    in a dictionary, so that the time is linear in the length of the text.
    """

    def __init__(self, table: RelationTable) -> None:
        self._statements = {"": _Statements()}  # by the words before the subject
        self._asks: dict[str, dict[str, str]] = {}  # before the person -> after it -> relation
        self._nouns: dict[str, str] = {}  # noun -> relation
        self._of_units: dict[str, str] = {}  # "the boss of " -> relation
        self._clause_units: dict[str, str] = {}  # "the person who supervised " -> relation
        for row in table.relations:
            for cut in map(cut_statement, row.statements):
                statements = self._statements.setdefault(cut.before, _Statements())
                statements.add(cut.between, _Ending(cut.after, row.name, cut.article))
            for ask in map(cut_ask, row.asks):
                self._asks.setdefault(ask.before, {})[ask.after] = row.name
            if row.to_person:
                self._nouns |= dict.fromkeys(row.nouns, row.name)
                self._of_units |= dict.fromkeys(map(of_unit, row.nouns), row.name)
                clauses = map(cut_clause, row.clauses)
                self._clause_units |= dict.fromkeys(map(clause_unit, clauses), row.name)
        self._ask_words = max(before.count(" ") for before in self._asks)
        units = [*self._of_units, *self._clause_units]
        self._unit_words = max((unit.count(" ") for unit in units), default=0)

    def sentence(self, text: str) -> tuple[str, str, str] | None:
        opening = _OPENING.match(text)
        if not opening:
            return None
        before, subject = opening.groups()
        statements = self._statements.get(before or "")
        subject_end = opening.end()
        if statements is None:
            # "Ann was born in Paris." opens with a name of one word, not with words before a name.
            name = _NAME.match(text)
            assert name is not None
            subject, subject_end, statements = name[0], name.end(), self._statements[""]
        object_begin = subject_end
        for _ in range(statements.max_words):
            object_begin = text.find(" ", object_begin) + 1
            if not object_begin:
                return None
            endings = statements.endings.get(text[subject_end:object_begin])
            if endings:
                for after, relation, article in endings:
                    object_end = len(text) - len(after)
                    if text.endswith(after) and object_end > object_begin:
                        value = text[object_begin:object_end]
                        return subject, relation, without_article(value) if article else value
                return None
        return None

    def sentences(self, text: str) -> list[str]:
        return [part for part in _SENTENCE_BREAK.split(text.strip()) if part]

    def question(self, text: str) -> tuple[str, tuple[str, ...]] | None:
        begin = 0  # of the phrase
        for _ in range(self._ask_words):
            begin = text.find(" ", begin) + 1
            if not begin:
                return None
            endings = self._asks.get(text[:begin])
            reading = self._phrase(text, begin, endings) if endings else None
            if reading:
                return reading
        return None

    def _phrase(
        self, text: str, begin: int, endings: dict[str, str]
    ) -> tuple[str, tuple[str, ...]] | None:
        """Read text[begin:] as a phrase and one of the endings of its ask (ending -> relation)."""
        if not text.startswith("the ", begin):
            name = _NAME.match(text, begin)
            return self._possessive(name[0], text[name.end() :], endings) if name else None
        for units in (self._of_units, self._clause_units):
            path, end = self._units(text, begin, units)
            name = _NAME.match(text, end) if end else None
            if name:
                last = endings.get(text[name.end() :])
                if last is not None and not text.startswith(POSSESSIVE, name.end()):
                    return name[0], (*reversed(path), last)
        return None

    def _possessive(
        self, name: str, rest: str, endings: dict[str, str]
    ) -> tuple[str, tuple[str, ...]] | None:
        """Read the rest after a name: any number of "'s boss", and an ending."""
        if rest in endings:
            return name, (endings[rest],)
        if not rest.startswith(POSSESSIVE):
            return None
        *nouns, tail = rest[len(POSSESSIVE) :].split(POSSESSIVE)
        if not self._nouns.keys() >= set(nouns):
            return None
        path = [self._nouns[noun] for noun in nouns]
        last = endings.get(POSSESSIVE + tail)  # the ending is "'s noun?"
        if last is not None:
            return name, (*path, last)
        for ending, relation in endings.items():
            noun = tail.removesuffix(ending)
            if noun != tail and noun in self._nouns:
                return name, (*path, self._nouns[noun], relation)
        return None

    def _units(self, text: str, begin: int, units: dict[str, str]) -> tuple[list[str], int]:
        """Read a run of units; return their relations and where the run ends, 0 if unreadable."""
        path: list[str] = []
        end = begin
        while text.startswith("the ", end):
            relation, end = self._unit(text, end, units)
            if relation is None:
                return [], 0
            path.append(relation)
        return path, end

    def _unit(self, text: str, begin: int, units: dict[str, str]) -> tuple[str | None, int]:
        """Read one unit; return its relation and where it ends, or (None, 0)."""
        end = begin
        for _ in range(self._unit_words):
            end = text.find(" ", end) + 1
            if not end:
                break
            relation = units.get(text[begin:end])
            if relation is not None:
                return relation, end
        return None, 0
