"""The audit of a family of questions: people, their biographies, and paths of relations.

    manifest → relations, people, facts, paths → biographies → training questions → other questions
    → levels, probes, scores

Every stage reads its files in several processes. What a process finds in a file comes back as a
`Ledger` and arrays of integers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.audit.laws.contexts.long import check_long_contexts
from bioreason_bench.audit.laws.contexts.open_book import check_open_books
from bioreason_bench.audit.laws.contexts.places import check_places
from bioreason_bench.audit.laws.holdout import by_folds
from bioreason_bench.audit.laws.levels import check_levels
from bioreason_bench.audit.laws.probes import check_probes
from bioreason_bench.audit.laws.settings import check_config, check_hops, check_people_of
from bioreason_bench.audit.laws.values import check_names, check_values_of
from bioreason_bench.audit.laws.world import check_world
from bioreason_bench.audit.people_file import BiographyReader, QuestionReader, QuestionResult
from bioreason_bench.audit.reading.biographies import check_biographies, facts_from
from bioreason_bench.audit.reading.parser import ParsedRelease
from bioreason_bench.audit.reading.paths import ListedPaths, check_path_levels, read_paths
from bioreason_bench.audit.reading.questions import File, QuestionTable
from bioreason_bench.audit.reading.tables import check_relations, read_facts, read_people
from bioreason_bench.audit.reading.training import TrainingExposure
from bioreason_bench.audit.report import Scores
from bioreason_bench.audit.run import AuditRun, CannotContinue
from bioreason_bench.audit.solvers.choices import fit_choices
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


@dataclass(frozen=True)
class World:
    """The tables of a release.

    Attributes:
        release: Relations, people and texts; and facts, once the biographies are read.
        listed: The facts of data/facts, shape [relations, people].
        paths: The rows of data/paths.
    """

    release: ParsedRelease
    listed: NDArray[np.int32]
    paths: ListedPaths


def check_people(run: AuditRun) -> Scores:
    """Check the laws of the family.

    Returns:
        The scores of the solvers; none if the files of an earlier stage cannot be read.
    """
    settings = check_config(run.manifest, run.ledger)
    if settings is None:
        return {}
    try:
        world = _read_tables(run)
        release = _read_biographies(run, world)
        check_world(release, _config(run), run.ledger)
        check_people_of(release, settings, run.ledger)
        check_names(release, settings, run.ledger)
        check_values_of(release, settings, run.ledger)
        training = _read_training(run, release)
        knowledge = _learn(run, release, training)
        others = _read_others(run, knowledge)
    except CannotContinue:
        return {}
    tables = _tables(training) + _tables(others)
    _check_across_files(run, replace(world, release=release), tables, knowledge.exposure)
    check_hops(tables, settings, run.ledger)
    # of a sample, luck decides too much
    config = _config(run)
    guarded = bool(config.get("leak_guards") and config.get("distractors")) and not run.sample
    guarded = guarded and not config.get("facts")  # real facts have regularities of their own
    places = [result.places for result in [*training, *others] if result.places]
    check_places(places, run.ledger)
    check_long_contexts([result.long for result in others if result.long], run.ledger)
    results = [result.solvers for result in others if result.solvers]
    return summarise(results, guarded, run.ledger)


def _config(run: AuditRun) -> Mapping[str, Any]:
    return run.manifest["config"]


def _read_tables(run: AuditRun) -> World:
    """Read and check relations, people, facts and paths."""
    try:
        table = read_table(run.manifest["relations"])
    except ReleaseError as error:
        run.ledger.check_whole("relations", MANIFEST, str(error))
        raise CannotContinue from None
    config = _config(run)
    relations, people, facts, paths = map(run.open_table, ("relations", "people", "facts", "paths"))
    check_relations(table, relations, run.ledger)
    language = config.get("language", "english")
    release = read_people(table, language, people, facts, run.ledger)
    listed = read_facts(release, facts, run.ledger)
    return World(release, listed, read_paths(table, paths, config, run.ledger))


def _read_biographies(run: AuditRun, world: World) -> ParsedRelease:
    """Read and check the biographies; return the release with the facts that they state."""
    files = [file for file in run.manifest["files"] if File(file).folder == "biographies"]
    reader = BiographyReader(run.files, world.release, first_only=bool(run.sample))
    results = run.read_files("biographies", files, reader.start)
    biographies = [result.biographies for result in results if result.biographies]
    facts, index, told = facts_from(world.release, biographies)
    release = replace(world.release, facts=facts, biographies=index, told=told)
    paraphrases = 1 if run.sample else _config(run).get("paraphrases", 1)
    share = _config(run).get("heldout_wordings", 0.0)
    check_biographies(release, world.listed, biographies, paraphrases, share, run.ledger)
    return release


def _question_files(run: AuditRun, training: bool) -> list[str]:
    """The training files of the skills, or all other files of questions."""
    return [
        file
        for file, entry in run.manifest["files"].items()
        if entry["schema"] in QUESTION_SCHEMAS
        and (File(file).folder in SKILLS and File(file).split == "train") == training
    ]


def _read_training(run: AuditRun, release: ParsedRelease) -> list[QuestionResult]:
    """Read and check the training questions, and try the cues on them."""
    knowledge = Knowledge(release, {})
    knowledge.prepare()
    reader = QuestionReader(run.files, knowledge, _config(run), run.sample)
    return run.read_files("training questions", _question_files(run, training=True), reader.start)


def _learn(run: AuditRun, release: ParsedRelease, training: Sequence[QuestionResult]) -> Knowledge:
    """Collect what the solvers may learn from the training questions."""
    tables = _tables(training)
    exposure = {
        skill: TrainingExposure.collect(
            release, [table for table in tables if table.file.folder == skill]
        )
        for skill in SKILLS
    }
    cues = best_cues(result.cue_hits for result in training)
    popularity = Popularity.empty(release.people)
    for result in training:
        if result.popularity:
            popularity.add(result.popularity)
    weights = fit_choices((result.choices for result in training if result.choices), popularity)
    distractors = _config(run).get("distractors", 0)
    return Knowledge(release, exposure, cues, distractors, popularity, weights)


def _read_others(run: AuditRun, knowledge: Knowledge) -> list[QuestionResult]:
    """Read and check all questions but those of training, and run the solvers."""
    knowledge.prepare()
    reader = QuestionReader(run.files, knowledge, _config(run), run.sample)
    return run.read_files("test questions", _question_files(run, training=False), reader.start)


def _check_across_files(
    run: AuditRun,
    world: World,
    tables: Sequence[QuestionTable],
    exposure: Mapping[str, TrainingExposure],
) -> None:
    """Check what only all questions together can break."""
    release, config = world.release, _config(run)
    check_levels(release, tables, exposure, world.paths, config, run.ledger)
    check_open_books(tables, run.ledger)
    check_path_levels(release, world.paths, exposure, by_folds(config), run.ledger)
    check_probes(release, tables, run.ledger)


def _tables(results: Sequence[QuestionResult]) -> list[QuestionTable]:
    return [result.table for result in results if result.table is not None]
