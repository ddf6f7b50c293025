"""Runs with bfloat16 on that are cut off, in every way, end in the model of an uninterrupted run."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from bioreason_bench.errors import ReleaseError, UsageError
from bioreason_bench.training import run as runs
from bioreason_bench.training.checkpoints import is_whole
from bioreason_bench.training.data import Corpus
from bioreason_bench.training.recipe import make_recipe
from bioreason_bench.training.stages.callback import ProgressCallback

SFT = {
    "kind": "sft",
    "steps": 5,
    "learning_rate": 4e-3,
    "matrix_learning_rate": 0.02,
    "warmup": 1,
    "save_every": 2,
    "batch": {"mem": 6, "biographies": 2},
}
GRPO = {
    "kind": "grpo",
    "steps": 3,
    "learning_rate": 1e-3,
    "warmup": 1,
    "save_every": 2,
    "max_completion": 8,
    "samples": 4,
    "prompts": {"comp_rl": 2},
    "reward": {"outcome": 1.0, "process": 0.5, "format": 0.1},
    "beta": 0.01,
    "batch": {"biographies": 2},
}
RECIPE = {
    "name": "short",
    "model": {"from_scratch": {"hidden_size": 32, "num_hidden_layers": 2, "intermediate_size": 64}},
    "packed": True,
    "bf16": True,
    "max_length": 192,
    "evaluate": {"limit": 2, "configs": ["mem_iid"]},
}


def recipe_of(*stages):
    return make_recipe({**RECIPE, "stages": list(stages)})


def train(recipe, release, out, **options):
    return runs.train(recipe, Corpus(release), out, log=lambda _: None, bar=False, **options)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


def assert_same_model(one: Path, other: Path) -> None:
    ours, theirs = weights(one), weights(other)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours), (one, other)


@pytest.fixture(scope="module")
def base(nano_release, tmp_path_factory):
    """A run of the first stage alone."""
    out = tmp_path_factory.mktemp("runs") / "base"
    train(recipe_of(SFT), nano_release, out)
    return out


@pytest.mark.parametrize("last", [{**SFT, "batch": {"ctx": 4}}, GRPO], ids=["sft-sft", "sft-grpo"])
def test_a_second_stage_is_the_same_uninterrupted_and_on_a_base_stopped_and_resumed(
    base, nano_release, tmp_path, monkeypatch, last
):
    recipe = recipe_of(SFT, last)
    stage = f"2-{last['kind']}"
    train(recipe, nano_release, tmp_path / "whole")
    assert_same_model(base / "1-sft", tmp_path / "whole" / "1-sft")
    complete = ProgressCallback.on_step_end

    def signalled(self, args, state, control, **options):
        complete(self, args, state, control, **options)
        if state.global_step == 1:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(ProgressCallback, "on_step_end", signalled)
    out = tmp_path / "stopped"
    with pytest.raises(KeyboardInterrupt, match="stopped after step 1 of .* --resume"):
        train(recipe, nano_release, out, base=base)
    assert is_whole(out / stage / "checkpoints" / "checkpoint-1")
    monkeypatch.setattr(ProgressCallback, "on_step_end", complete)
    train(recipe, nano_release, out, base=base, resume=True)
    assert_same_model(tmp_path / "whole" / stage, out / stage)
    curves = [(run / stage / "log.jsonl").read_text() for run in (tmp_path / "whole", out)]
    steps = [[json.loads(line)["step"] for line in curve.splitlines()] for curve in curves]
    assert steps[0] == steps[1]
