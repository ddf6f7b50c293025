"""The final answer of a completion: finding it, normalising it, comparing it.

The answer is the text after the last "the answer is:", up to the end of its line.  It must equal
the right answer after `normalise`; a text that merely contains the right answer earns nothing.

Every function takes time linear in the length of the text, and none raises, whatever a model wrote.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections import deque
from typing import NamedTuple

from bioreason_bench.language.answer import MARKER

__all__ = ["Completion", "final_answer", "normalise", "plain_quotes", "same_answer", "split_answer"]

_COLON = re.compile(r"\bthe (?:final |correct )?answer is[\s*_\"']{0,4}:", re.IGNORECASE)
_PLAIN = re.compile(r"\bthe (?:final |correct )?answer is\b(?!\s*:)", re.IGNORECASE)
_NEXT_QUESTION = re.compile(r"(?:^|\s)Question:")
_SPECIAL = re.compile(r"<(?:\|[^|<>\s]{1,40}\||/?s|eos|pad|end_of_turn|/?think|/?answer)>")
_TEX = re.compile(r"\\(?:boxed|text|textbf|mathrm)\s?\{([^{}\\]{0,400})\}")
_QUOTES = str.maketrans("\u2018\u2019\u201c\u201d\u00a0\u2011", "''\"\" -")
_EDGES = " \t\n\r\f\v\"'`*_~#$()[]{}<>.,;:!?\u00ab\u00bb"
_LEADING = re.compile(
    r"(?:[\s\"'`*_~#$()\[\]{}<>.,;:!?\u00ab\u00bb\u2022\u2013-]|(?:an?|the)\s+(?=\S))+"
)
_SPACE = re.compile(r"\s+")
# What may follow the answer on its line: a new sentence, or a parenthesis that is no second guess.
_REST = re.compile(
    r"[\"'`*_)\]]{0,4}(?:[.!;][\"'`*_)\]]{0,4}\s|\s?\((?!or\b|not\b|maybe\b|perhaps\b|either\b))"
)
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_DATES = (
    re.compile(r"(?P<month>[a-z]+)\.? (?P<day>\d{1,2})(?:st|nd|rd|th)?,? (?P<year>\d{3,4})"),
    re.compile(
        r"(?P<day>\d{1,2})(?:st|nd|rd|th)? (?:of )?(?P<month>[a-z]+)\.?,? (?P<year>\d{3,4})"
    ),
    re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})"),
)
_LONGEST_ANSWER = 1000  # characters; the longest value of the built-in world has about a tenth
_LINES_AFTER_MARKER = 6  # lines in which an answer is looked for; the first ones may be empty


class Completion(NamedTuple):
    """A completion cut at its last marker.

    Attributes:
        chain: The text before the marker; the whole text if there is no marker.
        answer: The answer's line without markup, None if there is no answer.
        well_formed: Whether there is exactly one marker, in the form asked for, and the answer's
            line ends the text.
    """

    chain: str
    answer: str | None
    well_formed: bool


def final_answer(text: str) -> str | None:
    """The text after the last "the answer is:", to the end of its line; None if there is none.

    If a model continues with a question of its own ("Question: ..."), the text is cut there.
    If no colon follows it anywhere, the last "the answer is" counts.
    """
    return split_answer(text).answer


def normalise(text: str) -> str:
    """The text in the form in which answers are compared.

    Unicode form (NFKC), case, spaces, quotes, markup, final punctuation and a leading article are
    ignored.
    """
    text = plain_quotes(unicodedata.normalize("NFKC", text))
    if "\\" in text:
        text = _TEX.sub(r"\1", _TEX.sub(r"\1", text))
    if "<" in text:
        text = _SPECIAL.sub(" ", text)
    text = _SPACE.sub(" ", text).casefold().strip(_EDGES)
    if leading := _LEADING.match(text):
        text = text[leading.end() :].strip(_EDGES)
    return text


def plain_quotes(text: str) -> str:
    """The text with ASCII quotes, blanks and hyphens instead of the typographic ones."""
    return text.translate(_QUOTES)


def same_answer(given: str, answer: str) -> bool:
    """Whether the line `given` answers `answer`: text may follow the answer, but not precede it."""
    given = given.strip()
    if given == answer or (given[:-1] == answer and given[-1] == "."):
        return True
    given, right = normalise(given[:_LONGEST_ANSWER]), normalised_answer(answer)
    if given == right:
        return bool(right)
    if not right:
        return False
    if given.startswith(right) and _REST.match(given, len(right)):
        return True
    return right[-1:].isdigit() and (date := _date(right)) is not None and _date(given) == date


@functools.lru_cache(maxsize=100_000)
def normalised_answer(answer: str) -> str:
    """`normalise`, remembered: the answers and entities of a release come again and again."""
    return normalise(answer)


def split_answer(text: str) -> Completion:
    """The completion cut at its last marker."""
    start, end = _last_marker(text)
    if start >= 0 and "Question:" in text:  # a base model may continue with its own questions
        first = _COLON.search(text) or _PLAIN.search(text)
        if first and (following := _NEXT_QUESTION.search(text, first.end())):
            text = text[: following.start()]
            start, end = _last_marker(text)
    if start < 0:
        return Completion(text, None, False)
    tail = text[end:]
    well_formed = text.find(MARKER) == start and "\n" not in tail.strip()
    for line in tail.lstrip().split("\n", _LINES_AFTER_MARKER)[:_LINES_AFTER_MARKER]:
        if "<" in line:
            line = _SPECIAL.split(line, 1)[0]
        line = line.strip(" \t\r*_`")
        if line.strip(_EDGES):
            return Completion(text[:start], line, well_formed)
    return Completion(text[:start], None, False)


def _last_marker(text: str) -> tuple[int, int]:
    """Start and end of the last marker, (-1, -1) if there is none."""
    start = text.rfind(MARKER)
    end = start + len(MARKER) if start >= 0 else -1
    later = deque(_COLON.finditer(text, max(end, 0)), maxlen=1)
    if not later and start < 0:
        later = deque(_PLAIN.finditer(text), maxlen=1)
    return later[0].span() if later else (start, end)


def _date(text: str) -> tuple[int, int, int] | None:
    """Year, month and day of a normalised date, None for any other text."""
    for pattern in _DATES:
        if match := pattern.fullmatch(text):
            month = _month(match["month"])
            return None if month is None else (int(match["year"]), month, int(match["day"]))
    return None


def _month(text: str) -> int | None:
    """The number of a month, from its number, its name or the first letters (at least three)."""
    if text.isdigit():
        return int(text)
    numbers = [number for number, name in enumerate(_MONTHS, 1) if name.startswith(text)]
    return numbers[0] if len(text) >= 3 and len(numbers) == 1 else None
