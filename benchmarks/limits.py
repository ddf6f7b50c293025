"""What can be answered with less than a question seems to need, beyond the audit's solvers.

    python benchmarks/limits.py releases/v1 releases/nano-43

The audit scores solvers that are ignorant where a context offers alternatives.  These use what is
left: only the person meant leads on to more people, earlier hops have no alternatives, training
names what it trained, and chains state what they read.

    hub        comp: knows all but the first hop with people to choose from behind which more is
               read; takes whoever is related to most people of the context
    last_two   ctx and open books, three hops and more: knows the last two relations only
    any        comp, zeroshot: takes any relation of the group and kind for an unseen one
    exclude    the same, but for those that training asks about
    by_heart   comp: never reads; knows the parametric facts, those that training chains of comp
               state, and the mirrors of both (`+ctx`: the chains of ctx as well)

Printed are per cent of the questions that a solver is asked, their number, and for hub the per cent
that a guess among the same people gets.  Ties count as a guess.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from bioreason_bench.language.reader import Reader
from bioreason_bench.release.read import Release
from bioreason_bench.world.table import read_table

LEVELS = ("iid", "composition", "zeroshot", "entity", "depth")
Facts = dict[str, dict[str, str]]  # person -> relation -> object
Row = dict[str, Any]
Step = Callable[[int, tuple[str, ...]], Iterable[str]]  # hop, people so far -> who may be next


def add(facts: Facts, subject: str, relation: str, target: str) -> None:
    facts.setdefault(subject, {})[relation] = target


class World:
    """A release, as far as the solvers need it."""

    def __init__(self, folder: Path) -> None:
        self.release = Release(folder)
        manifest = self.release.manifest
        self.reader = Reader(read_table(manifest["relations"]), manifest["config"]["language"])
        self.relations = {row["name"]: row for row in self.release.rows("relations", "train")}
        self.recalled: Facts = {}
        for row in self.release.rows("facts", "train"):
            if row["group"] == "parametric":
                add(self.recalled, row["subject"], row["relation"], row["object"])

    def rows(self, config: str, split: str = "test") -> Iterator[Row]:
        if config in self.release.configs():
            yield from self.release.rows(config, split)

    def context(self, row: Row) -> Facts:
        facts: Facts = {}
        for line in row["context"].split("\n"):
            for fact in self.reader.biography(line):
                if fact:
                    add(facts, *fact)
        return facts

    def like(self, relation: str, stated: Iterable[str], to_people: bool = False) -> list[str]:
        """The stated relations of the group of one, to people or to the same kind of object."""
        one = self.relations[relation]
        kind = "person" if to_people else one["object"]
        return [
            name
            for name in stated
            if (self.relations[name]["group"], self.relations[name]["object"])
            == (one["group"], kind)
        ]


class Question:
    """A question, what is known about its people, and who could be meant on the way.

    In an open book the context states everything; otherwise recalled facts are known.
    """

    def __init__(self, world: World, row: Row, open_book: bool = False) -> None:
        self.world, self.row = world, row
        self.path, self.pattern, self.entities = row["path"], row["pattern"], row["entities"]
        self.final = len(self.path) - 1
        self.facts = world.context(row)
        self.known = [
            self.facts if letter == "C" or open_book else world.recalled for letter in self.pattern
        ]
        self.last_shown = self.final if open_book else self.pattern.rfind("C")
        self.shown = [letter == "C" or open_book for letter in self.pattern]

    def leads_on(self, hop: int, person: str) -> bool:
        """Whether the context has the biography that a hop is taken from, if it is to be read."""
        group = self.world.relations[self.path[hop]]["group"]
        stated = self.facts.get(person, {})
        return not self.shown[hop] or any(
            self.world.relations[name]["group"] == group for name in stated
        )

    def named(self, hop: int, person: str) -> list[str]:
        """The people to whom someone is related in any way, and who lead on."""
        stated = self.known[hop].get(person, {})
        people = [stated[name] for name in self.world.like(self.path[hop], stated, to_people=True)]
        return [one for one in dict.fromkeys(people) if self.leads_on(hop + 1, one)]

    def related(self, hop: int, person: str) -> int:
        """How many people with a biography here the following hops can come to from a person."""
        people, count = {person}, 0
        for later in range(hop, self.last_shown):
            people = {one for now in people for one in self.named(later, now)}
            people.discard(self.entities[0])
            count += len(people) if self.shown[later + 1] else 0
        return count

    def most_related(self, hop: int, people: Iterable[str]) -> list[str]:
        links = {one: self.related(hop, one) for one in people}
        return [one for one in links if links[one] == max(links.values())]

    def follow(self, hop: int, person: str | None) -> str | None:
        for number in range(hop, len(self.path)):
            person = self.known[number].get(person or "", {}).get(self.path[number])
        return person

    def score(self, step: Step) -> float:
        """The share of the right answer among those that most walks lead to."""
        walks = [(self.entities[0],)]
        for hop in range(len(self.path)):
            walks = [
                (*walk, target)
                for walk in walks
                for target in dict.fromkeys(step(hop, walk))
                if target not in walk
            ]
        counts = Counter(walk[-1] for walk in walks)
        best = [answer for answer, count in counts.items() if count == max(counts.values())]
        return (self.row["answer"] in best) / len(best) if best else 0.0


# solvers ------------------------------------------------------------------------------------------


def hub(question: Question) -> tuple[float, float] | None:
    """Score, and that of a guess; None where no branch has more to read behind it."""
    entities, answer = question.entities, question.row["answer"]
    for hop in range(question.last_shown - 1):
        named = [
            one for one in question.named(hop, entities[hop]) if one not in entities[: hop + 1]
        ]
        answers = {one: end for one in named if (end := question.follow(hop + 1, one))}
        if len(set(answers.values())) > 1:
            best = [answers[one] for one in question.most_related(hop + 1, answers)]
            return best.count(answer) / len(best), 1 / len(answers)
    return None


def last_two(question: Question) -> float | None:
    if question.final < 2:
        return None

    def step(hop: int, walk: tuple[str, ...]) -> list[str]:
        if hop < question.final - 1:
            people = [one for one in question.named(hop, walk[-1]) if one not in walk]
            return question.most_related(hop + 1, people)
        stated = question.known[hop].get(walk[-1], {})
        return [stated[question.path[hop]]] if question.path[hop] in stated else []

    return question.score(step)


def guess_unseen(question: Question, trained: set[str], exclude: bool) -> float:
    """The solvers `any` and `exclude`: what is not unseen is recalled and read properly."""

    def step(hop: int, walk: tuple[str, ...]) -> Iterator[str]:
        relation, stated = question.path[hop], question.known[hop].get(walk[-1], {})
        names = [relation]
        if relation not in trained:
            names = question.world.like(relation, stated)
            names = [name for name in names if not exclude or name not in trained] or names
        for name in names:
            if name in stated and (
                hop == question.final or question.leads_on(hop + 1, stated[name])
            ):
                yield stated[name]

    return question.score(step)


def by_heart(question: Question, stated: Facts) -> float:
    person: str | None = question.entities[0]
    for letter, relation in zip(question.pattern, question.path, strict=True):
        known = question.world.recalled if letter == "P" else stated
        person = known.get(person or "", {}).get(relation)
    return float(person == question.row["answer"])


# table --------------------------------------------------------------------------------------------


def mean(scores: Iterable[float | None]) -> str:
    asked = [one for one in scores if one is not None]
    return f"{100 * sum(asked) / len(asked):5.1f} ({len(asked)})" if asked else "-"


def chains(world: World, skills: Iterable[str]) -> Facts:
    """The facts that the training chains of some skills state, and all mirrors."""
    facts: Facts = {}
    for skill in skills:
        for row in world.rows(f"{skill}_iid", "train"):
            for link in zip(row["entities"], row["path"], row["entities"][1:], strict=False):
                add(facts, *link)
    for subject, stated in [*facts.items(), *world.recalled.items()]:
        for relation, target in [*stated.items()]:
            if inverse := world.relations[relation]["inverse"]:
                facts.setdefault(target, {}).setdefault(inverse, subject)
    return facts


def table(folder: str) -> Iterator[tuple[str, str, str]]:
    """(solver, config, score) of a release."""
    world = World(Path(folder))

    def questions(config: str) -> Iterator[Question]:
        return (Question(world, row, "openbook" in config) for row in world.rows(config))

    comp = {level: [*questions(f"comp_{level}")] for level in (*LEVELS, "counterfactual")}
    for level in LEVELS:
        found = [hub(one) for one in comp[level]]
        score, guess = (mean(one[part] if one else None for one in found) for part in (0, 1))
        yield "hub", f"comp_{level}", f"{score}, guess {guess}"
    for skill, book in (("ctx", ""), ("mem", "_openbook"), ("comp", "_openbook")):
        for config in (f"{skill}_{level}{book}" for level in LEVELS):
            yield "last_two", config, mean(last_two(one) for one in questions(config))
    trained = {name for row in world.rows("comp_iid", "train") for name in row["path"]}
    for name, exclude in (("any", False), ("exclude", True)):
        scores = (guess_unseen(one, trained, exclude) for one in comp["zeroshot"])
        yield name, "comp_zeroshot", mean(scores)
    for name, skills in (("by_heart", ("comp",)), ("by_heart+ctx", ("comp", "ctx"))):
        stated = chains(world, skills)
        for level, asked in comp.items():
            yield name, f"comp_{level}", mean(by_heart(one, stated) for one in asked)


if __name__ == "__main__":
    for release in sys.argv[1:]:
        print(release)
        for solver, config, score in table(release):
            print(f"  {solver:12} {config:24} {score}")
