"""The reader of English: finds names by their capitals and looks up the words around them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from bioreason_bench.world.relations import RelationTable
from bioreason_bench.world.templates import (
    CAPITAL,
    NAME_WORD,
    POSSESSIVE,
    QUOTE,
    Statement,
    cut_ask,
    cut_clause,
    cut_statement,
    with_name,
    without_article,
)
from bioreason_bench.world.wording_laws import clause_unit, of_unit

_CAPITALIZED = re.compile(NAME_WORD)
_NAME = re.compile(rf"{NAME_WORD}(?: {NAME_WORD})*")
_OPENING = re.compile(  # words before the first name, if any, and the name
    rf"([A-Z][a-z]* [a-z][^{CAPITAL}]*)?({_NAME.pattern})"
)
_SENTENCE_BREAK = re.compile(r'\s(?:(?<=[.?!]\s)|(?<=[.?!]"\s))\s*')
_JOINED = re.compile(r',("?) and (?=(?:they|their) )')  # two sentences of a biography in one
_PRONOUNS = ("They ", "Their ")


class _Ending(NamedTuple):
    """What completes a statement: its relation, and how the object is written."""

    relation: str
    cut: Statement

    def fact(self, first: str, second: str) -> tuple[str, str, str]:
        """Return the fact of the statement with these texts in its slots."""
        subject, text = (second, first) if self.cut.object_first else (first, second)
        return subject, self.relation, without_article(text) if self.cut.article else text


class _NameFirst:
    """The statements that begin with a name, after the same words before it.

    Attributes:
        names: By the words between two names, the endings by the words after them.
        values: By the words between a name and a value.
        max_words: The most words between the slots.
    """

    def __init__(self) -> None:
        self.names: dict[str, dict[str, _Ending]] = {}
        self.values: dict[str, _Ending] = {}
        self.max_words = 0

    @cached_property
    def _longer(self) -> dict[str, tuple[str, ...]]:
        """The words before a value that go on in another statement, and how they go on."""
        return {
            between: longer
            for between in self.values
            if (
                longer := tuple(
                    one for one in self.values if one.startswith(between) and one != between
                )
            )
        }

    def add(self, ending: _Ending, to_person: bool) -> None:
        between, after = ending.cut.between, ending.cut.after
        if to_person:
            self.names.setdefault(between, {})[after] = ending
        else:
            self.values[between] = ending
        self.max_words = max(self.max_words, between.count(" "))

    def read(self, text: str, first: str, end: int) -> tuple[str, str, str] | None:
        """Read a statement whose first name is known, and where it ends."""
        for begin in _word_starts(text, end, self.max_words):
            between = text[end:begin]
            if between in self.names:
                second = _NAME.match(text, begin)
                ending = second and self.names[between].get(text[second.end() :])
                if second and ending:
                    return ending.fact(first, second[0])
            elif between in self.values:
                if text.startswith(self._longer.get(between, ()), end):
                    continue
                ending = self.values[between]
                stop = len(text) - len(ending.cut.after)
                if stop > begin and text.endswith(ending.cut.after):
                    return ending.fact(first, text[begin:stop])
                return None
        return None


class _ValueFirst:
    """The statements that begin with a value, after the same words before it.

    Attributes:
        endings: By the words after the name: the statements that end so.
    """

    def __init__(self) -> None:
        self.endings: dict[str, list[_Ending]] = {}

    def add(self, ending: _Ending) -> None:
        self.endings.setdefault(ending.cut.after, []).append(ending)

    def read(self, text: str, begin: int) -> tuple[str, str, str] | None:
        """Read a statement whose value begins at `begin`, from its end."""
        for after, endings in self.endings.items():
            if not text.endswith(after):
                continue
            name_end = len(text) - len(after)
            name_begin = _name_begin(text, name_end)
            for ending in endings:
                stop = name_begin - len(ending.cut.between)
                if (
                    name_begin < name_end
                    and stop > begin
                    and text.startswith(ending.cut.between, stop)
                ):
                    return ending.fact(text[begin:stop], text[name_begin:name_end])
        return None


def _word_starts(text: str, begin: int, words: int) -> Iterator[int]:
    """Yield where the next words begin, with and without their quotation mark."""
    for _ in range(words):
        begin = text.find(" ", begin) + 1
        if not begin:
            return
        yield begin
        if text.startswith(QUOTE, begin):
            yield begin + 1


def _name_begin(text: str, end: int) -> int:
    """Return where the run of capitalized words that ends at `end` begins; `end` if none does."""
    begin = end
    stop = end
    while stop > 0:
        word = text.rfind(" ", 0, stop) + 1
        if not _CAPITALIZED.fullmatch(text, word, stop):
            break
        begin, stop = word, word - 1
    return begin


class EnglishParser:
    """Reads the wordings of a relation table; see `reader.Parser`.

    Every search tries at most as many words as the longest wording has, and looks each candidate up
    in a dictionary, so that the time is linear in the length of the text.
    """

    def __init__(self, table: RelationTable) -> None:
        self._name_first = {"": _NameFirst()}  # by the words before the name
        self._value_first: dict[str, _ValueFirst] = {}  # by the words before the value
        self._asks: dict[str, dict[str, str]] = {}  # before the person -> after it -> relation
        self._nouns: dict[str, str] = {}  # noun -> relation
        self._of_units: dict[str, str] = {}  # "the boss of " -> relation
        self._clause_units: dict[str, str] = {}  # "the person who supervised " -> relation
        for row in table.relations:
            for statement in row.statements:
                cut = cut_statement(statement, row.to_person)
                ending = _Ending(row.name, cut)
                if cut.object_first and not row.to_person:
                    self._value_first.setdefault(cut.before, _ValueFirst()).add(ending)
                else:
                    self._name_first.setdefault(cut.before, _NameFirst()).add(ending, row.to_person)
            for ask in map(cut_ask, row.asks):
                self._asks.setdefault(ask.before, {})[ask.after] = row.name
            if row.to_person:
                self._nouns |= dict.fromkeys(row.nouns, row.name)
                self._of_units |= dict.fromkeys(map(of_unit, row.nouns), row.name)
                clauses = map(cut_clause, row.clauses)
                self._clause_units |= dict.fromkeys(map(clause_unit, clauses), row.name)
        self._value_words = max((before.count(" ") for before in self._value_first), default=0)
        self._value_openings = {before.partition(" ")[0] + " " for before in self._value_first}
        self._ask_words = max(before.count(" ") for before in self._asks)
        units = [*self._of_units, *self._clause_units]
        self._unit_words = max((unit.count(" ") for unit in units), default=0)

    def sentence(self, text: str) -> tuple[str, str, str] | None:
        if text.startswith(_PRONOUNS):
            return None
        if text[: text.find(" ") + 1] in self._value_openings or text.startswith(QUOTE):
            for begin in (int(text.startswith(QUOTE)), *_word_starts(text, 0, self._value_words)):
                value_first = self._value_first.get(text[:begin])
                if value_first and (fact := value_first.read(text, begin)):
                    return fact
        opening = _OPENING.match(text)
        if not opening:
            return None
        name_first = self._name_first.get(opening[1] or "")
        if name_first:
            return name_first.read(text, opening[2], opening.end())
        # "Ann was born in Paris." opens with a name of one word, not with words before a name.
        name = _NAME.match(text)
        if not name:
            return None
        return self._name_first[""].read(text, name[0], name.end())

    def sentences(self, text: str) -> list[str]:
        return [part for part in _SENTENCE_BREAK.split(text.strip()) if part]

    def parts(self, text: str) -> list[str]:
        return [part for joined in self.sentences(text) for part in _separate(joined)]

    def named(self, part: str, name: str) -> str:
        return with_name(part, name)

    def part(self, part: str, name: str) -> tuple[str, tuple[str, str, str] | None]:
        fact = self.sentence(part)
        if fact or not name:
            return part, fact
        named = with_name(part, name)
        fact = self.sentence(named)
        return (named, fact) if fact and fact[0] == name else (part, None)

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


def _separate(text: str) -> list[str]:
    """Separate sentences that a biography joins by ", and they" or ", and their".

    >>> _separate("Ann Lee died in Lima, and their hobby was chess.")
    ['Ann Lee died in Lima.', 'Their hobby was chess.']
    """
    if ", and the" not in text and '," and the' not in text:  # what _JOINED begins with, and faster
        return [text]
    first, *rest = _JOINED.split(text)
    sentences = [first]
    for mark, part in zip(rest[::2], rest[1::2], strict=True):
        sentences[-1] += "." + mark
        sentences.append("T" + part[1:])
    return sentences
