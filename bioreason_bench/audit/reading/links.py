"""Whom a question could mistake for the people on its chain.

A *branch* is a hop that leads on to another one.  Its *alternatives* are the people to whom the
same person is related otherwise, as memory (recalled hop) or this context (read hop) states, and
from whom the rest of the path leads to an answer:

    Who is the birth place of Ann's boss?    pattern PC; memory: Ann's boss was Bo, her classmate Cy
                                             context: Bo was born in Lagos, Cy was born in Lima

Hop 0 is a branch, and Cy is an alternative to Bo.
"""

from __future__ import annotations

from functools import cache

from bioreason_bench.audit.reading.ages import age_difference, fits_window
from bioreason_bench.audit.reading.parser import NOT_STATED, Context, ParsedRelease
from bioreason_bench.audit.reading.questions import ParsedQuestion

__all__ = [
    "alternatives",
    "branches",
    "follow",
    "last_recalled_branch",
    "pattern_of",
    "people_in_context",
    "read_links",
]


def pattern_of(release: ParsedRelease, path: tuple[int, ...]) -> str:
    """The groups of the path's relations as letters, such as CPC."""
    return "".join(["P" if release.parametric[relation] else "C" for relation in path])


def branches(pattern: str) -> list[int]:
    """The hops at which a context offers alternatives.

    With recall and reading: every recalled hop before the last read one, and every read hop but a
    final one.  With reading only: the hop before the last.  With recall only: none.

    PC [0], CP [0], PCP [0, 1], CPP [0], CPCC [0, 1, 2], CCC [1]
    """
    final = len(pattern) - 1
    if "P" not in pattern:
        return [final - 1] if final else []
    last_read = pattern.rfind("C")
    return [hop for hop in range(final) if hop < last_read or pattern[hop] == "C"]


@cache
def people_in_context(pattern: str, distractors: int) -> int:
    """How many people a context is about: those of the chain who are read about, and alternatives.

    With 3 distractors: PC 4, CP 4 (one who is read about, and three to fill up), CPC 8.
    """
    at = [1]  # people at each position
    for hop in range(pattern.rfind("C")):
        at.append(at[-1] + distractors * (hop in branches(pattern)))
    read = sum(size for size, letter in zip(at, pattern, strict=False) if letter == "C")
    return max(read, 1 + distractors)


def last_recalled_branch(pattern: str) -> int:
    """The last recalled hop that is read on from, -1 if there is none: in PCPCP it is hop 2."""
    return pattern.rfind("PC")


def read_links(release: ParsedRelease, context: Context, person: int) -> list[tuple[int, int]]:
    """(relation, person) of each fact about another person that the context states of a person."""
    links = []
    for relation, to_person in enumerate(release.to_people):
        if to_person and not release.parametric[relation]:
            target = context.facts.get(relation * release.people + person, NOT_STATED)
            if 0 <= target < release.people:
                links.append((relation, target))
    return links


def follow(release: ParsedRelease, question: ParsedQuestion, hop: int, person: int) -> int:
    """Follow the path from a person at a hop to the answer; NOT_STATED if it leads to none."""
    facts, people = question.context.facts, release.people
    for relation in question.path[hop:]:
        if not 0 <= person < people:
            return NOT_STATED
        if release.parametric[relation]:
            person = release.rows[relation][person]
        else:
            person = facts.get(relation * people + person, NOT_STATED)
    return person


def alternatives(
    release: ParsedRelease, question: ParsedQuestion, pattern: str, hop: int
) -> set[int]:
    """The people who could be mistaken for the gold person behind a branch.

    They are not on the chain so far, their ages fit the hop's own relation, and they lead to an
    answer.
    """
    subject, asked = question.walk[hop], question.path[hop]
    if not 0 <= subject < release.people:
        return set()
    older = release.table[asked].older
    if pattern[hop] == "P":
        links = release.recalled_links(subject)
    else:
        links = read_links(release, question.context, subject)
    return {
        target
        for relation, target in links
        if relation != asked
        and target not in question.walk[: hop + 2]
        and fits_window(age_difference(release.births, subject, target), older)
        and follow(release, question, hop + 1, target) >= 0
    }
