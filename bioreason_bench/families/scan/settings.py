"""The settings of the scan family; schemas/scan_preset.schema.json describes each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from bioreason_bench.families.settings import FamilySettings

__all__ = ["LEVELS", "LEVEL_OF", "ScanSettings"]

LEVELS = ("iid", "composition", "zeroshot", "depth")
LEVEL_OF = {  # published split -> the level that its test is
    "simple": "iid",
    "length": "depth",
    "addprim_jump": "zeroshot",
    "addprim_turn_left": "zeroshot",
    "around_right": "composition",
    "opposite_right": "composition",
    "primitive_right": "composition",
    "jump_around_right": "composition",
}


@dataclass(frozen=True)
class ScanSettings(FamilySettings):
    """Everything that fixes a release of SCAN commands.

    Attributes:
        vocabulary: "published": the words of the paper; "renamed": invented ones.
        definitions: "recalled": the meaning of a word is to be known; "read": it is in the context.
        open_book: Whether the test questions of the levels are there with definitions as well.
        new_primitive: The verb that training knows alone only; tested by zeroshot.
        new_manner: The manner that training has with left only; tested by composition with right.
        train: Training commands of the levels, at most; there are about 7,000.
        longest: Actions of the longest training command; depth tests longer ones.
        rl: Commands for reinforcement learning, which training does not have.
        iid: Test questions, as are composition, zeroshot and depth.
        splits: Published splits.
        mcd: Splits of maximum compound divergence, each with 8,365 commands to train and 1,045 to
            test; they take some ten seconds each.
    """

    SCHEMA: ClassVar[str] = "scan_preset"

    family: str = "scan"
    vocabulary: str = "renamed"
    definitions: str = "recalled"
    open_book: bool = True
    new_primitive: str = "jump"
    new_manner: str = "around"
    train: int = 10_000
    longest: int = 22
    rl: int = 1_000
    iid: int = 500
    composition: int = 500
    zeroshot: int = 500
    depth: int = 500
    splits: tuple[str, ...] = (
        *("simple", "length", "addprim_jump", "addprim_turn_left", "around_right"),
    )
    mcd: int = 0

    def test(self, level: str) -> int:
        """The number of test questions of a level; validation has a tenth, rounded up."""
        count: int = getattr(self, level)
        return count

    def conflicts(self) -> Iterator[str]:
        """What is wrong with values that fit the schema, in sentences."""
        if len(set(self.splits)) < len(self.splits):
            yield "splits names a split twice"
