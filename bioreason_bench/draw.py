"""Named randomness: every drawn number is a function of (seed, name of the draw, index).

>>> draw = Draw(seed=42)
>>> draw.at("facts", "spouse").permutation(5).tolist()
[3, 4, 0, 2, 1]
>>> draw.at("wording").uniform([17]) == draw.at("wording").uniform(100)[17]
array([ True])

The stream is SplitMix64 (Steele, Lea & Flood, OOPSLA 2014), keyed by a SHA-256 of the name.
It replaces numpy's generators for two reasons.

1. It has random access: the word for person 17 needs none of the words before it, so any shard can
   be made anywhere, in any order.
2. Numpy keeps its raw bits stable between versions, but not what its methods make of them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Draw", "pack"]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_30, _27, _31, _11 = (np.uint64(bits) for bits in (30, 27, 31, 11))


@dataclass(frozen=True)
class Draw:
    """A named stream of random numbers; `at` names a stream below it."""

    seed: int
    name: tuple[str, ...] = ()

    def at(self, *name: object) -> Draw:
        """Return the stream called `name` below this one; name parts are compared as text."""
        return Draw(self.seed, self.name + tuple(str(part) for part in name))

    def words(self, index: int | ArrayLike) -> NDArray[np.uint64]:
        """Return one uniform 64-bit word per index; an integer n means the indices 0..n-1."""
        index = (
            np.arange(index, dtype=np.uint64)
            if isinstance(index, int)
            else np.asarray(index).astype(np.uint64)
        )
        word = self._key() + (index + np.uint64(1)) * _STEP
        word = (word ^ (word >> _30)) * _MIX_1
        word = (word ^ (word >> _27)) * _MIX_2
        return word ^ (word >> _31)

    def uniform(self, index: int | ArrayLike) -> NDArray[np.float64]:
        """Return one number in [0, 1) per index, with 53 random bits."""
        return (self.words(index) >> _11).astype(np.float64) * 2.0**-53

    def integers(self, index: int | ArrayLike, high: int | ArrayLike) -> NDArray[np.int64]:
        """Return one integer in [0, high) per index; `high` may be an array of the same shape."""
        return (self.uniform(index) * np.asarray(high)).astype(np.int64)

    def permutation(self, items: int | ArrayLike) -> NDArray[np.int64]:
        """Return the items (or 0..n-1) in random order."""
        items = np.arange(items, dtype=np.int64) if isinstance(items, int) else np.asarray(items)
        return items[np.argsort(self.words(len(items)), kind="stable")]

    def _key(self) -> np.uint64:
        text = "\x1f".join((str(self.seed), *self.name))
        return np.uint64(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little"))


def pack(*fields: tuple[ArrayLike, int]) -> NDArray[np.uint64]:
    """Pack several small indices into one, so that a word can be drawn for each combination.

    Three people (60 bits) with two sentences each (4 bits) get index 16 * person + sentence:

    >>> pack(([[0], [1], [2]], 60), ([0, 1], 4)).tolist()
    [[0, 1], [16, 17], [32, 33]]

    Args:
        *fields: Pairs of values (integers >= 0, of shapes that broadcast) and their width in bits.
            The first field takes the highest bits.

    Returns:
        The packed indices, in the common shape of the fields.  Different combinations of values
        have different indices, because every value must fit its width.

    Raises:
        ValueError: A value does not fit its width, or the widths do not fit in 64 bits.
    """
    widths = [bits for _, bits in fields]
    if sum(widths) > 64:
        raise ValueError(f"fields of {widths} bits do not fit in 64")
    packed = np.zeros((), np.uint64)
    for values, bits in fields:
        values = np.asarray(values)
        if values.size and not 0 <= int(values.min()) <= int(values.max()) < 1 << bits:
            raise ValueError(
                f"values from {values.min()} to {values.max()} do not fit in {bits} bits"
            )
        packed = (packed << np.uint64(bits)) | values.astype(np.uint64)
    return packed
