"""What the solvers may have learned: facts to recall, and training questions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from bioreason_bench.audit.reading.evidence import NOBODY, Evidence
from bioreason_bench.audit.reading.questions import Item, path_of
from bioreason_bench.audit.reading.training import Shown

__all__ = ["Guess", "Knowledge"]


@dataclass(frozen=True, slots=True)
class Guess:
    """An answer's id (NOBODY: none), and what guessing among the candidates seen would have been worth."""

    answer: int
    chance: float


@dataclass
class Knowledge:
    """What the solvers may have learned: facts to recall, training questions, and which marks paid there."""

    evidence: Evidence
    shown: Mapping[str, Shown]  # training questions by skill
    marks: Mapping[tuple[str, str], str] = field(
        default_factory=dict
    )  # (skill, solver) -> mark to pick by
    distractors: int = 0  # that the config promises for each question

    @cached_property
    def shares(self) -> list[float]:
        """[relations] the share of the commonest object: what the best constant guess is worth."""
        counts = [np.unique(row[row >= 0], return_counts=True)[1] for row in self.evidence.facts]
        return [float(count.max() / count.sum()) if len(count) else 0.0 for count in counts]

    @cached_property
    def commonest(self) -> dict[tuple[str, int], int]:
        """(skill, last relation) -> the commonest answer in training; skill "" for all of them together."""
        base, counts = len(self.evidence.table), {}
        for skill, shown in self.shown.items():
            if len(shown.path):
                last = (shown.path % (base + 1) - 1).astype(np.int64)
                answers = shown.walk[np.arange(len(last)), shown.hops]
                for relation in np.unique(last).tolist():
                    here = Counter(answers[last == relation].tolist())
                    counts[skill, relation] = here
                    counts["", relation] = counts.get(("", relation), Counter()) + here
        return {
            key: min(count, key=lambda answer, count=count: (-count[answer], answer))
            for key, count in counts.items()
        }

    @cached_property
    def near(self) -> dict[str, Near]:
        return {
            skill: Near(shown, len(self.evidence.table))
            for skill, shown in self.shown.items()
            if len(shown.path)
        }

    def prepare(self) -> None:
        """Work out everything now, so that processes forked later share it."""
        _ = (
            self.shares,
            self.commonest,
            self.near,
            self.evidence.rows,
            self.evidence.ids,
            self.evidence.mirrors,
        )

    def prior(self, item: Item) -> Guess:
        """The commonest answer to such questions in training; where there is none, the commonest object of the relation."""
        last = item.path[-1]
        skill = item.record["skill"]
        answer = self.commonest.get((skill, last), self.commonest.get(("", last), NOBODY))
        if answer == NOBODY and self.evidence.parametric[last]:
            answer = self._object(last)
        return Guess(answer, self.shares[last])

    def _object(self, relation: int) -> int:
        objects = self.evidence.facts[relation]
        values, counts = np.unique(objects[objects >= 0], return_counts=True)
        return int(values[counts.argmax()]) if len(values) else NOBODY


class Near:
    """Training questions by their start and by their path."""

    def __init__(self, shown: Shown, base: int) -> None:
        self.answers = shown.walk[np.arange(len(shown.path)), shown.hops].tolist()
        self.paths = [path_of(code, base) for code in shown.paths]
        self.path_number = np.searchsorted(shown.paths, shown.path).tolist()
        uses = Counter(
            relation
            for path, count in zip(self.paths, np.bincount(self.path_number), strict=True)
            for relation in path
            for _ in range(int(count))
        )
        self.weight = {
            relation: float(np.log(1 + len(self.answers) / count))
            for relation, count in uses.items()
        }
        self.by_start: dict[int, list[int]] = {}
        for row, start in enumerate(shown.start.tolist()):
            self.by_start.setdefault(start, []).append(row)
        self.by_path = {path: row for row, path in enumerate(self.path_number)}

    def nearest(self, start: int, path: tuple[int, ...], kinds: list[str]) -> int:
        """The answer of the training question with the same start, or else the same path, that shares most of the rest;
        of those whose answers are of the kind asked for, if there are any.
        """
        asked = set(path)
        best, found = (-1.0, -1.0), NOBODY
        for row in self.by_start.get(start, ()):
            other = self.paths[self.path_number[row]]
            score = (
                float(kinds[other[-1]] == kinds[path[-1]]),
                sum(self.weight[relation] for relation in other if relation in asked),
            )
            if score > best:
                best, found = score, self.answers[row]
        if best[0] < 1:
            numbers = [
                number
                for number, other in enumerate(self.paths)
                if kinds[other[-1]] == kinds[path[-1]]
            ]
            if numbers:
                number = max(
                    numbers,
                    key=lambda k: sum(
                        self.weight[relation] for relation in self.paths[k] if relation in asked
                    ),
                )
                found = self.answers[self.by_path[number]]
        return found
