"""From texts to a batch: several short texts share a row, so that little is computed for padding.

A row's `position_ids` start at 0 with each text; transformers' own models and `nano` keep the texts apart by that.  Where a
model cannot (`packed=False`), each text has its own row, padded on the right, with an attention mask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

IGNORE = -100


def first_fit(lengths: Sequence[int], width: int) -> list[list[int]]:
    """Which texts share a row of `width` tokens: longest first, each into the first row with room."""
    rows: list[list[int]] = []
    room: list[int] = []
    for text in sorted(range(len(lengths)), key=lambda text: -lengths[text]):
        need = lengths[text]
        for row, free in enumerate(room):
            if need <= free:
                rows[row].append(text)
                room[row] -= need
                break
        else:
            rows.append([text])
            room.append(width - need)
    return rows


@dataclass(frozen=True)
class Collate:
    """Makes the tensors of a batch from items with `input_ids` and `labels` (lists of the same length)."""

    pad: int
    packed: bool = True
    least_width: int = 0  # a row is as wide as the longest text, or this

    def __call__(self, items: Sequence[dict[str, Any]]) -> dict[str, Any]:
        import torch

        lengths = [len(item["input_ids"]) for item in items]
        width = (
            max(self.least_width if self.packed else 0, *lengths)
            if len(lengths) > 1
            else lengths[0]
        )
        rows = first_fit(lengths, width) if self.packed else [[text] for text in range(len(items))]
        ids = np.full((len(rows), width), self.pad, np.int64)
        labels = np.full((len(rows), width), IGNORE, np.int64)
        positions = np.zeros((len(rows), width), np.int64)
        for row, texts in enumerate(rows):
            at = 0
            for text in texts:
                end = at + lengths[text]
                ids[row, at:end] = items[text]["input_ids"]
                labels[row, at:end] = items[text]["labels"]
                labels[row, at] = IGNORE  # nothing before it to be predicted from
                positions[row, at:end] = np.arange(lengths[text])
                at = end
        batch = {"input_ids": ids, "labels": labels}
        if self.packed:
            batch["position_ids"] = positions
        else:
            batch["attention_mask"] = (np.arange(width) < np.array(lengths)[:, None]).astype(
                np.int64
            )
        return {name: torch.from_numpy(array) for name, array in batch.items()}
