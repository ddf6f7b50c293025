"""Every question of a file read back and solved, once: what its text says, as integers.

`read_items` solves the rows one by one; `Rows` keeps what must be compared across files (has training shown this?).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.audit.reading.evidence import EMPTY, NOBODY, UNKNOWN, Context, Evidence, Parser

__all__ = [
    "CERTIFICATE",
    "WIDTH",
    "File",
    "Item",
    "Rows",
    "RowsMaker",
    "code_of",
    "path_of",
    "read_items",
]

WIDTH = 9  # a start and at most eight hops
CERTIFICATE = (
    "path_in_train",
    "unseen_relations",
    "start_in_train",
    "hops_beyond_train",
    "people_in_train",
    "direction_seen",
)


@dataclass(frozen=True)
class File:
    """Where rows stand: data/<folder>/<split>-00000-of-00001.parquet."""

    name: str

    @cached_property
    def folder(self) -> str:
        return self.name.removeprefix("data/").rpartition("/")[0]

    @cached_property
    def split(self) -> str:
        return self.name.rpartition("/")[2].split("-")[0]

    @cached_property
    def skill(self) -> str:
        """The skill of the folder; "" for the probes, which are of two."""
        return "" if self.folder == "probes" else self.folder.partition("/")[0]

    @cached_property
    def level(self) -> str:
        """The level of the rows: train for training and rl files."""
        return "probe" if self.folder == "probes" else self.folder.partition("/")[2] or "train"


@dataclass(slots=True)
class Item:
    """One question, read back and solved."""

    row: int  # in its file, from 0
    start: int  # id; UNKNOWN where the question cannot be read
    path: tuple[int, ...]  # relation numbers; empty where it cannot be read
    context: Context
    walk: list[int]  # the start and the object of each hop, NOBODY from where it dangles
    record: dict[str, Any]

    @property
    def answer(self) -> int:
        return self.walk[-1] if self.path else NOBODY


@dataclass
class Rows:
    """One file's questions as arrays over its rows."""

    file: File
    start: NDArray[np.int32]
    path: NDArray[np.int64]  # `code_of` the relations; -1 where the question cannot be read
    hops: NDArray[np.int64]
    walk: NDArray[np.int32]  # [rows, WIDTH] start and objects as solved, NOBODY after the last
    text: NDArray[np.uint64]  # hash of the question's text
    id: NDArray[np.uint64]  # hash of the id
    whole: NDArray[
        np.uint64
    ]  # hash of question, context, chain and portion, for training and rl files; else empty
    recorded: dict[
        str, NDArray
    ]  # the certificate as recorded (unseen_relations as `code_of` them, sorted), and portion
    lists: dict[str, list[Any]] = field(
        default_factory=dict
    )  # id and probe_of, where the probes need them

    def __len__(self) -> int:
        return len(self.start)


class RowsMaker:
    """Collects `Rows` while the items of a file pass by."""

    def __init__(self, file: File, evidence: Evidence) -> None:
        self.file, self.base = file, len(evidence.table)
        self.numbers = {
            relation.name: number for number, relation in enumerate(evidence.table.relations)
        }
        self.items: list[tuple[int, int, int]] = []
        self.walks: list[list[int]] = []
        self.hashes: dict[str, list[NDArray]] = {"text": [], "id": [], "whole": []}
        self.recorded: dict[str, list] = {}
        self.lists: dict[str, list] = {}

    def add(self, item: Item) -> None:
        readable = item.path and item.start >= 0
        self.items.append(
            (item.start, code_of(item.path, self.base) if readable else -1, len(item.path))
        )
        self.walks.append((item.walk + [NOBODY] * WIDTH)[:WIDTH])

    def add_columns(self, columns: Mapping[str, list]) -> None:
        """The columns of a batch whose items were added."""
        self.hashes["text"].append(hash_texts(columns["question"]))
        self.hashes["id"].append(hash_texts(columns["id"]))
        if self.file.level == "train":
            parts = zip(
                columns["question"],
                columns["context"],
                columns["chain"],
                map(str, columns["portion"]),
                strict=True,
            )
            self.hashes["whole"].append(hash_texts(["\n".join(part) for part in parts]))
        for name in (*CERTIFICATE, "portion"):
            values = columns.get(name, ())
            if name == "unseen_relations":
                values = [self._code(row) for row in values]
            self.recorded.setdefault(name, []).extend(values)
        if self.file.split == "test":
            for name in ("id", "probe_of"):
                self.lists.setdefault(name, []).extend(columns.get(name, ()))

    def _code(self, names: list[str]) -> int:
        """`code_of` the relations with these names, sorted; UNKNOWN where there is no such relation."""
        numbers = sorted(self.numbers.get(name, UNKNOWN) for name in names)
        return (
            UNKNOWN if UNKNOWN in numbers or len(numbers) >= WIDTH else code_of(numbers, self.base)
        )

    def make(self) -> Rows:
        numbers = np.array(self.items, np.int64).reshape(-1, 3)
        hashes = {
            name: np.concatenate(parts) if parts else np.empty(0, np.uint64)
            for name, parts in self.hashes.items()
        }
        recorded = {
            name: np.array(values, np.int64) for name, values in self.recorded.items() if values
        }
        walk = np.array(self.walks, np.int32).reshape(-1, WIDTH)
        return Rows(
            self.file,
            numbers[:, 0].astype(np.int32),
            numbers[:, 1],
            numbers[:, 2],
            walk,
            **hashes,
            recorded=recorded,
            lists=self.lists,
        )


def read_items(
    parser: Parser, file: File, columns: Mapping[str, list], first: int, every: int = 1
) -> Iterator[Item]:
    """The rows of a batch, read back and solved; `first` is the number of its first row in the file.

    Of rows whose number `every` does not divide the context is left unread: their contextual hops are taken from the biographies.
    """
    names = list(columns)
    for row, values in enumerate(zip(*columns.values(), strict=True), first):
        record = dict(zip(names, values, strict=True))
        start, path = parser.question(record["question"]) or (UNKNOWN, ())
        path = path if len(path) < WIDTH else ()
        context = parser.context(record["context"]) if row % every == 0 else None
        walk = (
            parser.solve_turned(start, path)
            if file.level == "direction"
            else parser.solve(start, path, context)
        )
        yield Item(row, start, path, context or EMPTY, walk, record)


def code_of(path: Iterable[int], base: int) -> int:
    """A number for a path over `base` relations, the same in every process."""
    code = 0
    for relation in path:
        code = code * (base + 1) + relation + 1
    return code


def path_of(code: int, base: int) -> tuple[int, ...]:
    """The path that `code_of` gave this number; () for -1."""
    path = []
    while code > 0:
        code, digit = divmod(int(code), base + 1)
        path.append(digit - 1)
    return tuple(reversed(path))


def hash_texts(texts: Sequence[str]) -> NDArray[np.uint64]:
    """A 64-bit hash of each text, the same in every process."""
    from pandas.util import hash_array

    return (
        hash_array(np.array(texts, dtype=object), categorize=False)
        if len(texts)
        else np.empty(0, np.uint64)
    )
