"""Records: the rows of questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import Draw
from bioreason_bench.language import language_of
from bioreason_bench.language.answer import ANSWER
from bioreason_bench.questions.contexts import Contexts
from bioreason_bench.questions.prompts import UNKNOWN
from bioreason_bench.questions.sets import Columns
from bioreason_bench.splits.paths import RelationPath
from bioreason_bench.splits.starts import Starts
from bioreason_bench.world.relations import CONTEXTUAL, PARAMETRIC

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Writer", "unseen_group"]


def unseen_group(record: Mapping[str, Any]) -> str:
    """The group of the relations that no training path of the skill holds.

    "parametric", "contextual", "both", or "none" if training uses all of them.
    """
    unseen = set(record.get("unseen_relations", ()))  # which only people have
    if not unseen:
        return "none"
    letters = {
        letter
        for letter, name in zip(record["pattern"], record["path"], strict=True)
        if name in unseen
    }
    if len(letters) > 1:
        return "both"
    return {"P": PARAMETRIC, "C": CONTEXTUAL}[letters.pop()] if letters else "none"


@dataclass(frozen=True)
class Writer:
    """Writes the questions of a path, many at a time: arrays of ids in, columns of text out."""

    starts: Starts
    contexts: Contexts
    draw: Draw

    def write(self, path: RelationPath, starts: NDArray) -> Columns:
        """The columns that follow from the path and its starts: [len(starts)] values each."""
        walk = self.starts.world.walk(path, starts)
        context = self.contexts.people(path, starts)
        return self.rows(path, walk, context.people, self.contexts.texts(path, context))

    def rows(
        self, path: RelationPath, walk: NDArray, people: NDArray, contexts: pa.Array
    ) -> Columns:
        """The same columns from walks and finished contexts.

        Args:
            path: Relation numbers.
            walk: [questions, hops + 1] ids: the start, then the object of each hop.
            people: [questions, people] whose biographies the contexts hold, in order, then -1.
            contexts: [questions] texts.
        """
        world = self.starts.world
        table, names, language = world.table, world.names, language_of(world)
        relations = list(table.path_names(path))
        entities = self.entities(path, walk)
        size = len(walk)
        words = self.draw.at("question", *relations).words(walk[:, 0])
        return {
            "path": [relations] * size,
            "pattern": [table.pattern(path)] * size,
            "hops": [len(path)] * size,
            "entities": entities,
            "question": language.questions(path, walk[:, 0], words),
            "context": contexts,
            "context_people": [
                [names[person] for person in row if person >= 0] for row in people.tolist()
            ],
            "support": self._support(path, walk, people),
            "chain": language.chains(path, walk),
            "answer": [row[-1] for row in entities],
            "answer_kind": [table[path[-1]].object] * size,
        }

    def unknown_chains(self, path: RelationPath, walk: NDArray) -> list[str]:
        """Chains that end before the last hop, whose fact is stated nowhere."""
        before = language_of(self.starts.world).chains(path[:-1], walk[:, :-1])
        return [f"{chain.rpartition(ANSWER)[0]}{ANSWER}{UNKNOWN}" for chain in before]

    def _support(self, path: RelationPath, walk: NDArray, people: NDArray) -> list[list[int]]:
        """For each hop that is read, the place of its subject among the people; otherwise -1."""
        places = np.full((len(walk), len(path)), -1)
        for hop, number in enumerate(path):
            if self.starts.world.table[number].group == CONTEXTUAL:
                rows, lines = np.nonzero(people == walk[:, hop, None])
                places[rows, hop] = lines
        return places.tolist()

    def entities(self, path: RelationPath, walk: NDArray) -> list[list[str]]:
        """The texts of each walk: the start, then the object of each hop."""
        world = self.starts.world
        texts = [world.names] * len(path) + [world.texts[world.table[path[-1]].object]]
        columns = (
            [text[number] for number in column]
            for text, column in zip(texts, walk.T.tolist(), strict=True)
        )
        return [list(row) for row in zip(*columns, strict=True)]
