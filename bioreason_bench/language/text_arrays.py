"""Texts in Arrow arrays: contexts are joined from biographies without becoming Python's strings.

Python would decode each biography, join them, and encode the context again for its file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["join_runs", "no_texts", "place"]


def no_texts(size: int) -> pa.Array:
    """An array of empty texts."""
    import pyarrow as pa

    return pa.repeat(pa.scalar("", pa.large_string()), size)


def join_runs(texts: pa.Array, ends: NDArray, between: str) -> pa.Array:
    """Join runs of texts into one text each.

    With texts ["a", "b", "c"], ends [0, 2, 2, 3] and a blank between: ["a b", "", "c"].

    Args:
        texts: An array of large strings.
        ends: Where the first run begins, and where each of them ends.
        between: What stands between two texts of a run.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    runs = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), texts)
    return pc.binary_join(runs, pa.scalar(between, pa.large_string()))


def place(parts: Sequence[tuple[NDArray, pa.Array]]) -> pa.Array:
    """One array of the texts of all parts, in the order of their numbers.

    Of texts with the same number the last one counts: [0, 2, 5] and ["a", "b", "c"], then [2] and
    ["d"], give ["a", "d", "c"].

    Args:
        parts: Numbers, and as many texts.
    """
    import pyarrow as pa

    numbers = np.concatenate([numbers for numbers, _ in parts])
    if len(parts) == 1 and bool(np.all(numbers[1:] > numbers[:-1])):
        return parts[0][1]
    source = np.full(int(numbers.max(initial=-1)) + 1, -1)
    source[numbers] = np.arange(len(numbers))
    texts = pa.concat_arrays([texts for _, texts in parts])
    return texts.take(pa.array(source[source >= 0]))
