"""Result lines of several runs: read from files and run folders, sorted by arm and seed.

A line is a dictionary with a `type`: "run" (how a run was made), "result" (what it reached on one
test set) or "passk" (its pass@k curve).  An arm is a recipe, or one point of a recipe's sweep; its
name is "sft_mem_ctx" or "few_shot=8".
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bioreason_bench import inputs
from bioreason_bench.errors import ReleaseError, UsageError
from bioreason_bench.escaping import without_token
from bioreason_bench.inputs import Unreadable, read_json
from bioreason_bench.release.disk import write_whole
from bioreason_bench.taxonomy import LEVELS
from bioreason_bench.training.checkpoints import disk_errors
from bioreason_bench.validation import problems

Line = Mapping[str, Any]
Lines = Sequence[Line]

ORDER = (
    "sft_comp",
    "sft_comp_grpo",
    "sft_comp_rft",
    "sft_mem",
    "sft_mem_grpo",
    "sft_ctx",
    "sft_ctx_grpo",
    "sft_mem_ctx",
    "sft_mem_ctx_grpo",
    "sft_mem_ctx_sft",
)
TRAIN_AGAIN = "give a folder or file that bioreason-baseline wrote, or train again"
VERDICTS = "verdicts"  # key of a result line: the file with the verdict on each question


class Results:
    """The lines of several runs, by arm and seed.

    Attributes:
        runs: Lines of type "run".
        passk: Lines of type "passk".
        lines: Lines of type "result" of the last stage of each run.
        arms: Names of the arms in the order of the report.
        seeds: Seeds of training, sorted.
        bases: Arm -> the arm whose model it was trained from.
    """

    def __init__(self, lines: Lines) -> None:
        self.runs = [line for line in lines if line.get("type") == "run"]
        self.passk = [line for line in lines if line.get("type") == "passk"]
        self.lines = of_last_stage([line for line in lines if line.get("type") == "result"])
        arms = {line["arm"] for line in self.lines}
        known = [arm for arm in ORDER if arm in arms]
        self.arms = known + sorted(arms.difference(known), key=sweep_order)
        self.seeds = sorted({line["seed"] for line in self.lines})
        self.bases = bases_of(self.runs)

    def of(self, arm: str) -> list[Line]:
        return [line for line in self.lines if line["arm"] == arm]

    def by_arm(self) -> dict[str, list[Line]]:
        return {arm: self.of(arm) for arm in self.arms}

    def configs(self, skill: str) -> list[str]:
        """The test sets of a skill that were measured, in the order of the levels."""
        measured = {line["config"] for line in self.lines}
        return [f"{skill}_{level}" for level in LEVELS if f"{skill}_{level}" in measured]


def of_last_stage(lines: Lines) -> list[Line]:
    """The lines whose stage is the last one measured in their run."""
    last: dict[tuple[str, int], int] = {}
    for line in lines:
        run = (line["arm"], line["seed"])
        last[run] = max(last.get(run, 0), line["stage"])
    return [line for line in lines if line["stage"] == last[line["arm"], line["seed"]]]


def sweep_order(arm: str) -> tuple[str, float]:
    """A sort key that puts "few_shot=8" before "few_shot=16"."""
    name, _, value = arm.partition("=")
    return name, sweep_number(value) or 0.0


def sweep_number(value: str) -> float | None:
    """The number at the end of an arm's name; None if it is no finite number."""
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def bases_of(runs: Lines) -> dict[str, str]:
    """The base of each arm: as its run states it, else the arm with most of its first stages."""
    recipes = {run["arm"]: run["recipe"] for run in runs}
    bases = {run["arm"]: run["base"] for run in runs if run.get("base")}
    for arm, recipe in recipes.items():
        for other, other_recipe in recipes.items():
            longest = len(recipes.get(bases.get(arm, ""), {}).get("stages", []))
            if longest < len(other_recipe.get("stages", [])) and _begins_with(recipe, other_recipe):
                bases[arm] = other
    return bases


def _begins_with(recipe: Line, other: Line) -> bool:
    """Whether `recipe` has all stages of `other`, on the same model, and then some."""
    stages, first = recipe.get("stages", []), other.get("stages", [])
    return (
        len(first) < len(stages)
        and stages[: len(first)] == first
        and recipe.get("model") == other.get("model")
    )


def read_lines(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """Read the result lines of files, run folders, or folders of run folders.

    A result line whose verdicts are on disk gets their path under the key "verdicts".

    Raises:
        UsageError: There is no result line, or a file is not made of JSON lines.
    """
    lines = [line for path in paths for line in _lines_of(path)]
    if not any(line.get("type") == "result" for line in lines):
        raise UsageError(
            f"no results in {', '.join(map(str, paths))}; "
            "give run folders that are complete, or files of results"
        )
    return lines


def _lines_of(path: Path) -> list[dict[str, Any]]:
    if path.is_file():
        return _lines_of_study(path)
    if (path / "run.json").is_file():
        return _lines_of_run(path)
    if (path / "results.jsonl").is_file():
        return _lines_of_study(path / "results.jsonl")
    runs = sorted(described.parent for described in path.glob("**/run.json"))
    return [line for run in runs for line in _lines_of_run(run)]


def _lines_of_study(path: Path) -> list[dict[str, Any]]:
    """The lines of a file that `reproduce` wrote next to its run folders, or of a copy of it."""
    lines = json_lines(path)
    for number, line in enumerate(lines, 1):
        _check_line(path, number, line)
        if line["type"] == "result":
            add_verdicts(line, run_folder(path.parent, line["arm"], line["seed"]))
    return lines


def _lines_of_run(folder: Path) -> list[dict[str, Any]]:
    if not (folder / "results.jsonl").is_file():
        return []
    run = _read_table(folder / "run.json")
    recipe = run.get("recipe")
    if not isinstance(recipe, dict) or not isinstance(recipe.get("name"), str):
        raise ReleaseError(f"{folder / 'run.json'} names no recipe; {TRAIN_AGAIN}")
    arm = recipe["name"].replace("/", "-") + sweep_value(recipe)
    stages = [stage_summary(_read_table(path)) for path in sorted(folder.glob("*-*/done.json"))]
    lines = [run_line(arm, recipe.get("seed", 0), stages, run)]
    _check_line(folder / "run.json", 1, lines[0])
    for number, line in enumerate(json_lines(folder / "results.jsonl"), 1):
        result = {"type": "result", **line, "arm": arm}
        _check_line(folder / "results.jsonl", number, result)
        add_verdicts(result, folder)
        lines.append(result)
    return lines


def _read_table(path: Path) -> dict[str, Any]:
    """The table in a JSON file; ReleaseError if it is something else."""
    try:
        values = read_json(path)
    except OSError as error:
        raise ReleaseError(f"{path} cannot be read ({error.strerror}); {TRAIN_AGAIN}") from None
    except Unreadable as problem:
        raise ReleaseError(f"{path} cannot be read ({problem}); {TRAIN_AGAIN}") from None
    if not isinstance(values, dict):
        raise ReleaseError(f"{path} holds no table of values; {TRAIN_AGAIN}")
    return values


def _check_line(path: Path, number: int, line: Line) -> None:
    """Raise UsageError if a line does not fit schemas/results.schema.json."""
    if wrong := problems("results", line):
        raise UsageError(
            f"{path}, line {number}: no result of bioreason-baseline: {wrong[0]}; {TRAIN_AGAIN}"
        )


def json_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines; UsageError if it is something else."""
    lines = []
    try:
        for number, line in inputs.json_lines(path):
            if not isinstance(line, dict):
                raise Unreadable(f"line {number} is no table of values")
            lines.append(line)
    except OSError as error:
        raise ReleaseError(f"{path} cannot be read ({error.strerror})") from None
    except Unreadable as problem:
        raise UsageError(f"{path} is no file of results (JSON lines): {problem}") from None
    return lines


def write_json_lines(path: Path, lines: Lines) -> None:
    with disk_errors(path):
        write_whole(path, without_token("".join(json.dumps(line) + "\n" for line in lines)))


def run_folder(root: Path, arm: str, seed: int) -> Path:
    """The folder of a run in the folder of all runs: ROOT/seed1/few_shot-8."""
    return root / f"seed{seed}" / arm.replace("=", "-")


def add_verdicts(line: dict[str, Any], folder: Path) -> None:
    """Add the path of the verdicts to a result line, if the run folder has them."""
    if not {"stage", "kind", "split", "config"} <= line.keys():
        return
    path = folder / f"{line['stage']}-{line['kind']}" / line["split"] / f"{line['config']}.jsonl"
    if path.is_file():
        line[VERDICTS] = path


def stage_summary(done: Line) -> dict[str, Any]:
    """What done.json says about a stage, without its results."""
    return {key: value for key, value in done.items() if key != "results"}


def run_line(arm: str, seed: int, stages: Lines, run: Line) -> dict[str, Any]:
    """The line of type "run": arm, seed, minutes and stages, then what run.json holds."""
    minutes = round(sum(stage.get("seconds", 0.0) for stage in stages) / 60, 1)
    head = {"type": "run", "arm": arm, "seed": seed, "minutes": minutes, "stages": stages}
    return {**head, **run}


def sweep_value(recipe: Line) -> str:
    """The end of an arm's name: "=8" for a point of a sweep, "" for any other run."""
    sweep = recipe.get("sweep") or recipe.get("ladder")  # "ladder" in older runs
    if not sweep:
        return ""
    try:
        first, *rest = sweep["setting"].split(".")
        stages = recipe["stages"]
        if first.isdigit():
            value: Any = stages[int(first) - 1]
        else:
            value = next(stage for stage in stages if stage["kind"] == first)
    except (KeyError, IndexError, TypeError, AttributeError, StopIteration):
        return ""  # a recipe that no run has written
    for key in rest:
        value = value.get(key) if isinstance(value, Mapping) else None
    return "" if value is None else f"={value}"
