"""A release in the format of a trainer: `export(release, "trl", out)`.  See formats.py."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from bioreason_bench.errors import UsageError, suggest
from bioreason_bench.export.formats import (
    BIOGRAPHY,
    FORMATS,
    PROMPTS,
    RL,
    SFT,
    FileFormat,
    Item,
    dataset_info,
    parquet_schema,
)
from bioreason_bench.export.graph import check_texts, make_graph
from bioreason_bench.export.notes import REWARD, Lengths, readme
from bioreason_bench.grading.saved import GRADER, family_grader_file, grader_file
from bioreason_bench.release.disk import plain_errors, write_whole
from bioreason_bench.release.partial import PartialFolder, is_taken, partial_folder
from bioreason_bench.release.read import Release
from bioreason_bench.schema import columns

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
    held_out: bool = False  # validation and test questions


def parts_of(release: Release) -> list[Part]:
    """The parts to export: questions of all configs, and the biographies.

    Each file of the release belongs to one part only.
    """
    parts: list[Part] = []
    taken: set[Path] = set()
    for config in release.configs():
        if not _asks(release, config):
            continue
        for split in release.splits(config):
            files = release.files(config, split)
            if not taken.intersection(files):  # levels of a skill share its training questions
                parts.append(_question_part(config, split, files[0].parent.name))
                taken.update(files)
    if "biographies" in release.configs():
        parts += [
            Part(f"biographies-{split}", "biographies", split, (BIOGRAPHY,))
            for split in release.splits("biographies")
        ]
    return parts


def _asks(release: Release, config: str) -> bool:
    """Whether the rows of a config are questions with a chain."""
    file = release.manifest["configs"][config][release.splits(config)[0]][0]
    return "chain" in columns(release.manifest["files"][file]["schema"])


def _question_part(config: str, split: str, folder: str) -> Part:
    skill, _, level = config.partition("_")
    if (
        split == "train" and folder == config
    ):  # one training set alone, of a family other than people
        return Part(f"{config}-{split}", config, split, (RL,) if "_rl" in config else (SFT,))
    if level == "rl":
        return Part(f"{skill}-rl", config, split, (RL,))
    if split == "train":
        return Part(f"{skill}-train", config, split, (SFT,))
    return Part(f"{config.replace('_', '-', 1)}-{split}", config, split, (SFT, RL), held_out=True)


def export(
    release: Release,
    to: str,
    out: Path,
    advance: Callable[[str, int], None] = lambda _name, _rows: None,
    prompt: str = "base",
) -> list[Path]:
    """Write the files of one trainer into the new folder `out`.

    Args:
        release: The release.
        to: One of FORMATS.
        out: The folder, absent or empty; a path of `user_path`.
        advance: Called with the name of a part and the rows of it that were just written.
        prompt: "base" (the bare prompt) or "chat" (with the instruction for chat models).

    Returns:
        The files, sorted.

    Raises:
        UsageError: The trainer is unknown, or the folder is not empty or cannot be written.
        BioreasonError: The disk is full.  After any error, no partial export remains.
    """
    if to not in FORMATS:
        raise UsageError(f"there is no export to {to!r}: {suggest(to, FORMATS)}")
    if prompt not in PROMPTS:
        raise UsageError(f"there is no prompt {prompt!r}: {suggest(prompt, PROMPTS)}")
    check = partial(_check_new, out)
    check()
    with plain_errors(out), partial_folder(out, "export", check) as folder:
        _Export(release, to, prompt == "chat", folder, advance).write()
        folder.put_in_place(check)
    return sorted(path for path in out.rglob("*") if path.is_file())


def _check_new(out: Path) -> None:
    with plain_errors(out):
        if is_taken(out):
            raise UsageError(f"{out} already exists; choose another --out, or remove it")


@dataclass
class _Export:
    """An export that is being written.

    Attributes:
        release: The release.
        to: The trainer.
        chat: Whether prompts are those of chat models.
        folder: Where to write.
        advance: See `export`.
        lengths: The lengths of the texts of each part so far.
    """

    release: Release
    to: str
    chat: bool
    folder: PartialFolder
    advance: Callable[[str, int], None]
    lengths: dict[str, Lengths] = field(default_factory=dict)

    def write(self) -> None:
        """Write the parts of the release, and the files that the trainer needs in addition."""
        uses = {
            file: use for part in parts_of(self.release) for file, use in self._write_part(part)
        }
        manifest = self.release.manifest
        others: dict[str, str | Callable] = {
            "README.md": readme(manifest, self.to, self.chat, self.lengths)
        }
        if self.to == "llamafactory":
            others["dataset_info.json"] = json.dumps(dataset_info(uses), indent=2) + "\n"
        if self.to in ("trl", "verl"):
            others[GRADER] = self._grader()
        if self.to == "verl":
            others["reward.py"] = REWARD
        if self.to == "graphml":
            import networkx as nx

            graph = make_graph(self.release)
            check_texts(graph)
            others["world.graphml"] = partial(nx.write_graphml, graph)
        self.folder.announce(others)
        for name, content in others.items():
            write_whole(self.folder.root / name, content)

    def _grader(self) -> str:
        """The release's grader as a file."""
        if "people" not in self.release.configs():
            return family_grader_file(self.release.manifest)
        names = self.release.table("people", columns=["name"])["name"].to_pylist()
        objects = self.release.table("facts", columns=["object"])["object"].unique().to_pylist()
        language = self.release.config.language
        return grader_file(self.release.manifest["relations"], language, [*names, *objects])

    def _write_part(self, part: Part) -> Iterator[tuple[str, str]]:
        """Write the files of a part, and yield each with its use; skip uses the trainer has not."""
        for use in part.uses:
            file_format = FORMATS[self.to].get(use)
            if file_format is None:
                continue
            folder = file_format.held_out if part.held_out else file_format.folder
            path = self.folder.root / folder / f"{part.name}{file_format.suffix}"
            name = path.relative_to(self.folder.root).as_posix()
            self.folder.announce([name])
            rows = self._converted(part, file_format, use)
            write_whole(path, partial(WRITERS[path.suffix], rows, use))
            yield name, use

    def _converted(self, part: Part, file_format: FileFormat, use: str) -> Iterator[Rows]:
        """The rows of a part as the trainer wants them, in batches."""
        canary = self.release.manifest["canary"]
        lengths = self.lengths[part.name] = Lengths()
        first = 0
        for batch in self.release.batches(part.config, part.split, rows=BATCH):
            items = [
                Item(row, number, self.chat, canary)
                for number, row in enumerate(batch.to_pylist(), first)
            ]
            for item in items:
                if use == BIOGRAPHY:
                    lengths.add("", item.row["text"])
                else:
                    lengths.add(item.prompt, item.completion)
            yield [file_format.row(item) for item in items]
            first += batch.num_rows
            self.advance(part.name, batch.num_rows)


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
