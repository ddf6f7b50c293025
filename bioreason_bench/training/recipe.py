"""Recipes: a model and a list of stages, read from YAML, checked by schemas/recipe.schema.json.

    recipe = load_recipe("sft_mem_ctx+grpo", {"grpo.steps": "300", "seed": "1"})

Recipes continue one another: `a+b` has the stages of a, then those of b, and a recipe without a
model names the one that comes before it in `after`.

A setting (`--set` on the command line) names a field of the recipe, or `stage.field`, where stage
is its number from 1 or its kind (all stages of that kind): `sft.steps=100`,
`2.learning_rate=1e-4`, `sft.batch.mem=64`.
"""

from __future__ import annotations

import contextlib
import copy
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bioreason_bench.errors import UsageError, one_line, quoted, suggest
from bioreason_bench.inputs import Unreadable, parse_yaml, read_yaml_table
from bioreason_bench.resources import folder
from bioreason_bench.schema import validator
from bioreason_bench.training.recipe_checks import check_options, check_values

RECIPES = Path(__file__).parent / "recipes"
DEPTH = 20  # of recipes that continue one another
KINDS = ("sft", "rft", "grpo")  # of stages
OF_FIRST = ("preset", "max_length", "seed", "packed", "bf16", "lora")  # of the first part alone
OF_PARTS = ("name", "about", "after", "evaluate", "stages", "sweep", "ladder")
EVALUATE = {"split": "test", "limit": 0, "batch": 256}


@dataclass(frozen=True)
class Source:
    """A set of texts, and which of them to use.

    Attributes:
        name: `mem`, `ctx`, `comp`, `comp_rl`, `biographies`, `atoms` or a test set (see data.py),
            or a config of another family, such as `strings_atoms`.
        rows: Texts (grpo: prompts) per step.
        format: `chain`, or `answer` to train on the last sentence only.
        portion: Percentage of the training questions; smaller portions are subsets of larger ones.
        limit: Maximum number of texts, drawn at random; 0 for all.
        hops: Use only questions with these numbers of hops; empty for all.
        patterns: Use only questions with these patterns (`PC`); empty for all.
        without_paths_of: Leave out questions whose path occurs in this other source.
    """

    name: str
    rows: int = 0
    format: str = "chain"
    portion: int = 100
    limit: int = 0
    hops: tuple[int, ...] = ()
    patterns: tuple[str, ...] = ()
    without_paths_of: str = ""


@dataclass(frozen=True)
class Stage:
    """One stage of training.

    Attributes:
        kind: `sft` trains on the batch; `rft` samples answers to the prompts, keeps the right ones
            and trains on those and the batch; `grpo` rewards sampled answers and replays the batch.
        steps: Optimizer steps.
        learning_rate: Of AdamW.
        matrix_learning_rate: Of Muon for weight matrices (sft, rft); 0 for AdamW everywhere.
        batch: The texts of one step.
        prompts: Questions to sample answers to (rft, grpo).
        samples: Completions per prompt.
        keep: Maximum number of different right completions kept per prompt (rft).
        temperature: Of sampling.
        max_completion: Maximum length of a completion in tokens.
        reward: Weights of the rewards by name (grpo).
        reward_options: Weights inside the composite reward.
        replay_weight: Weight of the batch's loss (grpo).
        beta: Weight of the KL divergence from the model that the stage started from (grpo).
        warmup: Steps of linear warm-up.
        schedule: `cosine` (to a tenth of the learning rate) or `constant`.
        weight_decay: Of all parameters with `matrix_learning_rate`, else not of norms and biases.
        betas: Of AdamW.
        clip: Maximum norm of the gradient.
        accumulate: Number of parts that a step's texts are split into, over all devices.
        save_every: Steps between checkpoints to resume from.
        trl: Passed on to SFTConfig or GRPOConfig: use_vllm, fsdp, deepspeed ...
    """

    kind: str
    steps: int
    learning_rate: float
    matrix_learning_rate: float = 0.0
    batch: tuple[Source, ...] = ()
    prompts: Source | None = None
    samples: int = 8
    keep: int = 2
    temperature: float = 1.0
    max_completion: int = 128
    reward: Mapping[str, float] = field(default_factory=lambda: {"outcome": 1.0})
    reward_options: Mapping[str, Any] = field(default_factory=dict)
    replay_weight: float = 1.0
    beta: float = 0.0
    warmup: int = 100
    schedule: str = "cosine"
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.98)
    clip: float = 1.0
    accumulate: int = 1
    save_every: int = 500
    trl: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Recipe:
    """A model and the stages that train it.

    Attributes:
        name: File name of the recipe without `.yaml`.
        model: `{"name": ...}` for an existing model, `{"from_scratch": {...}}` for a new one.
        stages: In the order of training.
        about: One sentence.
        seed: Of everything random in training.
        preset: Preset of the release that the recipe was made for.
        max_length: Maximum length of prompt and completion in tokens.
        packed: Let short texts share a row.
        bf16: Compute in bfloat16; None: on GPUs, and on CPUs with native bfloat16.
        evaluate: What to evaluate: split, limit, batch, configs, each_stage.
        lora: `{"r": 16, "alpha": 32, ...}`: train adapters of this rank in place of all weights.
        sweep: `{"setting": key, "values": [...]}`: `train --sweep` makes one run per value.
        source: The recipe as a plain dictionary.
    """

    name: str
    model: Mapping[str, Any]
    stages: tuple[Stage, ...]
    about: str = ""
    seed: int = 0
    preset: str = "nano"
    max_length: int = 1024
    packed: bool = False
    bf16: bool | None = None
    lora: Mapping[str, Any] = field(default_factory=dict)
    evaluate: Mapping[str, Any] = field(default_factory=lambda: dict(EVALUATE))
    sweep: Mapping[str, Any] = field(default_factory=dict)
    source: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return copy.deepcopy(dict(self.source))

    def shared_stages(self, other: Recipe) -> int:
        """Number of first stages that are the same in both: same model, seed and settings."""
        before = ("model", "seed", "max_length", "packed", "bf16", "lora")
        if any(getattr(self, name) != getattr(other, name) for name in before):
            return 0
        pairs = zip(self.stages, other.stages, strict=False)
        return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))

    def sweep_points(self) -> list[tuple[str, dict[str, str]]]:
        """(value, settings) of each point of the sweep; [("", {})] for a recipe without one."""
        if not self.sweep:
            return [("", {})]
        key = self.sweep["setting"]
        return [(str(value), {key: str(value)}) for value in self.sweep["values"]]


def recipe_names() -> list[str]:
    """Names of the shipped recipes, such as `sft_comp` and `qwen/sft_comp_3b`."""
    return sorted(
        str(path.relative_to(RECIPES).with_suffix("")) for path in RECIPES.rglob("*.yaml")
    )


def load_recipe(name: str | Path, settings: Mapping[str, str] | None = None) -> Recipe:
    """Load a shipped recipe by name, or a YAML file by path, and apply `settings`.

    Raises:
        UsageError: There is no such recipe, or it is invalid.
    """
    parts = str(name).split("+") if not _is_path(name) else [str(name)]
    parts = [parts[0], *(_sibling(parts[0], part) for part in parts[1:])]
    tables = [read_part(part) for part in parts]
    while (first := tables[0]).get("after") and not first.get("model"):
        parts.insert(0, _sibling(parts[0], str(first["after"])))
        tables.insert(0, read_part(parts[0]))
        if len(tables) > DEPTH:
            raise UsageError(f"recipe {parts[0]}: `after` leads around in a circle; end it")
    joined = join_parts(str(name), tables)
    if not _is_path(name):
        joined["name"] = "+".join(part.rpartition("/")[2] for part in str(name).split("+"))
    return make_recipe(joined, settings or {}, f"recipe {name}")


def _is_path(name: str | Path) -> bool:
    return Path(name).suffix in (".yaml", ".yml")


def _sibling(name: str, other: str) -> str:
    """The recipe `other` as the recipe `name` means it: beside it; of your own file, a shipped one.

    Raises:
        UsageError: `name` was made for a preset or family that has no such recipe.
    """
    if _is_path(name) and (Path(name).parent / f"{other}.yaml").is_file():
        return str(Path(name).parent / f"{other}.yaml")
    made_for = "" if _is_path(name) else name.rpartition("/")[0]
    beside = f"{made_for}/{other}"
    known = recipe_names()
    if made_for and "/" not in other and beside not in known and other in known:
        raise UsageError(
            f"recipe {other} is not made for {made_for}: its learning rate and lengths do not fit; "
            f"write the stages into a file of your own, with `after: {name}`, and train that"
        )
    return beside if beside in known else other


def read_part(name: str) -> dict[str, Any]:
    """The fields of one recipe file, a shipped one or a YAML file; not yet checked.

    Raises:
        UsageError: There is no such recipe, or it is no table of fields.
    """
    path = RECIPES / f"{name}.yaml"
    if name not in recipe_names():
        path = Path(name)
        if not _is_path(path):
            otherwise = "bioreason-baseline train --list names them; or give a path to a .yaml file"
            hint = suggest(name, recipe_names(), otherwise)
            raise UsageError(f"there is no recipe {quoted(name)}: {hint}")
    values = read_yaml_table(path, "recipe", RECIPES)
    return {"name": path.stem, **values}


def join_parts(name: str, parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One recipe of several: the fields of the first, the stages of all, the sweep of the last.

    A stage number in a sweep counts within its own part.

    Raises:
        UsageError: A part after the first has a field that only the first can have.
    """
    first, last = parts[0], parts[-1]
    if len(parts) == 1:
        return dict(first)
    for part in parts[1:]:
        if "model" in part:
            raise UsageError(
                f"recipe {name}: {part['name']} has a model of its own, so it cannot continue "
                f"{first['name']}; name it alone or first"
            )
        for key in part:
            if key in OF_FIRST:
                raise UsageError(
                    f"recipe {name}: {part['name']} continues {first['name']}, whose {key} holds "
                    f"for all stages; take it out and change it with --set {key}=VALUE"
                )
            if key not in OF_PARTS:
                raise UsageError(
                    f"recipe {name}: {part['name']} has no field {quoted(key)}: "
                    f"{suggest(key, OF_PARTS, 'choose one of ' + ', '.join(OF_PARTS))}"
                )
    before: list[Any] = []
    for part in parts[:-1]:
        before += _stages_of(part)
    fields = {key: value for key, value in first.items() if key not in ("after", "sweep")}
    joined = {**fields, "name": last["name"]}
    for key in ("about", "evaluate"):
        if key in last:
            joined[key] = last[key]
    if "sweep" in last:
        number, dot, rest = str(last["sweep"].get("setting")).partition(".")
        number = str(int(number) + len(before)) if number.isdecimal() else number
        joined["sweep"] = {**last["sweep"], "setting": number + dot + rest}
    return {**joined, "stages": [*before, *_stages_of(last)]}


def _stages_of(part: Mapping[str, Any]) -> list[Any]:
    stages = part.get("stages")
    return stages if isinstance(stages, list) else []


def make_recipe(
    values: Mapping[str, Any], settings: Mapping[str, str] | None = None, where: str = "recipe"
) -> Recipe:
    """Make a recipe from a plain dictionary.

    Args:
        values: The fields of the YAML file.
        settings: Changes to apply first, as `--set` takes them.
        where: What an error message calls the recipe.
    """
    check_values(values, where)
    recipe = copy.deepcopy(dict(values))
    if "ladder" in recipe:  # its name in 0.1.0
        recipe["sweep"] = recipe.pop("ladder")
    stages = recipe.get("stages")
    if not isinstance(stages, list) or not all(isinstance(stage, dict) for stage in stages):
        _check(recipe, where)
    for key, text in (settings or {}).items():
        _apply_setting(recipe, key, text)
    check_values(recipe, where)
    _check(recipe, where)
    if "model" not in recipe:
        raise UsageError(
            f"{where} has no model: it continues another recipe; "
            f"write both, such as sft_mem_ctx+{recipe['name']}"
        )
    check_options(recipe, where)
    fields = {key: value for key, value in recipe.items() if key not in ("stages", "after")}
    if "evaluate" in fields:
        fields["evaluate"] = {**EVALUATE, **fields["evaluate"]}
    made = tuple(_stage(stage) for stage in recipe["stages"])
    for number, stage in enumerate(made, 1):
        if stage.kind == "sft" and not stage.batch:
            raise UsageError(
                f"{where}: stage {number}: an sft stage needs texts, such as batch: {{mem: 32}}"
            )
        if stage.prompts is not None and not stage.prompts.rows:
            raise UsageError(
                f"{where}: stage {number}: a {stage.kind} stage needs prompts per step, "
                f"such as prompts: {{{stage.prompts.name}: 32}}"
            )
    return Recipe(**fields, stages=made, source=recipe)


def parts_of_step(accumulate: int, devices: int) -> int:
    """The parts of a step over all devices: `accumulate` or more, as many on each device."""
    return devices * -(-accumulate // devices)


def prompts_of(recipe: Recipe, stage: Stage) -> Source:
    """The prompts of an rft or grpo stage; UsageError if it has none."""
    if stage.prompts is None:
        raise UsageError(
            f"recipe {recipe.name}: a {stage.kind} stage needs prompts, such as "
            "prompts: {comp_rl: 32}"
        )
    return stage.prompts


def schema() -> dict[str, Any]:
    """The JSON schema of a recipe."""
    return json.loads((folder("schemas") / "recipe.schema.json").read_text(encoding="utf-8"))


def _check(values: dict[str, Any], where: str) -> None:
    from jsonschema.exceptions import best_match

    error = best_match(validator("recipe").iter_errors(values))
    if error is None:
        return
    steps = (part + 1 if isinstance(part, int) else part for part in error.absolute_path)
    path = ".".join(map(str, steps)) or "the recipe"
    message = one_line(error.message, 200)
    if error.validator == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        wrong = next((key for key in error.instance if key not in known), "")
        message = f"there is no field {quoted(wrong)}; {suggest(wrong, known)}"
    raise UsageError(f"{where}: {path}: {message}")


def _stage(values: Mapping[str, Any]) -> Stage:
    values = dict(values)
    batch = tuple(_source(name, options) for name, options in values.pop("batch", {}).items())
    prompts = values.pop("prompts", None)
    if prompts is not None:
        (name, options), *_ = prompts.items()
        prompts = _source(name, options)
    if "betas" in values:
        values["betas"] = tuple(values["betas"])
    return Stage(**values, batch=tuple(source for source in batch if source.rows), prompts=prompts)


def _source(key: str, value: int | Mapping[str, Any]) -> Source:
    """`mem: 32`, or `mem: {rows: 32, portion: 10}`; a second use of a source is written `mem#2`."""
    options: dict[str, Any] = {"rows": value} if isinstance(value, int) else dict(value)
    for name in ("hops", "patterns"):
        if name in options:
            options[name] = tuple(options[name])
    return Source(name=key.partition("#")[0], **options)


def _apply_setting(values: dict[str, Any], key: str, text: str) -> None:
    """Apply one `--set key=text` to the plain dictionary of a recipe, in place."""
    value = _parse(text)
    tables, names = _tables_of_setting(values, key)
    for table in tables:
        for name in names[:-1]:
            if isinstance(table.get(name), int):
                table[name] = {"rows": table[name]}
            table = table.setdefault(name, {})
            if not isinstance(table, dict):
                raise UsageError(f"--set {key}: {name} holds one value, not fields")
        table[names[-1]] = value


def _parse(text: Any) -> Any:
    """The value that `text` is in YAML; a number in either notation."""
    try:
        value = parse_yaml(text) if isinstance(text, str) else text
    except Unreadable:
        value = text
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            value = float(value)  # YAML reads 1e-4 as a string
    return value


def _tables_of_setting(values: dict[str, Any], key: str) -> tuple[list[dict[str, Any]], list[str]]:
    """The tables that a setting changes (the recipe, or some stages), and the names below them."""
    first, *rest = key.split(".")
    stages = values.get("stages") or []
    if rest and first.isdecimal() and len(first) < 10:
        if not 1 <= int(first) <= len(stages):
            raise UsageError(f"--set {key}: the recipe has stages 1 to {len(stages)}")
        return [stages[int(first) - 1]], rest
    if rest and first in KINDS:
        chosen = [stage for stage in stages if stage.get("kind") == first]
        if not chosen:
            kinds = ", ".join(str(stage.get("kind")) for stage in stages)
            raise UsageError(f"--set {key}: the recipe has no {first} stage; it has {kinds}")
        return chosen, rest
    return [values], [first, *rest]
