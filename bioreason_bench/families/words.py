"""Invented words by seed, so that a family can be asked in a vocabulary that nobody has read.

>>> invented_words(Draw(1), 3)
['bizak', 'zidruk', 'blizox']
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import count

from bioreason_bench.draw import Draw

__all__ = ["invented_words"]

ONSETS = ("b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "bl", "dr", "kr")
VOWELS = ("a", "e", "i", "o", "u")
CODAS = ("", "l", "m", "n", "p", "r", "k", "x")
# English words of such a form that are common enough to have a meaning of their own
ENGLISH = (
    "banana bazaar belong below bikini demon denim domain gala label lemon limit logo lunar mama "
    "mega menu mimic mini model modem moral motel motor nasal natal nova novel papa polo polar "
    "pupil radar rapid relax robot rolex rumor salad salon samurai sofa solar soda tabu tomato "
    "tumor vanilla vital vocal zebra"
)


def invented_words(
    draw: Draw, number: int, syllables: int = 2, taken: Collection[str] = ()
) -> list[str]:
    """Different pronounceable words, none of them English or taken.

    Args:
        draw: Decides the words.
        number: How many.
        syllables: Of each word; the last one may end in a consonant.
        taken: Words that must not be among them.
    """
    words: list[str] = []
    used = {*taken, *ENGLISH.split()}
    for index in count():
        if len(words) == number:
            return words
        drawn = iter(draw.at("word", index).uniform(2 * syllables + 1).tolist())
        word = ""
        for _ in range(syllables):
            word += ONSETS[int(next(drawn) * len(ONSETS))] + VOWELS[int(next(drawn) * len(VOWELS))]
        word += CODAS[int(next(drawn) * len(CODAS))]
        if word not in used:
            used.add(word)
            words.append(word)
    raise AssertionError("there is no end to words")
