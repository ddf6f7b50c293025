"""The routings: how skills are put together into a program.

A program has named results: x is the string of the question, y1 the result of the first step, and
so on.  The steps of a routing are a function of the number of its skills.  Beside skills, steps use
five words: join (two strings, one after the other), longer (the longer of two, the first if they
are equally long), left and right (the halves of a string; the left half has the letter in the
middle; of one letter both are that letter), and vowel (yes if a string begins with a, e or i).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from bioreason_bench.families.strings.skills import LONGEST, VOWELS

__all__ = ["ROUTINGS", "WORDS", "Routing", "StepPlan", "plan"]

START = 0  # the variable x; variable k is y{k}
WORDS: dict[str, Callable[..., str]] = {
    "join": lambda a, b: (a + b)[:LONGEST],
    "longer": lambda a, b: b if len(b) > len(a) else a,
    "left": lambda a: a[: (len(a) + 1) // 2],
    "right": lambda a: a[(len(a) + 1) // 2 :] or a,
    "vowel": lambda a: "yes" if a[0] in VOWELS else "no",
}


@dataclass(frozen=True)
class StepPlan:
    """One step.

    Attributes:
        skill: Number of the skill in the program, -1 if the step uses a word.
        word: The word; "" if the step uses a skill.
        inputs: The variables that it is applied to.
        text: Their names, as the trace writes them.
    """

    skill: int
    word: str
    inputs: tuple[int, ...]
    text: str


class _Steps:
    """The steps of a program while they are written down."""

    def __init__(self) -> None:
        self.steps: list[StepPlan] = []

    def word(self, word: str, *inputs: int) -> int:
        return self._add(-1, word, inputs)

    def chain(self, skills: range | tuple[int, ...], variable: int) -> int:
        """Apply skills one after another; return the variable of the last result."""
        for skill in skills:
            variable = self._add(skill, "", (variable,))
        return variable

    def _add(self, skill: int, word: str, inputs: tuple[int, ...]) -> int:
        text = " ".join(f"y{number}" if number else "x" for number in inputs)
        self.steps.append(StepPlan(skill, word, inputs, text))
        return len(self.steps)


Build = Callable[[_Steps, int, bool], object]  # steps, skills, whether x begins with a vowel


@dataclass(frozen=True)
class Routing:
    """One routing.

    Attributes:
        build: Writes its steps down.
        words: Its definition, as contexts state it.
        applies_all: Whether every skill is applied, whatever x is.
    """

    build: Build
    words: str
    applies_all: bool = True


def _half(n: int) -> int:
    return (n + 1) // 2


def _earlier(steps: _Steps, n: int, _: bool) -> None:
    first = steps.chain((0,), START)
    last = steps.chain(range(1, n), first)
    steps.word("join", last, first)


def _branches(steps: _Steps, n: int, word: str) -> None:
    first = steps.chain(range(_half(n)), START)
    second = steps.chain(range(_half(n), n), START)
    steps.word(word, first, second)


def _parts(steps: _Steps, n: int, _: bool) -> None:
    whole = steps.chain(range(n - 1), START)
    left, right = steps.word("left", whole), steps.word("right", whole)
    first, second = steps.chain((n - 1,), left), steps.chain((n - 1,), right)
    steps.word("join", first, second)


def _swap(steps: _Steps, n: int, _: bool) -> None:
    left, right = steps.word("left", START), steps.word("right", START)
    first = steps.chain(range(_half(n)), left)
    second = steps.chain(range(_half(n), n), right)
    steps.word("join", second, first)


def _conditional(steps: _Steps, n: int, vowel: bool) -> None:
    steps.word("vowel", START)
    steps.chain(range(_half(n)) if vowel else range(_half(n), n), START)


def _nested(steps: _Steps, n: int, _: bool) -> None:
    inner = steps.chain(range(_half(n)), START)
    steps.chain(range(_half(n), n), steps.word("join", inner, START))


ROUTINGS = (
    Routing(lambda s, n, _: s.chain(range(n), START), "the skills are applied one after another"),
    Routing(
        lambda s, n, _: s.word("join", s.chain(range(n), START), START),
        "the skills are applied one after another, and the result is joined with x",
    ),
    Routing(
        _earlier,
        "the skills are applied one after another, and the result is joined with that of the "
        "first skill",
    ),
    Routing(
        lambda s, n, _: _branches(s, n, "join"),
        "the first half of the skills is applied to x, then the second half to x, and the two "
        "results are joined",
    ),
    Routing(
        lambda s, n, _: _branches(s, n, "longer"),
        "the first half of the skills is applied to x, then the second half to x, and the longer "
        "result is taken",
    ),
    Routing(
        lambda s, n, _: s.chain((*range(n), n - 1), START),
        "the skills are applied one after another, the last one twice",
    ),
    Routing(
        _parts,
        "all skills but the last are applied one after another, the last one to the left and to "
        "the right half of the result, and the two results are joined",
    ),
    Routing(
        _swap,
        "the first half of the skills is applied to the left half of x, the second half to the "
        "right half, and the second result is joined with the first",
    ),
    Routing(
        _conditional,
        "the first half of the skills is applied if x begins with a vowel, else the second half",
        applies_all=False,
    ),
    Routing(
        _nested,
        "the first half of the skills is applied to x, the result is joined with x, and the second "
        "half is applied to that",
    ),
)


@cache
def plan(routing: int, skills: int, vowel: bool) -> tuple[StepPlan, ...]:
    """The steps of a program.

    Args:
        routing: Number of the routing; -1 for a single skill without a routing.
        skills: The number of skills.
        vowel: Whether x begins with a vowel.
    """
    steps = _Steps()
    if routing < 0:
        steps.chain(range(skills), START)
    else:
        ROUTINGS[routing].build(steps, skills, vowel)
    return tuple(steps.steps)
