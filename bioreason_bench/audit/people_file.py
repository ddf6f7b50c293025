"""One file of biographies or of questions about people, read and checked in a worker process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from bioreason_bench.audit.laws.pairs import KIND_LAWS, KindLaw
from bioreason_bench.audit.laws.rows import RowLaws
from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.reading.biographies import Biographies, read_biographies
from bioreason_bench.audit.reading.files import open_file
from bioreason_bench.audit.reading.parser import ParsedRelease, Parser
from bioreason_bench.audit.reading.questions import (
    File,
    QuestionTable,
    TableBuilder,
    read_questions,
)
from bioreason_bench.audit.run import FileTask
from bioreason_bench.audit.solvers.knowledge import Knowledge
from bioreason_bench.audit.solvers.scores import SolverResults, SolverRun
from bioreason_bench.audit.solvers.solvers import count_cue_hits

__all__ = ["BiographyReader", "BiographyResult", "QuestionReader", "QuestionResult"]

BATCH = 2_048  # rows that a process holds as Python values
CUE_QUESTIONS = 400  # training questions of each file on which the cues are tried


# biographies --------------------------------------------------------------------------------------


@dataclass
class BiographyResult:
    """What one file of biographies holds."""

    task: FileTask
    ledger: Ledger
    biographies: Biographies | None = None

    @property
    def complete(self) -> bool:
        return self.biographies is not None


@dataclass(frozen=True)
class BiographyReader:
    """Reads files of biographies.

    Attributes:
        folder: The release on disk.
        release: The release as read so far.
        first_only: Read the first paraphrase of each biography only.
    """

    folder: Path
    release: ParsedRelease
    first_only: bool

    def start(self) -> Callable[[FileTask], BiographyResult]:
        """Give a process a parser of its own."""
        return partial(self.read, Parser(self.release))

    def read(self, parser: Parser, task: FileTask) -> BiographyResult:
        result = BiographyResult(task, Ledger())
        table = open_file(self.folder, task.file, task.entry, result.ledger)
        if table is not None:
            if self.first_only:
                table = table.filter(pc.equal(table["rendering"], 0))
            batches = _batches(table)
            result.biographies = read_biographies(parser, task.file, batches, result.ledger)
        return result


# questions ----------------------------------------------------------------------------------------


@dataclass
class QuestionResult:
    """What one file of questions holds.

    Attributes:
        task: The file.
        ledger: The checks of its rows.
        table: Its questions, None if the file cannot be read.
        cue_hits: For training files, how often each cue was right.
        solvers: For test files of a skill, the outcome of the solvers.
    """

    task: FileTask
    ledger: Ledger
    table: QuestionTable | None = None
    cue_hits: Counter = field(default_factory=Counter)
    solvers: SolverResults | None = None

    @property
    def complete(self) -> bool:
        return self.table is not None


@dataclass(frozen=True)
class QuestionReader:
    """Reads files of questions, checks their rows, and runs the solvers on test questions.

    Attributes:
        folder: The release on disk.
        knowledge: What the solvers may use.
        config: The config in the manifest.
        sample: Questions of each file that are solved, 0 for all.
    """

    folder: Path
    knowledge: Knowledge
    config: Mapping[str, Any]
    sample: int

    def start(self) -> Callable[[FileTask], QuestionResult]:
        """Give a process a parser of its own."""
        return partial(self.read, Parser(self.knowledge.release))

    def read(self, parser: Parser, task: FileTask) -> QuestionResult:
        result = QuestionResult(task, Ledger())
        table = open_file(self.folder, task.file, task.entry, result.ledger)
        if table is not None:
            self._read(parser, File(task.file), table, result)
        return result

    def _read(self, parser: Parser, file: File, table: pa.Table, result: QuestionResult) -> None:
        distractors = self.config.get("distractors", 0)
        kind = KIND_LAWS[file.level](parser, distractors) if file.level in KIND_LAWS else None
        laws = RowLaws(parser, file, self.config, kind)
        builder = TableBuilder(file, self.knowledge.release)
        solvers = SolverRun(file, self.knowledge) if file.split == "test" and file.skill else None
        every = self._every(table.num_rows, kind)
        every_cue = max(1, table.num_rows // CUE_QUESTIONS)
        from_mirrors = kind.from_mirrors if kind else False
        for first, columns in _batches(table):
            questions = read_questions(
                parser, columns, first, every=every, from_mirrors=from_mirrors
            )
            for question in questions:
                builder.add(question)
                if question.row % every:
                    continue
                laws.check(question)
                if kind:
                    kind.add(question, laws.violations)
                if solvers:
                    solvers.add(question)
                elif file.level == "train" and question.path and question.row % every_cue == 0:
                    count_cue_hits(question, self.knowledge, result.cue_hits)
            builder.end_batch(columns)
        if kind:
            kind.finish(laws.violations)
        laws.violations.enter(result.ledger, file.name)
        result.table = builder.build()
        result.solvers = solvers.results() if solvers else None

    def _every(self, rows: int, kind: KindLaw | None) -> int:
        """Solve every n-th question, but all of a kind beyond the levels: pairs stay together."""
        return max(1, rows // self.sample) if self.sample and not kind else 1


def _batches(table: pa.Table) -> Iterator[tuple[int, dict[str, list]]]:
    """(first row, columns as Python values) of each batch."""
    for first in range(0, table.num_rows, BATCH):
        yield first, table.slice(first, BATCH).to_pydict()
