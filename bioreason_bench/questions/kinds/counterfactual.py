"""Counterfactual pairs: one read fact is altered in the context, and with it the answer.

The contexts of a pair differ in one sentence.  A model that recalls what should be read, or reads
what should be recalled, gets one of the two wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.questions.contexts import Instead
from bioreason_bench.questions.kinds.swapped import SwappedQuestions, swapped_fact, swapped_walks
from bioreason_bench.questions.sets import Columns, interleave
from bioreason_bench.splits.levels import TEST
from bioreason_bench.splits.swaps import Swap

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Counterfactuals"]


@dataclass(frozen=True)
class Counterfactuals(SwappedQuestions):
    """See `QuestionSet`; two rows for each question of `swaps`: original, then altered."""

    folder: str = "comp/counterfactual"
    split: str = TEST
    schema: str = "counterfactual"
    rows_per_question: ClassVar[int] = 2

    def _rows(self, swap: Swap, rows: NDArray) -> Columns:
        path, hop, contexts = swap.plan.path, swap.hop, self.writer.contexts
        walk, donor, altered = swapped_walks(self.writer, swap, rows)
        context = contexts.people(path, walk[:, 0])
        people, texts = context.people, contexts.texts(path, context)
        new = contexts.sentences(path[hop], walk[:, hop], donor[:, hop + 1])
        row, column = np.nonzero((people == walk[:, hop, None]) & (context.position == hop))
        lines = (row * people.shape[1] + column).tolist()
        instead = {
            line: Instead(path[hop], 0, sentence) for line, sentence in zip(lines, new, strict=True)
        }
        altered_texts = contexts.texts(path, context, instead)
        changed = swapped_fact(self.writer, swap, walk, donor)
        return interleave(
            self._version("original", swap, people, walk, texts, changed),
            self._version("altered", swap, people, altered, altered_texts, changed),
        )

    def _version(
        self,
        version: str,
        swap: Swap,
        people: NDArray,
        walk: NDArray,
        texts: pa.Array,
        changed: list[list[str]],
    ) -> Columns:
        """The columns of one half of each pair."""
        size = len(walk)
        suffixes = [f"{swap.plan.number:04d}-{start:06d}" for start in walk[:, 0].tolist()]
        columns: Columns = {
            "id": [f"comp-{self.schema}-{version}-{suffix}" for suffix in suffixes],
            "skill": ["comp"] * size,
            "level": [self.schema] * size,
        }
        columns |= self.writer.rows(swap.plan.path, walk, people, texts)
        columns |= self.certify(swap.plan.path, walk) | {"portion": [0] * size}
        columns |= {
            "pair": [f"comp-{self.schema}-{suffix}" for suffix in suffixes],
            "altered": [version == "altered"] * size,
            "changed": changed,
        }
        return columns
