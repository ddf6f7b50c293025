"""The laws of the kinds of questions beyond the levels: a class for each kind, in KIND_LAWS.

A new kind needs a row in taxonomy.QUESTION_KINDS, a class here, and its law in the catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from bioreason_bench.audit.laws.contexts.closed import ContextLaws, ContextRules
from bioreason_bench.audit.laws.contexts.open_book import OpenBookLaws
from bioreason_bench.audit.ledger import RowViolations
from bioreason_bench.audit.reading.links import alternatives, pattern_of
from bioreason_bench.audit.reading.parser import NOT_STATED, Context, Parser
from bioreason_bench.audit.reading.questions import ParsedQuestion
from bioreason_bench.questions.prompts import UNKNOWN as UNKNOWN_ANSWER
from bioreason_bench.taxonomy import OPEN_BOOK_SKILLS

__all__ = [
    "KIND_LAWS",
    "ConflictLaw",
    "CounterfactualLaw",
    "DirectionLaw",
    "KindLaw",
    "UnanswerableLaw",
]


class KindLaw:
    """The law of one kind of question, checked while the rows of one file are read.

    Args:
        parser: The parser of this process.
        rules: What the config promises of contexts.
        skill: The skill of the questions.

    Attributes:
        law: Its name in the catalogue.
        from_mirrors: Whether the questions are solved by parametric facts and their mirrors.
        missing: The answer where the text leads to none; None if it must lead to one.
        checks_contexts: Whether this law checks the form of the contexts, in place of the others.
    """

    law: ClassVar[str]
    from_mirrors: ClassVar[bool] = False
    missing: ClassVar[str | None] = None
    checks_contexts: ClassVar[bool] = False

    def __init__(self, parser: Parser, rules: ContextRules, skill: str = "comp") -> None:
        self.parser = parser
        self.release = parser.release
        self.rules = rules
        self.skill = skill

    @property
    def open_book(self) -> bool:
        """Whether the contexts state the facts to be recalled as well."""
        return False

    def add(self, question: ParsedQuestion, violations: RowViolations) -> None:
        """Check a row, or keep it until its partner is read."""
        raise NotImplementedError

    def finish(self, violations: RowViolations) -> None:
        """Check what is left after the last row."""

    def false_fact(
        self,
        record: Mapping[str, Any],  # noqa: ARG002 - for the kinds that override this
    ) -> list[str] | None:
        """[subject, relation, true object, false object] of the one sentence of the context that
        contradicts the biographies; None if there must be none.
        """
        return None

    def contradicted(
        self,
        record: Mapping[str, Any],  # noqa: ARG002 - for the kinds that override this
    ) -> str | None:
        """The recalled relation that the context states; None if it must state none."""
        return None


class PairLaw(KindLaw):
    """The law of rows that belong together by their column `pair`."""

    def __init__(self, parser: Parser, rules: ContextRules, skill: str = "comp") -> None:
        super().__init__(parser, rules, skill)
        self.waiting: dict[str, ParsedQuestion] = {}  # by pair, rows whose partner is to come
        self.complete: set[str] = set()

    def add(self, question: ParsedQuestion, violations: RowViolations) -> None:
        pair = question.record["pair"]
        first = self.waiting.pop(pair, None)
        if first is None:
            self.waiting[pair] = question
            return
        problem = "a question cannot be read"
        if pair in self.complete:
            problem = f"two pairs have the name {pair}"
        elif first.path and question.path:
            problem = self.problem(first, question)
        self.complete.add(pair)
        violations.check(self.law, question.row, not problem, lambda: problem)

    def finish(self, violations: RowViolations) -> None:
        for question in self.waiting.values():
            self._add_single(question, violations)

    def _add_single(self, question: ParsedQuestion, violations: RowViolations) -> None:
        problem = f"the other question of the pair {question.record['pair']} is missing"
        violations.check(self.law, question.row, False, lambda: problem)

    def problem(self, one: ParsedQuestion, two: ParsedQuestion) -> str:
        """What is wrong with a pair, "" if nothing."""
        raise NotImplementedError


class CounterfactualLaw(PairLaw):
    """Two questions with the same text, whose contexts differ in one contextual fact."""

    law = "twins"

    def false_fact(self, record: Mapping[str, Any]) -> list[str] | None:
        return record["changed"] if record["altered"] else None

    def problem(self, one: ParsedQuestion, two: ParsedQuestion) -> str:
        first, second = one.record, two.record
        if (first["altered"], second["altered"]) != (False, True):
            return "the first of a pair must agree with the biographies, the second be altered"
        for name in ("question", "path", "context_people", "changed"):
            if first[name] != second[name]:
                return f"a pair must have the same {name}: {first[name]!r} and {second[name]!r}"
        if one.answer == two.answer:
            return f"a pair must have different answers, both have {first['answer']!r}"
        key, true, false = _numbers(self.parser, first["changed"])
        hop = _hop_of(one, key, self.release.people)
        if hop is None or hop != pattern_of(self.release, one.path).rfind("C"):
            return f"the changed fact {first['changed']} is not the last read hop of the chain"
        stated = one.context.facts.get(key), two.context.facts.get(key)
        if stated != (true, false) or true == false:
            return (
                f"the contexts must state the true and the false object of the changed fact "
                f"{first['changed']}"
            )
        return self._other_difference(one.context, two.context, key)

    def _other_difference(self, one: Context, two: Context, key: int) -> str:
        """Where two contexts differ apart from the fact with this key, "" if nowhere."""
        keys = sorted({*one.facts, *two.facts} - {key})
        different = [other for other in keys if one.facts.get(other) != two.facts.get(other)]
        if not different and one.sizes == two.sizes:
            return ""
        where = "their numbers of sentences"
        if different:
            relation, subject = divmod(different[0], self.release.people)
            where = f"{self.release.text(subject)} {self.release.table[relation].name}"
        return f"the contexts of a pair may differ in one fact only, and differ in {where} as well"


class DirectionLaw(PairLaw):
    """Two questions of one hop that ask for each other's start."""

    law = "direction"
    from_mirrors = True

    def problem(self, one: ParsedQuestion, two: ParsedQuestion) -> str:
        if len(one.path) != 1 or len(two.path) != 1:
            return "both questions of a pair have one hop"
        if (one.record["direction_seen"], two.record["direction_seen"]) != (True, False):
            return (
                "direction_seen must be true for the first of a pair, whose direction training "
                "states, and false for the second"
            )
        relation = one.path[0]
        if self.release.inverses[relation] != two.path[0] or not self.release.parametric[relation]:
            names = two.record["path"][0], one.record["path"][0]
            return f"{names[0]} must be the inverse of {names[1]}, which is recalled"
        if one.walk != two.walk[::-1]:
            ends = f"{one.record['entities']} and {two.record['entities']}"
            return f"the questions of a pair must ask for each other's start: {ends}"
        return ""


class ConflictLaw(KindLaw):
    """A question whose context contradicts the last fact of its chain, which is to be recalled."""

    law = "conflict"

    def add(self, question: ParsedQuestion, violations: RowViolations) -> None:
        problem = "the question cannot be read"
        if question.readable:
            problem = self._problem_of_fact(question) or self._problem_of_context(question)
        violations.check(self.law, question.row, not problem, lambda: problem)

    def false_fact(self, record: Mapping[str, Any]) -> list[str] | None:
        return record["conflicting"]

    def contradicted(self, record: Mapping[str, Any]) -> str | None:
        return record["path"][-1]

    def _problem_of_fact(self, question: ParsedQuestion) -> str:
        """What is wrong with the contradicted fact and the two answers, "" if nothing."""
        record, release, context = question.record, self.release, question.context
        conflicting = record["conflicting"]
        key, true, false = _numbers(self.parser, conflicting)
        last = len(question.path) - 1
        pattern = pattern_of(release, question.path)
        if _hop_of(question, key, release.people) != last or not pattern.endswith("CP"):
            return f"{conflicting} is not the last hop, recalled right after a read one"
        if not release.table[question.path[last]].exclusive:
            return f"{conflicting[1]} is not exclusive: both objects can be true"
        if question.answer != true or true == false:
            return (
                f"the biographies state {release.text(question.answer)}, "
                f"and conflicting says {conflicting[2:]}"
            )
        if context.facts.get(key) != false:
            fact = f"{' '.join(conflicting[:2])} is {conflicting[3]!r}"
            return f"the context must state that {fact}"
        texts = [release.texts[number] for number in question.walk[:-1]] + [conflicting[3]]
        recorded = record["entities_context"], record["answer_context"]
        if recorded != (texts, texts[-1]):
            return f"the context leads to {texts}, the row says {recorded[0]} and {recorded[1]!r}"
        answer = record["answer"]
        if record["answer_memory"] != answer or record["answer_context"] == answer:
            return "answer_memory must be the answer, and answer_context another one"
        return ""

    def _problem_of_context(self, question: ParsedQuestion) -> str:
        """How the context gives away whose fact is false, "" if it does not."""
        release, context = self.release, question.context
        last, relation = len(question.path) - 1, question.path[-1]
        pattern = pattern_of(release, question.path)
        candidates = {question.walk[last]}
        candidates |= alternatives(release, question, pattern, last - 1)
        stating = {
            person
            for person, bits in zip(context.people, context.stated, strict=True)
            if bits >> relation & 1
        }
        if (
            len(candidates & stating) <= self.rules.distractors
            or question.walk[last] not in stating
        ):
            name = release.table[relation].name
            return (
                f"the context states {name} of {len(candidates & stating)} people who could be "
                f"meant, {self.rules.distractors + 1} are needed"
            )
        sizes = {
            size
            for person, size in zip(context.people, context.sizes, strict=True)
            if person in candidates & stating
        }
        if self.rules.facts and not self.rules.own_facts and len(sizes) > 1:
            return f"the biographies of those who could be meant have {sorted(sizes)} sentences"
        return ""


class UnanswerableLaw(PairLaw):
    """Two questions with the same text, of which the second lacks its last fact."""

    law = "unanswerable"
    missing = UNKNOWN_ANSWER
    checks_contexts = True

    @property
    def open_book(self) -> bool:
        return self.skill in OPEN_BOOK_SKILLS

    def add(self, question: ParsedQuestion, violations: RowViolations) -> None:
        first = self.waiting.get(question.record["pair"])
        super().add(question, violations)
        if first and first.readable and question.readable:
            whole = self._with_both(first, question)
            if self.open_book:
                OpenBookLaws(self.release, self.rules, whole, violations).check()
            else:
                ContextLaws(self.release, self.rules, whole, violations).check()

    def _with_both(self, one: ParsedQuestion, two: ParsedQuestion) -> ParsedQuestion:
        """The question with a context in which nothing is left out."""
        a, b = one.context, two.context
        context = Context(
            a.people,
            [x | y for x, y in zip(a.stated, b.stated, strict=False)],
            [max(x, y) for x, y in zip(a.sizes, b.sizes, strict=False)],
            {**a.facts, **b.facts},
            [],
        )
        return replace(one, context=context)

    def problem(self, one: ParsedQuestion, two: ParsedQuestion) -> str:
        first, second = one.record, two.record
        if (first["answerable"], second["answerable"]) != (True, False):
            return "the first of a pair must be answerable, the second not"
        for name in ("question", "path", "context_people"):
            if first[name] != second[name]:
                return f"a pair must have the same {name}: {first[name]!r} and {second[name]!r}"
        if second["answer"] != self.missing or two.answer != NOT_STATED:
            return f"the second answer must be {self.missing!r}, and not stated by its context"
        names, people = (first["omitted"][:2], second["omitted"][:2]), one.context.people
        keys = [self.parser.key(subject, relation) for subject, relation in names]
        if keys[1] != one.path[-1] * self.release.people + one.walk[-2]:
            return f"{names[1]} is not the last fact of the chain"
        if NOT_STATED in keys or keys[0] == keys[1] or names[0][1] != names[1][1]:
            return f"{names[0]} must be the same relation of somebody else"
        if one.walk[-1] in people:
            return f"{self.release.text(one.walk[-1])} has a line, which might state the fact"
        return self._other_difference(one, two, keys)

    def _other_difference(self, one: ParsedQuestion, two: ParsedQuestion, keys: list[int]) -> str:
        """Where the two contexts are not what the omitted facts make of them, "" if nowhere."""
        a, b = one.context.facts, two.context.facts
        for facts, here, there, question in (
            (a, keys[0], keys[1], one),
            (b, keys[1], keys[0], two),
        ):
            if here in facts or there not in facts:
                return f"{question.record['omitted'][:2]} alone must be left out"
            relation, subject = divmod(here, self.release.people)
            if self.release.text(self.release.rows[relation][subject]) != repr(
                question.record["omitted"][2]
            ):
                return f"{question.record['omitted']} is no fact of the biographies"
        different = {*a, *b} - set(keys)
        if any(a.get(key) != b.get(key) for key in different):
            return "the contexts of a pair may differ in the omitted facts only"
        return ""


KIND_LAWS: dict[str, type[KindLaw]] = {
    "counterfactual": CounterfactualLaw,
    "conflict": ConflictLaw,
    "direction": DirectionLaw,
    "unanswerable": UnanswerableLaw,
}


def _numbers(parser: Parser, fact: list[str]) -> tuple[int, int, int]:
    """(key, true object, false object) as numbers; the key is relation * people + subject.

    The key is NOT_STATED if there is no such subject or relation.

    Args:
        parser: The parser, which knows the numbers.
        fact: [subject, relation, true object, false object] as text.
    """
    name, relation, true, false = fact
    return parser.key(name, relation), parser.release.number(true), parser.release.number(false)


def _hop_of(question: ParsedQuestion, key: int, people: int) -> int | None:
    """The hop of the chain that asks for the fact with this key, None if there is none."""
    for hop, relation in enumerate(question.path):
        if relation * people + question.walk[hop] == key:
            return hop
    return None
