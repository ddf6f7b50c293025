"""Wilson's interval of a share, for questions in clusters."""

from __future__ import annotations

import numpy as np
import pytest

from bioreason_bench.statistics import wilson_interval


@pytest.mark.parametrize(
    ("right", "size", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_of_independent_questions_is_wilsons(
    right: int, size: int, low: float, high: float
) -> None:
    """Reference: Newcombe (1998), Statistics in Medicine 17, table I, method 3."""
    assert wilson_interval(np.arange(size) < right, np.arange(size)) == pytest.approx(
        (low, high), abs=6e-5
    )


def test_copies_of_a_question_count_as_one() -> None:
    """Ten copies of each of 148 questions hold no more information than the 148."""
    right = np.arange(148) < 15
    one = wilson_interval(right, np.arange(148))
    assert wilson_interval(np.repeat(right, 10), np.repeat(np.arange(148), 10)) == pytest.approx(
        one, abs=1e-9
    )


def test_the_interval_stays_within_zero_and_one() -> None:
    low, high = wilson_interval(np.zeros(50, bool), np.arange(50))
    assert low == 0 < high < 0.1
    assert wilson_interval(np.ones(50, bool), np.arange(50)) == pytest.approx((1 - high, 1))
