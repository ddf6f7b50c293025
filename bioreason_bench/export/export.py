"""A release in the form that a trainer reads: `export(release, "trl", out)`; formats.py says which forms there are."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from bioreason_bench.config import SKILLS
from bioreason_bench.errors import UsageError
from bioreason_bench.export.formats import (
    BIOGRAPHY,
    FORMATS,
    NOTES,
    REWARD,
    RL,
    SFT,
    Form,
    dataset_info,
    parquet_schema,
)
from bioreason_bench.export.graph import make_graph
from bioreason_bench.release.read import Release
from bioreason_bench.release.write import plain_errors

if TYPE_CHECKING:
    import pyarrow.parquet as pq

__all__ = ["Part", "export", "parts_of"]

BATCH = 2048  # rows held at a time


@dataclass(frozen=True)
class Part:
    """One split of the release, and what it is used for."""

    name: str  # "comp-train", "comp-zeroshot-test", "biographies-parametric"
    config: str
    split: str
    uses: tuple[str, ...]


def parts_of(release: Release) -> list[Part]:
    """What there is to export: training, RL, validation and test questions, and the biographies; each file of the release once."""
    parts: list[Part] = []
    for skill in SKILLS:
        levels = [config for config in release.question_configs() if config.startswith(f"{skill}_")]
        trained = next(
            (
                config
                for config in levels
                if config != f"{skill}_rl" and "train" in release.splits(config)
            ),
            None,
        )
        if trained:
            parts.append(Part(f"{skill}-train", trained, "train", (SFT,)))
        for config in levels:
            if config == f"{skill}_rl":
                parts.append(Part(f"{skill}-rl", config, "train", (RL,)))
            else:
                tests = [split for split in release.splits(config) if split != "train"]
                parts += [
                    Part(f"{config.replace('_', '-', 1)}-{split}", config, split, (SFT, RL))
                    for split in tests
                ]
    if "biographies" in release.configs():
        parts += [
            Part(f"biographies-{split}", "biographies", split, (BIOGRAPHY,))
            for split in release.splits("biographies")
        ]
    return parts


def export(
    release: Release,
    to: str,
    out: Path,
    advance: Callable[[str, int], None] = lambda _name, _rows: None,
) -> list[Path]:
    """Write the files of one trainer into the new folder `out` and return them; `advance(part, rows)` hears of progress.

    Raises UsageError for an unknown trainer and for a folder that is not empty or cannot be written; then nothing is left behind.
    """
    if to not in FORMATS:
        raise UsageError(f"there is no export to {to!r}; choose one of {', '.join(FORMATS)}")
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise UsageError(f"{out} already exists; choose another --out, or remove it")
    beside = out.with_name(f".{out.name}.partial")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        with plain_errors(out):
            beside.mkdir(parents=True)
            files = {
                path: use
                for part in parts_of(release)
                for path, use in _write_part(release, part, to, beside, advance)
            }
            (beside / "README.md").write_text(_notes(release, to), encoding="utf-8")
            if to == "llamafactory":
                info = dataset_info({path.name: use for path, use in files.items()})
                (beside / "dataset_info.json").write_text(
                    json.dumps(info, indent=2) + "\n", encoding="utf-8"
                )
            if to == "graphml":
                import networkx as nx

                nx.write_graphml(make_graph(release), beside / "world.graphml")
            if to == "verl":
                (beside / "reward.py").write_text(REWARD, encoding="utf-8")
            if out.is_dir():
                out.rmdir()
            beside.rename(out)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return sorted(path for path in out.rglob("*") if path.is_file())


def _write_part(
    release: Release, part: Part, to: str, out: Path, advance: Callable[[str, int], None]
) -> Iterator[tuple[Path, str]]:
    """The files of one part, each with its use; a trainer that has no form for a use gets none."""
    for use in part.uses:
        form = FORMATS[to].get(use)
        if form is None:
            continue
        path = out / form.folder / f"{part.name}{form.suffix}"
        path.parent.mkdir(exist_ok=True)
        with _writer(path, use) as write:
            number = 0
            for batch in release.batches(part.config, part.split, rows=BATCH):
                write(_rows(form, batch.to_pylist(), number))
                number += batch.num_rows
                advance(part.name, batch.num_rows)
        yield path, use


def _rows(form: Form, rows: list[dict[str, Any]], first: int) -> list[dict[str, Any]]:
    return [form.row(row, number) for number, row in enumerate(rows, first)]


@contextmanager
def _writer(path: Path, use: str) -> Iterator[Callable[[list[dict[str, Any]]], None]]:
    """A function that adds rows to the file."""
    if path.suffix == ".jsonl":
        with path.open("w", encoding="utf-8") as file:
            yield lambda rows: _write_lines(file, rows)
    else:
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = parquet_schema(use)
        with closing(
            pq.ParquetWriter(path, schema, compression="zstd", store_schema=False)
        ) as file:
            yield lambda rows: _write_table(file, pa.Table.from_pylist(rows, schema=schema))


def _write_lines(file: IO[str], rows: list[dict[str, Any]]) -> None:
    file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _write_table(file: pq.ParquetWriter, table: Any) -> None:
    file.write_table(table)


def _notes(release: Release, to: str) -> str:
    manifest = release.manifest
    made = f"bioreason-bench {manifest['versions']['bioreason_bench']}, preset {manifest['preset']}, seed {manifest['seed']}"
    return f"# bioreason for {to}\n\nSynthetic biographies, not biology. Made from {made}.\n\n{NOTES[to]}\nCanary: {manifest['canary']}\n"
