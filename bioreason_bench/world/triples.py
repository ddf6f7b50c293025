"""Read the facts and the names of a user's graph from CSV or Parquet files.

Texts lose blanks at their ends and are normalized to Unicode NFC, so that equal texts are equal
strings.  Further columns are ignored.
"""

from __future__ import annotations

import csv
import hashlib
import io
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bioreason_bench.errors import UsageError, quoted
from bioreason_bench.escaping import shortened
from bioreason_bench.inputs import FACTS as FACTS_BYTES
from bioreason_bench.inputs import Unreadable, read_bytes
from bioreason_bench.parquet import open_parquet
from bioreason_bench.validation import text_problem

__all__ = ["Rows", "read_rows"]

SUFFIXES = (".csv", ".parquet")


@dataclass(frozen=True)
class Rows:
    """Some columns of a file.

    Attributes:
        source: The name of the file.
        sha256: The SHA-256 of its bytes.
        unit: What rows are counted by: "line" of a CSV file, or "row" of a Parquet file.
        numbers: The line or row of each row, from 1.
        columns: The texts of each column, none empty.
    """

    source: str
    sha256: str
    unit: str
    numbers: Sequence[int]
    columns: tuple[list[str], ...]

    def at(self, index: int) -> str:
        """Say where a row is, as in "facts.csv, line 12"."""
        return f"{self.source}, {self.unit} {self.numbers[index]}"


def read_rows(path: str | Path, columns: Sequence[str], sha256: str = "") -> Rows:
    """Read the columns of these names.

    Args:
        path: A file that ends in .csv or .parquet.
        columns: The names of the columns.
        sha256: The SHA-256 that the file must have; any if empty.

    Raises:
        UsageError: Names the file, the place and what to do.
    """
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise UsageError(
            f"{path} is no {' or '.join(SUFFIXES)} file; save it as one of these, "
            f"with the columns {_listed(columns)}"
        )
    try:
        content = read_bytes(path, FACTS_BYTES)
    except (OSError, Unreadable) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(
            f"{path} cannot be read ({reason}); the world is made from it, "
            "so give the path where it is now"
        ) from None
    actual = hashlib.sha256(content).hexdigest()
    if sha256 and actual != sha256:
        raise UsageError(
            f"{path} has changed since this configuration was made: its SHA-256 is {actual}, "
            f"not {sha256}; restore the file, or generate a new release from it"
        )
    if path.suffix == ".csv":
        unit, (header, numbers, records) = "line", _read_csv(path, content)
        _check_header(path, header, columns)
        places = [header.index(name) for name in columns]
        texts = tuple([_plain(record[place]) for record in records] for place in places)
    else:
        unit, texts = "row", _read_parquet(path, content, columns)
        numbers = list(range(1, len(texts[0]) + 1))
    rows = Rows(path.name, actual, unit, numbers, texts)
    for name, values in zip(columns, texts, strict=True):
        _check_texts(rows, name, values)
    if not texts[0]:
        raise UsageError(f"{path} has no rows; it needs {_listed(columns)} in each")
    return rows


def _check_texts(rows: Rows, name: str, values: Sequence[str]) -> None:
    """No text of the column `name` is empty, too long, or cannot be seen as it is."""
    for index, text in enumerate(values):
        if not text:
            raise UsageError(
                f"{rows.at(index)}: the {name} is empty; fill it in, or remove the row"
            )
        if problem := text_problem(text):
            raise UsageError(f"{rows.at(index)}: the {name} {quoted(text)} {problem}")


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip())


def _listed(columns: Sequence[str]) -> str:
    return f"{', '.join(columns[:-1])} and {columns[-1]}"


def _check_header(path: Path, header: Sequence[str], columns: Sequence[str]) -> None:
    for name in columns:
        if header.count(name) != 1:
            problem = "no column" if name not in header else "more than one column"
            raise UsageError(
                f"{path} has {problem} {name!r}; it needs the columns {_listed(columns)}, each "
                f"once, and has {shortened(', '.join(header), 200) or 'none'}"
            )


def _read_csv(path: Path, content: bytes) -> tuple[list[str], list[int], list[list[str]]]:
    """Return header, the last line of each row, and the rows."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UsageError(
            f"{path}, line {line}: this is not UTF-8 text; save the file as UTF-8"
        ) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        lines = [(reader.line_num, record) for record in reader if record]
    except csv.Error as error:
        raise UsageError(
            f"{path}, line {reader.line_num}: this is not CSV ({error}); "
            "put texts with commas or quotes between quotes"
        ) from None
    if not lines:
        return [], [], []
    header = [name.strip() for name in lines[0][1]]
    for number, record in lines[1:]:
        if len(record) != len(header):
            raise UsageError(
                f"{path}, line {number}: there are {len(record)} values for {len(header)} columns; "
                "put texts with commas between quotes"
            )
    return header, [number for number, _ in lines[1:]], [record for _, record in lines[1:]]


def _read_parquet(path: Path, content: bytes, columns: Sequence[str]) -> tuple[list[str], ...]:
    import pyarrow as pa

    try:
        with open_parquet(pa.BufferReader(content)) as file:
            _check_header(path, file.schema_arrow.names, columns)
            table = file.read(columns=list(columns))
        return tuple(list(_texts(table.column(name).cast(pa.string()))) for name in columns)
    except (OSError, ValueError, pa.ArrowException) as error:  # also texts that are not UTF-8
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UsageError(
            f"{path} cannot be read as a Parquet file with texts in the columns "
            f"{_listed(columns)} ({reason}); write it again"
        ) from None


def _texts(column: object) -> Iterator[str]:
    for value in column.to_pylist():  # type: ignore[attr-defined]
        yield _plain(value or "")
