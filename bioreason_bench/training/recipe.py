"""Recipes: a model and a list of stages, read from YAML, checked by schemas/recipe.schema.json, changed by `--set`.

    recipe = load_recipe("sft_mem_ctx_grpo", {"grpo.steps": "300", "seed": "1"})

A key of `--set` is a field of the recipe, or `stage.field`, where stage is its number from 1 or its kind (all stages of that
kind): `sft.steps=100`, `2.learning_rate=1e-4`, `sft.batch.mem=64`.
"""

from __future__ import annotations

import contextlib
import copy
import difflib
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bioreason_bench.errors import UsageError
from bioreason_bench.resources import folder

RECIPES = Path(__file__).parent / "recipes"
KINDS = ("sft", "rft", "grpo")  # of stages


@dataclass(frozen=True)
class Source:
    """Where texts come from, and which of them."""

    name: str  # see data.py
    rows: int = 0  # texts a step
    format: str = "chain"  # or "answer": learn only the last sentence
    portion: int = 100  # the nested portion of the training questions, in percent
    limit: int = 0  # at most so many, drawn; 0 for all
    hops: tuple[int, ...] = ()
    patterns: tuple[str, ...] = ()
    without_paths_of: str = ""  # leave out questions whose path stands in that source


@dataclass(frozen=True)
class Stage:
    """One stage of training.  `sft` learns the batch; `rft` samples answers to `prompts`, keeps right ones and learns those
    (with the batch); `grpo` rewards samples, with the batch as replay beside it.
    """

    kind: str  # sft, rft, grpo
    steps: int
    learning_rate: float
    matrix_learning_rate: float = (
        0.0  # Muon for weight matrices at this rate; 0: AdamW for everything (sft, rft)
    )
    batch: tuple[Source, ...] = ()
    prompts: Source | None = (
        None  # rft, grpo: `rows` prompts a step (grpo), or sampled from (rft: `limit`)
    )
    samples: int = 8  # completions a prompt
    keep: int = 2  # rft: at most so many different right completions a prompt
    temperature: float = 1.0
    max_completion: int = 128  # tokens
    reward: Mapping[str, float] = field(default_factory=lambda: {"outcome": 1.0})
    reward_options: Mapping[str, Any] = field(default_factory=dict)
    replay_weight: float = 1.0  # grpo: weight of the batch's loss
    beta: float = 0.0  # grpo: KL to the model that the stage began with
    warmup: int = 100  # steps
    schedule: str = "cosine"  # to a tenth; or "constant"
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.98)
    clip: float = 1.0
    accumulate: int = 1  # split a step's texts into so many parts
    save_every: int = 500  # steps between checkpoints to resume from
    trl: Mapping[str, Any] = field(
        default_factory=dict
    )  # passed on to SFTConfig or GRPOConfig: use_vllm, fsdp, deepspeed, report_to ...


@dataclass(frozen=True)
class Recipe:
    name: str
    model: Mapping[str, Any]  # {"name": ...} or {"from_scratch": {...}}
    stages: tuple[Stage, ...]
    about: str = ""
    seed: int = 0
    preset: str = "nano"  # the release that the recipe was made for
    max_length: int = 1024  # tokens of prompt and completion
    packed: bool = False
    bf16: bool | None = None  # None: on GPUs, and on CPUs whose bfloat16 is native
    evaluate: Mapping[str, Any] = field(
        default_factory=lambda: {"split": "test", "limit": 0, "batch": 256}
    )
    ladder: Mapping[str, Any] = field(
        default_factory=dict
    )  # {"setting": key, "values": [...]}: `train --ladder` runs each
    source: Mapping[str, Any] = field(default_factory=dict)  # the recipe as a plain dictionary

    def as_dict(self) -> dict[str, Any]:
        return copy.deepcopy(dict(self.source))

    def shared_stages(self, other: Recipe) -> int:
        """How many first stages are the very same in both: same model, seed and settings."""
        before = ("model", "seed", "max_length", "packed", "bf16")
        if any(getattr(self, name) != getattr(other, name) for name in before):
            return 0
        pairs = zip(self.stages, other.stages, strict=False)
        return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))

    def rungs(self) -> list[tuple[str, dict[str, str]]]:
        """(value, settings) of each rung of the recipe's ladder; a recipe without a ladder is one rung, ("", {})."""
        if not self.ladder:
            return [("", {})]
        return [
            (str(value), {self.ladder["setting"]: str(value)}) for value in self.ladder["values"]
        ]


def recipe_names() -> list[str]:
    return sorted(
        str(path.relative_to(RECIPES).with_suffix("")) for path in RECIPES.rglob("*.yaml")
    )


def load_recipe(name: str | Path, settings: Mapping[str, str] | None = None) -> Recipe:
    """The recipe called `name` (or in the YAML file of that path) with `settings` applied; UsageError says what is wrong with it."""
    import yaml

    path = RECIPES / f"{name}.yaml"
    if not path.is_file():
        path = Path(name)
        if path.suffix not in (".yaml", ".yml") or not path.is_file():
            close = difflib.get_close_matches(str(name), recipe_names(), 1)
            hint = (
                f"did you mean {close[0]!r}?"
                if close
                else "bioreason-baseline train --list names them; or give a path to a .yaml file"
            )
            raise UsageError(f"there is no recipe {str(name)!r}: {hint}")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"recipe {path} cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise UsageError(
            f"recipe {path} is not a table of fields; see the shipped ones in {RECIPES}"
        )
    return make_recipe({"name": path.stem, **values}, settings or {}, str(path))


def make_recipe(
    values: Mapping[str, Any], settings: Mapping[str, str] | None = None, where: str = "recipe"
) -> Recipe:
    """A recipe from a plain dictionary."""
    values = copy.deepcopy(dict(values))
    for key, text in (settings or {}).items():
        _set(values, key, text)
    _check(values, where)
    fields = {key: value for key, value in values.items() if key != "stages"}
    if "evaluate" in fields:
        fields["evaluate"] = {"split": "test", "limit": 0, "batch": 256, **fields["evaluate"]}
    return Recipe(
        **fields, stages=tuple(_stage(stage) for stage in values["stages"]), source=values
    )


def schema() -> dict[str, Any]:
    return json.loads((folder("schemas") / "recipe.schema.json").read_text(encoding="utf-8"))


def _check(values: dict[str, Any], where: str) -> None:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    error = best_match(Draft202012Validator(schema()).iter_errors(values))
    if error is None:
        return
    place = (
        ".".join(str(part + 1 if isinstance(part, int) else part) for part in error.absolute_path)
        or "the recipe"
    )
    message = error.message
    if error.validator == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        wrong = next((key for key in error.instance if key not in known), "")
        close = difflib.get_close_matches(wrong, known, 1)
        message = f"there is no field {wrong!r}" + (
            f"; did you mean {close[0]!r}?" if close else f"; the fields are {', '.join(known)}"
        )
    raise UsageError(f"{where}: {place}: {message}")


def _stage(values: Mapping[str, Any]) -> Stage:
    values = dict(values)
    batch = tuple(_source(name, what) for name, what in values.pop("batch", {}).items())
    prompts = values.pop("prompts", None)
    if prompts is not None:
        (name, what), *_ = prompts.items()
        prompts = _source(name, what)
    if "betas" in values:
        values["betas"] = tuple(values["betas"])
    return Stage(**values, batch=tuple(source for source in batch if source.rows), prompts=prompts)


def _source(name: str, what: int | Mapping[str, Any]) -> Source:
    """`mem: 32`, or `mem: {rows: 32, portion: 10}`; a second use of a source is written `mem#2`."""
    options = {"rows": what} if isinstance(what, int) else dict(what)
    for key in ("hops", "patterns"):
        if key in options:
            options[key] = tuple(options[key])
    return Source(name=name.partition("#")[0], **options)


def _set(values: dict[str, Any], key: str, text: str) -> None:
    """Applies one `--set key=value` to the plain dictionary."""
    import yaml

    try:
        value = yaml.safe_load(text) if isinstance(text, str) else text
    except yaml.YAMLError:
        value = text
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            value = float(value)  # YAML takes 1e-4 for a word
    first, *rest = key.split(".")
    stages = values.get("stages") or []
    places: list[dict[str, Any]]
    if rest and first.isdigit():
        if not 1 <= int(first) <= len(stages):
            raise UsageError(f"--set {key}: the recipe has stages 1 to {len(stages)}")
        places = [stages[int(first) - 1]]
    elif rest and first in KINDS:
        places = [stage for stage in stages if stage.get("kind") == first]
        if not places:
            raise UsageError(
                f"--set {key}: the recipe has no {first} stage; it has {', '.join(stage['kind'] for stage in stages)}"
            )
    else:
        places, rest = [values], [first, *rest]
    for place in places:
        for part in rest[:-1]:
            if isinstance(place.get(part), int):
                place[part] = {"rows": place[part]}
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise UsageError(f"--set {key}: {part} holds one value, not fields")
        place[rest[-1]] = value
