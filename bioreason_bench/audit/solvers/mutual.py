"""Solvers that know everything but one hop, and choose by who names whom from the other end.

    mutual       one who names the person before
    one_sided    one who does not

If Ann's rival was Bo, then Bo's biography may say that his rival was Ann.  That would tell who is
meant if those who could be meant instead said nothing of the kind, or the reverse.  The hop is the
last one that leads from a read fact to somebody who is read about; in an open book, the last but
one.
"""

from __future__ import annotations

from collections import Counter

from bioreason_bench.audit.reading.parser import NOT_STATED
from bioreason_bench.audit.solvers.blind import Walks
from bioreason_bench.audit.solvers.knowledge import Guess

__all__ = ["MUTUAL", "choose_by_names"]

MUTUAL = {"mutual": True, "one_sided": False}  # solver → whether the chosen one names the other


def choose_by_names(walks: Walks, mutual: bool, *, open_book: bool = False) -> Guess | None:
    """The answer behind one of those who could be meant; None if there is no choice."""
    question = walks.question
    final = len(walks.pattern) - 1
    hops = [
        hop
        for hop in walks.branches
        if (open_book and hop == final - 1) or walks.pattern[hop : hop + 2] == "CC"
    ]
    if not hops or question.walk[hops[-1]] < 0:
        return None
    hop, before = hops[-1], question.walk[hops[-1]]
    answers = {person: walks.follow(hop + 1, person) for person in walks.meant_behind(hop, before)}
    answers = {person: answer for person, answer in answers.items() if answer >= 0}
    if len(set(answers.values())) < 2:
        return None
    chosen = [person for person in answers if _names(walks, person, before) == mutual]
    best = max(chosen or answers, key=lambda person: walks.rank(answers[person], -1))
    return Guess(answers[best], max(Counter(answers.values()).values()) / len(answers))


def _names(walks: Walks, person: int, other: int) -> bool:
    """Whether the biography of a person names the other one."""
    facts, people = walks.question.context.facts, walks.release.people
    relations = enumerate(walks.release.to_people)
    return any(
        to_person and facts.get(number * people + person, NOT_STATED) == other
        for number, to_person in relations
    )
