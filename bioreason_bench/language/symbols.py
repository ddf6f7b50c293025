"""The language of symbols: one token for an entity, a relation or a value, separated by blanks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.language.answer import ANSWER
from bioreason_bench.world.relations import RelationTable


class Symbols:
    """A `Language` in which "p17 spouse p42 ." is a statement and "p17 child spouse ?" a question.

    The arguments that choose a wording have no effect: every relation has one wording.
    """

    def __init__(
        self, table: RelationTable, texts: Mapping[str, Sequence[str]], objects: NDArray
    ) -> None:
        self.table, self.texts, self.objects = table, texts, objects

    def variants(self, relation: int) -> int:  # noqa: ARG002
        return 1

    def statements(
        self,
        relation: int,
        subjects: NDArray,
        objects: list[str] | None,
        variants: NDArray,  # noqa: ARG002
    ) -> list[str]:
        row, names = self.table[relation], self.texts["person"]
        if objects is None:
            texts = self.texts[row.object]
            objects = [texts[k] for k in self.objects[relation][subjects].tolist()]
        return [
            f"{names[k]} {row.name} {text} ."
            for k, text in zip(subjects.tolist(), objects, strict=True)
        ]

    def with_pronouns(
        self,
        relation: int,  # noqa: ARG002
        subjects: NDArray,
        objects: list[str] | None,  # noqa: ARG002
        variants: NDArray,  # noqa: ARG002
    ) -> list[str]:
        return [""] * len(subjects)

    def questions(self, path: tuple[int, ...], starts: NDArray, words: NDArray) -> list[str]:  # noqa: ARG002
        names, relations = self.texts["person"], " ".join(self.table.path_names(path))
        return [f"{names[k]} {relations} ?" for k in np.asarray(starts).tolist()]

    def chains(self, path: tuple[int, ...], walk: NDArray) -> list[str]:
        kinds = ["person"] * len(path) + [self.table[path[-1]].object]
        columns = [
            [self.texts[kind][k] for k in ids]
            for kind, ids in zip(kinds, walk.T.tolist(), strict=True)
        ]
        subjects_and_objects = [column for hop in pairwise(columns) for column in hop]
        sentences = "".join(f"%s {name} %s . " for name in self.table.path_names(path))
        template = sentences + ANSWER + "%s"
        return [template % row for row in zip(*subjects_and_objects, columns[-1], strict=True)]
