"""The checks of files, for releases of any family of questions.

`check_folder` checks what needs no data file to be opened: manifest, schemas, shards and canary.
`open_file` reads one data file and checks its rows, digest and schema.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.reading.conform import nonconforming
from bioreason_bench.errors import BioreasonError, ReleaseError
from bioreason_bench.release.digest import digest_rows
from bioreason_bench.release.manifest import CANARY, MANIFEST, read_manifest
from bioreason_bench.release.shards import configs_of
from bioreason_bench.taxonomy import KIND_NAMES

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["check_folder", "open_file", "schema_of"]

CARD = "README.md"
TABLE_SCHEMAS = {  # folder in data/ → schema of its rows; other folders hold questions
    "biographies": "biography",
    "people": "person",
    "facts": "fact",
    "paths": "path",
    "relations": "relation",
    "probes": "probe",
}
SHARD = re.compile(r"(?P<split>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.parquet")


def check_folder(folder: Path, ledger: Ledger) -> dict[str, Any] | None:
    """Check everything that needs no data file to be opened.

    Returns:
        The manifest, None if it cannot be read.

    Raises:
        UsageError: There is no folder.
    """
    try:
        manifest = read_manifest(folder)
    except ReleaseError as error:
        ledger.check_whole("manifest", MANIFEST, str(error))
        return None
    files = manifest["files"]
    ledger.check_whole("manifest", MANIFEST, _config_problem(manifest))
    for file, entry in files.items():
        schema = schema_of(file)
        problem = f"its schema must be {schema}, the manifest says {entry['schema']}"
        ledger.check_whole("manifest", file, None if entry["schema"] == schema else problem)
    for path in sorted((folder / "data").rglob("*")):
        if path.is_file():
            file = path.relative_to(folder).as_posix()
            problem = "the manifest does not name this file"
            ledger.check_whole("files", file, None if file in files else problem)
    _check_shards(files, ledger)
    _check_canary(folder, manifest["canary"], ledger)
    return manifest


def schema_of(file: str) -> str:
    """The schema that the rows of a data file must have, by its folder.

    data/comp/conflict/test-00000-of-00001.parquet    conflict
    """
    folder = file.removeprefix("data/").rpartition("/")[0]
    name = folder.rpartition("/")[2]
    return TABLE_SCHEMAS.get(folder, name if name in KIND_NAMES else "question")


def open_file(folder: Path, file: str, entry: Mapping[str, Any], ledger: Ledger) -> pa.Table | None:
    """Read one file and check its rows, digest and schema.

    Args:
        folder: The release.
        file: The file, relative to the folder.
        entry: Its entry in the manifest.
        ledger: Where checks are counted.

    Returns:
        The rows, None if they cannot be read or do not fit their schema.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(folder / file).read()
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
    broken, why = nonconforming(table, entry["schema"])
    ledger.check("schema", file, table.num_rows, broken, why)
    try:
        actual = digest_rows(table)
    except ReleaseError as error:
        actual = str(error)
    problem = f"the manifest says {digest}, the rows have {actual}"
    ledger.check_whole("digests", file, None if actual == digest else problem)
    return None if broken else table


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


def _check_canary(folder: Path, canary: str, ledger: Ledger) -> None:
    problem = f"the canary must be {CANARY}, found {canary}"
    ledger.check_whole("canary", MANIFEST, None if canary == CANARY else problem)
    try:
        card = (folder / CARD).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        card = ""
    problem = (
        "the card must hold the canary of the manifest, so that corpora can be searched for it"
    )
    ledger.check_whole("canary", CARD, None if canary in card else problem)
