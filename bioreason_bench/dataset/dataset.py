"""The data set of a configuration: everything that is decided before a row is written.

`Dataset` deals the rows of any tables and question sets to files and knows nothing of people.
`make_dataset` is where people come in: world → paths and levels → question sets.  Another family of
questions comes in here as well, with tables and question sets of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.config import WorldConfig
from bioreason_bench.dataset.sharding import SHARD_ROWS, Shard, by_key, key_range, rows_of_length
from bioreason_bench.dataset.world_tables import WorldTables
from bioreason_bench.draw import Draw
from bioreason_bench.questions.certificates import Certificates
from bioreason_bench.questions.contexts import Contexts
from bioreason_bench.questions.kinds.conflict import Conflicts
from bioreason_bench.questions.kinds.counterfactual import Counterfactuals
from bioreason_bench.questions.kinds.direction import DirectionPairs
from bioreason_bench.questions.kinds.unanswerable import UnanswerablePairs, sample_unanswerable
from bioreason_bench.questions.multihop import MultiHop, question_ids
from bioreason_bench.questions.openbook import OpenBook
from bioreason_bench.questions.probes import Asked, Probes
from bioreason_bench.questions.records import Writer
from bioreason_bench.questions.sets import Columns, QuestionSet
from bioreason_bench.splits import swaps
from bioreason_bench.splits.directions import sample_directions
from bioreason_bench.splits.levels import (
    RL,
    TEST,
    TRAIN,
    VALIDATION,
    PathPlan,
    plan_skill,
    test_pool,
    trained_relations,
)
from bioreason_bench.splits.paths import RelationPath
from bioreason_bench.splits.roles import deal_folds
from bioreason_bench.splits.starts import Starts
from bioreason_bench.taxonomy import LEVELS, OPEN_BOOK_SKILLS, SKILLS
from bioreason_bench.world.facts import World, make_world
from bioreason_bench.world.relations import CONTEXTUAL, PARAMETRIC

__all__ = ["Dataset", "Plan", "make_dataset", "make_writer"]


@dataclass(frozen=True)
class Dataset:
    """A world, its paths, and the rows of every file.

    Attributes:
        config: What was asked for.
        world: People and facts.
        paths: Skill -> its paths with levels and slices.
        certificates: What training uses.
        writer: Writes questions of any path.
        tables: The world's own tables.
        sets: The question sets, in the order of the release's layout.
    """

    config: WorldConfig
    world: World
    paths: Mapping[str, Sequence[PathPlan]]
    certificates: Certificates
    writer: Writer
    tables: WorldTables
    sets: Sequence[QuestionSet]

    def shards(self, shard_rows: int = SHARD_ROWS) -> list[Shard]:
        """Every file of the release, in the order of its layout; empty splits have none."""
        shards = self.tables.shards(shard_rows)
        for questions in self.sets:
            lengths = self.config.lengths if has_long_contexts(questions) else ()
            shards += by_key(questions, rows_of_length(lengths, shard_rows))
        return shards

    def make(self, shard: Shard) -> Columns:
        """The columns of one file: a function of the data set and of the shard alone."""
        for questions in self.sets:
            if (questions.folder, questions.split) == (shard.folder, shard.split):
                return questions.write(key_range(shard.number, shard.count))
        return self.tables.make(shard)


class Plan(NamedTuple):
    """What takes long to decide in a large world.

    Attributes:
        paths: Skill -> its paths with levels and slices.
        members: Path -> pool -> its valid starts in drawn order (`Starts.members`).
    """

    paths: Mapping[str, Sequence[PathPlan]]
    members: Mapping[RelationPath, Mapping[str, NDArray[np.int32]]]


def make_dataset(config: WorldConfig, plan: Plan | None = None) -> Dataset:
    """World, paths, levels and question sets.

    Args:
        config: What is asked for.
        plan: The plan of this very configuration, if it was made before.

    Raises:
        UsageError: The configuration asks for more than the world has.
    """
    writer, root = make_writer(config), Draw(config.seed)
    starts, world = writer.starts, writer.starts.world
    if plan is not None:
        starts.keep(plan.members)
    paths = plan_paths(config, starts) if plan is None else plan.paths
    certificates = Certificates.collect(starts, paths)
    sets = [
        *level_sets(config, paths, certificates, writer, root),
        *further_sets(config, paths, certificates, writer, root),
        Probes(lambda: test_questions(paths, starts), writer, root),
    ]
    tables = WorldTables(world, [plan for plans in paths.values() for plan in plans])
    return Dataset(config, world, paths, certificates, writer, tables, sets)


def make_writer(config: WorldConfig) -> Writer:
    """The world, and what writes questions on any path of it; no path is planned."""
    root = Draw(config.seed)
    starts = Starts(make_world(config), root.at("splits"))
    return Writer(starts, Contexts(starts, root.at("contexts")), root.at("wording"))


def plan_paths(config: WorldConfig, starts: Starts) -> dict[str, list[PathPlan]]:
    """The paths of each skill.

    comp uses only relations that are trained in their atomic skill, so that its zero-shot level
    isolates composing.
    """
    table, draw = starts.world.table, starts.draw
    folds = deal_folds(table, draw)
    paths: dict[str, list[PathPlan]] = {}
    for skill, group in (("mem", PARAMETRIC), ("ctx", CONTEXTUAL)):
        relations = [number for number, row in enumerate(table.relations) if row.group == group]
        paths[skill] = plan_skill(config, starts, skill, relations, folds, draw.at(skill))
    atomic = sorted(trained_relations(paths["mem"] + paths["ctx"]))
    paths["comp"] = plan_skill(config, starts, "comp", atomic, folds, draw.at("comp"))
    return paths


def level_sets(
    config: WorldConfig,
    paths: Mapping[str, Sequence[PathPlan]],
    certificates: Certificates,
    writer: Writer,
    root: Draw,
) -> Iterator[QuestionSet]:
    """Training questions, the RL subset, and both splits of every level, skill by skill.

    Levels that recall come with open books as well, if the configuration says so.  Only the
    questions of levels have long contexts.
    """
    contexts = replace(writer.contexts, lengths=config.lengths)
    long_writer = replace(writer, contexts=contexts)
    for skill in SKILLS:
        splits = [(TRAIN, TRAIN)]
        if config.skill(skill).rl:
            splits.append((RL, RL))
        splits += [(level, split) for level in config.levels for split in (VALIDATION, TEST)]
        for level, split in splits:
            plans = [plan for plan in paths[skill] if plan.count(level, split)]
            own = long_writer if level in config.levels else writer
            rest = (plans, writer.starts, own, certificates, root)
            yield MultiHop(skill, level, split, *rest)
            opened = config.open_book and not config.lengths and skill in OPEN_BOOK_SKILLS
            if opened and level in LEVELS:
                yield OpenBook(skill, level, split, *rest)


def has_long_contexts(questions: QuestionSet) -> bool:
    """Whether the set's contexts are filled up if the configuration has `context_tokens`."""
    skill, _, level = questions.folder.partition("/")
    return skill != "mem" and level in LEVELS


def further_sets(
    config: WorldConfig,
    paths: Mapping[str, Sequence[PathPlan]],
    certificates: Certificates,
    writer: Writer,
    root: Draw,
) -> Iterator[QuestionSet]:
    """The kinds of questions beyond the levels (taxonomy.QUESTION_KINDS)."""
    starts, pool, draw = writer.starts, test_pool(config), writer.starts.draw
    trained = partial(certificates.write, "comp", path_in_train=True)
    pairs: list[swaps.Swap] = []
    for rule, count, kind in (
        (swaps.COUNTERFACTUAL, config.comp.counterfactual, Counterfactuals),
        (swaps.CONFLICT, config.comp.conflict, Conflicts),
    ):
        stream = draw.at(rule.name)
        sampled = swaps.sample_swaps(
            rule, starts, paths["comp"], count, pool=pool, taken=pairs, draw=stream
        )
        pairs += sampled
        yield kind(sampled, writer, trained, root)
    facts = sample_directions(starts.world, config.mem.direction, draw.at("direction"))
    yield DirectionPairs(facts, writer, partial(certificates.write, "mem", path_in_train=False))
    for skill in ("ctx", "comp"):
        plans = [plan for plan in paths[skill] if plan.count("iid", TEST)]
        questions = MultiHop(skill, "iid", TEST, plans, starts, writer, certificates, root)
        chosen = sample_unanswerable(questions, config.skill(skill).unanswerable)
        yield UnanswerablePairs(questions, chosen)


def test_questions(paths: Mapping[str, Sequence[PathPlan]], starts: Starts) -> Iterator[Asked]:
    """Every test question of every level, path by path."""
    for plans in paths.values():
        for plan in plans:
            for level, split in plan.slices:
                if split == TEST:
                    people = plan.starts(starts, level, split)
                    yield Asked(plan.path, people, partial(question_ids, plan.skill, level, plan))
