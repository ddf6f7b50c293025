"""Texts through a model in padded batches, and what it predicts at the spots."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.experiments.inside.texts import Text

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

ROWS = 64  # texts at a time
LOGITS = 1 << 28  # most logits at a time, about a gigabyte


@dataclass(frozen=True)
class Batch:
    """Texts of similar length, padded on the right.

    Attributes:
        numbers: The number of each text in the whole list, [rows].
        ids: Tokens [rows, width].
        mask: 1 at tokens, 0 at padding, [rows, width].
    """

    numbers: list[int]
    ids: Tensor
    mask: Tensor

    @property
    def inputs(self) -> dict[str, Any]:
        return {"input_ids": self.ids, "attention_mask": self.mask, "use_cache": False}


def batches(model: PreTrainedModel, texts: Sequence[Sequence[int]]) -> Iterator[Batch]:
    """Batches of token lists, shortest first; the model is set to evaluation."""
    import torch

    model.eval()
    order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
    longest = max(map(len, texts), default=1)
    rows = max(1, min(ROWS, LOGITS // (model.config.vocab_size * longest)))
    for start in range(0, len(order), rows):
        numbers = order[start : start + rows]
        width = len(texts[numbers[-1]])
        ids = torch.zeros((len(numbers), width), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, number in enumerate(numbers):
            ids[row, : len(texts[number])] = torch.tensor(texts[number])
            mask[row, : len(texts[number])] = 1
        yield Batch(numbers, ids.to(model.device), mask.to(model.device))


@dataclass(frozen=True)
class Scores:
    """What a model makes of the spots of texts, in the order of texts and their spots.

    Attributes:
        log_probability: Of the whole name, in nats, [spots].
        right: Whether each token of the name is the most likely one, [spots].
        entropy: Of the distribution over its first token, in nats, [spots].
    """

    log_probability: NDArray[np.float64]
    right: NDArray[np.bool_]
    entropy: NDArray[np.float64]


def score(
    model: PreTrainedModel,
    texts: Sequence[Text],
    within: Callable[[Batch], AbstractContextManager[None]] | None = None,
) -> Scores:
    """Score the spots of texts; `within` gives the context in which a batch is run (hooks)."""
    import torch

    first = np.cumsum([0, *(len(text.spots) for text in texts)])
    values = np.zeros((3, int(first[-1])))
    values[1] = 1.0
    with torch.no_grad():
        for batch in batches(model, [text.ids for text in texts]):
            with within(batch) if within else nullcontext():
                rows, at, spots, begins = _places(batch, texts, first)
                shares = logits_at(model, batch, rows, at).log_softmax(-1)
            wanted = batch.ids[rows, [index + 1 for index in at]]
            likely = shares.gather(1, wanted[:, None])[:, 0].double().cpu().numpy()
            right = (shares.argmax(-1) == wanted).cpu().numpy()
            entropy = -(shares.exp() * shares).sum(-1).double().cpu().numpy()
            np.add.at(values[0], spots, likely)
            np.minimum.at(values[1], spots, right)
            values[2, np.array(spots)[begins]] = entropy[begins]
    return Scores(values[0], values[1].astype(bool), values[2])


def _places(
    batch: Batch, texts: Sequence[Text], first: NDArray[np.int64]
) -> tuple[list[int], list[int], list[int], NDArray[np.bool_]]:
    """Row, token that predicts, number of the spot, and whether it is the spot's first token."""
    rows, at, spots, begins = [], [], [], []
    for row, number in enumerate(batch.numbers):
        for index, spot in enumerate(texts[number].spots):
            for token in range(*spot.tokens):
                rows.append(row)
                at.append(token - 1)
                spots.append(int(first[number]) + index)
                begins.append(token == spot.tokens[0])
    return rows, at, spots, np.array(begins, dtype=bool)


def logits_at(
    model: PreTrainedModel, batch: Batch, rows: Sequence[int], at: Sequence[int]
) -> Tensor:
    """The logits of some tokens of a batch, [tokens, vocabulary].

    Only the columns that hold such a token are computed, where the model allows it.

    Args:
        model: The model.
        batch: The texts.
        rows: The row of each token.
        at: Its place in the row.
    """
    import torch

    columns = sorted(set(at))
    if "logits_to_keep" in inspect.signature(model.forward).parameters:
        keep = torch.tensor(columns, device=model.device)
        logits = model(**batch.inputs, logits_to_keep=keep).logits
        number = {column: index for index, column in enumerate(columns)}
        at = [number[column] for column in at]
    else:
        logits = model(**batch.inputs).logits
    chosen: Tensor = logits[list(rows), list(at)]
    return chosen.float()
