"""Estimate stage duration by timing a few batches."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bioreason_bench.training.data import IGNORE, Mixture
from bioreason_bench.training.packing import Collate
from bioreason_bench.training.recipe import Recipe, Stage, parts_of_step

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

TRAINER_OVERHEAD = 1.15  # TRL's time over a bare loop's, on small models (benchmarks/training.py)


def expected_minutes(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    mixture: Mixture,
    recipe: Recipe,
    batches: int = 3,
    accumulate: int = 1,
) -> float:
    """Minutes that training on the whole mixture should take.

    Times `batches` forward and backward passes of a bare PyTorch loop; no weight changes.

    Args:
        model: To train.
        tokenizer: Of the model.
        mixture: Its texts.
        recipe: Says how they are put into rows, and the precision.
        batches: Steps of which a part is timed.
        accumulate: Parts that a step is split into, over all devices; one of them is timed.
    """
    from accelerate import PartialState

    collate = Collate(tokenizer.pad_token_id, recipe.packed)
    devices = PartialState().num_processes
    parts = parts_of_step(accumulate, devices)
    seconds = [
        timed_batch(model, collate(mixture.step_items(step)[::parts]), recipe)
        for step in range(min(batches, mixture.steps))
    ]
    return min(seconds) * parts / devices * mixture.steps * TRAINER_OVERHEAD / 60


def timed_batch(model: PreTrainedModel, batch: dict[str, Tensor], recipe: Recipe) -> float:
    """Seconds of a forward and backward pass of a batch, in the precision of the recipe."""
    import torch

    from bioreason_bench.training.models.load import choose_bf16

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device).train()
    begun = time.perf_counter()
    on_device = {name: tensor.to(device) for name, tensor in batch.items()}
    bare_loss(model, on_device, choose_bf16(recipe)).backward()
    if device == "cuda":
        torch.cuda.synchronize()
    seconds = time.perf_counter() - begun
    model.zero_grad(set_to_none=True)
    return seconds


def expected_rollout_minutes(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    stage: Stage,
    use_bf16: bool,
) -> float:
    """Minutes that a GRPO stage should take.

    Times the samples of one step; learning from them takes about as long again.

    Args:
        model: To sample from.
        tokenizer: Of the model.
        prompts: Those of one step.
        stage: Samples per prompt, temperature, maximum length, steps.
        use_bf16: Whether training will compute in bfloat16.
    """
    seconds = rollout_seconds(model, tokenizer, prompts, stage, use_bf16)
    return 2.0 * seconds * stage.steps / 60


def rollout_seconds(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[str],
    stage: Stage,
    use_bf16: bool,
) -> float:
    """Seconds in which the model samples the completions of a stage to some prompts."""
    import torch

    from bioreason_bench.training.models.sample import sample

    ids = tokenizer(list(prompts), add_special_tokens=False)["input_ids"]
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device)
    begun = time.perf_counter()
    with torch.autocast(device, torch.bfloat16, enabled=use_bf16):
        sample(
            model,
            ids,
            ends=[tokenizer.eos_token_id],
            max_new=stage.max_completion,
            samples=stage.samples,
            temperature=stage.temperature,
            batch=512,
            pad=tokenizer.pad_token_id,
        )
    return time.perf_counter() - begun


def bare_loss(model: PreTrainedModel, batch: dict[str, Tensor], use_bf16: bool) -> Tensor:
    """Mean loss over the labels of a batch, computed without a trainer."""
    import torch
    import torch.nn.functional as F

    labels = batch["labels"][:, 1:]
    mask = labels != IGNORE
    inputs = {name: tensor for name, tensor in batch.items() if name != "labels"}
    with torch.autocast(batch["labels"].device.type, torch.bfloat16, enabled=use_bf16):
        hidden = model.base_model(**inputs, use_cache=False).last_hidden_state[:, :-1]
        logits = model.get_output_embeddings()(hidden[mask])
    return F.cross_entropy(logits.float(), labels[mask])
