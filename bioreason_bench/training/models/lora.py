"""LoRA: train low-rank adapters of a model in place of its weights (peft).

A stage puts new adapters around the model that the stage before has saved, and merges them into its
weights when it ends.  So a folder of a stage holds a whole model that loads by name without peft,
and `--base`, evaluation and pass@k know nothing of adapters; a checkpoint holds the adapters alone.
With `beta`, GRPO's reference is the model without this stage's adapters: no second copy in memory.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from bioreason_bench.errors import MissingExtra, UsageError, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from peft import PeftModel
    from transformers import PreTrainedModel

    from bioreason_bench.training.recipe import Recipe

LORA = {"r": 16, "alpha": 32, "dropout": 0.0, "target_modules": "all-linear"}


def check_lora(recipe: Recipe, sharded: bool) -> None:
    """Check that a recipe with `lora` can be trained here.

    Raises:
        MissingExtra: peft is not installed.
        UsageError: The weights are to be sharded.
    """
    if not recipe.lora:
        return
    if find_spec("peft") is None:
        raise MissingExtra("peft", "train")
    if sharded:
        raise UsageError(
            f"recipe {recipe.name}: lora: adapters are not trained under FSDP or DeepSpeed; use "
            "plain data parallelism (accelerate launch --multi_gpu), or leave out lora"
        )


def add_lora(model: PreTrainedModel, options: Mapping[str, Any], seed: int) -> PeftModel:
    """Put new adapters into the layers of a model, in place; returns the trainer's view of it.

    Args:
        model: Its weights are frozen.
        options: Those that differ from LORA.
        seed: Of the adapters' random weights; torch's global random state is left as it was.

    Raises:
        UsageError: The model has no such layers.
    """
    import torch
    from peft import LoraConfig, get_peft_model

    chosen = {**LORA, **options}
    config = LoraConfig(
        r=chosen["r"],
        lora_alpha=chosen["alpha"],
        lora_dropout=chosen["dropout"],
        target_modules=chosen["target_modules"],
        task_type="CAUSAL_LM",
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            return get_peft_model(model, config)
        except (ValueError, KeyError, AttributeError) as error:
            raise UsageError(f"lora: {one_line(str(error))}") from None


def merge_lora(model: PeftModel) -> PreTrainedModel:
    """Add the adapters to the weights and take them out of the layers, in place."""
    merged = model.merge_and_unload()
    merged.requires_grad_(True)
    return merged
