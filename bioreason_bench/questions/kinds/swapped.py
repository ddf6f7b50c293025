"""What counterfactual pairs and conflicts share: questions in which one fact is swapped."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import Draw
from bioreason_bench.questions.records import Writer
from bioreason_bench.questions.sets import Certify, Columns, KeyRange, merge
from bioreason_bench.splits.swaps import Swap

__all__ = ["SwappedQuestions", "swapped_fact", "swapped_walks"]


@dataclass(frozen=True)
class SwappedQuestions(ABC):
    """See `QuestionSet`; the rows of a question are next to each other and share its key."""

    swaps: Sequence[Swap]
    writer: Writer
    certify: Certify
    draw: Draw
    folder: str
    split: str
    schema: str
    rows_per_question: ClassVar[int] = 1

    def __len__(self) -> int:
        return self.rows_per_question * sum(len(swap.starts) for swap in self.swaps)

    def keys(self) -> NDArray[np.uint64]:
        keys = np.concatenate([self._keys(swap) for swap in self.swaps])
        return np.repeat(keys, self.rows_per_question)

    def write(self, keys: KeyRange) -> Columns:
        parts, parts_keys = [], []
        for swap in self.swaps:
            swap_keys = self._keys(swap)
            chosen = keys.indices(swap_keys)
            if chosen.size:
                parts.append(self._rows(swap, chosen))
                parts_keys.append(np.repeat(swap_keys[chosen], self.rows_per_question))
        return merge(parts, parts_keys)

    def _keys(self, swap: Swap) -> NDArray[np.uint64]:
        return self.draw.at("order", self.schema, swap.plan.number).words(swap.starts)

    @abstractmethod
    def _rows(self, swap: Swap, rows: NDArray) -> Columns:
        """The columns of the questions `rows` of a swap."""


def swapped_walks(writer: Writer, swap: Swap, rows: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Walks of the questions, of the donors, and of the altered chains: [rows, hops + 1] each."""
    world, path, hop = writer.starts.world, swap.plan.path, swap.hop
    walk, donor = world.walk(path, swap.starts[rows]), world.walk(path, swap.donors[rows])
    return walk, donor, np.concatenate([walk[:, : hop + 1], donor[:, hop + 1 :]], axis=1)


def swapped_fact(writer: Writer, swap: Swap, walk: NDArray, donor: NDArray) -> list[list[str]]:
    """[subject, relation, object in the biographies, object in the context] of each question."""
    world, hop = writer.starts.world, swap.hop
    row = world.table[swap.plan.path[hop]]
    texts, names = world.texts[row.object], world.names
    return [
        [names[subject], row.name, texts[true], texts[false]]
        for subject, true, false in zip(
            walk[:, hop].tolist(),
            walk[:, hop + 1].tolist(),
            donor[:, hop + 1].tolist(),
            strict=True,
        )
    ]
