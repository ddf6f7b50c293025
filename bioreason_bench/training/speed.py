"""Estimate stage duration by timing a few batches."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bioreason_bench.training.data import IGNORE, Mixture
from bioreason_bench.training.packing import Collate
from bioreason_bench.training.recipe import Recipe, Stage

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
) -> float:
    """Minutes that training on the whole mixture should take.

    Times `batches` forward and backward passes of a bare PyTorch loop; no weight changes.
    """
    import torch

    from bioreason_bench.training.models.load import choose_bf16

    collate = Collate(tokenizer.pad_token_id, recipe.packed)
    use_bf16 = choose_bf16(recipe)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device).train()
    seconds = []
    for step in range(min(batches, mixture.steps)):
        begun = time.perf_counter()
        items = mixture.step_items(step)
        batch = {name: tensor.to(device) for name, tensor in collate(items).items()}
        bare_loss(model, batch, use_bf16).backward()
        seconds.append(time.perf_counter() - begun)
        model.zero_grad(set_to_none=True)
    return min(seconds) * mixture.steps * TRAINER_OVERHEAD / 60


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
    import torch

    from bioreason_bench.training.models.sample import sample

    ids = tokenizer(list(prompts), add_special_tokens=False)["input_ids"]
    device = "cuda" if torch.cuda.is_available() else "cpu"
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
        )
    return 2.0 * (time.perf_counter() - begun) * stage.steps / 60


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
