"""A copy of a release to corrupt, and to seal so that only the corruption shows."""

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
Change = Callable[[Rows], int | None]  # changes rows in place, returns the row that is broken


class ReleaseCopy:
    """A copy of the release in `source`; a split such as comp/iid/test means its first file."""

    def __init__(self, source: Path, folder: Path) -> None:
        shutil.copytree(source, folder)
        self.folder = folder
        self.table = Release(folder).relations
        self.reader = Reader(self.table, self.manifest["config"]["language"])

    # files

    @property
    def manifest(self) -> dict[str, Any]:
        return json.loads((self.folder / "manifest.json").read_text(encoding="utf-8"))

    def set_manifest(self, manifest: dict[str, Any]) -> None:
        (self.folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")

    def file(self, split: str) -> str:
        """The first file of a split."""
        files = sorted(self.manifest["files"])
        return next(file for file in files if file.startswith(f"data/{split}-"))

    def rows(self, split: str) -> Rows:
        """The rows of a file; biographies are rewritten so that each sentence can be changed."""
        rows = pq.read_table(self.folder / self.file(split)).to_pylist()
        for row in rows:
            for column in {"text", "context"} & row.keys():
                row[column] = self.with_names(row[column])
        return rows

    def raw_rows(self, split: str) -> Rows:
        """The rows of a file as they are."""
        return pq.read_table(self.folder / self.file(split)).to_pylist()

    def replace_everywhere(self, old: str, new: str) -> None:
        """Write `new` for `old` in every text of every file, and seal the files."""

        def changed(value: Any) -> Any:
            if isinstance(value, list):
                return [changed(item) for item in value]
            return value.replace(old, new) if isinstance(value, str) else value

        for file in self.manifest["files"]:
            split = file.removeprefix("data/").rsplit("-", 3)[0]
            rows = self.raw_rows(split)
            if old in str(rows):
                self.write(split, [{key: changed(row[key]) for key in row} for row in rows])

    def with_names(self, text: str) -> str:
        """The biographies of a text, with names for pronouns and one fact a sentence."""
        return "\n".join(
            " ".join(self.reader.biography_sentences(line)) for line in text.split("\n")
        )

    def schema(self, split: str) -> pa.Schema:
        return pq.read_schema(self.folder / self.file(split))

    def write(
        self, split: str, rows: Rows, schema: pa.Schema | None = None, seal: bool = True
    ) -> str:
        """Replace the rows of a file, under its schema if no other is given; return the file."""
        file = self.file(split)
        table = pa.Table.from_pylist(rows, schema=schema or self.schema(split))
        pq.write_table(table, self.folder / file, store_schema=False)
        if seal:
            self.seal(file)
        return file

    def seal(self, file: str) -> None:
        """Record the number of rows and the digest of a file in the manifest."""
        table = pq.read_table(self.folder / file)
        manifest = self.manifest
        manifest["files"][file] |= {"rows": table.num_rows, "digest": digest_rows(table)}
        self.set_manifest(manifest)

    def edit(self, split: str, change: Change) -> tuple[str, int | None]:
        """Change the rows of a file and seal it; return the file and the row that is broken."""
        rows = self.rows(split)
        row = change(rows)
        return self.write(split, rows), row

    def update(self, split: str, row: int, **values: object) -> tuple[str, int | None]:
        """Set some cells of one row and seal the file; return the file and the row."""

        def change(rows: Rows) -> int:
            rows[row].update(values)
            return row

        return self.edit(split, change)

    # facts and sentences

    def restate_fact(self, subject: str, relation: str, target: str) -> tuple[str, int]:
        """Change the object of a fact in data/facts and in every biography of the subject.

        Returns the file and the row of the subject's first biography.
        """
        facts = self.rows("facts/train")
        fact = next(
            row for row in facts if row["subject"] == subject and row["relation"] == relation
        )
        old, fact["object"] = fact["object"], target
        self.write("facts/train", facts)
        split = f"biographies/{self.group(relation)}"
        biographies = self.rows(split)
        own = [row for row, biography in enumerate(biographies) if biography["person"] == subject]
        for row in own:
            text = biographies[row]["text"]
            biographies[row]["text"] = self.restate(text, subject, relation, old, target)
        return self.write(split, biographies), own[0]

    def restate(self, text: str, subject: str, relation: str, old: str, new: str) -> str:
        """The text with another object in the sentence about (subject, relation)."""
        sentence = self.sentence(text, subject, relation)
        assert sentence.count(old) == 1, (sentence, old)
        return text.replace(sentence, sentence.replace(old, new))

    def sentences(self, text: str) -> list[str]:
        """The sentences of a biography or a context."""
        return [part for line in text.split("\n") for part in self.reader.sentences(line)]

    def fact(self, sentence: str) -> tuple[str, str, str]:
        """(subject, relation, object) of a sentence."""
        fact = self.reader.sentence(sentence)
        assert fact is not None, sentence
        return fact

    def sentence(self, text: str, subject: str, relation: str) -> str:
        """The sentence about (subject, relation) in a biography or a context."""
        return next(
            sentence
            for sentence in self.sentences(text)
            if (self.reader.sentence(sentence) or ())[:2] == (subject, relation)
        )

    def objects(self, relation: str) -> dict[str, str]:
        """The objects of a relation by subject, from data/facts."""
        facts = self.rows("facts/train")
        return {row["subject"]: row["object"] for row in facts if row["relation"] == relation}

    def biographies(self, group: str) -> dict[str, str]:
        """The last biography of each person."""
        return {row["person"]: row["text"] for row in self.rows(f"biographies/{group}")}

    def group(self, relation: str) -> str:
        return self.table[self.table.number(relation)].group


def without(text: str, sentence: str) -> str:
    """The text without one sentence."""
    for cut in (f"{sentence} ", f" {sentence}", sentence):
        if cut in text:
            return text.replace(cut, "", 1)
    raise AssertionError(sentence)
