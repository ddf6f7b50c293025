"""Writing a release: beside its place, resumable, put there by one rename when it is complete.

    out.partial/            finished files, and a journal with their entries; one writer at a time
    out.partial/ → out/     when the manifest has been written; an old `out` stays until then (--force)

Whatever interrupts a run (Ctrl-C, kill, a full disk), `out` is untouched and the same command goes on where it stopped.
"""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, Protocol

from bioreason_bench.errors import BioreasonError, UsageError
from bioreason_bench.release.manifest import MANIFEST, make_manifest, write_manifest
from bioreason_bench.release.pool import FORK, run
from bioreason_bench.release.shards import FileEntry, file_name, write_shard

__all__ = ["Source", "check_target", "write_release"]

TABLE_ROWS = 500_000  # rows of a file of relations, people, facts or paths
JOURNAL = ".journal.jsonl"
LOCK = ".lock"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Shard(Protocol):
    """One file to be made; `make` of the source gives its columns."""

    folder: str  # "comp/zeroshot"
    split: str
    number: int
    count: int
    rows: int


class Source(Protocol):
    """Where rows come from: a pure function of the shard."""

    def tables(self) -> Mapping[str, Mapping[str, Any]]: ...

    def shards(self, shard_rows: int) -> Sequence[Shard]: ...

    def make(self, shard: Any) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Making:
    """The work of one process: make a shard, or the small tables, and write it."""

    source: Source
    root: Path

    def __call__(self, shard: Shard | None) -> list[FileEntry]:
        if shard is None:
            return [entry for name, columns in self.source.tables().items() for entry in self._table(name, columns)]
        file = file_name(shard.folder, shard.split, shard.number, shard.count)
        with plain_errors(self.root / file):
            return [write_shard(self.root, shard.folder, file, self.source.make(shard))]

    def _table(self, name: str, columns: Mapping[str, Any]) -> Iterator[FileEntry]:
        rows = len(next(iter(columns.values())))
        count = max(1, -(-rows // TABLE_ROWS))
        for number in range(count):
            part = {column: values[number * TABLE_ROWS : (number + 1) * TABLE_ROWS] for column, values in columns.items()}
            file = file_name(name, "train", number, count)
            with plain_errors(self.root / file):
                yield write_shard(self.root, name, file, part)


def check_target(out: Path, force: bool) -> None:
    """Refuse a place where a release cannot be put; raises UsageError, and changes nothing."""
    if out.is_dir() and any(out.iterdir()):
        if not force:
            raise UsageError(f"{out} already exists; choose another --out, or replace it with --force")
        if not (out / MANIFEST).is_file():
            raise UsageError(f"{out} exists and is not a release, so --force does not replace it; choose another --out")
    elif out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; choose a folder for --out")


def write_release(
    out: Path,
    start: Callable[[], Source],
    head: Mapping[str, Any],
    *,
    workers: int,
    shard_rows: int,
    force: bool = False,
    finish: Callable[[Path, dict[str, Any]], None] = lambda folder, manifest: None,
    advance: Callable[[str, int, int], None] = lambda place, rows, total: None,
) -> dict[str, Any]:
    """Write all files of the source that `start` makes, then the manifest, and put the folder in its place.

    `head` is the manifest's beginning (`manifest_head`); `finish(folder, manifest)` may add files before the manifest;
    `advance(folder, rows, total)` hears of each finished file.  Returns the manifest.
    """
    check_target(out, force)
    source = start()
    shards = [(file_name(shard.folder, shard.split, shard.number, shard.count), shard) for shard in source.shards(shard_rows)]
    names = {name for name, _ in shards}
    total = sum(shard.rows for _, shard in shards)
    with _partial(out, {**head, "shard_rows": shard_rows}) as (root, done):
        for name in sorted(names & set(done)):
            advance(_place(name), done[name].rows, total)
        tasks: list[Shard | None] = [] if set(done) - names else [None]  # the small tables are made, and written down, together
        tasks += [shard for name, shard in shards if name not in done]
        begin = partial(Making, source, root) if FORK or workers <= 1 else partial(_begin_elsewhere, start, root)
        with plain_errors(root), (root / JOURNAL).open("a", encoding="utf-8") as journal, closing(run(tasks, begin, workers)) as results:
            for entries in results:
                journal.writelines(json.dumps(asdict(entry)) + "\n" for entry in entries)
                journal.flush()
                for entry in entries:
                    done[entry.file] = entry
                    advance(_place(entry.file), entry.rows if entry.file in names else 0, total)
        manifest = make_manifest(head, done.values())
        with plain_errors(root):
            finish(root, manifest)
            (root / JOURNAL).unlink()
            write_manifest(root, manifest)
            (root / LOCK).unlink()
            _put_in_place(root, out)
    return manifest


def _begin_elsewhere(start: Callable[[], Source], root: Path) -> Making:
    return Making(start(), root)


def _place(file: str) -> str:
    """comp/zeroshot, for data/comp/zeroshot/test-00000-of-00001.parquet."""
    return file.removeprefix("data/").rpartition("/")[0]


@contextmanager
def _partial(out: Path, key: Mapping[str, Any]) -> Iterator[tuple[Path, dict[str, FileEntry]]]:
    """The folder beside `out`, locked, and what an earlier run of the same release has finished there.

    Anything else in it is removed: it is this module's own, and worth nothing to another configuration or version.
    """
    root = out.with_name(f"{out.name}.partial")
    with plain_errors(root):
        root.mkdir(parents=True, exist_ok=True)
        lock = (root / LOCK).open("w")
    with closing(lock):
        _lock(lock, out)
        with plain_errors(root):
            first = json.dumps({"key": hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()}) + "\n"
            done = _finished(root, first)
            _clean(root, keep=set(done))
            entries = "".join(json.dumps(asdict(entry)) + "\n" for entry in done.values())
            (root / JOURNAL).write_text(first + entries, encoding="utf-8")
        yield root, done


def _lock(file: IO[str], out: Path) -> None:
    with suppress(ImportError):  # no such locks on Windows
        import fcntl

        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # unlike flock's, this lock is not inherited by the workers
        except (BlockingIOError, PermissionError):
            raise UsageError(f"another bioreason generate is writing {out}; wait for it, or choose another --out") from None
        except OSError:
            pass  # a file system without locks


def _finished(root: Path, first: str) -> dict[str, FileEntry]:
    """Entries in the journal of a run with the same key whose files are there; a torn last line is dropped."""
    found: dict[str, FileEntry] = {}
    with suppress(FileNotFoundError), (root / JOURNAL).open(encoding="utf-8", errors="replace") as journal:
        if journal.readline() != first:
            return {}
        for line in journal:
            with suppress(ValueError, TypeError):
                entry = FileEntry(**json.loads(line))
                if (root / entry.file).is_file():
                    found[entry.file] = entry
    return found


def _clean(root: Path, keep: set[str]) -> None:
    for path in sorted(root.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            with suppress(OSError):
                path.rmdir()  # only if empty
        elif str(path.relative_to(root).as_posix()) not in keep | {LOCK}:
            path.unlink()


def _put_in_place(root: Path, out: Path) -> None:
    old = out.with_name(f"{out.name}.old")
    replace = out.is_dir() and any(out.iterdir())
    if replace:
        shutil.rmtree(old, ignore_errors=True)
        out.rename(old)
    try:
        root.rename(out)
    except OSError:
        if replace:
            old.rename(out)
        raise
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """Say in one sentence what the system refused at this path."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in _FULL:
            raise BioreasonError(f"no room to write {path} ({reason}); make room and run the same command again: finished files are kept") from None
        raise UsageError(f"cannot write {path}: {reason}; choose another --out") from None
