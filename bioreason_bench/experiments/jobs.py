"""Arms and jobs: which recipes are run, with which seeds, and which stages they share."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bioreason_bench.errors import UsageError, one_line
from bioreason_bench.experiments.results import (
    composed_skill,
    json_lines,
    run_folder,
    skill_of,
)
from bioreason_bench.experiments.studies import Study, arm_name
from bioreason_bench.training.data import Corpus
from bioreason_bench.training.measure import configs_to_ask
from bioreason_bench.training.recipe import KINDS, Recipe, Stage, load_recipe, recipe_names


@dataclass(frozen=True)
class Arm:
    """A recipe, or one point of its sweep.

    Attributes:
        name: "sft_mem_ctx+grpo", "sft_mem_ctx+gold=8".
        recipe: Name of a shipped recipe, or path of a YAML file.
        settings: Fields of the recipe that are changed.
    """

    name: str
    recipe: str
    settings: Mapping[str, str]

    def load(self, seed: int = 0) -> Recipe:
        return load_recipe(self.recipe, {"seed": str(seed), **self.settings})


def make_arms(recipes: Sequence[str], folders: Sequence[str] = ()) -> list[Arm]:
    """An arm for each recipe, or for each point of its sweep.

    Args:
        recipes: Names of recipes, or paths of YAML files.
        folders: See `made_for`.
    """
    arms = []
    for name in recipes:
        recipe = made_for(name, folders)
        for value, point in load_recipe(recipe).sweep_points():
            short = arm_name(name)
            arms.append(Arm(f"{short}={value}" if value else short, recipe, point))
    return arms


def arms_of(study: Study, folders: Sequence[str] = (), only: Sequence[str] = ()) -> list[Arm]:
    """The arms of a study, with the fields that it changes in all of them, and in each.

    Args:
        study: The study.
        folders: See `made_for`.
        only: The arms that are wanted; default: all.

    Raises:
        UsageError: A recipe was not made for the folder.
    """
    common = {key: json.dumps(value) for key, value in study.settings.items()}
    arms = []
    for name, recipe, own in study.arms:
        if only and name not in only:
            continue
        made = made_for(recipe, folders)
        arms.append(Arm(name, made, {**_fitting(common, load_recipe(made)), **own}))
    return arms


def made_for(recipe: str, folders: Sequence[str]) -> str:
    """The recipe in the version of the first folder that has its first part: FOLDER/NAME.

    Args:
        recipe: Such as "sft_mem_ctx+grpo".
        folders: Of recipes made for a preset or for a family, such as ("nano_english", "people").

    Raises:
        UsageError: A folder has recipes, but not this one.
    """
    first = recipe.partition("+")[0]
    names = recipe_names()
    for folder in folders:
        if f"{folder}/{first}" in names:
            return f"{folder}/{recipe}"
        made = [name for name in names if name.startswith(f"{folder}/")]
        if made and first in names:
            raise UsageError(
                f"recipe {first} is not made for {folder}, which has {', '.join(made)}; choose "
                "arms of these with --arm"
            )
    return recipe


def with_settings(arms: Sequence[Arm], settings: Mapping[str, str]) -> list[Arm]:
    """The arms with these fields changed, in each arm that has them.

    Raises:
        UsageError: No arm has the stage that a setting names.
    """
    recipes = [arm.load() for arm in arms]
    for key in settings:
        if not any(fits_stage(key, recipe) for recipe in recipes):
            names = one_line(", ".join(arm.name for arm in arms), 200)
            raise UsageError(f"--set {key}: no arm has such a stage; the arms are {names}")
    return [
        replace(arm, settings={**arm.settings, **_fitting(settings, recipe)})
        for arm, recipe in zip(arms, recipes, strict=True)
    ]


def _fitting(settings: Mapping[str, str], recipe: Recipe) -> dict[str, str]:
    return {key: value for key, value in settings.items() if fits_stage(key, recipe)}


def fits_stage(key: str, recipe: Recipe) -> bool:
    """Whether the recipe has the stage that a setting is for.

    `grpo.steps=50` is no mistake for an arm without GRPO; it just does not apply.
    """
    stage = key.partition(".")[0]
    if stage.isdigit():
        return int(stage) <= len(recipe.stages)
    return stage not in KINDS or stage in {stage.kind for stage in recipe.stages}


@dataclass(frozen=True)
class Job:
    """An arm with a seed.

    Attributes:
        arm: What is run.
        seed: Seed of training.
        corpus: The release that it trains on.
        root: The folder of all runs.
        base: The job whose stages are this one's first stages; they are not trained again.
        own: The stages that this job trains itself.
    """

    arm: Arm
    seed: int
    corpus: Corpus
    root: Path
    base: Job | None
    own: tuple[Stage, ...]

    @property
    def folder(self) -> Path:
        return run_folder(self.root, self.arm.name, self.seed)

    @property
    def log_file(self) -> Path:
        """What the process of the job writes to stderr."""
        return self.folder.with_suffix(".log")

    @property
    def label(self) -> str:
        return f"{self.arm.name} seed {self.seed}"

    def model(self) -> Path:
        """The folder of the model after the last stage."""
        return max(path.parent for path in self.folder.glob("*-*/done.json"))

    def complete(self) -> bool:
        """Whether the run has written all its results; a broken file counts as none."""
        path = self.folder / "results.jsonl"
        try:
            return path.is_file() and self.results() is not None
        except UsageError:
            return False

    def results(self) -> list[dict[str, Any]]:
        return json_lines(self.folder / "results.jsonl")

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the stages that this job trains itself."""
        return tuple(stage.kind for stage in self.own)

    def texts(self) -> float:
        """The texts that are learnt, and those that are sampled."""
        texts = 0
        for stage in self.own:
            texts += stage.steps * sum(source.rows for source in stage.batch)
            if stage.prompts is None:
                continue
            if stage.kind == "grpo":
                texts += stage.steps * stage.prompts.rows * stage.samples
            elif stage.kind == "rft":
                texts += stage.steps * stage.prompts.rows + stage.prompts.limit * stage.samples
        return float(texts)

    def share_done(self) -> tuple[float, float]:
        """The shares of the job's steps and of its test sets that are done, in [0, 1]."""
        done = sum(int(point.get("step", 0)) for point in self._last_points())
        steps = sum(stage.steps for stage in self.own)
        evaluate = self.arm.load(self.seed).evaluate
        tests = len(list(self.folder.glob(f"*-*/{evaluate['split']}/*.jsonl")))
        sets = len(configs_to_ask(evaluate, self.corpus))
        return min(1.0, done / steps), min(1.0, tests / max(1, sets))

    def trained_minutes(self) -> float:
        """Minutes that the stages of a complete job took, before and after an interruption."""
        return sum(float(point.get("seconds", 0)) for point in self._last_points()) / 60

    def tested_minutes(self) -> float:
        """Minutes that the answers of a complete job took."""
        return sum(float(line.get("seconds", 0)) for line in self.results()) / 60

    def _last_points(self) -> Iterator[dict[str, Any]]:
        """The last point of the learning curve of each stage."""
        for log in self.folder.glob("*-*/log.jsonl"):
            lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            for line in reversed(lines[-2:]):  # the last one may be in the middle of being written
                with suppress(ValueError):
                    yield json.loads(line)
                    break

    def last_message(self) -> str:
        """The last line of the job's log, for an error message."""
        if not self.log_file.is_file():
            return "it left no message"
        lines = self.log_file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1][-300:] if lines else "it left no message"

    def headline(self) -> str:
        """What the job reached on the levels, in one line."""
        skill = composed_skill([line["config"] for line in self.results()])
        parts = [
            f"{line['config'].partition('_')[2]} {100 * line['exact_match']:.0f} "
            f"({100 * line['process_verified']:.0f})"
            for line in self.results()
            if skill_of(line["config"]) == skill
        ]
        return f"{skill} answers (chains): {', '.join(parts)}"


def make_jobs(arms: Sequence[Arm], corpora: Mapping[int, Corpus], out: Path) -> list[Job]:
    """A job for each arm and seed; its base is the earlier job that shares most first stages.

    Args:
        arms: What is run, in this order.
        corpora: Seed -> the release of its runs.
        out: The folder of all runs.
    """
    jobs: list[Job] = []
    for seed, corpus in corpora.items():
        earlier: list[tuple[Job, Recipe]] = []
        for arm in arms:
            recipe = arm.load(seed)
            base, shared = None, 0
            for job, other_recipe in earlier:
                count = recipe.shared_stages(other_recipe)
                if shared < count < len(recipe.stages):
                    base, shared = job, count
            earlier.append((Job(arm, seed, corpus, out, base, recipe.stages[shared:]), recipe))
        jobs += [job for job, _ in earlier]
    return jobs
