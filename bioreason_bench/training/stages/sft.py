"""Supervised stages on TRL's SFTTrainer.

What differs from TRL as it comes: texts are tokenised once and mixed by index (a resumed run sees what the first one would have
seen), several may share a row, and off the GPU only positions with a label go through the output layer (TRL scores all there).
"""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

from bioreason_bench.errors import UsageError
from bioreason_bench.training.data import Mixture
from bioreason_bench.training.models.load import native_bf16
from bioreason_bench.training.packing import Collate
from bioreason_bench.training.progress import Watch
from bioreason_bench.training.recipe import Recipe, Stage


def trainer_options(recipe: Recipe, stage: Stage, folder: Path, rows: int) -> dict[str, Any]:
    """Arguments that SFTConfig and GRPOConfig share; `rows` is the number of texts a step, over all devices."""
    import torch
    from accelerate import PartialState

    gpu = torch.cuda.is_available()
    parts = stage.accumulate * PartialState().num_processes
    if rows % parts:
        raise UsageError(
            f"{rows} texts a step cannot be shared by {parts} (devices x accumulate); change the batch or accumulate"
        )
    return {
        "output_dir": str(folder / "checkpoints"),
        "max_steps": stage.steps,
        "per_device_train_batch_size": rows // parts,
        "gradient_accumulation_steps": stage.accumulate,
        "learning_rate": stage.learning_rate,
        "lr_scheduler_type": "cosine_with_min_lr"
        if stage.schedule == "cosine"
        else "constant_with_warmup",
        "lr_scheduler_kwargs": {"min_lr_rate": 0.1} if stage.schedule == "cosine" else {},
        "warmup_steps": min(stage.warmup, stage.steps // 2),
        "weight_decay": stage.weight_decay,
        "adam_beta1": stage.betas[0],
        "adam_beta2": stage.betas[1],
        "max_grad_norm": stage.clip,
        "optim": "adamw_torch_fused",
        "bf16": native_bf16() if recipe.bf16 is None else recipe.bf16,
        "use_cpu": not gpu,
        "gradient_checkpointing": False,
        "seed": recipe.seed,
        "data_seed": recipe.seed,
        "logging_steps": max(1, min(25, stage.steps // 4)),
        "report_to": "none",
        "disable_tqdm": True,
        "save_strategy": "steps",
        "save_steps": stage.save_every,
        "save_total_limit": 1,
        "remove_unused_columns": False,
        "dataloader_pin_memory": gpu,
        "ddp_find_unused_parameters": False,
        **stage.trl,
    }


def configure(kind: type, options: dict[str, Any], where: str) -> Any:
    """SFTConfig or GRPOConfig; an option under `trl` that it does not know gets one sentence."""
    try:
        return kind(**options)
    except TypeError as error:
        raise UsageError(f"{where}: trl: {error}") from None
    except ValueError as error:
        raise UsageError(f"{where}: {' '.join(str(error).split())[:300]}") from None


def score_labels_only(model: Any, temperature: float = 1.0) -> None:
    """Makes `model(..., labels=, fused_lm_head=True)` score the positions that have a label, and no others.

    Same contract as trl.trainer.utils.add_fused_lm_head, which does this on GPUs only; here in plain autograd.
    """
    import torch
    from trl.trainer.utils import FusedCausalLMOutput

    before = model.forward

    def forward(self: Any, *args: Any, fused_lm_head: bool = False, **kwargs: Any) -> Any:
        if not fused_lm_head:
            return before(*args, **kwargs)
        labels = kwargs.pop("labels")
        total = kwargs.pop("num_items_in_batch", None)
        hidden = self.base_model(*args, **{**kwargs, "use_cache": False}).last_hidden_state[:, :-1]
        labels = labels[:, 1:]
        mask = labels != -100
        target = labels[mask]
        logits = self.get_output_embeddings()(hidden[mask]).float() / temperature
        scores = logits.log_softmax(-1)
        chosen = scores.gather(-1, target[:, None])[:, 0]
        with torch.no_grad():
            entropy = -(scores.exp() * scores).sum(-1)
            top = (scores.argmax(-1) == target).float()
        spread = [
            hidden.new_zeros(mask.shape, dtype=torch.float32).masked_scatter(mask, values)
            for values in (chosen, entropy, top)
        ]
        loss = -chosen.sum() / (mask.sum().clamp(min=1) if total is None else total)
        return FusedCausalLMOutput(
            loss=loss, log_probs=spread[0], entropy=spread[1], is_top1=spread[2], label_mask=mask
        )

    forward.__wrapped__ = type(
        model
    ).forward  # `generate` checks its arguments against this signature
    model.forward = types.MethodType(forward, model)


def plain_head(model: Any) -> bool:
    """Does the output layer do no more than multiply (no soft cap, no scale)?"""
    config = model.config.get_text_config()
    names = (
        "final_logit_softcapping",
        "logit_scale",
        "output_multiplier",
        "lm_head_multiplier",
        "logits_scaling",
        "output_router_logits",
    )
    return not any(getattr(config, name, None) for name in names)


def last_checkpoint(folder: Path) -> str | None:
    """The newest complete checkpoint to resume from, if any."""
    found = [
        path
        for path in (folder / "checkpoints").glob("checkpoint-*")
        if (path / "trainer_state.json").is_file()
    ]
    return str(max(found, key=lambda path: int(path.name.partition("-")[2]))) if found else None


def train_sft(
    model: Any,
    tokenizer: Any,
    mixture: Mixture,
    recipe: Recipe,
    stage: Stage,
    folder: Path,
    watch: Watch,
) -> dict[str, float]:
    """Trains `model` in place on the mixture; resumes from `folder`/checkpoints if something is there.  Returns tokens/s and the like."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    options = trainer_options(recipe, stage, folder, mixture.step_rows)
    options |= {
        "max_length": None,
        "dataset_kwargs": {"skip_prepare_dataset": True},
        "train_sampling_strategy": "sequential",
    }
    texts = watch.counting(Collate(tokenizer.pad_token_id, recipe.packed))
    trainer = SFTTrainer(
        model=model,
        args=configure(SFTConfig, options, f"recipe {recipe.name}"),
        train_dataset=Dataset.from_dict(
            {"text": range(len(mixture))}
        ),  # TRL wants its own class: numbers of texts
        data_collator=lambda numbers: texts([mixture[number["text"]] for number in numbers]),
        processing_class=tokenizer,
        callbacks=[watch.callback()],
        optimizers=(optimizer_of(model, stage), None),
    )
    return run_trainer(trainer, model, folder, watch)


def run_trainer(
    trainer: Any, model: Any, folder: Path, watch: Watch, temperature: float = 1.0
) -> dict[str, float]:
    """Trains, from the last checkpoint in `folder` if there is one; `model` is afterwards what it was, but for its weights."""
    if trainer.args.device.type == "cpu" and plain_head(model):
        score_labels_only(trainer.model, temperature)
    without_noise(trainer)
    try:
        trainer.train(resume_from_checkpoint=last_checkpoint(folder))
    finally:
        vars(model).pop("forward", None)
    save_sharded(trainer, folder)
    return watch.summary()


def save_sharded(trainer: Any, folder: Path) -> None:
    """Where FSDP or DeepSpeed has spread the weights, gathers them into `folder`; all processes take part."""
    if trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled:
        trainer.save_model(str(folder))


def optimizer_of(model: Any, stage: Stage) -> Any:
    """Muon and AdamW where the stage asks for it, else None: TRL's own choice."""
    if not stage.matrix_learning_rate:
        return None
    from bioreason_bench.training.optimizer import make_optimizer

    return make_optimizer(
        model, stage.learning_rate, stage.matrix_learning_rate, stage.betas, stage.weight_decay
    )


def without_noise(trainer: Any) -> None:
    """No printed dictionaries, and no model card for the Hub beside every checkpoint."""
    from transformers import PrinterCallback

    trainer.remove_callback(PrinterCallback)
    trainer._save_checkpoint = types.MethodType(save_without_card, trainer)


def save_without_card(trainer: Any, model: Any, trial: Any) -> None:
    """Trainer's own checkpoint: TRL's adds a model card for the Hub to every one."""
    from transformers import Trainer

    Trainer._save_checkpoint(trainer, model, trial)
