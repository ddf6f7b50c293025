"""The one grader: what a completion answered, and which hop of its chain failed first (DESIGN section 12).

    grade("Ann Lee's boss was Bo Ray. ... So, the answer is: Bo Ray", record).exact_match

The answer is what stands after the last "the answer is:".  It must equal the record's answer after `normalise`; a text
that merely contains the answer earns nothing.  The chain before it is read back into facts by the package's reader, in
whatever wording, and compared hop by hop with the record's `entities` and `path`.

Every function here takes time linear in the length of the completion, and never raises because of what a model wrote.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from bioreason_bench.language.answer import ANSWER, MARKER
from bioreason_bench.language.reader import Reader
from bioreason_bench.world.relations import PARAMETRIC, Relation, RelationTable

__all__ = [
    "ERROR_KINDS",
    "Grade",
    "Grader",
    "final_answer",
    "grade",
    "grader_for",
    "normalise",
    "same_answer",
]

ERROR_KINDS = (
    "missing",  # the chain ends before the hop, or skips it
    "unreadable",  # a sentence stands where the hop should, but states no fact
    "wrong person",  # about another person than the last hop led to, or leads to another person
    "wrong relation",  # about the right person, but another property
    "wrong direction",  # the right two people, the relation turned round
    "wrong value",  # right person and property, another value
    "invented entity",  # leads to somebody or something that does not exist in the world
    "read instead of recalled",  # a parametric hop answered with what stands in the context
    "recalled instead of read",  # a contextual hop answered with what the context does not hold
    "extra fact",  # every hop right, and another fact beside them
    "wrong answer",  # the chain right, and then another answer
)


@dataclass(frozen=True, slots=True)
class Grade:
    """The verdict on one completion.  Hops are counted from 0."""

    exact_match: bool
    process_verified: bool  # exact_match, and every hop right, in order, and none beside them
    hops_right: int  # right ones before the first wrong one
    hops: int
    format_ok: bool  # facts in readable sentences, then one "the answer is:" and an answer that ends the text
    first_error: int | None = None  # number of the first wrong hop
    error_kind: str | None = None  # one of ERROR_KINDS
    failed_group: str | None = None  # group of the first wrong hop: "parametric" or "contextual"
    answer: str | None = None  # as extracted, None where no answer was given

    @property
    def hop_accuracy(self) -> float:
        """Share of the chain's hops that are right before the first wrong one, in [0, 1]."""
        return self.hops_right / self.hops if self.hops else 0.0


# --- the answer -------------------------------------------------------------------------------------------------------

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
_REST = re.compile(
    r"[\"'`*_)\]]{0,4}(?:[.!;][\"'`*_)\]]{0,4}\s|\s?\((?!or\b|not\b|maybe\b|perhaps\b|either\b))"
)
_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_DATES = (
    re.compile(r"(?P<month>[a-z]+)\.? (?P<day>\d{1,2})(?:st|nd|rd|th)?,? (?P<year>\d{3,4})"),
    re.compile(
        r"(?P<day>\d{1,2})(?:st|nd|rd|th)? (?:of )?(?P<month>[a-z]+)\.?,? (?P<year>\d{3,4})"
    ),
    re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})"),
)
_LONGEST_ANSWER = 1000  # characters; the world's longest value has about a tenth of this


def final_answer(text: str) -> str | None:
    """What stands after the last "the answer is:", to the end of its line; None if nothing does.

    A model that goes on with a question of its own ("Question: ...") is cut off there.  Without any colon the last
    "the answer is" counts.
    """
    return _split(text)[1]


def normalise(text: str) -> str:
    """The text as it is compared: Unicode NFKC, case, spaces, quotes, markup, end punctuation and a leading article do not count."""
    text = unicodedata.normalize("NFKC", text).translate(_QUOTES)
    if "\\" in text:
        text = _TEX.sub(r"\1", _TEX.sub(r"\1", text))
    if "<" in text:
        text = _SPECIAL.sub(" ", text)
    text = _SPACE.sub(" ", text).casefold().strip(_EDGES)
    if junk := _LEADING.match(text):
        text = text[junk.end() :].strip(_EDGES)
    return text


def same_answer(given: str, answer: str) -> bool:
    """Does `given`, one line, answer `answer`?  A full sentence may follow the answer, nothing may stand before it."""
    given = given.strip()
    if given == answer or (given[:-1] == answer and given[-1] == "."):
        return True
    given, wanted = normalise(given[:_LONGEST_ANSWER]), _normalised(answer)
    if given == wanted:
        return bool(wanted)
    if not wanted:
        return False
    if given.startswith(wanted) and _REST.match(given, len(wanted)):
        return True
    return wanted[-1:].isdigit() and (date := _date(wanted)) is not None and _date(given) == date


@functools.lru_cache(maxsize=100_000)
def _normalised(answer: str) -> str:
    return normalise(answer)


def _date(text: str) -> tuple[int, int, int] | None:
    for form in _DATES:
        if found := form.fullmatch(text):
            month = found["month"]
            if not month.isdigit():
                months = [
                    number
                    for number, name in enumerate(_MONTHS, 1)
                    if len(month) >= 3 and name.startswith(month)
                ]
                if len(months) != 1:
                    return None
                month = months[0]
            return int(found["year"]), int(month), int(found["day"])
    return None


def _split(text: str) -> tuple[str, str | None, bool]:
    """The chain, the answer's line, and whether it is the form that was asked for: one marker, and a line that ends the text."""
    start, end = _last_marker(text)
    if start >= 0 and "Question:" in text:  # a base model that goes on with questions of its own
        first = _COLON.search(text) or _PLAIN.search(text)
        if first and (cut := _NEXT_QUESTION.search(text, first.end())):
            text = text[: cut.start()]
            start, end = _last_marker(text)
    if start < 0:
        return text, None, False
    tail = text[end:]
    clean = text.find(MARKER) == start and "\n" not in tail.strip()
    for line in tail.lstrip().split("\n", 6)[:6]:
        if "<" in line:
            line = _SPECIAL.split(line, 1)[0]
        line = line.strip(" \t\r*_`")
        if line.strip(_EDGES):
            return text[:start], line, clean
    return text[:start], None, False


def _last_marker(text: str) -> tuple[int, int]:
    """Start and end of the last marker, (-1, -1) if there is none."""
    start = text.rfind(MARKER)
    end = start + len(MARKER) if start >= 0 else -1
    found = deque(_COLON.finditer(text, max(end, 0)), maxlen=1)
    if not found and start < 0:
        found = deque(_PLAIN.finditer(text), maxlen=1)
    return found[0].span() if found else (start, end)


# --- the chain --------------------------------------------------------------------------------------------------------

Fact = tuple[str, str, str]  # subject, relation's name, object
_BULLET = re.compile(
    r"^[ \t]*(?:[-\u2022*+>]+|#{1,6}|\(?\d{1,2}[.):]|(?:step|hop) \d{1,2}[.:)]?)[ \t]+",
    re.IGNORECASE | re.MULTILINE,
)
_THUS = ("so", "thus", "therefore", "hence", "finally")
_LONGEST_CHAIN = 20_000  # characters that are looked at; a chain of eight hops has about 800
_CACHE = 200_000


class Grader:
    """Grades completions over one relation table in one language; make one, use it for all.

    `known`, if given, holds every name and value of the world, so that invented ones can be told from wrong ones.
    """

    def __init__(
        self, table: RelationTable, language: str = "english", known: Collection[str] | None = None
    ) -> None:
        self._relations: dict[str, Relation] = {
            relation.name: relation for relation in table.relations
        }
        self._reader = Reader(table, language)
        self._known = known
        self._pools = {kind: frozenset(values) for kind, values in table.pools.items()}
        self._facts: dict[str, Fact | None] = {}
        self._split: Callable[[str], list[str]] = self._reader.sentences

    def grade(self, completion: str, record: Mapping[str, Any]) -> Grade:
        """The verdict on `completion` as an answer to `record` (columns of a question: chain, answer, entities, path, context)."""
        path = record["path"]
        hops = len(path)
        if completion.strip() == record["chain"]:
            return Grade(True, True, hops, hops, True, answer=record["answer"])
        chain, given, one_marker = _split(completion)
        exact = given is not None and same_answer(given, record["answer"])
        facts, clean = self._read(chain)
        right, kind = self._walk(facts, record)
        group = None
        if kind is None:
            kind = None if exact else "wrong answer"
        elif right < hops:
            relation = self._relations.get(path[right])
            group = relation.group if relation else None
        failed = right if right < hops else None
        return Grade(
            exact,
            exact and kind is None,
            right,
            hops,
            clean and one_marker,
            failed,
            kind,
            group,
            given,
        )

    def grade_direct(self, completion: str, record: Mapping[str, Any]) -> Grade:
        """The verdict on an answer that was asked for without a chain: the prompt has already said "the answer is:"."""
        return self.grade(
            completion if final_answer(completion) else f"{ANSWER}{completion}", record
        )

    def _read(self, chain: str) -> tuple[list[Fact | None], bool]:
        """The facts of the chain's sentences (None where one states none), and whether each stated one."""
        text = _without_thus(chain.rpartition("</think>")[2][-_LONGEST_CHAIN:])
        if not text:
            return [], False
        if not text.isascii():
            text = text.translate(_QUOTES)
        clean = len(chain) <= _LONGEST_CHAIN
        if "*" in text or "\n" in text or "`" in text or _BULLET.match(text):
            clean = False
            text = _BULLET.sub("", text.replace("*", "").replace("`", ""))
            sentences = [sentence for line in text.split("\n") for sentence in self._split(line)]
        else:
            sentences = self._split(text)
        facts = [self._fact(sentence) for sentence in sentences]
        return facts, clean and None not in facts

    def _fact(self, sentence: str) -> Fact | None:
        facts = self._facts
        if sentence in facts:
            return facts[sentence]
        if len(facts) >= _CACHE:
            facts.clear()
        fact = facts[sentence] = self._reader.sentence(sentence)
        return fact

    def _walk(self, facts: list[Fact | None], record: Mapping[str, Any]) -> tuple[int, str | None]:
        """Number of hops right before the first error, and what that error is (None if there is none).

        Sentences that state nothing and hops said a second time are passed over; any other fact that is not the next
        hop is the first error, so that a list of guesses is not a chain.
        """
        path, entities = record["path"], record["entities"]
        hops = len(path)
        at, unread = 0, False
        for fact in facts:
            if fact is None:
                unread = True
            elif at < hops and self._is_hop(fact, entities[at], path[at], entities[at + 1]):
                at, unread = at + 1, False
            elif not any(
                self._is_hop(fact, entities[hop], path[hop], entities[hop + 1]) for hop in range(at)
            ):
                if at == hops:
                    return at, "extra fact"
                if any(
                    self._is_hop(fact, entities[hop], path[hop], entities[hop + 1])
                    for hop in range(at + 1, hops)
                ):
                    return at, "unreadable" if unread else "missing"
                return at, self._kind(fact, entities[at], path[at], entities[at + 1], record)
        return (at, None) if at == hops else (at, "unreadable" if unread else "missing")

    def _is_hop(self, fact: Fact, subject: str, relation: str, object_: str) -> bool:
        """Is it the fact that `object_` is the `relation` of `subject`, said from either end?"""
        if fact[1] == relation:
            if fact[0] == subject and fact[2] == object_:
                return True
            if _normalised(fact[0]) == _normalised(subject) and _normalised(fact[2]) == _normalised(
                object_
            ):
                return True
        row = self._relations.get(relation)
        return (
            bool(row and row.inverse)
            and fact[1] == row.inverse
            and fact[0] == object_
            and fact[2] == subject
        )

    def _kind(
        self, fact: Fact, subject: str, relation: str, object_: str, record: Mapping[str, Any]
    ) -> str:
        """What is wrong with a fact that is not the hop (subject, relation, object_)."""
        row = self._relations.get(relation)
        if row and row.to_person:
            turned = (
                fact[1] == relation
                and not row.symmetric
                and (fact[0], fact[2]) == (object_, subject)
            )
            if turned or (
                row.inverse
                and not row.symmetric
                and fact[1] == row.inverse
                and (fact[0], fact[2]) == (subject, object_)
            ):
                return "wrong direction"
        if fact[0] != subject:
            return "wrong person"
        if fact[1] != relation:
            return "wrong relation"
        wrong = fact[2]
        in_context = _stands_in(wrong, record.get("context", ""))
        if not in_context and self._invented(wrong, row):
            return "invented entity"
        if row and row.group == PARAMETRIC and in_context:
            return "read instead of recalled"
        if row and row.group != PARAMETRIC and record.get("context") and not in_context:
            return "recalled instead of read"
        return "wrong person" if row and row.to_person else "wrong value"

    def _invented(self, entity: str, row: Relation | None) -> bool:
        if self._known is not None:
            return entity not in self._known
        return (
            row is not None and row.object in self._pools and entity not in self._pools[row.object]
        )


def _without_thus(chain: str) -> str:
    """The chain without the "So," that leads to the answer."""
    chain = chain.rstrip(" \t\r\n*_,")
    word = chain[-12:].rpartition(" ")[2].rpartition("\n")[2].strip("*_")
    return chain[: -len(word)].rstrip() if word.lower() in _THUS else chain


def _stands_in(entity: str, text: str) -> bool:
    """Is `entity` in `text` as whole words?"""
    at = text.find(entity) if entity else -1
    while at >= 0:
        end = at + len(entity)
        if not (text[at - 1 : at].isalnum() or text[end : end + 1].isalnum()):
            return True
        at = text.find(entity, end)
    return False


@functools.lru_cache(maxsize=8)
def grader_for(language: str = "english") -> Grader:
    """The grader of the built-in relation table."""
    from bioreason_bench.world.table import load_table

    return Grader(load_table(), language)


def grade(completion: str, record: Mapping[str, Any]) -> Grade:
    """The verdict by the built-in relation table; the record's question says which of the two languages it is in."""
    return grader_for("symbols" if record["question"].endswith(" ?") else "english").grade(
        completion, record
    )
