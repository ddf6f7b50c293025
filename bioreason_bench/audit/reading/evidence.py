"""What a release says, as integers: every text has one number, people first, and facts are arrays [relations, people].

Texts are read back by the package's reader, with the relation table that stands in the manifest.  Each distinct sentence is read
once in a process (`Parser` remembers it), so that a million context lines cost little more than dictionary look-ups.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.language.reader import Reader
from bioreason_bench.world.relations import PARAMETRIC, RelationTable

__all__ = ["EMPTY", "NOBODY", "UNKNOWN", "Context", "Evidence", "Parser"]

NOBODY = -1  # nothing is stated
UNKNOWN = -2  # a text that stands neither in data/people nor in data/facts
REMEMBERED = 1_000_000  # sentences; then a process forgets them all and starts again, which bounds its memory


@dataclass
class Evidence:
    """Everything that questions are solved from.  `facts` is filled from the biographies, never from data/facts."""

    table: RelationTable
    language: str
    texts: list[str]  # by id; the first `people` are the names
    people: int
    known: NDArray[np.bool_]  # [people] as data/people says
    in_context: NDArray[np.bool_]
    facts: NDArray[np.int32]  # [relations, people] object id, NOBODY where no biography states it
    unique_kinds: frozenset[str] = (
        frozenset()
    )  # object kinds whose values belong to one person each
    places: dict[str, tuple[NDArray, NDArray, list[str]]] = field(
        default_factory=dict
    )  # group -> (file number, row) by person, files

    @cached_property
    def ids(self) -> dict[str, int]:
        return {text: number for number, text in enumerate(self.texts)}

    @cached_property
    def rows(self) -> list[memoryview]:
        """The facts of each relation as a view on the array: plain integers at the speed of a list, and no copy in a forked process."""
        return [memoryview(np.ascontiguousarray(row)) for row in self.facts]

    def __getstate__(self) -> dict[str, object]:
        """All but the views, for processes that are not forked."""
        return {name: value for name, value in self.__dict__.items() if name != "rows"}

    @cached_property
    def parametric(self) -> list[bool]:
        return [relation.group == PARAMETRIC for relation in self.table.relations]

    @cached_property
    def inverses(self) -> list[int]:
        """The number of each relation's inverse, its own where symmetric, -1 where none."""
        names = {relation.name: number for number, relation in enumerate(self.table.relations)}
        return [
            names.get(relation.inverse, -1) if relation.inverse else -1
            for relation in self.table.relations
        ]

    @cached_property
    def mirrors(self) -> list[dict[int, int] | None]:
        """For each contextual relation with a parametric inverse: object by subject, as the facts of the inverse imply it."""
        found: list[dict[int, int] | None] = []
        for relation, inverse in enumerate(self.inverses):
            turned = not self.parametric[relation] and inverse >= 0 and self.parametric[inverse]
            found.append(
                {
                    target: subject
                    for subject, target in enumerate(self.rows[inverse])
                    if target >= 0
                }
                if turned
                else None
            )
        return found

    def text(self, number: int) -> str:
        """The text of an id, quoted; what the negative ones mean."""
        number = int(number)
        return (
            repr(self.texts[number])
            if number >= 0
            else ("nothing" if number == NOBODY else "something unknown")
        )

    def place(self, relation: int, subject: int) -> tuple[str, int | None]:
        """(file, row) of the first biography that should state the relation of the subject."""
        group = self.table[relation].group
        if group not in self.places:
            return f"data/biographies/{group}", None
        number, row, files = self.places[group]
        return (
            (files[number[subject]], int(row[subject]))
            if number[subject] >= 0
            else (f"data/biographies/{group}", None)
        )


@dataclass(slots=True)
class Context:
    """One question's context, read back."""

    people: list[int]  # whose biography each line is
    told: list[int]  # relations that each line states, as bits
    sizes: list[int]  # sentences of each line
    facts: dict[int, int]  # relation * people + subject -> object
    false: list[tuple[int, int]]  # (key, object) of sentences that no biography bears out
    problem: str = ""  # why it cannot be read, if so


EMPTY = Context([], [], [], {}, [])


class Parser:
    """Reads texts back to ids; one in every process."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.reader = Reader(evidence.table, evidence.language)
        self.numbers = {
            relation.name: number for number, relation in enumerate(evidence.table.relations)
        }
        self._known: dict[str, tuple[int, int, int, int, bool] | None] = {}

    def known(self, text: str) -> tuple[int, int, int, int, bool] | None:
        """(subject, relation * people + subject, object, relation as a bit, whether the biographies say so) of a sentence, remembered.

        None where it cannot be read, or is about nobody in data/people; UNKNOWN for an object without a number.
        """
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        fact = self.read(text)
        found = None
        if fact is not None and 0 <= fact[0] < self.evidence.people:
            subject, relation, target = fact
            found = (
                subject,
                relation * self.evidence.people + subject,
                target,
                1 << relation,
                self.evidence.rows[relation][subject] == target,
            )
        self._known[text] = found
        return found

    def read(self, text: str) -> tuple[int, int, int] | None:
        """(subject, relation, object) ids, or None where the sentence cannot be read; UNKNOWN for a text without a number."""
        found = self.reader.sentence(text)
        if found is None or found[1] not in self.numbers:
            return None
        ids = self.evidence.ids
        return ids.get(found[0], UNKNOWN), self.numbers[found[1]], ids.get(found[2], UNKNOWN)

    def question(self, text: str) -> tuple[int, tuple[int, ...]] | None:
        """(start id, path of relation numbers), or None where the question cannot be read."""
        found = self.reader.question(text)
        if found is None or any(name not in self.numbers for name in found[1]):
            return None
        return self.evidence.ids.get(found[0], UNKNOWN), tuple(
            self.numbers[name] for name in found[1]
        )

    def context(self, text: str) -> Context:
        """The facts of a context, and what each of its lines states."""
        if not text:
            return EMPTY
        known, sentences = self._known, self.reader.sentences
        context = Context([], [], [], {}, [])
        facts = context.facts
        for line in text.split("\n"):
            told, whose, parts = 0, UNKNOWN, sentences(line)
            for part in parts:
                fact = known[part] if part in known else self.known(part)
                if fact is None or fact[0] != whose >= 0:
                    context.problem = context.problem or self._problem(
                        len(context.people) + 1, part, fact
                    )
                    continue
                whose, key, target, bit, true = fact
                if key in facts:
                    context.problem = (
                        context.problem
                        or f"line {len(context.people) + 1}: {part!r} states a relation a second time"
                    )
                facts[key] = target
                told |= bit
                if not true:
                    context.false.append((key, target))
            if whose < 0:
                context.problem = (
                    context.problem or f"line {len(context.people) + 1} states nothing"
                )
            context.people.append(whose)
            context.told.append(told)
            context.sizes.append(len(parts))
        return context

    def _problem(self, line: int, text: str, fact: tuple[int, int, int, int, bool] | None) -> str:
        if fact is not None:
            return f"line {line}: {text!r} is about another person than the line begins with"
        if self.read(text) is None:
            return f"line {line}: {text!r} states no fact that can be read"
        return f"line {line}: {text!r} is about somebody who is not in data/people"

    def solve_turned(self, start: int, path: Iterable[int]) -> list[int]:
        """The same with nothing to read: what is not recalled is the mirror of what is."""
        evidence, walk = self.evidence, [start]
        for relation in path:
            mirror = evidence.mirrors[relation]
            here = walk[-1]
            if mirror is not None:
                walk.append(mirror.get(here, NOBODY))
            else:
                walk.append(
                    evidence.rows[relation][here]
                    if evidence.parametric[relation] and 0 <= here < evidence.people
                    else NOBODY
                )
        return walk

    def solve(self, start: int, path: Iterable[int], context: Context | None) -> list[int]:
        """The start and the object of each hop: recalled from the biographies, or read in this context; NOBODY from where it dangles.

        Without a context what would be read is taken from the contextual biographies.
        """
        evidence = self.evidence
        walk = [start]
        for relation in path:
            here = walk[-1]
            if not 0 <= here < evidence.people:
                walk.append(NOBODY)
            elif evidence.parametric[relation] or context is None:
                walk.append(evidence.rows[relation][here])
            else:
                walk.append(context.facts.get(relation * evidence.people + here, NOBODY))
        return walk
