"""The context of a question: the people of its tree, each with a shortened biography.

See docs/design.md, Context, and splits/distractors.py for who is in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import Draw, pack
from bioreason_bench.language import biographies, language_of
from bioreason_bench.language.text_arrays import join_runs, no_texts, place
from bioreason_bench.questions.long_contexts import Crowd, draw_crowd
from bioreason_bench.splits.bystanders import people_led_to
from bioreason_bench.splits.distractors import LARGE, Branches, Tree, fillers, most_wanted
from bioreason_bench.splits.paths import RelationPath
from bioreason_bench.splits.starts import Starts
from bioreason_bench.world.relations import CONTEXTUAL, PARAMETRIC

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Context", "Contexts", "Instead"]

FILLER = -1  # the position of people who only fill up a context


class Instead(NamedTuple):
    """A sentence written in place of another one of a biography.

    Attributes:
        relation: The relation whose sentence is replaced; None for a drawn one that the path does
            not ask for, or for any where it asks for all.
        word: The drawn word that decides which.
        sentence: What is written.
    """

    relation: int | None
    word: int
    sentence: str


@dataclass(frozen=True)
class Context:
    """The contexts of the questions of one path.

    Attributes:
        people: [questions, people] in the order of the biographies.  Where contexts have different
            lengths, -1 behind the last one.
        position: [questions, people] position on the path for which the biography is shortened.
        back: [questions, people] the relation by which they would name the person before, -1 for
            none; see `Branches.stated`.
        lines: Biographies of people at FILLER that are written already, by person.
    """

    people: NDArray[np.int64]
    position: NDArray[np.int64]
    back: NDArray[np.int64]
    lines: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Contexts:
    """Makes the contexts of all questions of a path at once.

    Attributes:
        starts: Who can start a question.
        draw: Decides who is in a context, and where.
        lengths: The lengths in tokens up to which contexts are filled; none for short ones.
    """

    starts: Starts
    draw: Draw
    lengths: tuple[int, ...] = ()

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
            return Context(none, none, none)
        tree = branches.grow(starts)
        levels = self._levels(branches, tree, also)
        people = np.concatenate([level for _, level, _ in levels], axis=1)
        position = np.concatenate([np.full(level.shape[1], number) for number, level, _ in levels])
        back = np.concatenate([names for _, _, names in levels], axis=1)
        stream = self.draw.at("people", *self.starts.world.table.path_names(path))
        missing = 1 + branches.count - people.shape[1]
        if missing > 0:
            walk = self.starts.world.walk(path, starts)
            chain = walk[:, : self.starts.world.table.people_on(path)]
            chain = np.concatenate([chain, people], axis=1)
            more = fillers(branches, chain, missing, stream.at("fillers"))
            people = np.concatenate([people, more], axis=1)
            position = np.concatenate([position, np.full(missing, FILLER)])
        people, lines = people.astype(np.int64), {}
        if self.lengths:
            back = _padded(back, people.shape[1])
            own = Context(people, np.broadcast_to(position, people.shape), back)
            apart = np.concatenate([people_led_to(branches, tree), people], axis=1)
            crowd = self._crowd(branches, starts, own, apart, stream.at("long"))
            people = np.concatenate([people, crowd.people], axis=1)
            position = np.concatenate([position, np.full(crowd.people.shape[1], FILLER)])
            lines = crowd.lines
        slots = pack((np.asarray(starts)[:, None], 48), (np.arange(people.shape[1]), 16))
        rank = stream.at("order").words(slots)
        rank[people < 0] = np.iinfo(rank.dtype).max
        order = np.argsort(rank, axis=1, kind="stable")
        back = np.take_along_axis(_padded(back, people.shape[1]), order, axis=1)
        return Context(np.take_along_axis(people, order, axis=1), position[order], back, lines)

    def _crowd(
        self, branches: Branches, starts: NDArray, own: Context, apart: NDArray, draw: Draw
    ) -> Crowd:
        """The bystanders of contexts that hold the people of `own` so far."""
        path = branches.path
        texts = [text.split("\n") for text in self.texts(path, own).to_pylist()]

        def write(people: NDArray) -> list[str]:
            fillers, nobody = np.full(len(people), FILLER), np.full(len(people), -1)
            written = self._biographies(path, fillers, people, nobody, {})
            return cast("list[str]", written.to_pylist())

        return draw_crowd(
            branches, starts, texts, apart, lengths=self.lengths, draw=draw, write=write
        )

    @staticmethod
    def _levels(
        branches: Branches, tree: Tree, also: Sequence[int]
    ) -> list[tuple[int, NDArray[np.int32], NDArray[np.int64]]]:
        """(position, people, back) of everybody with a biography in the context.

        People and the relation by which they would name the person before are
        [questions, candidates].
        """
        levels = [
            (position, tree.people[position], tree.back[position]) for position in branches.read
        ]
        for position in also:
            if position > len(tree.people):
                raise ValueError(f"nobody is read at position {position} of the path")
            if position < len(tree.people):
                levels.append((position, tree.people[position], tree.back[position]))
            else:  # right behind the last read hop: the gold person and the alternatives
                before = tree.people[-1][:, 0]
                gold = branches.world.steps[branches.path[position - 1], before][:, None]
                relations, others = branches.alternatives(position - 1, before)
                names = branches.naming_back(position - 1, relations)
                people = np.concatenate([gold, others], axis=1).astype(np.int32)
                levels.append((position, people, _padded(names[:, ::-1], people.shape[1])[:, ::-1]))
        return levels

    def texts(
        self, path: RelationPath, context: Context, instead: Mapping[int, Instead] | None = None
    ) -> pa.Array:
        """The text of each context: the biographies, one a line.

        Args:
            path: Relation numbers.
            context: Whose biographies.
            instead: Sentences to write in place of others, by the number of the line, counted
                through all contexts.
        """
        import pyarrow as pa

        if not context.people.shape[1]:
            return no_texts(len(context.people))
        people, position = context.people.reshape(-1), context.position.reshape(-1)
        back = context.back.reshape(-1)
        own = (position == FILLER) & np.isin(people, list(context.lines))
        rest = np.flatnonzero(~own & (people >= 0))
        parts = [(rest, self.lines(path, people[rest], position[rest], back[rest]))]
        if own.any():
            texts = [context.lines[person] for person in people[own].tolist()]
            parts.append((np.flatnonzero(own), pa.array(texts, pa.large_string())))
        if instead:
            changed = np.array(list(instead), np.int64)
            by_row = dict(enumerate(instead.values()))
            altered = self._biographies(
                path, position[changed], people[changed], back[changed], by_row
            )
            parts.append((changed, altered))
        sizes = (context.people >= 0).sum(axis=1)
        ends = np.concatenate([[0], np.cumsum(sizes)])
        return join_runs(place(parts), ends, "\n")

    def lines(
        self,
        path: RelationPath,
        people: NDArray,
        position: NDArray,
        back: NDArray,
        omitted: Mapping[int, int] | None = None,
    ) -> pa.Array:
        """The contextual biographies of people at positions of the path, one a line.

        Args:
            path: Relation numbers.
            people: [lines] whose biographies.
            position: [lines] positions for which they are shortened; -1 for people who fill up.
            back: [lines] relations by which they would name the person before, -1 for none.
            omitted: A relation that is left out, by the number of the line.
        """
        import pyarrow as pa

        # the same person at the same position, behind the same relation, has the same biography
        world = self.starts.world
        keys = ((position + 1) * (len(world.table) + 1) + back + 1) * len(world.people) + people
        _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        written = self._biographies(path, position[first], people[first], back[first], {})
        lines = written.take(pa.array(np.asarray(inverse).reshape(-1)))
        if not omitted:
            return lines
        changed = np.array(list(omitted), np.int64)
        stated = self._stated(path, position[changed], people[changed], back[changed])
        stated[np.arange(len(changed)), list(omitted.values())] = False
        shorter = self._written(CONTEXTUAL, people[changed], stated)
        return place([(np.arange(len(lines)), lines), (changed, shorter)])

    def _stated(
        self, path: RelationPath, position: NDArray, people: NDArray, back: NDArray
    ) -> NDArray[np.bool_]:
        """[people, relations] True for what the biography of each person at a position states."""
        world, branches = self.starts.world, self.starts.branches(path)
        stated = np.zeros((len(people), len(world.table)), bool)
        for one in np.unique(position).tolist():
            at = position == one
            stated[at] = branches.stated(one, people[at], world.config.context_facts, back[at])
        return stated

    def _biographies(
        self,
        path: RelationPath,
        position: NDArray,
        people: NDArray,
        back: NDArray,
        instead: Mapping[int, Instead],
    ) -> pa.Array:
        """The shortened biography of each person at a position, with sentences `instead`."""
        stated = self._stated(path, position, people, back)
        sentences, at = self._sentences_of(CONTEXTUAL, people, stated)
        rows, relations = _in_order(sentences, at, stated)
        replaced = {}
        for row, (relation, word, sentence) in instead.items():
            mine = np.flatnonzero(rows == row)
            if relation is None:  # any that the path does not ask for, if there is one
                free = mine[~np.isin(relations[mine], [*path, back[row]])]
                if not len(free):
                    free = mine[relations[mine] != back[row]]
                replaced[int(free[word % len(free)])] = sentence
            else:
                replaced[int(mine[relations[mine] == relation][0])] = sentence
        return sentences.paragraphs(at[rows], relations, len(people), number=rows, instead=replaced)

    def sentences(self, relation: int, subjects: NDArray, objects: NDArray) -> list[str]:
        """Sentences about these objects, in the wordings of the subjects' biographies."""
        world = self.starts.world
        row = world.table[relation]
        chosen = biographies.variants(world, row.group, relation, subjects)
        names = [world.texts[row.object][number] for number in objects.tolist()]
        return language_of(world).statements(relation, subjects, names, chosen)

    @cached_property
    def _sentences(self) -> biographies.Sentences:
        return biographies.contextual_sentences(self.starts.world)

    @cached_property
    def _recalled_sentences(self) -> biographies.Sentences:
        return biographies.parametric_sentences(self.starts.world)

    def _sentences_of(
        self, group: str, people: NDArray, stated: NDArray
    ) -> tuple[biographies.Sentences, NDArray[np.int64]]:
        """Sentences that hold those stated about each of the people, and the row of each person.

        Those of everybody are kept, unless the world is large.
        """
        world = self.starts.world
        if len(world.people) < LARGE:
            return self._sentences if group == CONTEXTUAL else self._recalled_sentences, people
        made = biographies.sentences(world, group, people, only=stated)
        return made, np.arange(len(people))

    def _written(self, group: str, people: NDArray, stated: NDArray) -> pa.Array:
        """Shortened biographies, [people]."""
        sentences, row = self._sentences_of(group, people, stated)
        lines, relations = _in_order(sentences, row, stated)
        return sentences.paragraphs(row[lines], relations, len(people), number=lines)

    def recalled_lines(
        self,
        path: RelationPath,
        people: NDArray,
        position: NDArray,
        before: NDArray,
        omitted: Mapping[int, int] | None = None,
    ) -> pa.Array:
        """Parametric biographies for an open book, in their first paraphrase.

        Shortened, they state the parametric relations that the path asks for and all that lead to
        people, so that they do not tell who is meant by what they state; the others at random.
        Nobody names the person before.

        Args:
            path: Relation numbers.
            people: [lines] whose biographies.
            position: [lines] positions on the path.
            before: [lines, n] the people from whom the path, or a wrong turn, leads to them; -1
                for nobody.
            omitted: A relation that is left out, by the number of the line.
        """
        stated = self._recallable(path, people, position, before)
        if omitted:
            stated[list(omitted), list(omitted.values())] = False
        return self._written(PARAMETRIC, people, stated)

    def _recallable(
        self, path: RelationPath, people: NDArray, position: NDArray, before: NDArray
    ) -> NDArray[np.bool_]:
        """[lines, relations] True for what each shortened parametric biography states."""
        world, facts = self.starts.world, self.starts.world.config.context_facts
        table = world.table
        objects = world.steps[:, people].T
        parametric = np.array([row.group == PARAMETRIC for row in table.relations])
        available = (objects >= 0) & parametric
        # a symmetric relation that is asked leads back, and so might any other to a person
        to_person = np.array([row.to_person for row in table.relations])
        links = objects[:, :, None] == before[:, None, :]
        back = (links & (before >= 0)[:, None, :]).any(axis=2) & to_person
        for hop, number in enumerate(path):
            back[:, number] &= position > hop
            if table[number].symmetric:
                back[:, number] |= position > hop
        available &= ~back
        if not facts:
            return available
        always = to_person.copy()
        always[list(path)] = True
        slots = people[:, None].astype(np.uint64) * np.uint64(len(table))
        slots = np.add(slots, np.arange(len(table), dtype=np.uint64), dtype=np.uint64)
        words = self.draw.at("recalled facts", *table.path_names(path)).words(slots)
        return most_wanted(words, available, available & always, facts)


def _padded(back: NDArray, width: int) -> NDArray[np.int64]:
    """[questions, width] the same, -1 for everybody added."""
    more = width - back.shape[1]
    return np.pad(back, ((0, 0), (0, more)), constant_values=-1).astype(np.int64)


def _in_order(
    sentences: biographies.Sentences, row: NDArray, stated: NDArray
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(row, relation) of each sentence of shortened biographies, in the order of the biography.

    Args:
        sentences: Those of whole biographies.
        row: [biographies] the row of each in `sentences`.
        stated: [biographies, relations] what is stated.
    """
    order = sentences.order[row]  # [rows, slots], -1 after the last relation
    kept = np.take_along_axis(stated, np.maximum(order, 0).astype(np.int64), axis=1)
    rows, columns = np.nonzero(kept & (order >= 0))
    return rows, order[rows, columns]
