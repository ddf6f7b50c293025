"""A complete release in an object store, read with the disk of a few files.

    with checkout("s3://bucket/xl") as files:
        verify(files)

Manifest, card and audit are downloaded at once, a data file only while it is open.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bioreason_bench.errors import BioreasonError, UsageError
from bioreason_bench.release.files import BESIDE, DOWNLOADS, Files
from bioreason_bench.release.manifest import MANIFEST
from bioreason_bench.scale.hub_access import require_token
from bioreason_bench.scale.hub_branch import DRAFT, HubBranch, branch_at, commit_at, repo_at
from bioreason_bench.scale.store import Store
from bioreason_bench.scale.upload import UNFINISHED
from bioreason_bench.scale.urls import is_on_hub

__all__ = ["RemoteFiles", "checkout", "files_at", "store_at", "writable_store_at"]


@dataclass(frozen=True)
class RemoteFiles(Files):
    """The files of a release in a store.

    Attributes:
        folder: A local folder with all that is not a data file.
        store: Where files are read; of the Hub a commit, which cannot change meanwhile.
        stored: The names of all files there, with their bytes.
        url: What the user calls the release.
        target: Where files are sent; None if nothing is to be written.
    """

    store: Store
    stored: Mapping[str, int]
    url: str
    target: Store | None = None

    @property
    def name(self) -> str:
        return self.url

    @contextmanager
    def opened(self, file: str) -> Iterator[Path]:
        """Download a data file, and delete it here when it is closed."""
        path = self.folder / file
        if path.exists():  # it is open already
            yield path
            return
        if file not in self.stored:
            raise FileNotFoundError(file)
        self.store.get(file, path)
        try:
            yield path
        finally:
            path.unlink()

    def everything(self) -> Iterator[tuple[str, str]]:
        """(name, "file") of all that is in the store, in order; a store has no folders."""
        names = (name for name in self.stored if name.partition("/")[0] not in DOWNLOADS)
        return ((name, "file") for name in sorted(names))

    def sizes(self, files: Iterable[str]) -> dict[str, tuple[int, int]]:
        """Bytes of each data file as stored and without compression; reads their footers only."""
        return {file: (self.stored[file], self.store.unpacked(file)) for file in sorted(files)}

    def send(self, names: Sequence[str]) -> None:
        """Upload those of these files that are in the local folder."""
        if self.target is None:
            raise ValueError("opened for reading")
        there = {name: self.folder / name for name in names if (self.folder / name).is_file()}
        self.target.finish(there, ())


@contextmanager
def checkout(url: str, *, write: bool = False) -> Iterator[RemoteFiles]:
    """The files of the release at this address.

    Args:
        url: The address.
        write: Whether files will be sent there, too.

    Raises:
        UsageError: There is no release, or the store refused.
        BioreasonError: The store failed.
    """
    on_hub = is_on_hub(url)
    if on_hub and write and repo_at(url)[1] is None:
        raise UsageError(f"{url} is what visitors see; name the draft: {url.rstrip('/')}@{DRAFT}")
    target = writable_store_at(url) if write else None
    if isinstance(target, HubBranch):
        require_token()
    store = store_at(commit_at(url) if on_hub else url)
    stored = store.sizes()
    if MANIFEST not in stored:
        begun = any(name.startswith(f"{UNFINISHED}/") for name in stored)
        what = "an unfinished release; run its generate again" if begun else "no release"
        hint = f"; a draft would be at {url}@{DRAFT}" if on_hub and not repo_at(url)[1] else ""
        raise UsageError(f"{url} holds {what}{hint}")
    with tempfile.TemporaryDirectory(prefix="bioreason-") as folder:
        for name in BESIDE.intersection(stored):
            store.get(name, Path(folder) / name)
        try:
            yield RemoteFiles(Path(folder), store, stored, url, target)
        except BioreasonError as error:
            if folder not in str(error):
                raise
            raise type(error)(str(error).replace(folder, url)) from None


@contextmanager
def files_at(place: Path | str, *, write: bool = False) -> Iterator[Files]:
    """The files of a release in a folder or at an address.

    Raises:
        UsageError: There is no release at the address, or the store refused.
        BioreasonError: The store failed.
    """
    if isinstance(place, Path):
        yield Files(place)
        return
    with checkout(place, write=write) as files:
        yield files


def store_at(url: str) -> Store:
    """The store of an address, to be read."""
    return Store(url.rstrip("/"))


def writable_store_at(url: str) -> Store:
    """The store of an address, to be written.

    Raises:
        UsageError: An address on the Hub that is not a branch of a data set.
    """
    return branch_at(url) if is_on_hub(url) else store_at(url)
