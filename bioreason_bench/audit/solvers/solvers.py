"""Shortcuts: what can be answered without composing memory and context (DESIGN section 11).

Each solver gets one question as its text says it and makes the best of what it may see.  Where nothing tells the people of a
context apart, it picks by the mark (first line, longest, most often mentioned, ...) that was right most often on training
questions, so that any trace which the sampling leaves shows as a score.  `chance` is what a guess among the candidates that it
sees is worth: the share of them that give the commonest answer, and no less than one in as many as the config promises.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from bioreason_bench.audit.reading.evidence import NOBODY, Evidence
from bioreason_bench.audit.reading.questions import Item
from bioreason_bench.audit.solvers.knowledge import Guess, Knowledge

__all__ = ["LEGITIMATE", "SOLVERS", "learn", "observe"]

LEGITIMATE = {
    ("mem", "memory_only"),
    ("ctx", "context_only"),
    ("ctx", "linked"),
}  # there it is no shortcut but (part of) the skill itself
Choice = tuple[int, int]  # line of the context, answer that it leads to


# the solvers -------------------------------------------------------------------------------------------------------------


def oracle(item: Item, knowledge: Knowledge) -> Guess:  # noqa: ARG001 - one signature for all solvers
    """Recalls and reads everything."""
    return Guess(item.answer, 1.0)


def question_only(item: Item, knowledge: Knowledge) -> Guess:
    """The commonest answer in training to questions that end in the same relation."""
    return knowledge.prior(item)


def nearest_train(item: Item, knowledge: Knowledge) -> Guess:
    """The answer of the most similar training question of the same skill."""
    near = knowledge.near.get(item.record["skill"])
    kinds = [relation.object for relation in knowledge.evidence.table.relations]
    return Guess(
        near.nearest(item.start, item.path, kinds) if near else NOBODY,
        knowledge.shares[item.path[-1]],
    )


def memory_only(item: Item, knowledge: Knowledge) -> Guess:
    """Recalls every parametric fact, and its mirror, and reads nothing: stuck at a hop that only the context tells."""
    evidence, here = knowledge.evidence, item.start
    for relation in item.path:
        if not 0 <= here < evidence.people:
            break
        mirror = evidence.mirrors[relation]
        here = (
            evidence.rows[relation][here]
            if evidence.parametric[relation]
            else mirror.get(here, NOBODY)
            if mirror
            else NOBODY
        )
    prior = knowledge.prior(item)
    return Guess(here, prior.chance) if here >= 0 else prior


def context_only(item: Item, knowledge: Knowledge) -> Guess:
    """Reads everything and recalls no fact, only who has a parametric biography: follows the context, and at a recalled hop
    tries everybody who is not ruled out and from whom the context leads on to an answer.
    """
    choices = context_choices(item, knowledge, strict=True)
    seen = context_choices(item, knowledge, strict=False)
    guess = _choose(item, choices or seen, seen, knowledge, "context_only")
    recalls = any(knowledge.evidence.parametric[relation] for relation in item.path)
    return (
        Guess(guess.answer, max(guess.chance, 1 / (1 + knowledge.distractors)))
        if seen and recalls and knowledge.distractors
        else guess
    )


def last_relation(item: Item, knowledge: Knowledge) -> Guess:
    """Any object of the last relation that the context states."""
    choices = relation_choices(item, knowledge)
    return _choose(item, choices, choices, knowledge, "last_relation")


def linked(item: Item, knowledge: Knowledge) -> Guess:
    """Any object of the last relation that the context states of somebody whom it mentions elsewhere: half of reading."""
    stated = relation_choices(item, knowledge)
    mentioned = {
        target
        for key, target in item.context.facts.items()
        if key % knowledge.evidence.people != target
    }
    choices = [choice for choice in stated if item.context.people[choice[0]] in mentioned]
    return _choose(item, choices or stated, stated, knowledge, "last_relation")


SOLVERS: dict[str, Callable[[Item, Knowledge], Guess]] = {
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


def context_choices(item: Item, knowledge: Knowledge, strict: bool) -> list[Choice]:
    """Answers that the context leads to, whoever is meant at the recalled hops, each with the line of the person last guessed.

    Empty where the last hop is a recalled one.  With `strict` only those people are tried who are known, whom the context does
    not rule out, and from whom the next recalled hop can be taken.
    """
    evidence, context = knowledge.evidence, item.context
    people, facts, known = evidence.people, context.facts, evidence.known
    if evidence.parametric[item.path[-1]]:
        return []
    states: list[tuple[int, int, tuple[int, ...]]] = [
        (item.start, -1, (item.start,))
    ]  # where one is, line last guessed, whom one has met
    for hop, relation in enumerate(item.path):
        on: list[tuple[int, int, tuple[int, ...]]] = []
        for here, line, met in states:
            if here >= people:
                continue
            if not evidence.parametric[relation]:
                target = facts.get(relation * people + here, NOBODY)
                if target >= 0 and target not in met:
                    on.append((target, line, (*met, target)))
            elif strict and here >= 0 and not known[here]:
                continue
            elif evidence.parametric[
                item.path[hop + 1]
            ]:  # somebody of whom the context need not speak
                on.append((NOBODY, line, met))
            else:
                for place, person in enumerate(context.people):
                    if person not in met and not (
                        strict
                        and (
                            not known[person] or _ruled_out(evidence, facts, relation, here, person)
                        )
                    ):
                        on.append((person, place, (*met, person)))
        states = on
    return [(line, here) for here, line, _ in states]


def _ruled_out(
    evidence: Evidence, facts: Mapping[int, int], relation: int, here: int, person: int
) -> bool:
    """Whether the context says that `person` is what `relation` leads to from somebody other than `here` (NOBODY: one cannot tell)."""
    inverse = evidence.inverses[relation]
    return (
        inverse >= 0 and here >= 0 and facts.get(inverse * evidence.people + person, here) != here
    )


def relation_choices(item: Item, knowledge: Knowledge) -> list[Choice]:
    """The objects of the last relation that the context states, each with its line."""
    people, last = knowledge.evidence.people, item.path[-1]
    facts = item.context.facts
    return [
        (line, facts[last * people + person])
        for line, person in enumerate(item.context.people)
        if last * people + person in facts
    ]


def _choose(
    item: Item, choices: list[Choice], seen: list[Choice], knowledge: Knowledge, solver: str
) -> Guess:
    """Of the commonest answers among `choices` the one whose line has most of the mark that paid in training; chance is that of
    the commonest answer among all that were `seen`.
    """
    if not choices:
        return knowledge.prior(item)
    count = Counter(answer for _, answer in choices)
    most = max(count.values())
    mark = MARKS[knowledge.marks.get((item.record["skill"], solver), "first")]
    best = max(
        (choice for choice in choices if count[choice[1]] == most),
        key=lambda choice: mark(item, choice[0]),
    )
    return Guess(best[1], max(Counter(answer for _, answer in seen).values()) / len(seen))


# marks by which one line of a context may be picked ----------------------------------------------------------------------


def _mentions(item: Item, line: int) -> int:
    person = item.context.people[line]
    return sum(target == person for target in item.context.facts.values())


def _start(item: Item) -> int:
    return item.context.people.index(item.start) if item.start in item.context.people else 0


MARKS: dict[str, Callable[[Item, int], int]] = {
    "first": lambda item, line: -line,
    "last": lambda item, line: line,
    "longest": lambda item, line: item.context.sizes[line],
    "shortest": lambda item, line: -item.context.sizes[line],
    "mentioned": _mentions,
    "unmentioned": lambda item, line: -_mentions(item, line),
    "near the start": lambda item, line: -abs(line - _start(item)),
    "far from the start": lambda item, line: abs(line - _start(item)),
}
PLAIN = (
    "first",
    "last",
    "longest",
    "shortest",
)  # for last_relation, which does not look at who is related to whom


def observe(item: Item, knowledge: Knowledge, tally: Counter) -> None:
    """Count on a training question which marks would have picked the right one of several candidates."""
    for solver, choices, marks in (
        ("context_only", context_choices(item, knowledge, strict=True), tuple(MARKS)),
        ("last_relation", relation_choices(item, knowledge), PLAIN),
    ):
        if len({answer for _, answer in choices}) > 1:
            for mark in marks:
                score = MARKS[mark]
                tally[item.record["skill"], solver, mark] += (
                    max(choices, key=lambda choice: score(item, choice[0]))[1] == item.answer
                )


def learn(tallies: Iterable[Counter]) -> dict[tuple[str, str], str]:
    """(skill, solver) -> the mark that was right most often."""
    total: Counter = Counter()
    for tally in tallies:
        total.update(tally)
    best: dict[tuple[str, str], str] = {}
    order = list(MARKS)
    for skill, solver, mark in sorted(
        total, key=lambda key: (key[:2], -total[key], order.index(key[2]))
    ):
        best.setdefault((skill, solver), mark)
    return best
