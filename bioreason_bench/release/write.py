"""Writing a release: next to its final folder, resumable, and renamed when it is complete.

    out.partial/            finished files, and a journal with their entries; one writer at a time
    out.partial/ → out/     once the manifest is written; an old `out` stays until then (--force)

Whatever interrupts a run (Ctrl-C, kill, a full disk), `out` is untouched, and the same command
resumes the run.
"""

from __future__ import annotations

import gc
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from bioreason_bench.errors import UsageError
from bioreason_bench.release import disk
from bioreason_bench.release.manifest import MANIFEST, make_manifest, write_manifest
from bioreason_bench.release.shards import FileEntry, write_shard
from bioreason_bench.workers import FORK, run

if TYPE_CHECKING:
    from bioreason_bench.dataset import Dataset, Shard

__all__ = ["check_target", "no_collection", "write_release"]

JOURNAL = ".journal.jsonl"
LOCK = ".lock"

plain_errors = partial(
    disk.plain_errors, full="make room and run the same command again: finished files are kept"
)


@dataclass(frozen=True)
class ShardWriter:
    """The work of one process: make the columns of a shard and write them below `root`."""

    dataset: Dataset
    root: Path

    def __call__(self, shard: Shard) -> FileEntry:
        with plain_errors(self.root / shard.file), no_collection():
            return write_shard(self.root, shard.file, shard.kind, self.dataset.make(shard))


@contextmanager
def no_collection() -> Iterator[None]:
    """Garbage collection switched off.

    Rows hold no reference cycles, and looking for cycles among a million lists would take a tenth
    of the time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def check_target(out: Path, force: bool) -> None:
    """Check that a release may be written to `out`, and change nothing.

    Raises:
        UsageError: `out` is a file, or holds something that `force` does not allow to replace.
    """
    if out.is_dir() and any(out.iterdir()):
        if not force:
            raise UsageError(
                f"{out} already exists; choose another --out, or replace it with --force"
            )
        if not (out / MANIFEST).is_file():
            raise UsageError(
                f"{out} exists and is not a release, so --force does not replace it; "
                "choose another --out"
            )
    elif out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; choose a folder for --out")


def write_release(
    out: Path,
    dataset: Dataset,
    remake: Callable[[], Dataset],
    head: Mapping[str, Any],
    *,
    workers: int,
    shard_rows: int,
    force: bool = False,
    finish: Callable[[Path, dict[str, Any]], None] = lambda folder, manifest: None,
    advance: Callable[[FileEntry, int], None] = lambda entry, total: None,
) -> dict[str, Any]:
    """Write all files of the data set, then the manifest, and rename the folder to `out`.

    Args:
        out: The folder of the release.
        dataset: The data set.
        remake: Makes the data set again in a process that cannot inherit it; must be picklable.
        head: The beginning of the manifest (`manifest_head`).
        workers: The number of processes.
        shard_rows: The approximate number of rows of a file.
        force: Replace an existing release.
        finish: Called with folder and manifest; may add files before the manifest is written.
        advance: Called with the entry of each finished file and the total number of rows.

    Returns:
        The manifest.
    """
    check_target(out, force)
    shards = dataset.shards(shard_rows)
    total = sum(shard.rows for shard in shards)
    with _partial_folder(out, {**head, "shard_rows": shard_rows}) as (root, done):
        for entry in list(done.values()):
            advance(entry, total)
        missing = [shard for shard in shards if shard.file not in done]
        inherited = FORK or workers <= 1
        start: Callable[[], ShardWriter] = (
            partial(ShardWriter, dataset, root)
            if inherited
            else partial(_remade_writer, remake, root)
        )
        with (
            plain_errors(root),
            (root / JOURNAL).open("a", encoding="utf-8") as journal,
            closing(run(missing, start, workers)) as entries,
        ):
            for entry in entries:
                journal.write(_journal_line(root, entry))
                journal.flush()
                done[entry.file] = entry
                advance(entry, total)
        manifest = make_manifest(head, done.values())
        with plain_errors(root):
            finish(root, manifest)
            (root / JOURNAL).unlink()
            write_manifest(root, manifest)
            (root / LOCK).unlink()
            _rename(root, out)
    return manifest


def _remade_writer(remake: Callable[[], Dataset], root: Path) -> ShardWriter:
    return ShardWriter(remake(), root)


@contextmanager
def _partial_folder(
    out: Path, key: Mapping[str, Any]
) -> Iterator[tuple[Path, dict[str, FileEntry]]]:
    """The folder next to `out`, locked, and the entries that an interrupted run finished there.

    Anything else in it is removed: this module wrote it, for another configuration or version.
    """
    root = out.with_name(f"{out.name}.partial")
    with plain_errors(root):
        root.mkdir(parents=True, exist_ok=True)
        lock = (root / LOCK).open("w")
    with closing(lock):
        _lock(lock, out)
        with plain_errors(root):
            digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
            first_line = json.dumps({"key": digest}) + "\n"
            done = _finished(root, first_line)
            _clean(root, keep=set(done))
            lines = [_journal_line(root, entry) for entry in done.values()]
            (root / JOURNAL).write_text(first_line + "".join(lines), encoding="utf-8")
        try:
            yield root, done
        finally:
            for unfinished in root.glob("data/**/.*"):  # left by workers that were stopped
                unfinished.unlink(missing_ok=True)


def _lock(file: IO[str], out: Path) -> None:
    with suppress(ImportError):  # no such locks on Windows
        import fcntl

        try:
            # Unlike flock's, this lock is not inherited by the workers.
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            raise UsageError(
                f"another bioreason generate is writing {out}; wait for it, or choose another --out"
            ) from None
        except OSError:
            pass  # a file system without locks


def _journal_line(root: Path, entry: FileEntry) -> str:
    return json.dumps({**asdict(entry), "bytes": (root / entry.file).stat().st_size}) + "\n"


def _finished(root: Path, first_line: str) -> dict[str, FileEntry]:
    """Entries of the journal of an interrupted run whose files are complete.

    A journal that begins with another line is of another configuration or version.  A torn last
    line is dropped.
    """
    done: dict[str, FileEntry] = {}
    with (
        suppress(FileNotFoundError),
        (root / JOURNAL).open(encoding="utf-8", errors="replace") as journal,
    ):
        if journal.readline() != first_line:
            return {}
        for line in journal:
            with suppress(ValueError, TypeError, KeyError, FileNotFoundError):
                values = json.loads(line)
                size = values.pop("bytes")
                if (root / values["file"]).stat().st_size == size:
                    done[values["file"]] = FileEntry(**values)
    return done


def _clean(root: Path, keep: set[str]) -> None:
    for path in sorted(root.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            with suppress(OSError):
                path.rmdir()  # only if empty
        elif path.relative_to(root).as_posix() not in keep | {LOCK}:
            path.unlink()


def _rename(root: Path, out: Path) -> None:
    """Rename `root` to `out`; a release that is there is removed only after that."""
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
