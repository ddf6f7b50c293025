"""Files of a release: how they are called, which config reads which, and how one is written.

A shard is one Parquet file, data/<folder>/<split>-<number>-of-<count>.parquet.  What it holds is a function of the
world and its number alone; this module turns columns into bytes and knows nothing of worlds.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench.config import LEVELS, SKILLS
from bioreason_bench.errors import ReleaseError
from bioreason_bench.release.digest import RowsDigest
from bioreason_bench.schema import arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["PARQUET", "ROW_GROUP", "FileEntry", "configs_of", "make_table", "write_shard"]

ROW_GROUP = 4_096  # rows of a row group, the least that a streaming reader fetches
PARQUET = {"compression": "zstd", "compression_level": 3, "store_schema": False}
_FILE = re.compile(
    r"data/(?P<folder>[a-z0-9_]+(?:/[a-z0-9_]+)?)/(?P<split>[a-z_]+)-\d{5}-of-\d{5}\.parquet"
)


@dataclass(frozen=True)
class FileEntry:
    """What the manifest says of one file."""

    file: str  # data/comp/zeroshot/test-00000-of-00001.parquet
    schema: str
    rows: int
    digest: str


def configs_of(files: Iterable[str]) -> dict[str, dict[str, list[str]]]:
    """Files by config and split, as the Hub, `load` and this package's reader name them.

    data/comp/zeroshot/ is config comp_zeroshot and shares the training files of data/comp/; the rl files of a skill
    are the train split of its own config (comp_rl); any other folder is a config with the splits that it holds.
    Raises ReleaseError for a file that has no place in a release.
    """
    folders: dict[str, dict[str, list[str]]] = {}
    for file in sorted(files):
        match = _FILE.fullmatch(file)
        if not match:
            raise ReleaseError(
                f"{file} is not called as a file of a release is (data/<folder>/<split>-00000-of-00001.parquet); remove it"
            )
        folders.setdefault(match["folder"], {}).setdefault(match["split"], []).append(file)
    found: dict[str, dict[str, list[str]]] = {}
    for skill in SKILLS:
        own = folders.get(skill, {})
        here = [folder for folder in folders if folder.startswith(f"{skill}/")]
        for folder in sorted(here, key=lambda name: _rank(name.split("/")[1])):
            level = folder.split("/")[1]
            train = {"train": own["train"]} if level in LEVELS and "train" in own else {}
            found[f"{skill}_{level}"] = train | {
                split: folders[folder][split] for split in sorted(folders[folder], reverse=True)
            }
        if "rl" in own:
            found[f"{skill}_rl"] = {"train": own["rl"]}
    return found | {
        folder: folders[folder] for folder in sorted(folders) if folder.split("/")[0] not in SKILLS
    }


def _rank(level: str) -> tuple[int, str]:
    return (LEVELS.index(level) if level in LEVELS else len(LEVELS), level)


def make_table(kind: str, columns: Mapping[str, Any]) -> pa.Table:
    """Columns (lists or arrays of equal length) as an Arrow table with the schema of that kind of row."""
    import pyarrow as pa

    schema = arrow_schema(kind)
    assert list(columns) == schema.names, (
        f"{kind}: columns {list(columns)} are not those of the schema, {schema.names}"
    )
    return pa.table(
        [pa.array(columns[field.name], type=field.type) for field in schema], schema=schema
    )


def write_shard(root: Path, file: str, kind: str, columns: Mapping[str, Any]) -> FileEntry:
    """Write one file below `root` and return its entry; raises OSError.

    Plain Parquet, zstd, without metadata of a library.  Only one row group at a time is in memory as Arrow; the file is
    written beside its place and renamed, so that it is whole or absent.
    """
    import pyarrow.parquet as pq

    schema = arrow_schema(kind)
    digest, rows = RowsDigest(schema), len(next(iter(columns.values()), ()))
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with pq.ParquetWriter(beside, schema, **PARQUET) as writer:
            for begin in range(0, rows, ROW_GROUP):
                group = make_table(
                    kind,
                    {name: values[begin : begin + ROW_GROUP] for name, values in columns.items()},
                )
                digest.update(group)
                writer.write_table(group)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return FileEntry(file, kind, rows, digest.text())
