"""What this machine can do now: a bare PyTorch loop over the stage's own first batches, to say how long the stage will take."""

from __future__ import annotations

import time
from typing import Any

from bioreason_bench.training.data import Mixture
from bioreason_bench.training.packing import Collate
from bioreason_bench.training.recipe import Recipe, Stage

TRAINER = 1.15  # what the trainer adds to the bare loop on small models (benchmarks/training.py)


def expected_minutes(
    model: Any, tokenizer: Any, mixture: Mixture, recipe: Recipe, batches: int = 3
) -> float:
    """Minutes that the whole mixture should take, from `batches` forward and backward passes; the model is left as it was."""
    import torch

    from bioreason_bench.training.models.load import native_bf16

    collate = Collate(tokenizer.pad_token_id, recipe.packed)
    half = native_bf16() if recipe.bf16 is None else recipe.bf16
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device).train()
    took = []
    for step in range(min(batches, mixture.steps)):
        begun = time.perf_counter()
        items = [mixture[step * mixture.step_rows + row] for row in range(mixture.step_rows)]
        batch = {name: tensor.to(device) for name, tensor in collate(items).items()}
        loss = bare_loss(model, batch, half)
        loss.backward()
        took.append(time.perf_counter() - begun)
        model.zero_grad(set_to_none=True)
    return min(took) * mixture.steps * TRAINER / 60


def expected_rollout_minutes(
    model: Any, tokenizer: Any, prompts: list[str], stage: Stage, half: bool
) -> float:
    """Minutes that a GRPO stage should take: one step's samples are drawn, and learning from them takes about as long again."""
    import torch

    from bioreason_bench.training.models.sample import sample

    ids = tokenizer(prompts, add_special_tokens=False)["input_ids"]
    begun = time.perf_counter()
    with torch.autocast(
        "cuda" if torch.cuda.is_available() else "cpu", torch.bfloat16, enabled=half
    ):
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


def bare_loss(model: Any, batch: dict[str, Any], half: bool) -> Any:
    """Mean loss over the labels of a batch, without any trainer."""
    import torch
    import torch.nn.functional as F

    labels = batch["labels"][:, 1:]
    mask = labels != -100
    inputs = {name: tensor for name, tensor in batch.items() if name != "labels"}
    with torch.autocast(batch["labels"].device.type, torch.bfloat16, enabled=half):
        hidden = model.base_model(**inputs, use_cache=False).last_hidden_state[:, :-1]
        logits = model.get_output_embeddings()(hidden[mask])
    return F.cross_entropy(logits.float(), labels[mask])
