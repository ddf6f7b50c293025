"""Every verdict of a study, in one Parquet file from which its statistics are recomputed.

    verdicts.parquet      one row for each arm, seed, test set and question

The rows are sorted by seed, test set, question and arm, so that the columns of the question, which
are the same for all arms, take next to no space.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.errors import ReleaseError
from bioreason_bench.evaluation.answers import Answers, answer_problem
from bioreason_bench.evaluation.results import read_verdicts
from bioreason_bench.experiments.results import skill_of
from bioreason_bench.inputs import Unreadable
from bioreason_bench.parquet import open_parquet
from bioreason_bench.release.disk import plain_errors, write_whole
from bioreason_bench.taxonomy import SKILLS

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["METRICS", "VERDICTS", "Key", "Questions", "Verdicts", "part_of"]

VERDICTS = "verdicts.parquet"
METRICS = {"exact_match": "answer", "process_verified": "chain"}  # of a result line -> column
NONE = -1  # a hop that is not there
QUESTION_COLUMNS = ("id", "start", "unseen", "unseen_group", "first_unseen", "pattern", "hops")
VERDICT_COLUMNS = ("answer", "chain", "first_error")


class Key(NamedTuple):
    """What a set of verdicts is about."""

    arm: str
    seed: int
    config: str


@dataclass(frozen=True)
class Questions:
    """The questions of a test set, in the order of their ids.

    Attributes:
        id: Their ids.
        start: The person that each starts from.
        unseen: Their relations that no training path of the skill holds.
        unseen_group: "none", "parametric", "contextual" or "both".
        first_unseen: The first hop with such a relation, from 0; -1 for none.
        pattern: P and C for each hop.
        hops: Number of hops.
    """

    id: tuple[str, ...]
    start: tuple[str, ...]
    unseen: tuple[tuple[str, ...], ...]
    unseen_group: tuple[str, ...]
    first_unseen: tuple[int, ...]
    pattern: tuple[str, ...]
    hops: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.id)


@dataclass(frozen=True)
class Part:
    """The verdicts on the answers of one model to one test set.

    Attributes:
        questions: What was asked.
        answer: Whether the answer is right, shape [questions].
        chain: Whether the whole chain is right too, shape [questions].
        first_error: The first wrong hop, from 0; -1 for none, shape [questions].
    """

    questions: Questions
    answer: NDArray[np.bool_]
    chain: NDArray[np.bool_]
    first_error: NDArray[np.int8]

    def right(self, metric: str) -> NDArray[np.bool_]:
        """The verdicts by the name of the metric in a result line."""
        return self.answer if METRICS[metric] == "answer" else self.chain


def part_of(answers: Answers, source: Path) -> Part:
    """The verdicts in the records of `read_verdicts`.

    Raises:
        ReleaseError: They are of a version that did not record unseen relations.
    """
    ordered = sorted(answers, key=lambda answer: answer["id"])
    try:
        questions = Questions(
            id=tuple(answer["id"] for answer in ordered),
            start=tuple(answer["start"] for answer in ordered),
            unseen=tuple(tuple(answer["unseen_relations"]) for answer in ordered),
            unseen_group=tuple(answer["unseen_group"] for answer in ordered),
            first_unseen=tuple(_hop(answer["first_unseen"]) for answer in ordered),
            pattern=tuple(answer["pattern"] for answer in ordered),
            hops=tuple(answer["hops"] for answer in ordered),
        )
        return Part(
            questions,
            np.array([bool(answer["exact_match"]) for answer in ordered]),
            np.array([bool(answer["process_verified"]) for answer in ordered]),
            np.array([_hop(answer["first_error"]) for answer in ordered], dtype=np.int8),
        )
    except KeyError as missing:
        raise ReleaseError(f"{source} has no column {missing}; train or evaluate again") from None


def _hop(value: int | None) -> int:
    return NONE if value is None else int(value)


@dataclass(frozen=True)
class Verdicts:
    """Sets of verdicts by arm, seed and test set."""

    parts: Mapping[Key, Part] = field(default_factory=dict)

    def of(self, arm: str, seed: int, config: str) -> Part | None:
        return self.parts.get(Key(arm, seed, config))

    @classmethod
    def from_files(cls, paths: Mapping[Key, Path]) -> Verdicts:
        """The verdicts in files of a run folder (RUN/STAGE/test/CONFIG.jsonl)."""
        return cls({key: part_of(read_verdicts(path), path) for key, path in paths.items()})

    @classmethod
    def read(cls, path: Path) -> Verdicts:
        """The verdicts in a file that `write` wrote.

        Raises:
            ReleaseError: The file cannot be read, or holds something else.
        """
        import pyarrow as pa

        again = "get it again, or make it anew from the run folders"
        try:
            with open_parquet(path) as file:
                table = file.read()
            if table.schema.names != _schema().names:
                raise Unreadable("its columns are others")
            return cls(dict(_parts(table.cast(_schema()))))
        except OSError as error:
            raise ReleaseError(f"{path} cannot be read ({error.strerror}); {again}") from None
        except (Unreadable, pa.ArrowException) as problem:
            reason = str(problem).splitlines()[0]
            raise ReleaseError(f"{path} is no file of verdicts ({reason}); {again}") from None

    def write(self, path: Path) -> None:
        """Write all verdicts as Parquet (zstd); the same verdicts give the same bytes."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        tables = [_table(key, part) for key, part in self.parts.items()]
        table = pa.concat_tables(tables or [_schema().empty_table()])
        table = table.sort_by([(name, "ascending") for name in ("seed", "config", "id", "arm")])
        options = {"compression": "zstd", "compression_level": 19, "row_group_size": 1 << 20}

        def write(file: Any) -> None:
            pq.write_table(table, file, dictionary_pagesize_limit=1 << 24, **options)

        with plain_errors(path):
            write_whole(path, write)


def _schema() -> pa.Schema:
    import pyarrow as pa

    text, whole = pa.string(), pa.int8()
    return pa.schema(
        [
            *(("arm", text), ("seed", pa.uint64()), ("config", text), ("id", text)),
            ("start", text),
            ("unseen", pa.list_(pa.field("element", text))),
            *(("unseen_group", text), ("first_unseen", whole), ("pattern", text), ("hops", whole)),
            *(("answer", pa.bool_()), ("chain", pa.bool_()), ("first_error", whole)),
        ]
    )


def _table(key: Key, part: Part) -> pa.Table:
    """The rows of one set of verdicts."""
    import pyarrow as pa

    number = len(part.questions)
    columns = {
        **{name: [value] * number for name, value in key._asdict().items()},
        **{name: getattr(part.questions, name) for name in QUESTION_COLUMNS},
        **{name: getattr(part, name) for name in VERDICT_COLUMNS},
    }
    return pa.table(columns, schema=_schema())


def _parts(table: pa.Table) -> Iterator[tuple[Key, Part]]:
    """The verdicts of each arm, seed and test set; arms share the questions of a test set."""
    if not table.num_rows:
        return
    codes = [
        table.column(name)
        .combine_chunks()
        .dictionary_encode()
        .indices.to_numpy(zero_copy_only=False)
        for name in Key._fields
    ]
    order = np.lexsort(codes)  # stable: questions stay in the order of their ids
    changes = np.any([np.diff(code[order]) != 0 for code in codes], axis=0)
    firsts = [0, *(np.flatnonzero(changes) + 1).tolist(), len(order)]
    shared: dict[Questions, Questions] = {}
    for first, end in pairwise(firsts):
        columns = table.take(order[first:end]).to_pydict()
        key = Key(*(columns[name][0] for name in Key._fields))
        _check(key, columns)
        columns["unseen"] = list(map(tuple, columns["unseen"]))
        questions = Questions(**{name: tuple(columns[name]) for name in QUESTION_COLUMNS})
        yield (
            key,
            Part(
                shared.setdefault(questions, questions),
                np.array(columns["answer"]),
                np.array(columns["chain"]),
                np.array(columns["first_error"], dtype=np.int8),
            ),
        )


def _check(key: Key, columns: Mapping[str, list[Any]]) -> None:
    """Refuse columns that no run can have written."""
    where = f"{key.arm}, seed {key.seed}, {key.config}"
    for name, values in columns.items():
        if any(value is None for value in values):
            raise Unreadable(f"{where}: column {name} has an empty cell")
    if len(set(columns["id"])) < len(columns["id"]):
        raise Unreadable(f"{where}: two rows have the same id")
    for name in ("start", "unseen_group", "pattern"):
        for value in set(columns[name]):
            if problem := answer_problem({name: value}):
                raise Unreadable(f"{where}: {problem}")
    # Of other families, a trace may have more steps than the question has parts, and a pattern is
    # the name of a routing or the like.
    people = skill_of(key.config) in SKILLS
    for name in ("first_unseen", "first_error"):
        hops = zip(columns[name], columns["hops"], strict=True)
        if not all(hop >= NONE and (hop < most or not people) for hop, most in hops):
            raise Unreadable(f"{where}: {name} is no hop of its question")
    if people and list(map(len, columns["pattern"])) != columns["hops"]:
        raise Unreadable(f"{where}: a pattern has more or fewer letters than hops")
