"""The splits of SCAN: which commands are trained and which are tested.

| split | trained | tested | source |
|---|---|---|---|
| simple | 16,728 | 4,182 | Lake & Baroni 2018; drawn, so the commands are not the published ones |
| length | 16,990 | 3,920 | trained to 22 actions, tested from 24 |
| addprim_jump | 14,670 | 7,706 | "jump" alone, 1,467 times, and no other command with it |
| addprim_turn_left | 21,890 | 1,208 | "turn left" alone, 2,189 times |
| around_right | 15,225 | 4,476 | Loula et al. 2018; "turn around right" is in neither |
| opposite_right, primitive_right | 15,225 | 4,476 | Loula et al. 2018 |
| jump_around_right | 18,528 | 1,173 | Loula et al. 2018 |

All but `simple` are functions of the grammar, and equal the published files command by command (a
test holds digests of those).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bioreason_bench.draw import Draw
from bioreason_bench.families.scan.grammar import Command, Phrase

__all__ = ["SPLITS", "Split", "make_split"]

SIMPLE_TRAIN = 16_728
LONGEST_TRAINED = 22  # actions
TENTH = 9  # a new primitive is a tenth of the training commands: one for each nine others


@dataclass(frozen=True)
class Split:
    """Positions of commands in the list that was split; `train` may hold one several times."""

    train: Sequence[int]
    test: Sequence[int]


def make_split(name: str, commands: Sequence[Command], draw: Draw) -> Split:
    """The split of all commands called `name`, one of SPLITS.

    Args:
        name: The split.
        commands: Every command of the grammar.
        draw: Decides the commands of `simple`, and nothing else.
    """
    return SPLITS[name](commands, draw)


def _simple(commands: Sequence[Command], draw: Draw) -> Split:
    order = draw.at("simple").permutation(len(commands)).tolist()
    return Split(sorted(order[:SIMPLE_TRAIN]), sorted(order[SIMPLE_TRAIN:]))


def _length(commands: Sequence[Command], draw: Draw) -> Split:  # noqa: ARG001
    return _divide(commands, lambda command: len(command.actions()) <= LONGEST_TRAINED)


def _new_primitive(verb: str, direction: str = "") -> Callable[[Sequence[Command], Draw], Split]:
    """A phrase that training knows alone only."""
    alone = Command(Phrase(verb, "", direction))

    def split(commands: Sequence[Command], draw: Draw) -> Split:  # noqa: ARG001
        rest = _divide(
            commands,
            lambda command: all(
                phrase.verb != verb or (direction != "" and not _is_plain(phrase, direction))
                for phrase in command.phrases()
            ),
        )
        here = commands.index(alone)
        copies = len(rest.train) // TENTH
        return Split(
            [*rest.train, *[here] * copies], [index for index in rest.test if index != here]
        )

    return split


def _is_plain(phrase: Phrase, direction: str) -> bool:
    return phrase.manner == "" and phrase.direction == direction


def _template(manner: str, *verbs: str) -> Callable[[Sequence[Command], Draw], Split]:
    """A manner with "right" that no training command has with these verbs.

    Commands that have it with "turn" are in neither set, as in the published files.
    """

    def has(phrase: Phrase) -> bool:
        return phrase.manner == manner and phrase.direction == "right"

    def split(commands: Sequence[Command], draw: Draw) -> Split:  # noqa: ARG001
        used = [
            index
            for index, command in enumerate(commands)
            if not any(has(phrase) and phrase.verb == "turn" for phrase in command.phrases())
        ]
        tested = {
            index
            for index in used
            if any(has(phrase) and phrase.verb in verbs for phrase in commands[index].phrases())
        }
        return Split([index for index in used if index not in tested], sorted(tested))

    return split


def _divide(commands: Sequence[Command], trained: Callable[[Command], bool]) -> Split:
    train: list[int] = []
    test: list[int] = []
    for index, command in enumerate(commands):
        (train if trained(command) else test).append(index)
    return Split(train, test)


SPLITS: dict[str, Callable[[Sequence[Command], Draw], Split]] = {
    "simple": _simple,
    "length": _length,
    "addprim_jump": _new_primitive("jump"),
    "addprim_turn_left": _new_primitive("turn", "left"),
    "around_right": _template("around", "walk", "look", "run", "jump"),
    "opposite_right": _template("opposite", "walk", "look", "run", "jump"),
    "primitive_right": _template("", "walk", "look", "run", "jump"),
    "jump_around_right": _template("around", "jump"),
}
