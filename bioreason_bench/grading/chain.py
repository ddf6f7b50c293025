"""Chains: read back into facts, and compared hop by hop with the path of a question.

Every function takes time linear in the length of the chain, and none raises, whatever a model
wrote.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from bioreason_bench.grading.text import normalised_answer, plain_quotes
from bioreason_bench.grading.thoughts import strip_thoughts
from bioreason_bench.grading.values import same_value
from bioreason_bench.language.read_chain import NO_RELATION, ChainReader
from bioreason_bench.language.reader import Fact
from bioreason_bench.world.relations import PARAMETRIC, Relation, RelationTable

__all__ = ["ERROR_KINDS", "Chains"]

ERROR_KINDS = (
    "missing",  # the chain ends before the hop, or skips it
    "unreadable",  # there is a sentence for the hop, but it states no readable fact
    "wrong person",  # about another person than the last hop led to, or leads to another person
    "wrong relation",  # about the right person, but another property
    "wrong direction",  # the right two people, the relation reversed
    "wrong value",  # right person and property, another value
    "invented entity",  # leads to a person or value that does not exist in the world
    "read instead of recalled",  # a parametric hop, answered with an entity of the context
    "recalled instead of read",  # a contextual hop, answered with an entity not in the context
    "extra fact",  # every hop right, then a fact that is no hop
    "wrong answer",  # the chain right, then another answer
    "truncated",  # cut in its thoughts, before it could answer
)


_BULLET = re.compile(
    r"^[ \t]*(?:[-\u2022*+>]+|#{1,6}|\(?\d{1,2}[.):]|(?:step|hop) \d{1,2}[.:)]?)[ \t]+",
    re.IGNORECASE | re.MULTILINE,
)
_CONCLUSIONS = ("so", "thus", "therefore", "hence", "finally")
_SUSPICIOUS = re.compile(r"[(;\[]|, (?:and|who|whose|which|as|according)\b| and [A-Z]")
_LONGEST_CHAIN = 20_000  # characters that are read; a chain of eight hops has about 800
_CACHED_SENTENCES = 200_000


class Chains:
    """Reads and checks chains over one relation table in one language.

    Attributes:
        relations: The relations of the table by name.
    """

    def __init__(
        self, table: RelationTable, language: str, known: Collection[str] | None = None
    ) -> None:
        self.relations: Mapping[str, Relation] = {row.name: row for row in table.relations}
        self._reader = ChainReader(table, language)
        self._english = language == "english"
        self._known = known
        self._pools = {
            kind: frozenset(values) | frozenset(map(normalised_answer, values))
            for kind, values in table.pools.items()
        }
        # Sentences that were read before: as they stand, and with other words around the fact.
        self._statements: dict[str, Fact | None] = {}
        self._loosely: dict[str, tuple[Fact | None, ...]] = {}

    def facts(self, chain: str) -> tuple[list[Fact | None], bool]:
        """The facts that a chain states.

        Args:
            chain: The completion up to the marker of its answer.

        Returns:
            The fact of each sentence, None for a sentence that states none; and whether the chain
            has the form asked for, plain sentences of which each states a fact.
        """
        text = _without_conclusion(strip_thoughts(chain)[0][:_LONGEST_CHAIN])
        if not text:
            return [], False
        if not text.isascii():
            text = plain_quotes(text)
        plain = len(chain) <= _LONGEST_CHAIN
        if "*" in text or "\n" in text or "`" in text or _BULLET.match(text):
            plain = False
            text = _BULLET.sub("", text.replace("*", "").replace("`", ""))
            sentences = [part for line in text.split("\n") for part in self._reader.sentences(line)]
        else:
            sentences = self._reader.sentences(text)
        facts: list[Fact | None] = []
        last: Fact | None = None
        statements, loosely = self._statements, self._loosely
        for sentence in sentences:
            fact = statements.get(sentence)
            if fact is None and sentence not in statements:
                fact = self._statement(sentence)
            if fact:
                facts.append(fact)
            else:
                plain = False
                read = loosely.get(sentence) or self._read_loosely(sentence, last)
                facts += read
                fact = read[-1]
            last = fact or last
        return facts, plain

    def is_too_long(self, chain: str) -> bool:
        """Whether only the beginning of the chain is read, so that it cannot be verified."""
        return len(chain) > _LONGEST_CHAIN

    def _statement(self, sentence: str) -> Fact | None:
        """The fact of a sentence that is nothing but a statement, about a person or known value."""
        if len(self._statements) >= _CACHED_SENTENCES:
            self._statements.clear()
        fact = self._reader.sentence(sentence)
        if fact and self._english and not self._is_plain(fact):
            fact = None
        self._statements[sentence] = fact
        return fact

    def _read_loosely(self, sentence: str, last: Fact | None) -> Sequence[Fact | None]:
        """The facts of a sentence that is no plain statement of a known value.

        A pronoun means the person to whom the `last` fact led.  If taking the sentence apart does
        not help, it is what it is when read as it stands.
        """
        needs_person = self._reader.has_pronoun(sentence)
        person = self._reader.person_after(last) if last and needs_person else ""
        facts = tuple(self._reader.loosely(sentence, person))
        strictly = self._reader.sentence(sentence)
        if strictly and not any(fact and self._is_plain(fact) for fact in facts):
            facts = (strictly,)
        facts = facts or (None,)
        if not needs_person:
            if len(self._loosely) >= _CACHED_SENTENCES:
                self._loosely.clear()
            self._loosely[sentence] = facts
        return facts

    def _is_plain(self, fact: Fact) -> bool:
        """Whether the object of a fact is a person, or can be a value of its kind."""
        row = self.relations.get(fact[1])
        if row is None or row.to_person:
            return True
        pool = self._pools.get(row.object)
        if pool is not None:
            return fact[2] in pool or normalised_answer(fact[2]) in pool
        if self._known is not None and fact[2] in self._known:
            return True
        return not _SUSPICIOUS.search(fact[2])

    def follow(
        self, facts: Iterable[Fact | None], record: Mapping[str, Any]
    ) -> tuple[int, str | None]:
        """Number of hops right before the first error, and the kind of that error (or None).

        Sentences that state nothing and repeated hops are skipped.  Any other fact that is not the
        next hop is the first error, so that a list of guesses does not pass for a chain.
        """
        entities = record["entities"]
        gold = list(zip(entities, record["path"], entities[1:], strict=False))
        right, unread = 0, False
        for fact in facts:
            if fact is None:
                unread = True
            elif right < len(gold) and self._is_hop(fact, gold[right]):
                right, unread = right + 1, False
            elif any(self._is_hop(fact, hop) for hop in gold[:right]):
                continue
            elif right == len(gold):
                return right, "extra fact"
            elif any(self._is_hop(fact, hop) for hop in gold[right + 1 :]):
                break  # a later hop: this one was skipped
            else:
                support = record.get("support", ())
                open_book = right < len(support) and support[right] >= 0
                return right, self._error(fact, gold[right], record.get("context", ""), open_book)
        if right == len(gold):
            return right, None
        return right, "unreadable" if unread else "missing"

    def share_stated(self, facts: Iterable[Fact | None], record: Mapping[str, Any]) -> float:
        """Share of the hops that are stated in any order, and not contradicted.

        A list of guesses for one hop states none, from whichever end they are stated.
        """
        entities = record["entities"]
        gold = list(zip(entities, record["path"], entities[1:], strict=False))
        stated = [fact for fact in facts if fact]
        count = sum(
            any(self._is_hop(fact, hop) for fact in stated)
            and not any(self._contradicts(fact, hop) for fact in stated)
            for hop in gold
        )
        return count / max(1, len(gold))

    def _contradicts(self, fact: Fact, hop: Fact) -> bool:
        """Whether `fact` states another object for the hop, from either end."""
        subject, relation, _ = hop
        row = self.relations.get(relation)
        inverse = row.inverse if row is not None else None
        about = (fact[0] == subject and fact[1] in {relation, NO_RELATION}) or (
            bool(inverse) and fact[1:] == (inverse, subject)
        )
        return about and not self._is_hop(fact, hop)

    def _is_hop(self, fact: Fact, hop: Fact) -> bool:
        """Whether `fact` is the hop, stated from either end."""
        subject, relation, object_ = hop
        if fact[1] in {relation, NO_RELATION}:
            if fact == hop:
                return True
            if normalised_answer(fact[0]) == normalised_answer(subject) and (
                same_value(fact[2], object_)
            ):
                return True
        row = self.relations.get(relation)
        return row is not None and bool(row.inverse) and fact == (object_, row.inverse, subject)

    def _error(self, fact: Fact, hop: Fact, context: str, stated: bool) -> str:
        """The kind of error of a fact that is given instead of the hop.

        Args:
            fact: What the chain says.
            hop: What it should say.
            context: The context.
            stated: Whether the context is known to state the hop, as in an open book.
        """
        subject, relation, object_ = hop
        row = self.relations.get(relation)
        if row and row.to_person and not row.symmetric:
            reversed_hops = [(object_, relation, subject)]
            if row.inverse:
                reversed_hops.append((subject, row.inverse, object_))
            if fact in reversed_hops:
                return "wrong direction"
        if fact[0] != subject:
            return "wrong person"
        if fact[1] not in {relation, NO_RELATION}:
            return "wrong relation"
        in_context = _occurs_in(fact[2], context)
        exists = self._exists(fact[2], row)
        if not in_context and exists is False:
            return "invented entity"
        if exists and row and row.group == PARAMETRIC and in_context and not stated:
            return "read instead of recalled"
        if exists and row and row.group != PARAMETRIC and context and not in_context:
            return "recalled instead of read"
        return "wrong person" if row and row.to_person else "wrong value"

    def _exists(self, entity: str, row: Relation | None) -> bool | None:
        """Whether the world has this name or value; None if that cannot be known.

        Without the world, a name may be anybody's.
        """
        if self._known is not None:
            return entity in self._known
        if row and row.to_person:
            return True
        pool = self._pools.get(row.object) if row else None
        return None if pool is None else normalised_answer(entity) in pool


def _without_conclusion(chain: str) -> str:
    """The chain without the "So," that leads to the answer."""
    chain = chain.rstrip(" \t\r\n*_,")
    word = chain[-12:].rpartition(" ")[2].rpartition("\n")[2].strip("*_")
    return chain[: -len(word)].rstrip() if word.lower() in _CONCLUSIONS else chain


def _occurs_in(entity: str, text: str) -> bool:
    """Whether `entity` occurs in `text` as whole words."""
    start = text.find(entity) if entity else -1
    while start >= 0:
        end = start + len(entity)
        if not (text[start - 1 : start].isalnum() or text[end : end + 1].isalnum()):
            return True
        start = text.find(entity, end)
    return False
