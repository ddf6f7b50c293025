"""The one shape of every set of questions.

A set is one split of one config.  Its rows have drawn 64-bit keys, which give their order and deal
them to files: shard s of S holds the rows whose keys lie in the s-th of S equal ranges.  So a shard
needs to know of no other shard, and a set never holds all of its rows at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.language.text_arrays import take_texts
from bioreason_bench.splits.paths import RelationPath

__all__ = ["EVERYTHING", "Certify", "Columns", "KeyRange", "QuestionSet", "interleave", "merge"]

Columns = dict[str, Any]  # lists of equal length, or Arrow arrays of texts
Certify = Callable[[RelationPath, NDArray], Columns]  # path, walks -> certificate


class KeyRange(NamedTuple):
    """Keys from `low` to `high`, both included."""

    low: np.uint64
    high: np.uint64

    def indices(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """The indices of the keys that lie in the range."""
        return np.flatnonzero((keys >= self.low) & (keys <= self.high))


EVERYTHING = KeyRange(np.uint64(0), np.uint64(2**64 - 1))


class QuestionSet(Protocol):
    """One split of one config of questions.

    Attributes:
        folder: Folder below data/, such as comp/zeroshot.
        split: train, rl, validation or test.
        schema: Name of the schema of its rows, such as question.
    """

    @property
    def folder(self) -> str: ...

    @property
    def split(self) -> str: ...

    @property
    def schema(self) -> str: ...

    def __len__(self) -> int:
        """The number of rows."""

    def keys(self) -> NDArray[np.uint64] | Iterator[NDArray[np.uint64]]:
        """[rows] order keys, perhaps part by part; rows that belong together (pairs) share one."""

    def write(self, keys: KeyRange) -> Columns:
        """The columns of the rows whose keys lie in the range, in the order of the keys."""


def merge(parts: Sequence[Columns], keys: Sequence[NDArray[np.uint64]]) -> Columns:
    """The rows of all parts, sorted by key; {} without parts."""
    if not parts:
        return {}
    order = np.argsort(np.concatenate(keys), kind="stable")
    return {name: _take([part[name] for part in parts], order) for name in parts[0]}


def interleave(first: Columns, second: Columns) -> Columns:
    """Rows of both in turn: first[0], second[0], first[1], second[1], ...

    Raises:
        ValueError: The columns are not of one length.
    """
    sizes = {len(values) for columns in (first, second) for values in columns.values()}
    if len(sizes) > 1:
        raise ValueError(f"columns of {' and '.join(map(str, sorted(sizes)))} rows")
    order = np.arange(2 * sum(sizes)).reshape(2, sum(sizes)).T.reshape(-1)
    return {name: _take([first[name], second[name]], order) for name in first}


def _take(parts: Sequence[Any], order: NDArray[np.int64]) -> Any:
    """The values of a column of all parts, in this order."""
    import pyarrow as pa

    if any(isinstance(part, pa.Array) for part in parts):
        return take_texts(parts, order)
    column = list(chain.from_iterable(parts))
    return list(map(column.__getitem__, order.tolist()))
