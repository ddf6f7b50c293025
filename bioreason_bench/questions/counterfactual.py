"""Counterfactual pairs: one read fact is altered in the context, and with it the answer.

The contexts of a pair differ in one sentence.  A model that recalls what should be read, or reads
what should be recalled, gets one of the two wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import Draw
from bioreason_bench.questions.contexts import Instead
from bioreason_bench.questions.records import Writer
from bioreason_bench.questions.sets import Certify, Columns, KeyRange, interleave, merge
from bioreason_bench.splits.levels import TEST
from bioreason_bench.splits.swaps import Swap

__all__ = ["Counterfactuals", "swapped_fact", "swapped_walks"]


@dataclass(frozen=True)
class Counterfactuals:
    """See `QuestionSet`; two rows for each question of `swaps`: original, then altered."""

    swaps: Sequence[Swap]
    writer: Writer
    certify: Certify
    draw: Draw
    folder: str = "comp/counterfactual"
    split: str = TEST
    schema: str = "counterfactual"

    def __len__(self) -> int:
        return 2 * sum(len(swap.starts) for swap in self.swaps)

    def keys(self) -> NDArray[np.uint64]:
        return np.repeat(np.concatenate([self._keys(swap) for swap in self.swaps]), 2)

    def write(self, keys: KeyRange) -> Columns:
        parts, parts_keys = [], []
        for swap in self.swaps:
            swap_keys = self._keys(swap)
            chosen = keys.indices(swap_keys)
            if chosen.size:
                parts.append(self._pairs(swap, chosen))
                parts_keys.append(np.repeat(swap_keys[chosen], 2))
        return merge(parts, parts_keys)

    def _keys(self, swap: Swap) -> NDArray[np.uint64]:
        return self.draw.at("order", self.schema, swap.plan.number).words(swap.starts)

    def _pairs(self, swap: Swap, rows: NDArray) -> Columns:
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
