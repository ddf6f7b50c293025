"""The files of a release: tables keep the order of their rows, questions that of their keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bioreason_bench.lengths import CHARACTERS_PER_TOKEN
from bioreason_bench.questions.sets import KeyRange, QuestionSet

__all__ = ["SHARD_ROWS", "Shard", "by_key", "in_order", "key_range", "row_range", "rows_of_length"]

SHARD_ROWS = (
    40_000  # rows of a file, about 100 MB of contexts, twice in memory; each file visits every path
)

SHARD_BYTES = 100_000_000  # of long contexts, in memory


@dataclass(frozen=True)
class Shard:
    """One file.

    Attributes:
        folder: "comp/zeroshot", "comp", "biographies", "facts", ...
        split: "train", "rl", "validation", "test", "parametric" or "contextual".
        number: Its number, from 0.
        count: How many files the split has.
        rows: How many rows the file holds.
        kind: The schema of its rows: question, biography, fact, ...
    """

    folder: str
    split: str
    number: int
    count: int
    rows: int
    kind: str

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


def by_key(questions: QuestionSet, shard_rows: int) -> list[Shard]:
    """The files of a question set, whose rows are in the order of their keys."""
    folder, split, schema = questions.folder, questions.split, questions.schema
    total = len(questions)
    count = -(-total // shard_rows)
    if count <= 1:
        return [Shard(folder, split, 0, 1, total, schema)] * count
    rows, width = np.zeros(count, np.int64), np.uint64(2**64 // count + 1)
    whole = questions.keys()
    for keys in [whole] if isinstance(whole, np.ndarray) else whole:
        rows += np.bincount((keys // width).astype(np.int64), minlength=count)
    return [
        Shard(folder, split, number, count, size, schema)
        for number, size in enumerate(rows.tolist())
    ]


def rows_of_length(lengths: Sequence[int], shard_rows: int) -> int:
    """The rows of a file whose contexts have these lengths in tokens: at most `shard_rows`."""
    if not lengths:
        return shard_rows
    of_row = CHARACTERS_PER_TOKEN * sum(lengths) / len(lengths)
    return max(1, min(shard_rows, int(SHARD_BYTES / of_row)))


def row_range(shard: Shard, rows: int) -> tuple[int, int]:
    """The first row of the file, and the one after its last, of a table of `rows` rows."""
    return rows * shard.number // shard.count, rows * (shard.number + 1) // shard.count


def key_range(number: int, count: int) -> KeyRange:
    """The keys of shard `number` of `count`."""
    width = 2**64 // count + (count > 1)
    return KeyRange(np.uint64(number * width), np.uint64(min((number + 1) * width, 2**64) - 1))
