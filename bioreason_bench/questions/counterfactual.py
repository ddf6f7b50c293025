"""Counterfactual pairs: one read fact is altered in the context, and with it the answer.

The contexts of a pair differ in one sentence.  A model that recalls what should be read, or reads
what should be recalled, gets one of the two wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from numpy.typing import NDArray

from bioreason_bench.questions.sets import Columns, interleave
from bioreason_bench.questions.swapped import SwappedQuestions, swapped_fact, swapped_walks
from bioreason_bench.splits.levels import TEST
from bioreason_bench.splits.swaps import Swap

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
        people = contexts.people(path, walk, other=donor, hop=hop)
        texts = contexts.texts(path, people)
        old = contexts.sentence(path[hop], walk[:, hop], None)
        new = contexts.sentence(path[hop], walk[:, hop], donor[:, hop + 1])
        assert all(text.count(sentence) == 1 for text, sentence in zip(texts, old, strict=True))
        altered_texts = [
            text.replace(before, after) for text, before, after in zip(texts, old, new, strict=True)
        ]
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
        texts: list[str],
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
