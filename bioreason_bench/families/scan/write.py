"""Commands and traces as text, and the files of a release.

    jump left twice
    jump left = I_TURN_LEFT I_JUMP . jump left twice = I_TURN_LEFT I_JUMP I_TURN_LEFT I_JUMP .
    So, the answer is: I_TURN_LEFT I_JUMP I_TURN_LEFT I_JUMP

A step that is one primitive is left out unless it is all there is: its right side stands in the
definitions, so that a reward for it would pay for copying.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from bioreason_bench.draw import Draw
from bioreason_bench.families.parts import Part, PartDataset
from bioreason_bench.families.scan.grammar import Command, Step, all_commands
from bioreason_bench.families.scan.levels import (
    SUPPORTS,
    Shown,
    certify,
    make_levels,
    primitives,
    shown_in,
)
from bioreason_bench.families.scan.mcd import make_mcd, parts_of
from bioreason_bench.families.scan.settings import LEVEL_OF, LEVELS, ScanSettings
from bioreason_bench.families.scan.splits import make_split
from bioreason_bench.families.scan.vocabulary import Vocabulary, make_vocabulary
from bioreason_bench.language.answer import ANSWER
from bioreason_bench.questions.sets import Columns
from bioreason_bench.schema import columns

__all__ = ["SCHEMA", "make_dataset", "trace_steps"]

SCHEMA = "scan"
KIND = "actions"  # of every answer
PORTIONS = 10


@dataclass(frozen=True)
class CommandSet:
    """One split of one folder.

    Attributes:
        folder: The folder below data/.
        split: The split.
        level: The column `level`.
        commands: The commands.
        shown: What the training set of the folder shows.
        context: The definitions; "" if they are to be known.
        portions: The portion of each command; none but in training.
    """

    folder: str
    split: str
    level: str
    commands: Sequence[Command]
    shown: Shown
    context: str
    portions: Sequence[int] = ()


def make_dataset(settings: ScanSettings) -> PartDataset:
    """Every file of a release of commands."""
    draw = Draw(settings.seed).at("scan")
    vocabulary = make_vocabulary(settings.vocabulary, draw.at("vocabulary"))
    commands = list(all_commands())
    sets = list(_level_sets(settings, commands, vocabulary, draw))
    head: dict[str, Any] = {"definitions": vocabulary.as_dict()}
    splits = {name: make_split(name, commands, draw.at(name)) for name in settings.splits}
    if settings.mcd:
        parts = parts_of(commands)
        head["divergences"] = {}
        for number in range(1, settings.mcd + 1):
            split, found = make_mcd(parts, draw.at("mcd", number))
            splits[f"mcd{number}"] = split
            head["divergences"][f"mcd{number}"] = {"atom": found.atom, "compound": found.compound}
    context = vocabulary.definitions if settings.definitions == "read" else ""
    for name, split in splits.items():
        folder = f"scan_{name}"
        train = [commands[index] for index in split.train]
        test = [commands[index] for index in split.test]
        level = LEVEL_OF.get(name, "composition")
        shown = shown_in(train)
        portions = _portions(len(train), draw.at("portions", folder))
        sets.append(CommandSet(folder, "train", "train", train, shown, context, portions))
        sets.append(CommandSet(f"{folder}/{level}", "test", level, test, shown, context))
    return PartDataset([_part(one, vocabulary) for one in sets if one.commands], head)


def _level_sets(
    settings: ScanSettings, commands: Sequence[Command], vocabulary: Vocabulary, draw: Draw
) -> Iterator[CommandSet]:
    """The training set with a test of each level, and the sets for reinforcement learning."""
    found = make_levels(settings, commands, draw)
    read = vocabulary.definitions
    context = read if settings.definitions == "read" else ""
    train = [commands[index] for index in found.train]
    shown = shown_in(train)
    portions = _portions(len(train), draw.at("portions", "scan"))
    yield CommandSet("scan", "train", "train", train, shown, context, portions)
    for support in SUPPORTS:
        rows = [commands[index] for index in found.rl[support]]
        yield CommandSet(f"scan_rl_{support}", "train", "train", rows, shown, context)
    for level in LEVELS:
        for split in ("validation", "test"):
            rows = [commands[index] for index in found.tests[level, split]]
            yield CommandSet(f"scan/{level}", split, level, rows, shown, context)
            if settings.open_book and settings.definitions == "recalled":
                yield CommandSet(f"scan/{level}_openbook", split, level, rows, shown, read)


def _portions(rows: int, draw: Draw) -> list[int]:
    order = draw.permutation(rows)
    portions = np.empty(rows, np.int64)
    portions[order] = 1 + np.arange(rows) * PORTIONS // max(rows, 1)
    return [int(portion) for portion in portions]


def _part(one: CommandSet, vocabulary: Vocabulary) -> Part:
    return Part(one.folder, one.split, SCHEMA, len(one.commands), partial(_rows, one, vocabulary))


@cache
def _texts(command: Command, vocabulary: Vocabulary) -> dict[str, Any]:
    """The columns of a command that do not depend on its set; a command is in several."""
    steps = trace_steps(command)
    parts = [vocabulary.write(step.part) for step in steps]
    results = [vocabulary.act(step.actions) for step in steps]
    trace = "".join(f"{part} = {result} . " for part, result in zip(parts, results, strict=True))
    names = primitives(command)
    question = vocabulary.write(command.words())
    return {
        "path": [vocabulary.write(name.split()) for name in names],
        "pattern": command.joint or "single",
        "hops": len(names),
        "entities": [question, *results],
        "question": question,
        "chain": f"{trace}{ANSWER}{results[-1]}",
        "answer": results[-1],
        "answer_kind": KIND,
        "length": len(command.actions()),
    }


def _rows(one: CommandSet, vocabulary: Vocabulary, first: int, last: int) -> Columns:
    rows = [_row(one, vocabulary, number) for number in range(first, last)]
    return {name: [row[name] for row in rows] for name in columns(SCHEMA)}


def _row(one: CommandSet, vocabulary: Vocabulary, number: int) -> dict[str, Any]:
    command = one.commands[number]
    certificate = certify(command, one.shown)
    return {
        **_texts(command, vocabulary),
        "id": f"{one.folder.replace('/', '-')}-{one.split}-{number:06d}",
        "skill": one.folder.partition("/")[0],
        "level": one.level,
        "context": one.context,
        "path_in_train": certificate.path_in_train,
        "unseen_primitives": [
            vocabulary.write(name.split()) for name in certificate.unseen_primitives
        ],
        "pairs_unseen": certificate.pairs_unseen,
        "hops_beyond_train": certificate.hops_beyond_train,
        "portion": one.portions[number] if one.portions else 0,
        "length_beyond_train": certificate.length_beyond_train,
    }


def trace_steps(command: Command) -> list[Step]:
    """The steps that a trace writes: the last one, and those of more than one primitive."""
    steps = command.steps()
    return [step for step in steps[:-1] if not _is_primitive(step)] + steps[-1:]


def _is_primitive(step: Step) -> bool:
    return len(step.part) == 1 or (len(step.part) == 2 and step.part[0] == "turn")
