"""Texts in Arrow arrays.

Contexts are joined from biographies here: Python would decode each biography, join them, and
encode the context again for its file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["join_runs", "no_texts", "place", "take_texts"]


def no_texts(size: int) -> pa.Array:
    """An array of empty texts."""
    import pyarrow as pa

    return pa.repeat(pa.scalar("", pa.large_string()), size)


def join_runs(texts: pa.Array, ends: NDArray, between: str) -> pa.Array:
    """Join runs of texts into one text each.

    With texts ["a", "b", "c"], ends [0, 2, 2, 3] and a blank between: ["a b", "", "c"].

    Args:
        texts: An array of large strings.
        ends: Where the first run begins, and where each of them ends; the last at the last text.
        between: What stands between two texts of a run.

    Raises:
        ValueError: The runs do not cover the texts.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if (ends[0], ends[-1]) != (0, len(texts)):
        raise ValueError(f"runs from {ends[0]} to {ends[-1]} of {len(texts)} texts")
    runs = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), texts)
    return pc.binary_join(runs, pa.scalar(between, pa.large_string()))


def place(parts: Sequence[tuple[NDArray, pa.Array]]) -> pa.Array:
    """One array of the texts of all parts, in the order of their numbers.

    Of texts with the same number the last one counts: [0, 2, 5] and ["a", "b", "c"], then [2] and
    ["d"], give ["a", "d", "c"].

    Args:
        parts: Numbers, and as many texts.

    Raises:
        ValueError: There are not as many.
    """
    import pyarrow as pa

    for numbers, texts in parts:
        if len(numbers) != len(texts):
            raise ValueError(f"{len(numbers)} numbers for {len(texts)} texts")
    numbers = np.concatenate([numbers for numbers, _ in parts])
    if len(parts) == 1 and bool(np.all(numbers[1:] > numbers[:-1])):
        return parts[0][1]
    source = np.full(int(numbers.max(initial=-1)) + 1, -1)
    source[numbers] = np.arange(len(numbers))
    texts = pa.concat_arrays([texts for _, texts in parts])
    return texts.take(pa.array(source[source >= 0]))


def take_texts(parts: Sequence[pa.Array | Sequence[str]], order: NDArray) -> pa.Array:
    """The texts of all parts in a new order, each copied once (Arrow's `take` would copy twice).

    Args:
        parts: Arrays or lists of texts.
        order: [texts] the numbers of the texts, counted through all parts.

    Raises:
        ValueError: A text is missing.
    """
    import pyarrow as pa

    begins, lengths, source = [], [], []
    for part in parts:
        texts = pa.array(part, pa.large_string())
        if texts.null_count:
            raise ValueError(f"{texts.null_count} of {len(texts)} texts are missing")
        _, offsets, data = texts.buffers()
        ends = np.frombuffer(offsets or b"", np.int64)[texts.offset :][: len(texts) + 1]
        begins.append(ends[:-1])
        lengths.append(np.diff(ends))
        source += [memoryview(data or b"")] * len(texts)
    first = np.concatenate(begins)[order]
    sizes = np.concatenate(lengths)[order]
    places = zip(order.tolist(), first.tolist(), (first + sizes).tolist(), strict=True)
    joined = b"".join([source[number][begin:end] for number, begin, end in places])
    ends = np.concatenate([[0], np.cumsum(sizes)])
    return pa.LargeStringArray.from_buffers(len(order), pa.py_buffer(ends), pa.py_buffer(joined))
