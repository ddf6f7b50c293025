"""TRL's GRPOTrainer with replay, with our sampler, and without samples that have no gradient.

Imported late: importing TRL takes seconds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from trl import GRPOTrainer

from bioreason_bench.draw import Draw
from bioreason_bench.training.data import Mixture
from bioreason_bench.training.models.sample import sample
from bioreason_bench.training.packing import Collate
from bioreason_bench.training.progress import ProgressLogger

# What TRL divides the summed loss of a batch by, for each `loss_type`.
PER_ROW = ("grpo", "sapo", "dr_grpo", "luspo")  # the rows that it is given
PER_TOKEN = ("bnpo",)  # the completion tokens of the rows that it is given
PER_STEP = ("dapo", "cispo", "vespo")  # `num_items_in_batch`: the tokens of all rows of the step


class ReplayGRPOTrainer(GRPOTrainer):
    """GRPO plus a supervised loss on replayed texts.

    Args:
        replay: Texts to learn along with the reward, `step_rows` per step; None for no replay.
        replay_weight: Weight of their mean loss per token.
        collate: Makes a batch of them.
        progress: Counts the sampled tokens.
        options: For GRPOTrainer.
    """

    def __init__(
        self,
        *,
        replay: Mixture | None,
        replay_weight: float,
        collate: Collate,
        progress: ProgressLogger,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.replay, self.replay_weight = replay, replay_weight
        self.collate, self.progress = collate, progress
        if "ref" in getattr(self.model, "peft_config", ()):
            # TRL's copy of the adapters at the start.  Ours are new, so the model without any does
            # as well; and of two adapters transformers before 5.23 resumes this one alone.
            self.model.delete_adapter("ref")

    def _generate_single_turn(
        self,
        prompt_ids: list[list[int]],
        images: Any,
        multimodal_fields: Any,
        num_generations: int,
        *rest: Any,
        **options: Any,
    ) -> Any:
        """Sample one completion per entry of `prompt_ids`, in which each prompt is repeated."""
        if (
            self.use_vllm
            or self.use_transformers_continuous_batching
            or self.is_fsdp_enabled
            or self.is_deepspeed_enabled
        ):
            return super()._generate_single_turn(
                prompt_ids, images, multimodal_fields, num_generations, *rest, **options
            )
        # A number for each (step, process), so that a resumed run draws what it would have drawn.
        rollout = self.state.global_step * self.accelerator.num_processes
        rollout += self.accelerator.process_index
        texts = sample(
            self.accelerator.unwrap_model(self.model_wrapped),
            prompt_ids,
            ends=list(self.eos_token_ids),
            max_new=self.max_completion_length,
            temperature=self.temperature,
            # torch takes seeds of 63 bits
            seed=int(Draw(self.args.seed).at("rollout").words([rollout])[0] >> np.uint64(1)),
            batch=len(prompt_ids),
            pad=self._tokenizer.pad_token_id,
        )
        completions = [text for (text,) in texts]
        self.progress.tokens += sum(map(len, completions)) + sum(map(len, prompt_ids))
        return completions, None

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> Tensor:
        if not model.training:
            return super()._compute_loss(model, inputs)
        if self._can_drop_idle(inputs):
            active = drop_idle(inputs)
            share = share_of_divisor(self.loss_type, inputs, active)
            loss = share * super()._compute_loss(model, active)
        else:
            loss = super()._compute_loss(model, inputs)
        if self.replay is not None:
            weight = self.replay_weight / self.current_gradient_accumulation_steps
            loss = loss + weight * self._replay_loss(model, self.replay)
        return loss

    def _can_drop_idle(self, inputs: dict[str, Any]) -> bool:
        """Whether a sample without advantage adds nothing to the loss.

        It does add to the KL divergence, to an entropy bonus, to the quantile of entropies over all
        samples, and to the auxiliary loss of a router.
        """
        return (
            self.beta == 0.0
            and not self._entropy_bonus_enabled
            and self.top_entropy_quantile == 1.0
            and not getattr(self, "aux_loss_enabled", False)
            and "tool_mask" not in inputs
            and self.loss_type in (*PER_ROW, *PER_TOKEN, *PER_STEP)
        )

    def _replay_loss(self, model: Any, replay: Mixture) -> Tensor:
        """Mean loss per token of this device's share of the step's replay texts."""
        accumulate = self.current_gradient_accumulation_steps
        parts = self.accelerator.num_processes * accumulate
        part = self.accelerator.process_index * accumulate + self._step % accumulate
        items = replay.step_items(self.state.global_step)[part::parts]
        batch = {
            name: tensor.to(self.accelerator.device) for name, tensor in self.collate(items).items()
        }
        with self.accelerator.autocast():
            out = model(**batch, fused_lm_head=True)
        loss = -out.log_probs.sum() / out.label_mask.sum().clamp(min=1)
        self._metrics["train"]["replay_loss"].append(loss.item())
        return loss


def drop_idle(inputs: dict[str, Any]) -> dict[str, Any]:
    """Keep the samples with an advantage, cut to their longest prompt and completion.

    At least one sample is kept, so that the batch is not empty.
    """
    keep = inputs["advantages"].abs() > 1e-8
    if not bool(keep.any()):
        keep = torch.zeros_like(keep)
        keep[0] = True
    rows = keep.shape[0]
    kept = {
        name: value[keep]
        if isinstance(value, Tensor) and value.dim() and value.shape[0] == rows
        else value
        for name, value in inputs.items()
    }
    prompt = int(kept["prompt_mask"].sum(1).max())
    completion = max(1, int(kept["completion_mask"].sum(1).max()))
    for name in ("prompt_ids", "prompt_mask"):  # padded on the left
        kept[name] = kept[name][:, -prompt:]
    for name in (
        "completion_ids",
        "completion_mask",
        "old_per_token_logps",
        "sampling_per_token_logps",
        "importance_sampling_ratio",
    ):
        if name in kept:
            kept[name] = kept[name][:, :completion]
    return kept


def share_of_divisor(loss_type: str, inputs: dict[str, Any], active: dict[str, Any]) -> float:
    """The divisor of the loss of the active samples over that of all samples.

    The loss of the active samples alone times this is the loss of all of them.  With `grpo`, for
    example, TRL divides the sum over the rows by their number: if 3 of 8 samples have an
    advantage, the mean over these 3 is 8 / 3 times the mean over all 8, so the share is 3 / 8.
    """
    if loss_type in PER_ROW:
        return len(active["advantages"]) / len(inputs["advantages"])
    if loss_type in PER_TOKEN:
        kept, given = (int(part["completion_mask"].sum()) for part in (active, inputs))
        return max(1, kept) / max(1, given)
    return 1.0
