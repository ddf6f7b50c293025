"""Mean ablation: what a model loses at recalled and at read hops without one of its parts.

The output of a part is replaced, at every token, by its mean over other questions at the same
position type.  The questions fall into two halves by the person they start from; those of one half
get the means of the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.experiments.inside.forward import Batch, Scores, batches, score
from bioreason_bench.experiments.inside.hooks import Change, Part, hooked, parts_of, reader
from bioreason_bench.experiments.inside.texts import KINDS, Text
from bioreason_bench.statistics import Estimate, clustered

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

PADDING = 0  # number of the position type of padding
POINTS = 0.05  # a part matters if its removal costs more than this share of the spots


@dataclass(frozen=True)
class Ablation:
    """What a model makes of the spots of texts: whole, and without each part.

    Attributes:
        kind: The kind of each spot, [spots].
        start: The person from whom the spot's question starts, [spots].
        whole: The scores of the whole model.
        without: The scores without each part.
    """

    kind: NDArray[np.str_]
    start: NDArray[np.str_]
    whole: Scores
    without: dict[Part, Scores]


def ablate(model: PreTrainedModel, texts: Sequence[Text]) -> Ablation:
    """Score the spots of texts with and without each part of the model."""
    parts = parts_of(model)
    means = Means(texts)
    means.measure(model, parts)
    without = {part: score(model, texts, partial(means.instead_of, model, part)) for part in parts}
    spots = [(spot.kind, text.start) for text in texts for spot in text.spots]
    kinds, starts = np.array(spots, dtype=str).reshape(-1, 2).T
    return Ablation(kinds, starts, score(model, texts), without)


class Means:
    """The mean value of parts for each position type, over either half of the questions."""

    def __init__(self, texts: Sequence[Text]) -> None:
        names = sorted({name for text in texts for name in text.types})
        self._number = {name: number for number, name in enumerate(names, 1)}
        self._types = [[self._number[name] for name in text.types] for text in texts]
        people = {name: number for number, name in enumerate(sorted({t.start for t in texts}))}
        self._half = [people[text.start] % 2 for text in texts]
        self._ids = [text.ids for text in texts]
        self._means: dict[Part, Tensor] = {}  # [halves, types, size]

    def measure(self, model: PreTrainedModel, parts: Sequence[Part]) -> None:
        """Run all texts once and take the means of the parts."""
        import torch

        sums: dict[Part, Tensor] = {}
        shape = (2, len(self._number) + 1)
        counts = torch.zeros(shape).to(model.device)
        with torch.no_grad():
            for batch in batches(model, self._ids):
                kept: dict[Part, Tensor] = {}
                with hooked(model, {part: reader(kept, part) for part in parts}):
                    model(**batch.inputs)
                key = self._key(batch, other=False)
                counts.view(-1).index_add_(0, key, torch.ones_like(key, dtype=counts.dtype))
                for part, value in kept.items():
                    flat = value.flatten(0, 1).float()
                    if part not in sums:
                        sums[part] = flat.new_zeros((*shape, flat.shape[-1]))
                    sums[part].flatten(0, 1).index_add_(0, key, flat)
        self._means = {part: _means(total, counts) for part, total in sums.items()}

    def instead_of(
        self, model: PreTrainedModel, part: Part, batch: Batch
    ) -> AbstractContextManager[None]:
        """While this lasts, the part has its means over the other half of the questions."""
        chosen = self._means[part].flatten(0, 1)[self._key(batch, other=True)]

        def change(value: Tensor) -> Tensor:
            return chosen.view(value.shape).to(value.dtype)

        changes: dict[Part, Change] = {part: change}
        return hooked(model, changes)

    def _key(self, batch: Batch, other: bool) -> Tensor:
        """Half and position type of each token of a batch as one number, [rows x width]."""
        import torch

        rows, width = batch.ids.shape
        key = torch.full((rows, width), PADDING)
        for row, number in enumerate(batch.numbers):
            types = self._types[number]
            half = 1 - self._half[number] if other else self._half[number]
            key[row] = half * (len(self._number) + 1)
            key[row, : len(types)] += torch.tensor(types)
        return key.flatten().to(batch.ids.device)


def _means(total: Tensor, counts: Tensor) -> Tensor:
    """Means [halves, types, size]; a type that a half has not gets the mean of its tokens."""
    inside = counts.clone()
    inside[:, PADDING] = 0
    overall = (total * (inside > 0)[..., None]).sum(1) / inside.sum(1).clamp(min=1)[:, None]
    means = total / counts.clamp(min=1)[..., None]
    return means.where(inside[..., None] > 0, overall[:, None])


def ablation_lines(found: Ablation, head: dict[str, Any]) -> list[dict[str, Any]]:
    """One line for each kind of spots and part: the whole model's scores and the drops."""
    lines = []
    for kind in KINDS:
        chosen = found.kind == kind
        if not chosen.any():
            continue
        whole = found.whole
        for part, scores in found.without.items():
            drops = {
                "log_probability_drop": _mean(
                    (whole.log_probability - scores.log_probability)[chosen], found.start[chosen]
                ),
                "accuracy_drop": _mean(_accuracy_drop(whole, scores)[chosen], found.start[chosen]),
            }
            lines.append(
                {
                    "measure": "ablation",
                    **head,
                    "kind": kind,
                    "part": str(part),
                    "spots": int(chosen.sum()),
                    "people": len(set(found.start[chosen].tolist())),
                    "log_probability": round(float(whole.log_probability[chosen].mean()), 4),
                    "accuracy": round(float(whole.right[chosen].mean()), 4),
                    **{name: rounded(estimate) for name, estimate in drops.items()},
                }
            )
    return lines


def change_lines(before: Ablation, after: Ablation, head: dict[str, Any]) -> list[dict[str, Any]]:
    """What training changed in the drop of each part, over the same spots of two models."""
    lines = []
    for kind in KINDS:
        chosen = before.kind == kind
        if not chosen.any():
            continue
        for part in before.without:
            drops = [
                _accuracy_drop(model.whole, model.without[part])[chosen]
                for model in (before, after)
            ]
            change = _mean(drops[1] - drops[0], before.start[chosen])
            lines.append(
                {
                    "measure": "ablation change",
                    **head,
                    "kind": kind,
                    "part": str(part),
                    "spots": int(chosen.sum()),
                    "accuracy_drop_change": rounded(change),
                }
            )
    return lines


def _accuracy_drop(whole: Scores, scores: Scores) -> NDArray[np.float64]:
    return whole.right.astype(float) - scores.right.astype(float)


def _mean(values: NDArray[np.float64], starts: NDArray[np.str_]) -> Estimate:
    return clustered(values, starts.tolist(), verdicts=False)


def rounded(estimate: Estimate) -> list[float]:
    """The mean and its 95 % interval, [mean, low, high]."""
    return [round(float(value), 4) for value in (estimate.value, estimate.low, estimate.high)]


def matters(line: dict[str, Any]) -> bool:
    """Whether a part matters: the interval of its drop in accuracy lies above POINTS."""
    return bool(line["accuracy_drop"][1] > POINTS)
