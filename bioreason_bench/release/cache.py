"""Files of a release that are made when they are asked for, into the user's cache: the same rows as in the whole release.

    cache = Cache(load_preset("v1", 7))
    cache.files("comp/zeroshot", "test")     one Parquet file, made in a second or two, found again by the next process

Any file is a function of the configuration and its own number, so that nothing else need be made.  What is in the cache
is found by configuration and code (an edited checkout finds nothing that it made before the edit), and trusted only with
the digest that was noted when it was written.  Processes that ask at the same time wait for the one that makes the file.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bioreason_bench._version import __version__
from bioreason_bench.config import Config, from_dict
from bioreason_bench.errors import UsageError
from bioreason_bench.release.shards import configs_of, write_shard
from bioreason_bench.workers import FORK, available_cores, run

if TYPE_CHECKING:
    from bioreason_bench.dataset import Dataset, Shard

__all__ = ["Cache", "cache_folder"]

MANY = 4  # files, from which on it is worth starting processes
CODE = (
    "config.py",
    "draw.py",
    "plan.py",
    "world",
    "language",
    "splits",
    "questions",
)  # all that fixes the rows


def cache_folder() -> Path:
    """BIOREASON_CACHE, else bioreason/ in the user's cache folder."""
    if place := os.environ.get("BIOREASON_CACHE"):
        return Path(place).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "bioreason"


@dataclass(frozen=True)
class Cache:
    """The release of one configuration, of which perhaps only some files are made yet."""

    config: Config
    root: Path | None = None  # cache_folder() if not given

    @property
    def folder(self) -> Path:
        """Where its files lie, laid out as a release is."""
        own_table = (
            Path(self.config.relations).read_text(encoding="utf-8")
            if Path(self.config.relations).is_file()
            else ""
        )
        key = json.dumps(self.config.as_dict(), sort_keys=True) + own_table + _code()
        name = f"{self.config.preset}-{self.config.seed}-{__version__}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
        return (self.root or cache_folder()) / name

    @property
    def plan(self) -> Dataset:
        """World, paths and levels; kept for the next call of this process."""
        return _plan(self.folder.name, json.dumps(self.config.as_dict()))

    def shards(self) -> list[Shard]:
        """Every file of the release; noted in the cache, so that a process that finds all its files there needs no plan."""
        from bioreason_bench.dataset import Shard

        note = self.folder / "shards.json"
        try:
            return [Shard(**values) for values in json.loads(note.read_text(encoding="utf-8"))]
        except (OSError, ValueError, TypeError):
            shards = self.plan.shards()
            with self._plain_errors():
                self.folder.mkdir(parents=True, exist_ok=True)
                _write(note, json.dumps([dataclasses.asdict(shard) for shard in shards]))
            return shards

    def configs(self) -> dict[str, dict[str, list[str]]]:
        """Files by config and split, as in the manifest of the release."""
        return configs_of(shard.file for shard in self.shards())

    def files(self, folder: str, split: str, first: int = 0) -> list[Path]:
        """The files of a split ([] where there is none), made if they are not there; for the `first` rows, one small file.

        Raises UsageError where the cache cannot be written.
        """
        shards = [
            shard for shard in self.shards() if (shard.folder, shard.split) == (folder, split)
        ]
        return self._make(_cut(shards, first) if first else shards)

    def make(
        self, files: Sequence[str], advance: Callable[[int, int], None] = lambda _rows, _total: None
    ) -> list[Path]:
        """These files of the release (data/comp/zeroshot/test-00000-of-00001.parquet), made if they are not there.

        `advance(rows, total)` hears of each file that had to be made.
        """
        shards = {shard.file: shard for shard in self.shards()}
        return self._make([shards[file] for file in files], advance)

    def _make(
        self,
        shards: Sequence[Shard],
        advance: Callable[[int, int], None] = lambda _rows, _total: None,
    ) -> list[Path]:
        missing = [shard for shard in shards if not _whole(self.folder / shard.file)]
        workers = available_cores() if FORK and len(missing) >= MANY else 1
        if missing:
            _ = self.plan  # made once, before processes are forked
        with self._plain_errors(), closing(run(missing, lambda: self._one, workers)) as made:
            for rows in made:
                advance(rows, sum(shard.rows for shard in missing))
        return [self.folder / shard.file for shard in shards]

    def _one(self, shard: Shard) -> int:
        """Make a file, once (whoever asks at the same time waits, and finds it), and return its number of rows."""
        from filelock import FileLock

        path = self.folder / shard.file
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            if not _whole(path):
                entry = write_shard(self.folder, shard.file, shard.kind, self.plan.make(shard))
                _write(
                    path.with_suffix(".json"),
                    json.dumps({"bytes": _sha256(path), "rows": entry.digest}),
                )
        return shard.rows

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or error
            raise UsageError(
                f"the cache {self.folder} cannot be written ({reason}); set BIOREASON_CACHE to a folder with room"
            ) from None


def _cut(shards: Sequence[Shard], first: int) -> list[Shard]:
    """The first of so many shards that it holds `first` rows; sizes of shards of questions differ, so it is cut for twice as many."""
    total = sum(shard.rows for shard in shards)
    if not shards or shards[0].rows <= 2 * first:
        return list(shards[:1]) if shards and shards[0].rows >= first else list(shards)
    wanted = 2 * first if shards[0].kind in ("question", "probe") else first
    return [dataclasses.replace(shards[0], count=max(1, total // wanted))]


def _whole(path: Path) -> bool:
    """Is the file there, with the bytes that were written?"""
    try:
        return json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))[
            "bytes"
        ] == _sha256(path)
    except (OSError, ValueError, KeyError):
        return False


def _write(path: Path, text: str) -> None:
    """Whole or not at all, whoever else writes it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@functools.lru_cache(maxsize=2)
def _plan(folder: str, values: str) -> Dataset:  # noqa: ARG001 - its name changes with the code
    from bioreason_bench.dataset import make_dataset

    return make_dataset(from_dict(json.loads(values)))


@functools.cache
def _code() -> str:
    package, digest = Path(__file__).resolve().parents[1], hashlib.sha256(__version__.encode())
    for part in CODE:
        place = package / part
        for file in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if file.is_file() and file.suffix not in (".pyc", ".pyo"):
                digest.update(
                    file.relative_to(package).as_posix().encode() + b"\0" + file.read_bytes()
                )
    return digest.hexdigest()
