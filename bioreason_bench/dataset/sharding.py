"""The files of a release, each known by its place: rows in order for tables, rows by key for questions.

Rows of a split have one drawn order, whatever the number of shards: each row has a 64-bit key, and shard s of S holds the
rows whose keys lie in the s-th of S equal ranges, sorted by key.  So no shard needs to know of another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHARD_ROWS = 40_000  # rows of a file: about 100 MB of contexts in memory; fewer cost more, as every file visits every path


@dataclass(frozen=True)
class Shard:
    """One file: its place in the release, and how many rows it holds."""

    folder: str  # "comp/zeroshot", "comp", "biographies", "facts", ...
    split: str  # "train", "rl", "validation", "test", "parametric", "contextual"
    number: int
    count: int
    rows: int
    kind: str  # the schema of its rows: question, counterfactual, conflict, direction, probe, biography, fact, person, path, relation

    @property
    def file(self) -> str:
        return f"data/{self.folder}/{self.split}-{self.number:05d}-of-{self.count:05d}.parquet"


def in_order(folder: str, split: str, kind: str, rows: int, shard_rows: int) -> list[Shard]:
    """The files of a table whose rows keep their order, all of nearly one size."""
    count = -(-rows // shard_rows)
    bounds = [rows * number // count for number in range(count + 1)] if count else []
    return [
        Shard(folder, split, number, count, bounds[number + 1] - bounds[number], kind)
        for number in range(count)
    ]


def by_key(
    folder: str, split: str, kind: str, total: int, shard_rows: int, keys: Callable[[], NDArray]
) -> list[Shard]:
    """The files of a split whose `total` rows lie in the order of their keys."""
    count = -(-total // shard_rows)
    if count <= 1:
        return [Shard(folder, split, 0, 1, total, kind)] * count
    place = keys() // np.uint64(2**64 // count + 1)
    rows = np.bincount(place.astype(np.int64), minlength=count).tolist()
    return [Shard(folder, split, number, count, rows[number], kind) for number in range(count)]


def row_range(shard: Shard, rows: int) -> tuple[int, int]:
    """The first row of the file, and the one after its last, of a table of so many rows."""
    return rows * shard.number // shard.count, rows * (shard.number + 1) // shard.count


def key_range(number: int, count: int) -> tuple[np.uint64, np.uint64]:
    """The first and the last 64-bit key of shard `number` of `count`."""
    width = 2**64 // count + (count > 1)
    return np.uint64(number * width), np.uint64(min((number + 1) * width, 2**64) - 1)
