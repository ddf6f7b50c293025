"""pass@k: the chance that at least one of k samples is right, estimated without bias from n >= k samples.

The estimator is that of Chen et al. (arXiv 2107.03374, section 2.1): 1 - C(n - c, k) / C(n, k) for c right ones of n.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioreason_bench.errors import UsageError

__all__ = ["pass_at_k", "pass_curve", "powers_of_two"]


def pass_at_k(samples: ArrayLike, right: ArrayLike, k: int) -> NDArray[np.float64]:
    """pass@k of each question, from the number of its samples and of the right ones among them; shapes broadcast.

    Raises UsageError where a question has fewer than k samples: then no unbiased estimate exists.
    """
    samples, right = np.broadcast_arrays(np.asarray(samples, dtype=np.int64), np.asarray(right, dtype=np.int64))
    if k < 1:
        raise UsageError(f"pass@{k} means nothing; k must be at least 1")
    if samples.size and (least := int(samples.min())) < k:
        raise UsageError(f"pass@{k} needs at least {k} samples of every question, and one has {least}; draw more or ask for a smaller k")
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
    return {k: float(pass_at_k(right.shape[1], counts, k).mean()) for k in powers_of_two(right.shape[1])}
