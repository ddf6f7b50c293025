"""What every family of questions needs to audit a release: files, worker processes, progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import pyarrow as pa

from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.reading.files import open_file
from bioreason_bench.release.files import Files
from bioreason_bench.workers import run

__all__ = ["Advance", "AuditRun", "CannotContinue", "FileTask"]

Advance = Callable[[str, int, int], None]  # stage, rows done, rows in total


class CannotContinue(Exception):
    """Files are missing or broken; the ledger says which, and later stages would need them."""


@dataclass(frozen=True)
class FileTask:
    """One file to be read by a worker process."""

    number: int  # in the order of the files
    file: str
    entry: Mapping[str, Any]  # of the manifest


class FileResult(Protocol):
    """What a worker process found in one file."""

    @property
    def task(self) -> FileTask: ...

    @property
    def ledger(self) -> Ledger: ...

    @property
    def complete(self) -> bool:
        """Whether the file could be read."""


Result = TypeVar("Result", bound=FileResult)


@dataclass(frozen=True)
class AuditRun:
    """One audit of one release.

    Attributes:
        files: Those of the release.
        manifest: Its manifest, which fits its schema.
        ledger: Where checks are counted.
        sample: Questions of each file that are solved, 0 for all.
        workers: The number of worker processes.
        advance: Called as the rows of a stage are read.
    """

    files: Files
    manifest: Mapping[str, Any]
    ledger: Ledger
    sample: int
    workers: int
    advance: Advance

    def open_table(self, name: str) -> dict[str, pa.Table]:
        """Read the files of data/<name>.

        Raises:
            CannotContinue: There are none, or one is broken.
        """
        entries = self.manifest["files"]
        tables = {
            file: open_file(self.files, file, entries[file], self.ledger)
            for file in self.files_of(name)
        }
        if any(table is None for table in tables.values()):
            raise CannotContinue
        return tables

    def files_of(self, name: str) -> list[str]:
        """The files of data/<name>.

        Raises:
            CannotContinue: There are none.
        """
        files = [file for file in self.manifest["files"] if file.startswith(f"data/{name}/")]
        if not files:
            self.ledger.check_whole("files", f"data/{name}", "a release has this table")
            raise CannotContinue
        return files

    def read_files(
        self, stage: str, files: Sequence[str], start: Callable[[], Callable[[FileTask], Result]]
    ) -> list[Result]:
        """Read files in worker processes and add up their ledgers.

        Args:
            stage: What `advance` calls this stage.
            files: The files.
            start: Makes the function that reads a file, once in each process.

        Returns:
            The result of each file, in the order of `files`.

        Raises:
            CannotContinue: A file could not be read.
        """
        results: list[Result] = []
        self.fold_files(stage, files, start, results.append)
        return sorted(results, key=lambda result: result.task.number)

    def fold_files(
        self,
        stage: str,
        files: Sequence[str],
        start: Callable[[], Callable[[FileTask], Result]],
        take: Callable[[Result], object],
    ) -> None:
        """Read files in worker processes, add up their ledgers, and give each result to `take`.

        Results are taken in one order, by the number of rows and then that of `files`, as soon as
        their turn has come, and they are not kept.

        Args:
            stage: What `advance` calls this stage.
            files: The files.
            start: Makes the function that reads a file, once in each process.
            take: Called with the result of each file that could be read.

        Raises:
            CannotContinue: A file could not be read.
        """
        entries = self.manifest["files"]
        tasks = [FileTask(number, file, entries[file]) for number, file in enumerate(files)]
        # large files first, so that no process waits for another at the end
        order = sorted(tasks, key=lambda task: -task.entry["rows"])
        turns = iter(order)
        turn = next(turns, None)
        total, done = sum(task.entry["rows"] for task in tasks), 0
        early: dict[int, Result] = {}  # results whose turn has not come
        ledgers: dict[int, Ledger] = {}
        complete = True
        with closing(run(order, start, self.workers)) as outcomes:
            for outcome in outcomes:
                early[outcome.task.number] = outcome
                ledgers[outcome.task.number] = outcome.ledger
                done += outcome.task.entry["rows"]
                self.advance(stage, done, total)
                while turn is not None and turn.number in early:
                    result = early.pop(turn.number)
                    complete &= result.complete
                    if result.complete:
                        take(result)
                    turn = next(turns, None)
        for number in sorted(ledgers):
            self.ledger.add(ledgers[number])
        if not complete:
            raise CannotContinue
