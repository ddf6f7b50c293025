"""Files of a release, made in the user's cache when they are asked for, with the same rows.

    cache = Cache(load_preset("v1", 7))
    cache.files("comp/zeroshot", "test")     one Parquet file, made in a second or two

A file is a function of the configuration and its own number, so no other file need be made.  The
cache is keyed by configuration and code: an edited checkout finds nothing that it made before the
edit.  A file counts only if it has the digest that was recorded when it was written.  If several
processes ask for a file at the same time, one makes it and the others wait.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from bioreason_bench._version import __version__
from bioreason_bench.config import WorldConfig
from bioreason_bench.family import PEOPLE, FamilyDataset, Settings, family_of
from bioreason_bench.release.disk import (
    plain_errors,
    remove_leftovers,
    sha256,
    user_path,
    write_whole,
)
from bioreason_bench.release.fingerprint import code_digest
from bioreason_bench.release.shards import configs_of, write_shard
from bioreason_bench.workers import FORK, available_cores, run
from bioreason_bench.world.given import describe_facts

if TYPE_CHECKING:
    from bioreason_bench.dataset import Shard

__all__ = ["Cache", "cache_folder", "checked_copies"]

MANY = 4  # files, from which on it is worth starting processes
REFUSED = "set BIOREASON_CACHE to a folder that can be written"
FULL = "make room, or set BIOREASON_CACHE to a folder with room"

Advance = Callable[[int, int], None]  # (rows of the file that was made, rows of all to be made)


def cache_folder() -> Path:
    """BIOREASON_CACHE, or bioreason/ in the user's cache folder if that is not set."""
    if folder := os.environ.get("BIOREASON_CACHE"):
        return user_path(folder, "BIOREASON_CACHE")
    return user_path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "XDG_CACHE_HOME") / "bioreason"


@dataclass(frozen=True)
class Cache:
    """The release of one configuration, of which some files may not exist yet.

    Attributes:
        config: The configuration.
        root: The folder of all caches; `cache_folder()` if None.
    """

    config: Settings
    root: Path | None = None

    @functools.cached_property
    def folder(self) -> Path:
        """The folder of this configuration, laid out like a release."""
        digest = hashlib.sha256(_key(self.config).encode()).hexdigest()
        name = f"{self.config.preset}-{self.config.seed}-{__version__}-{digest[:12]}"
        return (self.root or cache_folder()) / name

    @property
    def dataset(self) -> FamilyDataset:
        """The data set; kept for the next call of this process."""
        return _dataset(self.folder.name, json.dumps(self.config.as_dict()))

    def shards(self) -> list[Shard]:
        """Every file of the release.

        The list is kept in the cache, so that a process that finds all its files there need not
        make the data set.
        """
        from bioreason_bench.dataset import Shard

        listing = self.folder / "shards.json"
        try:
            return [Shard(**values) for values in json.loads(listing.read_text(encoding="utf-8"))]
        except (OSError, ValueError, TypeError):
            shards = self.dataset.shards()
            with plain_errors(self.folder, refused=REFUSED, full=FULL):
                self.folder.mkdir(parents=True, exist_ok=True)
                write_whole(listing, json.dumps([dataclasses.asdict(shard) for shard in shards]))
            return shards

    def configs(self) -> dict[str, dict[str, list[str]]]:
        """Files by config and split, as in the manifest of the release."""
        return configs_of(shard.file for shard in self.shards())

    def files(self, folder: str, split: str, first: int = 0) -> list[Path]:
        """The files of a split, made if they do not exist; [] if there is no such split.

        Args:
            folder: The folder below data/, such as comp/zeroshot.
            split: The split.
            first: Make one small file with at least this many rows instead, the first of the split.

        Raises:
            UsageError: The cache cannot be written.
            BioreasonError: No room is left.
        """
        shards = [
            shard for shard in self.shards() if (shard.folder, shard.split) == (folder, split)
        ]
        return self._make(_first_rows(shards, first) if first else shards)

    def make(
        self, files: Sequence[str], advance: Advance = lambda _rows, _total: None
    ) -> list[Path]:
        """Make those of the files that do not exist, and return the paths of all.

        Args:
            files: Names of files of the release, such as
                data/comp/zeroshot/test-00000-of-00001.parquet.
            advance: Called for each file that had to be made.

        Raises:
            UsageError: The cache cannot be written.
            BioreasonError: No room is left.
        """
        shards = {shard.file: shard for shard in self.shards()}
        return self._make([shards[file] for file in files], advance)

    def _make(
        self, shards: Sequence[Shard], advance: Advance = lambda _rows, _total: None
    ) -> list[Path]:
        missing = [shard for shard in shards if not _is_whole(self.folder / shard.file)]
        total = sum(shard.rows for shard in missing)
        workers = available_cores() if FORK and len(missing) >= MANY else 1
        if missing:
            _ = self.dataset  # made once, before processes are forked
        with (
            plain_errors(self.folder, refused=REFUSED, full=FULL),
            closing(run(missing, lambda: self._make_one, workers)) as made,
        ):
            for rows in made:
                advance(rows, total)
        return [self.folder / shard.file for shard in shards]

    def _make_one(self, shard: Shard) -> int:
        """Make a file unless another process has made it meanwhile; return its number of rows."""
        from filelock import FileLock

        path = self.folder / shard.file
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            if not _is_whole(path):
                remove_leftovers(path)
                columns = self.dataset.make(shard)
                entry = write_shard(self.folder, shard.file, shard.kind, columns)
                record = {"bytes": sha256(path), "rows": entry.digest}
                write_whole(path.with_suffix(".json"), json.dumps(record))
        return shard.rows


@contextmanager
def checked_copies(folder: Path) -> Iterator[None]:
    """A folder for the Arrow copies that `datasets` makes of files and believes at the next call.

    On entry they are removed unless they are as they were when they were made; the next copies
    then take their place.  One process at a time.
    """
    from filelock import FileLock

    record = folder.with_suffix(".json")
    with plain_errors(folder, refused=REFUSED, full=FULL):
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            try:
                whole = _digests(folder) == json.loads(record.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                whole = False
            if not whole:
                shutil.rmtree(folder)
            yield
            if not whole:
                write_whole(record, json.dumps(_digests(folder)))


def _digests(folder: Path) -> dict[str, str]:
    """Name → SHA-256 of what `datasets` reads from its copies; not of what users made of them."""
    copies = [path for path in sorted(folder.rglob("*.arrow")) if path.name.startswith("parquet-")]
    return {
        path.relative_to(folder).as_posix(): sha256(path)
        for path in (*copies, *sorted(folder.rglob("dataset_info.json")))
    }


def _key(config: Settings) -> str:
    """Everything that fixes the rows of a configuration."""
    values = config.as_dict()
    family = str(values.get("family", PEOPLE))
    table = Path(values.get("relations", ""))
    own_table = table.read_text(encoding="utf-8") if table.is_file() else ""
    faker = metadata.version("faker") if values.get("locale") else ""
    if isinstance(config, WorldConfig) and config.facts:
        config = describe_facts(config)  # with the digests of the files
    return json.dumps([config.as_dict(), own_table, faker, code_digest(family)], sort_keys=True)


def _first_rows(shards: Sequence[Shard], first: int) -> list[Shard]:
    """One shard with at least `first` rows, or all shards if they have no more than that.

    Shards of questions vary in size, so they are cut to 2 * `first` rows on average.
    """
    if not shards or shards[0].rows < first:
        return list(shards)
    if shards[0].rows <= 2 * first:
        return [shards[0]]
    total = sum(shard.rows for shard in shards)
    wanted = 2 * first if shards[0].kind in ("question", "probe") else first
    return [dataclasses.replace(shards[0], count=max(1, total // wanted))]


def _is_whole(path: Path) -> bool:
    """Whether the file exists and has the bytes that were written."""
    try:
        record = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        return record["bytes"] == sha256(path)
    except (OSError, ValueError, KeyError):
        return False


@functools.lru_cache(maxsize=2)
def _dataset(folder: str, values: str) -> FamilyDataset:  # noqa: ARG001 - the folder names the code
    settings = json.loads(values)
    family = family_of(settings)
    dataset: FamilyDataset = family.make(family.settings(settings))
    return dataset
