"""The context of a question: the people of its tree, each with a shortened biography.

See docs/design.md, Context, and splits/distractors.py for who is in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import Draw, pack
from bioreason_bench.language import biographies, language_of
from bioreason_bench.splits.distractors import Branches, Tree, fillers
from bioreason_bench.splits.paths import RelationPath
from bioreason_bench.splits.starts import Starts

__all__ = ["Context", "Contexts"]

FILLER = -1  # the position of people who only fill up a context


@dataclass(frozen=True)
class Context:
    """The contexts of the questions of one path.

    Attributes:
        people: [questions, people] in the order of the biographies.
        position: [questions, people] position on the path for which the biography is shortened.
    """

    people: NDArray[np.int64]
    position: NDArray[np.int64]


@dataclass(frozen=True)
class Contexts:
    """Makes the contexts of all questions of a path at once."""

    starts: Starts
    draw: Draw

    def people(self, path: RelationPath, starts: NDArray, also: Sequence[int] = ()) -> Context:
        """Whose biographies each context holds; no columns where nothing is read.

        Args:
            path: Relation numbers.
            starts: [questions] valid starts.
            also: Further positions whose people are in the context.
        """
        branches = self.starts.branches(path)
        if not branches.read:
            none = np.empty((len(starts), 0), np.int64)
            return Context(none, none)
        tree = branches.grow(starts)
        levels = self._levels(branches, tree, also)
        people = np.concatenate([tree_people for _, tree_people in levels], axis=1)
        position = np.concatenate([np.full(level.shape[1], number) for number, level in levels])
        stream = self.draw.at("people", *self.starts.world.table.path_names(path))
        missing = 1 + branches.count - people.shape[1]
        if missing > 0:
            walk = self.starts.world.walk(path, starts)
            chain = np.concatenate([walk[:, : len(path)], people], axis=1)
            more = fillers(np.flatnonzero(branches.ready), chain, missing, stream.at("fillers"))
            people = np.concatenate([people, more], axis=1)
            position = np.concatenate([position, np.full(missing, FILLER)])
        slots = pack((np.asarray(starts)[:, None], 48), (np.arange(people.shape[1]), 16))
        order = np.argsort(stream.at("order").words(slots), axis=1, kind="stable")
        people = np.take_along_axis(people.astype(np.int64), order, axis=1)
        return Context(people, position[order])

    @staticmethod
    def _levels(
        branches: Branches, tree: Tree, also: Sequence[int]
    ) -> list[tuple[int, NDArray[np.int32]]]:
        """(position, [questions, candidates]) of everybody with a biography in the context."""
        levels = [(position, tree.people[position]) for position in branches.read]
        for position in also:
            if position < len(tree.people):
                levels.append((position, tree.people[position]))
            else:  # right behind the last read hop: the gold person and the alternatives
                assert position == len(tree.people)
                before = tree.people[-1][:, 0]
                gold = branches.world.steps[branches.path[position - 1], before][:, None]
                _, others = branches.alternatives(position - 1, before)
                levels.append((position, np.concatenate([gold, others], axis=1).astype(np.int32)))
        return levels

    def texts(self, path: RelationPath, context: Context) -> list[str]:
        """The text of each context: the biographies, one a line."""
        if not context.people.shape[1]:
            return [""] * len(context.people)
        lines = self.lines(path, context)
        width = context.people.shape[1]
        return ["\n".join(lines[row : row + width]) for row in range(0, len(lines), width)]

    def lines(self, path: RelationPath, context: Context) -> list[str]:
        """Every line of all contexts, context by context."""
        size = len(self.starts.world.people)
        keys = (context.position + 1) * size + context.people  # fillers have position -1
        unique, inverse = np.unique(keys, return_inverse=True)
        written = self._biographies(path, unique // size - 1, unique % size)
        return [written[index] for index in np.asarray(inverse).reshape(-1).tolist()]

    def _biographies(self, path: RelationPath, position: NDArray, people: NDArray) -> list[str]:
        """The shortened biography of each person at a position."""
        sentences, world = self._sentences, self.starts.world
        branches = self.starts.branches(path)
        stated = np.zeros((len(people), len(world.table)), bool)
        for one in np.unique(position).tolist():
            rows = position == one
            stated[rows] = branches.stated(one, people[rows], world.config.context_facts)
        order = sentences.order[people]  # [people, slots], -1 after the last relation
        kept = np.take_along_axis(stated, np.maximum(order, 0).astype(np.int64), axis=1)
        rows, columns = np.nonzero(kept & (order >= 0))
        return sentences.paragraphs(people[rows], order[rows, columns], len(people), number=rows)

    def sentence(self, relation: int, subjects: NDArray, objects: NDArray | None) -> list[str]:
        """What the contextual biographies of these people state of the relation.

        With `objects`, the same sentences about these objects instead.
        """
        world = self.starts.world
        if objects is None:
            return self._sentences.of(subjects, relation)
        group = world.table[relation].group
        variants = biographies.variants(world, group, relation, subjects)
        texts = world.texts[world.table[relation].object]
        names = [texts[number] for number in objects.tolist()]
        return language_of(world).statements(relation, subjects, names, variants)

    @cached_property
    def _sentences(self) -> biographies.Sentences:
        return biographies.contextual_sentences(self.starts.world)
