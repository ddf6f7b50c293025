"""A copy of a release to corrupt and seal again, so that only the corruption shows."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bioreason_bench.language.reader import Reader
from bioreason_bench.release.digest import digest_rows
from bioreason_bench.release.read import Release

Rows = list[dict[str, Any]]


class Copy:
    """A release of one's own to break."""

    def __init__(self, source: Path, folder: Path) -> None:
        shutil.copytree(source, folder)
        self.folder = folder
        self.table = Release(folder).relations
        self.reader = Reader(self.table, self.manifest["config"]["language"])

    @property
    def manifest(self) -> dict[str, Any]:
        return json.loads((self.folder / "manifest.json").read_text(encoding="utf-8"))

    def set_manifest(self, manifest: dict[str, Any]) -> None:
        (self.folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")

    def file(self, place: str) -> str:
        """The first file of a place such as comp/iid/test."""
        return next(
            file for file in sorted(self.manifest["files"]) if file.startswith(f"data/{place}-")
        )

    def rows(self, place: str) -> Rows:
        return pq.read_table(self.folder / self.file(place)).to_pylist()

    def write(
        self, place: str, rows: Rows, schema: pa.Schema | None = None, seal: bool = True
    ) -> str:
        """Overwrite a file with rows, by default under its former schema; returns its name."""
        file = self.file(place)
        table = pa.Table.from_pylist(rows, schema=schema or pq.read_schema(self.folder / file))
        pq.write_table(table, self.folder / file, store_schema=False)
        if seal:
            self.seal(file)
        return file

    def seal(self, file: str) -> None:
        """Put number and digest of the rows of a file into the manifest."""
        table = pq.read_table(self.folder / file)
        manifest = self.manifest
        manifest["files"][file] |= {"rows": table.num_rows, "digest": digest_rows(table)}
        self.set_manifest(manifest)

    def edit(self, place: str, change: Callable[[Rows], int | None]) -> tuple[str, int | None]:
        """Change the rows of a file and seal it; `change` returns the row that should be named."""
        rows = self.rows(place)
        row = change(rows)
        return self.write(place, rows), row

    def tell(self, subject: str, relation: str, target: str) -> tuple[str, int]:
        """Change a fact in data/facts and in every biography; returns where it is stated first."""
        group = self.table[self.table.number(relation)].group
        facts = self.rows("facts/train")
        fact = next(
            row for row in facts if row["subject"] == subject and row["relation"] == relation
        )
        old, fact["object"] = fact["object"], target
        self.write("facts/train", facts)
        place = f"biographies/{group}"
        first = None
        rows = self.rows(place)
        for number, row in enumerate(rows):
            if row["person"] == subject:
                first = number if first is None else first
                row["text"] = self.restate(row["text"], subject, relation, old, target)
        return self.write(place, rows), first

    def restate(self, text: str, subject: str, relation: str, old: str, new: str) -> str:
        """The text with another object in the sentence about (subject, relation)."""
        sentence = self.sentence(text, subject, relation)
        assert sentence.count(old) == 1, (sentence, old)
        return text.replace(sentence, sentence.replace(old, new))

    def sentence(self, text: str, subject: str, relation: str) -> str:
        """The sentence about (subject, relation) in a biography or a context."""
        return next(
            part
            for line in text.split("\n")
            for part in self.reader.sentences(line)
            if (self.reader.sentence(part) or ())[:2] == (subject, relation)
        )

    def objects(self, relation: str) -> dict[str, str]:
        """What data/facts says of a relation."""
        return {
            row["subject"]: row["object"]
            for row in self.rows("facts/train")
            if row["relation"] == relation
        }

    def group(self, relation: str) -> str:
        return self.table[self.table.number(relation)].group


def without(text: str, sentence: str) -> str:
    """The text without one sentence."""
    for cut in (f"{sentence} ", f" {sentence}", sentence):
        if cut in text:
            return text.replace(cut, "", 1)
    raise AssertionError(sentence)
