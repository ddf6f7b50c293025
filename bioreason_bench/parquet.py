"""Opening Parquet files from outside: regular files with a bounded number of rows and bytes.

A file of some hundred bytes can claim billions of rows, or repeat one long text in all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench.inputs import LOG, Unreadable, check_file

if TYPE_CHECKING:
    import pyarrow.parquet as pq

__all__ = ["ROWS", "UNPACKED", "open_parquet"]

ROWS = 50_000_000  # of one file
UNPACKED = 8_000_000_000  # bytes of one file, without compression
TRIED = 64  # rows that are read first where a text might be repeated
LONG = 1_000_000  # bytes of a row


@contextmanager
def open_parquet(
    source: Path | Any, columns: Sequence[str] | None = None
) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file, or a buffer of pyarrow with the bytes of one.

    Raises:
        Unreadable: The path is no regular file, or the file unpacks to too much.
        OSError: The file is missing.
        pyarrow.ArrowException: It is no Parquet file.
    """
    import pyarrow.parquet as pq

    if isinstance(source, Path):
        check_file(source, LOG)
    with pq.ParquetFile(source) as file:
        _check_size(file)
        if columns is None or set(columns) <= set(file.schema_arrow.names):
            _check_first_rows(file, columns)
        yield file


def _check_size(file: pq.ParquetFile) -> None:
    """Refuse a file whose footer names too many rows or bytes."""
    footer = file.metadata
    if not 0 <= footer.num_rows <= ROWS:
        raise Unreadable(f"it claims {footer.num_rows:,} rows; at most {ROWS:,} are read")
    groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
    size = sum(group.total_byte_size for group in groups)
    if size > UNPACKED or any(group.total_byte_size < 0 for group in groups):
        raise Unreadable(f"it unpacks to {size:,} bytes; at most {UNPACKED:,} are read")
    if sum(group.num_rows for group in groups) != footer.num_rows:
        raise Unreadable("its footer contradicts itself about the number of rows")


def _check_first_rows(file: pq.ParquetFile, columns: Sequence[str] | None) -> None:
    """Refuse a file whose rows are far larger than their share of the encoded bytes.

    Parquet stores a text that is repeated once, so that the footer does not show the size of the
    rows.
    """
    footer = file.metadata
    if not footer.num_row_groups or footer.row_group(0).total_byte_size < LONG:
        return
    first = next(file.iter_batches(batch_size=TRIED, columns=columns), None)
    if first is not None and first.num_rows and first.nbytes > LONG * first.num_rows:
        raise Unreadable(f"it has rows of more than {LONG:,} bytes")
