"""Supervised fine-tuning on TRL's SFTTrainer.

What differs from TRL's defaults: texts are tokenized once and mixed by index, so that a resumed run
gets the texts that the first one would have got, and several texts may share a row.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bioreason_bench.training.data import Mixture, StageData
from bioreason_bench.training.packing import Collate
from bioreason_bench.training.recipe import Recipe, Stage
from bioreason_bench.training.speed import expected_minutes
from bioreason_bench.training.stages.stage_run import StageRun
from bioreason_bench.training.stages.trainer import configure, run_trainer, trainer_options

if TYPE_CHECKING:
    from trl import SFTConfig


def train_sft(run: StageRun, data: StageData) -> dict[str, float]:
    """Train on the stage's batch; returns the speed and the tokens learnt."""
    return train_on(run, data.mixture)


def sft_config(recipe: Recipe, stage: Stage, folder: Path) -> SFTConfig:
    """The options of TRL's trainer for an SFT or RFT stage; UsageError if it rejects one."""
    from trl import SFTConfig

    rows = sum(source.rows for source in (*stage.batch, *filter(None, [stage.prompts])))
    options = trainer_options(recipe, stage, folder, rows) | {
        "max_length": None,
        "dataset_kwargs": {"skip_prepare_dataset": True},
        "train_sampling_strategy": "sequential",
    }
    return configure(SFTConfig, options, f"recipe {recipe.name}")


def train_on(run: StageRun, mixture: Mixture) -> dict[str, float]:
    """Train on a mixture, from the last checkpoint if there is one; returns speed and tokens."""
    from datasets import Dataset
    from trl import SFTTrainer

    from bioreason_bench.training.stages.callback import ProgressCallback

    recipe, stage = run.recipe, run.stage
    accumulate = stage.accumulate
    minutes = expected_minutes(run.model, run.tokenizer, mixture, recipe, accumulate=accumulate)
    run.log(
        f"{run.name}: {stage.steps} steps of {mixture.step_rows} texts, "
        f"about {minutes:.0f} min at this machine's speed now"
    )
    collate = run.progress.count_tokens(Collate(run.tokenizer.pad_token_id, recipe.packed))
    optimizer = None  # TRL's own
    if stage.matrix_learning_rate:
        from bioreason_bench.training.stages.optimizer import make_optimizer

        optimizer = make_optimizer(
            run.model,
            stage.learning_rate,
            stage.matrix_learning_rate,
            stage.betas,
            stage.weight_decay,
        )
    trainer = SFTTrainer(
        model=run.trained,
        args=sft_config(recipe, stage, run.folder),
        # TRL accepts no data set but its own class: it gets indices into the mixture.
        train_dataset=Dataset.from_dict({"index": range(len(mixture))}),
        data_collator=lambda rows: collate([mixture[row["index"]] for row in rows]),
        processing_class=run.tokenizer,
        callbacks=[ProgressCallback(run.progress)],
        optimizers=(optimizer, None),
    )
    return {**run_trainer(trainer, run), "learnt_tokens": mixture.learnt_tokens()}
