"""An output layer that scores only the positions with a label."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

from bioreason_bench.training.data import IGNORE

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def score_labels_only(model: PreTrainedModel, temperature: float = 1.0) -> None:
    """Make `model(..., labels=, fused_lm_head=True)` score only the positions that have a label.

    Same contract as trl.trainer.utils.add_fused_lm_head, which does this on GPUs only; here in
    plain autograd.
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
        mask = labels != IGNORE  # [B, T - 1]
        target = labels[mask]  # [labels]
        logits = self.get_output_embeddings()(hidden[mask]).float() / temperature  # [labels, V]
        scores = logits.log_softmax(-1)
        chosen = scores.gather(-1, target[:, None])[:, 0]
        with torch.no_grad():
            entropy = -(scores.exp() * scores).sum(-1)  # nats
            top = (scores.argmax(-1) == target).float()
        log_probs, entropies, is_top1 = (
            hidden.new_zeros(mask.shape, dtype=torch.float32).masked_scatter(mask, values)
            for values in (chosen, entropy, top)
        )
        return FusedCausalLMOutput(
            loss=-chosen.sum() / (mask.sum().clamp(min=1) if total is None else total),
            log_probs=log_probs,
            entropy=entropies,
            is_top1=is_top1,
            label_mask=mask,
        )

    # `generate` checks its arguments against this signature.
    forward.__wrapped__ = type(model).forward  # type: ignore[attr-defined]
    model.forward = types.MethodType(forward, model)


def plain_head(model: PreTrainedModel) -> bool:
    """Whether the output layer is a plain matrix product (no soft cap, no scale, no router)."""
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
