"""What a release is compared with beyond its own text: the official release, or one made again.

Somebody who changes rows, and digests and config with them, may keep every law. Two things give
such a forgery away: the digests that come with this package, for the official release, and the same
rows made again by this installation, for any other.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.run import AuditRun, FileTask
from bioreason_bench.dataset.sharding import Shard
from bioreason_bench.family import Family, FamilyDataset, Settings, family_of, load_settings
from bioreason_bench.release.digest import RowsDigest
from bioreason_bench.release.manifest import MANIFEST
from bioreason_bench.release.shards import ROW_GROUP, make_table
from bioreason_bench.schema import arrow_schema

__all__ = ["Known", "check_official", "check_rows_again"]

Known = Mapping[tuple[str, int], Mapping[str, str]]  # (preset, seed) → file → digest


# the official release -----------------------------------------------------------------------------


def check_official(manifest: Mapping[str, Any], known: Known, ledger: Ledger) -> None:
    """A release that calls itself official has the official config and test files."""
    name = manifest["preset"], manifest["seed"]
    digests = known.get(name)
    if not digests:
        return
    config = load_settings(*name).as_dict()
    changed = [key for key in config if manifest["config"].get(key) != config[key]]
    problem = (
        f"preset {name[0]} with seed {name[1]} is the official release, and {changed[0]} is not "
        "what it has there; a release of other settings needs a preset file or a seed of its own"
        if changed
        else None
    )
    ledger.check_whole("official", MANIFEST, problem)
    for file, digest in digests.items():
        entry = manifest["files"].get(file)
        found = entry["digest"] if entry else "no such file"
        problem = f"the official release has {digest} here, this one has {found}"
        ledger.check_whole("official", file, None if found == digest else problem)


# the same rows made again -------------------------------------------------------------------------


@dataclass(frozen=True)
class Again:
    """The digest of one file, made again; None if this installation makes no such file."""

    task: FileTask
    digest: str | None
    ledger: Ledger = dataclasses.field(default_factory=Ledger)

    @property
    def complete(self) -> bool:
        return True


@dataclass(frozen=True)
class Remaker:
    """Makes the rows of files again.

    Attributes:
        family: The family of the release.
        config: The configuration, with the seed to compare with.
    """

    family: Family
    config: Settings

    def start(self) -> Callable[[FileTask], Again]:
        """Give a process a data set of its own."""
        dataset = self.family.make(self.config)
        splits = {(shard.folder, shard.split): shard.kind for shard in dataset.shards()}
        return partial(self.make, dataset, splits)

    def make(
        self, dataset: FamilyDataset, splits: Mapping[tuple[str, str], str], task: FileTask
    ) -> Again:
        stem = task.file.removeprefix("data/").removesuffix(".parquet")
        folder, _, name = stem.rpartition("/")
        split, number, _, count = name.rsplit("-", 3)
        kind = splits.get((folder, split))
        if kind is None or not 0 <= int(number) < int(count):
            return Again(task, None)
        shard = Shard(folder, split, int(number), int(count), task.entry["rows"], kind)
        return Again(task, _digest(kind, dataset.make(shard)))


def _digest(kind: str, columns: Mapping[str, Any]) -> str:
    """The digest of columns, a row group at a time as when they are written."""
    digest = RowsDigest(arrow_schema(kind))
    rows = len(next(iter(columns.values())))
    for first in range(0, rows, ROW_GROUP):
        part = {name: values[first : first + ROW_GROUP] for name, values in columns.items()}
        digest.update(make_table(kind, part))
    return digest.text()


def check_rows_again(run: AuditRun, seed: int | None) -> None:
    """Make every file again and compare the digests.

    Args:
        run: The audit; its manifest has a config that is in order.
        seed: The seed that the release must have; None for the one in its manifest.

    Raises:
        UsageError: The files of a user's facts are not there, or the world cannot be made.
    """
    family = family_of(run.manifest)
    config = family.settings(run.manifest["config"])
    if seed is not None:
        config = dataclasses.replace(config, seed=seed)
    meant = config.seed == run.manifest["seed"]
    other = f"the seed is {run.manifest['seed']}, it must be {config.seed}"
    run.ledger.check_whole("against", MANIFEST, None if meant else other)
    dataset = family.make(config)  # of another config, in one sentence before workers start
    files = run.manifest["files"]
    there = {file.removeprefix("data/").rsplit("-", 3)[0] for file in files}
    for shard in dataset.shards():
        split = f"{shard.folder}/{shard.split}"
        problem = (
            None if split in there else "this installation makes this split, and it is not here"
        )
        run.ledger.check_whole("against", f"data/{split}", problem)
    del dataset
    for made in run.read_files("making rows again", list(files), Remaker(family, config).start):
        digest = made.task.entry["digest"]
        wrong = (
            f"seed {config.seed} gives {made.digest or 'no such file'} here, the manifest says "
            f"{digest}"
        )
        same = made.digest == digest
        run.ledger.check_whole("against", made.task.file, None if same else wrong)
