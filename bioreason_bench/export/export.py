"""A release in the format of a trainer: `export(release, "trl", out)`.  See formats.py."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from bioreason_bench.config import SKILLS
from bioreason_bench.errors import UsageError, suggest
from bioreason_bench.escaping import markdown
from bioreason_bench.export.formats import (
    BIOGRAPHY,
    FORMATS,
    NOTES,
    REWARD,
    RL,
    SFT,
    FileFormat,
    dataset_info,
    parquet_schema,
)
from bioreason_bench.export.graph import check_texts, make_graph
from bioreason_bench.release.disk import plain_errors, write_whole
from bioreason_bench.release.partial import PartialFolder, is_taken, partial_folder
from bioreason_bench.release.read import Release

__all__ = ["Part", "export", "parts_of"]

BATCH = 2048  # rows in memory at a time

Rows = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Part:
    """One split of the release, and what it is used for."""

    name: str  # "comp-train", "comp-zeroshot-test", "biographies-parametric"
    config: str
    split: str
    uses: tuple[str, ...]


def parts_of(release: Release) -> list[Part]:
    """The parts to export: training, RL, validation and test questions, and the biographies.

    Each file of the release belongs to one part only.
    """
    parts: list[Part] = []
    for skill in SKILLS:
        parts += _question_parts(release, skill)
    if "biographies" in release.configs():
        parts += [
            Part(f"biographies-{split}", "biographies", split, (BIOGRAPHY,))
            for split in release.splits("biographies")
        ]
    return parts


def _question_parts(release: Release, skill: str) -> list[Part]:
    configs = [config for config in release.question_configs() if config.startswith(f"{skill}_")]
    rl = f"{skill}_rl"
    levels = [config for config in configs if config != rl]
    trained = [config for config in levels if "train" in release.splits(config)]
    # All levels share the training files of the skill, so those of the first are all there are.
    parts = [Part(f"{skill}-train", config, "train", (SFT,)) for config in trained[:1]]
    for config in configs:
        if config == rl:
            parts.append(Part(f"{skill}-rl", config, "train", (RL,)))
        else:
            parts += [
                Part(f"{config.replace('_', '-', 1)}-{split}", config, split, (SFT, RL))
                for split in release.splits(config)
                if split != "train"
            ]
    return parts


def export(
    release: Release,
    to: str,
    out: Path,
    advance: Callable[[str, int], None] = lambda _name, _rows: None,
) -> list[Path]:
    """Write the files of one trainer into the new folder `out`.

    Args:
        release: The release.
        to: One of FORMATS.
        out: The folder, absent or empty; a path of `user_path`.
        advance: Called with the name of a part and the rows of it that were just written.

    Returns:
        The files, sorted.

    Raises:
        UsageError: The trainer is unknown, or the folder is not empty or cannot be written.
        BioreasonError: The disk is full.  After any error, no partial export remains.
    """
    if to not in FORMATS:
        raise UsageError(f"there is no export to {to!r}: {suggest(to, FORMATS)}")
    check = partial(_check_new, out)
    check()
    with plain_errors(out), partial_folder(out, "export", check) as folder:
        _write_files(release, to, folder, advance)
        folder.put_in_place(check)
    return sorted(path for path in out.rglob("*") if path.is_file())


def _check_new(out: Path) -> None:
    with plain_errors(out):
        if is_taken(out):
            raise UsageError(f"{out} already exists; choose another --out, or remove it")


def _write_files(
    release: Release, to: str, folder: PartialFolder, advance: Callable[[str, int], None]
) -> None:
    """Write the parts of the release, and the files that the trainer needs in addition."""
    uses = {
        name: use
        for part in parts_of(release)
        for name, use in _write_part(release, part, to, folder, advance)
    }
    others: dict[str, str | Callable] = {"README.md": _readme(release, to)}
    if to == "llamafactory":
        others["dataset_info.json"] = json.dumps(dataset_info(uses), indent=2) + "\n"
    if to == "graphml":
        import networkx as nx

        graph = make_graph(release)
        check_texts(graph)
        others["world.graphml"] = partial(nx.write_graphml, graph)
    if to == "verl":
        others["reward.py"] = REWARD
    folder.announce(others)
    for name, content in others.items():
        write_whole(folder.root / name, content)


def _write_part(
    release: Release,
    part: Part,
    to: str,
    folder: PartialFolder,
    advance: Callable[[str, int], None],
) -> Iterator[tuple[str, str]]:
    """Write the files of one part and yield each with its use; skip uses the trainer has not."""
    for use in part.uses:
        file_format = FORMATS[to].get(use)
        if file_format is None:
            continue
        name = f"{part.name}{file_format.suffix}"
        path = folder.root / file_format.folder / name
        folder.announce([path.relative_to(folder.root).as_posix()])
        rows = _converted(release, part, file_format, advance)
        write_whole(path, partial(WRITERS[path.suffix], rows, use))
        yield name, use


def _converted(
    release: Release, part: Part, file_format: FileFormat, advance: Callable[[str, int], None]
) -> Iterator[Rows]:
    """The rows of a part as the trainer wants them, in batches."""
    first = 0
    for batch in release.batches(part.config, part.split, rows=BATCH):
        yield [file_format.row(row, number) for number, row in enumerate(batch.to_pylist(), first)]
        first += batch.num_rows
        advance(part.name, batch.num_rows)


def _write_lines(batches: Iterable[Rows], use: str, file: BinaryIO) -> None:  # noqa: ARG001 - as below
    for rows in batches:
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        file.write("".join(lines).encode())


def _write_table(batches: Iterable[Rows], use: str, file: BinaryIO) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = parquet_schema(use)
    with pq.ParquetWriter(file, schema, compression="zstd", store_schema=False) as parquet:
        for rows in batches:
            parquet.write_table(pa.Table.from_pylist(rows, schema=schema))


WRITERS = {".jsonl": _write_lines, ".parquet": _write_table}


def _readme(release: Release, to: str) -> str:
    manifest = release.manifest
    origin = (
        f"bioreason-bench {manifest['versions']['bioreason_bench']}, "
        f"preset {markdown(manifest['preset'])}, seed {manifest['seed']}"
    )
    return (
        f"# bioreason for {to}\n\n"
        f"Synthetic biographies, not biology. Made from {origin}.\n\n"
        f"{NOTES[to]}\n"
        f"Canary: {manifest['canary']}\n"
    )
