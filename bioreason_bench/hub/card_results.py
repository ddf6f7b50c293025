"""What models have reached so far, as the card tells it: from the result files in cards/results, each with the command that made it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import mean
from typing import Any

from bioreason_bench.hub.card_text import table

LEVELS = ("iid", "composition", "zeroshot")
PRESETS = ("nano", "nano_english", "small")


def results(folder: Path) -> str:
    """The tables of baselines (PRESET.jsonl) and of evaluated models (`*.json`), in Markdown; a sentence where there are none."""
    parts = [
        _baselines(folder / f"{preset}.jsonl")
        for preset in PRESETS
        if (folder / f"{preset}.jsonl").is_file()
    ]
    parts += [
        _model(json.loads(path.read_text(encoding="utf-8")))
        for path in sorted(folder.glob("*.json"))
    ]
    return "\n\n".join(parts) or "None yet."


def _baselines(path: Path) -> str:
    """Arm by level, mean over seeds, whole chains in parentheses."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    found: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for line in lines:
        if line["type"] == "result" and line["config"].startswith("comp_"):
            found.setdefault(line["arm"], {}).setdefault(
                line["config"].removeprefix("comp_"), []
            ).append(line)
    rows = (
        [f"`{arm}`", *(_mean(levels.get(level, [])) for level in LEVELS)]
        for arm, levels in found.items()
    )
    seeds = sorted({line["world"]["seed"] for line in lines if line["type"] == "run"})
    commands = " and ".join(
        f"`{command}`"
        for command in dict.fromkeys(line["command"] for line in lines if line["type"] == "run")
    )
    worlds = f"preset `{path.stem}`, seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}"
    scores = f"comp answers in per cent{', mean of the seeds' * (len(seeds) > 1)}, whole chains in parentheses"
    return f"Trained from scratch on {worlds}: {scores}. Made by {commands}.\n\n{table(['arm', *LEVELS], rows)}"


def _mean(lines: list[Mapping[str, Any]]) -> str:
    if not lines:
        return ""
    return f"{100 * mean(line['exact_match'] for line in lines):.1f} ({100 * mean(line['process_verified'] for line in lines):.1f})"


def _model(run: Mapping[str, Any]) -> str:
    """The tasks of one evaluated model, answers in per cent with 95 % intervals."""
    rows = (
        [
            _task(record),
            record["questions"],
            _score(record["exact_match"]),
            _score(record["process_verified"]),
        ]
        for record in run["results"]
    )
    made = f"Made by `{run['release']}`, then `{run['command']}`."
    return f"{run['model']}. {made}\n\n{table(['task', 'questions', 'answer', 'answer and chain'], rows)}"


def _task(record: Mapping[str, Any]) -> str:
    return "_".join(part for part in (record["skill"], record["level"], record["variant"]) if part)


def _score(score: Mapping[str, float]) -> str:
    return f"{100 * score['value']:.1f} [{100 * score['low']:.1f}, {100 * score['high']:.1f}]"
