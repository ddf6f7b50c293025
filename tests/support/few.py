"""A configuration with one level and few questions, for what does not depend on the rows."""

from __future__ import annotations

from bioreason_bench.config import WorldConfig, load_preset

FEW = {
    "levels": '["zeroshot"]',
    "paraphrases": "1",
    **{f"{skill}.zeroshot": "12" for skill in ("mem", "ctx", "comp")},
    "mem.train": "100",
    "ctx.train": "100",
    "comp.train": "220",
    "comp.rl": "20",
    "mem.paths": "60",
    "ctx.paths": "60",
    "comp.paths": "80",
    "comp.counterfactual": "6",
    "comp.conflict": "6",
    "mem.direction": "6",
    "comp.unanswerable": "6",
    "ctx.unanswerable": "6",
}
SETTINGS = [text for key, value in FEW.items() for text in ("--set", f"{key}={value}")]


def few(seed: int = 42) -> WorldConfig:
    return load_preset("tiny", seed).override(FEW)
