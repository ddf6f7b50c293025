"""What the stages share around TRL's trainers: options, resuming, checkpoints.

What differs from TRL's defaults: off the GPU, only positions with a label go through the output
layer (TRL scores all there); a checkpoint has no model card for the Hub, and it counts only when
it is sealed (checkpoints.py).
"""

from __future__ import annotations

import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench.errors import UsageError, one_line
from bioreason_bench.training.checkpoints import FOLDER, disk_errors, last_checkpoint, seal
from bioreason_bench.training.interrupt import handled_by
from bioreason_bench.training.models.load import choose_bf16
from bioreason_bench.training.recipe import Recipe, Stage, parts_of_step
from bioreason_bench.training.stages.label_scores import plain_head, score_labels_only
from bioreason_bench.training.stages.stage_run import StageRun

if TYPE_CHECKING:
    from transformers import Trainer


def trainer_options(recipe: Recipe, stage: Stage, folder: Path, rows: int) -> dict[str, Any]:
    """Arguments that SFTConfig and GRPOConfig share.

    Args:
        recipe: The whole recipe.
        stage: The stage to train.
        folder: Of the stage.
        rows: Texts per step over all devices.

    Raises:
        UsageError: The texts of a step cannot be split evenly.
    """
    import torch
    from accelerate import PartialState

    gpu = torch.cuda.is_available()
    cosine = stage.schedule == "cosine"
    devices = PartialState().num_processes
    parts = parts_of_step(stage.accumulate, devices)
    if rows % parts:
        raise UsageError(
            f"recipe {recipe.name}: {rows} texts a step cannot be shared by {parts} parts "
            f"({devices} devices, accumulate {stage.accumulate}); change the batch or accumulate"
        )
    return {
        "output_dir": str(folder / FOLDER),
        "max_steps": stage.steps,
        "per_device_train_batch_size": rows // parts,
        "gradient_accumulation_steps": parts // devices,
        "learning_rate": stage.learning_rate,
        "lr_scheduler_type": "cosine_with_min_lr" if cosine else "constant_with_warmup",
        "lr_scheduler_kwargs": {"min_lr_rate": 0.1} if cosine else {},
        "warmup_steps": min(stage.warmup, stage.steps // 2),
        "weight_decay": stage.weight_decay,
        "adam_beta1": stage.betas[0],
        "adam_beta2": stage.betas[1],
        "max_grad_norm": stage.clip,
        "optim": "adamw_torch_fused",
        "bf16": choose_bf16(recipe),
        "use_cpu": not gpu,
        "gradient_checkpointing": False,
        "seed": recipe.seed,
        "data_seed": recipe.seed,
        "logging_steps": max(1, min(25, stage.steps // 4)),
        "report_to": "none",
        "disable_tqdm": True,
        "save_strategy": "steps",
        "save_steps": stage.save_every,
        "remove_unused_columns": False,
        "dataloader_pin_memory": gpu,
        "ddp_find_unused_parameters": False,
        **stage.trl,
    }


def configure(kind: type, options: dict[str, Any], where: str) -> Any:
    """Make an SFTConfig or GRPOConfig; UsageError if it rejects an option under `trl`."""
    try:
        return kind(**options)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - TRL and accelerate raise any class
        reason = one_line(str(error) or type(error).__name__)
        raise UsageError(f"{where}: trl: {reason}") from None


def run_trainer(trainer: Trainer, run: StageRun, temperature: float = 1.0) -> dict[str, float]:
    """Train, from the last checkpoint if there is one, and return the speed.

    The model afterwards has what accelerate put around it, so it is good for evaluation but not
    for another trainer: the next stage loads it from disk (run.py).

    Raises:
        KeyboardInterrupt: After Ctrl-C or SIGTERM, when a checkpoint is saved; says how to go on.
    """
    from bioreason_bench.training.stages.callback import StopCallback, TrimCallback

    if trainer.args.device.type == "cpu" and plain_head(run.model):
        score_labels_only(run.model, temperature)
    remove_noise(trainer)
    stop = StopCallback()
    trainer.add_callback(stop)
    trainer.add_callback(TrimCallback())
    try:
        with handled_by(stop.ask):
            trainer.train(resume_from_checkpoint=last_checkpoint(run.folder, run.log))
    finally:
        vars(run.model).pop("forward", None)  # scores of labels only, and autocast
    if stop.asked:
        raise KeyboardInterrupt(
            f"{run.name}: stopped after step {trainer.state.global_step} of {run.stage.steps} with "
            "a checkpoint; go on by the same command with --resume"
        )
    if trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled:
        trainer.save_model(str(run.folder))  # gathers the sharded weights; all processes take part
    return run.progress.summary()


def remove_noise(trainer: Trainer) -> None:
    """Stop the trainer from printing dictionaries and writing a model card per checkpoint."""
    from transformers import PrinterCallback

    trainer.remove_callback(PrinterCallback)
    trainer._save_checkpoint = types.MethodType(_save_checkpoint, trainer)


def _save_checkpoint(trainer: Trainer, model: Any, trial: Any) -> None:
    """Save a checkpoint as transformers' Trainer does (TRL's adds a model card), and seal it."""
    from transformers import Trainer

    folder = Path(trainer.args.output_dir) / f"checkpoint-{trainer.state.global_step}"
    with disk_errors(folder):
        Trainer._save_checkpoint(trainer, model, trial)
        trainer.accelerator.wait_for_everyone()
        if trainer.args.should_save:
            seal(folder)
