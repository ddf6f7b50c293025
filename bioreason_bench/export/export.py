"""A release in the format of a trainer: `export(release, "trl", out)`.  See formats.py."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from bioreason_bench.release.disk import plain_errors
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
        out: The folder, absent or empty.
        advance: Called with the name of a part and the rows of it that were just written.

    Returns:
        The files, sorted.

    Raises:
        UsageError: The trainer is unknown, or the folder is not empty or cannot be written.
        BioreasonError: The disk is full.  After any error, no partial export remains.
    """
    if to not in FORMATS:
        raise UsageError(f"there is no export to {to!r}: {suggest(to, FORMATS)}")
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise UsageError(f"{out} already exists; choose another --out, or remove it")
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        with plain_errors(out):
            partial.mkdir(parents=True)
            _write_files(release, to, partial, advance)
            if out.is_dir():
                out.rmdir()
            partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return sorted(path for path in out.rglob("*") if path.is_file())


def _write_files(
    release: Release, to: str, folder: Path, advance: Callable[[str, int], None]
) -> None:
    """Write the parts of the release, and the files that the trainer needs in addition."""
    uses = {
        path.name: use
        for part in parts_of(release)
        for path, use in _write_part(release, part, to, folder, advance)
    }
    (folder / "README.md").write_text(_readme(release, to), encoding="utf-8")
    if to == "llamafactory":
        info = json.dumps(dataset_info(uses), indent=2) + "\n"
        (folder / "dataset_info.json").write_text(info, encoding="utf-8")
    if to == "graphml":
        import networkx as nx

        graph = make_graph(release)
        check_texts(graph)
        nx.write_graphml(graph, folder / "world.graphml")
    if to == "verl":
        (folder / "reward.py").write_text(REWARD, encoding="utf-8")


def _write_part(
    release: Release, part: Part, to: str, folder: Path, advance: Callable[[str, int], None]
) -> Iterator[tuple[Path, str]]:
    """Write the files of one part and yield each with its use; skip uses the trainer has not."""
    for use in part.uses:
        file_format = FORMATS[to].get(use)
        if file_format is None:
            continue
        path = folder / file_format.folder / f"{part.name}{file_format.suffix}"
        path.parent.mkdir(exist_ok=True)
        with _writer(path, use) as write:
            number = 0
            for batch in release.batches(part.config, part.split, rows=BATCH):
                write(_convert(file_format, batch.to_pylist(), number))
                number += batch.num_rows
                advance(part.name, batch.num_rows)
        yield path, use


def _convert(file_format: FileFormat, rows: Rows, first: int) -> Rows:
    return [file_format.row(row, number) for number, row in enumerate(rows, first)]


@contextmanager
def _writer(path: Path, use: str) -> Iterator[Callable[[Rows], None]]:
    """A function that adds rows to the file."""
    if path.suffix == ".jsonl":
        with path.open("w", encoding="utf-8") as file:

            def write_lines(rows: Rows) -> None:
                file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)

            yield write_lines
    else:
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = parquet_schema(use)
        options = {"compression": "zstd", "store_schema": False}
        with closing(pq.ParquetWriter(path, schema, **options)) as parquet:

            def write_table(rows: Rows) -> None:
                parquet.write_table(pa.Table.from_pylist(rows, schema=schema))

            yield write_table


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
