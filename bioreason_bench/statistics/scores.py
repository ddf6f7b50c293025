"""Scores that are more than a mean: accuracy behind a gate, and pass@k."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioreason_bench.errors import UsageError

__all__ = ["are_repeats", "gate", "pass_at_k", "pass_curve", "powers_of_two"]

REPEATED = 0.9  # share of the questions that are not always right, from which samples are repeats


def gate(
    correct: Mapping[str, float],
    hops: Mapping[str, int],
    probe_of: Mapping[str, Iterable[str]],
    probes: Mapping[str, float],
) -> tuple[dict[str, float], int]:
    """The scores of the questions that pass the gate: all their probes are answered right.

    Args:
        correct: Question id -> score.
        hops: Question id -> its number of hops, each of which has one probe.
        probe_of: Probe id -> ids of the questions that it is a hop of.
        probes: Probe id -> score.

    Returns:
        Question id -> score for those that pass; and the number of questions all of whose probes
        were asked.
    """
    asked = Counter(question for probe in probes for question in probe_of.get(probe, ()))
    failed = {
        question
        for probe, score in probes.items()
        if not score
        for question in probe_of.get(probe, ())
    }
    complete = [question for question in correct if asked[question] == hops[question]]
    passed = {question: float(correct[question]) for question in complete if question not in failed}
    return passed, len(complete)


def pass_at_k(samples: ArrayLike, right: ArrayLike, k: int) -> NDArray[np.float64]:
    """Unbiased pass@k of each question.

    Args:
        samples: Number of samples of each question.
        right: Number of right samples among them; shapes broadcast.
        k: Number of samples of which one must be right.

    Raises:
        UsageError: A question has fewer than k samples, for which no unbiased estimate exists.
    """
    samples, right = np.broadcast_arrays(
        np.asarray(samples, dtype=np.int64), np.asarray(right, dtype=np.int64)
    )
    if k < 1:
        raise UsageError(f"pass@{k} means nothing; k must be at least 1")
    if samples.size and (least := int(samples.min())) < k:
        raise UsageError(
            f"pass@{k} needs at least {k} samples of every question, and one has {least}; "
            "draw more or ask for a smaller k"
        )
    if np.any((right < 0) | (right > samples)):
        raise UsageError("pass@k: there must be between 0 and n right ones among n samples")
    wrong = samples - right
    # C(wrong, k) / C(samples, k) as a product of k factors below 1: no overflow, 0 if wrong < k
    factors = (wrong[..., None] - np.arange(k)) / (samples[..., None] - np.arange(k))
    return np.asarray(1.0 - np.prod(np.clip(factors, 0.0, None), axis=-1), dtype=np.float64)


def are_repeats(samples: ArrayLike, right: ArrayLike, identical: ArrayLike) -> bool:
    """Whether samples are one sample repeated, which says nothing about pass@k for k > 1.

    A server with a fixed seed repeats itself, and so does a model at temperature 0.  Questions that
    every sample answers right are no evidence: a sure model agrees with itself.

    Args:
        samples: Number of samples of each question.
        right: Number of right samples among them.
        identical: Whether all samples of the question are the same text.
    """
    samples, right = np.asarray(samples), np.asarray(right)
    open_ = (samples > 1) & (right < samples)
    repeated = open_ & np.asarray(identical, dtype=bool)
    return bool(open_.any() and repeated.sum() >= REPEATED * open_.sum())


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
