"""What solvers without a model answer where the context states everything.

The solvers that are blind at some hops (see blind.py) go on to everybody whom the biographies of
the context name, as far as they have the biography there that the next hop is read from.  Those
that read the last relation only leave out the start, whom the question names.
"""

from __future__ import annotations

from functools import cached_property

from bioreason_bench.audit.reading.parser import NOT_STATED
from bioreason_bench.audit.reading.questions import ParsedQuestion
from bioreason_bench.audit.solvers.blind import BLIND_AT, Walks, answer_blindly
from bioreason_bench.audit.solvers.knowledge import Guess, Knowledge
from bioreason_bench.audit.solvers.mutual import MUTUAL, choose_by_names
from bioreason_bench.audit.solvers.solvers import (
    Candidate,
    mentioned,
    nearest_train,
    oracle,
    pick,
    question_only,
    relation_candidates,
)

__all__ = ["OpenWalks", "open_book_guesses"]

GROUPS = {"P": True, "C": False}  # letter of a hop → whether its relation is parametric


def open_book_guesses(question: ParsedQuestion, knowledge: Knowledge) -> dict[str, Guess | None]:
    """The guess of each solver, None where it has no choice to make."""
    walks = OpenWalks(question, knowledge)
    stated = [
        one
        for one in relation_candidates(question, knowledge)
        if question.context.people[one.line] != question.start
    ]
    guesses: dict[str, Guess | None] = {
        "oracle": oracle(question, knowledge),
        "question_only": question_only(question, knowledge),
        "nearest_train": nearest_train(question, knowledge),
        "last_relation": _pick(question, stated, stated, knowledge),
        "linked": _pick(question, mentioned(question, knowledge, stated), stated, knowledge),
    }
    for name, blind in BLIND_AT.items():
        guesses[name] = answer_blindly(walks, blind(walks))
    for name, mutual in MUTUAL.items():
        guesses[name] = choose_by_names(walks, mutual, open_book=True)
    return guesses


def _pick(
    question: ParsedQuestion,
    candidates: list[Candidate],
    seen: list[Candidate],
    knowledge: Knowledge,
) -> Guess | None:
    """The pick by the cue of last_relation; None if the context states one answer only."""
    if len({one.answer for one in seen}) < 2:
        return None
    return pick(question, candidates or seen, seen, knowledge, "last_relation")


class OpenWalks(Walks):
    """The walks along a path of which the context states every hop."""

    @cached_property
    def branches(self) -> list[int]:
        """The hops that could lead to somebody else."""
        final = len(self.pattern) - 1
        return [hop for hop in range(final) if len(self.reach([hop])) > 1]

    @cached_property
    def _lines_by_group(self) -> dict[tuple[bool, int], int]:
        """(whether it is parametric, person) → line."""
        context, recall = self.question.context, self.release.recalled_mask
        return {
            (bool(stated & recall), person): line
            for line, (person, stated) in enumerate(
                zip(context.people, context.stated, strict=True)
            )
        }

    def _is_read(self, hop: int) -> bool:  # noqa: ARG002 - all are
        return True

    def _line(self, hop: int, person: int) -> int:
        if hop == len(self.pattern):
            return -1
        return self._lines_by_group.get((GROUPS[self.pattern[hop]], person), -1)

    def chance(self, hop: int) -> float:
        """The share of the commonest answer among those to whom the hop could lead."""
        if hop not in self._chances:
            counts = [state.walks for state in self.reach([hop]).values()]
            self._chances[hop] = max(counts) / sum(counts) if counts else 1.0
        return self._chances[hop]

    def _targets(self, hop: int, entity: int, blind: bool) -> list[int]:
        release, relation = self.release, self.question.path[hop]
        if not 0 <= entity < release.people:
            return []
        relations = [relation]
        if blind and hop + 1 == len(self.question.path):
            relations = self.knowledge.interchangeable[relation]
        elif blind:
            recalled = release.parametric[relation]
            relations = [
                number
                for number, to_person in enumerate(release.to_people)
                if to_person and release.parametric[number] == recalled
            ]
        facts, people = self.question.context.facts, release.people
        return [facts.get(number * people + entity, NOT_STATED) for number in relations]
