"""What a question gives to read (DESIGN section 7): gold biographies, distractors, and the two guards.

A *run* is a maximal stretch of contextual hops.  A run that follows a recalled hop must not be found without recalling, so
distractors copy the whole run: each distracting person leads on, inside the context, just as the person meant does.  Otherwise
the only two biographies that hang together would be the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import Draw
from bioreason_bench.language import biographies, language_of
from bioreason_bench.splits.paths import Path
from bioreason_bench.splits.starts import Starts
from bioreason_bench.world.relations import CONTEXTUAL


@dataclass(frozen=True)
class Contexts:
    """Makes the contexts of all questions of a path at once."""

    starts: Starts
    draw: Draw

    def people(
        self,
        path: Path,
        walk: NDArray,
        other: NDArray | None = None,
        hop: int = 0,
        also: NDArray | None = None,
    ) -> NDArray[np.int64]:
        """[questions, people] whose biographies stand in the context, in its order; no columns where nothing is read.

        With `other` (walks that may be crossed over to at `hop`) those who are read about beyond that hop on it as well, and nobody
        from it among the distractors; with `also` ([questions] ids) these people, too.
        """
        table, config = self.starts.world.table, self.starts.world.config
        read = [place for place, relation in enumerate(path) if table[relation].group == CONTEXTUAL]
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
        parts.append(
            self._distractors(path, np.concatenate(chains, axis=1), config.distractors, stream)
        )
        everybody = np.concatenate(parts, axis=1)
        places = walk[:, :1].astype(np.uint64) * np.uint64(64) + np.arange(
            everybody.shape[1], dtype=np.uint64
        )
        return np.take_along_axis(
            everybody, np.argsort(stream.at("order").words(places), axis=1, kind="stable"), axis=1
        )

    def sentence(self, relation: int, subjects: NDArray, objects: NDArray | None) -> list[str]:
        """What the contextual biographies of these people say of the relation; with `objects`, the same of these instead.

        A relation that the biographies do not state is said in its first wording.
        """
        world = self.starts.world
        language = language_of(world)
        told = self._sentences.of(subjects, relation)
        if objects is None:
            return told
        variant = np.zeros(len(subjects), np.int64)
        for number in range(language.variants(relation)) if any(told) else ():
            said = language.statements(relation, subjects, None, np.full(len(subjects), number))
            variant[[one == other for one, other in zip(said, told, strict=True)]] = number
        texts = world.texts[world.table[relation].object]
        return language.statements(
            relation, subjects, [texts[place] for place in objects.tolist()], variant
        )

    def texts(self, path: Path, people: NDArray) -> list[str]:
        """The context of each row of people: their biographies, one on a line."""
        if not people.shape[1]:
            return [""] * len(people)
        unique, place = np.unique(people, return_inverse=True)
        shown = self._biographies(path, unique)
        return ["\n".join([shown[k] for k in row]) for row in place.reshape(people.shape).tolist()]

    def left_out(self, path: Path) -> list[int]:
        """Contextual relations that would give a recalled hop away, being its mirror; left out for everyone in the context."""
        table = self.starts.world.table
        if not self.starts.world.config.leak_guards:
            return []
        mirrors = {
            table[relation].inverse for relation in path if table[relation].group != CONTEXTUAL
        }
        return [
            number
            for number, row in enumerate(table.relations)
            if row.group == CONTEXTUAL and row.name in mirrors
        ]

    def _biographies(self, path: Path, people: NDArray) -> list[str]:
        """A text for each person: the whole biography, or the asked relations and others up to `context_facts`."""
        sentences, config, table = (
            self._sentences,
            self.starts.world.config,
            self.starts.world.table,
        )
        out = self.left_out(path)
        if not config.context_facts and not out:
            return [self._whole[person] for person in people.tolist()]
        order = sentences.order[
            people
        ]  # [people, relations] relation numbers in the order of the biography, -1 where none
        rank = np.where(
            order < 0,
            np.inf,
            self.draw.at("facts", *table.path_names(path)).uniform(
                people[:, None] * len(table) + order
            ),
        )
        asked, withheld = np.zeros((2, len(table) + 1), bool)  # the last is for -1, nothing stated
        asked[list(path)], withheld[out] = True, True
        rank[asked[order]] = -1.0
        rank[withheld[order]] = np.inf
        if config.context_facts:
            last = min(config.context_facts, rank.shape[1]) - 1
            cut = np.partition(rank, last, axis=1)[:, last, None]
            rank[rank > np.maximum(cut, -1.0)] = np.inf
        rows, columns = np.nonzero(np.isfinite(rank))
        return sentences.paragraphs(people[rows], order[rows, columns], len(people), number=rows)

    def _distractors(self, path: Path, chain: NDArray, count: int, draw: Draw) -> NDArray[np.int64]:
        """[questions, count * run] people who are not on the chain, told from those meant by nothing that the context says."""
        runs = self.starts.runs(path)
        found = np.empty((len(chain), count * runs.length), np.int64)
        if count:
            kind = runs.kind[chain[:, runs.begin]]
            for one in np.unique(kind).tolist():
                found[kind == one] = _pick(
                    chain[kind == one],
                    runs.people,
                    np.flatnonzero(runs.heads & (runs.kind == one)),
                    count,
                    draw,
                )
        return found

    @cached_property
    def _sentences(self) -> biographies.Sentences:
        return biographies.contextual_sentences(self.starts.world)

    @cached_property
    def _whole(self) -> list[str]:
        return self._sentences.join()


def _pick(
    chain: NDArray, runs: NDArray, pool: NDArray, count: int, draw: Draw
) -> NDArray[np.int64]:
    """[rows, count * run] drawn runs whose people are all different and not on the row's chain.

    `runs` holds the run that each person heads, `pool` the heads to draw from; `Starts.valid` has seen to it that enough fit.
    """
    length = runs.shape[1]
    picked = np.full((len(chain), count * length), -1, np.int64)
    have = np.zeros(len(chain), np.int64)
    rows, candidate = np.arange(len(chain)), 0
    while rows.size:
        heads = pool[draw.at(candidate).integers(chain[rows, 0], len(pool))]
        people = runs[heads]
        free = np.ones(len(rows), bool)
        for one in range(length):
            free &= (people[:, one, None] != chain[rows]).all(axis=1) & (
                people[:, one, None] != picked[rows]
            ).all(axis=1)
            free &= (people[:, :one] != people[:, one, None]).all(axis=1)
        good = rows[free]
        picked[good[:, None], have[good, None] * length + np.arange(length)] = people[free]
        have[good] += 1
        rows = rows[have[rows] < count]
        candidate += 1
        assert candidate < 10_000, (
            "Starts.valid lets through only paths with enough runs to draw from"
        )
    return picked
