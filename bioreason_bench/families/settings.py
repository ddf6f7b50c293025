"""Settings of a family: a frozen dataclass that its JSON schema describes.

@dataclass(frozen=True)
class StringSettings(FamilySettings):
    SCHEMA: ClassVar[str] = "strings_preset"      schemas/strings_preset.schema.json
    train: int = 50_000

    def conflicts(self) -> Iterator[str]:          what fits the schema, but not each other
        if self.depth <= self.train_depth:
            yield "depth must exceed train_depth"
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from bioreason_bench import inputs
from bioreason_bench.errors import UsageError, quoted, suggest
from bioreason_bench.validation import problems, text_problem

__all__ = ["FamilySettings"]


@dataclass(frozen=True)
class FamilySettings:
    """What all families have in their presets.

    SCHEMA names the JSON schema of a family's settings; without one `conflicts` checks everything.

    Attributes:
        preset: Name of the preset.
        seed: Root of all randomness.
        family: Name of the family.
    """

    SCHEMA: ClassVar[str] = ""

    preset: str = "custom"
    seed: int = 42
    family: str = ""

    def __post_init__(self) -> None:
        """Refuse values that do not fit the schema or each other; UsageError names them all."""
        for item in dataclasses.fields(self):
            if isinstance(getattr(self, item.name), list):
                object.__setattr__(self, item.name, tuple(getattr(self, item.name)))
        wrong = problems(self.SCHEMA, self.as_dict()) if self.SCHEMA else []
        wrong = wrong or list(self.conflicts())
        if problem := text_problem(str(self.preset)):
            wrong = [*wrong, f"its name {problem}"]
        if wrong:
            raise UsageError(f"preset {quoted(self.preset)}: {'; and '.join(wrong)}")

    def conflicts(self) -> Iterator[str]:
        """What is wrong with values that fit the schema, in sentences."""
        yield from ()

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values, from which `from_dict` makes the settings again."""
        values: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Settings from plain values; UsageError if they do not fit the schema."""
        known = [item.name for item in dataclasses.fields(cls)]
        name = values.get("preset", "custom")
        for key in values:
            if key not in known:
                raise UsageError(
                    f"preset {quoted(name)}: there is no field {quoted(key)}; {suggest(key, known)}"
                )
        return cls(**values)

    def override(self, settings: Mapping[str, str]) -> Self:
        """The same settings with some fields set; values are TOML or plain text.

        Raises UsageError for an unknown key or an invalid value.
        """
        values = self.as_dict()
        for key, text in settings.items():
            known = [name for name in values if name not in ("preset", "seed", "family")]
            if key not in known:
                hint = suggest(key, known, f"the fields are {', '.join(known)}")
                raise UsageError(f"--set {key}: there is no field {key!r}; {hint}")
            values[key] = inputs.toml_value(text)
        return self.from_dict(values)
