"""The laws of many rows together: levels, certificates, splits and counts.

See docs/design.md, Paths and levels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.audit.laws.holdout import by_folds, check_holdout
from bioreason_bench.audit.ledger import Ledger, Location
from bioreason_bench.audit.reading.duplicates import RowKeys, check_unique
from bioreason_bench.audit.reading.parser import ParsedRelease
from bioreason_bench.audit.reading.paths import ListedPaths
from bioreason_bench.audit.reading.questions import (
    CERTIFICATE,
    NO_KEYS,
    QuestionTable,
    code_of,
    path_of,
)
from bioreason_bench.audit.reading.training import TrainingExposure, pair_keys, people_mask
from bioreason_bench.questions.prompts import UNANSWERABLE
from bioreason_bench.taxonomy import LEVELS, OPEN_BOOK, OPEN_BOOK_SKILLS, QUESTION_KINDS, SKILLS

__all__ = [
    "TABLE_LEVELS",
    "Certificate",
    "certificate",
    "check_levels",
    "check_training",
    "direction_seen",
]

Certificate = dict[str, NDArray[np.int64]]  # column → values, shape [rows]; booleans are 0 and 1
TABLE_LEVELS = {  # level of a question → levels that data/paths may give its path
    "train": {"train", "iid"},
    "iid": {"iid"},
    "entity": {"train", "iid"},
    "composition": {"composition"},
    "zeroshot": {"zeroshot"},
    "depth": {"depth"},
}
NUMBERS = ("pairs_unseen", "hops_beyond_train", "people_in_train", "heldout_wordings")
PORTIONS = 10  # nested tenths of the training questions


def check_levels(
    release: ParsedRelease,
    files: Sequence[QuestionTable],
    exposure: Mapping[str, TrainingExposure],
    paths: ListedPaths,
    config: Mapping[str, Any],
    ledger: Ledger,
) -> None:
    """Check levels, certificates, splits and counts.

    Args:
        release: The release, with its facts.
        files: All files of questions.
        exposure: The training questions of each skill.
        paths: The rows of data/paths.
        config: The config in the manifest.
        ledger: Where checks are counted.
    """
    for table in files:
        skill = table.file.skill
        if _is_train(table):  # `check_training` has checked its rows
            _check_paths(release, table, paths, ledger)
            continue
        computed = certificate(table, exposure[skill]) if skill else _of_probes(release, table)
        _check_certificate(table, computed, release, ledger)
        if table.file.level in TABLE_LEVELS:
            folds = by_folds(config)
            level = LevelCheck(release, table, computed, exposure[skill], folds, ledger)
            level.check_level()
            if config.get("heldout_starts"):
                level.check_starts()
            _check_paths(release, table, paths, ledger)
    by_roles = not by_folds(config)
    _check_repetition(files, by_roles, ledger)
    if by_folds(config) and not config.get("facts"):
        check_holdout(release, files, exposure, paths, ledger)
    for skill in SKILLS:
        tables = [table for table in files if table.file.skill == skill]
        _check_counts(tables, skill, config, ledger)
        _check_rl(tables, exposure[skill], by_roles, ledger)
        _check_portions(tables, ledger)


# certificates -------------------------------------------------------------------------------------


def certificate(table: QuestionTable, exposure: TrainingExposure) -> Certificate:
    """Compute the certificate of each row from the training questions of its skill.

    Returns:
        The columns of CERTIFICATE; unseen_relations as `code_of` the sorted relations.
    """
    release = exposure.release
    base = len(release.table)
    codes, path = np.unique(table.path, return_inverse=True)
    paths = [path_of(code, base) for code in codes]
    unseen = [sorted(set(relations) - exposure.relations) for relations in paths]
    pairs = [len(set(pairwise(relations)) - exposure.pairs) for relations in paths]
    people = people_mask(release, table.walk)
    trained_people = exposure.people[np.where(people, table.walk, 0)] & people
    questions = pair_keys(table.start, table.path)
    return {
        "path_in_train": np.isin(codes, exposure.paths)[path].astype(np.int64),
        "unseen_relations": np.array([code_of(numbers, base) for numbers in unseen], int)[path],
        "pairs_unseen": np.array(pairs, np.int64)[path],
        "start_in_train": np.isin(questions, exposure.questions).astype(np.int64),
        "hops_beyond_train": np.maximum(0, table.hops - exposure.longest),
        "people_in_train": trained_people.sum(axis=1),
        "direction_seen": direction_seen(release, table),
        "heldout_wordings": heldout_wordings(release, table),
    }


def check_training(release: ParsedRelease, table: QuestionTable, ledger: Ledger) -> None:
    """Check the certificates of a training file, which no other file is needed for.

    Its paths, relations, pairs and questions are in training, and so is everybody on its chains.
    """
    people = people_mask(release, table.walk)
    zeros = np.zeros(len(table), np.int64)
    _check_certificate(
        table,
        {
            "path_in_train": zeros + 1,
            "unseen_relations": zeros,
            "pairs_unseen": zeros,
            "start_in_train": zeros + 1,
            "hops_beyond_train": zeros,
            "people_in_train": people.sum(axis=1),
            "direction_seen": direction_seen(release, table),
            "heldout_wordings": heldout_wordings(release, table),
        },
        release,
        ledger,
    )
    ledger.check("train", table.file.name, int((table.path >= 0).sum()))


def _of_probes(release: ParsedRelease, table: QuestionTable) -> Certificate:
    """The certificate of probes: no training question is like them."""
    columns = {name: np.zeros(len(table), np.int64) for name in CERTIFICATE}
    return columns | {
        "direction_seen": direction_seen(release, table),
        "heldout_wordings": heldout_wordings(release, table),
    }


def direction_seen(release: ParsedRelease, table: QuestionTable) -> NDArray[np.int64]:
    """Whether each question asks for no reversed fact, 0 or 1; shape [rows].

    A hop reverses a fact if its own relation is contextual, its inverse is parametric, and the
    parametric biography of the person it leads to states the mirror.
    """
    codes, path = np.unique(table.path, return_inverse=True)
    reversed_ = np.zeros(len(table), bool)
    for number, code in enumerate(codes):
        rows = np.flatnonzero(path == number)
        for hop, relation in enumerate(path_of(code, len(release.table))):
            mirror = release.inverses[relation]
            if release.parametric[relation] or mirror < 0 or not release.parametric[mirror]:
                continue
            subject, target = table.walk[rows, hop], table.walk[rows, hop + 1]
            person = (target >= 0) & (target < release.people)
            stated = release.facts[mirror, np.where(person, target, 0)] == subject
            reversed_[rows] |= person & stated
    return (~reversed_).astype(np.int64)


def heldout_wordings(release: ParsedRelease, table: QuestionTable) -> NDArray[np.int64]:
    """The recalled hops of each question whose subject has held-out wordings, shape [rows]."""
    codes, path = np.unique(table.path, return_inverse=True)
    counts = np.zeros(len(table), np.int64)
    for number, code in enumerate(codes):
        rows = np.flatnonzero(path == number)
        for hop, relation in enumerate(path_of(code, len(release.table))):
            if release.parametric[relation]:
                subject = table.walk[rows, hop]
                person = (subject >= 0) & (subject < release.people)
                counts[rows] += person & release.heldout_wordings[np.where(person, subject, 0)]
    return counts


def _check_certificate(
    table: QuestionTable, computed: Certificate, release: ParsedRelease, ledger: Ledger
) -> None:
    """Compare the recorded certificate with the computed one, for rows that can be read."""
    readable = table.path >= 0

    def check(name: str, expected: NDArray[np.int64], recorded: NDArray[np.int64]) -> None:
        ledger.check(
            name,
            table.file.name,
            int(readable.sum()),
            np.flatnonzero(readable & (recorded != expected)),
            lambda row: (
                f"{name} must be {_value(name, expected[row], release)}, "
                f"found {_value(name, recorded[row], release)}"
            ),
        )

    for name, expected in computed.items():
        if name in table.recorded:
            check(name, expected, table.recorded[name])


def _value(name: str, value: int, release: ParsedRelease) -> object:
    """A value of a certificate as the release writes it."""
    if name in NUMBERS:
        return int(value)
    if name != "unseen_relations":
        return bool(value)
    if value < 0:
        return "unknown names"
    return list(release.table.path_names(path_of(value, len(release.table))))


# levels -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LevelCheck:
    """One file of a level.

    Attributes:
        release: The release.
        table: The questions.
        computed: Their certificate.
        exposure: The training questions of the skill.
        folds: Whether relations are held out by folds, and pairs of relations with them.
        ledger: Where checks are counted.
    """

    release: ParsedRelease
    table: QuestionTable
    computed: Certificate
    exposure: TrainingExposure
    folds: bool
    ledger: Ledger

    def check_level(self) -> None:
        """The certificate of each row is one of the level of the file."""
        level, computed = self.table.file.level, self.computed
        seen, trained = computed["path_in_train"] == 1, computed["start_in_train"] == 1
        known, longer = computed["unseen_relations"] == 0, computed["hops_beyond_train"] > 0
        new_pair = computed["pairs_unseen"] > 0 if self.folds else ~seen
        old_pairs = computed["pairs_unseen"] == 0 if self.folds else known
        holds = {
            "train": seen,
            "iid": seen & ~trained,
            "composition": ~seen & known & new_pair,
            "zeroshot": ~known,
            "entity": seen & (computed["people_in_train"] == 0),
            "depth": longer & known & ~seen & old_pairs,
        }[level]

        def describe(row: int) -> str:
            others = ("direction_seen", "heldout_wordings")
            names = [name for name in CERTIFICATE if name not in others]
            values = (_value(name, computed[name][row], self.release) for name in names)
            pairs = (f"{name} {value}" for name, value in zip(names, values, strict=True))
            return "training says " + ", ".join(pairs)

        readable = self.table.path >= 0
        rows = np.flatnonzero(readable & ~holds)
        self.ledger.check(level, self.table.file.name, int(readable.sum()), rows, describe)

    def check_starts(self) -> None:
        """No test question has a start of a training question, the level entity aside."""
        table = self.table
        if table.file.level in ("train", "entity"):
            return
        readable = table.path >= 0
        trained = self.exposure.starts[np.where(readable, table.start, 0)]
        self.ledger.check(
            "held-out starts",
            table.file.name,
            int(readable.sum()),
            np.flatnonzero(readable & trained),
            lambda row: f"{self.release.text(table.start[row])} is the start of training questions",
        )


def _check_paths(
    release: ParsedRelease, table: QuestionTable, paths: ListedPaths, ledger: Ledger
) -> None:
    """Every path is listed in data/paths, with a level that fits that of the file."""
    skill, base = table.file.skill, len(release.table)
    wanted = TABLE_LEVELS[table.file.level]
    codes, path = np.unique(table.path, return_inverse=True)
    listed = [code < 0 or not wanted.isdisjoint(paths.of(skill, code)) for code in codes.tolist()]

    def describe(row: int) -> str:
        code = int(table.path[row])
        names = " > ".join(release.table.path_names(path_of(code, base)))
        levels = ", ".join(sorted(paths.of(skill, code))) or "no row"
        return (
            f"the path {names} must be in data/paths with level "
            f"{' or '.join(sorted(wanted))}, and has {levels}"
        )

    rows = np.flatnonzero(~np.array(listed, bool)[path])
    ledger.check("in paths", table.file.name, len(table), rows, describe)


# splits -------------------------------------------------------------------------------------------


def _check_repetition(files: Sequence[QuestionTable], by_roles: bool, ledger: Ledger) -> None:
    """No question and no id occurs twice; by roles, rl files repeat training rows."""
    own = [table for table in files if not (by_roles and table.file.split == "rl")]
    levels = [table for table in own if table.file.level in TABLE_LEVELS]
    questions = [(table, pair_keys(table.start, table.path)) for table in levels]
    keys = [RowKeys(table.file.name, key, table.path >= 0) for table, key in questions]
    check_unique("once", "start and path", keys, ledger)
    keys = [RowKeys(table.file.name, table.text, table.path >= 0) for table in levels]
    check_unique("once", "question text", keys, ledger)
    keys = [RowKeys(table.file.name, table.id) for table in own]
    check_unique("unique ids", "id", keys, ledger)
    if by_roles:
        keys = [RowKeys(table.file.name, table.id) for table in files if table.file.split == "rl"]
        check_unique("unique ids", "id", keys, ledger)
    for kind in QUESTION_KINDS:
        tables = [table for table in files if table.file.folder == kind.folder]
        keys = [RowKeys(table.file.name, _keys_of_kind(table), table.path >= 0) for table in tables]
        check_unique("once", "question of this kind", keys, ledger)


def _keys_of_kind(table: QuestionTable) -> NDArray[np.uint64]:
    """A number for each question; the two of a pair with one text have different ones."""
    none = np.zeros(len(table), np.int64)
    altered = table.recorded.get("altered", table.recorded.get("answerable", none))
    return pair_keys(table.start, table.path) * np.uint64(2) + altered.astype(np.uint64)


def _check_counts(
    files: Sequence[QuestionTable], skill: str, config: Mapping[str, Any], ledger: Ledger
) -> None:
    """Every split of a skill has as many questions as the config says."""
    sizes = config[skill]
    wanted = {(skill, "train"): sizes["train"], (skill, "rl"): sizes.get("rl", 0)}
    for level in LEVELS:
        count = sizes[level] if level in config["levels"] else 0
        wanted[f"{skill}/{level}", "test"] = count
        wanted[f"{skill}/{level}", "validation"] = -(-count // 10)  # a tenth, rounded up
        if skill in OPEN_BOOK_SKILLS:
            has_open_books = config.get("open_book") and not config.get("context_tokens")
            opened = count if has_open_books else 0
            wanted[f"{skill}/{level}_{OPEN_BOOK}", "test"] = opened
            wanted[f"{skill}/{level}_{OPEN_BOOK}", "validation"] = -(-opened // 10)
    for kind in {kind.name: kind for kind in QUESTION_KINDS}.values():
        wanted[f"{skill}/{kind.name}", "test"] = kind.rows * sizes.get(kind.name, 0)
    actual: dict[tuple[str, str], int] = {}
    for table in files:
        split = table.file.folder, table.file.split
        actual[split] = actual.get(split, 0) + len(table)
    for (folder, name), count in wanted.items():
        have = actual.get((folder, name), 0)
        fits = have <= count if name == "test" and folder.endswith(UNANSWERABLE) else have == count
        problem = None if fits else f"{have:,} questions, the config says {count:,}"
        ledger.check_whole("counts", f"data/{folder}/{name}", problem)


def _is_train(table: QuestionTable) -> bool:
    return table.file.folder == table.file.skill and table.file.split == "train"


def _check_rl(
    files: Sequence[QuestionTable], exposure: TrainingExposure, by_roles: bool, ledger: Ledger
) -> None:
    """The rows of rl files are rows of the training files, or follow trained paths from new starts.

    Args:
        files: The files of a skill.
        exposure: Its training questions.
        by_roles: Whether relations are held out by roles; then the rows are training rows.
        ledger: Where checks are counted.
    """
    train = [table for table in files if _is_train(table) and by_roles]
    rows = np.concatenate([NO_KEYS, *(table.id ^ table.content for table in train)])
    for table in files:
        if table.file.split != "rl":
            continue
        if by_roles:
            strange = ~np.isin(table.id ^ table.content, rows)
            problem = "this row is not in the training files"
        else:
            repeated = np.isin(pair_keys(table.start, table.path), exposure.questions)
            strange = repeated | ~np.isin(table.path, exposure.paths)
            problem = "the path must be trained, and not from this start"
        ledger.check("rl", table.file.name, len(table), np.flatnonzero(strange), problem)


def _check_portions(files: Sequence[QuestionTable], ledger: Ledger) -> None:
    """A tenth holds a tenth of the questions of every path, to within one question."""
    train = [table for table in files if _is_train(table)]
    if not train:
        return
    path = np.concatenate([table.path for table in train])
    portion = np.concatenate([table.recorded["portion"] for table in train])
    codes, index = np.unique(path, return_inverse=True)
    total = np.bincount(index)
    counts = np.zeros((len(codes), PORTIONS + 1), np.int64)  # portion 0 is none
    np.add.at(counts, (index, np.clip(portion, 0, PORTIONS)), 1)
    even = total[:, None] * np.arange(1, PORTIONS + 1) / PORTIONS
    off = np.abs(counts[:, 1:].cumsum(axis=1) - even).max(axis=1)
    broken = np.flatnonzero((off > 1.001) & (codes >= 0))

    def locate(number: int) -> Location:
        table = next(table for table in train if codes[number] in table.path)
        return table.file.name, int(np.flatnonzero(table.path == codes[number])[0])

    def describe(number: int) -> str:
        return (
            f"a path with {total[number]} questions has {counts[number, 1:].tolist()} of them "
            f"in the portions 1 to {PORTIONS}"
        )

    ledger.check("portions", locate, len(codes), broken, describe)
