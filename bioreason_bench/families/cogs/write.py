"""Sentences and traces as text, and the files of a release.

    A rose was helped by the dog .
    x _ 1 a rose = rose ( x _ 1 ) ; x _ 3 was helped = help . theme ( x _ 3 , x _ 1 ) AND
    help . agent ( x _ 3 , x _ 6 ) ; x _ 6 the dog = * dog ( x _ 6 ) ; So, the answer is: ...

A name has no step: it stands for itself, so that a reward for it would pay for copying.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from bioreason_bench.draw import Draw
from bioreason_bench.families.cogs.grammar import variable
from bioreason_bench.families.cogs.lexicon import CLASSES
from bioreason_bench.families.cogs.settings import LEVELS, CogsSettings
from bioreason_bench.families.cogs.world import CogsWorld, Sentence, make_world
from bioreason_bench.families.parts import Part, PartDataset
from bioreason_bench.language.answer import ANSWER
from bioreason_bench.questions.sets import Columns
from bioreason_bench.schema import columns

__all__ = ["NOTATION", "SCHEMA", "SUPPORTS", "make_dataset"]

SCHEMA = "cogs"
KIND = "logical_form"  # of every answer
PORTIONS = 10
SUPPORTS = ("atoms", "nested", "overlapping", "disjoint")  # of reinforcement learning
NOTATION = (  # the first lines of a context
    "x _ n is the word at place n, counted from 0",
    "a N is N ( x _ n ), the N is * N ( x _ n )",
    "nouns with the come first, each followed by ;",
    "all else is joined by AND, in the order of the first place in it",
    "N in M is N . nmod . in ( x _ n , x _ m ), and so for on and beside",
    "with was, the theme or the recipient is the subject, and by names the agent",
    "to, or the first of two objects, names the recipient",
    "to with a verb is xcomp, and the subject is the agent of that verb too",
    "that with a clause is ccomp",
)
ROLES = {  # class of a word -> what a definition says of it
    "names": "is a name",
    "animate": "is a noun",
    "inanimate": "is a noun",
    "unergative": "has an agent",
    "unaccusative": "has a theme, with an object an agent and a theme",
    "omissible": "has an agent, with an object a theme",
    "transitive": "has an agent and a theme",
    "dative": "has an agent, a theme and a recipient",
    "clausal": "has an agent and a ccomp",
    "infinitival": "has an agent and a xcomp",
}


@dataclass(frozen=True)
class SentenceSet:
    """One split of one folder.

    Attributes:
        folder: The folder below data/.
        split: The split.
        level: The column `level`.
        sentences: The sentences.
        opened: Whether the context has definitions.
        portions: The portion of each sentence; none but in training.
    """

    folder: str
    split: str
    level: str
    sentences: Sequence[Sentence]
    opened: bool
    portions: Sequence[int] = ()


def make_dataset(settings: CogsSettings) -> PartDataset:
    """Every file of a release of sentences."""
    world = make_world(settings)
    writer = _Writer(world)
    parts = [
        Part(one.folder, one.split, SCHEMA, len(one.sentences), partial(writer.rows, one))
        for one in _sets(settings, world)
        if one.sentences
    ]
    definitions = {
        **world.lexicon.as_dict(),
        "held": {kind: list(words) for kind, words in world.held.items()},
        "notation": list(NOTATION),
    }
    return PartDataset(parts, {"definitions": definitions})


def _sets(settings: CogsSettings, world: CogsWorld) -> Iterator[SentenceSet]:
    read = settings.definitions == "read"
    draw = Draw(settings.seed).at("cogs", "portions")
    portions = _portions(world.train, draw)
    yield SentenceSet("cogs", "train", "train", world.train, read, portions)
    general = [one for one in world.train if one.kind == "in_distribution"]
    half = settings.rl // 2
    supports = {
        "atoms": list(dict.fromkeys(world.alone)),
        "nested": general[: settings.rl],
        "overlapping": [*general[:half], *world.rl[: settings.rl - half]],
        "disjoint": world.rl,
    }
    for support in SUPPORTS:
        yield SentenceSet(f"cogs_rl_{support}", "train", "train", supports[support], read)
    for level in LEVELS:
        for split in ("validation", "test"):
            rows = world.tests[level, split]
            yield SentenceSet(f"cogs/{level}", split, level, rows, read)
            if settings.open_book and not read:
                yield SentenceSet(f"cogs/{level}_openbook", split, level, rows, True)


def _portions(train: Sequence[Sentence], draw: Draw) -> list[int]:
    """What shows a held word, or a word alone, is in every portion; the others are dealt out."""
    general = [i for i, sentence in enumerate(train) if sentence.kind == "in_distribution"]
    portions = np.ones(len(train), np.int64)
    order = draw.permutation(len(general))
    dealt = 1 + np.arange(len(general)) * PORTIONS // max(len(general), 1)
    portions[np.array(general, np.int64)[order]] = dealt
    return [int(portion) for portion in portions]


class _Writer:
    """Writes the rows of a release."""

    def __init__(self, world: CogsWorld) -> None:
        self.shown = world.shown
        past: Mapping[str, str] = world.lexicon.past
        self.lines: dict[str, str] = {}
        for name in CLASSES:
            for word in world.lexicon.classes[name]:
                written = f"{word} , {past[word]}" if word in past and name not in _NOUNS else word
                line = f"{written} : {ROLES[name]}"
                self.lines[f"{name in _NOUNS} {word}"] = line

    def rows(self, one: SentenceSet, first: int, last: int) -> Columns:
        """The columns of the rows first to last - 1."""
        rows = [self._row(one, number) for number in range(first, last)]
        return {name: [row[name] for row in rows] for name in columns(SCHEMA)}

    def _row(self, one: SentenceSet, number: int) -> dict[str, Any]:
        sentence = one.sentences[number]
        steps = steps_of_sentence(sentence)
        trace = "".join(f"{part} = {form} ; " for part, form in steps)
        shown = self.shown
        return {
            "id": f"{one.folder.replace('/', '-')}-{one.split}-{number:06d}",
            "skill": one.folder.partition("/")[0],
            "level": one.level,
            "path": list(sentence.words),
            "pattern": sentence.pattern,
            "hops": len(sentence.words),
            "entities": [sentence.text, *(form for _, form in steps), sentence.form],
            "question": sentence.text,
            "context": self._context(sentence) if one.opened else "",
            "chain": f"{trace}{ANSWER}{sentence.form}",
            "answer": sentence.form,
            "answer_kind": KIND,
            "path_in_train": (sentence.pattern, sentence.words) in shown.paths,
            "unseen_primitives": shown.unseen_words(sentence),
            "pairs_unseen": len(shown.unseen_uses(sentence)),
            "hops_beyond_train": max(len(sentence.words) - shown.most_words, 0),
            "portion": one.portions[number] if one.portions else 0,
            "generalisation": sentence.kind,
            "nesting": sentence.nesting,
            "nesting_beyond_train": max(sentence.nesting - shown.nesting, 0),
        }

    def _context(self, sentence: Sentence) -> str:
        """The notation, then a line for each word of the sentence in the order of the alphabet."""
        lines = set()
        for word in sentence.words:
            for key in (f"True {word}", f"False {word}"):
                if key in self.lines:
                    lines.add(self.lines[key])
        return "\n".join([*NOTATION, *sorted(lines)])


_NOUNS = ("names", "animate", "inanimate")


def steps_of_sentence(sentence: Sentence) -> list[tuple[str, str]]:
    """The steps of a trace: a part of the sentence with its place, and its logical form."""
    if sentence.pattern == "alone":
        return [] if sentence.form == sentence.text else [(sentence.text, sentence.form)]
    return [(f"{variable(part.position)} {part.text}", part.form()) for part in sentence.parts]
