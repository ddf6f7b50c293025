"""Open books: contexts that state all facts of a question, those to be recalled as well.

A model that was not trained on the world can answer these.  Beside the biographies of the closed
question, the context holds the parametric biography of everybody about whom a fact is recalled, and
of those who could be meant instead (splits/candidates.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import pack
from bioreason_bench.questions.contexts import Contexts
from bioreason_bench.questions.multihop import MultiHop, question_ids
from bioreason_bench.questions.sets import Columns
from bioreason_bench.splits.candidates import candidates
from bioreason_bench.splits.levels import PathPlan
from bioreason_bench.splits.paths import RelationPath
from bioreason_bench.taxonomy import OPEN_BOOK

__all__ = ["Lines", "OpenBook", "context_columns", "lines_of"]

RECALLED = -2  # the position of a line that is a parametric biography


class Lines(NamedTuple):
    """The lines of the contexts of some questions of one path, question by question.

    Attributes:
        row: [lines] the question, ascending.
        person: [lines] whom the line is about.
        position: [lines] the position on the path for which a contextual biography is shortened;
            RECALLED for a parametric one.
    """

    row: NDArray[np.int64]
    person: NDArray[np.int64]
    position: NDArray[np.int64]

    @property
    def recalled(self) -> NDArray[np.bool_]:
        """[lines] True for parametric biographies."""
        return self.position == RECALLED

    def find(self, people: NDArray, recalled: bool) -> NDArray[np.int64]:
        """[questions] the line with the biography of this person of each question."""
        found = (self.person == people[self.row]) & (self.recalled == recalled)
        lines = np.full(len(people), -1)
        lines[self.row[found]] = np.flatnonzero(found)
        return lines

    def first(self, questions: int) -> NDArray[np.int64]:
        """[questions + 1] where the lines of each question begin, and the end."""
        return np.searchsorted(self.row, np.arange(questions + 1))


def lines_of(
    contexts: Contexts,
    path: RelationPath,
    starts: NDArray,
    levels: Sequence[NDArray] | None,
) -> Lines:
    """The lines of the contexts of these questions, in drawn order.

    Args:
        contexts: Decides about the contextual biographies.
        path: Relation numbers.
        starts: [questions] valid starts.
        levels: Who could be meant at each position, as `candidates` returns them; None for a
            closed book.
    """
    read = contexts.people(path, starts)
    row, column = np.nonzero(read.people >= 0)
    parts = [np.stack([row, read.people[row, column], read.position[row, column]])]
    pattern = contexts.starts.world.table.pattern(path)
    recalled = [
        level for level, letter in zip(levels or (), pattern, strict=False) if letter == "P"
    ]
    if recalled:
        people = np.concatenate(recalled, axis=1).astype(np.int64)
        for column_ in range(1, people.shape[1]):  # one biography for each person
            again = np.any(people[:, :column_] == people[:, column_, None], axis=1)
            people[again, column_] = -1
        row, column = np.nonzero(people >= 0)
        parts.append(np.stack([row, people[row, column], np.full(len(row), RECALLED)]))
    row, person, position = np.concatenate(parts, axis=1)
    if levels is not None:
        names = contexts.starts.world.table.path_names(path)
        slots = pack((starts[row], 32), (person, 31), (position == RECALLED, 1))
        words = contexts.draw.at("open book", *names).words(slots)
        order = np.lexsort((words, row))
        row, person, position = row[order], person[order], position[order]
    return Lines(row, person, position)


def _texts_of(
    contexts: Contexts,
    path: RelationPath,
    lines: Lines,
    questions: int,
    omitted: Mapping[int, int] | None = None,
) -> list[str]:
    """[questions] the text of each context.

    Args:
        contexts: Writes the biographies.
        path: Relation numbers.
        lines: Their lines.
        questions: How many contexts there are.
        omitted: A relation that is left out, by the number of the line.
    """
    texts: list[str] = [""] * len(lines.row)
    for recalled in (False, True):
        mine = np.flatnonzero(lines.recalled == recalled)
        number = {line: index for index, line in enumerate(mine.tolist())}
        without = {number[n]: relation for n, relation in (omitted or {}).items() if n in number}
        people = lines.person[mine]
        if recalled:
            written = contexts.recalled_lines(path, people, without)
        else:
            written = contexts.lines(path, people, lines.position[mine], without)
        for line, text in zip(mine.tolist(), written, strict=True):
            texts[line] = text
    first = lines.first(questions).tolist()
    return ["\n".join(texts[first[k] : first[k + 1]]) for k in range(questions)]


def context_columns(
    contexts: Contexts,
    path: RelationPath,
    walk: NDArray,
    lines: Lines,
    omitted: Mapping[int, int] | None = None,
) -> Columns:
    """The columns context, context_people and support of questions with these lines.

    Args:
        contexts: Writes the biographies.
        path: Relation numbers.
        walk: [questions, hops + 1] ids.
        lines: The lines of their contexts.
        omitted: A relation that is left out, by the number of the line.
    """
    world, size = contexts.starts.world, len(walk)
    first = lines.first(size)
    support = []
    for hop, letter in enumerate(world.table.pattern(path)):
        place = lines.find(walk[:, hop], letter == "P")
        left_out = np.isin(
            place, [n for n, number in (omitted or {}).items() if number == path[hop]]
        )
        support.append(np.where((place < 0) | left_out, -1, place - first[:-1]))
    names = [world.names[person] for person in lines.person.tolist()]
    bounds = first.tolist()
    return {
        "context": _texts_of(contexts, path, lines, size, omitted),
        "context_people": [names[bounds[k] : bounds[k + 1]] for k in range(size)],
        "support": np.stack(support, axis=1).tolist(),
    }


@dataclass(frozen=True)
class OpenBook(MultiHop):
    """The test or validation questions of a level with open books; see `QuestionSet`."""

    @property
    def folder(self) -> str:
        return f"{self.skill}/{self.level}_{OPEN_BOOK}"

    def _rows(self, plan: PathPlan, starts: NDArray, indices: NDArray) -> Columns:  # noqa: ARG002 - one signature
        path, size = plan.path, len(starts)
        walk = self.starts.world.walk(path, starts)
        contexts = self.writer.contexts
        levels = candidates(self.starts.branches(path), starts)
        nobody = np.empty((size, 0), np.int64)
        rows: Columns = {
            "id": question_ids(self.skill, f"{self.level}_{OPEN_BOOK}", plan, starts),
            "skill": [self.skill] * size,
            "level": [self.level] * size,
        }
        rows |= self.writer.rows(path, walk, nobody, [""] * size)
        rows |= context_columns(contexts, path, walk, lines_of(contexts, path, starts, levels))
        rows |= self.certify(plan, starts)
        return rows | {"portion": [0] * size}
