"""The settings of the cogs family; schemas/cogs_preset.schema.json describes each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from bioreason_bench.families.cogs.kinds import KINDS
from bioreason_bench.families.settings import FamilySettings

__all__ = ["LEVELS", "CogsSettings"]

LEVELS = ("iid", "composition", "zeroshot", "depth")


@dataclass(frozen=True)
class CogsSettings(FamilySettings):
    """Everything that fixes a release of sentences.

    Attributes:
        vocabulary: "english", or "renamed": names, nouns and verbs are invented.
        definitions: "recalled": what a word means is to be known; "read": it is in the context.
        open_book: Whether the test questions are there with definitions as well.
        held_words: Words that each lexical kind has for itself (COGS has one).
        exposures: How often training shows each of them (COGS: 1, in a second set 100).
        deepest: Clauses or prepositions in each other, at most, in training.
        train: Training sentences, beside those that show held words and words alone.
        alone: Other words that training has alone, so that the form of an answer to a word alone
            is known.
        rl: Questions of each set for reinforcement learning.
        iid: Test questions like those of training.
        per_kind: Test questions of each of the 21 kinds.
    """

    SCHEMA: ClassVar[str] = "cogs_preset"

    family: str = "cogs"
    vocabulary: str = "renamed"
    definitions: str = "recalled"
    open_book: bool = True
    held_words: int = 3
    exposures: int = 1
    deepest: int = 2
    train: int = 24_000
    alone: int = 120
    rl: int = 2_000
    iid: int = 3_000
    per_kind: int = 1_000

    def test(self, level: str) -> int:
        """The number of test questions of a level; validation has a tenth, rounded up."""
        kinds = sum(kind.level == level for kind in KINDS.values())
        return self.iid if level == "iid" else kinds * self.per_kind

    def conflicts(self) -> Iterator[str]:
        """What is wrong with values that fit the schema, in sentences."""
        if self.rl > self.train:
            yield f"rl is {self.rl}; it must be at most train, {self.train}"
