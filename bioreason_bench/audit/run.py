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
        tables: dict[str, pa.Table] = {}
        for file, entry in self.manifest["files"].items():
            if file.startswith(f"data/{name}/"):
                tables[file] = open_file(self.files, file, entry, self.ledger)
        if not tables:
            self.ledger.check_whole("files", f"data/{name}", "a release has this table")
        if not tables or any(table is None for table in tables.values()):
            raise CannotContinue
        return tables

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
        entries = self.manifest["files"]
        tasks = [FileTask(number, file, entries[file]) for number, file in enumerate(files)]
        # large files first, so that no process waits for another at the end
        order = sorted(tasks, key=lambda task: -task.entry["rows"])
        total, done = sum(task.entry["rows"] for task in tasks), 0
        results: list[Result] = []
        with closing(run(order, start, self.workers)) as outcomes:
            for result in outcomes:
                results.append(result)
                done += result.task.entry["rows"]
                self.advance(stage, done, total)
        results.sort(key=lambda result: result.task.number)
        for result in results:
            self.ledger.add(result.ledger)
        if not all(result.complete for result in results):
            raise CannotContinue
        return results
