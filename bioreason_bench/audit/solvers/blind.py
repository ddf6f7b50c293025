"""Solvers that do not know some relations: they follow any relation of the group instead.

Memory states the parametric facts, and a context those that it states.  At a hop where a solver is
*blind* it goes on to everybody whom the same person is related to (at the last hop: to every object
of the kind that is asked for), as far as they are read about where the next hop is read:

    associate     blind at recalled hops: knows which names share a biography, no relations
    skim          blind at read hops
    last_hop      blind at all hops but the last
    any_unseen    blind at the hops whose relation training never uses

Each answers what most of its walks lead to.  Where it is blind at no branch (see reading/links.py)
it has no choice to make, and the question does not count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import NamedTuple

from bioreason_bench.audit.reading.links import (
    branches,
    follow,
    last_recalled_branch,
    pattern_of,
    read_links,
)
from bioreason_bench.audit.reading.parser import NOT_STATED
from bioreason_bench.audit.reading.questions import ParsedQuestion
from bioreason_bench.audit.solvers.knowledge import Guess, Knowledge

__all__ = ["BLIND_AT", "Candidate", "Walks", "answer_blindly"]


class Candidate(NamedTuple):
    """Someone who could be meant behind a hop, and the answer that they lead to."""

    person: int
    answer: int


class State(NamedTuple):
    """Where walks have come to: how many they are, and the line of the last person read about."""

    walks: int
    line: int  # -1 if nobody was read about


class Walks:
    """The walks along one question's path, proper and blind."""

    def __init__(self, question: ParsedQuestion, knowledge: Knowledge) -> None:
        self.question, self.knowledge = question, knowledge
        self.release = knowledge.release
        self.pattern = pattern_of(self.release, question.path)
        self.lines = {person: line for line, person in enumerate(question.context.people)}
        self._read: dict[int, list[int]] = {}
        self._chances: dict[int, float] = {}

    @cached_property
    def branches(self) -> list[int]:
        return branches(self.pattern)

    def reach(self, blind: Iterable[int]) -> dict[int, State]:
        """The answers that walks lead to which are blind at these hops.

        Walks never return to the start, and someone who is not read about is no end of a hop that
        is read on from.
        """
        question, blind, final = self.question, set(blind), len(self.question.path) - 1
        states = {question.start: State(1, self._line(0, question.start))}
        for hop in range(final + 1):
            read_next = hop < final and self._is_read(hop + 1)
            following: dict[int, State] = {}
            for entity, state in states.items():
                for target in self._targets(hop, entity, hop in blind):
                    line = self._line(hop + 1, target)
                    if target < 0 or target == question.start or (read_next and line < 0):
                        continue
                    before = following.get(target)
                    walks = state.walks + (before.walks if before else 0)
                    following[target] = State(walks, line if line >= 0 else state.line)
            states = following
        return states

    def _is_read(self, hop: int) -> bool:
        """Whether the fact of a hop is read, not recalled."""
        return self.pattern[hop] == "C"

    def _line(self, hop: int, person: int) -> int:  # noqa: ARG002 - open books ask for the hop
        """The line about a person that a hop would be read from, -1 if there is none."""
        return self.lines.get(person, -1)

    def chance(self, hop: int) -> float:
        """The score of a guess by someone who is ignorant of one branch only.

        The share of the commonest answer among those that the alternatives lead to; that of one in
        as many as the config promises if there are fewer.
        """
        if hop not in self._chances:
            counts = [state.walks for state in self.reach([hop]).values()]
            promised = 1 + self.knowledge.distractors
            enough = sum(counts) >= promised
            self._chances[hop] = max(counts) / sum(counts) if enough else 1 / promised
        return self._chances[hop]

    def meant_behind(self, hop: int, person: int) -> list[int]:
        """Whom the person could lead to at a hop, as far as the next hop is read about them."""
        targets = dict.fromkeys(self._targets(hop, person, True))
        walk = self.question.walk[: hop + 1]
        return [one for one in targets if self._line(hop + 1, one) >= 0 and one not in walk]

    def follow(self, hop: int, person: int) -> int:
        """The answer that the rest of the path leads to; NOT_STATED if it leads to none."""
        for number in range(hop, len(self.pattern)):
            person = next(iter(self._targets(number, person, False)), NOT_STATED)
        return person

    def candidates(self) -> tuple[int, list[Candidate]]:
        """The last recalled hop that is read on from, and who could be meant behind it.

        All other hops are followed properly.  The hop is -1 if there is none.
        """
        question, hop = self.question, last_recalled_branch(self.pattern)
        if hop < 0 or not 0 <= question.walk[hop] < self.release.people:
            return -1, []
        named = (target for _, target in self.release.recalled_links(question.walk[hop]))
        people = [one for one in named if one in self.lines and one not in question.walk[: hop + 1]]
        answers = ((one, follow(self.release, question, hop + 1, one)) for one in people)
        return hop, [Candidate(person, answer) for person, answer in answers if answer >= 0]

    def rank(self, answer: int, line: int) -> tuple[int, int]:
        """What decides between answers that are equally likely: the cue that paid in training."""
        cue = self.knowledge.cue("comp", "context_only")
        # a mixed number, so that the order of relations in the table decides nothing
        mixed = (answer * 0x9E3779B1 ^ self.question.start * 0x85EBCA6B) & 0xFFFFFFFF
        return (cue(self.question, line) if line >= 0 else 0), mixed

    def _targets(self, hop: int, entity: int, blind: bool) -> list[int]:
        """Where a hop leads from an entity; NOT_STATED among them where nothing is stated."""
        release, relation = self.release, self.question.path[hop]
        if not 0 <= entity < release.people:
            return []
        recalled = self.pattern[hop] == "P"
        if not blind:
            relations = [relation]
        elif hop + 1 == len(self.question.path):
            relations = self.knowledge.interchangeable[relation]
        elif recalled:
            return [target for _, target in release.recalled_links(entity)]
        else:
            if entity not in self._read:
                links = read_links(release, self.question.context, entity)
                self._read[entity] = [target for _, target in links]
            return self._read[entity]
        if recalled:
            return [release.rows[number][entity] for number in relations]
        facts, people = self.question.context.facts, release.people
        return [facts.get(number * people + entity, NOT_STATED) for number in relations]


def _recalled(walks: Walks) -> list[int]:
    return [hop for hop, letter in enumerate(walks.pattern) if letter == "P"]


def _read(walks: Walks) -> list[int]:
    return [hop for hop, letter in enumerate(walks.pattern) if letter == "C"]


def _all_but_last(walks: Walks) -> list[int]:
    return list(range(len(walks.pattern) - 1))


def _unseen(walks: Walks) -> list[int]:
    trained = walks.knowledge.exposure["comp"].relations
    return [hop for hop, relation in enumerate(walks.question.path) if relation not in trained]


BLIND_AT: dict[str, Callable[[Walks], list[int]]] = {
    "associate": _recalled,
    "skim": _read,
    "last_hop": _all_but_last,
    "any_unseen": _unseen,
}


def answer_blindly(walks: Walks, blind: Iterable[int]) -> Guess | None:
    """The answer of most walks that are blind at these hops; None if none of them is a branch."""
    blind = set(blind)
    ignorant = [hop for hop in walks.branches if hop in blind]
    if not ignorant:
        return None
    answers = walks.reach(blind)
    best = max(
        answers,
        key=lambda answer: (answers[answer].walks, *walks.rank(answer, answers[answer].line)),
        default=NOT_STATED,
    )
    return Guess(best, min(walks.chance(hop) for hop in ignorant))
