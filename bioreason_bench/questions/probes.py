"""Probes: every hop of every test question as a one-hop question.

They tell "cannot compose" from "does not know".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import Draw
from bioreason_bench.questions.certificates import direction_seen, heldout_wordings
from bioreason_bench.questions.records import Writer
from bioreason_bench.questions.sets import Columns, KeyRange, merge
from bioreason_bench.splits.levels import TEST
from bioreason_bench.splits.paths import RelationPath
from bioreason_bench.world.relations import PARAMETRIC

__all__ = ["Asked", "Probes", "all_single_hops", "write_single_hops"]


class Asked(NamedTuple):
    """Test questions of one path; `ids` makes the ids of the questions with given starts."""

    path: RelationPath
    starts: NDArray[np.int32]
    ids: Callable[[NDArray], list[str]]


class Hops(NamedTuple):
    """Every (relation, subject) that a test question passes, once.

    The questions that pass hop h are passed_by[first[h] : first[h + 1]], as numbers of questions
    in the order of `asked`.
    """

    relation: NDArray[np.int16]
    subject: NDArray[np.int32]
    first: NDArray[np.int64]
    passed_by: NDArray[np.int32]
    keys: NDArray[np.uint64]


@dataclass(frozen=True)
class Probes:
    """See `QuestionSet`; `asked` yields all test questions of the release."""

    asked: Callable[[], Iterable[Asked]]
    writer: Writer
    draw: Draw
    folder: str = "probes"
    split: str = TEST
    schema: str = "probe"

    def __len__(self) -> int:
        return len(self.hops.keys)

    def keys(self) -> NDArray[np.uint64]:
        return self.hops.keys

    @cached_property
    def hops(self) -> Hops:
        world = self.writer.starts.world
        size = len(world.people)
        facts, questions = [np.empty(0, np.int64)], [np.empty(0, np.int32)]
        number = 0
        for path, starts, _ in self.asked():
            walk = world.walk(path, starts)
            for hop, relation in enumerate(path):
                facts.append(relation * size + walk[:, hop].astype(np.int64))
                questions.append(np.arange(number, number + len(starts), dtype=np.int32))
            number += len(starts)
        passed, by = np.concatenate(facts), np.concatenate(questions)
        order = np.argsort(passed, kind="stable")
        hops, first = np.unique(passed[order], return_index=True)
        relations, subjects = np.divmod(hops, size)
        keys = self.draw.at("order", "probes").words(hops)
        bounds = np.append(first, len(passed))
        return Hops(relations.astype(np.int16), subjects.astype(np.int32), bounds, by[order], keys)

    def _ids(self, numbers: NDArray) -> dict[int, str]:
        """The ids of the questions with these numbers, in the order of `asked`."""
        numbers, begin = np.unique(numbers), 0
        ids: dict[int, str] = {}
        for _, starts, make in self.asked():
            inside = slice(*np.searchsorted(numbers, [begin, begin + len(starts)]).tolist())
            mine = numbers[inside]
            if mine.size:
                ids.update(zip(mine.tolist(), make(starts[mine - begin]), strict=True))
            begin += len(starts)
        return ids

    def write(self, keys: KeyRange) -> Columns:
        hops, chosen = self.hops, keys.indices(self.hops.keys)
        questions = [hops.passed_by[hops.first[hop] : hops.first[hop + 1]] for hop in chosen]
        ids = self._ids(np.concatenate([np.empty(0, np.int32), *questions]))
        return write_single_hops(
            self.writer,
            hops.relation[chosen],
            hops.subject[chosen],
            hops.keys[chosen],
            {"probe_of": [[ids[number] for number in passing.tolist()] for passing in questions]},
        )


def write_single_hops(
    writer: Writer,
    relation: NDArray[np.integer],
    subject: NDArray[np.integer],
    keys: NDArray[np.uint64],
    more: Columns | None = None,
) -> Columns:
    """The columns of one-hop questions, in the order of their keys.

    Args:
        writer: Writes the texts.
        relation: [questions] relation numbers.
        subject: [questions] the people asked about.
        keys: [questions] order keys.
        more: Further columns, [questions] values each.
    """
    parts, parts_keys = [], []
    for number in np.unique(relation).tolist():
        rows = np.flatnonzero(relation == number)
        part = _one_relation(writer, number, subject[rows])
        for name, values in (more or {}).items():
            part[name] = [values[index] for index in rows.tolist()]
        parts.append(part)
        parts_keys.append(keys[rows])
    return merge(parts, parts_keys)


def all_single_hops(writer: Writer, seed: int) -> Iterator[dict[str, Any]]:
    """The rows of one-hop questions on every fact that a biography states, in drawn order."""
    subject, relation = np.nonzero(writer.starts.world.steps[:, :-1].T >= 0)
    keys = Draw(seed).at("order", "atoms").words(len(subject))
    columns = write_single_hops(writer, relation, subject, keys)
    columns["context"] = columns["context"].to_pylist()
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, values, strict=True))


def _one_relation(writer: Writer, relation: int, subject: NDArray[np.integer]) -> Columns:
    world = writer.starts.world
    row, path, size = world.table[relation], (relation,), len(subject)
    columns: Columns = {
        "id": [f"probe-{row.name}-{person:06d}" for person in subject.tolist()],
        "skill": ["mem" if row.group == PARAMETRIC else "ctx"] * size,
        "level": ["probe"] * size,
    }
    walk = world.walk(path, subject)
    columns |= writer.write(path, subject)
    columns |= {
        "path_in_train": [False] * size,
        "unseen_relations": [[]] * size,
        "pairs_unseen": [0] * size,
        "start_in_train": [False] * size,
        "hops_beyond_train": [0] * size,
        "people_in_train": [0] * size,
        "direction_seen": direction_seen(writer.starts, path, walk),
        "heldout_wordings": heldout_wordings(world, path, walk),
        "portion": [0] * size,
    }
    return columns
