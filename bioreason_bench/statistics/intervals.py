"""Intervals of means over questions that share people.

Questions share people, so the unit that is resampled is the person a question starts from, not the
question.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioreason_bench.draw import Draw
from bioreason_bench.errors import UsageError

__all__ = [
    "RESAMPLES",
    "Estimate",
    "as_scores",
    "bootstrap",
    "clustered",
    "clusters_of",
    "resampled_means",
    "rule_of_three",
    "wilson_interval",
]

RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over questions with its interval.

    Attributes:
        value: The mean.
        low: Lower end of the interval; nan if there is a single cluster.
        high: Upper end of the interval; nan if there is a single cluster.
        questions: Number of questions.
        clusters: Number of clusters (people) that they fall into.
    """

    value: float
    low: float
    high: float
    questions: int
    clusters: int

    def __str__(self) -> str:
        return f"{100 * self.value:.1f} [{100 * self.low:.1f}, {100 * self.high:.1f}]"


def clustered(
    scores: ArrayLike,
    clusters: Sequence[Hashable],
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
    verdicts: bool = True,
) -> Estimate:
    """Mean of `scores` and its percentile interval, by resampling whole clusters with replacement.

    Davison & Hinkley (1997), section 3.8.  The same seed gives the same interval.  With a single
    cluster nothing can be resampled, and the interval is [nan, nan].  If all verdicts are equal,
    resampling shows no spread; the inner end is then the exact binomial bound for as many trials as
    there are clusters (the "rule of three").

    Args:
        scores: One score per question, shape [questions].
        clusters: The cluster of each question.
        level: Coverage of the interval.
        resamples: Number of bootstrap samples.
        seed: Seed of the bootstrap.
        verdicts: Whether scores are verdicts (right or wrong); False for chances such as pass@k.
    """
    scores = as_scores(scores)
    value, (low, high), number = bootstrap(scores, clusters, level, resamples, seed)
    if number > 1 and verdicts and value in (0.0, 1.0) and scores.min() == scores.max():
        slack = rule_of_three(number, level)
        low, high = (0.0, slack) if value == 0.0 else (1.0 - slack, 1.0)
    return Estimate(value, low, high, len(scores), number)


def wilson_interval(
    right: ArrayLike, clusters: ArrayLike, z: float = 1.959963984540054
) -> tuple[float, float]:
    """Return the ends of Wilson's interval (1927) of a share, for questions in clusters.

    The number of questions is divided by the design effect of the clusters (Kish 1965): the
    variance of a mean over clusters, relative to that of a mean over independent questions, and
    at least 1. Cheaper than the bootstrap of `clustered`, and defined for a single cluster.

    Args:
        right: Whether each question is answered correctly, shape [questions].
        clusters: A label for each question, shape [questions].
        z: Quantile of the standard normal distribution; 1.96 gives a 95 % interval.
    """
    n, mean = _effective_size(right, clusters)
    middle = (mean + z * z / (2 * n)) / (1 + z * z / n)
    radius = z / (1 + z * z / n) * float(np.sqrt(mean * (1 - mean) / n + z * z / (4 * n * n)))
    # exactly 0 and 1 where rounding would leave 1e-17
    low = max(0.0, middle - radius) if mean > 0 else 0.0
    high = min(1.0, middle + radius) if mean < 1 else 1.0
    return low, high


def luck_bound(right: ArrayLike, clusters: ArrayLike, chance: float) -> float:
    """Return an upper bound on the probability of so many right answers by luck.

    Chernoff's bound (1952) for n independent guesses, each right with probability `chance`:
    exp(-n KL(share, chance)), where n is divided by the design effect as in `wilson_interval`.
    Unlike a normal approximation it holds for a handful of questions too.

    >>> luck_bound([True, False], [0, 1], 0.5)
    1.0
    >>> round(luck_bound([True] * 10, range(10), 0.5), 5)  # 1 in 1,024
    0.00098

    Args:
        right: Whether each question is answered correctly, shape [questions].
        clusters: A label for each question, shape [questions].
        chance: The probability that a guess is right, above 0 and below 1.
    """
    return _chernoff(*_effective_size(right, clusters), chance)


def luck_bound_of(right: int, guesses: int, chance: float) -> float:
    """`luck_bound` of so many right ones of independent guesses.

    >>> round(luck_bound_of(10, 10, 0.5), 5)
    0.00098
    """
    return _chernoff(guesses, right / guesses, chance)


def _chernoff(n: float, share: float, chance: float) -> float:
    if share <= chance:
        return 1.0
    divergence = share * np.log(share / chance)
    if share < 1:
        divergence += (1 - share) * np.log((1 - share) / (1 - chance))
    return float(np.exp(-n * divergence))


def _effective_size(right: ArrayLike, clusters: ArrayLike) -> tuple[float, float]:
    """The number of questions divided by the design effect, and the share of right ones."""
    right = np.asarray(right, dtype=bool)
    size, mean = len(right), float(right.mean())
    _, cluster = np.unique(np.asarray(clusters), return_inverse=True)
    independent = mean * (1 - mean) * size
    effect = 1.0
    if independent > 0:
        deviations = np.bincount(cluster, right - mean)  # summed over each cluster
        effect = max(1.0, float((deviations**2).sum()) / independent)
    return size / effect, mean


def clusters_of(entities: Iterable[Sequence[str]]) -> list[str]:
    """The person that each question starts from: the cluster of the question."""
    return [people[0] for people in entities]


def as_scores(scores: ArrayLike) -> NDArray[np.float64]:
    """The scores as an array of shape [questions]; UsageError if there is none."""
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim != 1 or not len(scores):
        raise UsageError(
            "an interval needs the scores of at least one question, in one row, "
            f"not shape {scores.shape}"
        )
    return scores


def rule_of_three(clusters: int, level: float) -> float:
    """Largest chance of an event that is compatible with none in as many trials; about 3 / n."""
    return float(1.0 - (1.0 - level) ** (1.0 / clusters))


def bootstrap(
    scores: NDArray[np.float64],
    clusters: Sequence[Hashable],
    level: float,
    resamples: int,
    seed: int,
) -> tuple[float, tuple[float, float], int]:
    """Mean, percentile interval and number of clusters."""
    sums, counts = _by_cluster(scores, clusters)
    value = float(scores.mean())
    if len(counts) < 2:
        return value, (float("nan"), float("nan")), len(counts)
    means = _resampled_means(sums, counts, resamples, seed)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return value, (float(low), float(high)), len(counts)


def resampled_means(
    scores: ArrayLike, clusters: Sequence[Hashable], resamples: int = RESAMPLES, seed: int = 0
) -> NDArray[np.float64]:
    """The means of `resamples` bootstrap samples of whole clusters; NaN if there is one cluster.

    The same clusters in the same order and the same seed give the same samples, so that the means
    of several scores of the same questions may be combined sample by sample, as in a ratio.
    """
    sums, counts = _by_cluster(as_scores(scores), clusters)
    if len(counts) < 2:
        return np.full(resamples, np.nan)
    return _resampled_means(sums, counts, resamples, seed)


def _by_cluster(
    scores: NDArray[np.float64], clusters: Sequence[Hashable]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum of scores and number of questions of each cluster."""
    if len(clusters) != len(scores):
        raise UsageError(
            f"there are {len(scores)} scores and {len(clusters)} clusters; each score needs one"
        )
    numbers: dict[Hashable, int] = {}
    index = np.fromiter(
        (numbers.setdefault(cluster, len(numbers)) for cluster in clusters),
        dtype=np.int64,
        count=len(scores),
    )
    sums = np.bincount(index, weights=scores).astype(np.float64)
    return sums, np.bincount(index).astype(np.float64)


def _resampled_means(
    sums: NDArray[np.float64], counts: NDArray[np.float64], resamples: int, seed: int
) -> NDArray[np.float64]:
    """`resamples` ratio means over clusters drawn with replacement, in blocks of about 64 MB."""
    number = len(counts)
    draw = Draw(seed, ("bootstrap",))
    block = max(1, 2_000_000 // number)
    means = np.empty(resamples)
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        index = np.arange(start * number, (start + rows) * number, dtype=np.uint64)
        chosen = draw.integers(index, number).reshape(rows, number)
        means[start : start + rows] = sums[chosen].sum(axis=1) / counts[chosen].sum(axis=1)
    return means
