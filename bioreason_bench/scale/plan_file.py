"""The plan of a large world in a file, so that the machines of a cluster do not each make it again.

    write_plan(file, dataset)      the paths of each skill, their slices, and who can start them
    read_plan(file, config)        the same plan, for `make_dataset`

An Arrow file with a row for each path.  It is mapped into memory, so that the processes of one
machine share it, and good for one configuration and one version of the code.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from bioreason_bench.config import WorldConfig
from bioreason_bench.dataset.dataset import Dataset, Plan
from bioreason_bench.errors import UsageError
from bioreason_bench.release.disk import plain_errors, write_whole
from bioreason_bench.release.write import digest_of
from bioreason_bench.splits.levels import PathPlan, Slice
from bioreason_bench.splits.starts import POOLS

__all__ = ["check_plan_file", "read_plan", "write_plan"]

KEY, DIGEST = b"bioreason plan", b"sha256"
SLICE = pa.struct(
    {"level": pa.string(), "split": pa.string(), "pool": pa.string()}
    | {"begin": pa.int64(), "end": pa.int64()}
)
COLUMNS = {
    "skill": pa.string(),
    "number": pa.int64(),
    "path": pa.list_(pa.int32()),
    "level": pa.string(),
    "unseen": pa.list_(pa.int32()),
    "slices": pa.list_(SLICE),
    **{pool: pa.large_list(pa.int32()) for pool in POOLS},
}


def check_plan_file(file: Path) -> None:
    """Check that a file can be read, or written once the plan is made, which takes a while.

    Raises:
        UsageError: It can not.
    """
    if file.is_dir():
        raise UsageError(f"--plan {file} is a folder; name a file in it")
    if not file.parent.is_dir():
        raise UsageError(f"--plan {file}: there is no folder {file.parent}; make it first")
    if not os.access(file if file.exists() else file.parent, os.R_OK if file.exists() else os.W_OK):
        raise UsageError(f"--plan {file}: permission denied; choose another file")


def write_plan(file: Path, dataset: Dataset) -> None:
    """Write the plan of a data set; a file that is there is replaced.

    Raises:
        UsageError: The file cannot be written.
        BioreasonError: No room is left.
    """
    rows = [_row(plan, dataset) for plans in dataset.paths.values() for plan in plans]
    columns = [_column(name, [row[name] for row in rows]) for name in COLUMNS]
    table = pa.table(columns, schema=pa.schema(COLUMNS))
    marks = {KEY: _key(dataset.config).encode(), DIGEST: _digest(table).encode()}
    table = table.replace_schema_metadata(marks)

    def write(opened: Any) -> None:
        with pa.ipc.new_file(opened, table.schema) as writer:
            writer.write_table(table)

    with plain_errors(file):
        write_whole(file, write)


def read_plan(file: Path, config: WorldConfig) -> Plan:
    """The plan in a file.

    Raises:
        UsageError: The file is the plan of another configuration, was made by other code, is
            broken, or cannot be read.
    """
    with plain_errors(file):
        try:
            with pa.memory_map(str(file)) as opened:
                table = pa.ipc.open_file(opened).read_all()
            marks = table.schema.metadata or {}
            sound = table.schema.equals(pa.schema(COLUMNS)) and KEY in marks
            sound = sound and marks.get(DIGEST) == _digest(table).encode()
        except (pa.ArrowException, ValueError):
            sound = False
    if not sound:
        raise UsageError(f"{file} is not a whole plan; remove it, and it is made again")
    if marks[KEY] != _key(config).encode():
        raise UsageError(
            f"{file} is the plan of other settings or of another version; "
            "remove it, or name another file"
        )
    return _plan(table)


def _key(config: WorldConfig) -> str:
    return digest_of({"config": config.as_dict()})


def _row(plan: PathPlan, dataset: Dataset) -> dict[str, Any]:
    slices = [
        {"level": level, "split": split, **part._asdict()}
        for (level, split), part in plan.slices.items()
    ]
    own = {name: getattr(plan, name) for name in ("skill", "number", "path", "level", "unseen")}
    return {**own, "slices": slices, **dataset.writer.starts.members(plan.path)}


def _column(name: str, values: Sequence[Any]) -> pa.Array:
    if name not in POOLS:
        return pa.array(values, COLUMNS[name])
    ends = [0]
    for people in values:
        ends.append(ends[-1] + len(people))
    flat = pa.concat_arrays([pa.array([], pa.int32()), *map(pa.array, values)])
    return pa.LargeListArray.from_arrays(pa.array(ends, pa.int64()), flat)


def _digest(table: pa.Table) -> str:
    """A digest of all values."""
    digest = hashlib.sha256()
    for column in table.columns:
        for chunk in column.chunks:
            for buffer in chunk.buffers():
                digest.update(buffer or b"-")
    return digest.hexdigest()


def _plan(table: pa.Table) -> Plan:
    paths: dict[str, list[PathPlan]] = {}
    members: dict[tuple[int, ...], Mapping[str, Any]] = {}
    whole = table.combine_chunks()
    starts = {pool: whole[pool].chunk(0) for pool in POOLS if len(table)}
    for index, row in enumerate(whole.drop_columns(list(POOLS)).to_pylist()):
        path = tuple(row["path"])
        people = {pool: starts[pool][index].values.to_numpy() for pool in POOLS}
        members[path] = people
        slices = {
            (part["level"], part["split"]): Slice(part["pool"], part["begin"], part["end"])
            for part in row["slices"]
        }
        capacity = {pool: len(ids) for pool, ids in people.items()}
        plan = PathPlan(
            row["skill"], row["number"], path, row["level"], tuple(row["unseen"]), capacity, slices
        )
        paths.setdefault(row["skill"], []).append(plan)
    return Plan(paths, members)
