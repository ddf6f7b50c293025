"""Shares of the files of a release, as `--shards 40-59/400` names them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from bioreason_bench.errors import UsageError, quoted

__all__ = ["Shares", "ranges"]

WRITTEN = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?/(\d{1,9})", re.ASCII)
File = TypeVar("File")


@dataclass(frozen=True)
class Shares:
    """Shares `first` to `last`, both included and counted from 0, of `total` equal ones.

    With as many shares as the release has files, a share is one file.
    """

    first: int
    last: int
    total: int

    def __str__(self) -> str:
        numbers = f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"
        return f"{numbers}/{self.total}"

    @classmethod
    def parse(cls, text: str) -> Shares:
        """The shares that a text such as 40-59/400 or 7/400 names.

        Raises:
            UsageError: The text names none.
        """
        match = WRITTEN.fullmatch(text.strip())
        if not match:
            raise UsageError(
                f"--shards {quoted(text)} is not FIRST-LAST/TOTAL, such as --shards 40-59/400"
            )
        first, total = int(match[1]), int(match[3])
        last = first if match[2] is None else int(match[2])
        if not first <= last < total:
            raise UsageError(
                f"--shards {text}: shares of {total:,} are counted from 0 to {total - 1:,}, "
                "the first one first"
            )
        return cls(first, last, total)

    def bounds(self, files: int) -> tuple[int, int]:
        """The first of so many files that belongs to the shares, and the one after the last."""
        return files * self.first // self.total, files * (self.last + 1) // self.total

    def of(self, files: Sequence[File]) -> Sequence[File]:
        """The files that belong to the shares, perhaps none."""
        return files[slice(*self.bounds(len(files)))]


def ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """The numbers as ranges (first, last).

    >>> ranges([7, 3, 4, 5])
    [(3, 5), (7, 7)]
    """
    runs = groupby(enumerate(sorted(numbers)), key=lambda pair: pair[1] - pair[0])
    found = []
    for _, run in runs:
        members = [number for _, number in run]
        found.append((members[0], members[-1]))
    return found
