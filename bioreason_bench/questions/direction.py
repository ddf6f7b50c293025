"""Both ends of a fact: what training states of one person is asked of that person, and of the other one.

"Ann's boss was Bo" stands in Ann's parametric biography, "Bo was the boss of Ann" in no text that is trained on.  Asked without a
context, the first end is recalled; whether the second is tells if knowledge can be turned round (the reversal curse).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import Draw
from bioreason_bench.errors import UsageError
from bioreason_bench.questions.records import Columns, Writer, merge
from bioreason_bench.splits.paths import Path
from bioreason_bench.world.facts import World
from bioreason_bench.world.relations import PARAMETRIC

__all__ = ["DIRECTION", "Directions"]

DIRECTION = "direction"
Certify = Callable[[Path, NDArray], Columns]


@dataclass(frozen=True)
class Directions:
    """Facts of inverse pairs, one side of which is recalled and the other one is not."""

    relation: NDArray[np.int64]  # [facts] the parametric relation
    subject: NDArray[np.int64]  # [facts]
    inverse: dict[int, int]  # relation -> its contextual inverse
    keys: NDArray[np.uint64]  # [facts] their drawn order

    @classmethod
    def collect(cls, world: World, total: int, draw: Draw) -> Directions:
        """`total` drawn facts, the pairs alike.  Raises UsageError where there are too few."""
        numbers = {row.name: number for number, row in enumerate(world.table.relations)}
        inverse = {
            number: numbers[row.inverse]
            for number, row in enumerate(world.table.relations)
            if row.group == PARAMETRIC
            and row.inverse in numbers
            and world.table[numbers[row.inverse]].group != PARAMETRIC
        }
        told = {
            relation: draw.at(world.table[relation].name).permutation(
                np.flatnonzero(world.stated(relation))
            )
            for relation in inverse
        }
        if sum(map(len, told.values())) < total:
            most = sum(map(len, told.values()))
            raise UsageError(
                f"mem.direction: {total:,} facts of inverse pairs are asked for and this world has {most:,}; lower it"
            )
        turns = sorted(
            (place, relation)
            for relation, people in told.items()
            for place in range(min(total, len(people)))
        )[:total]
        relation = np.array([relation for _, relation in turns], np.int64)
        subject = np.array([told[relation][place] for place, relation in turns], np.int64)
        return cls(
            relation,
            subject,
            inverse,
            draw.at("order").words(relation * len(world.people) + subject),
        )

    def write(self, writer: Writer, rows: NDArray, certify: Certify) -> Columns:
        """The columns of these facts, two rows each: as stated in training, and turned round."""
        parts, keys = [], []
        for relation in np.unique(self.relation[rows]).tolist():
            here = rows[self.relation[rows] == relation]
            subject = self.subject[here]
            target = writer.starts.world.objects[relation, subject].astype(np.int64)
            nobody = np.empty((len(here), 0), np.int64)
            both = []
            for path, walk in (
                ((relation,), np.stack([subject, target], 1)),
                ((self.inverse[relation],), np.stack([target, subject], 1)),
            ):
                name = writer.starts.world.table[path[0]].name
                columns: Columns = {
                    "id": [f"mem-{DIRECTION}-{name}-{start:06d}" for start in walk[:, 0].tolist()],
                    "skill": ["mem"] * len(here),
                    "level": [DIRECTION] * len(here),
                }
                columns |= (
                    writer.rows(path, walk, nobody, [""] * len(here))
                    | certify(path, walk)
                    | {"portion": [0] * len(here)}
                )
                both.append(
                    columns
                    | {
                        "pair": [
                            f"mem-{DIRECTION}-{relation:02d}-{start:06d}"
                            for start in subject.tolist()
                        ]
                    }
                )
            parts.append(
                {
                    name: [
                        value
                        for pair in zip(both[0][name], both[1][name], strict=True)
                        for value in pair
                    ]
                    for name in both[0]
                }
            )
            keys.append(np.repeat(self.keys[here], 2))
        return merge(parts, keys)
