"""The lines of several runs, read from files and folders and sorted by arm and seed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bioreason_bench.config import LEVELS
from bioreason_bench.errors import UsageError

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


class Results:
    """The lines of several runs, by arm and seed."""

    def __init__(self, lines: Sequence[Mapping[str, Any]]) -> None:
        self.runs = [line for line in lines if line.get("type") == "run"]
        self.passk = [line for line in lines if line.get("type") == "passk"]
        last = {(line["arm"], line["seed"]): 0 for line in lines if line.get("type") == "result"}
        for line in lines:
            if line.get("type") == "result":
                last[line["arm"], line["seed"]] = max(
                    last[line["arm"], line["seed"]], line["stage"]
                )
        self.lines = [
            line
            for line in lines
            if line.get("type") == "result" and line["stage"] == last[line["arm"], line["seed"]]
        ]
        found = {line["arm"] for line in self.lines}
        self.arms = [arm for arm in ORDER if arm in found] + sorted(found - set(ORDER), key=by_rung)
        self.seeds = sorted({line["seed"] for line in self.lines})
        self.bases = bases_of(self.runs)

    def of(self, arm: str) -> list[Mapping[str, Any]]:
        return [line for line in self.lines if line["arm"] == arm]

    def by_arm(self) -> dict[str, list[Mapping[str, Any]]]:
        return {arm: self.of(arm) for arm in self.arms}

    def configs(self, skill: str) -> list[str]:
        found = {line["config"] for line in self.lines}
        return [f"{skill}_{level}" for level in LEVELS if f"{skill}_{level}" in found]


def by_rung(arm: str) -> tuple[str, float]:
    """Sorts "few_shot=8" before "few_shot=16"."""
    name, _, value = arm.partition("=")
    return name, float(value or 0)


def bases_of(runs: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Which arm each arm went on from: the one whose stages are this one's but for its last ones."""
    recipes = {run["arm"]: run["recipe"] for run in runs}
    found = {run["arm"]: run["base"] for run in runs if run.get("base")}
    for arm, recipe in recipes.items():
        stages = recipe.get("stages", [])
        for other, its in recipes.items():
            before = its.get("stages", [])
            longest = len(recipes.get(found.get(arm, ""), {}).get("stages", []))
            if (
                longest < len(before) < len(stages)
                and stages[: len(before)] == before
                and its.get("model") == recipe.get("model")
            ):
                found[arm] = other
    return found


def read_lines(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """Result lines of files, run folders, or folders of either; UsageError where there are none."""
    lines: list[dict[str, Any]] = []
    for path in paths:
        if path.is_file():
            lines += _lines_of_file(path)
        elif (path / "run.json").is_file():
            lines += _lines_of_run(path)
        elif (path / "results.jsonl").is_file():
            lines += _lines_of_file(path / "results.jsonl")
        else:
            inner = (
                sorted(folder.parent for folder in path.glob("**/run.json"))
                if path.is_dir()
                else []
            )
            lines += [line for folder in inner for line in _lines_of_run(folder)]
    if not any(line.get("type") == "result" for line in lines):
        raise UsageError(
            f"no results in {', '.join(map(str, paths))}; give run folders that are complete, or files of results"
        )
    return lines


def _lines_of_file(path: Path) -> list[dict[str, Any]]:
    try:
        return [
            json.loads(line)
            for line in path.read_text(encoding="utf-8").splitlines()
            if line.strip()
        ]
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no file of results (JSON lines): {error}") from None


def _lines_of_run(folder: Path) -> list[dict[str, Any]]:
    if not (folder / "results.jsonl").is_file():
        return []
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    results = _lines_of_file(folder / "results.jsonl")
    arm = run["recipe"]["name"].replace("/", "-") + ladder_value(run["recipe"])
    done = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*-*/done.json"))
    ]
    stages = [{key: value for key, value in stage.items() if key != "results"} for stage in done]
    minutes = round(sum(stage.get("seconds", 0.0) for stage in stages) / 60, 1)
    head = {
        "type": "run",
        "arm": arm,
        "seed": run["recipe"].get("seed", 0),
        "minutes": minutes,
        "stages": stages,
        **run,
    }
    return [head, *({"type": "result", **line, "arm": arm} for line in results)]


def ladder_value(recipe: Mapping[str, Any]) -> str:
    """ "=8" for a rung of a ladder, "" for any other run."""
    sweep = recipe.get("sweep") or recipe.get("ladder")  # its name in 0.1.0
    if not sweep:
        return ""
    first, *rest = sweep["setting"].split(".")
    stages = recipe["stages"]
    place: Any = (
        stages[int(first) - 1]
        if first.isdigit()
        else next(stage for stage in stages if stage["kind"] == first)
    )
    for part in rest:
        place = place.get(part) if isinstance(place, Mapping) else None
    return "" if place is None else f"={place}"
