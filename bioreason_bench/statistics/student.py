"""Student's t distribution for whole degrees of freedom, without SciPy."""

from __future__ import annotations

import math

from bioreason_bench.errors import UsageError

__all__ = ["t_quantile", "t_tail"]


def t_tail(t: float, freedom: int) -> float:
    """The probability that |T| is at least |t|: the two-sided p of a t statistic.

    The finite series of Abramowitz & Stegun (1964), 26.7.3 and 26.7.4, with theta = atan(t /
    sqrt(freedom)).  Exact to about 1e-14; a smaller p comes out as 0.

    >>> round(t_tail(2.776, 4), 3)  # a table's 5 % point for five pairs
    0.05

    Args:
        t: The statistic; its sign does not matter.
        freedom: Degrees of freedom, at least 1.
    """
    if freedom < 1:
        raise UsageError(f"Student's t needs at least one degree of freedom, not {freedom}")
    angle = math.atan(abs(t) / math.sqrt(freedom))
    cosine = math.cos(angle)
    even = freedom % 2 == 0
    # even: 1 + 1/2 cos^2 + (1 3)/(2 4) cos^4 + ...;  odd: cos + 2/3 cos^3 + (2 4)/(3 5) cos^5 + ...
    term, total = (1.0, 0.0) if even else (cosine, 0.0)
    for k in range(freedom // 2):
        total += term
        term *= cosine**2 * ((2 * k + 1) / (2 * k + 2) if even else (2 * k + 2) / (2 * k + 3))
    inside = math.sin(angle) * total
    if not even:
        inside = 2 / math.pi * (angle + inside)
    return min(1.0, max(0.0, 1.0 - inside))


def t_quantile(level: float, freedom: int) -> float:
    """The t with a probability of `level` that |T| is below it: half the width of an interval.

    >>> round(t_quantile(0.95, 4), 3)
    2.776

    Args:
        level: Coverage of the interval, between 0 and 1, such as 0.95.
        freedom: Degrees of freedom, at least 1.
    """
    if not 0 < level < 1:
        raise UsageError(f"the coverage of an interval lies between 0 and 1; {level} does not")
    low, high = 0.0, 1.0
    while t_tail(high, freedom) > 1 - level:
        low, high = high, 2 * high
    for _ in range(100):  # halves the range each time: far beyond the precision of a float
        middle = (low + high) / 2
        low, high = (middle, high) if t_tail(middle, freedom) > 1 - level else (low, middle)
    return high
