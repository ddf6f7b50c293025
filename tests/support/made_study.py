"""Run folders of a study as `bioreason-baseline` leaves them, from chances instead of training.

Every question is answered by a weighted coin; summaries are made of the verdicts by the package's
own code, so that lines, verdicts and folders agree.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bioreason_bench.evaluation.summary import summary_line

RELATIONS = {"P": ("boss", "idol", "tutor"), "C": ("pet", "rival", "friend")}
PATTERNS = ("PC", "CP", "PPC", "CPC")
LEVELS = ("iid", "composition", "zeroshot")
CHANCES: dict[str, tuple[float, float, float]] = {  # arm -> chains on iid, composition, zeroshot
    "sft_comp": (0.97, 0.9, 0.02),
    "sft_mem_ctx": (0.6, 0.55, 0.5),
    "sft_mem_ctx+gold": (0.95, 0.9, 0.85),
    "sft_mem_ctx+grpo": (0.95, 0.92, 0.86),
}
GUESSED = 0.3  # chance that an answer is right though its chain is wrong


def question(config: str, seed: int, number: int) -> dict[str, Any]:
    """A question of a test set; a start person has three of them."""
    pattern = PATTERNS[number % len(PATTERNS)]
    unseen_at = number % len(pattern) if config.endswith("zeroshot") else None
    letter = pattern[unseen_at or 0]
    unseen = [] if unseen_at is None else [RELATIONS[letter][number % 3]]
    group = {"P": "parametric", "C": "contextual"}[letter] if unseen else "none"
    return {
        "id": f"{config}-{seed}-{number:04d}",
        "start": f"Person {number // 3}",
        "hops": len(pattern),
        "pattern": pattern,
        "unseen_group": group,
        "unseen_relations": unseen,
        "first_unseen": unseen_at,
        "direction_seen": None,
        "altered": None,
        "pair": "",
        "probe_of": [],
        "context_tokens": 100,
        "depths": [],
    }


def answers(arm: str, config: str, seed: int, chance: float, questions: int) -> list[dict]:
    """The verdicts of an arm whose chains are right with this chance; wrong ones fail as a rule
    at the unseen relation."""
    draw = np.random.default_rng([seed, zlib.crc32(f"{arm} {config}".encode())])
    records = []
    for number in range(questions):
        record = question(config, seed, number)
        chain = bool(draw.random() < chance)
        answer = chain or bool(draw.random() < GUESSED)
        error = record["first_unseen"] if record["first_unseen"] is not None else 0
        records.append(
            {
                **record,
                "completion": "x",
                "exact_match": float(answer),
                "process_verified": float(chain),
                "hop_accuracy": float(chain),
                "format_rate": 1.0,
                "first_error": None if chain else error,
                "error_kind": None if chain else "wrong relation",
                "failed_group": None if chain else record["unseen_group"],
            }
        )
    return records


def stages_of(arm: str) -> list[dict[str, Any]]:
    """A stage for each part of the arm's name."""
    name, _, value = arm.partition("=")
    stages = []
    for part in name.split("+"):
        kind = part if part in ("grpo", "rft") else "sft"
        stages.append({"kind": kind, "steps": 100, "batch": {part.replace("+", "_"): 8}})
    if value:
        stages[-1]["passes"] = int(value)
    return stages


def write_run(
    root: Path,
    arm: str,
    seed: int,
    chances: Sequence[float],
    *,
    questions: int = 60,
    reward: float = 0.5,
    command: str = "bioreason-baseline reproduce",
    world: int | None = None,
) -> Path:
    """One run folder; stages but the last are those of another run."""
    folder = root / f"seed{seed}" / arm.replace("=", "-")
    stages = stages_of(arm)
    number, kind = len(stages), stages[-1]["kind"]
    stage = folder / f"{number}-{kind}"
    (stage / "test").mkdir(parents=True)
    configs = {f"comp_{level}": chance for level, chance in zip(LEVELS, chances, strict=True)}
    configs |= {"mem_iid": 0.9, "ctx_iid": 0.9}
    results = []
    for config, chance in configs.items():
        records = answers(arm, config, seed, chance, questions)
        write_lines(stage / "test" / f"{config}.jsonl", records)
        head = {"run": f"base+{arm}", "seed": seed, "stage": number, "kind": kind}
        results.append({**head, "config": config, "split": "test", **summary_line(records)})
    write_lines(folder / "results.jsonl", results)
    points = [
        {"step": step, "loss": 1 / step, "seconds": float(step)} for step in (25, 50, 75, 100)
    ]
    if kind == "grpo":
        points = [{**point, "reward": reward, "mixed_groups": 0.4} for point in points]
    write_lines(stage / "log.jsonl", points)
    done = {"stage": number, "kind": kind, "steps": 100, "seconds": 60.0, "parameters": 793_000}
    done |= {"learnt_tokens": 50_000, "samples": 25_600 if kind == "grpo" else 0}
    (stage / "done.json").write_text(json.dumps({**done, "tokens_per_second": 9000.0}))
    recipe: dict[str, Any] = {"name": f"base+{arm.partition('=')[0]}", "seed": seed}
    recipe |= {"model": {"from_scratch": {}}, "stages": stages}
    if "=" in arm:
        recipe["sweep"] = {"setting": f"{number}.passes", "values": [1]}
    about = {
        "recipe": recipe,
        "command": command,
        "world": {"preset": "nano", "seed": 42 + seed if world is None else world},
        "versions": {"torch": "2"},
        "revision": "abc",
        "machine": {"processor": "x", "threads": 1},
    }
    (folder / "run.json").write_text(json.dumps(about))
    return folder


def write_study(
    root: Path,
    chances: Mapping[str, Sequence[float]] = CHANCES,
    seeds: Sequence[int] = (1, 2, 3, 4, 5),
    study: Mapping[str, Any] | None = None,
    **options: Any,
) -> Path:
    """The folder of all runs of a study, as `reproduce` leaves it before it collects them."""
    for seed in seeds:
        for arm, values in chances.items():
            write_run(root, arm, seed, values, **options)
    if study is not None:
        (root / "study.json").write_text(json.dumps({"type": "study", **study}))
    return root


def passk_line(arm: str, seed: int, chance: float, reach: float, samples: int = 64) -> dict:
    """pass@k of 150 questions: a share `reach` of them is solved with this chance, others never."""
    draw = np.random.default_rng([seed, 7])
    solvable = draw.random(150) < reach
    right = np.where(solvable, np.random.default_rng([seed, 8]).binomial(samples, chance, 150), 0)
    starts = [f"Person {number // 3}" for number in range(150)]
    curve = {
        "1": round(float((right / samples).mean()), 4),
        str(samples): float((right > 0).mean()),
    }
    return {
        "type": "passk",
        "arm": arm,
        "seed": seed,
        "model": arm,
        "config": "comp_zeroshot",
        "questions": 150,
        "samples": samples,
        "answers": curve,
        "chains": curve,
        "gold_chain_log_likelihood": -3.0,
        "starts": starts,
        "right_answers": [samples] * 150,
        "right_chains": right.tolist(),
    }


def write_lines(path: Path, lines: Sequence[Mapping[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path
