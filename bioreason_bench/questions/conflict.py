"""Knowledge conflicts: the context contradicts a fact that is to be recalled.

One row a question, with the answer that memory leads to and the one that the context leads to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import Draw, pack
from bioreason_bench.language.reader import Reader
from bioreason_bench.questions.counterfactual import swapped_fact, swapped_walks
from bioreason_bench.questions.records import Writer
from bioreason_bench.questions.sets import Certify, Columns, KeyRange, merge
from bioreason_bench.splits.levels import TEST
from bioreason_bench.splits.swaps import Swap
from bioreason_bench.world.facts import World

__all__ = ["Conflicts"]


@dataclass(frozen=True)
class Conflicts:
    """See `QuestionSet`."""

    swaps: Sequence[Swap]
    writer: Writer
    certify: Certify
    draw: Draw
    folder: str = "comp/conflict"
    split: str = TEST
    schema: str = "conflict"

    def __len__(self) -> int:
        return sum(len(swap.starts) for swap in self.swaps)

    def keys(self) -> NDArray[np.uint64]:
        return np.concatenate([self._keys(swap) for swap in self.swaps])

    def write(self, keys: KeyRange) -> Columns:
        parts, parts_keys = [], []
        for swap in self.swaps:
            swap_keys = self._keys(swap)
            chosen = keys.indices(swap_keys)
            if chosen.size:
                parts.append(self._rows(swap, chosen))
                parts_keys.append(swap_keys[chosen])
        return merge(parts, parts_keys)

    def _keys(self, swap: Swap) -> NDArray[np.uint64]:
        return self.draw.at("order", self.schema, swap.plan.number).words(swap.starts)

    def _rows(self, swap: Swap, rows: NDArray) -> Columns:
        path, size = swap.plan.path, len(rows)
        walk, donor, stated = swapped_walks(self.writer, swap, rows)
        people, texts = self._contexts(swap, walk, donor)
        starts = walk[:, 0].tolist()
        columns: Columns = {
            "id": [f"comp-{self.schema}-{swap.plan.number:04d}-{start:06d}" for start in starts],
            "skill": ["comp"] * size,
            "level": [self.schema] * size,
        }
        columns |= self.writer.rows(path, walk, people, texts)
        columns |= self.certify(path, walk) | {"portion": [0] * size}
        columns["conflicting"] = swapped_fact(self.writer, swap, walk, donor)
        columns["answer_memory"] = columns["answer"]
        columns["entities_context"] = self.writer.entities(path, stated)
        columns["answer_context"] = [row[-1] for row in columns["entities_context"]]
        return columns

    def _contexts(
        self, swap: Swap, walk: NDArray, donor: NDArray
    ) -> tuple[NDArray[np.int64], list[str]]:
        """Contexts in which everybody who could be the last person has the contradicted relation.

        The gold person's sentence is false, those of the others are true; each takes the place of
        a drawn sentence of the biography, so that all biographies keep their length.
        """
        path, hop, contexts = swap.plan.path, swap.hop, self.writer.contexts
        world = self.writer.starts.world
        context = contexts.people(path, walk[:, 0], also=[hop])
        lines = contexts.lines(path, context)
        people, width = context.people.reshape(-1), context.people.shape[1]
        subjects = np.flatnonzero(context.position.reshape(-1) == hop)
        objects = world.objects[path[hop], people[subjects]].astype(np.int64)
        rows = subjects // width
        gold = people[subjects] == walk[rows, hop]
        objects[gold] = donor[rows[gold], hop + 1]
        stated = contexts.sentence(path[hop], people[subjects], objects)
        words = self.draw.at("conflict", *world.table.path_names(path)).words(
            pack((walk[rows, 0], 48), (subjects % width, 16))
        )
        reader = sentence_splitter(world)
        for index, sentence, word in zip(subjects.tolist(), stated, words.tolist(), strict=True):
            lines[index] = replace_sentence(reader(lines[index]), sentence, word)
        texts = ["\n".join(lines[row : row + width]) for row in range(0, len(lines), width)]
        return context.people, texts


def replace_sentence(sentences: list[str], sentence: str, word: int) -> str:
    """The biography in which a drawn sentence is replaced by `sentence`."""
    index = word % len(sentences)
    return " ".join([*sentences[:index], sentence, *sentences[index + 1 :]])


def sentence_splitter(world: World) -> Callable[[str], list[str]]:
    """Cuts biographies of the world's language into sentences."""
    return Reader(world.table, world.config.language).sentences
