"""The audit of a family of questions: people, their biographies, and paths of relations.

    manifest → relations, people, facts, paths → biographies → training questions → other questions
    → levels, probes, scores

Every stage reads its files in several processes. What a process finds in a file comes back as a
`Ledger` and arrays of integers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.audit.laws.contexts.long import check_long_contexts
from bioreason_bench.audit.laws.contexts.open_book import check_open_books
from bioreason_bench.audit.laws.contexts.places import Places, check_places
from bioreason_bench.audit.laws.holdout import by_folds
from bioreason_bench.audit.laws.levels import check_levels
from bioreason_bench.audit.laws.probes import check_probes
from bioreason_bench.audit.laws.settings import check_config, check_hops, check_people_of
from bioreason_bench.audit.laws.values import check_names, check_values_of
from bioreason_bench.audit.laws.world import check_world
from bioreason_bench.audit.people_file import (
    BiographyReader,
    BiographyResult,
    FactsReader,
    FactsResult,
    QuestionReader,
    QuestionResult,
)
from bioreason_bench.audit.reading.biographies import Facts, check_biographies
from bioreason_bench.audit.reading.parser import NOT_STATED, ParsedRelease
from bioreason_bench.audit.reading.paths import ListedPaths, check_path_levels, read_paths
from bioreason_bench.audit.reading.questions import File, QuestionTable
from bioreason_bench.audit.reading.tables import (
    check_relations,
    enter_facts,
    objects_of,
    read_people,
)
from bioreason_bench.audit.reading.training import TrainingExposure
from bioreason_bench.audit.report import Scores
from bioreason_bench.audit.run import AuditRun, CannotContinue
from bioreason_bench.audit.solvers.choices import Choices, fit_choices
from bioreason_bench.audit.solvers.cues import best_cues
from bioreason_bench.audit.solvers.knowledge import Knowledge
from bioreason_bench.audit.solvers.popularity import Popularity
from bioreason_bench.audit.solvers.scores import summarise
from bioreason_bench.errors import ReleaseError
from bioreason_bench.release.manifest import MANIFEST
from bioreason_bench.taxonomy import KIND_NAMES, SKILLS
from bioreason_bench.world.table import read_table

__all__ = ["check_people"]

QUESTION_SCHEMAS = ("question", "probe", *KIND_NAMES)


def check_people(run: AuditRun) -> Scores:
    """Check the laws of the family.

    Returns:
        The scores of the solvers; none if the files of an earlier stage cannot be read.
    """
    settings = check_config(run.manifest, run.ledger)
    if settings is None:
        return {}
    try:
        release, paths = _read_tables(run)
        release = _read_biographies(run, release)
        check_world(release, _config(run), run.ledger)
        check_people_of(release, settings, run.ledger)
        check_names(release, settings, run.ledger)
        check_values_of(release, settings, run.ledger)
        training = _read_training(run, release)
        knowledge = training.knowledge(_config(run).get("distractors", 0))
        others = _read_others(run, knowledge)
    except CannotContinue:
        return {}
    tables = training.tables + [result.table for result in others if result.table is not None]
    _check_across_files(run, knowledge, paths, tables)
    check_hops(tables, settings, run.ledger)
    # of a sample, luck decides too much
    config = _config(run)
    guarded = bool(config.get("leak_guards") and config.get("distractors")) and not run.sample
    guarded = guarded and not config.get("facts")  # real facts have regularities of their own
    check_places([*training.places, *(one.places for one in others if one.places)], run.ledger)
    check_long_contexts([result.long for result in others if result.long], run.ledger)
    results = [result.solvers for result in others if result.solvers]
    return summarise(results, guarded, run.ledger)


def _config(run: AuditRun) -> Mapping[str, Any]:
    return run.manifest["config"]


def _read_tables(run: AuditRun) -> tuple[ParsedRelease, ListedPaths]:
    """Read and check relations, people, facts and paths.

    Returns:
        The release with the facts of data/facts; and the rows of data/paths.
    """
    try:
        table = read_table(run.manifest["relations"])
    except ReleaseError as error:
        run.ledger.check_whole("relations", MANIFEST, str(error))
        raise CannotContinue from None
    config = _config(run)
    relations, people, paths = map(run.open_table, ("relations", "people", "paths"))
    check_relations(table, relations, run.ledger)
    language = config.get("language", "english")
    files = run.files_of("facts")
    objects = objects_of(run.files, files)
    release = read_people(table, language, people, objects, run.ledger)
    release = replace(release, facts=_read_facts(run, release, files))
    return release, read_paths(table, paths, config, run.ledger)


def _read_facts(run: AuditRun, release: ParsedRelease, files: Sequence[str]) -> NDArray[np.int32]:
    """Read the files of data/facts.

    Returns:
        Object numbers, NOT_STATED where the table has no row; shape [relations, people].
    """
    listed = np.full(release.facts.shape, NOT_STATED, np.int32)

    def take(result: FactsResult) -> None:
        if result.facts is not None:
            enter_facts(release, listed, result.facts, run.ledger)

    run.fold_files("facts", files, FactsReader(run.files, release).start, take)
    return listed


def _read_biographies(run: AuditRun, release: ParsedRelease) -> ParsedRelease:
    """Read and check the biographies; return the release with the facts that they state."""
    paraphrases = 1 if run.sample else _config(run).get("paraphrases", 1)
    facts = Facts(release, release.facts)

    def take(result: BiographyResult) -> None:
        if result.biographies is not None:
            facts.add(result.biographies, paraphrases, run.ledger)

    files = [file for file in run.manifest["files"] if File(file).folder == "biographies"]
    reader = BiographyReader(run.files, release, first_only=bool(run.sample))
    run.fold_files("biographies", files, reader.start, take)
    release = replace(release, facts=facts.stated(), biographies=facts.index(), told=facts.told)
    share = _config(run).get("heldout_wordings", 0.0)
    check_biographies(release, facts, paraphrases, share, run.ledger)
    return release


def _question_files(run: AuditRun, training: bool) -> list[str]:
    """The training files of the skills, or all other files of questions."""
    return [
        file
        for file, entry in run.manifest["files"].items()
        if entry["schema"] in QUESTION_SCHEMAS
        and (File(file).folder in SKILLS and File(file).split == "train") == training
    ]


class Training:
    """What the training questions of a release are, and what solvers may learn from them.

    Attributes:
        release: The release.
        tables: The questions of each file.
        places: Where people stand in the contexts of each file.
    """

    def __init__(self, release: ParsedRelease) -> None:
        self.release = release
        self.tables: list[QuestionTable] = []
        self.places: list[Places] = []
        self._cue_hits: list[Counter] = []
        self._choices: list[Choices] = []
        self._popularity = Popularity.empty(release.people)

    def add(self, result: QuestionResult) -> None:
        """Add what one file holds."""
        if result.table is not None:
            self.tables.append(result.table)
        if result.places:
            self.places.append(result.places)
        self._cue_hits.append(result.cue_hits)
        if result.choices:
            self._choices.append(result.choices)
        if result.popularity:
            self._popularity.add(result.popularity)

    def knowledge(self, distractors: int) -> Knowledge:
        """What the solvers may learn."""
        exposure = {
            skill: TrainingExposure(
                self.release, [table for table in self.tables if table.file.folder == skill]
            )
            for skill in SKILLS
        }
        cues = best_cues(self._cue_hits)
        weights = fit_choices(self._choices, self._popularity)
        return Knowledge(self.release, exposure, cues, distractors, self._popularity, weights)


def _read_training(run: AuditRun, release: ParsedRelease) -> Training:
    """Read and check the training questions, and try the cues on them."""
    knowledge = Knowledge(release, {})
    knowledge.prepare()
    reader = QuestionReader(run.files, knowledge, _config(run), run.sample)
    training = Training(release)
    files = _question_files(run, training=True)
    run.fold_files("training questions", files, reader.start, training.add)
    return training


def _read_others(run: AuditRun, knowledge: Knowledge) -> list[QuestionResult]:
    """Read and check all questions but those of training, and run the solvers."""
    knowledge.prepare()
    reader = QuestionReader(run.files, knowledge, _config(run), run.sample)
    return run.read_files("test questions", _question_files(run, training=False), reader.start)


def _check_across_files(
    run: AuditRun, knowledge: Knowledge, paths: ListedPaths, tables: Sequence[QuestionTable]
) -> None:
    """Check what only all questions together can break."""
    release, exposure, config = knowledge.release, knowledge.exposure, _config(run)
    check_levels(release, tables, exposure, paths, config, run.ledger)
    check_open_books(tables, run.ledger)
    check_path_levels(release, paths, exposure, by_folds(config), run.ledger)
    check_probes(release, tables, run.ledger)
