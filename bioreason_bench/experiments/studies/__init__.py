"""Studies: which arms are run in which worlds, and what is to be decided; one YAML file each.

    study = load_study("main")

A study is written before it is run.  Its worlds are releases of one preset; its arms are recipes,
or recipes with one setting that takes several values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bioreason_bench.errors import UsageError, quoted, suggest
from bioreason_bench.inputs import read_yaml_table
from bioreason_bench.validation import problems

__all__ = ["Study", "arm_name", "load_study", "make_study", "study_names"]

STUDIES = Path(__file__).parent
FOLDS = 5


@dataclass(frozen=True)
class Study:
    """What is run, where, and what it is to decide.

    Attributes:
        name: File name without `.yaml`.
        about: What is run.
        question: What it asks.
        arms: (name, recipe, settings) of each arm.
        preset: Of its worlds, if no other is asked for.
        worlds: How many worlds were planned, as the report says; the seeds decide what is run.
        folds: Whether the world of seed k holds out fold k mod 5.
        world: Settings of the preset that its worlds differ in.
        settings: Fields of the recipes that all arms change, as with `--set`.
        passk: Groups of arms whose pass@k is compared, base first.
        claims: What it decides; see experiments/claims.py.
    """

    name: str
    about: str
    question: str
    arms: tuple[tuple[str, str, Mapping[str, str]], ...]
    preset: str = "nano"
    worlds: int = 1
    folds: bool = False
    world: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    passk: tuple[tuple[str, ...], ...] = ()
    claims: tuple[Mapping[str, str], ...] = ()

    def line(self) -> dict[str, Any]:
        """The study as a line of results.jsonl."""
        names = [name for name, _, _ in self.arms]
        about = {"name": self.name, "about": self.about, "question": self.question}
        claims = [dict(claim) for claim in self.claims]
        return {"type": "study", **about, "arms": names, "claims": claims, "worlds": self.worlds}

    def world_settings(self, seed: int) -> dict[str, Any]:
        """How the world of a training seed differs from the preset."""
        return {**self.world, **({"fold": seed % FOLDS} if self.folds else {})}


def study_names() -> list[str]:
    """Names of the shipped studies."""
    return sorted(path.stem for path in STUDIES.glob("*.yaml"))


def load_study(name: str | Path) -> Study:
    """Load a shipped study by name, or a YAML file by path.

    Raises:
        UsageError: There is no such study, or it is invalid.
    """
    path = STUDIES / f"{name}.yaml"
    if str(name) not in study_names():
        path = Path(name)
        if path.suffix not in (".yaml", ".yml"):
            otherwise = f"choose one of {', '.join(study_names())}, or a path to a .yaml file"
            hint = suggest(str(name), study_names(), otherwise)
            raise UsageError(f"there is no study {quoted(str(name))}: {hint}")
    values = read_yaml_table(path, "study", STUDIES)
    return make_study({"name": path.stem, **values}, str(path))


def make_study(values: Mapping[str, Any], where: str = "study") -> Study:
    """A study from plain values; UsageError if they do not fit schemas/study.schema.json."""
    if wrong := problems("study", values):
        raise UsageError(f"{where}: {'; and '.join(wrong)}")
    fields = dict(values)
    arms = [arm for entry in fields.pop("arms") for arm in _arms(entry, where)]
    names = [name for name, _, _ in arms]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UsageError(f"{where}: the arm {quoted(twice[0])} stands there twice; name it once")
    claims = tuple(fields.pop("claims", ()))
    passk = tuple(map(tuple, fields.pop("passk", ())))
    mentioned = {arm for claim in claims for arm in (claim["first"], claim["second"])}
    mentioned |= {arm for group in passk for arm in group}
    if missing := sorted(mentioned.difference(names)):
        raise UsageError(f"{where}: {suggest(missing[0], names, 'name one of its arms')}")
    return Study(**fields, arms=tuple(arms), claims=claims, passk=passk)


def arm_name(recipe: str) -> str:
    """The name of the arm of a recipe: `qwen/gold` -> gold, `runs/mine.yaml` -> mine."""
    return Path(recipe).name.removesuffix(".yaml").removesuffix(".yml")


def _arms(entry: Any, where: str) -> Sequence[tuple[str, str, Mapping[str, str]]]:
    """(name, recipe, settings) of each arm of an entry."""
    if isinstance(entry, str):
        return [(arm_name(entry), entry, {})]
    values = entry["values"]
    named = values.items() if isinstance(values, Mapping) else ((value, value) for value in values)
    arms = [
        (f"{arm_name(entry['arm'])}={name}", entry["arm"], {entry["setting"]: json.dumps(value)})
        for name, value in named
    ]
    if not arms:
        raise UsageError(f"{where}: the arm {quoted(entry['arm'])} has no values; give some")
    return arms
