"""Biographies: each of a person's facts of one group once, in drawn order and drawn words.

Which facts stand in which order, and in which of their wordings, is drawn by (group, person, rendering) alone; so any biography
can be written without the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import Draw
from bioreason_bench.language import language_of
from bioreason_bench.world.relations import CONTEXTUAL

if TYPE_CHECKING:
    from bioreason_bench.world.facts import World


@dataclass(frozen=True)
class Sentences:
    """The sentences of some biographies, by row and relation."""

    order: NDArray[
        np.int16
    ]  # [rows, relations of the group] relation numbers in drawn order; -1, at the end, where nothing is stated
    text: NDArray[
        np.object_
    ]  # [rows, relations of the group] sentences, "" where nothing is stated
    column: NDArray[np.int64]  # [relations of the table] the column of `text` that a relation has

    def of(self, rows: NDArray, relations: NDArray | int) -> list[str]:
        """The sentence of each row about the relation at its place (or about one relation)."""
        return self.text[rows, self.column[relations]].tolist()

    def join(self) -> list[str]:
        """The biography of each row."""
        rows, places = np.nonzero(self.order >= 0)
        return self.paragraphs(rows, self.order[rows, places], len(self.order))

    def paragraphs(
        self, rows: NDArray, relations: NDArray, count: int, number: NDArray | None = None
    ) -> list[str]:
        """`count` texts of the sentences (rows, relations), of which those with number k, all next to each other, make text k.

        Texts are numbered by rows if no numbers are given.
        """
        said = self.of(rows, relations)
        ends = np.searchsorted(rows if number is None else number, np.arange(count + 1)).tolist()
        return [" ".join(said[begin:end]) for begin, end in pairwise(ends)]


def sentences(world: World, group: str, people: NDArray, rendering: NDArray | int = 0) -> Sentences:
    """The sentences of these people (ids) in this rendering (one number, or one for each).

    Renderings k of one person state a fact in different words for as many k as the relation has wordings.
    """
    language, draw = language_of(world), Draw(world.config.seed).at("biographies", group)
    people = np.asarray(people, np.int64)
    rendering = np.broadcast_to(np.asarray(rendering, np.int64), people.shape)
    relations = [number for number, row in enumerate(world.table.relations) if row.group == group]
    stated = (
        np.array([world.stated(relation)[people] for relation in relations])
        .reshape(len(relations), len(people))
        .T
    )
    text = np.full((len(people), len(relations)), "", object)
    for column, relation in enumerate(relations):
        rows = np.flatnonzero(stated[:, column])
        subjects, count = people[rows], language.variants(relation)
        first = draw.at("wording", world.table[relation].name).integers(subjects, count)
        text[rows, column] = language.statements(
            relation, subjects, None, (first + rendering[rows]) % count
        )
    columns = np.zeros(len(world.table), np.int64)
    columns[relations] = np.arange(len(relations))
    return Sentences(
        _order(stated, np.array(relations, np.int16), people, rendering, draw.at("order")),
        text,
        columns,
    )


def _order(
    stated: NDArray, relations: NDArray, people: NDArray, rendering: NDArray, draw: Draw
) -> NDArray[np.int16]:
    """[rows, relations] the stated relations in drawn order, then -1."""
    places = (
        (rendering.astype(np.uint64)[:, None] << np.uint64(44))
        + people.astype(np.uint64)[:, None] * np.uint64(256)
        + np.arange(len(relations), dtype=np.uint64)
    )
    rank = np.where(stated, draw.uniform(places), 2.0)
    order = np.argsort(rank, axis=1, kind="stable")
    return np.where(np.take_along_axis(stated, order, axis=1), relations[order], np.int16(-1))


def texts(world: World, group: str, people: NDArray, rendering: NDArray | int = 0) -> list[str]:
    """The biographies of these people (ids) in this rendering, sentences joined by a blank."""
    return sentences(world, group, people, rendering).join()


def contextual_sentences(world: World) -> Sentences:
    """The contextual biographies of everybody, by person id; of people who have none, without a sentence."""
    return sentences(world, CONTEXTUAL, np.arange(len(world.texts["person"])))
