"""The files of a release of published questions.

They come without traces: the chain is the answer alone.  `path` is the words of the question, so
that the certificates speak of words and of neighbouring words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

from bioreason_bench.families.parts import Part, PartDataset
from bioreason_bench.families.published.forms import Pair, read_folder
from bioreason_bench.families.published.settings import PublishedSettings
from bioreason_bench.language.answer import ANSWER
from bioreason_bench.questions.sets import Columns
from bioreason_bench.schema import columns

__all__ = ["MOST_WORDS", "SCHEMA", "make_dataset"]

SCHEMA = "published"
MOST_WORDS = 64  # of a path


@dataclass(frozen=True)
class _Shown:
    """What training questions show."""

    questions: frozenset[str]
    words: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    most: int


@dataclass(frozen=True)
class _Set:
    """One split of one folder."""

    folder: str
    split: str
    level: str
    pairs: Sequence[Pair]
    shown: _Shown


def make_dataset(settings: PublishedSettings) -> PartDataset:
    """Every file of a release.

    Raises:
        UsageError: The folder has no published files, or files of another form.
    """
    found = read_folder(settings.source, settings.splits)
    sets = []
    for split in found.splits:
        folder = f"published_{split.name}"
        shown = _shown([pair.question for pair in split.train])
        sets.append(_Set(folder, "train", "train", split.train, shown))
        for (level, name), pairs in sorted(split.tests.items()):
            sets.append(_Set(f"{folder}/{level}", name, level, pairs, shown))
    head = {
        "definitions": {"dataset": found.dataset, "sources": dict(found.digests)},
    }
    parts = [
        Part(one.folder, one.split, SCHEMA, len(one.pairs), partial(_rows, one))
        for one in sets
        if one.pairs
    ]
    return PartDataset(parts, head)


def _shown(questions: Sequence[str]) -> _Shown:
    every = [question.split()[:MOST_WORDS] for question in questions]
    return _Shown(
        frozenset(questions),
        frozenset(word for words in every for word in words),
        frozenset(pair for words in every for pair in pairwise(words)),
        max(map(len, every), default=0),
    )


def _rows(one: _Set, first: int, last: int) -> Columns:
    rows = [_row(one, number) for number in range(first, last)]
    return {name: [row[name] for row in rows] for name in columns(SCHEMA)}


def _row(one: _Set, number: int) -> dict[str, Any]:
    question, answer, kind = one.pairs[number]
    words, shown = question.split()[:MOST_WORDS], one.shown
    return {
        "id": f"{one.folder.replace('/', '-')}-{one.split}-{number:06d}",
        "skill": one.folder.partition("/")[0],
        "level": one.level,
        "path": words,
        "pattern": "words",
        "hops": len(words),
        "entities": [question, answer],
        "question": question,
        "context": "",
        "chain": f"{ANSWER}{answer}",
        "answer": answer,
        "answer_kind": "published",
        "path_in_train": question in shown.questions,
        "unseen_primitives": [w for w in dict.fromkeys(words) if w not in shown.words],
        "pairs_unseen": len({*pairwise(words)} - shown.pairs),
        "hops_beyond_train": max(len(words) - shown.most, 0),
        "portion": 1 if one.split == "train" else 0,
        "generalisation": kind,
    }
