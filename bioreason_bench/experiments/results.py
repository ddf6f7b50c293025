"""Result lines: read from files of them and from run folders, and written.

A line is a dictionary with a `type`:

    study     what was asked, and the claims that were stated beforehand; at most one
    run       how a run was made: recipe, world, stages, learning curve
    result    what a run reached on one test set
    passk     its pass@k curve

An arm is a recipe, or one point of a recipe's sweep; its name is "sft_mem_ctx" or "few_shot=8".
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
from bioreason_bench.training.checkpoints import disk_errors
from bioreason_bench.validation import problems

Line = Mapping[str, Any]
Lines = Sequence[Line]

TRAIN_AGAIN = "give a folder or file that bioreason-baseline wrote, or train again"
RESULTS, STUDY = "results.jsonl", "study.json"  # files of a study; STUDY is written before its runs
VERDICTS = "verdicts"  # key of a result line: the file with the verdict on each question
CURVE_POINTS = 40  # of a stage, about
FIRST_STEPS = 25  # of GRPO, over which the reward at the start is averaged
BASE = "base+"  # begins the names of recipes whose common base goes without saying


def skill_of(config: str) -> str:
    """The skill of a test set: "comp" of "comp_iid"."""
    return config.partition("_")[0]


def composed_skill(configs: Sequence[str]) -> str:
    """The skill that test sets are about: `comp`, or that of the questions of another family."""
    skills = [skill_of(config) for config in configs]
    return skills[0] if skills and "comp" not in skills else "comp"


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
        return _lines_of_file(path)
    if (path / "run.json").is_file():
        return _lines_of_folder(path)
    if (path / RESULTS).is_file():
        return _lines_of_file(path / RESULTS)
    lines: list[dict[str, Any]] = []
    if (path / STUDY).is_file():
        lines = _checked(path / STUDY, [_read_table(path / STUDY)])
    arms = {run_folder(path, arm, 0).name: arm for line in lines for arm in line.get("arms", ())}
    for run in sorted(described.parent for described in path.glob("**/run.json")):
        lines += _lines_of_folder(run, arms.get(run.name, ""))
    for passk in sorted(path.glob("**/*.passk.jsonl")):
        lines += _checked(passk, json_lines(passk))
    return lines


def _lines_of_file(path: Path) -> list[dict[str, Any]]:
    """The lines of a file that `reproduce` wrote next to its run folders, or of a copy of it."""
    lines = _checked(path, json_lines(path))
    for line in lines:
        line.pop(VERDICTS, None)
        if line["type"] == "result":
            add_verdicts(line, run_folder(path.parent, line["arm"], line["seed"]))
    return lines


def _lines_of_folder(folder: Path, arm: str = "") -> list[dict[str, Any]]:
    """The lines of a run folder; its arm, unless it is given, and its seed are in its recipe."""
    if not (folder / RESULTS).is_file():
        return []
    recipe = _read_table(folder / "run.json").get("recipe")
    if not isinstance(recipe, dict) or not isinstance(recipe.get("name"), str):
        raise ReleaseError(f"{folder / 'run.json'} names no recipe; {TRAIN_AGAIN}")
    return lines_of_run(folder, arm or arm_of(recipe), recipe.get("seed", 0))


def lines_of_run(folder: Path, arm: str, seed: int) -> list[dict[str, Any]]:
    """The line of a run and those of its test sets, from its folder."""
    run = _read_table(folder / "run.json")
    stages = [_stage(path.parent) for path in sorted(folder.glob("*-*/done.json"))]
    head = run_line(arm, seed, stages, {"curve": _curve(folder), **run})
    results = [{"type": "result", **line, "arm": arm} for line in json_lines(folder / RESULTS)]
    for line in results:
        line.pop("run", None)
        add_verdicts(line, folder)
    lines = [head, *results]
    _checked(folder / "run.json", [head])
    _checked(folder / RESULTS, [without_path(line) for line in results])
    return lines


def arm_of(recipe: Line) -> str:
    """The name of the arm that a recipe makes: "sft_mem_ctx+gold=4"."""
    return recipe["name"].replace("/", "-").removeprefix(BASE) + sweep_value(recipe)


def _stage(folder: Path) -> dict[str, Any]:
    """What done.json and log.jsonl say about a stage, without its results.

    Of a stage with a reward, `start` has its means over the first steps.
    """
    stage = stage_summary(_read_table(folder / "done.json"))
    log = _log(folder)
    if log:  # done.json of a resumed stage counts the seconds of its last part only
        stage["seconds"] = max(stage.get("seconds", 0.0), log[-1].get("seconds", 0.0))
    rewarded = [row for row in log if "reward" in row]
    if rewarded:
        start = [row for row in rewarded if row["step"] <= FIRST_STEPS] or rewarded[:1]
        stage["start"] = _means(start)
        stage["overall"] = _means(rewarded)
    return stage


def _means(rows: Lines) -> dict[str, float]:
    """Means of the reward and of the share of groups with mixed rewards over points of a log."""
    means = {}
    for key in ("reward", "mixed_groups"):
        values = [row[key] for row in rows if isinstance(row.get(key), int | float)]
        if values:
            means[key] = round(sum(values) / len(values), 4)
    return {**means, "steps": rows[-1]["step"]}


def _curve(folder: Path) -> list[dict[str, Any]]:
    """The learning curve of a run, about CURVE_POINTS points a stage."""
    points: list[dict[str, Any]] = []
    for log in sorted(folder.glob("*-*/log.jsonl")):
        rows = _log(log.parent)
        for row in rows[:: max(1, len(rows) // CURVE_POINTS)]:
            keys = ("step", "loss", "reward", "mixed_groups")
            points.append(
                {"stage": log.parent.name} | {key: row[key] for key in keys if key in row}
            )
    return points


def _log(folder: Path) -> list[dict[str, Any]]:
    """The points of a stage's log.jsonl by step; a resumed stage repeats some, the last counts."""
    if not (folder / "log.jsonl").is_file():
        return []
    rows = [row for row in json_lines(folder / "log.jsonl") if isinstance(row.get("step"), int)]
    by_step = {row["step"]: row for row in rows}
    return [by_step[step] for step in sorted(by_step)]


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


def _checked(path: Path, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines; UsageError if one does not fit schemas/results.schema.json."""
    for number, line in enumerate(lines, 1):
        if wrong := problems("results", line):
            raise UsageError(
                f"{path}, line {number}: no result of bioreason-baseline: {wrong[0]}; {TRAIN_AGAIN}"
            )
    return lines


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
        text = "".join(json.dumps(without_path(line)) + "\n" for line in lines)
        write_whole(path, without_token(text))


def without_path(line: Line) -> dict[str, Any]:
    """A line as it is written: without the path of its verdicts."""
    return {key: value for key, value in line.items() if key != VERDICTS}


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


def sweep_number(value: str) -> float | None:
    """The number at the end of an arm's name; None if it is no finite number."""
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def sweep_value(recipe: Line) -> str:
    """The end of an arm's name: "=8" for a point of a sweep, "" for any other run."""
    sweep = recipe.get("sweep")
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
