"""Solvers that take a shortcut, each scored on every test of a release.

| solver | answers with |
|---|---|
| nearest | the actions of the training command with the most words in the same places |
| prefix | the actions of the training command that shares the longest beginning |
| bag | the action of each word that has one, in the order of the command |
| last_part | the actions of the part after "and" or "after" |
| swap | the actions of a training command with other verbs, each verb's action put in; knows them |
| interpreter | the actions that the grammar gives; no shortcut |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations

import numpy as np

from bioreason_bench.families.checks import longest_beginning
from bioreason_bench.families.scan.audit.interpreter import interpret

__all__ = ["BLIND", "SHORTCUTS", "SOLVERS", "solve"]

SOLVERS = {
    "nearest": "answers like the training command with the most words in the same places",
    "prefix": "answers like the training command that shares the longest beginning",
    "bag": "writes the action of each word that has one, in the order of the command",
    "last_part": "answers the last part of the command only",
    "swap": "puts the actions of the verbs into the answer of a training command with other verbs",
    "interpreter": "applies the grammar; no shortcut",
}
SHORTCUTS = tuple(SOLVERS)[:-1]
BLIND = ("nearest", "prefix", "bag", "last_part")  # that must not succeed
VERBS = ("walk", "look", "run", "jump")
ACTS = ("walk", "look", "run", "jump", "left", "right")  # the words that have an action
SLOTS = 9  # words of the longest command


def solve(
    train: Mapping[str, str], tests: Sequence[str], answers: Sequence[str]
) -> dict[str, list[bool]]:
    """Whether each solver answers each test command.

    Args:
        train: Training command -> actions, in published words.
        tests: Test commands.
        answers: Their actions.
    """
    given = {
        "nearest": _nearest(train, tests),
        "prefix": longest_beginning(train, tests),
        "bag": [_bag(text) for text in tests],
        "last_part": [_last_part(text) for text in tests],
        "swap": [_swap(train, text) for text in tests],
        "interpreter": [" ".join(interpret(text.split(), {})) for text in tests],
    }
    return {
        name: [one == right for one, right in zip(texts, answers, strict=True)]
        for name, texts in given.items()
    }


def _nearest(train: Mapping[str, str], tests: Sequence[str]) -> list[str]:
    """Words are compared by their place in their part, so that "and" need not stand alike."""
    known = list(train)
    numbers: dict[tuple[int, str], int] = {}
    for text in (*known, *tests):
        for item in _places(text):
            numbers.setdefault(item, len(numbers))
    trained = np.zeros((len(known), len(numbers)), np.float32)
    for row, text in enumerate(known):
        trained[row, [numbers[item] for item in _places(text)]] = 1
    sizes = trained.sum(axis=1)
    found = []
    for begin in range(0, len(tests), 500):
        some = tests[begin : begin + 500]
        asked = np.zeros((len(some), len(numbers)), np.float32)
        for row, text in enumerate(some):
            asked[row, [numbers[item] for item in _places(text)]] = 1
        shared = asked @ trained.T
        distance = sizes[None, :] + asked.sum(axis=1)[:, None] - 2 * shared
        found += [train[known[index]] for index in distance.argmin(axis=1).tolist()]
    return found


def _places(text: str) -> list[tuple[int, str]]:
    part, items = 0, []
    for word in text.split():
        part += word in ("and", "after")
        items.append((part, word))
    return items


def _bag(text: str) -> str:
    words = [word for word in text.split() if word in ACTS]
    turn = {"left": "TURN_LEFT", "right": "TURN_RIGHT"}
    return " ".join(f"I_{turn.get(word, word.upper())}" for word in words)


def _swap(train: Mapping[str, str], text: str) -> str:
    """The first training command that differs in verbs only lends its answer."""
    words = text.split()
    verbs = [word for word in dict.fromkeys(words) if word in VERBS]
    for others in permutations(VERBS, len(verbs)):
        put = dict(zip(verbs, others, strict=True))
        like = " ".join(put.get(word, word) for word in words)
        if like in train:
            back = {f"I_{other.upper()}": f"I_{verb.upper()}" for verb, other in put.items()}
            return " ".join(back.get(action, action) for action in train[like].split())
    return ""


def _last_part(text: str) -> str:
    words = text.split()
    for joint in ("and", "after"):
        if joint in words:
            words = words[words.index(joint) + 1 :]
    return " ".join(interpret(words, {}))
