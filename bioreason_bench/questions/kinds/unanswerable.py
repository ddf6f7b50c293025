"""Unanswerable questions: pairs in which one context leaves out the last fact of the chain.

    the context of     leaves out                            the answer
    the first          the pet of someone else (a distractor) a cat
    its twin           the pet of the person who is meant     unknown

So in both somebody's pet is missing; whose, only a reader who follows the question finds out.
The questions are those of level iid, with open books where facts are recalled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import pack
from bioreason_bench.language.text_arrays import no_texts
from bioreason_bench.questions.multihop import MultiHop
from bioreason_bench.questions.openbook import Lines, context_columns, lines_of
from bioreason_bench.questions.prompts import UNANSWERABLE, UNKNOWN
from bioreason_bench.questions.sets import Columns, KeyRange, interleave, merge
from bioreason_bench.splits.candidates import Level, candidates
from bioreason_bench.splits.levels import TEST, PathPlan
from bioreason_bench.splits.paths import RelationPath
from bioreason_bench.taxonomy import OPEN_BOOK_SKILLS

__all__ = ["UnanswerablePairs", "sample_unanswerable"]


class Chosen(NamedTuple):
    """Questions of one path that can lose their answer.

    Attributes:
        plan: The path.
        starts: [questions] where they start.
        other: [questions] somebody else whose last fact can be left out.
        keys: [questions] order keys.
    """

    plan: PathPlan
    starts: NDArray[np.int32]
    other: NDArray[np.int32]
    keys: NDArray[np.uint64]


@dataclass(frozen=True)
class UnanswerablePairs:
    """See `QuestionSet`; two rows a question: answerable, then not.

    Attributes:
        questions: The questions that they are made from.
        chosen: Which of them, path by path.
    """

    questions: MultiHop
    chosen: Sequence[Chosen]
    split: str = TEST
    schema: str = UNANSWERABLE

    @property
    def folder(self) -> str:
        return f"{self.questions.skill}/{UNANSWERABLE}"

    def __len__(self) -> int:
        return 2 * sum(len(part.starts) for part in self.chosen)

    def keys(self) -> NDArray[np.uint64]:
        keys = [np.empty(0, np.uint64), *(part.keys for part in self.chosen)]
        return np.repeat(np.concatenate(keys), 2)

    def write(self, keys: KeyRange) -> Columns:
        parts, parts_keys = [], []
        for part in self.chosen:
            rows = keys.indices(part.keys)
            if rows.size:
                parts.append(self._rows(part.plan, part.starts[rows], part.other[rows]))
                parts_keys.append(np.repeat(part.keys[rows], 2))
        return merge(parts, parts_keys)

    def _rows(self, plan: PathPlan, starts: NDArray, other: NDArray) -> Columns:
        walk = self.questions.starts.world.walk(plan.path, starts)
        levels = candidates(self.questions.starts.branches(plan.path), starts)
        lines = _lines(self.questions, plan.path, starts, levels)
        return interleave(
            self._version(plan, walk, lines, other, answerable=True),
            self._version(plan, walk, lines, walk[:, -2], answerable=False),
        )

    def _version(
        self, plan: PathPlan, walk: NDArray, lines: Lines, losing: NDArray, *, answerable: bool
    ) -> Columns:
        """The rows of one half of each pair.

        Args:
            plan: The path.
            walk: [questions, hops + 1] ids.
            lines: The lines of the contexts.
            losing: [questions] whose last fact is left out.
            answerable: Which half.
        """
        path, size, questions = plan.path, len(walk), self.questions
        world, writer, skill = questions.starts.world, questions.writer, questions.skill
        recalled = world.table.pattern(path)[-1] == "P"
        omitted = dict.fromkeys(lines.find(losing, recalled).tolist(), path[-1])
        version = "stated" if answerable else "omitted"
        suffixes = [f"{plan.number:04d}-{start:06d}" for start in walk[:, 0].tolist()]
        relation = world.table[path[-1]]
        objects = world.steps[path[-1], losing].tolist()
        rows: Columns = {
            "id": [f"{skill}-{UNANSWERABLE}-{version}-{suffix}" for suffix in suffixes],
            "skill": [skill] * size,
            "level": [UNANSWERABLE] * size,
        }
        rows |= writer.rows(path, walk, np.empty((size, 0), np.int64), no_texts(size))
        rows |= context_columns(writer.contexts, path, walk, lines, omitted)
        if not answerable:
            rows["entities"] = [[*entities[:-1], UNKNOWN] for entities in rows["entities"]]
            rows["answer"] = [UNKNOWN] * size
            rows["chain"] = writer.unknown_chains(path, walk)
        rows |= questions.certify(plan, walk[:, 0]) | {"portion": [0] * size}
        return rows | {
            "pair": [f"{skill}-{UNANSWERABLE}-{suffix}" for suffix in suffixes],
            "answerable": [answerable] * size,
            "omitted": [
                [world.names[person], relation.name, world.texts[relation.object][target]]
                for person, target in zip(losing.tolist(), objects, strict=True)
            ],
        }


def sample_unanswerable(questions: MultiHop, most: int) -> list[Chosen]:
    """The first test questions, in drawn order, that can lose their answer: `most` or fewer."""
    if not most:
        return []
    able = [_able(questions, plan) for plan in questions.plans]
    keys = np.sort(np.concatenate([np.empty(0, np.uint64), *(part.keys for part in able)]))
    last = keys[:most].max(initial=np.uint64(0))
    chosen = ((part, np.flatnonzero(part.keys <= last)) for part in able)
    return [
        Chosen(part.plan, part.starts[rows], part.other[rows], part.keys[rows])
        for part, rows in chosen
        if rows.size
    ]


def _able(questions: MultiHop, plan: PathPlan) -> Chosen:
    """The questions of a path in which somebody else can lose the last fact, too.

    The person whom the answer names, if it names one, has no line in the context: it might state
    the fact from the other end.
    """
    starts = plan.starts(questions.starts, questions.level, questions.split)
    world, path = questions.starts.world, plan.path
    levels = candidates(questions.starts.branches(path), starts)
    others = levels[-1].people[:, 1:]
    others = np.pad(others, ((0, 0), (0, 1)), constant_values=-1)  # nobody, if nobody else
    draw = questions.draw.at(UNANSWERABLE, questions.skill, plan.number)
    slots = pack((starts[:, None], 48), (np.arange(others.shape[1]), 16))
    ranks = draw.at("other").words(slots) >> np.uint64(1)
    ranks = np.where(others >= 0, ranks, np.uint64(2**64 - 1))
    able = np.any(others >= 0, axis=1)
    if world.table[path[-1]].to_person:
        answers, lines = world.walk(path, starts)[:, -1], _lines(questions, path, starts, levels)
        able[lines.row[lines.person == answers[lines.row]]] = False
    rows = np.flatnonzero(able)
    other = np.take_along_axis(others[rows], np.argmin(ranks[rows], axis=1)[:, None], axis=1)[:, 0]
    return Chosen(plan, starts[rows], other, draw.at("order").words(starts[rows]))


def _lines(
    questions: MultiHop, path: RelationPath, starts: NDArray, levels: Sequence[Level]
) -> Lines:
    """The lines of the contexts, with those of an open book if facts are recalled."""
    opened = levels if questions.skill in OPEN_BOOK_SKILLS else None
    return lines_of(questions.writer.contexts, path, starts, opened)
