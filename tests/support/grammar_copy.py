"""A copy of a release of a grammar, to corrupt and to seal so that only the corruption shows."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.verify import verify
from bioreason_bench.release.digest import digest_rows

Rows = list[dict[str, Any]]


class GrammarCopy:
    """A copy of a release; a split such as scan/iid/test means its first file."""

    def __init__(self, source: Path, folder: Path) -> None:
        shutil.copytree(source, folder)
        self.folder = folder

    def manifest(self, change: Callable[[dict[str, Any]], object] | None = None) -> dict[str, Any]:
        """The manifest, changed on disk if a change is given."""
        path = self.folder / "manifest.json"
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if change:
            change(manifest)
            path.write_text(json.dumps(manifest), encoding="utf-8")
        return manifest

    def file(self, split: str) -> str:
        return next(name for name in self.manifest()["files"] if name.startswith(f"data/{split}-"))

    def rows(self, split: str) -> Rows:
        return pq.read_table(self.folder / self.file(split)).to_pylist()

    def write(self, split: str, rows: Rows) -> None:
        """Replace the rows of a file, and record their number and digest."""
        name = self.file(split)
        path = self.folder / name
        table = pa.Table.from_pylist(rows, schema=pq.read_schema(path))
        pq.write_table(table, path, store_schema=False)
        entry = {"rows": len(rows), "digest": digest_rows(table)}
        self.manifest(lambda manifest: manifest["files"][name].update(entry))


@dataclass(frozen=True)
class Breach:
    """A corruption: what is done to the rows of one split, and which law it breaks."""

    law: str
    split: str
    change: Callable[[Rows, GrammarCopy], object]

    def __str__(self) -> str:
        return f"{self.law} in {self.split}"

    def apply(self, copy: GrammarCopy) -> None:
        rows = copy.rows(self.split)
        self.change(rows, copy)
        copy.write(self.split, rows)

    def audited(self, source: Path, folder: Path) -> Ledger:
        """What an audit finds in a copy of the release after the corruption."""
        copy = GrammarCopy(source, folder)
        self.apply(copy)
        return verify(copy.folder, workers=1).ledger
