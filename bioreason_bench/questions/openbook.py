"""Open books: contexts that state all facts of a question, those to be recalled as well.

A model that was not trained on the world can answer these.  Beside the biographies of the closed
question, the context holds the parametric biography of everybody about whom a fact is recalled, and
of those who could be meant instead (splits/candidates.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import pack
from bioreason_bench.language.text_arrays import join_runs, no_texts, place
from bioreason_bench.questions.contexts import Contexts
from bioreason_bench.questions.multihop import MultiHop, question_ids
from bioreason_bench.questions.sets import Columns
from bioreason_bench.splits.candidates import Level, candidates
from bioreason_bench.splits.levels import PathPlan
from bioreason_bench.splits.paths import RelationPath
from bioreason_bench.taxonomy import OPEN_BOOK
from bioreason_bench.world.relations import PARAMETRIC

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Lines", "OpenBook", "context_columns", "lines_of"]


class Lines(NamedTuple):
    """The lines of the contexts of some questions of one path, question by question.

    Attributes:
        row: [lines] the question, ascending.
        person: [lines] whom the line is about.
        position: [lines] the position on the path for which the biography is shortened.
        link: [lines, n] of a contextual biography the relation by which it would name the person
            before, of a parametric one that person, another one if somebody could be meant at two
            positions, and those whom most biographies would name; -1 for none.
        recalled: [lines] True for parametric biographies.
    """

    row: NDArray[np.int64]
    person: NDArray[np.int64]
    position: NDArray[np.int64]
    link: NDArray[np.int64]
    recalled: NDArray[np.bool_]

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
    levels: Sequence[Level] | None,
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
    columns = (read.people, read.position, read.back)
    parts = [np.stack([row, *(part[row, column] for part in columns), 0 * row - 1, 0 * row])]
    pattern = contexts.starts.world.table.pattern(path)
    recalled = [
        (position, level)
        for position, (level, letter) in enumerate(zip(levels or (), pattern, strict=False))
        if letter == "P"
    ]
    if recalled:
        people = np.concatenate([level.people for _, level in recalled], axis=1).astype(np.int64)
        before = np.concatenate([level.before for _, level in recalled], axis=1)
        widths = [level.people.shape[1] for _, level in recalled]
        position = np.repeat([position for position, _ in recalled], widths)
        again = np.full(people.shape, -1)  # the person before somebody who could be meant twice
        for other in range(1, people.shape[1]):  # one biography for each person
            same = people[:, :other] == people[:, other, None]
            rows = np.flatnonzero(same.any(axis=1) & (people[:, other] >= 0))
            again[rows, same[rows].argmax(axis=1)] = before[rows, other]
            people[rows, other] = -1
        row, column = np.nonzero(people >= 0)
        person, one, two = (part[row, column] for part in (people, before, again))
        parts.append(np.stack([row, person, position[column], one, two, 0 * row + 1]))
    row, person, place, link, again, from_training = np.concatenate(parts, axis=1)
    if levels is not None:
        names = contexts.starts.world.table.path_names(path)
        slots = pack((starts[row], 32), (person, 31), (from_training, 1))
        words = contexts.draw.at("open book", *names).words(slots)
        order = np.lexsort((words, row))
        row, person, place = row[order], person[order], place[order]
        link, again, from_training = link[order], again[order], from_training[order]
    lines = Lines(row, person, place, np.stack([link, again], axis=1), from_training == 1)
    return _without_telling(contexts, path, starts, lines) if recalled else lines


def _without_telling(
    contexts: Contexts, path: RelationPath, starts: NDArray, lines: Lines
) -> Lines:
    """The same lines with links to the people before whom most of the others would name.

    The gold person never names the person before.  Somebody else who could be meant may, if they
    are in the context for other reasons as well; if most of them did, naming would tell who is not
    meant.
    """
    world = contexts.starts.world
    table, pattern = world.table, world.table.pattern(path)
    walk, columns = world.walk(path, starts), [lines.link]
    chain = walk[lines.row, : table.people_on(path)]
    aside = lines.recalled & ~(chain == lines.person[:, None]).any(axis=1)
    for hop in range(1, len(path)):
        if pattern[hop] == "P":
            before = walk[lines.row, hop - 1]
            other = aside & _could_be_meant(contexts, path, hop, before, lines.person)
            free = [n for n, row in enumerate(table.relations) if row.to_person and n not in path]
            parametric = [n for n in free if table[n].group == PARAMETRIC]
            names = (world.steps[parametric][:, lines.person] == before).any(axis=0)
            names &= other & ~(lines.link == before[:, None]).any(axis=1)
            shown = np.bincount(lines.row[other], minlength=len(walk))
            naming = np.bincount(lines.row[names], minlength=len(walk))
            telling = names & (2 * naming > shown)[lines.row]
            columns.append(np.where(telling, before, -1)[:, None])
    return lines._replace(link=np.concatenate(columns, axis=1))


def _could_be_meant(
    contexts: Contexts, path: RelationPath, hop: int, before: NDArray, people: NDArray
) -> NDArray[np.bool_]:
    """[lines] whether the person before is related to each person in another way than is asked.

    Their ages would allow the relation asked, and they have the next fact.
    """
    world, branches = contexts.starts.world, contexts.starts.branches(path)
    table, asked = world.table, path[hop - 1]
    group = [
        number
        for number, row in enumerate(table.relations)
        if row.to_person and row.group == table[asked].group and number != asked
    ]
    related: NDArray[np.bool_] = (world.steps[group][:, before] == people).any(axis=0)
    related &= world.steps[path[hop], people] >= 0
    if any(row.date == "birth" for row in table.relations):  # otherwise nobody's age is known
        related &= branches.plausible(hop - 1, before, people[:, None])[:, 0]
    return related


def _texts_of(
    contexts: Contexts,
    path: RelationPath,
    lines: Lines,
    questions: int,
    omitted: Mapping[int, int] | None = None,
) -> pa.Array:
    """[questions] the text of each context.

    Args:
        contexts: Writes the biographies.
        path: Relation numbers.
        lines: Their lines.
        questions: How many contexts there are.
        omitted: A relation that is left out, by the number of the line.
    """
    parts = []
    for recalled in (False, True):
        mine = np.flatnonzero(lines.recalled == recalled)
        number = {line: index for index, line in enumerate(mine.tolist())}
        without = {number[n]: relation for n, relation in (omitted or {}).items() if n in number}
        people, position, link = lines.person[mine], lines.position[mine], lines.link[mine]
        if recalled:
            written = contexts.recalled_lines(path, people, position, link, without)
        else:
            written = contexts.lines(path, people, position, link[:, 0], without)
        parts.append((mine, written))
    return join_runs(place(parts), lines.first(questions), "\n")


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
        rows |= self.writer.rows(path, walk, nobody, no_texts(size))
        rows |= context_columns(contexts, path, walk, lines_of(contexts, path, starts, levels))
        rows |= self.certify(plan, starts)
        return rows | {"portion": [0] * size}
