"""Writing a release: beside its place, resumable, put there by one rename when it is complete.

    out.partial/            finished files, and a journal with their entries; one writer at a time
    out.partial/ → out/     when the manifest has been written; an old `out` stays until then (--force)

Whatever interrupts a run (Ctrl-C, kill, a full disk), `out` is untouched and the same command goes on where it stopped.
"""

from __future__ import annotations

import errno
import gc
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
from bioreason_bench.release.shards import FileEntry, write_shard
from bioreason_bench.workers import FORK, run

__all__ = ["Source", "check_target", "write_release"]

JOURNAL = ".journal.jsonl"
LOCK = ".lock"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Shard(Protocol):
    """One file to be made."""

    file: str  # "data/comp/zeroshot/test-00000-of-00001.parquet"
    rows: int
    kind: str  # the schema of its rows


class Source(Protocol):
    """Where rows come from; the columns are a pure function of the shard."""

    def shards(self, shard_rows: int) -> Sequence[Shard]: ...

    def make(self, shard: Any) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Making:
    """The work of one process: make the columns of a shard and write them."""

    source: Source
    root: Path

    def __call__(self, shard: Shard) -> FileEntry:
        with plain_errors(self.root / shard.file), no_collection():
            return write_shard(self.root, shard.file, shard.kind, self.source.make(shard))


@contextmanager
def no_collection() -> Iterator[None]:
    """Rows hold no cycles: to look for some among a million lists would take a tenth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def check_target(out: Path, force: bool) -> None:
    """Refuse a place where a release cannot be put; raises UsageError, and changes nothing."""
    if out.is_dir() and any(out.iterdir()):
        if not force:
            raise UsageError(
                f"{out} already exists; choose another --out, or replace it with --force"
            )
        if not (out / MANIFEST).is_file():
            raise UsageError(
                f"{out} exists and is not a release, so --force does not replace it; choose another --out"
            )
    elif out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; choose a folder for --out")


def write_release(
    out: Path,
    source: Source,
    again: Callable[[], Source],
    head: Mapping[str, Any],
    *,
    workers: int,
    shard_rows: int,
    force: bool = False,
    finish: Callable[[Path, dict[str, Any]], None] = lambda folder, manifest: None,
    advance: Callable[[FileEntry, int], None] = lambda entry, total: None,
) -> dict[str, Any]:
    """Write all files of the source, then the manifest, and put the folder in its place.

    `again` makes the source anew, in processes that cannot inherit it (so it must be picklable);
    `head` is the manifest's beginning (`manifest_head`); `finish(folder, manifest)` may add files before the manifest;
    `advance(entry, total)` hears of each finished file and of how many rows there will be.  Returns the manifest.
    """
    check_target(out, force)
    shards = source.shards(shard_rows)
    total = sum(shard.rows for shard in shards)
    with _partial(out, {**head, "shard_rows": shard_rows}) as (root, done):
        for entry in list(done.values()):
            advance(entry, total)
        tasks = [shard for shard in shards if shard.file not in done]
        begin = (
            partial(Making, source, root)
            if FORK or workers <= 1
            else partial(_begin_elsewhere, again, root)
        )
        with (
            plain_errors(root),
            (root / JOURNAL).open("a", encoding="utf-8") as journal,
            closing(run(tasks, begin, workers)) as entries,
        ):
            for entry in entries:
                journal.write(_line(root, entry))
                journal.flush()
                done[entry.file] = entry
                advance(entry, total)
        manifest = make_manifest(head, done.values())
        with plain_errors(root):
            finish(root, manifest)
            (root / JOURNAL).unlink()
            write_manifest(root, manifest)
            (root / LOCK).unlink()
            _put_in_place(root, out)
    return manifest


def _begin_elsewhere(again: Callable[[], Source], root: Path) -> Making:
    return Making(again(), root)


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
            first = (
                json.dumps(
                    {"key": hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()}
                )
                + "\n"
            )
            done = _finished(root, first)
            _clean(root, keep=set(done))
            (root / JOURNAL).write_text(
                first + "".join(_line(root, entry) for entry in done.values()), encoding="utf-8"
            )
        try:
            yield root, done
        finally:
            for half in root.glob("data/**/.*"):  # of workers that were ended
                half.unlink(missing_ok=True)


def _lock(file: IO[str], out: Path) -> None:
    with suppress(ImportError):  # no such locks on Windows
        import fcntl

        try:
            fcntl.lockf(
                file, fcntl.LOCK_EX | fcntl.LOCK_NB
            )  # unlike flock's, this lock is not inherited by the workers
        except (BlockingIOError, PermissionError):
            raise UsageError(
                f"another bioreason generate is writing {out}; wait for it, or choose another --out"
            ) from None
        except OSError:
            pass  # a file system without locks


def _line(root: Path, entry: FileEntry) -> str:
    return json.dumps({**asdict(entry), "bytes": (root / entry.file).stat().st_size}) + "\n"


def _finished(root: Path, first: str) -> dict[str, FileEntry]:
    """Entries in the journal of a run with the same key whose files are there and whole; a torn last line is dropped."""
    found: dict[str, FileEntry] = {}
    with (
        suppress(FileNotFoundError),
        (root / JOURNAL).open(encoding="utf-8", errors="replace") as journal,
    ):
        if journal.readline() != first:
            return {}
        for line in journal:
            with suppress(ValueError, TypeError, KeyError, FileNotFoundError):
                values = json.loads(line)
                size = values.pop("bytes")
                if (root / values["file"]).stat().st_size == size:
                    found[values["file"]] = FileEntry(**values)
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
            raise BioreasonError(
                f"no room to write {path} ({reason}); make room and run the same command again: finished files are kept"
            ) from None
        raise UsageError(f"cannot write {path}: {reason}; choose another --out") from None
