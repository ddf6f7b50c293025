"""Named randomness: every number that bioreason draws is a function of (seed, name of the draw, index).

    draw = Draw(seed=42)
    partners = draw.at("facts", "spouse").permutation(1000)
    variant = draw.at("wording", path).words(people)      # one 64-bit word for each person, whatever the order asked

The stream is SplitMix64 (Steele, Lea & Flood, OOPSLA 2014) keyed by a SHA-256 of the name.  It is used instead of
numpy's generators because (1) it has random access: the word for person 17 needs no words before it, so that any shard
can be made anywhere, in any order; (2) numpy promises raw bits, not what its methods make of them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
        """The stream called `name` below this one (parts are compared as text)."""
        return Draw(self.seed, self.name + tuple(str(part) for part in name))

    def words(self, index: int | ArrayLike) -> NDArray[np.uint64]:
        """One uniform 64-bit word for each index; an integer n stands for the indices 0..n-1."""
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
        """One number in [0, 1) for each index, with 53 random bits."""
        return (self.words(index) >> _11).astype(np.float64) * 2.0**-53

    def integers(self, index: int | ArrayLike, high: int | ArrayLike) -> NDArray[np.int64]:
        """One integer in [0, high) for each index; `high` may be an array of the same shape."""
        return (self.uniform(index) * np.asarray(high)).astype(np.int64)

    def permutation(self, items: int | ArrayLike) -> NDArray[np.int64]:
        """The items (or 0..n-1) in drawn order."""
        items = np.arange(items, dtype=np.int64) if isinstance(items, int) else np.asarray(items)
        return items[np.argsort(self.words(len(items)), kind="stable")]

    def _key(self) -> np.uint64:
        text = "\x1f".join((str(self.seed), *self.name))
        return np.uint64(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little"))
