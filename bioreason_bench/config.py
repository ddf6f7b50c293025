"""The configuration of a world: a preset (TOML in presets/) plus whatever the user set.

`Config` is frozen, refuses nonsense when it is made, and lands in the manifest as `as_dict()`.
"""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bioreason_bench.errors import UsageError, suggest
from bioreason_bench.taxonomy import LEVELS, SKILLS

__all__ = ["LEVELS", "SKILLS", "Config", "SkillConfig", "load_preset", "preset_names"]

PRESETS = Path(__file__).parent / "presets"


@dataclass(frozen=True)
class Roles:
    """Shares of a skill's relations that take each role (DESIGN section 6)."""

    iid: float = 0.2
    composition: float = 0.7
    zeroshot: float = 0.1


@dataclass(frozen=True)
class SkillConfig:
    """How many paths and questions a skill has; validation adds a tenth of each test level."""

    paths: int = 0  # distinct relation paths with the hops of training, zero-shot paths included
    train: int = 0
    iid: int = 0
    composition: int = 0
    zeroshot: int = 0
    entity: int = 0
    depth: int = 0
    rl: int = 0  # training questions that are set aside for reinforcement learning (comp only)
    counterfactual: int = 0  # pairs of test questions whose contexts differ in one fact (comp only)
    conflict: int = 0  # test questions whose context contradicts memory (comp only)
    direction: int = 0  # facts of inverse pairs that are asked from both ends (mem only)
    roles: Roles = field(default_factory=Roles)

    def test(self, level: str) -> int:
        return getattr(self, level)

    def validation(self, level: str) -> int:
        """A tenth of the level's test questions, rounded up."""
        return -(-self.test(level) // 10)


@dataclass(frozen=True)
class Config:
    """All that fixes a world and its questions, the seed included."""

    preset: str = "custom"
    seed: int = 42
    language: str = "english"  # or "symbols"
    locale: str = ""  # of people's names, such as "de_DE", from the installed Faker; empty for the frozen English ones
    relations: str = ""  # path to a relation table of one's own; empty for the built-in one
    keep: tuple[str, ...] = ()  # the relations used; empty for all of the table
    known: int = 10_000
    novel: int = 5_000
    in_context: float = 0.5  # share of the known who also have a contextual biography
    community: float = 0.0  # share of all people who form the closed community of the entity level
    birth_years: tuple[int, int] = (1900, 1985)
    pool_sizes: Mapping[str, int] = field(
        default_factory=dict
    )  # use only the first n values of a pool
    paraphrases: int = 1  # how often a parametric biography is written, each time in other words
    distractors: int = 0
    context_facts: int = 0  # sentences of a person in a context; 0 for the whole biography
    leak_guards: bool = False  # leave out sentences that would give away a hop meant to be recalled
    heldout_starts: float = 0.0  # share of the people who start test questions only
    levels: tuple[str, ...] = ("iid", "composition", "zeroshot")
    hops: Mapping[int, float] = field(default_factory=lambda: {2: 0.5, 3: 0.3, 4: 0.15, 5: 0.05})
    depth_hops: Mapping[int, float] = field(default_factory=dict)
    mem: SkillConfig = field(default_factory=SkillConfig)
    ctx: SkillConfig = field(default_factory=SkillConfig)
    comp: SkillConfig = field(default_factory=SkillConfig)

    def __post_init__(self) -> None:
        _freeze(self, "pool_sizes", {str(kind): size for kind, size in self.pool_sizes.items()})
        for name in ("hops", "depth_hops"):
            shares = {int(hops): float(share) for hops, share in getattr(self, name).items()}
            _freeze(self, name, dict(sorted(shares.items())))
        for problem in _problems(self):
            raise UsageError(f"preset {self.preset!r}: {problem}")

    def skill(self, name: str) -> SkillConfig:
        return getattr(self, name)

    @property
    def people(self) -> int:
        return self.known + self.novel

    @property
    def max_train_hops(self) -> int:
        return max(self.hops)

    def override(self, settings: Mapping[str, str]) -> Config:
        """The same configuration with some fields set; keys may have dots (`comp.train`), values are TOML or plain text.

        Raises UsageError for an unknown key or a value of the wrong kind.
        """
        values = self.as_dict()
        for key, text in settings.items():
            _set(values, FORMER_NAMES.get(key, key), _parse(text))
        return from_dict(values)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values; `from_dict` turns them back."""
        return json.loads(json.dumps(_plain(self)))


FORMER_NAMES = {"guards": "leak_guards", "renderings": "paraphrases"}  # fields of data 0.1


def renamed(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with fields of earlier versions under today's names."""
    return {FORMER_NAMES.get(name, name): value for name, value in values.items()}


def from_dict(values: Mapping[str, Any]) -> Config:
    """A configuration from plain values, such as those in a manifest."""
    values = renamed(values)
    try:
        for name in SKILLS:
            skill = dict(values.get(name, {}))
            skill["roles"] = Roles(**skill.get("roles", values.get("roles", {})))
            values[name] = SkillConfig(**skill)
        values.pop("roles", None)
        for name in ("keep", "birth_years", "levels"):
            if name in values:
                values[name] = tuple(values[name])
        return Config(**values)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"preset {values.get('preset', 'custom')!r}: {_field_problem(error)}"
        ) from None


def load_preset(name: str, seed: int = 42) -> Config:
    """The preset called `name`, or the one in the TOML file of that path; raises UsageError with the known names."""
    path = PRESETS / f"{name}.toml"
    if not path.is_file():
        path = Path(name)
        if path.suffix != ".toml" or not path.is_file():
            known = preset_names()
            hint = suggest(
                name, known, f"choose one of {', '.join(known)}, or a path to a .toml file"
            )
            raise UsageError(f"there is no preset {name!r}: {hint}")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"preset file {path} cannot be read: {error}") from None
    values = renamed(values)
    like = values.pop("like", None)
    if like is not None:
        if like not in preset_names() or like == path.stem:
            raise UsageError(
                f"preset file {path}: like is {like!r}; it must be one of the shipped presets {', '.join(preset_names())}"
            )
        values = _merged({**load_preset(like, seed).as_dict(), "preset": path.stem}, values)
    return from_dict({"preset": path.stem, "seed": seed, **values})


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`below` with the values of `above`, table by table; shares that must sum to 1 are replaced as a whole."""
    whole = ("hops", "depth_hops", "roles")
    tables = {key for key in above if isinstance(above[key], Mapping) and key not in whole}
    return {
        **below,
        **{
            key: _merged(below.get(key, {}), value) if key in tables else value
            for key, value in above.items()
        },
    }


def preset_names() -> list[str]:
    return sorted(path.stem for path in PRESETS.glob("*.toml"))


def _problems(config: Config) -> list[str]:
    """What is wrong with the values, in sentences; the JSON schema of presets says the same of their shape."""
    found = []
    if config.language not in ("english", "symbols"):
        found.append(f"language is {config.language!r}; it must be 'english' or 'symbols'")
    if config.locale and config.language != "english":
        found.append(
            f"locale is {config.locale!r}, but in language {config.language!r} people have no names; leave out one of them"
        )
    if isinstance(config.seed, bool) or not isinstance(config.seed, int):
        found.append(f"seed is {config.seed!r}; it must be a whole number")
    for name, least in (
        ("known", 4),
        ("novel", 2),
        ("paraphrases", 1),
        ("distractors", 0),
        ("context_facts", 0),
    ):
        value = getattr(config, name)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            found.append(f"{name} is {value!r}; it must be a whole number of at least {least}")
    for name in ("in_context", "community", "heldout_starts"):
        value = getattr(config, name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
            found.append(f"{name} is {value!r}; it must be a share between 0 and 1")
    if not isinstance(config.leak_guards, bool):
        found.append(f"leak_guards is {config.leak_guards!r}; it must be true or false")
    if unknown := [level for level in config.levels if level not in LEVELS]:
        found.append(f"levels holds {unknown[0]!r}; the levels are {', '.join(LEVELS)}")
    if (
        not config.hops
        or min(config.hops) < 2
        or max(config.hops) > 8
        or sum(config.hops.values()) <= 0
    ):
        found.append("hops must give a share to at least one number of hops from 2 to 8")
    elif config.depth_hops and not (
        max(config.hops) < min(config.depth_hops) and max(config.depth_hops) <= 8
    ):
        found.append(
            f"depth_hops must be more than the {max(config.hops)} hops of training and at most 8"
        )
    if "depth" in config.levels and not config.depth_hops:
        found.append("the level depth needs depth_hops, such as --set depth_hops.5=1")
    if "entity" in config.levels and config.community <= 0:
        found.append("the level entity needs a community, such as --set community=0.1")
    if (
        len(config.birth_years) != 2
        or not 1800 <= config.birth_years[0] < config.birth_years[1] <= 1985
    ):
        found.append(
            f"birth_years is {list(config.birth_years)}; it must be two years between 1800 and 1985, the earlier first"
        )
    for skill_name in SKILLS:
        skill = config.skill(skill_name)
        for item in dataclasses.fields(SkillConfig):
            value = getattr(skill, item.name)
            if item.name == "roles":
                shares = (value.iid, value.composition, value.zeroshot)
                if any(not 0 <= share <= 1 for share in shares) or abs(sum(shares) - 1) > 1e-6:
                    found.append(
                        f"{skill_name}.roles are {shares}; three shares that sum to 1 are needed"
                    )
            elif isinstance(value, bool) or not isinstance(value, int) or value < 0:
                found.append(
                    f"{skill_name}.{item.name} is {value!r}; it must be a whole number of at least 0"
                )
        for name, owner in (("counterfactual", "comp"), ("conflict", "comp"), ("direction", "mem")):
            if skill_name != owner and getattr(skill, name):
                found.append(
                    f"{skill_name}.{name} is {getattr(skill, name)!r}; only {owner} has such questions"
                )
        if isinstance(skill.rl, int) and isinstance(skill.train, int) and skill.rl > skill.train:
            found.append(
                f"{skill_name}.rl is {skill.rl}; it cannot exceed the {skill.train} training questions"
            )
    return found


def _freeze(config: Config, name: str, values: dict) -> None:
    object.__setattr__(config, name, MappingProxyType(values))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {item.name: _plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _set(values: dict[str, Any], key: str, value: Any) -> None:
    *parents, last = key.split(".")
    place = values
    for part in parents:
        if not isinstance(place.get(part), dict):
            raise UsageError(f"--set {key}: there is no group {part!r}{_nearest(part, place)}")
        place = place[part]
    if last not in place and not (parents and parents[0] in ("pool_sizes", "hops", "depth_hops")):
        raise UsageError(f"--set {key}: there is no field {last!r}{_nearest(last, place)}")
    if isinstance(place.get(last), dict) and not isinstance(value, dict):
        raise UsageError(
            f"--set {key}: {key} is a group; set one of its fields, such as {key}.{next(iter(place[last]), 'name')}"
        )
    place[last] = value


def _nearest(word: str, place: Mapping[str, Any]) -> str:
    return "; " + suggest(word, place, f"the fields are {', '.join(place)}")


def _parse(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _field_problem(error: Exception) -> str:
    text = str(error)
    if "unexpected keyword argument" in text:
        word = text.rsplit("'", 2)[1]
        names = [
            item.name for cls in (Config, SkillConfig, Roles) for item in dataclasses.fields(cls)
        ]
        return f"there is no field {word!r}; {suggest(word, names)}"
    return text
