"""Whole numbers in given shares."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["apportion", "apportion_up_to"]


def apportion(total: int, weights: Sequence[float]) -> list[int]:
    """`total` in whole parts proportional to `weights`, by largest remainder.

    apportion(10, [5, 3, 1.5, 0.5]) is [5, 3, 1, 1]; without any weight all parts are 0.
    """
    whole = sum(weights)
    exact = [total * weight / whole if whole else 0.0 for weight in weights]
    parts = [int(share) for share in exact]
    by_remainder = sorted(range(len(weights)), key=lambda k: (parts[k] - exact[k], k))
    for index in by_remainder[: total - sum(parts)]:
        parts[index] += 1
    return parts


def apportion_up_to(total: int, weights: Sequence[float], limits: Sequence[int]) -> list[int]:
    """The same with no part above its limit; what does not fit goes to the others.

    apportion_up_to(10, [1, 1], [2, 20]) is [2, 8]; the sum is less than `total` only if the
    limits are.
    """
    parts = [0] * len(limits)
    while left := min(total, sum(limits)) - sum(parts):
        free = [
            weight if part < limit else 0.0
            for weight, part, limit in zip(weights, parts, limits, strict=True)
        ]
        if not sum(free):
            free = [float(part < limit) for part, limit in zip(parts, limits, strict=True)]
        extra = apportion(left, free)
        parts = [
            min(limit, part + more) for part, more, limit in zip(parts, extra, limits, strict=True)
        ]
    return parts
