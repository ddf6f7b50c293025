"""Paired differences: which of two models, or of two arms of an experiment, is ahead."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal

from numpy.typing import ArrayLike

from bioreason_bench.errors import UsageError
from bioreason_bench.statistics.intervals import (
    RESAMPLES,
    Estimate,
    as_scores,
    bootstrap,
    rule_of_three,
)

__all__ = ["Verdict", "ahead", "decide", "difference", "seed_difference"]

Verdict = Literal["ahead", "behind", "level"]
LEAST_SEEDS = 3  # fewer pairs of runs decide nothing
# Student's t, two-sided 95 %, for 1, 2, ... 30 degrees of freedom; the last serves all beyond
T_QUANTILES = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)


def difference(
    first: ArrayLike,
    second: ArrayLike,
    clusters: Sequence[Hashable],
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """Mean of second - first over the same questions, with the clustered interval of that mean.

    If all differences are equal, the interval is as wide as the "rule of three" allows for scores
    in [0, 1].

    Args:
        first: One score in [0, 1] per question, shape [questions].
        second: The scores of the other model on the same questions, in the same order.
        clusters: The cluster of each question.
        level: Coverage of the interval.
        resamples: Number of bootstrap samples.
        seed: Seed of the bootstrap.
    """
    first, second = as_scores(first), as_scores(second)
    if len(first) != len(second):
        raise UsageError(
            "a paired difference needs the same questions twice, "
            f"not {len(first)} and {len(second)} of them"
        )
    gaps = second - first
    value, (low, high), number = bootstrap(gaps, clusters, level, resamples, seed)
    if number > 1 and gaps.min() == gaps.max():
        slack = rule_of_three(number, level)
        low, high = value - slack * (value + 1.0), value + slack * (1.0 - value)
    return Estimate(value, low, high, len(gaps), number)


def seed_difference(first: ArrayLike, second: ArrayLike) -> Estimate:
    """Mean of second - first over the same seeds (paired), with its 95 % t-interval.

    Each seed is a cluster: one pair of runs gives one difference.  With fewer than LEAST_SEEDS
    seeds the interval is [nan, nan].

    Args:
        first: A score for each seed.
        second: The scores that it is compared with, in the same order.
    """
    first, second = as_scores(first), as_scores(second)
    if len(first) != len(second):
        raise UsageError(
            "a paired difference needs a score of the same seeds twice, "
            f"not {len(first)} and {len(second)} of them"
        )
    gaps = second - first
    seeds = len(gaps)
    value = float(gaps.mean())
    if seeds < LEAST_SEEDS:
        return Estimate(value, float("nan"), float("nan"), seeds, seeds)
    quantile = T_QUANTILES[min(seeds - 1, len(T_QUANTILES)) - 1]
    margin = quantile * float(gaps.std(ddof=1)) / seeds**0.5
    return Estimate(value, value - margin, value + margin, seeds, seeds)


def decide(gap: Estimate) -> Verdict:
    """Whether the second of two is "ahead" or "behind", by the interval of a paired difference.

    "level" if the interval contains 0, or if there is none (NaN).
    """
    if gap.low > 0:
        return "ahead"
    return "behind" if gap.high < 0 else "level"


def ahead(
    first: ArrayLike,
    second: ArrayLike,
    clusters: Sequence[Hashable],
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Verdict:
    """Whether `first` scores above `second` on the same questions: "ahead", "behind" or "level".

    "level" means that the paired, person-clustered interval of the difference contains 0; with a
    single cluster there is no interval, and the verdict is "level".  Arguments as in `difference`.
    """
    return decide(difference(second, first, clusters, level=level, resamples=resamples, seed=seed))
