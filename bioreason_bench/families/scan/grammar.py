"""The grammar of SCAN (Lake & Baroni, ICML 2018, arXiv 1711.00350): commands and their actions.

    C → S and S | S after S | S          102 phrases, 20,910 commands
    S → V twice | V thrice | V           34 of them without a number
    V → U | U D | U opposite D | U around D | turn D | turn opposite D | turn around D
    U → walk | look | run | jump         D → left | right

    >>> command = Command(Phrase("jump", "", "left", "twice"), "after", Phrase("walk"))
    >>> command.words()
    ['jump', 'left', 'twice', 'after', 'walk']
    >>> command.actions()
    ('I_WALK', 'I_TURN_LEFT', 'I_JUMP', 'I_TURN_LEFT', 'I_JUMP')

The audit has an interpreter of its own (`families/scan/audit/interpreter.py`) that shares no code
with this module.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import NamedTuple

__all__ = [
    "ACTIONS",
    "WORDS",
    "Actions",
    "Command",
    "Phrase",
    "Step",
    "all_commands",
    "all_phrases",
]

Actions = tuple[str, ...]

VERBS = ("walk", "look", "run", "jump")
TURN = "turn"  # has no action but its direction
MANNERS = ("", "opposite", "around")
DIRECTIONS = ("left", "right")
TIMES = {"": 1, "twice": 2, "thrice": 3}
JOINTS = ("and", "after")
ROUND = 4  # a full circle is four quarter turns

WORDS = (*VERBS, TURN, *DIRECTIONS, *MANNERS[1:], *list(TIMES)[1:], *JOINTS)
ACTIONS = {
    **{verb: f"I_{verb.upper()}" for verb in VERBS},
    **{direction: f"I_TURN_{direction.upper()}" for direction in DIRECTIONS},
}


class Step(NamedTuple):
    """A part of a command and the actions that it stands for."""

    part: tuple[str, ...]  # words
    actions: Actions
    rule: str  # the word that was applied last: a verb, "left", "around left", "twice", "and"


@dataclass(frozen=True, slots=True)
class Phrase:
    """A command without "and" or "after"; an absent part is the empty text."""

    verb: str
    manner: str = ""
    direction: str = ""
    times: str = ""

    def words(self) -> list[str]:
        return [word for word in (self.verb, self.manner, self.direction, self.times) if word]

    def steps(self) -> tuple[Step, ...]:
        """The meaning of each part, from the verb outwards; the last step is the whole phrase."""
        return _steps(self)

    def actions(self) -> Actions:
        return _steps(self)[-1].actions


@cache
def _steps(phrase: Phrase) -> tuple[Step, ...]:
    steps = []
    base: Actions = ()
    if phrase.verb != TURN:
        base = (ACTIONS[phrase.verb],)
        steps.append(Step((phrase.verb,), base, phrase.verb))
    if phrase.direction:
        turn = ACTIONS[phrase.direction]
        directed = {
            "": (turn, *base),
            "opposite": (turn, turn, *base),
            "around": (turn, *base) * ROUND,
        }
        base = directed[phrase.manner]
        rule = " ".join(word for word in (phrase.manner, phrase.direction) if word)
        part = [word for word in (phrase.verb, phrase.manner, phrase.direction) if word]
        steps.append(Step(tuple(part), base, rule))
    if phrase.times:
        steps.append(Step(tuple(phrase.words()), base * TIMES[phrase.times], phrase.times))
    return tuple(steps)


@dataclass(frozen=True, slots=True)
class Command:
    """One phrase, or two that are joined by "and" or "after"."""

    first: Phrase
    joint: str = ""
    second: Phrase | None = None

    def phrases(self) -> tuple[Phrase, ...]:
        return (self.first,) if self.second is None else (self.first, self.second)

    def words(self) -> list[str]:
        if self.second is None:
            return self.first.words()
        return [*self.first.words(), self.joint, *self.second.words()]

    def steps(self) -> list[Step]:
        """The meaning of each part, in the order of execution; the last is the whole command.

        A phrase that stands twice in the command is worked out once.
        """
        if self.second is None:
            return list(self.first.steps())
        order = (self.second, self.first) if self.joint == "after" else (self.first, self.second)
        steps = list(dict.fromkeys(step for phrase in order for step in phrase.steps()))
        actions = order[0].actions() + order[1].actions()
        return [*steps, Step(tuple(self.words()), actions, self.joint)]

    def actions(self) -> Actions:
        return self.steps()[-1].actions


def all_phrases() -> list[Phrase]:
    """The 102 phrases."""
    simple = [Phrase(verb) for verb in VERBS]
    directed = [
        Phrase(verb, manner, direction)
        for verb, manner, direction in product((*VERBS, TURN), MANNERS, DIRECTIONS)
    ]
    return [
        Phrase(phrase.verb, phrase.manner, phrase.direction, times)
        for phrase in (*simple, *directed)
        for times in TIMES
    ]


def all_commands() -> Iterator[Command]:
    """The 20,910 commands, each once, always in the same order."""
    phrases = all_phrases()
    for phrase in phrases:
        yield Command(phrase)
    for first, joint, second in product(phrases, JOINTS, phrases):
        yield Command(first, joint, second)
