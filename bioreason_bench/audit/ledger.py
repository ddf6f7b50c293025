"""The record of an audit: for each law how often it was checked and broken, and where first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.audit.catalogue import LAWS

__all__ = ["LawResult", "Ledger", "Location", "RowViolations", "Violation"]

Location = tuple[str, int | None]  # file, row counted from 0 (None: the whole file)


@dataclass(frozen=True)
class Violation:
    """One row or file that breaks a law."""

    file: str
    row: int | None  # counted from 0; None if the whole file is meant
    expected: str  # what the law asks for there, and what was found

    def __str__(self) -> str:
        location = self.file if self.row is None else f"{self.file} row {self.row}"
        return f"{location}: {self.expected}"


@dataclass
class LawResult:
    """The counts of one law."""

    checked: int = 0
    broken: int = 0
    first: Violation | None = None


class Ledger:
    """Counts by law.

    Ledgers of several files are added up in the order of the files, so that `first` is the same
    in every run.

    Attributes:
        laws: Law → its sentence, in the order of the report.
        entries: The counts of the laws that were checked.
    """

    def __init__(self, laws: Mapping[str, str] = LAWS) -> None:
        self.laws = laws
        self.entries: dict[str, LawResult] = {}

    def check(
        self,
        law: str,
        file: str | Callable[[int], Location],
        checked: int,
        broken: Sequence[int] | NDArray[np.integer] = (),
        describe: str | Mapping[int, str] | Callable[[int], str] = "",
    ) -> None:
        """Count `checked` items under `law`.

        Args:
            law: A name in `laws`.
            file: The file whose rows the items are, or a function from an item to (file, row).
            checked: The number of items that were checked.
            broken: The items that break the law, in order.
            describe: What was expected and found: one text for all items, a text by item, or a
                function from an item to its text (called for the first violation only).
        """
        result = self._result(law)
        result.checked += int(checked)
        result.broken += len(broken)
        if len(broken) and result.first is None:
            item = int(broken[0])
            location = file(item) if callable(file) else (file, item)
            result.first = Violation(*location, _text(describe, item))

    def check_whole(self, law: str, file: str, problem: str | None) -> None:
        """Count one check of a whole file; `problem` says what is wrong, None if nothing is."""
        result = self._result(law)
        result.checked += 1
        if problem is not None:
            result.broken += 1
            result.first = result.first or Violation(file, None, problem)

    def add(self, other: Ledger) -> None:
        """Add the counts of another ledger to these."""
        for law, theirs in other.entries.items():
            ours = self._result(law)
            ours.checked += theirs.checked
            ours.broken += theirs.broken
            ours.first = ours.first or theirs.first

    @property
    def broken(self) -> int:
        return sum(result.broken for result in self.entries.values())

    def broken_in(self, law: str) -> int:
        """How often one law is broken."""
        return self.entries.get(law, LawResult()).broken

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """Every law in the order of `laws`: its text, its counts and its first violation."""
        laws: dict[str, dict[str, Any]] = {}
        for law, text in self.laws.items():
            result = self.entries.get(law, LawResult())
            laws[law] = {"text": text, "checked": result.checked, "broken": result.broken}
            if result.first:
                laws[law]["first"] = {
                    "file": result.first.file,
                    "row": result.first.row,
                    "expected": result.first.expected,
                }
        return laws

    def _result(self, law: str) -> LawResult:
        if law not in self.laws:
            raise KeyError(f"there is no law {law!r} in the catalogue")
        return self.entries.setdefault(law, LawResult())


class RowViolations:
    """The checks of one file's rows, law by law, collected in one pass over the rows."""

    def __init__(self) -> None:
        self.checked: dict[str, int] = {}
        self.rows: dict[str, list[int]] = {}  # by law, the rows that break it
        self.first: dict[str, str] = {}  # by law, what is wrong with the first of them

    def check(self, law: str, row: int, holds: object, describe: Callable[[], str]) -> None:
        """Count a check of `row`; `describe` is called for the first row that breaks the law."""
        self.checked[law] = self.checked.get(law, 0) + 1
        if not holds:
            self.rows.setdefault(law, []).append(row)
            if law not in self.first:
                self.first[law] = describe()

    def enter(self, ledger: Ledger, file: str) -> None:
        """Add the counts to a ledger; `file` is the file of the rows."""
        for law, checked in self.checked.items():
            ledger.check(law, file, checked, self.rows.get(law, []), self.first.get(law, ""))


def _text(describe: str | Mapping[int, str] | Callable[[int], str], item: int) -> str:
    if isinstance(describe, str):
        return describe
    return describe[item] if isinstance(describe, Mapping) else describe(item)
