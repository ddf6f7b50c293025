"""Releases in object stores: s3://bucket/name, gs://, memory:// and whatever else fsspec opens.

    URL/data/...                    files, made one by one in a temporary folder, and uploaded
    URL/_unfinished/KEY/00007.json  what is known of file 7: its entry, its size and its SHA-256
    URL/README.md, manifest.json    written last, by whoever finds all files there

A store has no folders to rename, so the manifest says that a release is complete: nothing of this
package reads a release without one.  The same command resumes a run.  KEY stands for the settings.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench.errors import BioreasonError, MissingExtra, ReleaseError, UsageError
from bioreason_bench.release import disk
from bioreason_bench.release.manifest import MANIFEST, make_manifest
from bioreason_bench.release.shards import FileEntry, write_shard
from bioreason_bench.release.write import CARD, digest_of, no_collection, plain_errors
from bioreason_bench.scale.shares import Shares, ranges
from bioreason_bench.workers import run

if TYPE_CHECKING:
    from bioreason_bench.dataset import Dataset, Shard

__all__ = ["Finish", "Store", "merge_store", "write_to_store"]

UNFINISHED = "_unfinished"
HEAD = "head.json"
FULL = ("quota", "storagefull", "no space", "insufficient storage", "507")

Advance = Callable[[FileEntry, int], None]
Sizes = Mapping[str, tuple[int, int]]  # file -> bytes as stored, and without compression
# (store, manifest, folder, sizes) -> the card is in the folder
Finish = Callable[["Store", Mapping[str, Any], Path, Sizes], None]


@dataclass(frozen=True)
class Store:
    """A place in an object store; every failure is one sentence that names it."""

    url: str

    def _open(self) -> tuple[Any, str]:
        import fsspec

        try:
            return fsspec.core.url_to_fs(self.url)
        except ImportError as error:
            raise MissingExtra(str(error.name or error), "scale") from None
        except ValueError as error:
            raise UsageError(f"--out {self.url} cannot be opened: {error}") from None

    def put(self, path: Path, name: str) -> None:
        """Upload a file."""
        with store_errors(self.url):
            files, root = self._open()
            if files.protocol in ("memory", ("memory",)):
                files.makedirs(f"{root}/{name}".rpartition("/")[0], exist_ok=True)
            files.put_file(str(path), f"{root}/{name}")

    def get(self, name: str, path: Path) -> None:
        """Download a file."""
        with store_errors(self.url):
            files, root = self._open()
            path.parent.mkdir(parents=True, exist_ok=True)
            files.get_file(f"{root}/{name}", str(path))

    def write(self, name: str, text: str) -> None:
        """Write a small file."""
        with store_errors(self.url):
            files, root = self._open()
            files.pipe_file(f"{root}/{name}", text.encode())

    def read(self, name: str) -> str | None:
        """A small file; None if there is none."""
        with store_errors(self.url):
            files, root = self._open()
            try:
                content: bytes = files.cat_file(f"{root}/{name}")
            except FileNotFoundError:
                return None
            return content.decode()

    def sizes(self, folder: str = "") -> dict[str, int]:
        """Name below the folder -> bytes of each file there, as the store tells now."""
        with store_errors(self.url):
            files, root = self._open()
            base = f"{root}/{folder}".rstrip("/")
            files.invalidate_cache()
            try:
                found = files.find(base, detail=True)
            except FileNotFoundError:
                return {}
            return {path.removeprefix(f"{base}/"): info["size"] for path, info in found.items()}

    def remove(self, names: Sequence[str]) -> None:
        with store_errors(self.url):
            files, root = self._open()
            for name in names:
                files.rm_file(f"{root}/{name}")


@contextmanager
def store_errors(url: str) -> Iterator[None]:
    """Turn whatever a store raises into one sentence.

    Raises:
        UsageError: The store refused: credentials, a bucket that does not exist.
        BioreasonError: The store failed: no room, a dropped connection.
    """
    try:
        yield
    except BioreasonError:
        raise
    except Exception as error:  # noqa: BLE001 - each store has its own
        reason = " ".join(str(error).split()) or type(error).__name__
        name = type(error).__name__
        again = "run the same command again: finished files are kept"
        if any(word in f"{name} {reason}".lower() for word in FULL):
            raise BioreasonError(f"no room in {url} ({reason}); make room, and {again}") from None
        if isinstance(error, PermissionError) or "Credential" in name:
            raise UsageError(f"{url} refused access ({reason}); check the credentials") from None
        if isinstance(error, FileNotFoundError):
            raise UsageError(f"{url} does not exist ({reason}); make the bucket first") from None
        raise BioreasonError(f"{url} failed ({reason}); {again}") from None


# writing ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StoreWriter:
    """The work of one process: make a file, upload it, and delete it here."""

    dataset: Dataset
    store: Store
    notes: str

    def __call__(self, numbered: tuple[int, Shard]) -> FileEntry:
        number, shard = numbered
        with tempfile.TemporaryDirectory(prefix="bioreason-") as folder, no_collection():
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
                    "unpacked": _unpacked(path),
                    "sha256": disk.sha256(path),
                }
            self.store.put(path, shard.file)
        self.store.write(f"{self.notes}/{number:05d}.json", json.dumps(note))
        return entry


def _unpacked(path: Path) -> int:
    """The bytes of a Parquet file's columns without compression, from its footer."""
    import pyarrow.parquet as pq

    footer = pq.read_metadata(path)
    return sum(footer.row_group(k).total_byte_size for k in range(footer.num_row_groups))


@dataclass(frozen=True)
class Noted:
    """What is noted of a file in the store, with its bytes as stored and without compression."""

    entry: FileEntry
    bytes: int
    unpacked: int


def write_to_store(
    url: str,
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
        url: Where the release will be.
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
    store = Store(url.rstrip("/"))
    require_free(store)
    files = dataset.shards(shard_rows)
    record = {"head": dict(head), "shard_rows": shard_rows, "total": len(files)}
    notes = f"{UNFINISHED}/{digest_of(record)[:12]}"
    store.write(f"{notes}/{HEAD}", json.dumps(record))
    numbered = list(enumerate(files))
    mine = list(shares.of(numbered)) if shares else numbered
    known = read_notes(store, notes)
    total = sum(shard.rows for _, shard in mine)
    for number, _ in mine:
        if number in known:
            advance(known[number].entry, total)
    missing = [(number, shard) for number, shard in mine if number not in known]
    local = url.startswith("memory:")  # which other processes do not share
    start = partial(_start, remake, dataset, store, notes)
    with closing(run(missing, start, 1 if local else workers)) as made:
        for entry in made:
            advance(entry, total)
    return None if shares else complete(store, notes, finish)


def _start(
    remake: Callable[[], Dataset], dataset: Dataset | None, store: Store, notes: str
) -> StoreWriter:
    return StoreWriter(remake() if dataset is None else dataset, store, notes)


def require_free(store: Store) -> None:
    """Raise UsageError if a release is there already."""
    if store.read(MANIFEST) is not None:
        raise UsageError(f"{store.url} already holds a release; choose another --out")


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


def merge_store(url: str, finish: Finish) -> dict[str, Any]:
    """Write card and manifest of a release whose files were made by shares.

    Raises:
        ReleaseError: Files are missing, or nobody has begun a release there.
    """
    store = Store(url.rstrip("/"))
    require_free(store)
    begun = sorted({name.partition("/")[0] for name in store.sizes(UNFINISHED)})
    if len(begun) != 1:
        what = "files of several settings" if begun else "no files of bioreason generate --shards"
        raise ReleaseError(f"{url} holds {what}; merge where the shares of one release are")
    return complete(store, f"{UNFINISHED}/{begun[0]}", finish)


def complete(store: Store, notes: str, finish: Finish) -> dict[str, Any]:
    """Write card and manifest, the manifest last, and remove the notes.

    Raises:
        ReleaseError: Files are missing.
    """
    record = json.loads(store.read(f"{notes}/{HEAD}") or "{}")
    known = read_notes(store, notes)
    total = int(record.get("total", 0))
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
        for name in CARD:
            if (Path(folder) / name).is_file():
                store.put(Path(folder) / name, name)
    store.write(MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
    store.remove([f"{notes}/{name}" for name in store.sizes(notes)])
    return manifest
