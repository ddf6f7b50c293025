"""The whole audit of a release, from its files alone.

    manifest and folder → relations, people, facts, paths → biographies → training questions → all other questions → levels, scores

Every stage reads its files in several processes; what one process finds in a file comes back as a `Ledger` and arrays of integers.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from bioreason_bench._version import __version__
from bioreason_bench.audit.laws.levels import check_levels
from bioreason_bench.audit.laws.pairs import BEYOND
from bioreason_bench.audit.laws.probes import check_probes
from bioreason_bench.audit.laws.rows import RowLaws
from bioreason_bench.audit.laws.world import check_world
from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.reading.biographies import (
    Biographies,
    check_biographies,
    read_biographies,
)
from bioreason_bench.audit.reading.evidence import Evidence, Parser
from bioreason_bench.audit.reading.files import check_folder, open_file
from bioreason_bench.audit.reading.questions import File, Rows, RowsMaker, read_items
from bioreason_bench.audit.reading.tables import (
    check_path_levels,
    check_relations,
    read_evidence,
    read_facts,
    read_paths,
)
from bioreason_bench.audit.reading.training import Shown
from bioreason_bench.audit.solvers.knowledge import Knowledge
from bioreason_bench.audit.solvers.scores import Trial, summarise
from bioreason_bench.audit.solvers.solvers import learn, observe
from bioreason_bench.config import SKILLS, renamed
from bioreason_bench.errors import ReleaseError
from bioreason_bench.release.manifest import MANIFEST
from bioreason_bench.workers import available_cores, run
from bioreason_bench.world.table import read_table

__all__ = ["Audit", "verify"]

BATCH = 2_048  # rows that a process holds as Python values
OBSERVED = 400  # training questions of each file from which the solvers learn which marks pay
Advance = Callable[[str, int, int], None]  # stage, rows done, rows in all


@dataclass
class Audit:
    """What was found in a release."""

    folder: Path
    manifest: str  # sha256 of manifest.json
    sample: int
    ledger: Ledger = field(default_factory=Ledger)
    scores: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return not self.ledger.broken

    def as_dict(self) -> dict[str, Any]:
        """audit.json, as schemas/audit.schema.json describes it."""
        return {
            "format": 1,
            "bioreason_bench": __version__,
            "manifest": self.manifest,
            "ok": self.ok,
            "sample": self.sample,
            "laws": self.ledger.as_dict(),
            "solvers": self.scores,
        }


def verify(
    folder: str | Path,
    *,
    workers: int | None = None,
    sample: int = 0,
    advance: Advance = lambda stage, done, total: None,
) -> Audit:
    """Hold the release in `folder` to every law in `laws.LAWS`; reads only, and in `workers` processes (all cores if None).

    With `sample`, so many questions of each file are solved (and one writing of each biography is read); certificates, counts and
    files are still checked whole.  A stage whose files cannot be read is the last one.  Raises UsageError where there is no folder.
    """
    folder = Path(folder)
    audit = Audit(folder, _digest(folder / MANIFEST), sample)
    manifest = check_folder(folder, audit.ledger)
    if manifest is not None:
        _verify(audit, manifest, available_cores() if workers is None else workers, advance)
    return audit


def _verify(audit: Audit, manifest: dict[str, Any], workers: int, advance: Advance) -> None:
    ledger, config, files = audit.ledger, renamed(manifest["config"]), manifest["files"]
    try:
        table = read_table(manifest["relations"])
    except ReleaseError as error:
        ledger.whole("relations", MANIFEST, str(error))
        return
    tables: dict[str, dict[str, pa.Table]] = {}
    for name in ("relations", "people", "facts", "paths"):
        opened = {
            file: open_file(audit.folder, file, files[file], ledger)
            for file in files
            if File(file).folder == name
        }
        if None in opened.values() or not opened:
            ledger.whole("files", f"data/{name}", None if opened else "a release has this table")
            return
        tables[name] = opened
    check_relations(table, tables["relations"], ledger)
    evidence = read_evidence(
        table, config.get("language", "english"), tables["people"], tables["facts"], ledger
    )
    listed = read_facts(evidence, tables["facts"], ledger)
    levels, places = read_paths(table, tables["paths"], config.get("leak_guards", False), ledger)
    tables.clear()

    def stage(name: str, chosen: list[str], work: Reading) -> list[Found] | None:
        tasks = [Task(number, file, files[file]) for number, file in enumerate(chosen)]
        found = _read(name, tasks, work, workers, advance)
        for one in found:
            ledger.add(one.ledger)
        return found if all(one.whole for one in found) else None

    reading = Reading(audit.folder, evidence, config, audit.sample)
    biographies = stage(
        "biographies", [file for file in files if File(file).folder == "biographies"], reading
    )
    if biographies is None:
        return
    check_biographies(
        evidence,
        listed,
        [one.biographies for one in biographies],
        1 if audit.sample else config.get("paraphrases", 1),
        ledger,
    )
    check_world(evidence, config, ledger)
    questions = [file for file in files if files[file]["schema"] in QUESTIONS]
    training = [
        file for file in questions if File(file).folder in SKILLS and File(file).split == "train"
    ]
    first = stage(
        "training questions", training, replace(reading, knowledge=Knowledge(evidence, {}))
    )
    if first is None:
        return
    rows = [one.rows for one in first]
    shown = {
        skill: Shown.collect(evidence, [part for part in rows if part.file.folder == skill])
        for skill in SKILLS
    }
    knowledge = Knowledge(
        evidence, shown, learn(one.tally for one in first), config.get("distractors", 0)
    )
    knowledge.prepare()
    rest = stage(
        "test questions",
        [file for file in questions if file not in training],
        replace(reading, knowledge=knowledge),
    )
    if rest is None:
        return
    rows += [one.rows for one in rest]
    check_levels(evidence, rows, shown, levels, config, ledger)
    check_path_levels(evidence, levels, places, shown, ledger)
    check_probes(evidence, rows, ledger)
    guarded = (
        bool(config.get("leak_guards") and config.get("distractors")) and not audit.sample
    )  # of a sample, luck decides too much
    audit.scores = summarise((one.trial for one in rest if one.trial), guarded, ledger)


QUESTIONS = ("question", "probe", "counterfactual", "conflict", "direction")


@dataclass(frozen=True)
class Task:
    """One file to be read."""

    number: int
    file: str
    entry: Mapping[str, Any]


@dataclass
class Found:
    """What one file held."""

    number: int
    size: int
    ledger: Ledger
    whole: bool = False
    biographies: Biographies | None = None
    rows: Rows | None = None
    tally: Counter = field(default_factory=Counter)
    trial: tuple | None = None


@dataclass(frozen=True)
class Reading:
    """The work of one process; `start` gives it a parser of its own."""

    folder: Path
    evidence: Evidence
    config: Mapping[str, Any]
    sample: int
    knowledge: Knowledge | None = None

    def start(self) -> Callable[[Task], Found]:
        return partial(self.read, Parser(self.evidence))

    def read(self, parser: Parser, task: Task) -> Found:
        found = Found(task.number, task.entry["rows"], Ledger())
        table = open_file(self.folder, task.file, task.entry, found.ledger)
        if table is not None:
            found.whole = True
            if task.entry["schema"] == "biography":
                found.biographies = read_biographies(
                    parser, task.file, self._batches(table, first_rendering=True), found.ledger
                )
            else:
                self._questions(parser, File(task.file), table, found)
        return found

    def _questions(self, parser: Parser, file: File, table: pa.Table, found: Found) -> None:
        laws, maker = RowLaws(parser, file, self.config), RowsMaker(file, self.evidence)
        trial = Trial(file, self.knowledge) if file.split == "test" and file.skill else None
        beyond = BEYOND[file.level](parser) if file.level in BEYOND else None
        every = max(1, table.num_rows // self.sample) if self.sample and not beyond else 1
        marked = max(1, table.num_rows // OBSERVED)
        for first, columns in self._batches(table):
            for item in read_items(parser, file, columns, first, every):
                maker.add(item)
                if item.row % every:
                    continue
                laws.check(item)
                if beyond:
                    beyond.add(item, laws.faults)
                if trial:
                    trial.add(item)
                elif file.level == "train" and item.row % marked == 0 and item.path:
                    observe(item, self.knowledge, found.tally)
            maker.add_columns(columns)
        if beyond:
            beyond.end(laws.faults)
        laws.faults.enter(found.ledger, file.name)
        found.rows = maker.make()
        found.trial = trial.arrays() if trial else None

    def _batches(
        self, table: pa.Table, first_rendering: bool = False
    ) -> Iterator[tuple[int, dict[str, list]]]:
        if first_rendering and self.sample:
            table = table.filter(pc.equal(table["rendering"], 0))
        for first in range(0, table.num_rows, BATCH):
            yield first, table.slice(first, BATCH).to_pydict()


def _read(
    name: str, tasks: Sequence[Task], work: Reading, workers: int, advance: Advance
) -> list[Found]:
    """What each file holds, in the order of the files."""
    total, done = sum(task.entry["rows"] for task in tasks), 0
    order = sorted(
        tasks, key=lambda task: -task.entry["rows"]
    )  # large files first, so that no process waits for another at the end
    found: list[Found] = []
    with closing(run(order, work.start, workers)) as results:
        for one in results:
            found.append(one)
            done += one.size
            advance(name, done, total)
    return sorted(found, key=lambda one: one.number)


def _digest(path: Path) -> str:
    content = path.read_bytes() if path.is_file() else b""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
