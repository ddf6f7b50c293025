"""The entropy of the tokens of chains, by what the token says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bioreason_bench.experiments.inside.ablate import rounded
from bioreason_bench.experiments.inside.forward import Scores, batches
from bioreason_bench.experiments.inside.texts import KINDS, Text
from bioreason_bench.statistics import clustered
from bioreason_bench.training.data import Row, prompt_of
from bioreason_bench.training.measure import complete, longest_completion

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def entropy_lines(
    texts: Sequence[Text], scores: Scores, head: dict[str, Any]
) -> list[dict[str, Any]]:
    """The entropy at the spots of gold chains: one line for each kind of spots."""
    spots = [(spot.kind, text.start) for text in texts for spot in text.spots]
    lines = []
    for kind in KINDS:
        chosen = [index for index, (name, _) in enumerate(spots) if name == kind]
        if chosen:
            starts = [spots[index][1] for index in chosen]
            mean = clustered(scores.entropy[chosen], starts, verdicts=False)
            lines.append(
                {
                    "measure": "entropy",
                    **head,
                    "kind": kind,
                    "spots": len(chosen),
                    "accuracy": round(float(scores.right[chosen].mean()), 4),
                    "entropy": rounded(mean),
                }
            )
    return lines


def own_chain_line(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: list[Row],
    head: dict[str, Any],
) -> dict[str, Any]:
    """The mean entropy of a token of the model's own greedy chains, in nats."""
    import torch

    texts = [
        group[0] for group in complete(model, tokenizer, rows, longest_completion(tokenizer, rows))
    ]
    prompts = _ids(tokenizer, [prompt_of(row) for row in rows])
    chains = _ids(tokenizer, [f" {text.strip()}" if text.strip() else "" for text in texts])
    means: list[float] = []
    starts: list[str] = []
    with torch.no_grad():
        whole = [prompt + chain for prompt, chain in zip(prompts, chains, strict=True)]
        for batch in batches(model, whole):
            logits = model(**batch.inputs).logits
            for row, number in enumerate(batch.numbers):
                first, end = len(prompts[number]) - 1, len(whole[number]) - 1
                if end > first:
                    shares = logits[row, first:end].float().log_softmax(-1)
                    means.append(float(-(shares.exp() * shares).sum(-1).mean()))
                    starts.append(rows[number]["entities"][0])
    mean = rounded(clustered(np.array(means), starts, verdicts=False)) if means else None
    return {"measure": "entropy", **head, "kind": "own chain", "spots": len(means), "entropy": mean}


def _ids(tokenizer: PreTrainedTokenizerBase, texts: list[str]) -> list[list[int]]:
    ids: list[list[int]] = tokenizer(texts, add_special_tokens=False)["input_ids"]
    return ids
