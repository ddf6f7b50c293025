"""What the audits of all families but people share: reading rows, common laws, scores of solvers.

    files = read_questions(run, laws, check)          check(file, rows, ledger) -> what it found
    check_common(run, files)                           the laws of COMMON_LAWS
    score(right, chance, shortcut)                     one entry of audit.json

A family's `check` (family.py) calls these, then its own laws.  Nothing here is used by a generator.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from bioreason_bench.audit.catalogue import FILE_LAWS
from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.reading.files import open_file
from bioreason_bench.audit.run import AuditRun, FileTask
from bioreason_bench.errors import UsageError
from bioreason_bench.family import family_of
from bioreason_bench.release.files import Files
from bioreason_bench.release.manifest import MANIFEST
from bioreason_bench.statistics import wilson_interval

__all__ = [
    "COMMON_LAWS",
    "Rows",
    "Seen",
    "check_common",
    "check_ids",
    "check_settings",
    "longest_beginning",
    "read_questions",
    "repeated",
    "score",
]

COMMON_LAWS = {
    "config": "the config is given in full and agrees with the head of the manifest",
    "unique ids": "no two rows share an id",
    "placed": "skill and level fit the row's file, and so does the beginning of its id",
    "answer": "the answer ends the chain, and is the last of the entities",
    "once": "no question text occurs twice, a context aside; an open book repeats its level's",
}
OPEN = "_openbook"
Rows = list[dict[str, Any]]
Check = Callable[[str, Rows, Ledger], Any]


@dataclass(frozen=True)
class Seen:
    """What one file holds, as it is sent between processes.

    Attributes:
        task: The file.
        ledger: The checks of its rows.
        complete: Whether it could be read.
        ids: The id of each row.
        questions: The question of each row.
        found: What the family's own check returned.
    """

    task: FileTask
    ledger: Ledger
    complete: bool
    ids: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    found: Any = None

    @property
    def folder(self) -> str:
        """The folder below data/, such as strings/iid."""
        return self.task.file.removeprefix("data/").rpartition("/")[0]

    @property
    def split(self) -> str:
        """The split, such as test."""
        return self.task.file.rpartition("/")[2].split("-")[0]


def check_settings(run: AuditRun) -> Any:
    """Check that the settings can be made again, are complete, and agree with the head.

    Returns:
        The settings, None if they are broken.
    """
    family, manifest = family_of(run.manifest), run.manifest
    try:
        settings = family.settings(manifest["config"])
    except UsageError as error:
        run.ledger.check_whole("config", MANIFEST, str(error))
        return None
    values = settings.as_dict()
    different = [name for name in values if manifest["config"].get(name) != values[name]]
    problem = f"{different[0]} must be given in full" if different else None
    run.ledger.check_whole("config", MANIFEST, problem)
    for name in ("preset", "seed", "family"):
        same = manifest[name] == values[name] and type(manifest[name]) is type(values[name])
        problem = f"{name} is {values[name]!r}, and {manifest[name]!r} at the head of the manifest"
        run.ledger.check_whole("config", MANIFEST, None if same else problem)
    return None if different else settings


def read_questions(
    run: AuditRun, stage: str, files: Sequence[str], laws: Mapping[str, str], check: Check
) -> list[Seen]:
    """Read files of questions in worker processes, check the common laws of rows and the family's.

    Args:
        run: The audit.
        stage: What the progress bar calls it.
        files: The files.
        laws: All laws of the family, COMMON_LAWS among them.
        check: (file, rows, ledger) → what the family wants to know of the file; must be picklable,
            and so must what it returns.

    Raises:
        CannotContinue: A file cannot be read; the ledger says which.
    """
    start = partial(_Reader, run.files, {**FILE_LAWS, **laws}, check)
    return run.read_files(stage, files, start)


@dataclass(frozen=True)
class _Reader:
    files: Files
    laws: Mapping[str, str]
    check: Check

    def __call__(self, task: FileTask) -> Seen:
        ledger = Ledger(self.laws)
        table = open_file(self.files, task.file, task.entry, ledger)
        if table is None:
            return Seen(task, ledger, complete=False)
        rows = table.to_pylist()
        _check_rows(task.file, rows, ledger)
        found = self.check(task.file, rows, ledger)
        ids, questions = ([row[name] for row in rows] for name in ("id", "question"))
        return Seen(task, ledger, True, ids, questions, found)


def _check_rows(file: str, rows: Rows, ledger: Ledger) -> None:
    folder, _, name = file.removeprefix("data/").rpartition("/")
    skill, _, level = folder.partition("/")
    split = name.split("-")[0]
    level = level.removesuffix(OPEN) or ("train" if split in ("train", "rl") else split)
    start = f"{folder.replace('/', '-')}-{split}-"
    misplaced = [
        index
        for index, row in enumerate(rows)
        if (row["skill"], row["level"]) != (skill, level) or not row["id"].startswith(start)
    ]
    text = f"skill {skill}, level {level} and an id that begins with {start}"
    ledger.check("placed", file, len(rows), misplaced, text)
    wrong = [
        index
        for index, row in enumerate(rows)
        if not row["chain"].endswith(f"the answer is: {row['answer']}")
        or row["entities"][-1] != row["answer"]
    ]
    ledger.check("answer", file, len(rows), wrong, "chain, entities and answer end alike")


def check_common(run: AuditRun, files: Sequence[Seen]) -> None:
    """Check ids and questions across the files of a release."""
    check_ids(run.ledger, files)
    questions: set[str] = set()
    for seen in files:
        if seen.folder.endswith(OPEN):
            continue
        known = [index for index, text in enumerate(seen.questions) if text in questions]
        known += repeated(seen.questions)
        questions.update(seen.questions)
        run.ledger.check(
            "once", seen.task.file, len(seen.questions), sorted({*known}), "a question of its own"
        )


def check_ids(ledger: Ledger, files: Sequence[Seen]) -> None:
    """Check that no two rows of a release share an id."""
    ids: set[str] = set()
    for seen in files:
        twice = [index for index, name in enumerate(seen.ids) if name in ids]
        twice += repeated(seen.ids)
        ids.update(seen.ids)
        ledger.check(
            "unique ids", seen.task.file, len(seen.ids), sorted({*twice}), "an id of its own"
        )


def repeated(values: Sequence[Hashable]) -> list[int]:
    """The places of the values that stand in the sequence before."""
    if len(set(values)) == len(values):
        return []
    first: dict[Hashable, int] = {}
    return [index for index, value in enumerate(values) if first.setdefault(value, index) != index]


def longest_beginning(train: Mapping[str, str], tests: Sequence[str]) -> list[str]:
    """A shortcut: the answer to the training question that begins with most of a test's words.

    Args:
        train: Question → answer; of questions that begin alike, the first one counts.
        tests: The questions to answer.
    """
    first: dict[str, str] = {}
    for text, answer in train.items():
        words = text.split()
        for end in range(1, len(words) + 1):
            first.setdefault(" ".join(words[:end]), answer)
    found = []
    for text in tests:
        words = text.split()
        begins = (" ".join(words[:end]) for end in range(len(words), 0, -1))
        found.append(next((first[begin] for begin in begins if begin in first), ""))
    return found


def score(right: Sequence[bool], chance: float, shortcut: bool = True) -> dict[str, Any]:
    """The entry of audit.json for one solver on one config.

    Args:
        right: Whether each question is answered.
        chance: The expected score of a guess.
        shortcut: False if the solver does what the questions ask.
    """
    verdicts = np.array(right, bool)
    low, high = wilson_interval(verdicts, np.arange(len(verdicts)))
    return {
        "questions": len(verdicts),
        "score": round(float(verdicts.mean()), 6),
        "low": round(low, 6),
        "high": round(high, 6),
        "chance": round(chance, 6),
        "shortcut": shortcut,
    }
