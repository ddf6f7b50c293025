"""Where chains go wrong first, beside what independent errors would give.

"Most errors are in the first half" says nothing on its own: of three hops two are in the first
half, and an early error hides later ones.  So each share is compared with that of a model which
fails every hop with the same chance, and with the place of the first unseen relation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.experiments.verdicts import Part


@dataclass(frozen=True)
class FirstErrors:
    """First errors of an arm on a test set; shares are None where nothing can be divided.

    Attributes:
        wrong: Chains with a wrong hop.
        early: Share of their first errors in the first half of the chain.
        early_by_chance: The share that independent errors would give.
        early_unseen: Share of the wrong chains whose first unseen relation is in the first half.
        at_unseen: Share of the first errors that are at the first unseen relation.
        at_unseen_by_chance: The share that independent errors would give.
    """

    wrong: int
    early: float | None
    early_by_chance: float | None
    early_unseen: float | None
    at_unseen: float | None
    at_unseen_by_chance: float | None


def first_errors(parts: Sequence[Part]) -> FirstErrors | None:
    """Summarise the verdicts of an arm; None without any."""
    if not parts:
        return None
    error = np.concatenate([part.first_error for part in parts]).astype(int)
    hops = np.concatenate([np.array(part.questions.hops) for part in parts])
    unseen = np.concatenate([np.array(part.questions.first_unseen) for part in parts])
    wrong = error >= 0
    if not wrong.any():
        return FirstErrors(0, None, None, None, None, None)
    chance = hop_error_rate(error, hops)
    expected = expected_first_errors(hops, chance)  # [questions, hops]
    positions = np.arange(expected.shape[1])
    early = positions < hops[:, None] / 2
    has_unseen = unseen >= 0
    both = wrong & has_unseen
    return FirstErrors(
        wrong=int(wrong.sum()),
        early=float((error[wrong] < hops[wrong] / 2).mean()),
        early_by_chance=float((expected * early).sum() / expected.sum()),
        early_unseen=float((unseen[both] < hops[both] / 2).mean()) if both.any() else None,
        at_unseen=float((error[both] == unseen[both]).mean()) if both.any() else None,
        at_unseen_by_chance=float(
            (expected * (positions == unseen[:, None]))[has_unseen].sum()
            / expected[has_unseen].sum()
        )
        if both.any()
        else None,
    )


def hop_error_rate(error: NDArray[np.int_], hops: NDArray[np.int_]) -> float:
    """The chance that a hop is wrong if those before it are right: errors by hops that were tried.

    The maximum-likelihood estimate of a geometric distribution cut off at the end of the chain.

    Args:
        error: The first wrong hop of each question, -1 for none.
        hops: The number of hops of each question.
    """
    tried = np.where(error >= 0, error + 1, hops)
    return float((error >= 0).sum() / tried.sum())


def expected_first_errors(hops: NDArray[np.int_], chance: float) -> NDArray[np.float64]:
    """The chance of each question that its first error is at each hop, shape [questions, hops].

    Each hop is wrong with the same chance, independently.
    """
    positions = np.arange(int(hops.max()))
    return np.where(positions < hops[:, None], (1 - chance) ** positions * chance, 0.0)
