"""The files of a release, where it is: in a folder, or fetched one by one from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bioreason_bench.release.manifest import MANIFEST

__all__ = ["BESIDE", "DOWNLOADS", "Files", "Sizes"]

Sizes = Mapping[str, tuple[int, int]]  # file -> bytes as stored, and without compression
BESIDE = {MANIFEST, "README.md", "chain.svg", "croissant.json", "audit.json", "eval.yaml"}
DOWNLOADS = {".cache", ".git"}  # folders that git and huggingface_hub leave in a download


@dataclass(frozen=True)
class Files:
    """The files of a release in a folder.

    Attributes:
        folder: Where manifest, card and audit are.
    """

    folder: Path

    @property
    def name(self) -> str:
        """What messages call the release."""
        return str(self.folder)

    @contextmanager
    def opened(self, file: str) -> Iterator[Path]:
        """The path of a data file, valid inside the with statement.

        Raises:
            FileNotFoundError: There is no such file.
        """
        yield self.folder / file

    def everything(self) -> Iterator[tuple[str, str]]:
        """(name, kind) of all that is there: file, folder, or a link to a folder, in order."""
        for path in sorted(self.folder.iterdir()):
            if path.name in DOWNLOADS and path.is_dir() and not path.is_symlink():
                continue
            yield self._named(path)
            if path.is_dir() and not path.is_symlink():
                yield from map(self._named, sorted(path.rglob("*")))

    def _named(self, path: Path) -> tuple[str, str]:
        kind = "file" if not path.is_dir() else "link" if path.is_symlink() else "folder"
        return path.relative_to(self.folder).as_posix(), kind
