"""The laws that keep a context from giving the answer away (see docs/design.md, Context)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bioreason_bench.audit.ledger import RowViolations
from bioreason_bench.audit.reading.links import (
    alternatives,
    branches,
    pattern_of,
    people_in_context,
    read_links,
)
from bioreason_bench.audit.reading.parser import NOT_STATED, ParsedRelease
from bioreason_bench.audit.reading.questions import ParsedQuestion

__all__ = ["ContextLaws", "ContextRules"]


@dataclass(frozen=True)
class ContextRules:
    """What the config of a release promises of its contexts.

    Attributes:
        leak_guards: Whether sentences that give a recalled hop away are left out.
        distractors: Alternatives at each branch.
        facts: Sentences of a person, 0 for whole biographies.
        own_facts: Whether the facts are a user's, so that some people have fewer than others.
        filled: Whether bystanders fill the contexts up (long.py).
    """

    leak_guards: bool
    distractors: int
    facts: int
    own_facts: bool = False
    filled: bool = False

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> ContextRules:
        """The rules of the config in a manifest."""
        return cls(
            config.get("leak_guards", False),
            config.get("distractors", 0),
            config.get("context_facts", 0),
            bool(config.get("facts")),
        )


@dataclass(frozen=True)
class ContextLaws:
    """The laws of one context.

    Attributes:
        release: The release.
        rules: What the config promises.
        question: A question that can be read, with a context.
        violations: Where checks are counted.
        contradicted: The recalled relation that a conflict states, NOT_STATED for other questions.
    """

    release: ParsedRelease
    rules: ContextRules
    question: ParsedQuestion
    violations: RowViolations
    contradicted: int = NOT_STATED

    def check(self) -> None:
        pattern = pattern_of(self.release, self.question.path)
        asked = [n for n in self.question.path if not self.release.parametric[n]]
        if self.rules.distractors or self.rules.facts:
            self._check_alike(asked)
        mirrors = self.mirrors(pattern)
        if self.rules.facts:
            self._check_length(asked)
        if not self.rules.own_facts:
            self._check_fewest(mirrors if self.rules.leak_guards else set())
        if self.rules.leak_guards and "P" in pattern:
            self._check_leaks(mirrors)
            self._check_mentions(pattern)
        if self.rules.distractors:
            self._check_distractors(pattern)
            if not self.rules.own_facts:
                self._check_names(pattern)
        if self.contradicted < 0:
            self._check_people(pattern)

    def _check_alike(self, asked: list[int]) -> None:
        """Everyone states every contextual relation of the path.

        In a conflict, those at the last person state the contradicted relation instead of another.
        """
        mask = sum(1 << relation for relation in asked)
        exempt = 1 << self.contradicted if self.contradicted >= 0 else 0
        lacking = [
            line
            for line, bits in enumerate(self.question.context.stated)
            if bits & mask != mask and not bits & exempt
        ]
        self._check(
            "alike",
            not lacking,
            lambda: (
                f"line {lacking[0] + 1} does not state every contextual relation of "
                f"{' > '.join(self.question.record['path'])}"
            ),
        )

    def _check_length(self, asked: list[int]) -> None:
        """No one has more sentences than the config says, unless the question needs more."""
        most = max(self.rules.facts, len(asked) + self.rules.distractors + 1)  # one names back
        longest = max(self.question.context.sizes)
        problem = f"at most {most} sentences a person, found {longest}"
        self._check("context length", longest <= most, lambda: problem)

    def _check_fewest(self, withheld: set[int]) -> None:
        """No one has fewer sentences than the config says, unless there is no more to state."""
        context = self.question.context
        hidden = sum(1 << relation for relation in withheld)
        wanted = [
            (self.release.contextual[person] & ~hidden).bit_count() if person >= 0 else 0
            for person in context.people
        ]
        if self.rules.facts:
            wanted = [min(self.rules.facts, count) for count in wanted]
        spare = int(self.rules.distractors > 0)  # the sentence that would name the person before
        short = [line for line, size in enumerate(context.sizes) if size < wanted[line] - spare]
        self._check(
            "context length",
            not short,
            lambda: (
                f"line {short[0] + 1} has {context.sizes[short[0]]} sentences, "
                f"at least {wanted[short[0]]} are needed"
            ),
        )

    def _check_people(self, pattern: str) -> None:
        """There are as many people as the chain and its alternatives make."""
        people = len(self.question.context.people)
        wanted = people_in_context(pattern, self.rules.distractors)
        problem = (
            f"{people} people are in the context; {pattern} with {self.rules.distractors} "
            f"distractors makes it {wanted}"
        )
        fits = people == wanted or (self.rules.filled and people > wanted)
        self._check("distractors", fits, lambda: problem)

    def mirrors(self, pattern: str) -> set[int]:
        """The relations that mirror a recalled hop, or one that could be recalled instead.

        "Bo was the boss of Ann" gives Ann's boss away, and "Cy mentored Ann" excludes Cy.
        """
        if "P" not in pattern:
            return set()
        release, path = self.release, self.question.path
        recalled = {n for n, letter in zip(path, pattern, strict=True) if letter == "P"}
        if self.rules.distractors and any(pattern[hop] == "P" for hop in branches(pattern)):
            recalled |= {n for n, row in enumerate(release.table.relations) if row.letter == "P"}
        return {release.inverses[relation] for relation in recalled} - {-1, *path}

    def _check_leaks(self, mirrors: set[int]) -> None:
        """No line states the mirror of a recalled hop."""
        release = self.release
        leaks = [
            (line, mirror)
            for line, bits in enumerate(self.question.context.stated)
            for mirror in mirrors
            if bits >> mirror & 1
        ]
        self._check(
            "guard",
            not leaks,
            lambda: (
                f"line {leaks[0][0] + 1} states {release.table[leaks[0][1]].name}, "
                f"the mirror of a hop to be recalled"
            ),
        )

    def _check_mentions(self, pattern: str) -> None:
        """No sentence names both ends of a recalled hop."""
        people, walk = self.release.people, self.question.walk
        ends = {
            pair
            for hop, letter in enumerate(pattern)
            if letter == "P" and self.question.path[hop] != self.contradicted
            for pair in ((walk[hop], walk[hop + 1]), (walk[hop + 1], walk[hop]))
        }
        leaks = [
            divmod(key, people)
            for key, target in self.question.context.facts.items()
            if (key % people, target) in ends
        ]
        self._check(
            "co-mentions",
            not leaks,
            lambda: (
                f"{self.release.text(leaks[0][1])} and both ends of a recalled hop occur in one "
                f"sentence, about {self.release.table[leaks[0][0]].name}"
            ),
        )

    def _check_distractors(self, pattern: str) -> None:
        """Every branch has its alternatives, and there are as many people as a guess needs."""
        least, question = self.rules.distractors, self.question
        people = len(question.context.people)
        problem = f"{people} people are in the context, {least + 1} must"
        if people > least:
            for hop in branches(pattern):
                found = alternatives(self.release, question, pattern, hop)
                if len(found) < least:
                    subject = self.release.text(question.walk[hop])
                    problem = (
                        f"hop {hop + 1} of {pattern}, from {subject}, has {len(found)} "
                        f"alternatives that lead to an answer, {least} are needed"
                    )
                    break
            else:
                problem = ""
        self._check("distractors", not problem, lambda: problem)

    def _check_names(self, pattern: str) -> None:
        """Of those whom a read hop could lead to, all name the person before, or none does."""
        release, question = self.release, self.question
        context = question.context
        problem = ""
        for hop in branches(pattern):
            if pattern[hop : hop + 2] != "CC":  # those behind it are not read about
                continue
            before = question.walk[hop]
            mutual = release.table[question.path[hop]].symmetric
            people = {question.walk[hop + 1], *alternatives(release, question, pattern, hop)}
            people &= set(context.people)
            for relation, target in read_links(release, context, before):
                if mutual and not release.table[relation].symmetric:
                    people.discard(target)  # someone who is in the context for another reason
            naming = {
                person
                for person in people
                if any(target == before for _, target in read_links(release, context, person))
            }
            # a person may be in the context for another reason as well
            alike = naming if mutual else people - naming
            enough = min(len(people), 1 + self.rules.distractors)
            gold = question.walk[hop + 1]
            if people and (len(alike) < enough or (gold in people and gold not in alike)):
                problem = (
                    f"hop {hop + 1} of {pattern}: {len(naming)} of {len(people)} people to whom "
                    f"{release.text(before)} is related name {release.text(before)}, "
                    f"{'all' if mutual else 'none'} must"
                )
                break
        self._check("names back", not problem, lambda: problem)

    def _check(self, law: str, holds: bool, describe: Callable[[], str]) -> None:
        self.violations.check(law, self.question.row, holds, describe)
