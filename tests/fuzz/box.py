"""The folder in which command lines are tried, and what is put there for one call.

    in/     good files, and some that are none (a FIFO, links): never changed
    run/    the current folder of a call; empty before and after it
    home/   HOME, the cache and the temporary folder of a call

A `Case` is a command line and the files that it names, relative to run/.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

PARQUETS = ("junk", "empty", "fifo", "folder", "zero", "link to itself", "missing", "no rows")
COLUMNS = ("ints", "nulls", "first dropped", "first twice", "not utf8", "long", "other rows")


@dataclass(frozen=True)
class Case:
    """A command line, and the files that it needs.

    Attributes:
        program: "bioreason" or "bioreason-baseline".
        words: What follows the program's name.
        files: Path -> content.
        releases: Folder -> (the manifest's bytes or None for the good one, damage of a data file).
    """

    program: str
    words: tuple[str, ...]
    files: dict[str, bytes] = field(default_factory=dict)
    releases: dict[str, tuple[bytes | None, tuple[str, str] | None]] = field(default_factory=dict)


class Box:
    """The folder, with a good release in it."""

    def __init__(self, root: Path, release: Path) -> None:
        self.root, self.release = root, root / "in" / "release"
        self.run, self.home = root / "run", root / "home"
        for folder in (root / "in", self.run, self.home / "tmp", self.home / "cache"):
            folder.mkdir(parents=True)
        shutil.copytree(release, self.release)
        inside = root / "in"
        os.mkfifo(inside / "fifo")
        (inside / "zero.toml").symlink_to("/dev/zero")
        (inside / "loop").symlink_to(inside / "loop")
        (inside / "folder.toml").mkdir()
        (inside / "file").write_text("text")
        with (inside / "huge.toml").open("wb") as file:
            file.truncate(10**11)  # without its blocks
        self.odd = tuple(str(path) for path in sorted(inside.iterdir()) if path != self.release)
        self.files = json.loads((self.release / "manifest.json").read_text())["files"]

    def make(self, case: Case) -> None:
        """Write the files of a case into run/."""
        for folder, (manifest, damage) in case.releases.items():
            target = self.run / folder
            self._link(target, whole=damage is None)
            if manifest is not None:
                (target / "manifest.json").unlink()
                (target / "manifest.json").write_bytes(manifest)
            if damage is not None:
                self._damage(target, *damage)
        for name, content in case.files.items():
            (self.run / name).parent.mkdir(parents=True, exist_ok=True)
            (self.run / name).write_bytes(content)

    def _link(self, target: Path, whole: bool) -> None:
        """A release of links to the good one; unless `whole`, its data files can be replaced."""
        target.mkdir()
        for path in self.release.iterdir():
            if path.is_file():
                os.link(path, target / path.name)
            elif whole:
                (target / path.name).symlink_to(path)
            else:
                shutil.copytree(path, target / path.name, copy_function=os.link)

    def _damage(self, folder: Path, file: str, how: str) -> None:
        """Replace a data file; if it can still be read, the manifest has its number of rows."""
        path = folder / file
        table = pq.read_table(path)
        path.unlink()
        match how:
            case "junk":
                path.write_bytes(b"PAR1 junk PAR1")
            case "empty":
                path.write_bytes(b"")
            case "fifo":
                os.mkfifo(path)
            case "folder":
                path.mkdir()
            case "zero":
                path.symlink_to("/dev/zero")
            case "link to itself":
                path.symlink_to(path)
            case "missing":
                pass
            case _:
                table = changed(table, how)
                pq.write_table(table, path, store_schema=False)
                self._set_rows(folder, file, table.num_rows)

    def _set_rows(self, folder: Path, file: str, rows: int) -> None:
        path = folder / "manifest.json"
        manifest = json.loads(path.read_text(encoding="utf-8"))
        manifest["files"][file]["rows"] = rows
        path.unlink()
        path.write_text(json.dumps(manifest), encoding="utf-8")

    def state(self) -> set[str]:
        """The files and folders that a call could leave behind."""
        found = set()
        for top in (self.run, self.home / "tmp"):
            for folder, folders, files in os.walk(top):
                found |= {f"{folder}/{name}" for name in (*folders, *files)}
        return found

    def clear(self) -> None:
        """Empty run/ and the temporary folder."""
        for top in (self.run, self.home / "tmp"):
            for path in list(top.iterdir()):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()

    def inputs(self) -> dict[str, Any]:
        """Size and time of everything in in/, which no call may change."""
        return {
            str(path): (path.lstat().st_size, path.lstat().st_mtime_ns, path.lstat().st_mode)
            for path in sorted((self.root / "in").rglob("*"))
        }


def changed(table: pa.Table, how: str) -> pa.Table:
    """A table that Parquet can hold and a release cannot."""
    rows, names = table.num_rows, table.column_names
    match how:
        case "no rows":
            return table.slice(0, 0)
        case "ints":
            return pa.table({name: pa.array([1] * rows, pa.int32()) for name in names})
        case "nulls":
            return pa.table([pa.nulls(rows, field.type) for field in table.schema], table.schema)
        case "first dropped":
            return table.drop_columns(names[:1])
        case "first twice":
            return table.append_column(names[0], table.column(0))
        case "not utf8":
            bad = pa.array([b"\xff\xfe"] * rows, pa.binary())
            texts = pa.StringArray.from_buffers(rows, *bad.buffers()[1:])
            return table.set_column(0, names[0], texts)
        case "long":
            text = pa.array(["x" * 2_000_000])
            repeated = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), text)
            return table.set_column(0, names[0], repeated)
        case _:
            return pa.table({"other": list(range(rows))})
