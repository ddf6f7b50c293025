"""Confidence intervals by a person-clustered bootstrap, since questions share people; and accuracy behind a gate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioreason_bench.draw import Draw
from bioreason_bench.errors import UsageError

__all__ = [
    "Estimate",
    "clustered",
    "clusters_of",
    "decide",
    "difference",
    "gate",
    "pass_at_k",
    "pass_curve",
    "powers_of_two",
    "seed_difference",
    "wilson_interval",
]

RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over questions, with its interval and what it rests on."""

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
    """Mean of `scores` (one per question), its interval by resampling whole clusters with replacement.

    The percentile interval of Davison & Hinkley (1997, section 3.8) over `resamples` draws; the same seed gives the same
    interval.  With a single cluster nothing can be resampled and the interval is [nan, nan].  Where all verdicts (right or
    wrong) are the same, resampling shows no spread at all: then the other end is the exact binomial bound for as many
    trials as there are clusters (the "rule of three").  Set `verdicts` to False where scores are chances, such as pass@k.
    """
    scores = _scores(scores)
    sums, counts = _by_cluster(scores, clusters)
    number = len(counts)
    value = float(scores.mean())
    if number < 2:
        return Estimate(value, float("nan"), float("nan"), len(scores), number)
    means = _resampled_means(sums, counts, resamples, seed)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    if verdicts and scores.min() == scores.max() and scores[0] in (0.0, 1.0):
        slack = 1.0 - (1.0 - level) ** (1.0 / number)
        low, high = (0.0, slack) if value == 0.0 else (1.0 - slack, 1.0)
    return Estimate(value, float(low), float(high), len(scores), number)


def difference(
    first: ArrayLike,
    second: ArrayLike,
    clusters: Sequence[Hashable],
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """Mean of second - first over the same questions (paired), with the clustered interval of that difference."""
    first, second = _scores(first), _scores(second)
    if len(first) != len(second):
        raise UsageError(
            f"a paired difference needs the same questions twice, not {len(first)} and {len(second)} of them"
        )
    return clustered(second - first, clusters, level=level, resamples=resamples, seed=seed)


def clusters_of(entities: Iterable[Sequence[str]]) -> list[str]:
    """The person that each question starts from: questions about one person stand or fall together."""
    return [people[0] for people in entities]


def gate(
    correct: Mapping[str, float],
    hops: Mapping[str, int],
    probe_of: Mapping[str, Iterable[str]],
    probes: Mapping[str, float],
) -> tuple[dict[str, float], int]:
    """The scores of the questions all of whose probes were answered right, and how many questions had all their probes asked.

    `correct`: question id -> score.  `hops`: question id -> its number of hops, each of which has one probe.  `probe_of`:
    probe id -> ids of the questions that it is a hop of.  `probes`: probe id -> score.
    """
    asked = Counter(question for probe in probes for question in probe_of.get(probe, ()))
    failed = {
        question
        for probe, score in probes.items()
        if not score
        for question in probe_of.get(probe, ())
    }
    whole = [question for question in correct if asked[question] == hops[question]]
    return {
        question: float(correct[question]) for question in whole if question not in failed
    }, len(whole)


def _scores(scores: ArrayLike) -> NDArray[np.float64]:
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim != 1 or not len(scores):
        raise UsageError(
            f"an interval needs the scores of at least one question, in one row, not shape {scores.shape}"
        )
    return scores


def _by_cluster(
    scores: NDArray[np.float64], clusters: Sequence[Hashable]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum of scores and number of questions of each cluster."""
    if len(clusters) != len(scores):
        raise UsageError(
            f"there are {len(scores)} scores and {len(clusters)} clusters; each score needs one"
        )
    number: dict[Hashable, int] = {}
    where = np.fromiter(
        (number.setdefault(cluster, len(number)) for cluster in clusters),
        dtype=np.int64,
        count=len(scores),
    )
    return np.bincount(where, weights=scores), np.bincount(where).astype(np.float64)


def _resampled_means(
    sums: NDArray, counts: NDArray, resamples: int, seed: int
) -> NDArray[np.float64]:
    """`resamples` ratio means over clusters drawn with replacement, in blocks that keep memory under about 64 MB."""
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


def pass_at_k(samples: ArrayLike, right: ArrayLike, k: int) -> NDArray[np.float64]:
    """pass@k of each question, from the number of its samples and of the right ones among them; shapes broadcast.

    Raises UsageError where a question has fewer than k samples: then no unbiased estimate exists.
    """
    samples, right = np.broadcast_arrays(
        np.asarray(samples, dtype=np.int64), np.asarray(right, dtype=np.int64)
    )
    if k < 1:
        raise UsageError(f"pass@{k} means nothing; k must be at least 1")
    if samples.size and (least := int(samples.min())) < k:
        raise UsageError(
            f"pass@{k} needs at least {k} samples of every question, and one has {least}; draw more or ask for a smaller k"
        )
    if np.any((right < 0) | (right > samples)):
        raise UsageError("pass@k: there must be between 0 and n right ones among n samples")
    wrong = samples - right
    # C(wrong, k) / C(samples, k) as a product of k factors below 1: no overflow, and 0 where wrong < k
    factors = (wrong[..., None] - np.arange(k)) / (samples[..., None] - np.arange(k))
    return 1.0 - np.prod(np.clip(factors, 0.0, None), axis=-1)


def powers_of_two(samples: int) -> list[int]:
    """1, 2, 4, ... up to `samples`."""
    return [1 << power for power in range(max(int(samples), 0).bit_length())]


def pass_curve(right: ArrayLike) -> dict[int, float]:
    """Mean pass@k for k = 1, 2, 4, ... from a matrix [questions, samples] of verdicts."""
    right = np.asarray(right, dtype=bool)
    if right.ndim != 2 or not right.size:
        raise UsageError(f"pass@k needs verdicts of shape [questions, samples], not {right.shape}")
    counts = right.sum(axis=1)
    return {
        k: float(pass_at_k(right.shape[1], counts, k).mean()) for k in powers_of_two(right.shape[1])
    }


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
    right = np.asarray(right, dtype=bool)
    size, mean = len(right), float(right.mean())
    _, cluster = np.unique(np.asarray(clusters), return_inverse=True)
    independent = mean * (1 - mean) * size
    effect = 1.0
    if independent > 0:
        deviations = np.bincount(cluster, right - mean)  # summed over each cluster
        effect = max(1.0, float((deviations**2).sum()) / independent)
    n = size / effect
    middle = (mean + z * z / (2 * n)) / (1 + z * z / n)
    radius = z / (1 + z * z / n) * float(np.sqrt(mean * (1 - mean) / n + z * z / (4 * n * n)))
    # exactly 0 and 1 where rounding would leave 1e-17
    low = max(0.0, middle - radius) if mean > 0 else 0.0
    high = min(1.0, middle + radius) if mean < 1 else 1.0
    return low, high
LEAST_SEEDS = 3  # fewer pairs of runs decide nothing
# Student's t, two-sided 95 %, for 1, 2, ... 30 degrees of freedom; the last serves all beyond
T_QUANTILES = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)


def seed_difference(first: ArrayLike, second: ArrayLike) -> Estimate:
    """Mean of second - first over the same seeds (paired), with its 95 % t-interval.

    Each seed is a cluster: one pair of runs gives one difference.  With fewer than LEAST_SEEDS
    seeds the interval is [nan, nan].

    Args:
        first: A score for each seed.
        second: The scores that it is compared with, in the same order.
    """
    first, second = _scores(first), _scores(second)
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


def decide(gap: Estimate) -> str:
    """Whether the second of two is "ahead" or "behind", by the interval of a paired difference.

    "level" if the interval holds 0, or if there is none (NaN).
    """
    if gap.low > 0:
        return "ahead"
    return "behind" if gap.high < 0 else "level"
