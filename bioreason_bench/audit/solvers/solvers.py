"""Shortcuts: what can be answered without composing memory and context.

Each solver reads one question and makes the best of the information it may use (see docs/design.md,
Audit and solvers). If nothing else distinguishes the people of a context, it picks a line by the
cue (first line, longest, most often mentioned, ...) that was right most often on training
questions. So its score reveals any trace that the sampling of contexts leaves. `chance` is the
expected score of a guess among the candidates that the solver sees: the share of candidates with
the commonest answer, and at least 1 / (the number of candidates that the config promises).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

from bioreason_bench.audit.reading.parser import NOT_STATED, ParsedRelease
from bioreason_bench.audit.reading.questions import ParsedQuestion
from bioreason_bench.audit.solvers.cues import CUES, POSITION_CUES
from bioreason_bench.audit.solvers.knowledge import Guess, Knowledge

__all__ = [
    "LEGITIMATE",
    "SOLVERS",
    "Candidate",
    "count_cue_hits",
    "mentioned",
    "nearest_train",
    "oracle",
    "pick",
    "question_only",
    "relation_candidates",
]

LEGITIMATE = {  # (skill, solver) that is no shortcut but (part of) the skill itself
    ("mem", "memory_only"),
    ("ctx", "context_only"),
    ("ctx", "linked"),
}
MOST_STATES = 100_000  # of which a solver keeps track in a long context, a sample beyond them


class Candidate(NamedTuple):
    """A possible answer."""

    line: int  # of the context, -1 if the answer does not depend on a choice
    answer: int


# the solvers --------------------------------------------------------------------------------------


def oracle(question: ParsedQuestion, knowledge: Knowledge) -> Guess:  # noqa: ARG001 - one signature
    """Recalls and reads everything."""
    return Guess(question.answer, 1.0)


def question_only(question: ParsedQuestion, knowledge: Knowledge) -> Guess:
    """The commonest answer in training to questions that end in the same relation."""
    return knowledge.prior(question)


def nearest_train(question: ParsedQuestion, knowledge: Knowledge) -> Guess:
    """The answer of the most similar training question of the same skill."""
    neighbour = knowledge.neighbours.get(question.record["skill"])
    answer = neighbour.nearest(question.start, question.path) if neighbour else NOT_STATED
    return Guess(answer, knowledge.majority_objects[question.path[-1]][1])


def memory_only(question: ParsedQuestion, knowledge: Knowledge) -> Guess:
    """Recalls every parametric fact and its mirror, and reads nothing.

    Falls back on the prior at a hop that only the context states.
    """
    release, person = knowledge.release, question.start
    for relation in question.path:
        if not 0 <= person < release.people:
            break
        facts = (
            release.rows[relation] if release.parametric[relation] else release.mirrors[relation]
        )
        person = facts[person] if facts is not None else NOT_STATED
    prior = knowledge.prior(question)
    return Guess(person, prior.chance) if person >= 0 else prior


def context_only(question: ParsedQuestion, knowledge: Knowledge) -> Guess:
    """Reads everything and recalls no fact, only who has a parametric biography.

    Follows the context. At a recalled hop it tries everyone who is not ruled out and from whom the
    context leads to an answer.
    """
    plausible = context_candidates(question, knowledge, strict=True)
    seen = context_candidates(question, knowledge, strict=False)
    guess = pick(question, plausible or seen, seen, knowledge, "context_only")
    recalls = any(knowledge.release.parametric[relation] for relation in question.path)
    if seen and recalls and knowledge.distractors:
        return Guess(guess.answer, max(guess.chance, 1 / (1 + knowledge.distractors)))
    return guess


def last_relation(question: ParsedQuestion, knowledge: Knowledge) -> Guess:
    """Any object of the last relation that the context states."""
    stated = relation_candidates(question, knowledge)
    return pick(question, stated, stated, knowledge, "last_relation")


def linked(question: ParsedQuestion, knowledge: Knowledge) -> Guess:
    """Any object of the last relation, of a person whom the context mentions elsewhere."""
    stated = relation_candidates(question, knowledge)
    related = mentioned(question, knowledge, stated)
    return pick(question, related or stated, stated, knowledge, "last_relation")


SOLVERS: dict[str, Callable[[ParsedQuestion, Knowledge], Guess]] = {
    solver.__name__: solver
    for solver in (
        oracle,
        context_only,
        memory_only,
        question_only,
        last_relation,
        linked,
        nearest_train,
    )
}


# candidates ---------------------------------------------------------------------------------------


class State(NamedTuple):
    """A point on the way along a path."""

    entity: int  # NOT_STATED for a person who need not occur in the context
    line: int  # of the person last guessed, -1 if none was
    visited: tuple[int, ...]


def context_candidates(
    question: ParsedQuestion, knowledge: Knowledge, strict: bool
) -> list[Candidate]:
    """The answers that the context leads to if any person may be meant at a recalled hop.

    Args:
        question: The question.
        knowledge: What the solver may use.
        strict: Try only people who are known, whom the context does not rule out, and from whom
            the next recalled hop can be taken.

    Returns:
        A candidate for each way, with the line of the person last guessed; none if the last hop
        is a recalled one.
    """
    release = knowledge.release
    if release.parametric[question.path[-1]]:
        return []
    states = [State(question.start, -1, (question.start,))]
    for hop, relation in enumerate(question.path):
        people = [state for state in states if state.entity < release.people]
        if not release.parametric[relation]:
            states = _read(release, question, relation, people)
            continue
        if strict:  # novel people have no parametric facts
            people = [state for state in people if state.entity < 0 or release.known[state.entity]]
        if release.parametric[question.path[hop + 1]]:
            states = [State(NOT_STATED, state.line, state.visited) for state in people]
        else:
            people = people[:: 1 + len(people) * len(question.context.people) // MOST_STATES]
            states = [
                State(person, line, (*state.visited, person))
                for state in people
                for line, person in enumerate(question.context.people)
                if person not in state.visited
                and (not strict or _possible(release, question, relation, state.entity, person))
            ]
    return [Candidate(state.line, state.entity) for state in states]


def _read(
    release: ParsedRelease, question: ParsedQuestion, relation: int, states: Iterable[State]
) -> list[State]:
    """The states after a contextual hop, without those whose object the context does not state."""
    facts, following = question.context.facts, []
    for state in states:
        target = facts.get(relation * release.people + state.entity, NOT_STATED)
        if target >= 0 and target not in state.visited:
            following.append(State(target, state.line, (*state.visited, target)))
    return following


def _possible(
    release: ParsedRelease, question: ParsedQuestion, relation: int, subject: int, person: int
) -> bool:
    """Whether `relation` may lead from `subject` (NOT_STATED: anyone) to `person`.

    It may not if `person` is novel, or if the context states that the inverse relation leads from
    `person` to someone other than `subject`.
    """
    if not release.known[person]:
        return False
    inverse = release.inverses[relation]
    if inverse < 0 or subject < 0:
        return True
    return question.context.facts.get(inverse * release.people + person, subject) == subject


def relation_candidates(question: ParsedQuestion, knowledge: Knowledge) -> list[Candidate]:
    """The objects of the last relation that the context states, each with its line."""
    base, facts = question.path[-1] * knowledge.release.people, question.context.facts
    people = enumerate(question.context.people)
    return [
        Candidate(line, facts[base + person]) for line, person in people if base + person in facts
    ]


def mentioned(
    question: ParsedQuestion, knowledge: Knowledge, candidates: list[Candidate]
) -> list[Candidate]:
    """Those about a person whom another person's biography names."""
    people = knowledge.release.people
    named = {target for key, target in question.context.facts.items() if key % people != target}
    return [one for one in candidates if question.context.people[one.line] in named]


def pick(
    question: ParsedQuestion,
    candidates: list[Candidate],
    seen: list[Candidate],
    knowledge: Knowledge,
    solver: str,
) -> Guess:
    """Pick among the commonest answers the one whose line is best by the cue of the solver.

    Args:
        question: The question.
        candidates: The answers to choose from.
        seen: The answers among which a guess would choose: they decide the chance.
        knowledge: Which cue was right most often in training.
        solver: The solver whose cue it is.
    """
    if not candidates:
        return knowledge.prior(question)
    count = Counter(candidate.answer for candidate in candidates)
    most = max(count.values())
    cue = knowledge.cue(question.record["skill"], solver)
    best = max(
        (candidate for candidate in candidates if count[candidate.answer] == most),
        key=lambda candidate: cue(question, candidate.line),
    )
    frequency = max(Counter(candidate.answer for candidate in seen).values())
    return Guess(best.answer, frequency / len(seen))


# cues ---------------------------------------------------------------------------------------------


def count_cue_hits(question: ParsedQuestion, knowledge: Knowledge, hits: Counter) -> None:
    """Count which cues would have picked the right one of several answers to a training question.

    Args:
        question: The training question.
        knowledge: What the solvers may use.
        hits: By (skill, solver, cue); added to.
    """
    for solver, candidates, cues in (
        ("context_only", context_candidates(question, knowledge, strict=True), tuple(CUES)),
        ("last_relation", relation_candidates(question, knowledge), POSITION_CUES),
    ):
        if len({candidate.answer for candidate in candidates}) < 2:
            continue
        for name in cues:
            right = _picked_by(name, question, candidates).answer == question.answer
            hits[question.record["skill"], solver, name] += right


def _picked_by(name: str, question: ParsedQuestion, candidates: list[Candidate]) -> Candidate:
    cue = CUES[name]
    return max(candidates, key=lambda candidate: cue(question, candidate.line))
