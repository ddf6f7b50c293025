"""Biographies: each of a person's facts of one group once, in random order and wording.

Order and wordings are drawn by (group, person, paraphrase) alone, so each biography can be written
without the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import Draw, pack
from bioreason_bench.language import language_of
from bioreason_bench.world.relations import CONTEXTUAL

if TYPE_CHECKING:
    from bioreason_bench.world.facts import World


@dataclass(frozen=True)
class Sentences:
    """The sentences of some biographies, one biography per row.

    Attributes:
        order: The relations in the order of the biography [rows, relations of the group]; -1, at
            the end of a row, where nothing is stated.
        text: The sentences [rows, relations of the group]; "" where nothing is stated.
        column: For each relation of the table, its column of `text`.
    """

    order: NDArray[np.int16]
    text: NDArray[np.object_]
    column: NDArray[np.int64]

    def of(self, rows: NDArray, relations: NDArray | int) -> list[str]:
        """Return each row's sentence about its relation (one per row, or one for all rows)."""
        return self.text[rows, self.column[relations]].tolist()

    def join(self) -> list[str]:
        """Return the biography of each row."""
        rows, columns = np.nonzero(self.order >= 0)
        return self.paragraphs(rows, self.order[rows, columns], len(self.order))

    def paragraphs(
        self, rows: NDArray, relations: NDArray, count: int, number: NDArray | None = None
    ) -> list[str]:
        """Join sentences into `count` texts.

        With rows [5, 5, 8], count 3 and number [0, 0, 2], text 0 has two sentences of row 5, text 1
        is empty, and text 2 has one sentence of row 8.

        Args:
            rows: The row of each sentence.
            relations: The relation of each sentence.
            count: The number of texts.
            number: The text that each sentence belongs to, ascending; `rows` by default.
        """
        sentences = self.of(rows, relations)
        ends = np.searchsorted(rows if number is None else number, np.arange(count + 1)).tolist()
        return [" ".join(sentences[begin:end]) for begin, end in pairwise(ends)]


def sentences(
    world: World, group: str, people: NDArray, paraphrase: NDArray | int = 0
) -> Sentences:
    """Write the sentences of biographies.

    Paraphrases of a person state a fact in different words, as far as the relation has wordings.

    Args:
        world: The world.
        group: The group of relations to state.
        people: Person ids, one per biography.
        paraphrase: The number of the paraphrase, for all people or per person.
    """
    language, draw = language_of(world), Draw(world.config.seed).at("biographies", group)
    people = np.asarray(people, np.int64)
    paraphrase = np.broadcast_to(np.asarray(paraphrase, np.int64), people.shape)
    relations = [number for number, row in enumerate(world.table.relations) if row.group == group]
    stated = np.empty((len(people), len(relations)), bool)
    text = np.full(stated.shape, "", object)
    for column, relation in enumerate(relations):
        stated[:, column] = world.stated(relation)[people]
        rows = np.flatnonzero(stated[:, column])
        subjects, count = people[rows], language.variants(relation)
        first = draw.at("wording", world.table[relation].name).integers(subjects, count)
        variants = (first + paraphrase[rows]) % count
        text[rows, column] = language.statements(relation, subjects, None, variants)
    columns = np.zeros(len(world.table), np.int64)
    columns[relations] = np.arange(len(relations))
    order = _order(stated, np.array(relations, np.int16), people, paraphrase, draw.at("order"))
    return Sentences(order, text, columns)


def _order(
    stated: NDArray, relations: NDArray, people: NDArray, paraphrase: NDArray, draw: Draw
) -> NDArray[np.int16]:
    """Draw the order of each biography: the stated relations, then -1 [rows, relations]."""
    index = pack((paraphrase[:, None], 20), (people[:, None], 36), (np.arange(len(relations)), 8))
    rank = np.where(stated, draw.uniform(index), 2.0)  # what is not stated comes last
    order = np.argsort(rank, axis=1, kind="stable")
    return np.where(np.take_along_axis(stated, order, axis=1), relations[order], np.int16(-1))


def texts(world: World, group: str, people: NDArray, paraphrase: NDArray | int = 0) -> list[str]:
    """Write biographies as texts, the sentences joined by blanks; see `sentences`."""
    return sentences(world, group, people, paraphrase).join()


def contextual_sentences(world: World) -> Sentences:
    """Write everybody's contextual biography, by person id; empty for people without one."""
    return sentences(world, CONTEXTUAL, np.arange(len(world.texts["person"])))


def variants(
    world: World, group: str, relation: int, people: NDArray, paraphrase: NDArray | int = 0
) -> NDArray[np.int64]:
    """The number of the wording in which each person's biography states the relation."""
    draw, count = Draw(world.config.seed).at("biographies", group), language_of(world).variants(relation)
    first = draw.at("wording", world.table[relation].name).integers(people, count)
    return (first + paraphrase) % count
