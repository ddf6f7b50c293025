"""Paired differences: which of two arms of an experiment is ahead, and how sure that is.

The unit of replication is the world.  `paired_difference` tests the differences of two arms in the
same worlds; `pooled_difference` gives the interval over their questions, which stand beside it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioreason_bench.errors import UsageError
from bioreason_bench.statistics.intervals import Estimate, as_scores, rule_of_three
from bioreason_bench.statistics.student import t_quantile, t_tail

__all__ = [
    "LEAST_WORLDS",
    "PairedDifference",
    "holm",
    "mean_over_worlds",
    "paired_difference",
    "pooled_difference",
]

LEAST_WORLDS = 3  # fewer differences decide nothing
NAN = float("nan")


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """The mean difference of two arms over worlds, and two tests of it.

    All numbers but `value` are NaN if there are fewer than LEAST_WORLDS worlds.

    Attributes:
        value: Mean of first - second.
        low: Lower end of its 95 % t-interval.
        high: Upper end of its 95 % t-interval.
        p: Two-sided p of the paired t-test of no difference (Student 1908).
        p_equivalent: p of the two one-sided tests of a difference beyond the margin.
        worlds: Number of worlds.
    """

    value: float
    low: float
    high: float
    p: float
    p_equivalent: float
    worlds: int


def paired_difference(
    first: ArrayLike, second: ArrayLike, margin: float = 0.05
) -> PairedDifference:
    """Test the mean of first - second over the same worlds.

    Two tests: the paired t-test of no difference, and the two one-sided t-tests (TOST; Schuirmann
    1987) of equivalence, whose p is the larger of the two.  Its p is below 0.05 if the 90 %
    t-interval lies within the margin.  If all differences are equal, the p of each test is 0 or 1.

    Args:
        first: A score of one arm for each world, shape [worlds].
        second: The scores of the other arm in the same worlds, in the same order.
        margin: Differences up to this one, fixed beforehand, count as none; above 0.
    """
    gaps = _gaps(first, second)
    worlds, value = len(gaps), float(gaps.mean())
    if worlds < LEAST_WORLDS:
        return PairedDifference(value, NAN, NAN, NAN, NAN, worlds)
    error = float(gaps.std(ddof=1)) / math.sqrt(worlds)
    reach = t_quantile(0.95, worlds - 1) * error
    sides = [_upper_tail(margin + sign * value, error, worlds - 1) for sign in (-1, 1)]
    return PairedDifference(
        value=value,
        low=value - reach,
        high=value + reach,
        p=min(1.0, 2 * _upper_tail(abs(value), error, worlds - 1)),
        p_equivalent=max(sides),
        worlds=worlds,
    )


def _upper_tail(value: float, error: float, freedom: int) -> float:
    """The one-sided p of a mean of `value` or more, if the true mean is 0."""
    if error < 1e-12:  # all differences are equal
        return 0.0 if value > 0 else 1.0
    tail = t_tail(value / error, freedom) / 2
    return tail if value > 0 else 1.0 - tail


def mean_over_worlds(scores: ArrayLike) -> Estimate:
    """Mean of one score for each world, with its 95 % t-interval within [0, 1].

    The interval is [nan, nan] if there are fewer than LEAST_WORLDS worlds.
    """
    scores = as_scores(scores)
    worlds, value = len(scores), float(scores.mean())
    if worlds < LEAST_WORLDS:
        return Estimate(value, NAN, NAN, worlds, worlds)
    reach = t_quantile(0.95, worlds - 1) * float(scores.std(ddof=1)) / math.sqrt(worlds)
    return Estimate(value, max(0.0, value - reach), min(1.0, value + reach), worlds, worlds)


def holm(ps: Sequence[float]) -> list[float]:
    """Adjust the p of several tests so that one wrong rejection among all has 5 % chance at most.

    Holm (1979): the smallest p is multiplied by the number of tests, the next by one less, ...; an
    adjusted p is never below that of a smaller p.  NaN stays NaN and counts as no test.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = sorted((p, index) for index, p in enumerate(ps) if not math.isnan(p))
    adjusted = list(ps)
    largest = 0.0
    for rank, (p, index) in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * p))
        adjusted[index] = largest
    return adjusted


def pooled_difference(
    first: ArrayLike,
    second: ArrayLike,
    *groups: Sequence[Collection[Hashable]],
    level: float = 0.95,
) -> Estimate:
    """Mean of first - second over the same questions, with a cluster-robust interval.

    Questions are dependent if they share a group of any kind (a person, an unseen relation).  The
    variance of the mean sums the products of all dependent pairs of residuals.  Where a question is
    in one group of each kind, this is the multi-way estimator of Cameron, Gelbach & Miller (2011),
    V(person) + V(relation) - V(both); a question with two unseen relations depends on those of
    either.  As in Cameron & Miller (2015), the variance is multiplied by G / (G - 1) and the
    interval is that of a t with G - 1 degrees of freedom, where G is the number of groups of the
    kind that has fewest.  If the estimate is below that of one kind of group alone, which happens
    with few groups, the largest of these is taken.  If all differences are equal, the interval is
    as wide as the "rule of three" allows for G trials.

    Args:
        first: One score per question, shape [questions].
        second: The scores of the other arm on the same questions, in the same order.
        groups: For each kind, the groups of each question; none for a question that has none.
        level: Coverage of the interval.

    Returns:
        The estimate; its interval is NaN if a kind has a single group.  `clusters` is G.
    """
    gaps = _gaps(first, second)
    kinds = [_labels(kind, len(gaps)) for kind in groups]
    fewest = min((int(kind.max(initial=-1)) + 1 for kind in kinds), default=0)
    value = float(gaps.mean())
    if fewest < 2:
        return Estimate(value, NAN, NAN, len(gaps), fewest)
    if gaps.min() == gaps.max():
        slack = rule_of_three(fewest, level)
        low, high = value - slack * (1.0 + value), value + slack * (1.0 - value)
        return Estimate(value, low, high, len(gaps), fewest)
    residuals = gaps - value
    sums = [_dependent_products(residuals, kinds)]
    sums += [_dependent_products(residuals, [kind]) for kind in kinds if len(kinds) > 1]
    variance = max(sums) / len(gaps) ** 2 * fewest / (fewest - 1)
    reach = t_quantile(level, fewest - 1) * math.sqrt(variance)
    return Estimate(value, value - reach, value + reach, len(gaps), fewest)


def _labels(groups: Sequence[Collection[Hashable]], questions: int) -> NDArray[np.int64]:
    """The number of each group of each question, shape [questions, most groups]; -1 pads."""
    if len(groups) != questions:
        raise UsageError(f"there are {questions} scores and groups of {len(groups)} questions")
    numbers: dict[Hashable, int] = {}
    labels = np.full((questions, max(map(len, groups))), -1, dtype=np.int64)
    for row, names in enumerate(groups):
        for column, name in enumerate(names):
            labels[row, column] = numbers.setdefault(name, len(numbers))
    return labels


def _dependent_products(
    residuals: NDArray[np.float64], kinds: Sequence[NDArray[np.int64]]
) -> float:
    """The sum of the products of residuals over all pairs of questions that share a group.

    Each question is paired with itself too.  In blocks, since pairs may be many.
    """
    questions, block, total = len(residuals), 1000, 0.0
    for start in range(0, questions, block):
        rows = slice(start, min(start + block, questions))
        shared = np.arange(questions)[rows, None] == np.arange(questions)
        for labels in kinds:
            for one in labels[rows].T:
                for other in labels.T:
                    shared |= (one[:, None] == other) & (one[:, None] >= 0)
        total += float(residuals[rows] @ shared @ residuals)
    return total


def _gaps(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """The differences first - second, shape [pairs]."""
    first, second = as_scores(first), as_scores(second)
    if len(first) != len(second):
        raise UsageError(
            f"a paired difference needs the same things twice, not {len(first)} and {len(second)}"
        )
    return first - second
