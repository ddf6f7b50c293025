"""A release into a store: files made, uploaded and deleted one by one, then card and manifest.

    URL/data/...                    the files
    URL/_unfinished/KEY/00007.json  what is known of file 7: its entry, its size and its SHA-256
    URL/README.md, manifest.json    written last, by whoever finds all files there

A store has no folders to rename, so the manifest says that a release is complete: nothing of this
package reads a release without one.  The same command resumes a run.  KEY stands for the settings.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bioreason_bench.errors import BioreasonError, ReleaseError, UsageError
from bioreason_bench.release import disk
from bioreason_bench.release.files import Sizes
from bioreason_bench.release.manifest import MANIFEST, make_manifest, write_manifest
from bioreason_bench.release.shards import FileEntry, write_shard
from bioreason_bench.release.write import CARD, digest_of, no_collection, plain_errors
from bioreason_bench.scale.shares import Shares, ranges
from bioreason_bench.scale.store import Store, Upload, unpacked_bytes
from bioreason_bench.workers import run

if TYPE_CHECKING:
    from bioreason_bench.dataset import Dataset, Shard

__all__ = ["UNFINISHED", "Finish", "merge_store", "write_to_store"]

UNFINISHED = "_unfinished"
HEAD = "head.json"

Advance = Callable[[FileEntry, int], None]
# (store, manifest, folder, sizes) -> the card is in the folder
Finish = Callable[[Store, Mapping[str, Any], Path, Sizes], None]


class Made(NamedTuple):
    """A data file that a process has made and uploaded."""

    entry: FileEntry
    upload: Upload


@dataclass(frozen=True)
class StoreWriter:
    """The work of one process: make a file, upload it, and delete it here."""

    dataset: Dataset
    store: Store
    notes: str
    scratch: str

    def __call__(self, numbered: tuple[int, Shard]) -> Made:
        number, shard = numbered
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder, no_collection():
            path = Path(folder, shard.file)
            with plain_errors(path):
                path.parent.mkdir(parents=True)
                columns = self.dataset.make(shard)
                entry = write_shard(Path(folder), shard.file, shard.kind, columns)
                columns.clear()
                note = {
                    **asdict(entry),
                    "number": number,
                    "bytes": path.stat().st_size,
                    "unpacked": unpacked_bytes(path),
                    "sha256": disk.sha256(path),
                }
            receipt = self.store.upload(path, shard.file)
        return Made(entry, Upload(f"{self.notes}/{number:05d}.json", json.dumps(note), receipt))


@dataclass(frozen=True)
class Noted:
    """What is noted of a file in the store, with its bytes as stored and without compression."""

    entry: FileEntry
    bytes: int
    unpacked: int


def write_to_store(
    store: Store,
    dataset: Dataset,
    remake: Callable[[], Dataset],
    head: Mapping[str, Any],
    *,
    workers: int,
    shard_rows: int,
    shares: Shares | None = None,
    finish: Finish,
    advance: Advance = lambda entry, total: None,
) -> dict[str, Any] | None:
    """Make files one by one and upload them; then, if all are there, card and manifest.

    Args:
        store: Where the release will be.
        dataset: The data set.
        remake: Makes it again in a process that cannot inherit it.
        head: The beginning of the manifest.
        workers: The number of processes.
        shard_rows: The approximate number of rows of a file.
        shares: Make only these, and leave card and manifest to `merge_store`.
        finish: Writes the card into a folder.
        advance: Called with the entry of each finished file and the total number of rows.

    Returns:
        The manifest; None with `shares`.

    Raises:
        UsageError: The store refused, or holds a release already.
        BioreasonError: The store failed.
    """
    files = dataset.shards(shard_rows)
    plain = {"head": dict(head), "shard_rows": shard_rows, "total": len(files)}
    record = json.loads(json.dumps(plain))
    notes = f"{UNFINISHED}/{digest_of(record)[:12]}"
    if (manifest := _completed(store, notes, record)) is not None:
        return manifest
    _require_no_other(store, notes)
    if store.read(f"{notes}/{HEAD}") != json.dumps(record):
        store.write(f"{notes}/{HEAD}", json.dumps(record))
    numbered = list(enumerate(files))
    mine = list(shares.of(numbered)) if shares else numbered
    known = read_notes(store, notes)
    total = sum(shard.rows for _, shard in mine)
    for number, _ in mine:
        if number in known:
            advance(known[number].entry, total)
    missing = [(number, shard) for number, shard in mine if number not in known]
    local = store.url.startswith("memory:")  # which other processes do not share
    pending: list[Upload] = []
    with tempfile.TemporaryDirectory(prefix="bioreason-") as scratch:
        start = partial(_start, remake, dataset, store, notes, scratch)
        try:
            with closing(run(missing, start, 1 if local else workers)) as results:
                for entry, upload in results:
                    pending.append(upload)
                    if len(pending) == store.batch:
                        _record(store, pending)
                    advance(entry, total)
            _record(store, pending)
        except KeyboardInterrupt:
            with suppress(BioreasonError):
                _record(store, pending)
            raise KeyboardInterrupt(
                "interrupted; the same command goes on where it stopped"
            ) from None
    if (manifest := _completed(store, notes, record)) is not None or shares:
        return manifest  # another run was faster, or others are still at work
    return complete(store, notes, record, finish)


def _record(store: Store, pending: list[Upload]) -> None:
    uploads = pending[:]
    pending.clear()
    if uploads:
        store.record(uploads)


def _start(
    remake: Callable[[], Dataset], dataset: Dataset | None, store: Store, notes: str, scratch: str
) -> StoreWriter:
    return StoreWriter(remake() if dataset is None else dataset, store, notes, scratch)


def _completed(store: Store, notes: str, record: Mapping[str, Any]) -> dict[str, Any] | None:
    """The manifest if this very release is complete, whoever made it; its notes are removed.

    Raises:
        UsageError: Another release is there.
    """
    text = store.read(MANIFEST)
    if text is None:
        return None
    try:
        manifest = dict(json.loads(text))
    except (ValueError, TypeError):
        manifest = {}
    same = len(manifest.get("files", ())) == record["total"]
    if not same or any(manifest.get(name) != value for name, value in record["head"].items()):
        raise UsageError(f"{store.url} already holds another release; choose another --out")
    if left := [f"{notes}/{name}" for name in store.sizes(notes)]:
        store.remove(left)
    return manifest


def _require_no_other(store: Store, notes: str) -> None:
    """Raise UsageError if somebody began a release of other settings or of another version."""
    others = {name.partition("/")[0] for name in store.sizes(UNFINISHED)} - {Path(notes).name}
    if others:
        raise UsageError(
            f"{store.url} holds an unfinished release of other settings or of another version of "
            f"bioreason; finish it with those, or {store.removal}"
        )


def read_notes(store: Store, notes: str) -> dict[int, Noted]:
    """Number -> note of the files that are there with the size that was noted."""
    there, found = store.sizes("data"), {}
    for name in store.sizes(notes):
        if name != HEAD and (text := store.read(f"{notes}/{name}")) is not None:
            try:
                note = json.loads(text)
                entry = FileEntry(*(note[key] for key in ("file", "schema", "rows", "digest")))
                if there.get(entry.file.removeprefix("data/")) == note["bytes"]:
                    sizes = int(note["bytes"]), int(note["unpacked"])
                    found[int(note["number"])] = Noted(entry, *sizes)
            except (ValueError, TypeError, KeyError):
                continue  # torn: its file is made again
    return found


def merge_store(store: Store, finish: Finish) -> dict[str, Any]:
    """Write card and manifest of a release whose files were made by shares.

    Raises:
        ReleaseError: Files are missing, or nobody has begun a release there.
    """
    begun = sorted({name.partition("/")[0] for name in store.sizes(UNFINISHED)})
    if len(begun) != 1:
        what = "files of several settings" if begun else "no files of bioreason generate --shards"
        what = "a complete release" if not begun and store.read(MANIFEST) else what
        raise ReleaseError(f"{store.url} holds {what}; merge where the shares of one release are")
    notes = f"{UNFINISHED}/{begun[0]}"
    try:
        record = dict(json.loads(store.read(f"{notes}/{HEAD}") or ""))
        _ = record["head"], int(record["total"])
    except (ValueError, TypeError, KeyError):
        raise ReleaseError(
            f"{store.url}/{notes}/{HEAD} is missing or broken; run bioreason generate for any of "
            "the shares again, then merge"
        ) from None
    return _completed(store, notes, record) or complete(store, notes, record, finish)


def complete(store: Store, notes: str, record: Mapping[str, Any], finish: Finish) -> dict[str, Any]:
    """Write card and manifest, the manifest last, and remove the notes.

    Raises:
        ReleaseError: Files are missing.
    """
    known = read_notes(store, notes)
    total = int(record["total"])
    if missing := sorted(set(range(total)) - set(known)):
        runs = [str(Shares(first, last, total)) for first, last in ranges(missing)]
        raise ReleaseError(
            f"{store.url}: {len(missing):,} of {total:,} files are missing; make them with "
            f"bioreason generate --shards {', --shards '.join(runs[:6])}, and merge again"
        )
    manifest = make_manifest(record["head"], [note.entry for note in known.values()])
    sizes = {note.entry.file: (note.bytes, note.unpacked) for note in known.values()}
    with tempfile.TemporaryDirectory(prefix="bioreason-") as folder:
        finish(store, manifest, Path(folder), sizes)
        write_manifest(Path(folder), manifest)
        last = {name: Path(folder) / name for name in (*CARD, MANIFEST)}
        there = {name: path for name, path in last.items() if path.is_file()}
        store.finish(there, [f"{notes}/{name}" for name in store.sizes(notes)])
    return manifest
