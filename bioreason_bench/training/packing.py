"""Texts into the tensors of a batch; several short texts share a row, so that little is padding.

A row's `position_ids` restart at 0 with each text, by which transformers' own models and `nano`
keep the texts apart.  For a model that cannot (`packed=False`), each text has its own row, padded
on the right, with an attention mask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bioreason_bench.training.data import IGNORE

if TYPE_CHECKING:
    from torch import Tensor


def first_fit(lengths: Sequence[int], width: int) -> list[list[int]]:
    """Put texts into rows of `width` tokens: longest first, each into the first row with room.

    first_fit([3, 5, 2, 4], 6)    [[1], [3, 2], [0]]        texts 3 and 2 (4 + 2 tokens) share a row
    """
    rows: list[list[int]] = []
    room: list[int] = []
    for text in sorted(range(len(lengths)), key=lambda text: -lengths[text]):
        length = lengths[text]
        for row, free in enumerate(room):
            if length <= free:
                rows[row].append(text)
                room[row] -= length
                break
        else:
            rows.append([text])
            room.append(width - length)
    return rows


@dataclass(frozen=True)
class Collate:
    """Make the tensors [rows, width] of a batch from items with `input_ids` and `labels`.

    Attributes:
        pad: Token id of the padding.
        packed: Let several texts share a row.
    """

    pad: int
    packed: bool = True

    def __call__(self, items: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        import torch

        lengths = [len(item["input_ids"]) for item in items]
        width = max(lengths)
        rows = first_fit(lengths, width) if self.packed else [[text] for text in range(len(items))]
        ids = np.full((len(rows), width), self.pad, np.int64)
        labels = np.full((len(rows), width), IGNORE, np.int64)
        positions = np.zeros((len(rows), width), np.int64)
        for row, texts in enumerate(rows):
            begin = 0
            for text in texts:
                end = begin + lengths[text]
                ids[row, begin:end] = items[text]["input_ids"]
                labels[row, begin:end] = items[text]["labels"]
                labels[row, begin] = IGNORE  # no token of the same text predicts it
                positions[row, begin:end] = np.arange(lengths[text])
                begin = end
        batch = {"input_ids": ids, "labels": labels}
        if self.packed:
            batch["position_ids"] = positions
        else:
            mask = np.arange(width) < np.array(lengths)[:, None]
            batch["attention_mask"] = mask.astype(np.int64)
        return {name: torch.from_numpy(array) for name, array in batch.items()}
