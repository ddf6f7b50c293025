"""GRPO on TRL's GRPOTrainer, with replay of biographies and of questions on single skills.

What differs from TRL's defaults; none of it changes the update:
- off vLLM, a prompt is read once for all its samples (models/sample.py);
- with beta 0 a sample without advantage has no gradient, so it is not computed (late in training
  that is most of them);
- a step's prompts and its random numbers are functions of (seed, step), so that a resumed run is
  the same run.
What is added: the texts of `batch` are learned along with the reward (`replay_weight`), so that the
model does not forget what it knew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from bioreason_bench.errors import UsageError
from bioreason_bench.grading.rewards import COLUMNS, make_rewards
from bioreason_bench.training.data import StageData, prompt_of
from bioreason_bench.training.models.load import choose_bf16
from bioreason_bench.training.packing import Collate
from bioreason_bench.training.recipe import Recipe, Stage, parts_of_step, prompts_of
from bioreason_bench.training.speed import expected_rollout_minutes
from bioreason_bench.training.stages.stage_run import StageRun
from bioreason_bench.training.stages.trainer import configure, run_trainer, trainer_options

if TYPE_CHECKING:
    from trl import GRPOConfig


def train_grpo(run: StageRun, data: StageData) -> dict[str, float]:
    """Train on rewards, from the last checkpoint if there is one; returns the speed."""
    from datasets import Dataset

    from bioreason_bench.training.stages.callback import ProgressCallback
    from bioreason_bench.training.stages.grpo_trainer import ReplayGRPOTrainer

    recipe, stage = run.recipe, run.stage
    per_step = prompts_of(recipe, stage).rows
    log_duration(run, [prompt_of(row) for row in data.prompts[:per_step]])
    rows = [
        {"prompt": prompt_of(row), **{name: row[name] for name in COLUMNS}} for row in data.prompts
    ]
    trainer = ReplayGRPOTrainer(
        model=run.trained,
        reward_funcs=make_rewards(
            stage.reward,
            stage.reward_options,
            end=[run.tokenizer.eos_token_id],
            grader=run.corpus.grader(),
        ),
        args=grpo_config(recipe, stage, run.folder),
        train_dataset=Dataset.from_list(rows),
        processing_class=run.tokenizer,
        callbacks=[ProgressCallback(run.progress)],
        replay=data.mixture if len(data.mixture) else None,
        replay_weight=stage.replay_weight,
        collate=Collate(run.tokenizer.pad_token_id, recipe.packed),
        progress=run.progress,
    )
    speed = run_trainer(trainer, run, stage.temperature)
    return {**speed, **budget(run, data, per_step)}


def budget(run: StageRun, data: StageData, prompts: int) -> dict[str, float]:
    """The samples of a stage, the tokens that they hold, and the tokens learnt.

    The tokens of all samples count as learnt, also of groups with equal rewards, which carry no
    gradient; and so do those of the replayed texts.

    Args:
        run: The stage.
        data: What it trained on.
        prompts: Prompts per step.
    """
    samples = run.stage.steps * prompts * run.stage.samples
    curve = (json.loads(line) for line in run.progress.path.read_text("utf-8").splitlines())
    lengths = [line["completions/mean_length"] for line in curve if "reward" in line]
    sampled = round(samples * sum(lengths) / max(1, len(lengths)))
    replayed = data.mixture.learnt_tokens()
    return {"samples": samples, "sampled_tokens": sampled, "learnt_tokens": sampled + replayed}


def grpo_config(recipe: Recipe, stage: Stage, folder: Path) -> GRPOConfig:
    """The options of TRL's trainer for a GRPO stage; UsageError if it rejects one."""
    from accelerate import PartialState
    from trl import GRPOConfig

    shared = trainer_options(recipe, stage, folder, prompts_of(recipe, stage).rows * stage.samples)
    devices = PartialState().num_processes
    parts = parts_of_step(stage.accumulate, devices)
    replayed = sum(source.rows for source in stage.batch)
    if 0 < replayed < parts:
        raise UsageError(
            f"recipe {recipe.name}: {replayed} replayed texts a step are too few for {parts} parts "
            f"({devices} devices, accumulate {stage.accumulate}); change batch or accumulate"
        )
    options = {
        "num_generations": stage.samples,
        "max_completion_length": stage.max_completion,
        "temperature": stage.temperature,
        "top_k": 0,
        "beta": stage.beta,
        "reward_weights": list(stage.reward.values()),
        "shuffle_dataset": False,
        "steps_per_generation": parts // devices,
        "log_completions": False,
        **shared,
    }
    return configure(GRPOConfig, options, f"recipe {recipe.name}")


def log_duration(run: StageRun, prompts: list[str]) -> None:
    """Log the size of the stage and, unless vLLM samples, how long it should take."""
    stage = run.stage
    duration = ""
    if not stage.trl.get("use_vllm"):
        use_bf16 = choose_bf16(run.recipe)
        minutes = expected_rollout_minutes(run.model, run.tokenizer, prompts, stage, use_bf16)
        duration = f", about {minutes:.0f} min"
    run.log(
        f"{run.name}: {stage.steps} steps of {len(prompts)} prompts x {stage.samples} samples"
        f"{duration} at this machine's speed now"
    )
