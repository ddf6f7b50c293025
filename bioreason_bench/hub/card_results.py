"""What models have reached so far, for the card: from the result files in cards/results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import mean
from typing import Any

from bioreason_bench.escaping import markdown, markdown_code
from bioreason_bench.hub.card_text import table
from bioreason_bench.taxonomy import LEVELS

__all__ = ["results"]

MAIN = "main*/results.jsonl"  # of the studies that the card shows


def results(folder: Path) -> str:
    """The results in a folder as Markdown, each table with the command that made it.

    Baselines come from the main studies, evaluated models from the `*.json` files.
    """
    parts = [_baselines(path) for path in sorted(folder.glob(MAIN))]
    parts += [
        _model(json.loads(path.read_text(encoding="utf-8")))
        for path in sorted(folder.glob("*.json"))
    ]
    return "\n\n".join(parts) or "None yet."


def _baselines(path: Path) -> str:
    """Trained models by level: mean over runs of whole chains, and of answers in parentheses."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    runs = [line for line in lines if line["type"] == "run"]
    by_arm: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for line in lines:
        if line["type"] == "result" and line["config"].startswith("comp_"):
            level = line["config"].removeprefix("comp_")
            by_arm.setdefault(line["arm"], {}).setdefault(level, []).append(line)
    tested = [level for level in LEVELS if any(level in levels for levels in by_arm.values())]
    rows = (
        [markdown_code(arm), *(_mean(levels.get(level, [])) for level in tested)]
        for arm, levels in by_arm.items()
    )
    seeds = sorted({run["world"]["seed"] for run in runs})
    commands = " and ".join(map(markdown_code, dict.fromkeys(run["command"] for run in runs)))
    plural = len(seeds) > 1
    preset = runs[0]["world"]["preset"]
    world = f"preset {markdown_code(preset)}, seed{'s' * plural} {', '.join(map(str, seeds))}"
    average = ", mean of the worlds" * plural
    head = (
        f"Trained from scratch on {world}: `comp` answers whose whole chain is right, in per "
        f"cent{average}; all right answers in parentheses. Made by {commands}."
    )
    return f"{head}\n\n{table(['trained model', *tested], rows)}"


def _mean(lines: list[Mapping[str, Any]]) -> str:
    if not lines:
        return ""
    answers = 100 * mean(line["exact_match"] for line in lines)
    chains = 100 * mean(line["process_verified"] for line in lines)
    return f"{chains:.1f} ({answers:.1f})"


def _model(run: Mapping[str, Any]) -> str:
    """The tasks of one evaluated model: per cent, with 95 % intervals."""
    rows = (
        [
            _task(record),
            record["questions"],
            _score(record["exact_match"]),
            _score(record["process_verified"]),
        ]
        for record in run["results"]
    )
    head = (
        f"{markdown(run['model'])}: per cent, with 95 % intervals. "
        f"Made by {markdown_code(run['release'])}, then {markdown_code(run['command'])}."
    )
    return f"{head}\n\n{table(['task', 'questions', 'answer', 'answer and chain'], rows)}"


def _task(record: Mapping[str, Any]) -> str:
    parts = (record["skill"], record["level"], record["variant"])
    return markdown("_".join(part for part in parts if part))


def _score(score: Mapping[str, Any]) -> str:
    """Per cent with the ends of the interval; without them if the questions allow none."""
    value, low, high = (score[name] for name in ("value", "low", "high"))
    ends = "" if low is None or high is None else f" [{100 * low:.1f}, {100 * high:.1f}]"
    return f"{100 * value:.1f}{ends}"
