"""The questions of a file, each read back and solved once: what its text says, as integers.

`read_questions` solves the rows one by one; `QuestionTable` keeps what is compared across files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.audit.reading.parser import (
    EMPTY,
    NOT_STATED,
    UNKNOWN,
    Context,
    ParsedRelease,
    Parser,
)
from bioreason_bench.taxonomy import OPEN_BOOK

__all__ = [
    "CERTIFICATE",
    "NO_KEYS",
    "WIDTH",
    "File",
    "ParsedQuestion",
    "QuestionTable",
    "TableBuilder",
    "code_of",
    "hash_texts",
    "path_of",
    "read_questions",
    "small",
]

WIDTH = 9  # a start and at most eight hops
CERTIFICATE = (  # columns that say how a question relates to the training questions
    "path_in_train",
    "unseen_relations",
    "pairs_unseen",
    "start_in_train",
    "hops_beyond_train",
    "people_in_train",
    "direction_seen",
    "heldout_wordings",
)


NO_KEYS: NDArray[np.uint64] = np.empty(0, np.uint64)


@dataclass(frozen=True)
class File:
    """The parts of a file name data/<folder>/<split>-00000-of-00001.parquet."""

    name: str

    @cached_property
    def folder(self) -> str:
        return self.name.removeprefix("data/").rpartition("/")[0]

    @cached_property
    def split(self) -> str:
        return self.name.rpartition("/")[2].split("-")[0]

    @cached_property
    def skill(self) -> str:
        """The skill of the folder; "" for the probes, which belong to two skills."""
        return "" if self.folder == "probes" else self.folder.partition("/")[0]

    @cached_property
    def level(self) -> str:
        """The level of the rows, or their kind of question; train for training and rl files."""
        return "probe" if self.folder == "probes" else self.folder.partition("/")[2] or "train"

    @cached_property
    def open_book(self) -> bool:
        """Whether the contexts of a level state the facts to be recalled as well."""
        return self.level.endswith(f"_{OPEN_BOOK}")

    @cached_property
    def row_level(self) -> str:
        """The level in the rows: that of the closed questions, for open books."""
        return self.level.removesuffix(f"_{OPEN_BOOK}")


@dataclass(slots=True)
class ParsedQuestion:
    """One question, read back and solved.

    Attributes:
        row: Its row in the file, counted from 0.
        start: The number of the person it starts from; UNKNOWN if it cannot be read.
        path: The numbers of the relations; empty if it cannot be read.
        context: Its context, read back.
        walk: The start and the object of each hop, NOT_STATED from the first missing fact on.
        record: The row as it is in the file.
    """

    row: int
    start: int
    path: tuple[int, ...]
    context: Context
    walk: list[int]
    record: dict[str, Any]

    @property
    def answer(self) -> int:
        return self.walk[-1] if self.path else NOT_STATED

    @property
    def readable(self) -> bool:
        return bool(self.path) and self.start >= 0


@dataclass(frozen=True)
class QuestionTable:
    """The questions of one file as arrays over its rows, of integers as small as they can be.

    Attributes:
        file: The file.
        start: People, shape [rows].
        path: `code_of` the relations, -1 if the question cannot be read; shape [rows].
        hops: Shape [rows].
        answer: What the question leads to, shape [rows].
        walk: Start and objects as solved, NOT_STATED after the last; shape [rows, WIDTH]. Training
            files keep none.
        text: Hash of the question's text, shape [rows].
        id: Hash of the id, shape [rows].
        content: Hash of question, context, chain and portion, where training and rl files are
            compared; empty for all others.
        read_lines: Hash of the contextual biographies in the context, in whatever order; 0 where it
            was not read.  Shape [rows].
        recorded: Certificate and portion as recorded; unseen_relations as `code_of` the sorted
            relations. Training files keep the portion.
        probe_of: Of probes, hashes of the ids of the questions, row after row.
        probe_counts: How many each row has, shape [rows].
        people: Of training files, who is on a chain: eight people a byte, as by `np.packbits`.
    """

    file: File
    start: NDArray[np.int32]
    path: NDArray[np.signedinteger]
    hops: NDArray[np.int8]
    answer: NDArray[np.int32]
    walk: NDArray[np.int32]
    text: NDArray[np.uint64]
    id: NDArray[np.uint64]
    content: NDArray[np.uint64]
    read_lines: NDArray[np.uint64]
    recorded: dict[str, NDArray[np.signedinteger]]
    probe_of: NDArray[np.uint64]
    probe_counts: NDArray[np.int32]
    people: NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, np.uint8))

    def __len__(self) -> int:
        return len(self.start)

    def of_training(self, people: int) -> QuestionTable:
        """What is kept of a training file, of which a large release has many."""
        on_chains = np.zeros(people, bool)
        on_chains[self.walk[(self.walk >= 0) & (self.walk < people)]] = True
        return replace(
            self,
            walk=self.walk[:, :0].copy(),
            read_lines=NO_KEYS,
            recorded={"portion": self.recorded["portion"]},
            people=np.packbits(on_chains),
        )


class TableBuilder:
    """Collects a `QuestionTable` while the questions of a file are read in batches.

    Args:
        file: The file.
        release: The release.
        with_content: Whether to hash the contents of training and rl files.
    """

    def __init__(self, file: File, release: ParsedRelease, *, with_content: bool = False) -> None:
        self.file, self.base = file, len(release.table)
        self.with_content = with_content and file.level == "train"
        self.numbers = {
            relation.name: number for number, relation in enumerate(release.table.relations)
        }
        self.rows: list[tuple[int, int, int, int]] = []  # start, path code, hops, answer
        self.walks: list[list[int]] = []
        self.read_lines: list[int] = []
        self.recalled_mask = release.recalled_mask
        self.hashes: dict[str, list[NDArray[np.uint64]]] = {}
        self.recorded: dict[str, list] = {}
        self.probe_counts: list[int] = []

    def add(self, question: ParsedQuestion) -> None:
        """Add one question of the current batch."""
        code = code_of(question.path, self.base) if question.readable else -1
        self.rows.append((question.start, code, len(question.path), question.walk[-1]))
        self.walks.append((question.walk + [NOT_STATED] * WIDTH)[:WIDTH])
        self.read_lines.append(self._hash_of_lines(question))

    def end_batch(self, columns: Mapping[str, list]) -> None:
        """Add the columns of the batch whose questions were added."""
        texts = {"text": columns["question"], "id": columns["id"]}
        if self.with_content:
            parts = (columns[name] for name in ("question", "context", "chain"))
            rows = zip(*parts, map(str, columns["portion"]), strict=True)
            texts["content"] = ["\n".join(row) for row in rows]
        if self.file.folder == "probes":
            texts["probe_of"] = [one for row in columns["probe_of"] for one in row]
            self.probe_counts += map(len, columns["probe_of"])
        for name, values in texts.items():
            self.hashes.setdefault(name, [NO_KEYS]).append(hash_texts(values))
        for name in (*CERTIFICATE, "portion", "altered", "answerable"):
            values = columns.get(name, [])
            if name == "unseen_relations":
                values = [self._code(names) for names in values]
            self.recorded.setdefault(name, []).extend(values)

    def _hash_of_lines(self, question: ParsedQuestion) -> int:
        """A hash of the lines that state contextual facts; 0 for training and unread contexts."""
        if self.file.split not in ("validation", "test") or question.context is EMPTY:
            return 0
        lines = question.record["context"].split("\n")
        kept = zip(lines, question.context.stated, strict=False)
        read = sorted(line for line, stated in kept if stated & ~self.recalled_mask)
        return int(hash_texts(["\n".join(read)])[0]) if read else 0

    def _code(self, names: list[str]) -> int:
        """`code_of` the relations with these names, sorted; UNKNOWN if one does not exist."""
        numbers = sorted(self.numbers.get(name, UNKNOWN) for name in names)
        if UNKNOWN in numbers or len(numbers) >= WIDTH:
            return UNKNOWN
        return code_of(numbers, self.base)

    def _keys(self, name: str) -> NDArray[np.uint64]:
        return np.concatenate(self.hashes.get(name, [NO_KEYS]))

    def build(self) -> QuestionTable:
        rows = np.array(self.rows, np.int64).reshape(-1, 4)
        return QuestionTable(
            self.file,
            start=rows[:, 0].astype(np.int32),
            path=small(rows[:, 1]),
            hops=rows[:, 2].astype(np.int8),
            answer=rows[:, 3].astype(np.int32),
            walk=np.array(self.walks, np.int32).reshape(-1, WIDTH),
            read_lines=np.array(self.read_lines, np.uint64),
            text=self._keys("text"),
            id=self._keys("id"),
            content=self._keys("content"),
            probe_of=self._keys("probe_of"),
            recorded={
                name: small(np.array(values, np.int64))
                for name, values in self.recorded.items()
                if values
            },
            probe_counts=np.array(self.probe_counts, np.int32),
        )


def read_questions(
    parser: Parser,
    columns: Mapping[str, list],
    first: int,
    *,
    every: int = 1,
    from_mirrors: bool = False,
    open_book: bool = False,
) -> Iterator[ParsedQuestion]:
    """Read back and solve the rows of a batch.

    Args:
        parser: The parser of this process.
        columns: The batch, column by column.
        first: The row of the file that the batch begins with.
        every: Read contexts of every n-th row of the file only. The contextual hops of the other
            rows are taken from the biographies.
        from_mirrors: Solve by parametric facts and their mirrors instead of a context.
        open_book: Solve by the context alone, parametric facts too.
    """
    names = list(columns)
    for row, values in enumerate(zip(*columns.values(), strict=True), first):
        record = dict(zip(names, values, strict=True))
        start, path = parser.question(record["question"]) or (UNKNOWN, ())
        if len(path) >= WIDTH:
            path = ()
        context = parser.context(record["context"]) if row % every == 0 else None
        if from_mirrors:
            walk = parser.solve_from_mirrors(start, path)
        else:
            walk = parser.solve(start, path, context, open_book=open_book)
        yield ParsedQuestion(row, start, path, context or EMPTY, walk, record)


def code_of(path: Iterable[int], base: int) -> int:
    """A number for a path over `base` relations: its relations as digits 1..base.

    With 39 relations the path (0, 5) is 1 * 40 + 6 = 46, and the empty path is 0.
    """
    code = 0
    for relation in path:
        code = code * (base + 1) + relation + 1
    return code


def path_of(code: int, base: int) -> tuple[int, ...]:
    """The path to which `code_of` gives this number; () for -1."""
    path = []
    while code > 0:
        code, digit = divmod(int(code), base + 1)
        path.append(digit - 1)
    return tuple(reversed(path))


def small(values: NDArray[np.int64]) -> NDArray[np.signedinteger]:
    """The values as the smallest integers that hold them."""
    low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    for kind in (np.int8, np.int16, np.int32):
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return values.astype(kind)
    return values


def hash_texts(texts: Sequence[str]) -> NDArray[np.uint64]:
    """A 64-bit hash of each text, the same in every process."""
    digests = [blake2b(text.encode(), digest_size=8).digest() for text in texts]
    return np.frombuffer(b"".join(digests), np.uint64)
