"""The checks of files, for releases of any family of questions.

`check_folder` checks what needs no data file to be opened: manifest, schemas, shards, canary, and
what else is in the folder. `open_file` reads one data file and checks its rows, digest and schema.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.reading.conform import marked, nonconforming
from bioreason_bench.errors import BioreasonError, ReleaseError
from bioreason_bench.family import Family, family_of, family_of_file
from bioreason_bench.release.digest import digest_rows
from bioreason_bench.release.files import BESIDE, Files
from bioreason_bench.release.manifest import CANARY, MANIFEST, read_manifest
from bioreason_bench.release.shards import configs_of

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["CARD", "check_folder", "has_place", "open_file", "read_text"]

CARD = "README.md"
SHARD = re.compile(r"(?P<split>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.parquet")


def check_folder(files: Files, ledger: Ledger) -> dict[str, Any] | None:
    """Check everything that needs no data file to be opened.

    Returns:
        The manifest, None if it cannot be read.

    Raises:
        UsageError: There is no folder.
    """
    try:
        manifest = read_manifest(files.folder)
    except ReleaseError as error:
        ledger.check_whole("manifest", MANIFEST, str(error))
        return None
    entries = manifest["files"]
    ledger.check_whole("manifest", MANIFEST, _config_problem(manifest))
    family = family_of(manifest)
    for file, entry in entries.items():
        ledger.check_whole("manifest", file, _entry_problem(family, file, entry["schema"]))
    _check_extras(files, entries, ledger)
    _check_shards(entries, ledger)
    _check_canary(files.folder, manifest["canary"], ledger)
    return manifest


def _entry_problem(family: Family, file: str, schema: str) -> str | None:
    """What is wrong with the manifest's entry of a file, None if nothing is."""
    place = family.place(file)
    if place is None:
        return "no release has a split of this name"
    if schema != place.schema:
        return f"its schema must be {place.schema}, the manifest says {schema}"
    return None


def has_place(file: str) -> bool:
    """Whether a file name is one of those that a release has: data/probes/test-..., not train."""
    return family_of_file(file).place(file) is not None


def open_file(files: Files, file: str, entry: Mapping[str, Any], ledger: Ledger) -> pa.Table | None:
    """Read one file and check its rows, digest and schema.

    Args:
        files: Those of the release.
        file: Its name.
        entry: Its entry in the manifest.
        ledger: Where checks are counted.

    Returns:
        The rows, None if they cannot be read or do not fit their schema.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with files.opened(file) as path:
            if path.exists() and not path.is_file():  # to open a pipe would wait for ever
                ledger.check_whole("files", file, "cannot be read: it is no file")
                return None
            table = pq.ParquetFile(path).read()
    except FileNotFoundError:
        ledger.check_whole("files", file, "the manifest names this file, but it is not there")
        return None
    except (OSError, pa.ArrowException) as error:
        ledger.check_whole("files", file, f"cannot be read: {str(error).splitlines()[0]}")
        return None
    ledger.check_whole("files", file, None)
    rows, digest = entry["rows"], entry["digest"]
    problem = f"the manifest says {rows:,} rows, found {table.num_rows:,}"
    ledger.check_whole("rows", file, None if table.num_rows == rows else problem)
    if not table.num_rows:
        ledger.check_whole("rows", file, "a file has at least one row")
    broken, why = nonconforming(table, entry["schema"])
    ledger.check("schema", file, table.num_rows, broken, why)
    if broken:
        return None
    ledger.check_whole("digests", file, _digest_problem(table, digest))
    broken, why = marked(table)
    ledger.check("marks", file, table.num_rows, broken, why)
    return table if table.num_rows and has_place(file) else None


def _digest_problem(table: pa.Table, digest: str) -> str | None:
    try:
        actual = digest_rows(table)
    except ReleaseError as error:
        actual = str(error)
    return None if actual == digest else f"the manifest says {digest}, the rows have {actual}"


def _config_problem(manifest: Mapping[str, Any]) -> str | None:
    """What is wrong with the configs of a manifest, given its files; None if nothing is."""
    try:
        expected = configs_of(manifest["files"])
    except BioreasonError as error:
        return str(error)
    listed = manifest["configs"]
    for name in sorted({*expected, *listed}):
        if expected.get(name) != listed.get(name):
            return f"config {name} must list {expected.get(name)}, found {listed.get(name)}"
    return None


def _check_extras(files: Files, named: Mapping[str, Any], ledger: Ledger) -> None:
    """Whatever is there is named by the manifest, belongs to the card, or is a file's folder.

    A file that the manifest names may be a link, as in the cache of huggingface_hub; a folder never
    is.
    """
    folders = {parent.as_posix() for file in named for parent in PurePosixPath(file).parents}
    for name, kind in files.everything():
        if kind == "folder":
            problem = None if name in folders else "no file of the manifest is in this folder"
        elif kind == "link":
            problem = "a folder of a release is no link"
        else:
            known = name in named or name in {*BESIDE, ".gitattributes"}
            problem = None if known else "the manifest does not name this file"
        ledger.check_whole("files", name, problem)


def _check_shards(files: Mapping[str, Any], ledger: Ledger) -> None:
    """The shards of a split are numbers 0 to N - 1 of N, each once."""
    splits: dict[str, list[tuple[int, int]]] = {}
    for file in files:
        if match := SHARD.fullmatch(file):
            shard = int(match["number"]), int(match["count"])
            splits.setdefault(match["split"], []).append(shard)
    for split, shards in splits.items():
        count = shards[0][1]
        complete = sorted(shards) == [(number, count) for number in range(count)]
        problem = f"shards must be 0 to {count - 1} of {count}, the manifest has {sorted(shards)}"
        ledger.check_whole("shards", split, None if complete else problem)


def read_text(path: Path) -> str:
    """The text of a file; "" if there is none, or if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else ""
    except (OSError, UnicodeDecodeError):
        return ""


def _check_canary(folder: Path, canary: str, ledger: Ledger) -> None:
    problem = f"the canary must be {CANARY}, found {canary}"
    ledger.check_whole("canary", MANIFEST, None if canary == CANARY else problem)
    card = read_text(folder / CARD)
    problem = (
        "the card must hold the canary of the manifest, so that corpora can be searched for it"
    )
    ledger.check_whole("canary", CARD, None if canary in card else problem)
