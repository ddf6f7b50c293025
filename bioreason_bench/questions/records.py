"""Records: the rows of questions, and the one prompt that is made from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import Draw
from bioreason_bench.language import language_of
from bioreason_bench.questions.contexts import Contexts
from bioreason_bench.splits.paths import Path
from bioreason_bench.splits.starts import Starts
from bioreason_bench.world.relations import CONTEXTUAL, PARAMETRIC

Columns = dict[str, list[Any]]


def make_prompt(record: Mapping[str, Any]) -> str:
    """What a model is given: the context (if there is one), the question, and the word to begin the answer after.

    The completion that training shows is a blank and the record's `chain`.
    """
    context = f"{record['context']}\n\n" if record["context"] else ""
    return f"{context}Question: {record['question']}\nAnswer:"


@dataclass(frozen=True)
class Writer:
    """Writes the questions of a path, many at a time: arrays of ids in, columns of text out."""

    starts: Starts
    contexts: Contexts
    draw: Draw

    def write(self, path: Path, starts: NDArray) -> Columns:
        """The columns that follow from the path and its starts alone: [len(starts)] values each."""
        walk = self.starts.world.walk(path, starts)
        people = self.contexts.people(path, walk)
        return self.rows(path, walk, people, self.contexts.texts(path, people))

    def rows(self, path: Path, walk: NDArray, people: NDArray, contexts: list[str]) -> Columns:
        """The same from walks ([questions, hops + 1] ids), the people of each context and its text."""
        world = self.starts.world
        table, names, language = world.table, world.names, language_of(world)
        relations = list(table.path_names(path))
        last = table[path[-1]]
        entities = self.entities(path, walk)
        size = len(walk)
        return {
            "path": [relations] * size,
            "pattern": [table.pattern(path)] * size,
            "hops": [len(path)] * size,
            "entities": entities,
            "question": language.questions(
                path, walk[:, 0], self.draw.at("question", *relations).words(walk[:, 0])
            ),
            "context": contexts,
            "context_people": [[names[k] for k in row] for row in people.tolist()],
            "chain": language.chains(path, walk),
            "answer": [row[-1] for row in entities],
            "answer_kind": [last.object] * size,
        }

    def entities(self, path: Path, walk: NDArray) -> list[list[str]]:
        """The texts of each walk: the start, then the object of each hop."""
        world = self.starts.world
        texts = [world.names] * len(path) + [world.texts[world.table[path[-1]].object]]
        columns = (
            [text[k] for k in column] for text, column in zip(texts, walk.T.tolist(), strict=True)
        )
        return [list(row) for row in zip(*columns, strict=True)]

    def people_met(self, path: Path, walk: NDArray, met: NDArray[np.bool_]) -> list[int]:
        """How many people of each question's chain are marked in `met`."""
        return met[walk[:, : self.starts.world.table.people_on(path)]].sum(axis=1).tolist()

    def direction_seen(self, path: Path, walk: NDArray) -> list[bool]:
        """Whether no hop of each question asks for a fact from the end that the biographies to train on do not state it from."""
        turned = np.zeros(len(walk), bool)
        for hop, relation in enumerate(path):
            turned |= self.starts.implied(relation, walk[:, hop], walk[:, hop + 1])
        return (~turned).tolist()


def merge(parts: list[Columns], keys: list[NDArray]) -> Columns:
    """The rows of all parts, sorted by key."""
    if not parts:
        return {}
    order = np.argsort(np.concatenate(keys), kind="stable").tolist()
    merged = {}
    for name in parts[0]:
        column = list(chain.from_iterable(part[name] for part in parts))
        merged[name] = list(map(column.__getitem__, order))
    return merged


def unseen_group(record: Mapping[str, Any]) -> str:
    """Group of the relations that no training path of the skill holds.

    "parametric", "contextual", "both", or "none" where training has shown them all.
    """
    unseen = set(record["unseen_relations"])
    letters = {
        letter
        for letter, name in zip(record["pattern"], record["path"], strict=True)
        if name in unseen
    }
    if len(letters) > 1:
        return "both"
    return {"P": PARAMETRIC, "C": CONTEXTUAL}[letters.pop()] if letters else "none"
