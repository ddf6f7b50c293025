"""The settings of the strings family; schemas/strings_preset.schema.json describes each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from bioreason_bench.errors import UsageError
from bioreason_bench.families.settings import FamilySettings
from bioreason_bench.families.strings.routings import ROUTINGS
from bioreason_bench.families.strings.skills import LONGEST, SKILLS, own_skill

__all__ = ["LEVELS", "StringSettings"]

LEVELS = ("iid", "composition", "zeroshot", "depth")


@dataclass(frozen=True)
class StringSettings(FamilySettings):
    """Everything that fixes a release of string programs.

    Attributes:
        definitions: "recalled": the meaning of a word is to be known; "read": it is in the context.
        open_book: Whether the test questions are there with definitions as well.
        distractors: Definitions in a context that the question does not need.
        letters: Fewest and most letters of the string of a question.
        maps: Own skills in addition to the 24: what becomes of a, b, ..., l.
        hops: Fewest and most skills of a training program.
        depth_hops: The same for the level depth.
        zeroshot_skills: Skills that no compound training program has.
        zeroshot_routings: Routings that no compound training program has.
        unknown_skills: How many of the former are not in isolated atoms either.
        unknown_routings: The same for routings.
        heldout_pairs: Pairs of a trained skill and a trained routing that training never joins.
        train: Compound training programs; there are as many isolated atoms as have the same number
            of tokens.
        rl: Programs of each set for reinforcement learning.
        iid: Test questions, as are composition, zeroshot and depth.
    """

    SCHEMA: ClassVar[str] = "strings_preset"

    family: str = "strings"
    definitions: str = "recalled"
    open_book: bool = True
    distractors: int = 4
    letters: tuple[int, ...] = (5, 7)
    maps: tuple[str, ...] = ()
    hops: tuple[int, ...] = (2, 3)
    depth_hops: tuple[int, ...] = (4, 8)
    zeroshot_skills: int = 4
    zeroshot_routings: int = 2
    unknown_skills: int = 0
    unknown_routings: int = 0
    heldout_pairs: int = 32
    train: int = 50_000
    rl: int = 10_000
    iid: int = 1_000
    composition: int = 1_000
    zeroshot: int = 1_000
    depth: int = 1_000

    def test(self, level: str) -> int:
        """The number of test questions of a level; validation has a tenth, rounded up."""
        count: int = getattr(self, level)
        return count

    @property
    def skills(self) -> int:
        """The number of skills."""
        return len(SKILLS) + len(self.maps)

    @property
    def most_pairs(self) -> int:
        """Pairs that can be held out, if each routing keeps enough skills, and each skill one."""
        skills = self.skills - self.zeroshot_skills
        routings = sum(routing.applies_all for routing in ROUTINGS) - self.zeroshot_routings
        return routings * max(0, skills - max(self.depth_hops[1], -(-skills // routings)))

    def conflicts(self) -> Iterator[str]:
        """What is wrong with values that fit the schema, in sentences."""
        for target in self.maps:
            try:
                own_skill(target)
            except UsageError as error:
                yield str(error)
        for name in ("letters", "hops", "depth_hops"):
            low, high = getattr(self, name)
            if low > high:
                yield f"{name} is {[low, high]}; the first number must not be the larger one"
        if self.letters[1] > LONGEST:
            yield f"letters is {list(self.letters)}; a string has at most {LONGEST} letters"
        if self.depth_hops[0] <= self.hops[1]:
            yield f"depth_hops begins at {self.depth_hops[0]}; it must exceed hops, {self.hops[1]}"
        yield from self._too_many()

    def _too_many(self) -> Iterator[str]:
        left = self.skills - self.zeroshot_skills
        if left < self.depth_hops[1]:
            yield (
                f"zeroshot_skills is {self.zeroshot_skills}; that leaves {left} skills for "
                f"programs of {self.depth_hops[1]}"
            )
        for unknown, held in (
            ("skills", self.zeroshot_skills),
            ("routings", self.zeroshot_routings),
        ):
            if getattr(self, f"unknown_{unknown}") > held:
                yield f"unknown_{unknown} must be at most zeroshot_{unknown}, {held}"
        if not self.zeroshot_skills + self.zeroshot_routings and self.zeroshot:
            yield "zeroshot asks for questions, but no skill and no routing is held out"
        if self.composition and not self.heldout_pairs:
            yield "composition asks for questions, but heldout_pairs is 0"
        if self.heldout_pairs > self.most_pairs:
            yield (
                f"heldout_pairs is {self.heldout_pairs}; of {left} trained skills and "
                f"{len(ROUTINGS) - self.zeroshot_routings} trained routings at most "
                f"{self.most_pairs} pairs can be held out"
            )
