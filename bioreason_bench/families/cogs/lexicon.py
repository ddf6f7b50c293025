"""The words of cogs: their classes, and how each is written.

A *word* is a lemma, which stands in logical forms.  With vocabulary "renamed" all names, nouns and
verbs are invented words; articles, prepositions and other small words stay English.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bioreason_bench.draw import Draw
from bioreason_bench.families.words import invented_words

__all__ = ["CLASSES", "VERBS", "Lexicon", "make_lexicon"]

NOUNS = ("animate", "inanimate")
VERBS = (
    *("unergative", "unaccusative", "omissible", "transitive", "dative"),
    *("clausal", "infinitival"),
)
CLASSES = ("names", *NOUNS, *VERBS)


@dataclass(frozen=True)
class Lexicon:
    """Words by class.

    Attributes:
        classes: Class → its words; no word is in two, but for verbs and nouns of one spelling.
        past: Verb → its past tense, which is its participle too.
        prepositions: The prepositions that modify nouns.
    """

    classes: Mapping[str, Sequence[str]]
    past: Mapping[str, str]
    prepositions: Sequence[str]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values: what is needed to read sentences."""
        return {
            **{name: list(words) for name, words in self.classes.items()},
            "past": dict(self.past),
            "prepositions": list(self.prepositions),
        }


def make_lexicon(vocabulary: str, draw: Draw) -> Lexicon:
    """The words of a vocabulary.

    Args:
        vocabulary: "english", or "renamed" for invented ones.
        draw: Decides the invented ones.
    """
    table = _table()
    classes = {name: table[name].split() for name in CLASSES}
    past = {verb: table["past"].get(verb, _past(verb)) for name in VERBS for verb in classes[name]}
    if vocabulary == "renamed":
        words = iter(invented_words(draw.at("lexicon"), sum(map(len, classes.values())), 2))
        classes = {name: [next(words) for _ in listed] for name, listed in classes.items()}
        classes["names"] = [word.capitalize() for word in classes["names"]]
        past = {verb: f"{verb}ed" for name in VERBS for verb in classes[name]}
    return Lexicon(classes, past, table["prepositions"])


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("lexicon.toml").read_text(encoding="utf-8"))


def _past(verb: str) -> str:
    return f"{verb}d" if verb.endswith("e") else f"{verb}ed"
