"""A digest of rows that says the same for the same rows, whatever wrote or chunked the file.

SHA-256 over the columns in order.  A column is its name, a zero byte, its type (`string`, `bool`, `int32`,
`list<string>`), a zero byte, and then
    bool, int32    the values, little-endian, 1 or 4 bytes each
    string         the lengths in UTF-8 bytes, as uint32 little-endian, then the bytes of all texts
    list<string>   the lengths of the lists, as uint32 little-endian, then the flattened texts as above
so that rows in another order, a text cut elsewhere or a retyped column give another digest, at the speed of SHA-256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from bioreason_bench.errors import ReleaseError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["digest_rows"]


def digest_rows(table: pa.Table) -> str:
    """`sha256:` and 64 hexadecimal digits; raises ReleaseError for a null or a type that no schema of ours has."""
    digest = hashlib.sha256()
    for name, column in zip(table.column_names, table.columns, strict=True):
        if column.null_count:
            raise ReleaseError(f"column {name!r} holds {column.null_count} missing values; no column may")
        digest.update(name.encode() + b"\0" + _type_name(name, column.type).encode() + b"\0")
        for part in _parts(column):
            digest.update(part)
    return f"sha256:{digest.hexdigest()}"


def _type_name(name: str, kind: pa.DataType) -> str:
    from pyarrow import types

    if types.is_list(kind) or types.is_large_list(kind):
        return f"list<{_type_name(name, kind.value_type)}>"
    for says_so, word in ((_is_text, "string"), (types.is_boolean, "bool"), (types.is_int32, "int32")):
        if says_so(kind):
            return word
    raise ReleaseError(f"column {name!r} has the type {kind}; rows hold strings, booleans, 32-bit integers and lists of strings")


def _is_text(kind: pa.DataType) -> bool:
    from pyarrow import types

    return types.is_string(kind) or types.is_large_string(kind)


def _parts(column: pa.ChunkedArray) -> Iterator[bytes | memoryview]:
    """The bytes of a column; all lengths come before all texts, so that chunks leave no trace."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_boolean(kind):
        yield from (chunk.cast(pa.uint8()).to_numpy().data for chunk in column.chunks)
    elif pa.types.is_int32(kind):
        yield from (np.ascontiguousarray(chunk.to_numpy(), dtype="<i4").data for chunk in column.chunks)
    elif _is_text(kind):
        offsets = [_offsets(chunk) for chunk in column.chunks]
        yield from (np.diff(places).astype("<u4").data for places in offsets)
        for chunk, places in zip(column.chunks, offsets, strict=True):
            if len(chunk) and places[-1] > places[0]:
                yield memoryview(chunk.buffers()[2])[places[0] : places[-1]]
    else:
        yield from (np.ascontiguousarray(pc.list_value_length(chunk).to_numpy(), dtype="<u4").data for chunk in column.chunks)
        yield from _parts(pa.chunked_array([chunk.flatten() for chunk in column.chunks], type=kind.value_type))


def _offsets(chunk: pa.Array) -> np.ndarray:
    """Where each text of a chunk begins in its buffer, and where the last one ends; shape [rows + 1]."""
    import pyarrow as pa

    width = np.dtype("<i8" if pa.types.is_large_string(chunk.type) else "<i4")
    buffer = chunk.buffers()[1]
    if buffer is None or not len(chunk):
        return np.zeros(1, dtype=width)
    return np.frombuffer(buffer, dtype=width, count=len(chunk) + 1, offset=chunk.offset * width.itemsize)
