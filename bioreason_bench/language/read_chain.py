"""The reader of chains: it takes what models write around the facts that biographies state.

It reads more wordings than the reader of biographies (see chain_wordings.py), and of a sentence
that is in none of them it takes away what states no fact: words that lead to it ("I recall that"),
remarks in parentheses or at its end ("according to the text"), a heading.  It puts the person just
named for a pronoun, and separates facts that are joined.  What it accepts is listed in
docs/chains.md.

The audit reads releases with the stricter reader of read_english.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from bioreason_bench.language.chain_wordings import with_more_statements
from bioreason_bench.language.read_english import EnglishParser
from bioreason_bench.language.read_symbols import SymbolsParser
from bioreason_bench.world.relations import RelationTable
from bioreason_bench.world.templates import NAME_WORD, with_name

__all__ = ["NO_RELATION", "ChainReader"]

Fact = tuple[str, str, str]
NO_RELATION = ""  # of a fact that an arrow states
_SOURCE = r"""(?:text|context|passage|biograph(?:y|ies)|prompt|question|information|documents?
    |memory|training(?:\sdata)?|knowledge)"""
_DETERMINED = rf"(?:(?:the|this|these|my|our)\s)?(?:(?:given|provided|above|own)\s)?{_SOURCE}"
_LEAD = re.compile(
    rf"""(?:
      (?:firstly|first\sof\sall|first|secondly|second|thirdly|third|fourth|fifth|sixth|lastly|then
        |next|now|also|and|but|so|thus|hence|therefore|finally|here|again|moreover|furthermore
        |additionally|in\sturn|after\sthat|from\sthere|to\sbegin(?:\swith)?|indeed|in\sfact|okay|ok
        |well|since|because|as)(?:,|:|\s-)?\s
    | (?:I|we)\s(?:also\s|can\s)?(?:recall|remember|know|see|find|read|learn|note|recalled
        |remembered|knew|saw|found|learned|learnt)(?:,?\s(?:from|in)\s{_DETERMINED})?,?\s(?:that\s)?
    | (?:as\s)?(?:(?:stated|given|mentioned|said|written)\s)?
        (?:from|in|according\sto|based\son|by|per)\s{_DETERMINED}(?:\s(?:above|given|provided))?,?\s
        (?:(?:it\sis\ssaid|it\ssays|it\sstates|I\srecall|we\sknow)\s)?(?:that\s)?
    | (?:the|this)\s(?:{_SOURCE})\s(?:also\s)?(?:says?|states?|tells?\s(?:me|us)|mentions?|shows?)\s
        (?:that\s)?
    | it\sis\s(?:known|stated|given|said)\sthat\s
    | (?:step|hop|fact|recall(?:ed)?|read|memory|context|text)(?:\s\d{{1,2}})?\s?(?:[:.)]|-)\s
    | \d{{1,2}}[.):]\s | \[[^\[\]]*\]\s?
    )+""",
    re.IGNORECASE | re.VERBOSE,
)
_TRAIL = re.compile(
    rf""",?\s(?:(?:as\s)?(?:stated|given|mentioned|said|written|shown)\sin|as\sper|according\sto
    |based\son|from)\s{_DETERMINED}(?:\s(?:above|given|provided))?(?=\.\Z)
    | ,\sas\s(?:{_DETERMINED}\s(?:says?|states?|mentions?)|I\s(?:recall|know|remember))(?=\.\Z)""",
    re.VERBOSE,
)
_BRACKETS = re.compile(r"\s?[(\[]([^()\[\]]*)[)\]]")
_NO_REMARK = re.compile(
    r"\b(?:not|no|never|or|nor|false|wrong|incorrect|untrue|maybe|perhaps|possibly|unless|doubt"
    r"|instead|actually|but|rather)\b|n't\b",
    re.IGNORECASE,
)
_JOINT = re.compile(
    rf"(?:;|,?\sand|,?\sthen|,\sand\sthen)\s(?=(?:he|she|they|his|her|their)\s|{NAME_WORD}\s"
    rf"|{NAME_WORD}'|[tT]he\s)|,\s(?=who(?:se)?\s)"
)
_S_APOSTROPHE = re.compile(r"(?<=s)' (?=[a-z])")
_PRONOUN = re.compile(
    r"\b(?:(this person's|that person's|his|their|her(?= [a-z]))|(this person|that person|she|he"
    r"|they)|(him|them|her))\b",
    re.IGNORECASE,
)
_HEADING = re.compile(r"[^:.]{1,60}:\s+")
_ARROW = re.compile(  # with the relation on its shaft or without
    r"""(?:\s-{1,3}\s?[\[(]?([a-z][a-z_ ]{1,40}?)[\])]?\s?)?
    \s*(?:-{1,3}>|=>|[\u2192\u27f6\u279c\u2794\u21d2])\s*""",
    re.VERBOSE,
)
_STOPS = " \t.,;:'\"()[]"
_NOT_NAMES = frozenset(
    [
        "He",
        "She",
        "It",
        "They",
        "His",
        "Her",
        "Their",
        "This",
        "That",
        "Then",
        "Also",
        "Next",
        "First",
        "Second",
        "Finally",
        "So",
        "Thus",
        "Now",
        "Here",
        "And",
        "But",
        "Since",
        "Hence",
        "Therefore",
        "Because",
        "As",
        "In",
        "From",
        "I",
        "We",
        "Step",
        "Hop",
        "Context",
        "Text",
        "Memory",
    ]
)
_MOST_CLAUSES = 20  # of a sentence
_LONGEST_SENTENCE = 1000  # characters of a sentence that is taken apart


class ChainReader:
    """Reads the sentences of chains of one relation table and language."""

    def __init__(self, table: RelationTable, language: str) -> None:
        self._english = language == "english"
        parser = EnglishParser(with_more_statements(table)) if self._english else None
        self._read: Callable[[str], Fact | None]
        if parser:
            self.sentences, self._read = parser.sentences, parser.sentence
        else:
            symbols = SymbolsParser(table)
            self.sentences, self._read = symbols.sentences, symbols.sentence
        self._to_person = frozenset(row.name for row in table.relations if row.to_person)
        self._words = _words_of_relations(table)

    def sentence(self, text: str) -> Fact | None:
        """The fact of a sentence that is nothing but a statement; None for any other."""
        fact = self._read(text)
        if fact and self._english:
            if fact[0].partition(" ")[0] in _NOT_NAMES:
                return None
            if fact[1] in self._to_person and fact[2].partition(" ")[0] in _NOT_NAMES:
                return None
        return fact

    def person_after(self, fact: Fact) -> str:
        """The person whom a pronoun means after a fact: its object, or its subject."""
        return fact[2] if fact[1] in self._to_person or fact[1] == NO_RELATION else fact[0]

    def has_pronoun(self, text: str) -> bool:
        """Whether the facts of a sentence depend on who was named before it."""
        return self._english and _PRONOUN.search(text) is not None

    def loosely(self, text: str, person: str) -> list[Fact | None]:
        """The facts of a sentence with other words around them.

        Args:
            text: The sentence.
            person: The person whom a pronoun means, "" if there is none.

        Returns:
            The fact of each clause, None for a clause that states none.
        """
        if not self._english or len(text) > _LONGEST_SENTENCE:
            return [None]
        facts: list[Fact | None] = []
        if _ARROW.search(text):
            return self._arrows(text)
        for clause in _clauses(_without_remarks(text)):
            fact = self._clause(clause, person)
            if fact:
                person = self.person_after(fact)
            facts.append(fact)
        return facts

    def _arrows(self, text: str) -> list[Fact | None]:
        """The facts of people and values that are joined by arrows.

        "Ann Lee -> boss -> Bo Ray", "Ann Lee -boss-> Bo Ray", "Ann Lee's boss -> Bo Ray", and
        "Ann Lee -> Bo Ray", which names no relation (NO_RELATION): it states that the question
        leads from one to the other.
        """
        heading = _HEADING.match(text)
        asides = [heading[0].strip(_STOPS).lower()] if heading else []
        first, *rest = _ARROW.split(_as_sentence(text[heading.end() :] if heading else text))
        shafts, items = rest[::2], [first, *rest[1::2]]
        asides += [aside for item in items for aside in _BRACKETS.findall(item)]
        items = [_without_remarks(item).strip(_STOPS) for item in items]
        named = [self._words[aside] for aside in asides if aside in self._words]
        if len(items) == 2 and not named and not shafts[0]:
            stated = self.sentence(f"{items[0]} was {items[1]}.")
            if stated:
                return [stated]
        facts: list[Fact | None] = []
        subject, relation = items[0], NO_RELATION
        for shaft, item in zip(shafts, items[1:], strict=True):
            relation = self._words.get((shaft or "").strip(), relation)
            if item in self._words and relation == NO_RELATION:
                relation = self._words[item]
                continue
            facts.append((subject, relation, item) if subject and item else None)
            subject, relation = item, NO_RELATION
        if named:  # "boss: Ann Lee -> Bo Ray", or "Ann Lee -> Bo Ray (boss)"
            (start, own, end), *more = (fact or ("", "", "") for fact in facts or [None])
            agree = {*named, own or named[0]} == {named[0]}
            return [(start, named[0], end)] if start and agree and not more else [None]
        return facts or [None]

    def _clause(self, clause: str, person: str) -> Fact | None:
        for text in (clause, _HEADING.sub("", clause, count=1)):
            text = _as_sentence(text)
            fact = self.sentence(text)
            if not fact and "' " in text:
                fact = self.sentence(_S_APOSTROPHE.sub("'s ", text))
            if not fact and person and _PRONOUN.search(text):
                named = with_name(_PRONOUN.sub(_as_they, text), person)
                fact = self.sentence(named)
            if fact and fact[0] != fact[2]:
                return fact
        return None


def _words_of_relations(table: RelationTable) -> dict[str, str]:
    """The relation that each name or noun of one relation alone means."""
    words: dict[str, set[str]] = {}
    for row in table.relations:
        for word in {row.name, row.name.replace("_", " "), *row.nouns}:
            words.setdefault(word, set()).add(row.name)
    return {word: next(iter(names)) for word, names in words.items() if len(names) == 1}


def _without_remarks(text: str) -> str:
    """The sentence without remarks in brackets, unless they deny or hedge it."""
    if "(" in text or "[" in text:
        text = _BRACKETS.sub(lambda found: found[0] if _NO_REMARK.search(found[1]) else "", text)
    return text.strip()


def _clauses(text: str) -> Iterator[str]:
    """The clauses of a sentence, each with a pronoun where it went on with "who" or "whose".

    >>> list(_clauses("Ann's boss was Bo Ray, whose pet was a cat; Bo Ray lived in Rome."))
    ["Ann's boss was Bo Ray", 'Their pet was a cat', 'Bo Ray lived in Rome.']
    """
    for clause in _JOINT.split(text, maxsplit=_MOST_CLAUSES):
        if clause.startswith("whose "):
            clause = "Their " + clause.removeprefix("whose ")
        elif clause.startswith("who "):
            clause = "They " + clause.removeprefix("who ")
        if clause.strip(" .,"):
            yield clause


def _as_sentence(text: str) -> str:
    """The clause without words that lead to it or follow it, with a capital and a full stop."""
    if lead := _LEAD.match(text):
        text = text[lead.end() :]
    text = text.strip(" ,:-")
    if not text.endswith((".", "?", "!", '."')):
        text += "."
    text = _TRAIL.sub("", text.replace('".', '."'))
    return text[:1].upper() + text[1:] if text[:1].islower() else text


def _as_they(found: re.Match[str]) -> str:
    """The pronoun as the one of the package's own sentences."""
    they = "their" if found[1] else "they" if found[2] else "them"
    return they.capitalize() if found.start() == 0 else they
