"""Knowledge conflicts: the context contradicts a fact that is to be recalled.

One row a question, with the answer that memory leads to and the one that the context leads to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.questions.sets import Columns
from bioreason_bench.questions.swapped import SwappedQuestions, swapped_fact, swapped_walks
from bioreason_bench.splits.levels import TEST
from bioreason_bench.splits.swaps import Swap
from bioreason_bench.world.relations import CONTEXTUAL

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
    ) -> tuple[NDArray[np.int64], list[str]]:
        """Contexts in which the subject's biography also states the contradicting fact."""
        path, hop, contexts = swap.plan.path, swap.hop, self.writer.contexts
        table = self.writer.starts.world.table
        people = contexts.people(path, walk, other=donor, hop=hop, also=walk[:, hop])
        texts = contexts.texts(path, people)
        asked = next(relation for relation in path if table[relation].group == CONTEXTUAL)
        anchor = contexts.sentence(asked, walk[:, hop], None)
        false = contexts.sentence(path[hop], walk[:, hop], donor[:, hop + 1])
        assert all(text.count(sentence) == 1 for text, sentence in zip(texts, anchor, strict=True))
        return people, [
            text.replace(sentence, f"{sentence} {contradiction}")
            for text, sentence, contradiction in zip(texts, anchor, false, strict=True)
        ]
