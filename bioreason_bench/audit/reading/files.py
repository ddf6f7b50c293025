"""The checks of files, for releases of any family of questions.

`check_folder` checks what needs no data file to be opened: manifest, schemas, shards, canary, and
what else is in the folder. `opened_rows` opens one data file and checks its rows, digest and
schema; they are read in batches, so that a file may be larger than memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.reading.conform import marked, nonconforming
from bioreason_bench.errors import BioreasonError, ReleaseError
from bioreason_bench.family import Family, family_of, family_of_file
from bioreason_bench.release.digest import RowsDigest
from bioreason_bench.release.files import BESIDE, Files
from bioreason_bench.release.manifest import CANARY, MANIFEST, read_manifest
from bioreason_bench.release.shards import configs_of

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

__all__ = ["CARD", "Rows", "check_folder", "has_place", "open_file", "opened_rows", "read_text"]

CARD = "README.md"
BATCH = 2_048  # rows that are in memory at a time
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


@dataclass(frozen=True)
class Rows:
    """The rows of one open file.

    Attributes:
        parquet: The file.
    """

    parquet: pq.ParquetFile

    def __len__(self) -> int:
        return int(self.parquet.metadata.num_rows)

    def batches(self) -> Iterator[tuple[int, pa.Table]]:
        """(number of the first row, rows) of each batch; an empty file has an empty one."""
        import pyarrow as pa

        first, schema = 0, self.parquet.schema_arrow
        if not len(self):
            yield 0, schema.empty_table()
        for batch in self.parquet.iter_batches(BATCH):
            yield first, pa.Table.from_batches([batch], schema)
            first += batch.num_rows


@contextmanager
def opened_rows(
    files: Files, file: str, entry: Mapping[str, Any], ledger: Ledger
) -> Iterator[Rows | None]:
    """Open one file, and check its rows, digest and schema.

    Args:
        files: Those of the release.
        file: Its name.
        entry: Its entry in the manifest.
        ledger: Where checks are counted.

    Yields:
        The rows, None if they cannot be read or do not fit their schema.
    """
    with ExitStack() as opened:
        rows = _open(files, file, ledger, opened)
        good = rows is not None and _check_rows(rows, file, entry, ledger)
        place = family_of_file(file).place(file)
        fits = place is not None and place.schema == entry["schema"]
        yield rows if good and fits else None


def open_file(files: Files, file: str, entry: Mapping[str, Any], ledger: Ledger) -> pa.Table | None:
    """All rows of one file at once, checked as by `opened_rows`; None if they are broken."""
    with opened_rows(files, file, entry, ledger) as rows:
        return rows.parquet.read() if rows is not None else None


def _open(files: Files, file: str, ledger: Ledger, opened: ExitStack) -> Rows | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        path = opened.enter_context(files.opened(file))
        if path.exists() and not path.is_file():  # to open a pipe would wait for ever
            ledger.check_whole("files", file, "cannot be read: it is no file")
            return None
        return Rows(opened.enter_context(pq.ParquetFile(path)))
    except FileNotFoundError:
        ledger.check_whole("files", file, "the manifest names this file, but it is not there")
    except (OSError, pa.ArrowException) as error:
        ledger.check_whole("files", file, _unreadable(error))
    return None


def _unreadable(error: Exception) -> str:
    return f"cannot be read: {(str(error).splitlines() or [type(error).__name__])[0]}"


def _check_rows(rows: Rows, file: str, entry: Mapping[str, Any], ledger: Ledger) -> bool:
    """Check number, schema, digest and letters of the rows; whether they are there to be used."""
    import pyarrow as pa

    broken: dict[str, tuple[list[int], str]] = {"schema": ([], ""), "marks": ([], "")}

    def note(law: str, first: int, found: tuple[list[int], str]) -> None:
        numbers, why = broken[law]
        broken[law] = numbers + [first + row for row in found[0]], why or found[1]

    digest, digest_problem, count = None, "", 0
    try:
        for first, batch in rows.batches():
            count += batch.num_rows
            note("schema", first, nonconforming(batch, entry["schema"]))
            if broken["schema"][0]:
                continue
            note("marks", first, marked(batch))
            try:
                digest = digest or RowsDigest(batch.schema)
                digest.update(batch)
            except ReleaseError as error:
                digest_problem = digest_problem or str(error)
    except (OSError, pa.ArrowException) as error:
        ledger.check_whole("files", file, _unreadable(error))
        return False
    ledger.check_whole("files", file, None)
    problem = f"the manifest says {entry['rows']:,} rows, found {count:,}"
    ledger.check_whole("rows", file, None if count == entry["rows"] else problem)
    if not count:
        ledger.check_whole("rows", file, "a file has at least one row")
    ledger.check("schema", file, count, *broken["schema"])
    if broken["schema"][0]:
        return False
    actual = digest_problem or (digest.text() if digest else "")
    problem = f"the manifest says {entry['digest']}, the rows have {actual}"
    ledger.check_whole("digests", file, None if actual == entry["digest"] else problem)
    ledger.check("marks", file, count, *broken["marks"])
    return count > 0


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
