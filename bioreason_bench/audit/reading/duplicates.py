"""Keys that occur more than once in the rows of several files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.audit.ledger import Ledger, Location

__all__ = ["RowKeys", "check_unique", "duplicates"]


class RowKeys(NamedTuple):
    """One file's keys; only those of `rows` are compared."""

    file: str
    keys: NDArray[np.uint64]  # shape [rows]
    rows: NDArray[np.bool_] | None = None  # shape [rows]; None for all


def duplicates(keys: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the rows whose key occurs in an earlier row.

    duplicates([7, 5, 7, 7])    ([2, 3], [0, 0])

    Returns:
        The rows in ascending order, and for each of them the first row with its key.
    """
    ordered = np.sort(keys)
    if not (ordered[1:] == ordered[:-1]).any():  # as a rule; the rest needs five times the memory
        return np.empty(0, np.int64), np.empty(0, np.int64)
    _, first, key = np.unique(keys, return_index=True, return_inverse=True)
    first_row = first[key]
    rows = np.flatnonzero(first_row < np.arange(len(keys)))
    return rows, first_row[rows]


def check_unique(law: str, what: str, files: Sequence[RowKeys], ledger: Ledger) -> None:
    """Check that no key occurs twice in all of the files together; `what` the keys are of."""
    if not files:
        return
    parts = [file.keys if file.rows is None else file.keys[file.rows] for file in files]
    if not len(duplicates(np.concatenate(parts))[0]):
        ledger.check(law, files[0].file, sum(len(file.keys) for file in files))
        return
    keys = np.concatenate([file.keys for file in files])
    compared = np.flatnonzero(
        np.concatenate(
            [np.ones(len(file.keys), bool) if file.rows is None else file.rows for file in files]
        )
    )
    ends = np.cumsum([len(file.keys) for file in files])

    def locate(row: int) -> Location:
        file = int(np.searchsorted(ends, row, side="right"))
        return files[file].file, int(row - (ends[file] - len(files[file].keys)))

    again, first = duplicates(keys[compared])
    first_row = dict(zip(compared[again].tolist(), compared[first].tolist(), strict=True))

    def describe(row: int) -> str:
        file, number = locate(first_row[row])
        return f"the same {what} is in {file} row {number}"

    ledger.check(law, locate, len(keys), compared[again], describe)
