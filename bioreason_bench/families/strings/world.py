"""What a release of string programs is decided by before a row is written.

Names, what is held out, and the programs of all training questions.  Programs are arrays, made for
many rows at once; a row depends on its own number alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import Draw, pack
from bioreason_bench.families.strings.routings import ROUTINGS
from bioreason_bench.families.strings.settings import StringSettings
from bioreason_bench.families.strings.skills import (
    ALPHABET,
    LONGEST,
    SKILLS,
    Skill,
    draw_names,
    own_skill,
)

__all__ = ["RULE", "SUPPORTS", "Programs", "StringWorld", "scores"]

SUPPORTS = ("nested", "overlapping", "disjoint")  # of reinforcement learning, in training's
CELLS = 3  # programs are dealt to three cells; training uses the first two
TRAIN_CELLS, OTHER_CELLS = (0, 1), (2,)
ROUNDS = 4  # of the permutation by which row numbers become strings
RULE = (
    f"A string has at most {LONGEST} letters, and what is longer is cut at the end. x is the "
    "string, join writes two strings one after the other, longer takes the longer one, of equal "
    "ones the first, left and right are its halves, the letter in the middle belongs to the left "
    "one, of one letter both are that letter, and vowel asks whether it begins with a, e or i. "
    "Half of an odd number of skills is rounded up. keep changes nothing."
)


@dataclass(frozen=True)
class Programs:
    """Programs of many rows.

    Attributes:
        routing: [rows] numbers of routings, -1 for a single skill.
        skills: [rows, most skills] numbers of skills, -1 behind the last.
        hops: [rows] numbers of skills.
    """

    routing: NDArray[np.int64]
    skills: NDArray[np.int64]
    hops: NDArray[np.int64]

    def keys(self) -> NDArray[np.uint64]:
        """[rows] a number for each program, the same for equal ones."""
        keys = (self.routing + 1).astype(np.uint64)
        for column in self.skills.T:
            keys = keys * np.uint64(64) + np.maximum(column + 1, 0).astype(np.uint64)
        return keys << np.uint64(6 * (8 - self.skills.shape[1]))

    def take(self, rows: NDArray[np.int64]) -> Programs:
        """Some of the rows."""
        return Programs(self.routing[rows], self.skills[rows], self.hops[rows])


class StringWorld:
    """Names, what is held out, and programs.

    Attributes:
        settings: The settings.
        skills: The skills, own ones last.
        skill_names: Their names.
        routing_names: The names of the routings.
        held_skills: [skills] whether no compound training program has it.
        held_routings: The same for routings.
        unknown_skills: [skills] whether it is not in isolated atoms either.
        unknown_routings: The same for routings.
        applies_all: [routings] whether every skill is applied, whatever the string.
        allowed: [skills, routings] whether training may join the two.
    """

    def __init__(self, settings: StringSettings) -> None:
        self.settings = settings
        self.draw = Draw(settings.seed).at("strings")
        self.skills: Sequence[Skill] = (*SKILLS, *map(own_skill, settings.maps))
        number = len(self.skills) + len(ROUTINGS)
        names = draw_names(number, self.draw.at("names"))
        self.skill_names = names[: len(self.skills)]
        self.routing_names = names[len(self.skills) :]
        self.held_skills, self.unknown_skills = self._held(
            "skills", len(self.skills), settings.zeroshot_skills, settings.unknown_skills
        )
        self.held_routings, self.unknown_routings = self._held(
            "routings", len(ROUTINGS), settings.zeroshot_routings, settings.unknown_routings
        )
        self.applies_all = np.array([routing.applies_all for routing in ROUTINGS])
        self.allowed = self._allowed()

    def _held(
        self, what: str, number: int, held: int, unknown: int
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        order = self.draw.at("held out", what).permutation(number)
        masks = np.zeros((2, number), bool)
        masks[0, order[:held]] = True
        masks[1, order[:unknown]] = True
        return masks[0], masks[1]

    def _allowed(self) -> NDArray[np.bool_]:
        """The pairs that training may join: held-out ones are spread evenly."""
        skills = self.draw.at("pairs", "skills").permutation(np.flatnonzero(~self.held_skills))
        routings = self.draw.at("pairs", "routings").permutation(
            np.flatnonzero(~self.held_routings & self.applies_all)
        )
        allowed = np.outer(~self.held_skills, ~self.held_routings)
        for pair in range(self.settings.heldout_pairs):
            turn, routing = divmod(pair, len(routings))
            skill = (turn + routing * len(skills) // len(routings)) % len(skills)
            allowed[skills[skill], routings[routing]] = False
        return allowed

    # programs -------------------------------------------------------------------------------------

    @cached_property
    def training(self) -> Programs:
        """The programs of all compound training questions."""
        return self._from_cells("train", np.arange(self.settings.train), TRAIN_CELLS)

    @cached_property
    def training_keys(self) -> NDArray[np.uint64]:
        """The keys of these programs, each once."""
        return np.unique(self.training.keys())

    @cached_property
    def seen(self) -> NDArray[np.bool_]:
        """[skills, routings] whether a compound training program joins the two."""
        seen = np.zeros_like(self.allowed)
        programs = self.training
        for place in range(programs.skills.shape[1]):
            there = programs.skills[:, place] >= 0
            seen[programs.skills[there, place], programs.routing[there]] = True
        return seen

    def train(self, rows: NDArray[np.int64]) -> Programs:
        """Compound training programs."""
        return self.training.take(rows)

    def iid(self, name: str, rows: NDArray[np.int64]) -> Programs:
        """Programs of training questions, drawn anew for each row."""
        return self.training.take(self.draw.at("iid", name).integers(rows, self.settings.train))

    def disjoint(self, name: str, rows: NDArray[np.int64]) -> Programs:
        """Programs of the kind of training, none of them in training."""
        return self._from_cells(name, rows, OTHER_CELLS)

    def overlapping(self, name: str, rows: NDArray[np.int64]) -> Programs:
        """Half of the programs are training programs, the others are not."""
        old, new = self.iid(name, rows), self.disjoint(name, rows)
        first = (self.draw.at("overlap", name).uniform(rows) < 0.5)[:, None]
        return Programs(
            np.where(first[:, 0], old.routing, new.routing),
            np.where(first, old.skills, new.skills),
            np.where(first[:, 0], old.hops, new.hops),
        )

    def composition(self, name: str, rows: NDArray[np.int64]) -> Programs:
        """Programs with a held-out pair, all of whose parts are trained."""
        held = np.outer(~self.held_skills, ~self.held_routings) & ~self.allowed
        draw = self.draw.at("composition", name)
        routing = _pick(np.flatnonzero(held.any(axis=0)), draw.at("routing"), rows)
        programs = self._skills(draw, rows, routing, self.allowed, self.settings.hops)
        return self._with_one(draw, rows, programs, held[:, routing].T)

    def zeroshot(self, name: str, rows: NDArray[np.int64]) -> Programs:
        """Programs with a held-out skill or a held-out routing."""
        draw = self.draw.at("zeroshot", name)
        skills, routings = int(self.held_skills.sum()), int(self.held_routings.sum())
        share = 0.5 if skills and routings else float(bool(skills))
        of_skill = draw.at("kind").uniform(rows) < share
        trained = np.flatnonzero(~self.held_routings & self.applies_all)
        trained = _pick(trained, draw.at("routing"), rows)
        held = np.flatnonzero(self.held_routings)
        new = _pick(held, draw.at("new"), rows) if routings else trained
        routing = np.where(of_skill, trained, new)
        allowed = self.allowed | np.outer(~self.held_skills, self.held_routings)
        programs = self._skills(draw, rows, routing, allowed, self.settings.hops)
        return self._with_one(draw, rows, programs, self.held_skills & of_skill[:, None])

    def depth(self, name: str, rows: NDArray[np.int64]) -> Programs:
        """Programs with more skills than any of training, of pairs that training may join."""
        draw = self.draw.at("depth", name)
        routing = _pick(np.flatnonzero(~self.held_routings), draw.at("routing"), rows)
        return self._skills(draw, rows, routing, self.allowed, self.settings.depth_hops)

    def _from_cells(self, name: str, rows: NDArray[np.int64], cells: tuple[int, ...]) -> Programs:
        """Programs that training may have, in some of the cells; drawn again until they are."""
        most = self.settings.hops[1]
        routing, hops = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
        skills = np.full((len(rows), most), -1)
        waiting = np.arange(len(rows))
        attempt = 0
        while len(waiting):
            draw = self.draw.at("programs", name, attempt)
            numbers = rows[waiting]
            kind = _pick(np.flatnonzero(~self.held_routings), draw.at("routing"), numbers)
            made = self._skills(draw, numbers, kind, self.allowed, self.settings.hops)
            fits = np.isin(self.draw.at("cells").integers(made.keys(), CELLS), cells)
            done = waiting[fits]
            routing[done], hops[done] = made.routing[fits], made.hops[fits]
            skills[done] = made.skills[fits]
            waiting, attempt = waiting[~fits], attempt + 1
        return Programs(routing, skills, hops)

    def _skills(
        self,
        draw: Draw,
        rows: NDArray[np.int64],
        routing: NDArray[np.int64],
        allowed: NDArray[np.bool_],
        hops: Sequence[int],
    ) -> Programs:
        """Different skills that each row's routing may be joined with, as many as drawn."""
        low, high = hops
        counts = low + draw.at("hops").integers(rows, high - low + 1)
        drawn = scores(draw.at("skills"), rows, len(self.skills))
        drawn[~allowed[:, routing].T] = np.inf
        chosen = np.argsort(drawn, axis=1, kind="stable")[:, :high]
        chosen[np.arange(high) >= counts[:, None]] = -1
        return Programs(routing, chosen, counts)

    def _with_one(
        self,
        draw: Draw,
        rows: NDArray[np.int64],
        programs: Programs,
        which: NDArray[np.bool_],
    ) -> Programs:
        """The programs with one of the skills `which`, at any place; [rows, skills]."""
        drawn = scores(draw.at("one"), rows, len(self.skills))
        drawn[~which] = np.inf
        place = draw.at("place").integers(rows, programs.hops)
        changed = np.flatnonzero(which.any(axis=1))
        skills = programs.skills.copy()
        skills[changed, place[changed]] = drawn[changed].argmin(axis=1)
        return Programs(programs.routing, skills, programs.hops)

    # atoms ----------------------------------------------------------------------------------------

    def atoms(self, name: str, rows: NDArray[np.int64]) -> Programs:
        """Isolated atoms: a single skill, or a routing of skills that change nothing.

        The skill that changes nothing has the number of skills as its number.
        """
        draw = self.draw.at("atoms", name)
        skills, routings = (
            np.flatnonzero(~self.unknown_skills),
            np.flatnonzero(~self.unknown_routings),
        )
        turn = draw.integers(rows, len(skills) + len(routings))
        single = turn < len(skills)
        routing = np.where(single, -1, routings[np.maximum(turn - len(skills), 0)])
        chosen = np.full((len(rows), 2), len(self.skills))
        chosen[single, 0], chosen[single, 1] = skills[turn[single]], -1
        return Programs(routing, chosen, np.where(single, 1, 2))

    # strings --------------------------------------------------------------------------------------

    def strings(self, numbers: NDArray[np.int64]) -> list[str]:
        """The strings of questions; different numbers have different strings.

        The number is taken to another one below letters ** length by a Feistel network.
        """
        low, high = self.settings.letters
        draw = self.draw.at("strings")
        lengths = low + draw.at("length").integers(numbers, high - low + 1)
        texts = [""] * len(numbers)
        letters = np.array(list(ALPHABET))
        for length in range(low, high + 1):
            rows = np.flatnonzero(lengths == length)
            if not len(rows):
                continue
            digits = _digits(numbers[rows], length, draw.at(length))
            for row, text in zip(
                rows.tolist(), letters[digits].view(f"<U{length}")[:, 0], strict=True
            ):
                texts[row] = str(text)
        return texts

    def definitions(self) -> dict[str, Any]:
        """All that is needed to solve the questions, for the manifest."""
        return {
            "rule": RULE,
            "skills": {
                name: skill.words for name, skill in zip(self.skill_names, self.skills, strict=True)
            },
            "routings": {
                name: routing.words
                for name, routing in zip(self.routing_names, ROUTINGS, strict=True)
            },
        }


def _pick(items: NDArray[np.int64], draw: Draw, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """One of the items for each row."""
    return items[draw.integers(rows, len(items))]


def scores(draw: Draw, rows: NDArray[np.int64], number: int) -> NDArray[np.float64]:
    """[rows, number] random numbers."""
    return draw.uniform(pack((rows[:, None], 56), (np.arange(number), 8)))


def _digits(numbers: NDArray[np.int64], length: int, draw: Draw) -> NDArray[np.int64]:
    """[numbers, length] digits of permuted numbers, in base len(ALPHABET)."""
    base = len(ALPHABET)
    low, high = base ** (length // 2), base ** (length - length // 2)
    right, left = numbers % low, numbers // low % high
    for number in range(ROUNDS):
        mixed = draw.at(number, "left").words(right) % np.uint64(high)
        left = (left + mixed.astype(np.int64)) % high
        mixed = draw.at(number, "right").words(left) % np.uint64(low)
        right = (right + mixed.astype(np.int64)) % low
    whole = left * low + right
    return whole[:, None] // base ** np.arange(length) % base
