"""The configuration of a world: a preset (TOML in presets/) plus the user's settings.

`WorldConfig` is frozen, refuses invalid values when it is made, and is saved in the manifest as
`as_dict()`.  (A *config* in lower case is Hugging Face's word: a part of the data set that is
loaded by name, such as comp_zeroshot.)
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bioreason_bench import inputs
from bioreason_bench.errors import UsageError, quoted, suggest
from bioreason_bench.family import all_presets, family_presets
from bioreason_bench.lengths import parse_lengths
from bioreason_bench.taxonomy import KIND_NAMES, LEVELS, QUESTION_KINDS, SKILLS
from bioreason_bench.validation import problems, text_problem

__all__ = [
    "LEVELS",
    "SKILLS",
    "Config",
    "Roles",
    "SkillConfig",
    "WorldConfig",
    "from_dict",
    "load_preset",
    "own_fields",
    "preset_names",
    "renamed",
]

PRESETS = Path(__file__).parent / "presets"
FORMER_NAMES = {"guards": "leak_guards", "renderings": "paraphrases"}  # fields of data 0.1
SHARES = ("hops", "depth_hops", "roles")  # tables that are replaced as a whole: they sum to 1
TOKENS_OF_SENTENCE, FACTS_OF_PERSON = 14, 17  # of contextual biographies, about
FREE_KEYS = ("pool_sizes", "hops", "depth_hops")  # tables whose keys the user chooses


@dataclass(frozen=True)
class Roles:
    """Shares of a skill's relations that take each role (docs/design.md, Paths and levels)."""

    iid: float = 0.2
    composition: float = 0.7
    zeroshot: float = 0.1


@dataclass(frozen=True)
class SkillConfig:
    """How many paths and questions a skill has; validation adds a tenth of each test level.

    Attributes:
        paths: Distinct relation paths with the hops of training, zero-shot paths included.
        train: Training questions.
        iid: Test questions of that level, as do composition, zeroshot, entity and depth.
        rl: Training questions set aside for reinforcement learning.
        counterfactual: Pairs of test questions whose contexts differ in one fact (comp only).
        conflict: Test questions whose context contradicts memory (comp only).
        direction: Facts of inverse pairs that are asked in both directions (mem only).
        unanswerable: Pairs of test questions of level iid, of which one lacks its last fact (ctx
            and comp): as many, or as there are.
        roles: Shares of the roles of relations.
    """

    paths: int = 0
    train: int = 0
    iid: int = 0
    composition: int = 0
    zeroshot: int = 0
    entity: int = 0
    depth: int = 0
    rl: int = 0
    counterfactual: int = 0
    conflict: int = 0
    direction: int = 0
    unanswerable: int = 0
    roles: Roles = field(default_factory=Roles)

    def test(self, level: str) -> int:
        """The number of test questions of a level."""
        count: int = getattr(self, level)
        return count

    def validation(self, level: str) -> int:
        """A tenth of the level's test questions, rounded up."""
        return -(-self.test(level) // 10)


@dataclass(frozen=True)
class WorldConfig:
    """Everything that fixes a world and its questions, the seed included.

    Attributes:
        preset: Name of the preset.
        seed: Root of all randomness.
        language: "english" or "symbols".
        locale: Of people's names, such as "de_DE", from the installed Faker; empty for the
            frozen English ones.
        relations: Path to a user's relation table; empty for the built-in one.
        facts: Path to a user's facts (.csv or .parquet; see docs/data.md); empty for an invented
            world.  Then the facts decide known, novel and in_context, and nobody has a birthday.
        facts_sha256: Of the bytes of that file; set when a release is made.
        names: Path to the names of the entities of `facts`; empty if these have names themselves.
        names_sha256: Of the bytes of that file.
        keep: The relations used; empty for all of the table.
        known: People with a parametric biography.
        novel: People who appear in contexts only.
        in_context: Share of the known people who have a contextual biography as well.
        community: Share of all people who form the closed community of the entity level.
        birth_years: First and last year of birth.
        pool_sizes: Value pool -> use only its first n values.
        paraphrases: Renderings of a parametric biography, each in other words.
        distractors: Alternatives to a person on the chain, whose biographies the context holds too.
        context_facts: Sentences of a person in a context; 0 for the whole biography.
        context_tokens: Lengths in tokens up to which the contexts of the levels are filled with
            further biographies: one length, a list or a range (see lengths.py); empty for none.
        leak_guards: Leave out sentences that would give away a hop meant to be recalled.
        open_book: Whether the questions that recall are there with open books as well; not with
            context_tokens.
        heldout_starts: Share of the people who start test questions only.
        heldout_wordings: Share of the known people whose biographies keep two wordings of each
            relation out of every paraphrase.
        scheme: How relations are held out: "folds", or "roles" as in the paper.
        fold: Scheme folds: which fifth of the relations is zero-shot, 0 to 4.
        heldout_pairs: Scheme folds: share of the ordered pairs of relations that training never
            joins.
        levels: The test levels.
        hops: Number of hops -> share of the questions.
        depth_hops: The same for the level depth.
        mem: Sizes of the skill mem, as do ctx and comp for theirs.
    """

    preset: str = "custom"
    seed: int = 42
    language: str = "english"
    locale: str = ""
    relations: str = ""
    facts: str = ""
    facts_sha256: str = ""
    names: str = ""
    names_sha256: str = ""
    keep: tuple[str, ...] = ()
    known: int = 10_000
    novel: int = 5_000
    in_context: float = 0.5
    community: float = 0.0
    birth_years: tuple[int, int] = (1900, 1985)
    pool_sizes: Mapping[str, int] = field(default_factory=dict)
    paraphrases: int = 1
    distractors: int = 0
    context_facts: int = 0
    context_tokens: str = ""
    leak_guards: bool = False
    open_book: bool = False
    heldout_starts: float = 0.0
    heldout_wordings: float = 0.0
    scheme: str = "folds"
    fold: int = 0
    heldout_pairs: float = 0.2
    levels: tuple[str, ...] = ("iid", "composition", "zeroshot")
    hops: Mapping[int, float] = field(default_factory=lambda: {2: 0.5, 3: 0.3, 4: 0.15, 5: 0.05})
    depth_hops: Mapping[int, float] = field(default_factory=dict)
    mem: SkillConfig = field(default_factory=SkillConfig)
    ctx: SkillConfig = field(default_factory=SkillConfig)
    comp: SkillConfig = field(default_factory=SkillConfig)

    def __post_init__(self) -> None:
        """Refuse values that do not fit the schema or each other; UsageError names them all."""
        wrong = problems("preset", _plain(self))
        if not wrong:
            self._freeze_tables()
            wrong = list(_conflicts(self))
        if wrong:
            raise UsageError(f"preset {quoted(self.preset)}: {'; and '.join(wrong)}")

    def _freeze_tables(self) -> None:
        """Make tables read-only, with whole numbers of hops as keys."""
        object.__setattr__(self, "context_tokens", str(self.context_tokens))  # 16000, from TOML
        tables: dict[str, Mapping[Any, Any]] = {"pool_sizes": dict(self.pool_sizes)}
        for name in ("hops", "depth_hops"):
            shares = {int(hops): float(share) for hops, share in getattr(self, name).items()}
            tables[name] = dict(sorted(shares.items()))
        for name, table in tables.items():
            object.__setattr__(self, name, MappingProxyType(table))

    @property
    def lengths(self) -> tuple[int, ...]:
        """The lengths of `context_tokens`, ascending."""
        return parse_lengths(self.context_tokens)

    def skill(self, name: str) -> SkillConfig:
        """The sizes of a skill."""
        sizes: SkillConfig = getattr(self, name)
        return sizes

    @property
    def people(self) -> int:
        return self.known + self.novel

    @property
    def max_train_hops(self) -> int:
        return max(self.hops)

    def override(self, settings: Mapping[str, str]) -> WorldConfig:
        """The same configuration with some fields set.

        Keys may have dots (`comp.train`); values are TOML or plain text.  Raises UsageError for an
        unknown key or an invalid value.
        """
        values = self.as_dict()
        for key, text in settings.items():
            _set(values, FORMER_NAMES.get(key, key), inputs.toml_value(text))
        return from_dict(values)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values, from which `from_dict` makes the configuration again."""
        values: dict[str, Any] = json.loads(json.dumps(_plain(self)))
        return values


Config = WorldConfig  # the name of version 0.1


def renamed(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with fields of earlier versions under today's names."""
    return {FORMER_NAMES.get(name, name): value for name, value in values.items()}


def from_dict(values: Mapping[str, Any]) -> WorldConfig:
    """A configuration from plain values, such as those of a manifest.

    Raises UsageError if the values do not fit schemas/preset.schema.json.
    """
    values = renamed(values)
    if wrong := problems("preset", values):
        name = values.get("preset", "custom")
        raise UsageError(f"preset {quoted(name)}: {'; and '.join(wrong)}")
    roles = values.pop("roles", {})
    for name in SKILLS:
        skill = dict(values.get(name, {}))
        values[name] = SkillConfig(**{**skill, "roles": Roles(**skill.get("roles", roles))})
    for name in ("keep", "birth_years", "levels"):
        if name in values:
            values[name] = tuple(values[name])
    return WorldConfig(**values)


def load_preset(name: str, seed: int = 42) -> WorldConfig:
    """The preset called `name`, or the one in the TOML file of that path.

    Raises UsageError if there is none, or if it cannot be read.
    """
    path = PRESETS / f"{name}.toml"
    if name not in preset_names():
        path = Path(name)
        if path.suffix != ".toml" or not _is_file(path):
            if name in family_presets():
                raise UsageError(
                    f"preset {name} is not one of people; load it with "
                    "bioreason_bench.family.load_settings"
                )
            known = all_presets()
            otherwise = f"choose one of {', '.join(known)}, or a path to a .toml file"
            raise UsageError(
                f"there is no preset {quoted(name)}: {suggest(name, known, otherwise)}"
            )
    try:
        values = renamed(inputs.read_toml(path, inputs.SETTINGS))
    except OSError as error:
        raise UsageError(f"preset file {path} cannot be read: {error.strerror}") from None
    except inputs.Unreadable as problem:
        raise UsageError(f"preset file {path} cannot be read: {problem}") from None
    like = values.pop("like", None)
    if like is not None:
        if like not in preset_names() or like == path.stem:
            raise UsageError(
                f"preset file {path}: like is {quoted(like)}; it must be one of the shipped "
                f"presets {', '.join(preset_names())}"
            )
        below = {**load_preset(like, seed).as_dict(), "preset": path.stem}
        values = _merged(below, _with_roles(values))
    return from_dict({"preset": path.stem, "seed": seed, **values})


def own_fields(name: str) -> set[str]:
    """The fields that a user's preset file sets, such as comp.train; none for a shipped preset.

    Raises UsageError if the file cannot be read.
    """
    load_preset(name)
    if name in preset_names():
        return set()
    values = renamed(inputs.read_toml(Path(name), inputs.SETTINGS))
    return {
        f"{key}.{field}" if field else key
        for key, value in values.items()
        for field in (value if key in SKILLS and value else [""])
    }


def preset_names() -> list[str]:
    """The names of the shipped presets."""
    return sorted(path.stem for path in PRESETS.glob("*.toml"))


def _with_roles(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with `roles` of the top level as those of each skill that has none itself."""
    roles = values.get("roles")
    if roles is None:
        return dict(values)
    if wrong := problems("preset", {"roles": roles}):
        raise UsageError("; and ".join(wrong))
    skills = {name: values.get(name, {}) for name in SKILLS}
    return {
        **{name: value for name, value in values.items() if name != "roles"},
        **{
            name: {"roles": roles, **skill} if isinstance(skill, Mapping) else skill
            for name, skill in skills.items()
        },
    }


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that is too long, or holds a null character
        return False


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`below` with the values of `above`, table by table."""
    merged = dict(below)
    for key, value in above.items():
        if isinstance(value, Mapping) and key not in SHARES:
            known = below.get(key, {})
            merged[key] = _merged(known, value) if isinstance(known, Mapping) else value
        else:
            merged[key] = value
    return merged


# values that fit the schema and do not fit each other ---------------------------------------------


def _conflicts(config: WorldConfig) -> Iterator[str]:
    """What is wrong with the values together, in sentences."""
    if problem := text_problem(config.preset):
        yield f"its name {problem}"
    if config.locale and config.language != "english":
        yield (
            f"locale is {config.locale!r}, but in language {config.language!r} people have no "
            "names; leave out one of them"
        )
    if config.birth_years[0] >= config.birth_years[1]:
        yield f"birth_years is {list(config.birth_years)}; the first year must be the earlier one"
    if config.names and not config.facts:
        yield "names is set, but facts is not; names are those of the entities of your own facts"
    yield from _length_conflicts(config)
    for name, least in (("known", 4), ("novel", 2)):
        if not config.facts and (count := getattr(config, name)) < least:
            yield f"{name} is {count}; it must be a whole number of at least {least}"
    yield from _hop_conflicts(config)
    if "entity" in config.levels and config.community <= 0:
        yield "the level entity needs a community, such as --set community=0.1"
    for name in SKILLS:
        yield from _skill_conflicts(name, config.skill(name))
        skill = config.skill(name)
        if config.scheme == "roles" and skill.rl > skill.train:
            yield f"{name}.rl is {skill.rl}; it cannot exceed the {skill.train} training questions"


def _length_conflicts(config: WorldConfig) -> Iterator[str]:
    try:
        lengths = config.lengths
    except ValueError as problem:
        yield f"context_tokens is {quoted(config.context_tokens)}; it {problem}"
        return
    people = config.people if config.in_context else config.novel
    room = people * TOKENS_OF_SENTENCE * (config.context_facts or FACTS_OF_PERSON)
    if lengths and not config.facts and lengths[-1] > room:
        yield (
            f"context_tokens goes up to {lengths[-1]:,}, and the biographies of {people:,} people "
            f"have about {room:,} tokens; raise known or novel, or lower context_tokens"
        )


def _hop_conflicts(config: WorldConfig) -> Iterator[str]:
    if sum(config.hops.values()) <= 0:
        yield "hops must give a share to at least one number of hops from 2 to 8"
    elif config.depth_hops and max(config.hops) >= min(config.depth_hops):
        yield f"depth_hops must be more than the {max(config.hops)} hops of training and at most 8"
    if "depth" in config.levels and not config.depth_hops:
        yield "the level depth needs depth_hops, such as --set depth_hops.5=1"


def _skill_conflicts(name: str, skill: SkillConfig) -> Iterator[str]:
    shares = (skill.roles.iid, skill.roles.composition, skill.roles.zeroshot)
    if abs(sum(shares) - 1) > 1e-6:
        yield f"{name}.roles are {shares}; three shares that sum to 1 are needed"
    for kind in KIND_NAMES:
        count, skills = getattr(skill, kind), [k.skill for k in QUESTION_KINDS if k.name == kind]
        if count and name not in skills:
            have = "have" if len(skills) > 1 else "has"
            yield f"{name}.{kind} is {count}; only {' and '.join(skills)} {have} such questions"


# plain values and settings ------------------------------------------------------------------------


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {item.name: _plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _set(values: dict[str, Any], key: str, value: Any) -> None:
    """Set the field that a dotted key names; raises UsageError if there is none."""
    *parents, last = key.split(".")
    table = values
    for part in parents:
        if not isinstance(table.get(part), dict):
            raise UsageError(f"--set {key}: there is no group {part!r}; {_nearest(part, table)}")
        table = table[part]
    if last not in table and not (parents and parents[0] in FREE_KEYS):
        raise UsageError(f"--set {key}: there is no field {last!r}; {_nearest(last, table)}")
    if isinstance(table.get(last), dict) and not isinstance(value, dict):
        example = next(iter(table[last]), "name")
        raise UsageError(
            f"--set {key}: {key} is a group; set one of its fields, such as {key}.{example}"
        )
    table[last] = value


def _nearest(word: str, table: Mapping[str, Any]) -> str:
    return suggest(word, table, f"the fields are {', '.join(table)}")
