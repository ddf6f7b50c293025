"""The language of symbols: one token for an entity, a relation, a value; tokens stand between blanks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.language.answer import ANSWER
from bioreason_bench.world.relations import RelationTable


class Symbols:
    """See `language.Language`: "p17 spouse p42 ." states, "p17 child spouse ?" asks."""

    def __init__(self, table: RelationTable, texts: dict[str, list[str]], objects: NDArray) -> None:
        self.table, self.texts, self.objects = table, texts, objects

    def variants(self, relation: int) -> int:  # noqa: ARG002  every relation has one wording here
        return 1

    def statements(
        self,
        relation: int,
        subjects: NDArray,
        objects: list[str] | None,
        variants: NDArray,  # noqa: ARG002 - symbols have one wording
    ) -> list[str]:
        row, names = self.table[relation], self.texts["person"]
        if objects is None:
            texts = self.texts[row.object]
            objects = [texts[k] for k in self.objects[relation][subjects].tolist()]
        return [
            f"{names[k]} {row.name} {text} ."
            for k, text in zip(subjects.tolist(), objects, strict=True)
        ]

    def questions(self, path: tuple[int, ...], starts: NDArray, words: NDArray) -> list[str]:  # noqa: ARG002
        names, tail = self.texts["person"], " ".join(self.table.path_names(path))
        return [f"{names[k]} {tail} ?" for k in np.asarray(starts).tolist()]

    def chains(self, path: tuple[int, ...], walk: NDArray) -> list[str]:
        texts = [self.texts["person"]] * len(path) + [self.texts[self.table[path[-1]].object]]
        columns = [
            [text[k] for k in column] for text, column in zip(texts, walk.T.tolist(), strict=True)
        ]
        shown = [column for hop in range(len(path)) for column in columns[hop : hop + 2]]
        template = (
            "".join(f"%s {name} %s . " for name in self.table.path_names(path)) + ANSWER + "%s"
        )
        return [template % row for row in zip(*shown, columns[-1], strict=True)]
