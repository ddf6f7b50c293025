"""Files of a release: their names, the configs that they belong to, and how one is written.

A shard is one Parquet file, data/<folder>/<split>-<number>-of-<count>.parquet.  What it holds is a
function of the world and its number alone; this module turns columns into bytes and knows nothing
of worlds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from bioreason_bench.config import LEVELS, SKILLS
from bioreason_bench.errors import ReleaseError
from bioreason_bench.release.digest import RowsDigest
from bioreason_bench.release.disk import write_whole
from bioreason_bench.schema import arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "CANARY",
    "PARQUET",
    "ROW_GROUP",
    "FileEntry",
    "configs_of",
    "make_table",
    "write_shard",
]

# Every file of a release holds it, so that corpora can be searched for it; never change it.
CANARY = "BIOREASON-CANARY:7d0c1e7a-3b52-4f6e-9a86-5e0b2f6c41d8"
ROW_GROUP = 4_096  # rows of a row group, the least that a streaming reader fetches
LARGEST = 2**31  # bytes of texts that one array with 32-bit offsets cannot hold
PARQUET = {  # with the page index, by which the Hub and DuckDB skip pages
    "compression": "zstd",
    "compression_level": 3,
    "store_schema": False,
    "write_page_index": True,
}
FILE_NAME = re.compile(
    r"data/(?P<folder>[a-z0-9_]+(?:/[a-z0-9_]+)?)/(?P<split>[a-z_]+)-\d{5}-of-\d{5}\.parquet"
)


@dataclass(frozen=True)
class FileEntry:
    """What the manifest records of one file."""

    file: str  # data/comp/zeroshot/test-00000-of-00001.parquet
    schema: str
    rows: int
    digest: str


def configs_of(files: Iterable[str]) -> dict[str, dict[str, list[str]]]:
    """Files by config and split, as the Hub, `load` and this package's reader name them.

    - data/comp/zeroshot/ is config comp_zeroshot and shares the training files of data/comp/.
    - The rl files of a skill are the train split of a config of their own, such as comp_rl.
    - Any other folder is a config with the splits that it holds.

    Raises:
        ReleaseError: A file is not named like a file of a release.
    """
    folders = _by_folder_and_split(files)
    configs: dict[str, dict[str, list[str]]] = {}
    for skill in _skills(folders):
        shared = folders.get(skill, {})
        levels = [name.partition("/")[2] for name in folders if name.startswith(f"{skill}/")]
        for level in sorted(levels, key=_level_order):
            tests = folders[f"{skill}/{level}"]
            splits = {split: tests[split] for split in sorted(tests, reverse=True)}
            if level in LEVELS and "train" in shared:
                splits = {"train": shared["train"], **splits}
            configs[f"{skill}_{level}"] = splits
        if "rl" in shared:
            configs[f"{skill}_rl"] = {"train": shared["rl"]}
    others = [name for name in sorted(folders) if name.partition("/")[0] not in _skills(folders)]
    return configs | {name: folders[name] for name in others}


def _skills(folders: Iterable[str]) -> list[str]:
    """The folders with levels below them: those of people, then those of another family."""
    return list(dict.fromkeys([*SKILLS, *sorted(n.split("/")[0] for n in folders if "/" in n)]))


def _by_folder_and_split(files: Iterable[str]) -> dict[str, dict[str, list[str]]]:
    folders: dict[str, dict[str, list[str]]] = {}
    for file in sorted(files):
        match = FILE_NAME.fullmatch(file)
        if not match:
            raise ReleaseError(
                f"{file} is not a release file name "
                "(expected data/<folder>/<split>-00000-of-00001.parquet); remove it"
            )
        folders.setdefault(match["folder"], {}).setdefault(match["split"], []).append(file)
    return folders


def _level_order(level: str) -> tuple[int, str]:
    """The levels in the order of LEVELS, then the kinds of questions beyond them by name."""
    return (LEVELS.index(level) if level in LEVELS else len(LEVELS), level)


def make_table(kind: str, columns: Mapping[str, Any]) -> pa.Table:
    """Columns (lists or arrays of equal length) as an Arrow table with the schema named `kind`."""
    import pyarrow as pa

    schema = arrow_schema(kind)
    if list(columns) != schema.names:
        raise ValueError(
            f"{kind}: columns {list(columns)} are not those of the schema, {schema.names}"
        )
    return pa.table([_array(columns[field.name], field.type) for field in schema], schema=schema)


def _array(values: Any, kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    import pyarrow as pa

    if isinstance(values, pa.Array):
        return pa.chunked_array(_narrowed(values, kind))
    return pa.array(values, type=kind)


def _narrowed(texts: pa.Array, kind: pa.DataType) -> list[pa.Array]:
    """Large strings in arrays with 32-bit offsets, as many as they need."""
    import pyarrow as pa

    if texts.nbytes >= LARGEST and len(texts) > 1:
        half = len(texts) // 2
        return [*_narrowed(texts[:half], kind), *_narrowed(texts[half:], kind)]
    # copied first: a cast looks at where the texts lie in the whole array, not at how many they are
    return [pa.concat_arrays([texts]).cast(kind)]


def write_shard(root: Path, file: str, kind: str, columns: Mapping[str, Any]) -> FileEntry:
    """Write one file below `root` and return its entry.

    Plain Parquet, zstd, without metadata of a library; the canary is in the footer's key-value
    metadata.  Of lists, only one row group at a time is in memory as Arrow.

    Args:
        root: The folder of the release.
        file: The name of the file, relative to `root`; its folder must exist.
        kind: The schema of the rows.
        columns: Lists or arrays of equal length, in the order of the schema.

    Raises:
        OSError: The file could not be written; nothing is left of it.
    """
    import pyarrow.parquet as pq

    schema = arrow_schema(kind)
    digest, rows = RowsDigest(schema), len(next(iter(columns.values()), ()))

    def write_groups(opened: BinaryIO) -> None:
        with pq.ParquetWriter(opened, schema, **PARQUET) as writer:
            for first in range(0, rows, ROW_GROUP):
                group = make_table(
                    kind,
                    {name: values[first : first + ROW_GROUP] for name, values in columns.items()},
                )
                digest.update(group)
                writer.write_table(group)
            writer.add_key_value_metadata({"canary": CANARY})

    write_whole(root / file, write_groups)
    return FileEntry(file, kind, rows, digest.text())
