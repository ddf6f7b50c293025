"""An interpreter of string programs that shares nothing with the generator.

    interpreter = Interpreter(manifest["definitions"])
    interpreter.run("zalob vadek xogub : b a d e").answer         "e d a b"

It works on lists of letters, and knows a skill by the words of its definition alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

__all__ = ["Interpreter", "Run", "Unreadable"]

LETTERS = "abcdefghijkl"
MOST = 16  # letters of a string
Letters = list[str]


class Unreadable(ValueError):
    """A question or a definition that is none; the message says why."""


def _at(letters: Letters, *places: int) -> Letters:
    return [letters[place] for place in places if place < len(letters)]


def _distinct(letters: Letters) -> Letters:
    kept: Letters = []
    for letter in letters:
        if letter not in kept:
            kept.append(letter)
    return kept


def _moved(letters: Letters, by: int) -> Letters:
    return [LETTERS[(LETTERS.index(letter) + by) % len(LETTERS)] for letter in letters]


def _ordered(letters: Letters, sign: int) -> Letters:
    ordered: Letters = []
    for letter in LETTERS[::sign]:
        ordered += [letter] * letters.count(letter)
    return ordered


def _ends_exchanged(letters: Letters) -> Letters:
    changed = list(letters)
    changed[0], changed[-1] = changed[-1], changed[0]
    return changed


def _pairs_exchanged(letters: Letters) -> Letters:
    changed = list(letters)
    for place in range(1, len(letters), 2):
        changed[place - 1], changed[place] = letters[place], letters[place - 1]
    return changed


def _in_turns(letters: Letters) -> Letters:
    first, second = _halves(letters)
    if len(letters) == 1:
        return letters
    mixed: Letters = []
    for place, letter in enumerate(first):
        mixed += [letter, *_at(second, place)]
    return mixed


def _halves(letters: Letters) -> tuple[Letters, Letters]:
    middle = len(letters) - len(letters) // 2
    return letters[:middle], letters[middle:] or letters[:middle]


def _opposite(letters: Letters) -> Letters:
    return [LETTERS[len(LETTERS) - 1 - LETTERS.index(letter)] for letter in letters]


def _vowel(letter: str) -> bool:
    return letter in {"a", "e", "i"}


NEXT_VOWEL = {"a": "e", "e": "i", "i": "a"}
MEANINGS: dict[str, Callable[[Letters], Letters]] = {
    "the letters in reverse order": lambda w: list(reversed(w)),
    "the first letter is moved to the end": lambda w: [*w[1:], w[0]],
    "the last letter is moved to the front": lambda w: [w[-1], *w[:-1]],
    "every letter is written twice": lambda w: [c for c in w for _ in range(2)],
    "the string is written twice": lambda w: [*w, *w],
    "the string is followed by its letters in reverse order": lambda w: [*w, *reversed(w)],
    "the first letter is left out, unless it is the only one": lambda w: w[len(w) > 1 :],
    "the last letter is left out, unless it is the only one": lambda w: w[: max(1, len(w) - 1)],
    "only the letters at odd places are kept": lambda w: _at(w, *range(0, len(w), 2)),
    "only the letters at even places are kept, of one letter that one": lambda w: (
        _at(w, *range(1, len(w), 2)) if len(w) > 1 else w
    ),
    "the letters in the order of the alphabet": lambda w: _ordered(w, 1),
    "the letters in the reverse order of the alphabet": lambda w: _ordered(w, -1),
    "every letter becomes the next one, and l becomes a": lambda w: _moved(w, 1),
    "every letter becomes the one before, and a becomes l": lambda w: _moved(w, -1),
    "every letter becomes the fifth after it, with a following l": lambda w: _moved(w, 5),
    "a becomes e, e becomes i, and i becomes a": lambda w: [NEXT_VOWEL.get(c, c) for c in w],
    "the first and the last letter change places": _ends_exchanged,
    "the letters change places in pairs, from the front": _pairs_exchanged,
    "of equal letters only the first is kept": _distinct,
    "the letters a, e and i come first, then the others, each in their order": lambda w: sorted(
        w, key=lambda c: not _vowel(c)
    ),
    "the letters of the first half and of the second half are taken in turns": _in_turns,
    "a and l, b and k, c and j, d and i, e and h, f and g are swapped": _opposite,
    "the first letter is added at the end": lambda w: [*w, w[0]],
    "the letters a, e and i are written twice": lambda w: [
        c for c in w for _ in range(1 + _vowel(c))
    ],
}
BECOMES = re.compile(r"([a-l]) becomes ([a-l])")


def _meaning(words: str) -> Callable[[Letters], Letters]:
    """What a definition of a skill says; Unreadable if it says nothing for some letter."""
    if words in MEANINGS:
        return MEANINGS[words]
    parts = [BECOMES.fullmatch(part) for part in words.split(", ")]
    table = {part[1]: part[2] for part in parts if part}
    if len(table) != len(parts) or set(table) != set(LETTERS):
        raise Unreadable(f"{words!r:.80} does not say what becomes of every letter")
    return lambda w: [table[c] for c in w]


@dataclass(frozen=True)
class Run:
    """What a question asks, step by step.

    Attributes:
        routing: The name of the routing; "" for a single skill.
        skills: The names of the skills.
        letters: The number of letters of x.
        texts: The texts of x and of each result.
        trace: The sentences of the steps.
    """

    routing: str
    skills: tuple[str, ...]
    letters: int
    texts: list[str]
    trace: list[str]

    @property
    def answer(self) -> str:
        return self.texts[-1]


class _Machine:
    """The results of a program while it runs."""

    def __init__(self, x: Letters, meanings: Mapping[str, Callable[[Letters], Letters]]) -> None:
        self.meanings = meanings
        self.values: dict[str, Letters] = {"x": x}
        self.texts = [" ".join(x)]
        self.trace: list[str] = []

    def note(self, word: str, inputs: list[str], text: str) -> str:
        name = f"y{len(self.trace) + 1}"
        self.trace.append(f"{name} = {word} {' '.join(inputs)} = {text} .")
        self.texts.append(text)
        return name

    def put(self, word: str, inputs: list[str], value: Letters) -> str:
        name = self.note(word, inputs, " ".join(value))
        self.values[name] = value
        return name

    def apply(self, skills: tuple[str, ...], to: str) -> str:
        for skill in skills:
            to = self.put(skill, [to], self.meanings[skill](self.values[to])[:MOST])
        return to

    def join(self, one: str, two: str) -> str:
        return self.put("join", [one, two], (self.values[one] + self.values[two])[:MOST])

    def longer(self, one: str, two: str) -> str:
        first, second = self.values[one], self.values[two]
        return self.put("longer", [one, two], first if len(first) >= len(second) else second)

    def halves(self, of: str) -> tuple[str, str]:
        left, right = _halves(self.values[of])
        return self.put("left", [of], left), self.put("right", [of], right)


def _two(skills: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    middle = len(skills) - len(skills) // 2
    return skills[:middle], skills[middle:]


def _one_after_another(m: _Machine, skills: tuple[str, ...]) -> None:
    m.apply(skills, "x")


def _with_x(m: _Machine, skills: tuple[str, ...]) -> None:
    m.join(m.apply(skills, "x"), "x")


def _with_first(m: _Machine, skills: tuple[str, ...]) -> None:
    first = m.apply(skills[:1], "x")
    m.join(m.apply(skills[1:], first), first)


def _both_joined(m: _Machine, skills: tuple[str, ...]) -> None:
    one, two = _two(skills)
    m.join(m.apply(one, "x"), m.apply(two, "x"))


def _both_compared(m: _Machine, skills: tuple[str, ...]) -> None:
    one, two = _two(skills)
    m.longer(m.apply(one, "x"), m.apply(two, "x"))


def _last_twice(m: _Machine, skills: tuple[str, ...]) -> None:
    m.apply((*skills, skills[-1]), "x")


def _last_to_halves(m: _Machine, skills: tuple[str, ...]) -> None:
    left, right = m.halves(m.apply(skills[:-1], "x"))
    m.join(m.apply(skills[-1:], left), m.apply(skills[-1:], right))


def _halves_swapped(m: _Machine, skills: tuple[str, ...]) -> None:
    (left, right), (one, two) = m.halves("x"), _two(skills)
    first = m.apply(one, left)
    m.join(m.apply(two, right), first)


def _by_first_letter(m: _Machine, skills: tuple[str, ...]) -> None:
    yes = _vowel(m.values["x"][0])
    m.note("vowel", ["x"], "yes" if yes else "no")
    m.apply(_two(skills)[not yes], "x")


def _inside(m: _Machine, skills: tuple[str, ...]) -> None:
    one, two = _two(skills)
    m.apply(two, m.join(m.apply(one, "x"), "x"))


ROUTES: dict[str, Callable[[_Machine, tuple[str, ...]], None]] = {
    "the skills are applied one after another": _one_after_another,
    "the skills are applied one after another, and the result is joined with x": _with_x,
    "the skills are applied one after another, and the result is joined with that of the first "
    "skill": _with_first,
    "the first half of the skills is applied to x, then the second half to x, and the two results "
    "are joined": _both_joined,
    "the first half of the skills is applied to x, then the second half to x, and the longer "
    "result is taken": _both_compared,
    "the skills are applied one after another, the last one twice": _last_twice,
    "all skills but the last are applied one after another, the last one to the left and to the "
    "right half of the result, and the two results are joined": _last_to_halves,
    "the first half of the skills is applied to the left half of x, the second half to the right "
    "half, and the second result is joined with the first": _halves_swapped,
    "the first half of the skills is applied if x begins with a vowel, else the second half": (
        _by_first_letter
    ),
    "the first half of the skills is applied to x, the result is joined with x, and the second "
    "half is applied to that": _inside,
}


class Interpreter:
    """Runs questions by the definitions of a manifest.

    Attributes:
        skills: Name → what it does.
        routings: Name → how it applies skills.
    """

    def __init__(self, definitions: Mapping[str, Mapping[str, str]]) -> None:
        """Read the definitions; Unreadable if one is not understood."""
        self.skills = {name: _meaning(words) for name, words in definitions["skills"].items()}
        self.routings = {}
        for name, words in definitions["routings"].items():
            if words not in ROUTES:
                raise Unreadable(f"{words!r:.80} is no definition of a routing")
            self.routings[name] = ROUTES[words]
        if both := set(self.skills) & set(self.routings):
            raise Unreadable(f"{min(both)!r} is a skill and a routing")
        self.meanings = {**self.skills, "keep": lambda w: w}

    def run(self, question: str) -> Run:
        """Run a question; Unreadable if it is none."""
        head, colon, tail = question.partition(" : ")
        words, x = head.split(" "), tail.split(" ")
        routing = words[0] if words[0] in self.routings else ""
        skills = tuple(words[1:] if routing else words)
        return self.go(routing, skills, x if colon else [])

    def go(self, routing: str, skills: tuple[str, ...], x: Letters) -> Run:
        """Run a program on a string of letters; Unreadable if it is none."""
        if not skills or any(skill not in self.meanings for skill in skills):
            raise Unreadable("it names no skill, or one without a definition")
        if (len(skills) > 1) != bool(routing):
            raise Unreadable("several skills need a routing, and a routing several skills")
        if not x or len(x) > MOST or any(c not in LETTERS or len(c) != 1 for c in x):
            raise Unreadable(f"its string is not 1 to {MOST} of the letters a to l")
        machine = _Machine(x, self.meanings)
        self.routings.get(routing, _one_after_another)(machine, skills)
        return Run(routing, skills, len(x), machine.texts, machine.trace)
