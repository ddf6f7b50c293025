"""A digest of rows that depends on the rows alone, not on how a file was written or chunked.

Each column is one to three streams of bytes, each with a SHA-256 of its own:
    bool, int32    the values, little-endian, 1 or 4 bytes each
    string         the lengths in UTF-8 bytes, as uint32 little-endian; the bytes of all texts
    list<string>   the lengths of the lists, as uint32 little-endian; the flattened texts as above
    list<int32>    the lengths of the lists, as uint32 little-endian; the flattened values as above
The digest is the SHA-256 over, for each column in order: its name, a zero byte, its type (one of
the words above), a zero byte, and the 32 bytes of each of its streams.  Rows in another order, a
text split elsewhere or a retyped column give another digest.  It is as fast as SHA-256, and the
rows need not be in memory all at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.errors import ReleaseError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["RowsDigest", "digest_rows"]

STREAMS = {"bool": 1, "int32": 1, "string": 2, "list<string>": 3, "list<int32>": 2}


def digest_rows(table: pa.Table) -> str:
    """`sha256:` and 64 hexadecimal digits.

    Raises:
        ReleaseError: A value is missing, or a column has a type that no schema of ours has.
    """
    digest = RowsDigest(table.schema)
    digest.update(table)
    return digest.text()


class RowsDigest:
    """The digest of rows that come in several tables of the same schema."""

    def __init__(self, schema: pa.Schema) -> None:
        self.columns = {field.name: _type_name(field.name, field.type) for field in schema}
        self.streams = {
            name: [hashlib.sha256() for _ in range(STREAMS[type_name])]
            for name, type_name in self.columns.items()
        }

    def update(self, table: pa.Table) -> None:
        for name, streams in self.streams.items():
            column = table[name]
            if column.null_count:
                raise ReleaseError(
                    f"column {name!r} holds {column.null_count} missing values; no column may"
                )
            for chunk in column.chunks:
                for stream, part in zip(streams, _parts(chunk), strict=True):
                    stream.update(part)

    def text(self) -> str:
        """`sha256:` and 64 hexadecimal digits."""
        whole = hashlib.sha256()
        for name, type_name in self.columns.items():
            whole.update(name.encode() + b"\0" + type_name.encode() + b"\0")
            for stream in self.streams[name]:
                whole.update(stream.digest())
        return f"sha256:{whole.hexdigest()}"


def _type_name(column: str, data_type: pa.DataType) -> str:
    from pyarrow import types

    name = "string" if types.is_large_string(data_type) else str(data_type)
    if types.is_list(data_type) or types.is_large_list(data_type):
        name = f"list<{_type_name(column, data_type.value_type)}>"
    if name not in STREAMS:
        raise ReleaseError(
            f"column {column!r} has the type {data_type}; "
            "rows hold strings, booleans, 32-bit integers, and lists of strings or integers"
        )
    return name


def _parts(chunk: pa.Array) -> Iterator[bytes | memoryview]:
    """The bytes of one chunk for each stream of its column."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_boolean(chunk.type):
        yield chunk.cast(pa.uint8()).to_numpy().data
    elif pa.types.is_int32(chunk.type):
        yield np.ascontiguousarray(chunk.to_numpy(), dtype="<i4").data
    elif pa.types.is_string(chunk.type) or pa.types.is_large_string(chunk.type):
        offsets = _offsets(chunk)
        yield np.diff(offsets).astype("<u4").data
        yield memoryview(chunk.buffers()[2] or b"")[offsets[0] : offsets[-1]]
    else:
        yield np.ascontiguousarray(pc.list_value_length(chunk).to_numpy(), dtype="<u4").data
        yield from _parts(chunk.flatten())


def _offsets(chunk: pa.Array) -> NDArray[np.integer]:
    """The byte at which each text begins in the chunk's buffer, and the end; shape [rows + 1]."""
    import pyarrow as pa

    width = np.dtype("<i8" if pa.types.is_large_string(chunk.type) else "<i4")
    buffer = chunk.buffers()[1]
    if buffer is None or not len(chunk):
        return np.zeros(1, dtype=width)
    return np.frombuffer(
        buffer, dtype=width, count=len(chunk) + 1, offset=chunk.offset * width.itemsize
    )
