"""The reader of English: finds the names by their capital letters, and looks up the words between them."""

from __future__ import annotations

import re
from collections import defaultdict

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
_OPENING = re.compile(
    rf"([A-Z][a-z]* [a-z][^{CAPITAL}]*)?({_WORD}(?: {_WORD})*)"
)  # words before the subject, and the subject
_END = re.compile(r"(?<=[.?!])\s+")


class EnglishParser:
    def __init__(self, table: RelationTable) -> None:
        self._statements = _statements(table)
        self._asks: dict[str, dict[str, str]] = defaultdict(dict)  # before -> after -> relation
        self._nouns: dict[str, str] = {}
        self._units: list[dict[str, str]] = [{}, {}]  # of-units, clause units
        for row in table.relations:
            for ask in map(cut_ask, row.asks):
                self._asks[ask.before][ask.after] = row.name
            if row.to_person:
                for noun in row.nouns:
                    self._nouns[noun] = row.name
                    self._units[0][of_unit(noun)] = row.name
                for clause in map(cut_clause, row.clauses):
                    self._units[1][clause_unit(clause)] = row.name
        self._asks = dict(self._asks)
        self._ask_words = max(before.count(" ") for before in self._asks)
        self._unit_words = max(
            (unit.count(" ") for units in self._units for unit in units), default=0
        )

    def sentence(self, text: str) -> tuple[str, str, str] | None:
        """(subject, relation, object) of a statement in any of its wordings; None for anything else."""
        found = _OPENING.match(text)
        if not found:
            return None
        before, name = found.groups()
        wordings = self._statements.get(before or "")
        end = found.end()
        if (
            wordings is None
        ):  # "Ann was born in Paris.": a name of one word, not words before a subject
            found = _NAME.match(text)
            name, end, wordings = found[0], found.end(), self._statements[""]
        known, words = wordings
        at = end
        for _ in range(words):
            at = text.find(" ", at) + 1
            if not at:
                return None
            choices = known.get(text[end:at])
            if choices:
                for after, relation, article in choices:
                    if text.endswith(after) and len(text) - len(after) > at:
                        value = text[at : len(text) - len(after)]
                        return name, relation, without_article(value) if article else value
                return None
        return None

    def sentences(self, text: str) -> list[str]:
        """The sentences of a biography, a context or a chain, each with its full stop."""
        return [part for part in _END.split(text.strip()) if part]

    def question(self, text: str) -> tuple[str, tuple[str, ...]] | None:
        """(start, path of relation names) of a question; None for anything else."""
        at = 0
        for _ in range(self._ask_words):
            at = text.find(" ", at) + 1
            if not at:
                return None
            afters = self._asks.get(text[:at])
            if afters:
                found = self._phrase(text, at, afters)
                if found:
                    return found
        return None

    def _phrase(
        self, text: str, at: int, afters: dict[str, str]
    ) -> tuple[str, tuple[str, ...]] | None:
        """The reading of text[at:] as a phrase and one of the endings of its ask."""
        if text.startswith("the ", at):
            for units in self._units:
                path: list[str] = []
                end = at
                while text.startswith("the ", end):
                    end = self._unit(text, end, units, path)
                found = _NAME.match(text, end) if end else None
                if found:
                    last = afters.get(text[found.end() :])
                    if last is not None and not text.startswith(POSSESSIVE, found.end()):
                        return found[0], (*reversed(path), last)
            return None
        found = _NAME.match(text, at)
        return self._possessive(found[0], text[found.end() :], afters) if found else None

    def _possessive(
        self, name: str, rest: str, afters: dict[str, str]
    ) -> tuple[str, tuple[str, ...]] | None:
        """The reading of what follows a name: any number of "'s boss", and an ending."""
        if rest in afters:
            return name, (afters[rest],)
        if not rest.startswith(POSSESSIVE):
            return None
        *nouns, tail = rest[len(POSSESSIVE) :].split(POSSESSIVE)
        if not self._nouns.keys() >= set(nouns):
            return None
        path = [self._nouns[noun] for noun in nouns]
        last = afters.get(POSSESSIVE + tail)
        if last is not None:
            return name, (*path, last)
        for after, relation in afters.items():
            noun = tail.removesuffix(after)
            if noun != tail and noun in self._nouns:
                return name, (*path, self._nouns[noun], relation)
        return None

    def _unit(self, text: str, at: int, units: dict[str, str], path: list[str]) -> int:
        """Where the unit at `at` ends, its relation put on the path; 0 if there is none."""
        end = at
        for _ in range(self._unit_words):
            end = text.find(" ", end) + 1
            if not end:
                return 0
            relation = units.get(text[at:end])
            if relation is not None:
                path.append(relation)
                return end
        return 0


def _statements(
    table: RelationTable,
) -> dict[str, tuple[dict[str, list[tuple[str, str, bool]]], int]]:
    """Words before the subject -> (words between -> endings, the most words between)."""
    known: dict[str, dict[str, list[tuple[str, str, bool]]]] = {"": {}}
    for row in table.relations:
        for cut in map(cut_statement, row.statements):
            known.setdefault(cut.before, {}).setdefault(cut.between, []).append(
                (cut.after, row.name, cut.article)
            )
    return {
        before: (wordings, max((words.count(" ") for words in wordings), default=0))
        for before, wordings in known.items()
    }
