"""One file of facts, biographies or questions of people, read and checked in a worker process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pyarrow.compute as pc

from bioreason_bench.audit.laws.contexts.closed import ContextRules
from bioreason_bench.audit.laws.contexts.long import LongContexts, lengths_in
from bioreason_bench.audit.laws.contexts.places import Places
from bioreason_bench.audit.laws.holdout import by_folds
from bioreason_bench.audit.laws.levels import check_training
from bioreason_bench.audit.laws.pairs import KIND_LAWS, KindLaw
from bioreason_bench.audit.laws.rows import RowLaws
from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.reading.biographies import Biographies, read_biographies
from bioreason_bench.audit.reading.files import Rows, opened_rows
from bioreason_bench.audit.reading.parser import ParsedRelease, Parser
from bioreason_bench.audit.reading.questions import (
    File,
    ParsedQuestion,
    QuestionTable,
    TableBuilder,
    read_questions,
)
from bioreason_bench.audit.reading.tables import ListedFacts, read_facts
from bioreason_bench.audit.run import FileTask
from bioreason_bench.audit.solvers.choices import Choices, ChoiceSample
from bioreason_bench.audit.solvers.knowledge import Knowledge
from bioreason_bench.audit.solvers.popularity import PackedPopularity, Popularity
from bioreason_bench.audit.solvers.scores import SolverResults, SolverRun
from bioreason_bench.audit.solvers.solvers import count_cue_hits
from bioreason_bench.release.files import Files
from bioreason_bench.taxonomy import SKILLS

__all__ = [
    "BiographyReader",
    "BiographyResult",
    "FactsReader",
    "FactsResult",
    "QuestionReader",
    "QuestionResult",
]

Batch = tuple[int, dict[str, list]]  # the number of the first row, and columns as Python values
CUE_QUESTIONS = 400  # training questions of each file on which the cues are tried
CHOICE_QUESTIONS = 1_500  # and of those of comp, to which the learned solver is fitted


# facts --------------------------------------------------------------------------------------------


@dataclass
class FactsResult:
    """What one file of data/facts holds."""

    task: FileTask
    ledger: Ledger
    facts: ListedFacts | None = None

    @property
    def complete(self) -> bool:
        return self.facts is not None


@dataclass(frozen=True)
class FactsReader:
    """Reads files of data/facts.

    Attributes:
        files: Those of the release.
        release: The release, with its texts.
    """

    files: Files
    release: ParsedRelease

    def start(self) -> Callable[[FileTask], FactsResult]:
        return self.read

    def read(self, task: FileTask) -> FactsResult:
        result = FactsResult(task, Ledger())
        with opened_rows(self.files, task.file, task.entry, result.ledger) as rows:
            if rows is not None:
                batches = rows.batches()
                result.facts = read_facts(self.release, task.file, batches, result.ledger)
        return result


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
        files: Those of the release.
        release: The release as read so far, with the facts of data/facts.
        first_only: Read the first paraphrase of each biography only.
    """

    files: Files
    release: ParsedRelease
    first_only: bool

    def start(self) -> Callable[[FileTask], BiographyResult]:
        """Give a process a parser of its own."""
        return partial(self.read, Parser(self.release))

    def read(self, parser: Parser, task: FileTask) -> BiographyResult:
        result = BiographyResult(task, Ledger())
        with opened_rows(self.files, task.file, task.entry, result.ledger) as rows:
            if rows is not None:
                result.biographies = read_biographies(
                    parser, self.release.facts, task.file, self._batches(rows), result.ledger
                )
        return result

    def _batches(self, rows: Rows) -> Iterator[Batch]:
        first = 0
        for _, table in rows.batches():
            if self.first_only:
                table = table.filter(pc.equal(table["rendering"], 0))
            yield first, table.to_pydict()
            first += table.num_rows


# questions ----------------------------------------------------------------------------------------


@dataclass
class QuestionResult:
    """What one file of questions holds.

    Attributes:
        task: The file.
        ledger: The checks of its rows.
        table: Its questions, None if the file cannot be read.
        places: Where the people who are read about stand in the contexts.
        long: Its long contexts, None if it has none.
        cue_hits: For training files, how often each cue was right.
        popularity: For training files of comp, who is meant in the contexts.
        choices: For training files of comp, what the learned solver is fitted to.
        solvers: For test files of a skill, the outcome of the solvers.
    """

    task: FileTask
    ledger: Ledger
    table: QuestionTable | None = None
    places: Places | None = None
    long: LongContexts | None = None
    cue_hits: Counter = field(default_factory=Counter)
    popularity: PackedPopularity | None = None
    choices: Choices | None = None
    solvers: SolverResults | None = None

    @property
    def complete(self) -> bool:
        return self.table is not None


class TrainingSample:
    """What the solvers learn from the training questions of one file."""

    def __init__(self, file: File, rows: int, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.wanted = file.folder in SKILLS and file.split == "train"
        self.composing = self.wanted and file.skill == "comp"
        self.every_cue = max(1, rows // CUE_QUESTIONS)
        self.every_choice = max(1, rows // CHOICE_QUESTIONS)
        self.cue_hits: Counter = Counter()
        self.popularity = Popularity.empty(knowledge.release.people)
        self.choices = ChoiceSample()

    def add(self, question: ParsedQuestion) -> None:
        if question.row % self.every_cue == 0:
            count_cue_hits(question, self.knowledge, self.cue_hits)
        if self.composing:
            self.popularity.count(question)
            if question.row % self.every_choice == 0:
                self.choices.add(question, self.knowledge)

    def enter(self, result: QuestionResult) -> None:
        """Add what was learned to the result of the file."""
        result.cue_hits = self.cue_hits
        if self.composing:
            result.popularity = self.popularity.packed()
            result.choices = self.choices.build()


@dataclass(frozen=True)
class QuestionReader:
    """Reads files of questions, checks their rows, and runs the solvers on test questions.

    Attributes:
        files: Those of the release.
        knowledge: What the solvers may use.
        config: The config in the manifest.
        sample: Questions of each file that are solved, 0 for all.
    """

    files: Files
    knowledge: Knowledge
    config: Mapping[str, Any]
    sample: int

    def start(self) -> Callable[[FileTask], QuestionResult]:
        """Give a process a parser of its own."""
        return partial(self.read, Parser(self.knowledge.release))

    def read(self, parser: Parser, task: FileTask) -> QuestionResult:
        result = QuestionResult(task, Ledger())
        with opened_rows(self.files, task.file, task.entry, result.ledger) as rows:
            if rows is not None:
                self._read(parser, File(task.file), rows, result)
        return result

    def _read(self, parser: Parser, file: File, rows: Rows, result: QuestionResult) -> None:
        parser.begin_file()
        rules = ContextRules.of(self.config)
        kind = None
        if file.level in KIND_LAWS:
            kind = KIND_LAWS[file.level](parser, rules, file.skill)
        laws = RowLaws(parser, file, self.config, kind)
        places = Places(file)
        lengths = lengths_in(file, self.config)
        long = LongContexts(file, lengths) if lengths else None
        release = self.knowledge.release
        builder = TableBuilder(file, release, with_content=not by_folds(self.config))
        solvers = (
            SolverRun(file, self.knowledge, laws.missing)
            if file.split == "test" and file.skill
            else None
        )
        every = self._every(len(rows), kind)
        training = TrainingSample(file, len(rows), self.knowledge)
        from_mirrors = kind.from_mirrors if kind else False
        for first, batch in rows.batches():
            columns = batch.to_pydict()
            questions = read_questions(
                parser,
                columns,
                first,
                every=every,
                from_mirrors=from_mirrors,
                open_book=laws.open_book,
            )
            for question in questions:
                builder.add(_with_whole_walk(question, parser) if laws.missing else question)
                if question.row % every:
                    continue
                laws.check(question)
                if question.readable:
                    places.add(release, question)
                    if long and question.context.people:
                        long.add(release, question, laws.violations)
                if kind:
                    kind.add(question, laws.violations)
                if solvers:
                    solvers.add(question)
                elif training.wanted and question.readable:
                    training.add(question)
            builder.end_batch(columns)
        if kind:
            kind.finish(laws.violations)
        laws.finish()
        laws.violations.enter(result.ledger, file.name)
        result.places, result.long = places, long
        result.table = builder.build()
        if training.wanted:
            check_training(release, result.table, result.ledger)
            result.table = result.table.of_training(release.people)
        result.solvers = solvers.results() if solvers else None
        training.enter(result)

    def _every(self, rows: int, kind: KindLaw | None) -> int:
        """Solve every n-th question, but all of a kind beyond the levels: pairs stay together."""
        return max(1, rows // self.sample) if self.sample and not kind else 1


def _with_whole_walk(question: ParsedQuestion, parser: Parser) -> ParsedQuestion:
    """The question with the walk that the biographies lead to, whatever its context leaves out."""
    return replace(question, walk=parser.solve(question.start, question.path, None))
