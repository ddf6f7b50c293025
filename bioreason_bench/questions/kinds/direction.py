"""Direction: the same fact asked as training states it, and reversed.

"Ann's boss was Bo" is in Ann's parametric biography, "Bo was the boss of Ann" in no text to train
on.  Asked without a context, the first is recalled; the second tells whether knowledge can be
reversed (the reversal curse).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.language.text_arrays import no_texts
from bioreason_bench.questions.records import Writer
from bioreason_bench.questions.sets import Certify, Columns, KeyRange, interleave, merge
from bioreason_bench.splits.directions import Directions
from bioreason_bench.splits.levels import TEST

__all__ = ["DirectionPairs"]


@dataclass(frozen=True)
class DirectionPairs:
    """See `QuestionSet`; two rows a fact: as stated in training, then reversed."""

    facts: Directions
    writer: Writer
    certify: Certify
    folder: str = "mem/direction"
    split: str = TEST
    schema: str = "direction"

    def __len__(self) -> int:
        return 2 * len(self.facts.keys)

    def keys(self) -> NDArray[np.uint64]:
        return np.repeat(self.facts.keys, 2)

    def write(self, keys: KeyRange) -> Columns:
        facts, world = self.facts, self.writer.starts.world
        chosen = keys.indices(facts.keys)
        parts, parts_keys = [], []
        for relation in np.unique(facts.relation[chosen]).tolist():
            rows = chosen[facts.relation[chosen] == relation]
            subject = facts.subject[rows]
            target = world.objects[relation, subject].astype(np.int64)
            pairs = [f"mem-{self.schema}-{relation:02d}-{start:06d}" for start in subject.tolist()]
            parts.append(
                interleave(
                    self._one_hop(relation, subject, target, pairs),
                    self._one_hop(facts.inverse[relation], target, subject, pairs),
                )
            )
            parts_keys.append(np.repeat(facts.keys[rows], 2))
        return merge(parts, parts_keys)

    def _one_hop(
        self, relation: int, subject: NDArray, target: NDArray, pairs: list[str]
    ) -> Columns:
        size, name = len(subject), self.writer.starts.world.table[relation].name
        walk, no_people = np.stack([subject, target], 1), np.empty((size, 0), np.int64)
        columns: Columns = {
            "id": [f"mem-{self.schema}-{name}-{start:06d}" for start in subject.tolist()],
            "skill": ["mem"] * size,
            "level": [self.schema] * size,
        }
        columns |= self.writer.rows((relation,), walk, no_people, no_texts(size))
        columns |= self.certify((relation,), walk) | {"portion": [0] * size, "pair": pairs}
        return columns
