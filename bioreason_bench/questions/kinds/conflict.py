"""Knowledge conflicts: the context contradicts a fact that is to be recalled.

One row a question, with the answer that memory leads to and the one that the context leads to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import pack
from bioreason_bench.questions.contexts import Instead
from bioreason_bench.questions.kinds.swapped import SwappedQuestions, swapped_fact, swapped_walks
from bioreason_bench.questions.sets import Columns
from bioreason_bench.splits.levels import TEST
from bioreason_bench.splits.swaps import Swap

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Conflicts"]


@dataclass(frozen=True)
class Conflicts(SwappedQuestions):
    """See `QuestionSet`."""

    folder: str = "comp/conflict"
    split: str = TEST
    schema: str = "conflict"

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
    ) -> tuple[NDArray[np.int64], pa.Array]:
        """Contexts in which everybody who could be the last person has the contradicted relation.

        The gold person's sentence is false, those of the others are true; each takes the place of
        a drawn sentence of the biography, so that all biographies keep their length.
        """
        path, hop, contexts = swap.plan.path, swap.hop, self.writer.contexts
        world = self.writer.starts.world
        context = contexts.people(path, walk[:, 0], also=[hop])
        people, width = context.people.reshape(-1), context.people.shape[1]
        lines = np.flatnonzero(context.position.reshape(-1) == hop)
        rows, subjects = lines // width, people[lines]
        objects = world.objects[path[hop], subjects].astype(np.int64)
        gold = subjects == walk[rows, hop]
        objects[gold] = donor[rows[gold], hop + 1]
        stated = contexts.sentences(path[hop], subjects, objects)
        stream = self.draw.at("conflict", *world.table.path_names(path))
        words = stream.words(pack((walk[rows, 0], 48), (lines % width, 16))).tolist()
        instead = {
            line: Instead(None, word, sentence)
            for line, word, sentence in zip(lines.tolist(), words, stated, strict=True)
        }
        return context.people, contexts.texts(path, context, instead)
