"""Values in their usual ways of writing, and other values of the same kind in a text."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

from bioreason_bench.grading.text import EDGES, normalise, normalised_answer, tidy
from bioreason_bench.world.templates import CAPITAL

__all__ = ["Expected", "date_at", "phone_at", "same_value"]

Date = tuple[int, int, int]  # year, month, day
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_DATES = (
    re.compile(
        r"(?P<month>[a-z]{3,9})\.? ?(?P<day>\d{1,2})(?:st|nd|rd|th)?(?:,? |,)"
        r"(?P<year>\d{3,4})(?!\d)"
    ),
    re.compile(
        r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.)? ?(?:of )?(?P<month>[a-z]{3,9})\.?(?:,? |,)"
        r"(?P<year>\d{3,4})(?!\d)"
    ),
    re.compile(r"(?P<year>\d{4})[-/](?P<month>\d{1,2})[-/](?P<day>\d{1,2})(?!\d)"),
    re.compile(r"(?P<day>\d{1,2})\. ?(?P<month>\d{1,2})\. ?(?P<year>\d{4})(?!\d)"),
    # American order; the European one where the first number can be no month.
    re.compile(r"(?P<month>0?[1-9]|1[0-2])[/-](?P<day>\d{1,2})[/-](?P<year>\d{4})(?!\d)"),
    re.compile(r"(?P<day>1[3-9]|2\d|3[01])[/-](?P<month>\d{1,2})[/-](?P<year>\d{4})(?!\d)"),
)
_WEEKDAY = re.compile(r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day,? )?(?:the )?")
_DATE_BEGIN = re.compile(rf"\b(?:\d|(?:{'|'.join(month[:3] for month in _MONTHS)}))")
_PHONE = re.compile(
    r"(?:\+?1[ .-]?)?\(?(\d{3})\)?[ .-]{0,3}(\d{3})[ .-]?(\d{4})(?!\d)"
    r"(?:,? (?:ext\.?|extension|x) ?(\d{1,5}))?"
)
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,4}")
_ADDRESS = re.compile(rf"\b\d{{1,5}} [{CAPITAL}]\w+ [{CAPITAL}]\w+")
_NAME = re.compile(rf"[{CAPITAL}][\w'-]*(?: [{CAPITAL}][\w'-]*)+")
_SYMBOL = re.compile(r"\b[a-z][a-z_]*\d+\b")
_WORD = re.compile(r"[\w'&.@+-]+")
_MOST_WORDS = 8  # of a listed value


def date_at(text: str, begin: int = 0) -> tuple[Date, int] | None:
    """The date that stands at this position of a text in lower case, and where it ends."""
    weekday = _WEEKDAY.match(text, begin)
    begin = weekday.end() if weekday else begin
    for pattern in _DATES:
        match = pattern.match(text, begin)
        month = _month(match["month"]) if match else None
        if match and month and 1 <= int(match["day"]) <= 31:
            return (int(match["year"]), month, int(match["day"])), match.end()
    return None


def _month(text: str) -> int | None:
    """The number of a month, from its number, its name or the first letters (at least three)."""
    if text.isdigit():
        return int(text) if 1 <= int(text) <= 12 else None
    numbers = [number for number, name in enumerate(_MONTHS, 1) if name.startswith(text)]
    return numbers[0] if numbers else None


def phone_at(text: str, begin: int = 0) -> tuple[tuple[str, ...], int] | None:
    """The groups of digits of the phone number at this position, and where it ends."""
    match = _PHONE.match(text, begin)
    return (match.groups(default=""), match.end()) if match else None


def same_value(one: str, other: str) -> bool:
    """Whether two texts are one value, as names, dates or phone numbers are usually written."""
    one, other = normalised_answer(one), normalised_answer(other)
    if one == other:
        return True
    if not (one[-1:].isdigit() and other[-1:].isdigit()):
        return False
    for value_at in (date_at, phone_at):
        first, second = value_at(one), value_at(other)
        if first and second and first[0] == second[0]:
            return (first[1], second[1]) == (len(one), len(other))
    return False


@dataclass(frozen=True)
class Expected:
    """The right answer, and what is known about its kind.

    Attributes:
        answer: The right answer.
        kind: What its relation leads to, such as "person" or "date"; "" if that is not known.
        values: The listed values of that kind, normalised; none if they are not listed.
        known: Every name and value of the world; none if the world is not known.
        people: The people of the question, normalised: an explanation may name them.
    """

    answer: str
    kind: str = ""
    values: Collection[str] = frozenset()
    known: Collection[str] = frozenset()
    people: Collection[str] = frozenset()

    @cached_property
    def right(self) -> str:
        """The answer, normalised."""
        return normalised_answer(self.answer)

    @cached_property
    def date(self) -> Date | None:
        """The answer as a date."""
        found = date_at(self.right)
        return found[0] if found and found[1] == len(self.right) else None

    @cached_property
    def phone(self) -> tuple[str, ...] | None:
        """The answer as a phone number."""
        found = phone_at(self.right)
        return found[0] if found and found[1] == len(self.right) else None

    @cached_property
    def is_person(self) -> bool:
        """Whether the answer is a person's name, as far as can be told."""
        return self.kind == "person" or (
            not self.kind and _NAME.fullmatch(tidy(self.answer)) is not None
        )

    def others(self, text: str) -> Iterator[tuple[int, int]]:
        """Begin and end of other values of this kind in a tidy text.

        A name counts if it is known, or if the world is not known.
        """
        if _SYMBOL.fullmatch(self.right):
            found = ((match.span(), match[0]) for match in _SYMBOL.finditer(text))
            yield from (span for span, symbol in found if symbol != self.right)
        elif self.is_person:
            for match in _NAME.finditer(text):
                yield from self._name(match)
        elif self.date:
            yield from self._dates(text.lower())
        elif self.phone:
            for match in _PHONE.finditer(text):
                if match.groups(default="") != self.phone:
                    yield match.span()
        elif self.values:
            yield from self._listed(text)
        else:
            pattern = _EMAIL if "@" in self.right else _ADDRESS
            for match in pattern.finditer(text):
                if normalise(match[0]) != self.right:
                    yield match.span()

    def _dates(self, text: str) -> Iterator[tuple[int, int]]:
        for match in _DATE_BEGIN.finditer(text):
            date = date_at(text, match.start())
            if date and date[0] != self.date:
                yield match.start(), date[1]

    def _name(self, match: re.Match[str]) -> Iterator[tuple[int, int]]:
        """The span of another person's name in a run of capitalised words: "No Bo Ray" has one."""
        words = match[0].split(" ")
        begin = match.start()
        while len(words) > 1:
            name = " ".join(words)
            plain = name.removesuffix("'s").removesuffix("'")
            if normalise(plain) == self.right:
                return
            if not self.known or plain in self.known:
                yield begin, match.end() - (len(name) - len(plain))
                return
            begin += len(words.pop(0)) + 1

    def _listed(self, text: str) -> Iterator[tuple[int, int]]:
        lower = text.casefold()
        words = [match.span() for match in _WORD.finditer(lower)]
        index = 0
        while index < len(words):
            begin = words[index][0]
            for last in range(min(index + _MOST_WORDS, len(words)) - 1, index - 1, -1):
                value = lower[begin : words[last][1]].rstrip(".'")
                if value == self.right or value in self.values:
                    if value != self.right:
                        yield begin, begin + len(value)
                    index = last
                    break
            index += 1

    def is_other(self, text: str) -> bool:
        """Whether a tidy text is another value of this kind and nothing else."""
        text = text.strip(EDGES)
        if not text or normalise(text) == self.right:
            return False
        if any(begin == 0 and end == len(text) for begin, end in self.others(text)):
            return True
        composed = not (self.is_person or self.date or self.phone or self.values)
        return composed and text in self.known and normalise(text) not in self.people
