"""Probes: every hop of every test question as a question of one hop, so that "cannot compose" is told from "does not know"."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import Draw
from bioreason_bench.questions.records import Columns, Writer, merge
from bioreason_bench.splits.paths import Path
from bioreason_bench.world.facts import World
from bioreason_bench.world.relations import PARAMETRIC


@dataclass(frozen=True)
class Probes:
    """Every (relation, subject) that a test question passes, once."""

    relation: NDArray[np.int64]  # [probes]
    subject: NDArray[np.int64]  # [probes]
    asked_by: list[list[str]]  # [probes] ids of the test questions
    keys: NDArray[np.uint64]  # [probes] their drawn order

    def __len__(self) -> int:
        return len(self.relation)

    @classmethod
    def collect(cls, world: World, questions: Iterable[tuple[Path, NDArray, list[str]]]) -> Probes:
        """From (path, starts, ids) of all test questions."""
        asked: dict[int, list[str]] = {}
        size = len(world.people)
        for path, starts, ids in questions:
            walk = world.walk(path, starts)
            for hop, relation in enumerate(path):
                for place, question in zip(
                    (relation * size + walk[:, hop].astype(np.int64)).tolist(), ids, strict=True
                ):
                    asked.setdefault(place, []).append(question)
        places = np.array(sorted(asked), np.int64)
        relation, subject = np.divmod(places, size)
        keys = Draw(world.config.seed).at("order", "probes").words(places)
        return cls(relation, subject, [asked[place] for place in places.tolist()], keys)

    def write(self, writer: Writer, keys: tuple[np.uint64, np.uint64]) -> Columns:
        """The columns of the probes whose keys lie in the range, in the order of the keys."""
        table = writer.starts.world.table
        here = np.flatnonzero((self.keys >= keys[0]) & (self.keys <= keys[1]))
        parts = []
        for relation in np.unique(self.relation[here]).tolist():
            rows = here[self.relation[here] == relation]
            row, size = table[relation], len(rows)
            skill = "mem" if row.group == PARAMETRIC else "ctx"
            columns: Columns = {
                "id": [
                    f"probe-{row.name}-{subject:06d}" for subject in self.subject[rows].tolist()
                ],
                "skill": [skill] * size,
                "level": ["probe"] * size,
            }
            columns |= writer.write((relation,), self.subject[rows])
            columns |= {
                "path_in_train": [False] * size,
                "unseen_relations": [[]] * size,
                "start_in_train": [False] * size,
                "hops_beyond_train": [0] * size,
                "people_in_train": [0] * size,
                "direction_seen": writer.direction_seen(
                    (relation,), writer.starts.world.walk((relation,), self.subject[rows])
                ),
                "portion": [0] * size,
                "probe_of": [self.asked_by[place] for place in rows.tolist()],
            }
            parts.append((columns, self.keys[rows]))
        return merge([columns for columns, _ in parts], [key for _, key in parts])
