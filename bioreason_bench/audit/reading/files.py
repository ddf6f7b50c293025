"""The files of a release: is each there, whole, and what the manifest and the schemas say?"""

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

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["check_folder", "open_file"]

CARD = "README.md"
KINDS = {
    "biographies": "biography",
    "people": "person",
    "facts": "fact",
    "paths": "path",
    "relations": "relation",
    "probes": "probe",
}
BEYOND = (
    "counterfactual",
    "conflict",
    "direction",
)  # configs beyond the levels, each with columns of its own
SHARD = re.compile(r"(?P<place>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.parquet")


def check_folder(folder: Path, ledger: Ledger) -> dict[str, Any] | None:
    """The manifest, after everything that can be said without opening a data file; None where it cannot be read.

    Raises UsageError where there is no folder.
    """
    try:
        manifest = read_manifest(folder)
    except ReleaseError as error:
        ledger.whole("manifest", MANIFEST, str(error))
        return None
    files = manifest["files"]
    try:
        configs = configs_of(files)
        wrong = next(
            (
                name
                for name in sorted({*configs, *manifest["configs"]})
                if configs.get(name) != manifest["configs"].get(name)
            ),
            None,
        )
        problem = (
            None
            if wrong is None
            else f"config {wrong} must list {configs.get(wrong)}, found {manifest['configs'].get(wrong)}"
        )
    except BioreasonError as error:
        problem = str(error)
    ledger.whole("manifest", MANIFEST, problem)
    for file, entry in files.items():
        folder_name = file.removeprefix("data/").rpartition("/")[0]
        last = folder_name.rpartition("/")[2]
        schema = KINDS.get(folder_name, last if last in BEYOND else "question")
        ledger.whole(
            "manifest",
            file,
            None
            if entry["schema"] == schema
            else f"its schema must be {schema}, the manifest says {entry['schema']}",
        )
    data = folder / "data"
    found = (
        sorted(path.relative_to(folder).as_posix() for path in data.rglob("*") if path.is_file())
        if data.is_dir()
        else []
    )
    for file in found:
        ledger.whole(
            "files", file, None if file in files else "the manifest does not name this file"
        )
    _check_shards(files, ledger)
    _check_canary(folder, manifest, ledger)
    return manifest


def open_file(folder: Path, file: str, entry: Mapping[str, Any], ledger: Ledger) -> pa.Table | None:
    """The rows of one file, checked for rows, digest and schema; None where they cannot be used."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(folder / file).read()
    except FileNotFoundError:
        ledger.whole("files", file, "the manifest names this file, and it is not there")
        return None
    except (OSError, pa.ArrowException) as error:
        ledger.whole("files", file, f"cannot be read: {str(error).splitlines()[0]}")
        return None
    ledger.whole("files", file, None)
    rows = entry["rows"]
    ledger.whole(
        "rows",
        file,
        None
        if table.num_rows == rows
        else f"the manifest says {rows:,} rows, found {table.num_rows:,}",
    )
    bad, why = nonconforming(table, entry["schema"])
    ledger.check("schema", file, table.num_rows, bad, lambda _: why)
    try:
        digest = digest_rows(table)
    except ReleaseError as error:
        digest = str(error)
    ledger.whole(
        "digests",
        file,
        None
        if digest == entry["digest"]
        else f"the manifest says {entry['digest']}, the rows have {digest}",
    )
    return None if bad else table


def _check_shards(files: Mapping[str, Any], ledger: Ledger) -> None:
    """Shards 0..N-1 of N, once each."""
    splits: dict[str, list[tuple[int, int]]] = {}
    for file in files:
        if match := SHARD.fullmatch(file):
            splits.setdefault(match["place"], []).append(
                (int(match["number"]), int(match["count"]))
            )
    for place, shards in splits.items():
        count = shards[0][1]
        good = sorted(shards) == [(number, count) for number in range(count)]
        ledger.whole(
            "shards",
            place,
            None
            if good
            else f"shards must be 0 to {count - 1} of {count}, the manifest has {sorted(shards)}",
        )


def _check_canary(folder: Path, manifest: Mapping[str, Any], ledger: Ledger) -> None:
    ledger.whole(
        "canary",
        MANIFEST,
        None
        if manifest["canary"] == CANARY
        else f"the canary must be {CANARY}, found {manifest['canary']}",
    )
    try:
        card = (folder / CARD).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        card = ""
    ledger.whole(
        "canary",
        CARD,
        None
        if manifest["canary"] in card
        else "the card must hold the canary of the manifest, so that corpora can be searched for it",
    )
