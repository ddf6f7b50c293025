"""Writing a release: next to its final folder, resumable, and renamed when it is complete.

    out.partial/            finished files, and a journal with their digests (partial.py)
    out.partial/ → out/     once the manifest is written; an old `out` stays until then (--force)

Whatever interrupts a run (Ctrl-C, kill, a full disk, a power failure), `out` is untouched, and the
same command resumes the run.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench.errors import UsageError
from bioreason_bench.family import PEOPLE
from bioreason_bench.release import disk
from bioreason_bench.release.fingerprint import code_digest
from bioreason_bench.release.manifest import MANIFEST, make_manifest, write_manifest
from bioreason_bench.release.partial import PartialFolder, is_taken, partial_folder
from bioreason_bench.release.shards import FILE_NAME, FileEntry, write_shard
from bioreason_bench.workers import FORK, run

if TYPE_CHECKING:
    from bioreason_bench.dataset import Dataset, Shard

__all__ = [
    "check_target",
    "digest_of",
    "no_collection",
    "plain_errors",
    "release_files",
    "resumable",
    "write_files",
    "write_release",
]

CARD = ("README.md", "chain.svg", "croissant.json")
AUDIT = ("audit.json", ".audit.json.lock")  # of `verify --write`

plain_errors = partial(
    disk.plain_errors, full="make room and run the same command again: finished files are kept"
)


@dataclass(frozen=True)
class ShardWriter:
    """The work of one process: make the columns of a shard and write them below `root`."""

    dataset: Dataset
    root: Path

    def __call__(self, shard: Shard) -> tuple[FileEntry, str]:
        """The entry of the file, and the SHA-256 of its bytes."""
        with plain_errors(self.root / shard.file), no_collection():
            entry = write_shard(self.root, shard.file, shard.kind, self.dataset.make(shard))
            return entry, disk.sha256(self.root / shard.file)


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
    with plain_errors(out):
        if not is_taken(out):
            return
        if not out.is_dir():
            raise UsageError(f"{out} is a file; choose a folder for --out")
        if not force:
            raise UsageError(
                f"{out} already exists; choose another --out, or replace it with --force"
            )
        if not (out / MANIFEST).is_file():
            raise UsageError(
                f"{out} exists and is not a release, so --force does not replace it; "
                "choose another --out"
            )
        known = set(release_files(out))
        for name in _names(out):
            if name not in known:
                raise UsageError(
                    f"{out} also holds {name}, which is not part of the release, so --force does "
                    "not replace it; move that away, or choose another --out"
                )


def release_files(folder: Path) -> list[str]:
    """The names of files that this package put into the folder of a release."""
    listed: set[str] = set()
    with suppress(OSError, ValueError, TypeError, KeyError):  # a broken manifest lists none
        listed = set(json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"])
    listed |= {*CARD, *AUDIT, MANIFEST}
    return [
        name
        for name in _names(folder)
        if name in listed or FILE_NAME.fullmatch(name) or disk.is_leftover(name)
    ]


def _names(folder: Path) -> Iterator[str]:
    """The names of all files below a folder, and of links to folders."""
    for path, folders, files in os.walk(folder):
        links = [name for name in folders if Path(path, name).is_symlink()]
        for name in (*files, *links):
            yield Path(path, name).relative_to(folder).as_posix()


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
    check = partial(check_target, out, force)
    check()
    shards = dataset.shards(shard_rows)
    key = digest_of({**head, "shard_rows": shard_rows})
    with plain_errors(out), partial_folder(out, key, check) as folder, resumable(folder):
        entries = write_files(folder, shards, dataset, remake, workers, advance)
        manifest = make_manifest(head, entries)
        folder.announce([*CARD, MANIFEST])
        finish(folder.root, manifest)
        write_manifest(folder.root, manifest)
        folder.put_in_place(check, release_files(out))
    return manifest


def digest_of(values: Mapping[str, Any]) -> str:
    """A digest of everything that decides over the bytes of the files."""
    text = json.dumps([values, code_digest(str(values.get("family", PEOPLE)))], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


@contextmanager
def resumable(folder: PartialFolder) -> Iterator[None]:
    """Ctrl-C says that the same command goes on, if it does."""
    try:
        yield
    except KeyboardInterrupt:
        if folder.done:
            raise KeyboardInterrupt(
                "interrupted; the same command goes on where it stopped"
            ) from None
        raise


def write_files(
    folder: PartialFolder,
    shards: Sequence[Shard],
    dataset: Dataset,
    remake: Callable[[], Dataset],
    workers: int,
    advance: Callable[[FileEntry, int], None],
) -> list[FileEntry]:
    """Write the files that no interrupted run finished, and return the entries of all."""
    total = sum(shard.rows for shard in shards)
    entries = [FileEntry(**values) for values in folder.done]
    for entry in entries:
        advance(entry, total)
    finished = {entry.file for entry in entries}
    missing = [shard for shard in shards if shard.file not in finished]
    folder.announce(shard.file for shard in missing)
    start: Callable[[], ShardWriter] = (
        partial(ShardWriter, dataset, folder.root)
        if FORK or workers <= 1  # the data set is inherited
        else partial(_remade_writer, remake, folder.root)
    )
    with closing(run(missing, start, workers)) as made:
        for entry, digest in made:
            folder.finished(asdict(entry), digest)
            entries.append(entry)
            advance(entry, total)
    return entries


def _remade_writer(remake: Callable[[], Dataset], root: Path) -> ShardWriter:
    return ShardWriter(remake(), root)
