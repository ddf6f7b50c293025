"""The settings of published files; schemas/published_preset.schema.json describes each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bioreason_bench.families.settings import FamilySettings

__all__ = ["PublishedSettings"]


@dataclass(frozen=True)
class PublishedSettings(FamilySettings):
    """Which files are read, and how answers to them are graded.

    Attributes:
        source: The folder of the files.
        splits: The splits to read; all that are there if it is empty.
        grading: "exact", or "meaning": an answer that says the same in another order is right.
    """

    SCHEMA: ClassVar[str] = "published_preset"

    family: str = "published"
    source: str = ""
    splits: tuple[str, ...] = ()
    grading: str = "exact"
