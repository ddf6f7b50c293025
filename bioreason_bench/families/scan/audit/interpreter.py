"""An interpreter of SCAN commands for the audit; it shares no code with the generator.

It works on the text alone: it rewrites a command from the end with the table of the interpretation
function in the paper's appendix, where the generator builds commands from a grammar.

    >>> interpret("jump opposite left after walk around right twice".split(), {})[:3]
    ['I_TURN_RIGHT', 'I_WALK', 'I_TURN_RIGHT']
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["NotACommand", "Reading", "interpret", "read"]


class NotACommand(ValueError):
    """Words that the grammar of SCAN does not derive."""


def interpret(words: Sequence[str], published: Mapping[str, str]) -> list[str]:
    """The actions of a command, under their published names.

    Args:
        words: The command.
        published: From the words of a renamed vocabulary to those of SCAN; without an entry a
            word stands for itself.

    Raises:
        NotACommand: The words are no command.
    """
    return _command([published.get(word, word) for word in words])


def _command(words: list[str]) -> list[str]:
    joints = [index for index, word in enumerate(words) if word in ("and", "after")]
    if len(joints) > 1:
        raise NotACommand(" ".join(words))
    if not joints:
        return _phrase(words)
    left, right = _phrase(words[: joints[0]]), _phrase(words[joints[0] + 1 :])
    return left + right if words[joints[0]] == "and" else right + left


def _phrase(words: list[str]) -> list[str]:
    match words:
        case [*rest, "twice"] if rest and rest[-1] not in ("twice", "thrice"):
            once = _phrase(rest)
            return [*once, *once]
        case [*rest, "thrice"] if rest and rest[-1] not in ("twice", "thrice"):
            once = _phrase(rest)
            return [*once, *once, *once]
        case ["turn", "left" | "right" as side]:
            return [f"I_TURN_{side.upper()}"]
        case ["turn", "opposite", side]:
            return _phrase(["turn", side]) + _phrase(["turn", side])
        case ["turn", "around", side]:
            return _phrase(["turn", "opposite", side]) + _phrase(["turn", "opposite", side])
        case [verb, "left" | "right" as side]:
            return _phrase(["turn", side]) + _phrase([verb])
        case [verb, "opposite", side]:
            return _phrase(["turn", "opposite", side]) + _phrase([verb])
        case [verb, "around", side]:
            quarter = _phrase(["turn", side]) + _phrase([verb])
            return [*quarter, *quarter, *quarter, *quarter]
        case ["walk" | "look" | "run" | "jump" as verb]:
            return [f"I_{verb.upper()}"]
    raise NotACommand(" ".join(words))


@dataclass(frozen=True)
class Reading:
    """What the words of a command say, apart from its actions.

    Attributes:
        primitives: Verbs, manners, directions, numbers and joints in their order; "turn left" and
            "turn right" are one.
        pairs: (manner, direction) and (verb, manner and direction), in any order.
        joint: "and", "after" or "single".
        rules: The grammar's rules that derive it, one entry for each use.
    """

    primitives: tuple[str, ...]
    pairs: frozenset[tuple[str, str]]
    joint: str
    rules: tuple[str, ...]


def read(words: Sequence[str]) -> Reading:
    """What a command says, in published words.

    The words must be a command: call `interpret` before.
    """
    text = " ".join(words)
    joint = next((word for word in ("and", "after") if f" {word} " in text), "single")
    pairs: set[tuple[str, str]] = set()
    rules = [joint]
    for phrase in text.split(f" {joint} "):
        tokens = set(phrase.split())
        verb = phrase.split(" ", 1)[0]
        manner = "".join(tokens & {"opposite", "around"})
        direction = "".join(tokens & {"left", "right"})
        number = "".join(tokens & {"twice", "thrice"}) or "once"
        if direction:
            pairs |= {(manner, direction), (verb, f"{manner} {direction}")}
        shape = f"{'turn' if verb == 'turn' else 'verb'} {manner}{' way' if direction else ''}"
        rules += [number, shape, direction, "" if verb == "turn" else verb]
    merged = text.replace("turn left", "turn_left").replace("turn right", "turn_right")
    names = [name.replace("_", " ") for name in merged.split()]
    return Reading(tuple(names), frozenset(pairs), joint, tuple(rule for rule in rules if rule))
