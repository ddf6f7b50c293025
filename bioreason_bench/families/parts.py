"""The files of a family's release: each split is a function from row numbers to columns.

Part("strings/iid", "test", "strings", 1_000, write)      write(first, last) -> columns
PartDataset([...])                                        what `Family.make` returns
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bioreason_bench.dataset.sharding import SHARD_ROWS, Shard, in_order, row_range
from bioreason_bench.questions.sets import Columns

__all__ = ["Part", "PartDataset", "head_of"]


@dataclass(frozen=True)
class Part:
    """One split of one folder.

    Attributes:
        folder: The folder below data/, such as strings/iid.
        split: train, rl, validation or test.
        schema: The schema of its rows.
        rows: The number of rows; a part without rows has no file.
        write: (first, last) → the columns of the rows first to last - 1, in the order of the
            schema.  A row must not depend on the other rows of the call.
    """

    folder: str
    split: str
    schema: str
    rows: int
    write: Callable[[int, int], Columns]


@dataclass(frozen=True)
class PartDataset:
    """A data set of parts.

    Attributes:
        parts: In the order of the layout; no folder and split twice.
        head: What the manifest says beside the settings (`Family.head`).
    """

    parts: Sequence[Part]
    head: Mapping[str, Any] = field(default_factory=dict)

    def shards(self, shard_rows: int = SHARD_ROWS) -> list[Shard]:
        """Every file, in the order of the layout."""
        return [
            shard
            for part in self.parts
            for shard in in_order(part.folder, part.split, part.schema, part.rows, shard_rows)
        ]

    def make(self, shard: Shard) -> Columns:
        """The columns of one file."""
        part = next(
            part for part in self.parts if (part.folder, part.split) == (shard.folder, shard.split)
        )
        return part.write(*row_range(shard, part.rows))


def head_of(dataset: PartDataset) -> dict[str, Any]:
    """What the manifest says of the family beside its settings; a `Family.head`."""
    return dict(dataset.head)
