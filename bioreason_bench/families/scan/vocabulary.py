"""What the words and actions of SCAN are called in a release.

"published" keeps the words of the paper, which many models have read.  "renamed" invents a word for
each of the 13 words and an action for each of the 6 actions; they differ from seed to seed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bioreason_bench.draw import Draw
from bioreason_bench.families.scan.grammar import ACTIONS, WORDS
from bioreason_bench.families.words import invented_words

__all__ = ["Vocabulary", "make_vocabulary"]

NOTHING = "nothing"  # what "turn" stands for in the definitions
RULES = (  # word or words -> definition; X and Y are what a rule is applied to
    ("X left", "left X"),
    ("X right", "right X"),
    ("X opposite left", "left left X"),
    ("X opposite right", "right right X"),
    ("X around left", "left X left X left X left X"),
    ("X around right", "right X right X right X right X"),
    ("X twice", "X X"),
    ("X thrice", "X X X"),
    ("X and Y", "X Y"),
    ("X after Y", "Y X"),
)


@dataclass(frozen=True, eq=False)  # is a key of caches
class Vocabulary:
    """Names of words and actions, by their published names.

    Attributes:
        words: The word of a release for each of WORDS.
        actions: The action of a release for each published action.
    """

    words: Mapping[str, str]
    actions: Mapping[str, str]

    def write(self, words: Sequence[str]) -> str:
        return " ".join([self.words[word] for word in words])

    def act(self, actions: Sequence[str]) -> str:
        return " ".join([self.actions[action] for action in actions])

    @cached_property
    def definitions(self) -> str:
        """What every word means, one line each."""
        lines = [
            f"{self.words[word]} = {self.actions[action]}"
            for word, action in ACTIONS.items()
            if word not in ("left", "right")
        ]
        lines.append(f"{self.words['turn']} = {NOTHING}")
        lines += [f"{self._rule(left, True)} = {self._rule(right, False)}" for left, right in RULES]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values, from which `Vocabulary` can be made again."""
        return {"words": dict(self.words), "actions": dict(self.actions)}

    def _rule(self, text: str, command: bool) -> str:
        names = self.words if command else {w: self.actions[a] for w, a in ACTIONS.items()}
        return " ".join([names.get(word, word) for word in text.split()])


def make_vocabulary(name: str, draw: Draw) -> Vocabulary:
    """The vocabulary called "published" or "renamed"."""
    actions = sorted(set(ACTIONS.values()))
    if name == "published":
        return Vocabulary({word: word for word in WORDS}, {action: action for action in actions})
    words = invented_words(draw.at("words"), len(WORDS) + len(actions))
    renamed = [word.upper() for word in words[len(WORDS) :]]
    return Vocabulary(
        dict(zip(WORDS, words, strict=False)), dict(zip(actions, renamed, strict=True))
    )
