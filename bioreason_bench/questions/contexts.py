"""The context of a question: gold biographies, distractors, and the two leak guards.

See docs/design.md, Context.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import Draw
from bioreason_bench.language import biographies, language_of
from bioreason_bench.splits.distractors import find_runs
from bioreason_bench.splits.paths import RelationPath
from bioreason_bench.splits.starts import Starts
from bioreason_bench.world.relations import CONTEXTUAL

__all__ = ["Contexts"]

MAX_PEOPLE = 64  # in one context; part of the draw of their order, so never change it
MAX_CANDIDATES = 10_000  # runs tried for a distractor


@dataclass(frozen=True)
class Contexts:
    """Makes the contexts of all questions of a path at once."""

    starts: Starts
    draw: Draw

    def people(
        self,
        path: RelationPath,
        walk: NDArray,
        *,
        other: NDArray | None = None,
        hop: int = 0,
        also: NDArray | None = None,
    ) -> NDArray[np.int64]:
        """[questions, people] whose biographies a context holds, in order.

        Without a read hop in the path there are no columns.

        Args:
            path: Relation numbers.
            walk: [questions, hops + 1] the gold chains.
            other: Alternative walks that replace the chain after `hop`; the people read after
                `hop` are added to the context, and no one on these walks is a distractor.
            hop: The hop whose object `other` replaces.
            also: [questions] one more person for each context.
        """
        table, config = self.starts.world.table, self.starts.world.config
        read = [index for index, number in enumerate(path) if table[number].group == CONTEXTUAL]
        gold = walk[:, read].astype(np.int64)
        if not read:
            return gold
        stream = self.draw.at("people", *table.path_names(path))
        last = table.people_on(path)
        chains, parts = [walk[:, :last]], [gold]
        if other is not None:
            chains.append(other[:, :last])
            parts.append(other[:, [later for later in read if later > hop]].astype(np.int64))
        if also is not None:
            parts.append(also[:, None].astype(np.int64))
        chain = np.concatenate(chains, axis=1)
        parts.append(self._distractors(path, chain, config.distractors, stream))
        everybody = np.concatenate(parts, axis=1)
        count = everybody.shape[1]
        assert count <= MAX_PEOPLE
        # one word for each (start, slot): start * 64 + slot
        heads = walk[:, :1].astype(np.uint64) * np.uint64(MAX_PEOPLE)
        slots = np.add(heads, np.arange(count, dtype=np.uint64), dtype=np.uint64)
        order = np.argsort(stream.at("order").words(slots), axis=1, kind="stable")
        return np.take_along_axis(everybody, order, axis=1)

    def sentence(self, relation: int, subjects: NDArray, objects: NDArray | None) -> list[str]:
        """What the contextual biographies of these people state of the relation.

        With `objects`, the same sentences with these objects instead.  If a biography does not
        state the relation, the sentence has its first wording.
        """
        world = self.starts.world
        language = language_of(world)
        stated = self._sentences.of(subjects, relation)
        if objects is None:
            return stated
        variant = np.zeros(len(subjects), np.int64)
        variants = range(language.variants(relation)) if any(stated) else ()
        for number in variants:
            written = language.statements(relation, subjects, None, np.full(len(subjects), number))
            same = [one == two for one, two in zip(written, stated, strict=True)]
            variant[same] = number
        texts = world.texts[world.table[relation].object]
        names = [texts[index] for index in objects.tolist()]
        return language.statements(relation, subjects, names, variant)

    def texts(self, path: RelationPath, people: NDArray) -> list[str]:
        """The context of each row of `people`: their biographies, one a line."""
        if not people.shape[1]:
            return [""] * len(people)
        unique, inverse = np.unique(people, return_inverse=True)
        written = self._biographies(path, unique)
        index: NDArray[np.int64] = np.asarray(inverse).reshape(people.shape)
        return ["\n".join([written[person] for person in row]) for row in index.tolist()]

    def withheld(self, path: RelationPath) -> list[int]:
        """Contextual relations that mirror a recalled hop of `path`.

        With leak guards, no biography of the context states them.
        """
        table = self.starts.world.table
        if not self.starts.world.config.leak_guards:
            return []
        mirrors = {table[number].inverse for number in path if table[number].group != CONTEXTUAL}
        return [
            number
            for number, row in enumerate(table.relations)
            if row.group == CONTEXTUAL and row.name in mirrors
        ]

    def _biographies(self, path: RelationPath, people: NDArray) -> list[str]:
        """A text for each person.

        The whole biography; or, with `context_facts`, the asked relations and as many drawn others
        as fit.
        """
        sentences, config, table = (
            self._sentences,
            self.starts.world.config,
            self.starts.world.table,
        )
        withheld = self.withheld(path)
        if not config.context_facts and not withheld:
            return [self._whole[person] for person in people.tolist()]
        # [people, slots] relations in the order of the biography, -1 after the last
        order = sentences.order[people]
        stream = self.draw.at("facts", *table.path_names(path))
        rank = np.where(order < 0, np.inf, stream.uniform(people[:, None] * len(table) + order))
        rank[_mask(len(table), path)[order]] = -1.0  # asked: always in
        rank[_mask(len(table), withheld)[order]] = np.inf  # withheld: always out
        if config.context_facts:
            last = min(config.context_facts, rank.shape[1]) - 1
            cut = np.partition(rank, last, axis=1)[:, last, None]
            rank[rank > np.maximum(cut, -1.0)] = np.inf
        rows, columns = np.nonzero(np.isfinite(rank))
        return sentences.paragraphs(people[rows], order[rows, columns], len(people), number=rows)

    def _distractors(
        self, path: RelationPath, chain: NDArray, count: int, draw: Draw
    ) -> NDArray[np.int64]:
        """[questions, count * run] people off the chain, each as much in the context as gold is."""
        runs = find_runs(self.starts.world, path)
        drawn = np.empty((len(chain), count * runs.length), np.int64)
        if count:
            status = runs.status[chain[:, runs.begin]]
            for one in np.unique(status).tolist():
                rows = status == one
                heads = np.flatnonzero(runs.heads & (runs.status == one))
                drawn[rows] = _draw_runs(chain[rows], runs.people, heads, count, draw)
        return drawn

    @cached_property
    def _sentences(self) -> biographies.Sentences:
        return biographies.contextual_sentences(self.starts.world)

    @cached_property
    def _whole(self) -> list[str]:
        return self._sentences.join()


def _mask(size: int, numbers: list[int] | RelationPath) -> NDArray[np.bool_]:
    """[size + 1] True at `numbers`; the last entry, which index -1 reads, is False."""
    mask = np.zeros(size + 1, bool)
    mask[list(numbers)] = True
    return mask


def _draw_runs(
    chain: NDArray, runs: NDArray, heads: NDArray, count: int, draw: Draw
) -> NDArray[np.int64]:
    """[rows, count * length] drawn runs whose people are all different and off the row's chain.

    Candidates are drawn one after the other; each row takes those that fit until it has `count`.

    Args:
        chain: [rows, people] whom a row must not draw.
        runs: [everybody, length] the run that each person heads.
        heads: The heads to draw from; `Starts.valid` guarantees that enough of them fit.
        count: Runs of each row.
        draw: Named randomness.
    """
    length = runs.shape[1]
    drawn = np.full((len(chain), count * length), -1, np.int64)
    have = np.zeros(len(chain), np.int64)
    rows, candidate = np.arange(len(chain)), 0
    while rows.size:
        people = runs[heads[draw.at(candidate).integers(chain[rows, 0], len(heads))]]
        free = np.ones(len(rows), bool)
        for one in range(length):
            person = people[:, one, None]
            free &= (person != chain[rows]).all(axis=1) & (person != drawn[rows]).all(axis=1)
            free &= (people[:, :one] != person).all(axis=1)
        good = rows[free]
        drawn[good[:, None], have[good, None] * length + np.arange(length)] = people[free]
        have[good] += 1
        rows = rows[have[rows] < count]
        candidate += 1
        assert candidate < MAX_CANDIDATES, "Starts.valid lets through only paths with enough runs"
    return drawn
