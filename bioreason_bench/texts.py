"""Many texts in little memory, which forked processes share.

Python's texts are copied page by page when another process counts references to them; pieces of
bytes and arrays are not.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import overload
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

__all__ = ["CompactTexts", "NumberedTexts"]

BUCKET = 2  # texts that share an entry of the index, on average


class CompactTexts(Sequence[str]):
    """Texts in one piece of memory: a fifth of that of a list."""

    def __init__(self, blocks: Iterable[list[str]]) -> None:
        """Take the texts of all blocks, in order."""
        content, sizes = bytearray(), [np.zeros(1, np.int64)]
        for block in blocks:
            encoded = [text.encode() for text in block]
            sizes.append(np.fromiter(map(len, encoded), np.int64, len(encoded)))
            content += b"".join(encoded)
        self._content = bytes(content)
        self._bounds = _array("q", np.cumsum(np.concatenate(sizes)).astype(np.int64))

    def __len__(self) -> int:
        return len(self._bounds) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        begin, end = self._bounds[index], self._bounds[index + 1]
        return self._content[begin:end].decode()

    def encoded(self) -> Iterator[bytes]:
        """The texts as bytes."""
        return (self._content[begin:end] for begin, end in pairwise(self._bounds))


class NumberedTexts(CompactTexts):
    """Different texts, with a number each: 0, 1, ... in the order in which they are given.

    The index sorts the numbers by a hash of 32 bits.  Where the texts of a hash begin in that order
    is looked up by its first bits, so that a search compares about BUCKET hashes.
    """

    def __init__(self, blocks: Iterable[list[str]]) -> None:
        super().__init__(blocks)
        hashes = np.fromiter(map(crc32, self.encoded()), np.uint32, len(self))
        order = np.argsort(hashes, kind="stable").astype(np.int32)
        bits = max(1, (len(self) // BUCKET).bit_length())
        self._shift = 32 - bits
        firsts = np.arange(2**bits + 1, dtype=np.uint64) << np.uint64(self._shift)
        self._order, self._hashes = _array("i", order), _array("I", hashes[order])
        self._firsts = _array("i", np.searchsorted(hashes[order], firsts).astype(np.int32))

    def number(self, text: str, default: int = -1) -> int:
        """The number of a text, `default` if it has none."""
        encoded = text.encode()
        wanted = crc32(encoded)
        bucket = wanted >> self._shift
        for place in range(self._firsts[bucket], self._firsts[bucket + 1]):
            if self._hashes[place] == wanted:
                number = self._order[place]
                begin, end = self._bounds[number], self._bounds[number + 1]
                if self._content[begin:end] == encoded:
                    return number
        return default


def _array(code: str, values: NDArray[np.integer]) -> array[int]:
    """The values for quick access one by one: from NumPy's arrays that is slow."""
    made = array(code)
    made.frombytes(values.tobytes())
    return made
