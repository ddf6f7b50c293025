"""A digest of rows that says the same for the same rows, whatever wrote or chunked the file.

Each column is one to three streams of bytes, each with a SHA-256 of its own:
    bool, int32    the values, little-endian, 1 or 4 bytes each
    string         the lengths in UTF-8 bytes, as uint32 little-endian; the bytes of all texts
    list<string>   the lengths of the lists, as uint32 little-endian; then the flattened texts as above
The digest is the SHA-256 over, for each column in order, its name, a zero byte, its type (one of the words above), a zero
byte, and the 32 bytes of each of its streams.  So rows in another order, a text cut elsewhere or a retyped column give
another digest, at the speed of SHA-256, and rows need not be in memory all at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from bioreason_bench.errors import ReleaseError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["RowsDigest", "digest_rows"]

STREAMS = {"bool": 1, "int32": 1, "string": 2, "list<string>": 3}


def digest_rows(table: pa.Table) -> str:
    """`sha256:` and 64 hexadecimal digits; raises ReleaseError for a missing value or a type that no schema of ours has."""
    digest = RowsDigest(table.schema)
    digest.update(table)
    return digest.text()


class RowsDigest:
    """The digest of rows that come in several tables of the same schema."""

    def __init__(self, schema: pa.Schema) -> None:
        self.columns = {field.name: _type_name(field.name, field.type) for field in schema}
        self.streams = {
            name: [hashlib.sha256() for _ in range(STREAMS[kind])]
            for name, kind in self.columns.items()
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
        for name, kind in self.columns.items():
            whole.update(name.encode() + b"\0" + kind.encode() + b"\0")
            for stream in self.streams[name]:
                whole.update(stream.digest())
        return f"sha256:{whole.hexdigest()}"


def _type_name(name: str, kind: pa.DataType) -> str:
    from pyarrow import types

    word = {"large_string": "string"}.get(str(kind), str(kind))
    if types.is_list(kind) or types.is_large_list(kind):
        word = f"list<{_type_name(name, kind.value_type)}>"
    if word not in STREAMS:
        raise ReleaseError(
            f"column {name!r} has the type {kind}; rows hold strings, booleans, 32-bit integers and lists of strings"
        )
    return word


def _parts(chunk: pa.Array) -> Iterator[bytes | memoryview]:
    """What the streams of the chunk's column are fed."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = chunk.type
    if pa.types.is_boolean(kind):
        yield chunk.cast(pa.uint8()).to_numpy().data
    elif pa.types.is_int32(kind):
        yield np.ascontiguousarray(chunk.to_numpy(), dtype="<i4").data
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        places = _offsets(chunk)
        yield np.diff(places).astype("<u4").data
        yield memoryview(chunk.buffers()[2] or b"")[places[0] : places[-1]]
    else:
        yield np.ascontiguousarray(pc.list_value_length(chunk).to_numpy(), dtype="<u4").data
        yield from _parts(chunk.flatten())


def _offsets(chunk: pa.Array) -> np.ndarray:
    """Where each text of a chunk begins in its buffer, and where the last one ends; shape [rows + 1]."""
    import pyarrow as pa

    width = np.dtype("<i8" if pa.types.is_large_string(chunk.type) else "<i4")
    buffer = chunk.buffers()[1]
    if buffer is None or not len(chunk):
        return np.zeros(1, dtype=width)
    return np.frombuffer(
        buffer, dtype=width, count=len(chunk) + 1, offset=chunk.offset * width.itemsize
    )
