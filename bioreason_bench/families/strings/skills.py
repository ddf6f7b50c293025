"""The skills: what is done to a string, as a function and in words.

A string has 1 to LONGEST letters of ALPHABET.  Every skill is total: it takes every such string to
another one.  What would be longer is cut after its first LONGEST letters.

Names are drawn for each release, so that no model can know them from elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bioreason_bench.draw import Draw
from bioreason_bench.errors import UsageError, quoted

__all__ = ["ALPHABET", "KEEP", "LONGEST", "SKILLS", "Skill", "draw_names", "own_skill"]

ALPHABET = "abcdefghijkl"
VOWELS = "aei"
LONGEST = 16
KEEP = "keep"  # the skill that changes nothing; only in isolated routings

Function = Callable[[str], str]


@dataclass(frozen=True)
class Skill:
    """One skill: a function, and its definition as contexts state it."""

    function: Function
    words: str


def _map(target: str) -> Function:
    table = str.maketrans(ALPHABET, target)
    return lambda s: s.translate(table)


def _shifted(by: int) -> Function:
    return _map(ALPHABET[by:] + ALPHABET[:by])


def _swap_ends(s: str) -> str:
    return s[-1] + s[1:-1] + s[0] if len(s) > 1 else s


def _swap_pairs(s: str) -> str:
    paired = "".join([s[i + 1] + s[i] for i in range(0, len(s) - 1, 2)])
    return paired + s[-1] if len(s) % 2 else paired


def _vowels_first(s: str) -> str:
    return "".join([c for c in s if c in VOWELS] + [c for c in s if c not in VOWELS])


def _interleave(s: str) -> str:
    half = (len(s) + 1) // 2
    mixed = [c for pair in zip(s[:half], s[half:], strict=False) for c in pair]
    return "".join(mixed) + (s[half - 1] if len(s) % 2 else "")


SKILLS = (
    Skill(lambda s: s[::-1], "the letters in reverse order"),
    Skill(lambda s: s[1:] + s[0], "the first letter is moved to the end"),
    Skill(lambda s: s[-1] + s[:-1], "the last letter is moved to the front"),
    Skill(lambda s: "".join([c + c for c in s]), "every letter is written twice"),
    Skill(lambda s: s + s, "the string is written twice"),
    Skill(lambda s: s + s[::-1], "the string is followed by its letters in reverse order"),
    Skill(lambda s: s[1:] or s, "the first letter is left out, unless it is the only one"),
    Skill(lambda s: s[:-1] or s, "the last letter is left out, unless it is the only one"),
    Skill(lambda s: s[::2], "only the letters at odd places are kept"),
    Skill(
        lambda s: s[1::2] or s, "only the letters at even places are kept, of one letter that one"
    ),
    Skill(lambda s: "".join(sorted(s)), "the letters in the order of the alphabet"),
    Skill(
        lambda s: "".join(sorted(s, reverse=True)),
        "the letters in the reverse order of the alphabet",
    ),
    Skill(_shifted(1), "every letter becomes the next one, and l becomes a"),
    Skill(_shifted(-1), "every letter becomes the one before, and a becomes l"),
    Skill(_shifted(5), "every letter becomes the fifth after it, with a following l"),
    Skill(_map("ebcdifghajkl"), "a becomes e, e becomes i, and i becomes a"),
    Skill(_swap_ends, "the first and the last letter change places"),
    Skill(_swap_pairs, "the letters change places in pairs, from the front"),
    Skill(lambda s: "".join(dict.fromkeys(s)), "of equal letters only the first is kept"),
    Skill(_vowels_first, "the letters a, e and i come first, then the others, each in their order"),
    Skill(
        _interleave,
        "the letters of the first half and of the second half are taken in turns",
    ),
    Skill(_map(ALPHABET[::-1]), "a and l, b and k, c and j, d and i, e and h, f and g are swapped"),
    Skill(lambda s: s + s[0], "the first letter is added at the end"),
    Skill(
        lambda s: "".join([c + c if c in VOWELS else c for c in s]),
        "the letters a, e and i are written twice",
    ),
)


def own_skill(target: str) -> Skill:
    """The skill that takes the letters of ALPHABET to those of `target`, one by one.

    Raises:
        UsageError: It does not say what becomes of every letter.
    """
    if len(target) != len(ALPHABET) or not set(target) <= set(ALPHABET):
        raise UsageError(
            f"the map {quoted(target)} is not total: it must have {len(ALPHABET)} letters from "
            f"{ALPHABET[0]} to {ALPHABET[-1]}, what a becomes, then what b becomes, and so on"
        )
    pairs = [f"{old} becomes {new}" for old, new in zip(ALPHABET, target, strict=True)]
    return Skill(_map(target), ", ".join(pairs))


def draw_names(number: int, draw: Draw) -> Sequence[str]:
    """Different words without meaning, such as zalob."""
    starts, vowels, middles, ends = "zvxq", "aeou", "bdfgkmnprst", "bkpvz"
    words = [
        first + one + middle + two + last
        for first in starts
        for one in vowels
        for middle in middles
        for two in vowels
        for last in ends
    ]
    return [words[index] for index in draw.permutation(len(words))[:number].tolist()]
