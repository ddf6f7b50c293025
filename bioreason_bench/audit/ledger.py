"""The count of what was checked: for every law how many times, how often it was broken, and the first place where it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bioreason_bench.audit.catalogue import LAWS

__all__ = ["Breach", "Entry", "Ledger"]


@dataclass(frozen=True)
class Breach:
    """One place where a law is broken."""

    file: str
    row: int | None  # counted from 0; None where the whole file is meant
    expected: str  # what should stand there, and what does

    def __str__(self) -> str:
        place = self.file if self.row is None else f"{self.file} row {self.row}"
        return f"{place}: {self.expected}"


@dataclass
class Entry:
    """How one law fared."""

    checked: int = 0
    broken: int = 0
    first: Breach | None = None


class Ledger:
    """Counts by law; ledgers of several shards are added up in the order of the files, so that `first` is the same in every run."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}

    def check(
        self,
        law: str,
        file: str | Callable[[int], tuple[str, int | None]],
        checked: int,
        broken: Sequence[int] | np.ndarray = (),
        say: Callable[[int], str] = str,
    ) -> None:
        """Count `checked` things under `law`; `broken` are those that break it and `say(one)` what was expected there.

        `file` is the file whose rows they are, or a function from one of them to (file, row).
        """
        entry = self._entry(law)
        entry.checked += int(checked)
        if len(broken):
            entry.broken += len(broken)
            if entry.first is None:
                one = int(broken[0])
                place = file(one) if callable(file) else (file, one)
                entry.first = Breach(*place, say(one))

    def whole(self, law: str, file: str, problem: str | None, checked: int = 1) -> None:
        """Count a check of a whole file (or of nothing smaller); `problem` says what is wrong, None that nothing is."""
        entry = self._entry(law)
        entry.checked += checked
        if problem is not None:
            entry.broken += 1
            entry.first = entry.first or Breach(file, None, problem)

    def _entry(self, law: str) -> Entry:
        assert law in LAWS, law
        return self.entries.setdefault(law, Entry())

    def add(self, other: Ledger) -> None:
        """Add the counts of another ledger to these."""
        for law, theirs in other.entries.items():
            ours = self.entries.setdefault(law, Entry())
            ours.checked += theirs.checked
            ours.broken += theirs.broken
            ours.first = ours.first or theirs.first

    @property
    def broken(self) -> int:
        return sum(entry.broken for entry in self.entries.values())

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """Every law in the order of `LAWS`: its text, how often checked and broken, and the first place where it is broken."""
        found: dict[str, dict[str, Any]] = {}
        for law, text in LAWS.items():
            entry = self.entries.get(law, Entry())
            found[law] = {"text": text, "checked": entry.checked, "broken": entry.broken}
            if entry.first:
                found[law]["first"] = {
                    "file": entry.first.file,
                    "row": entry.first.row,
                    "expected": entry.first.expected,
                }
        return found
