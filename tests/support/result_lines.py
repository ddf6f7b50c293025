"""Result lines as `bioreason-baseline` writes them, for tests of what is made of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

NUMBERS = {  # arm -> iid, composition, zeroshot answers; zeroshot chains; mem, ctx
    "sft_comp": (0.97, 0.98, 0.20, 0.0, 0.3, 0.1),
    "sft_comp_grpo": (0.97, 0.98, 0.21, 0.0, 0.3, 0.1),
    "sft_mem_ctx": (0.60, 0.60, 0.57, 0.5, 1.0, 0.97),
    "sft_mem_ctx_grpo": (0.97, 0.97, 0.90, 0.88, 0.7, 0.96),
    "sft_mem_ctx_sft": (0.97, 0.97, 0.92, 0.9, 0.99, 0.96),
}


def part(answers: float, chains: float, questions: int = 100) -> dict[str, Any]:
    return {"questions": questions, "exact_match": answers, "process_verified": chains}


def result_line(arm: str, seed: int, config: str, answers: float, chains: float) -> dict[str, Any]:
    return {
        "type": "result",
        "arm": arm,
        "seed": seed,
        "stage": 1,
        "kind": "sft",
        "config": config,
        "split": "test",
        "questions": 200,
        "exact_match": answers,
        "exact_match_interval": [answers - 0.02, answers + 0.02],
        "process_verified": chains,
        "process_verified_interval": [chains - 0.02, chains + 0.02],
        "hop_accuracy": chains,
        "format_ok": 1.0,
        "by_hops": {"2": part(answers, chains), "3": part(answers, chains)},
        "by_pattern": {"PC": part(answers, chains), "CP": part(answers, chains)},
        "by_unseen": {"parametric": part(answers, chains, 200)},
        "first_error": {"0/2": 30, "1/3": 10},
        "error_kinds": {"wrong person": 40},
        "failed_group": {"parametric": 40},
        "gated": part(answers, chains, 150),
    }


def run_line(arm: str, seed: int) -> dict[str, Any]:
    return {
        "type": "run",
        "arm": arm,
        "seed": seed,
        "minutes": 4.2,
        "stages": [{"kind": "sft", "tokens_per_second": 12000, "seconds": 30.0, "steps": 100}],
        "curve": [
            {"stage": "1-sft", "step": 25, "loss": 2.0},
            {"stage": "1-sft", "step": 50, "loss": 1.0},
        ],
        "recipe": {"name": arm, "model": {"from_scratch": {}}, "stages": stages_of(arm)},
        "command": "bioreason-baseline reproduce",
        "world": {"preset": "nano", "seed": 42},
        "versions": {"torch": "2"},
        "revision": "abc",
        "machine": {"processor": "x", "threads": 1},
    }


def stages_of(arm: str) -> list[dict[str, Any]]:
    """Stages by the arm's name: "..._grpo" adds GRPO to the arm "..."."""
    base, _, last = arm.rpartition("_")
    if last in ("grpo", "sft") and base in NUMBERS:
        return [*stages_of(base), {"kind": last, "steps": 3}]
    return [{"kind": "sft", "steps": 5, "batch": {arm: 1}}]


def passk_line(arm: str, seed: int) -> dict[str, Any]:
    zeroshot, chains = NUMBERS[arm][2:4]
    return {
        "type": "passk",
        "arm": arm,
        "seed": seed,
        "model": arm,
        "answers": {"1": zeroshot, "2": 0.9},
        "chains": {"1": chains, "2": 0.9},
        "gold_chain_log_likelihood": -3.0,
        "base_unsolved_now_solved": ["a"],
        "reading": "amplification",
    }


def make_lines(seeds: tuple[int, ...] = (1, 2, 3)) -> list[dict[str, Any]]:
    """The five arms with the same numbers for every seed."""
    lines: list[dict[str, Any]] = []
    for arm, (iid, composition, zeroshot, chains, mem, ctx) in NUMBERS.items():
        for seed in seeds:
            lines += [
                run_line(arm, seed),
                result_line(arm, seed, "comp_iid", iid, iid),
                result_line(arm, seed, "comp_composition", composition, composition),
                result_line(arm, seed, "comp_zeroshot", zeroshot, chains),
                result_line(arm, seed, "mem_iid", mem, mem),
                result_line(arm, seed, "ctx_iid", ctx, ctx),
            ]
        lines.append(passk_line(arm, seeds[0]))
    return lines


def by_arm(lines: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The result lines of each arm."""
    arms = {line["arm"]: [] for line in lines}
    for line in lines:
        if line["type"] == "result":
            arms[line["arm"]].append(line)
    return arms


def write_lines(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path
