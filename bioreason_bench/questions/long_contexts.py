"""Long contexts: the biographies of bystanders up to a length in tokens (`context_tokens`).

Each question draws one of the lengths.  The biographies that it needs, those of its distractors,
and those of the bystanders stand in one drawn order, so that what is needed stands at any depth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import Draw
from bioreason_bench.lengths import tokens_in
from bioreason_bench.splits.bystanders import NOBODY, bystanders
from bioreason_bench.splits.distractors import Branches

__all__ = ["Crowd", "draw_crowd"]

SAMPLE = 20  # bystanders whose biographies tell how many will be needed
SPARE = 1.1  # drawn for each that will be needed


class Crowd(NamedTuple):
    """The bystanders of the questions of one path.

    Attributes:
        people: [questions, widest] ids, NOBODY behind the last one of a question.
        lines: Their biographies by id.
    """

    people: NDArray[np.int64]
    lines: dict[int, str]


def draw_crowd(
    branches: Branches,
    starts: NDArray,
    own: Sequence[Sequence[str]],
    apart: NDArray,
    *,
    lengths: Sequence[int],
    draw: Draw,
    write: Callable[[NDArray], list[str]],
) -> Crowd:
    """Draw a length for each question, and bystanders up to it.

    Args:
        branches: The path and its alternatives.
        starts: [questions] their starts.
        own: The biographies that each context has without bystanders.
        apart: [questions, people] who must not be bystanders; -1 for nobody.
        lengths: The lengths in tokens to draw from.
        draw: Decides all of it.
        write: The biographies of people as bystanders, shape [people].

    Raises:
        UsageError: The world has too few people.
    """
    asked = np.array(lengths)[draw.at("length").integers(starts, len(lengths))]
    missing = np.maximum(asked - [sum(map(tokens_in, texts)) for texts in own], 0)
    sample = bystanders(branches, starts[:1], apart[:1], SAMPLE, draw.at("sample"))[0]
    usual = np.mean([tokens_in(line) for line in write(np.sort(sample))])
    enough = (SPARE * missing / usual).astype(np.int64) + SAMPLE
    drawn = bystanders(branches, starts, apart, int(enough.max()), draw.at("people"))
    drawn[np.arange(drawn.shape[1]) >= enough[:, None]] = NOBODY
    everybody = np.unique(drawn[drawn >= 0])
    lines = dict(zip(everybody.tolist(), write(everybody), strict=True))
    size = np.zeros(len(branches.world.people), np.int64)
    size[everybody] = [tokens_in(line) for line in lines.values()]
    drawn[np.cumsum(size[drawn], axis=1) > missing[:, None]] = NOBODY
    widest = int((drawn >= 0).sum(axis=1).max())
    return Crowd(drawn[:, :widest], lines)
