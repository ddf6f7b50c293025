"""Paired differences, against published values and simulated coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioreason_bench.errors import UsageError
from bioreason_bench.statistics import (
    holm,
    mean_over_worlds,
    paired_difference,
    pooled_difference,
    t_quantile,
    t_tail,
)

TABLE = {  # two-sided 95 % and 99 % points of Student's t, Abramowitz & Stegun, table 26.10
    1: (12.706, 63.657),
    2: (4.303, 9.925),
    3: (3.182, 5.841),
    4: (2.776, 4.604),
    9: (2.262, 3.250),
    30: (2.042, 2.750),
    120: (1.980, 2.617),
}
SLEEP = ([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0],  # Student's data (1908)
         [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])  # fmt: skip


@pytest.mark.parametrize("freedom", TABLE)
def test_students_t_is_that_of_the_tables(freedom):
    for level, point in zip((0.95, 0.99), TABLE[freedom], strict=True):
        assert t_quantile(level, freedom) == pytest.approx(point, abs=6e-4)
        assert t_tail(-t_quantile(level, freedom), freedom) == pytest.approx(1 - level, abs=1e-12)


def test_students_t_with_one_degree_of_freedom_is_cauchys_and_with_many_the_normal():
    assert t_tail(1.0, 1) == pytest.approx(0.5)
    assert t_tail(math.sqrt(3), 1) == pytest.approx(1 / 3)
    assert t_tail(2.0, 2) == pytest.approx(1 - 2 / math.sqrt(6))
    assert t_quantile(0.95, 100_000) == pytest.approx(1.959963985, abs=1e-4)


@given(st.floats(-50, 50), st.integers(1, 400))
@settings(max_examples=200, deadline=None)
def test_students_t_is_scipys(t, freedom):
    stats = pytest.importorskip("scipy.stats")
    assert t_tail(t, freedom) == pytest.approx(2 * stats.t.sf(abs(t), freedom), abs=1e-12)


def test_what_is_no_distribution_is_refused():
    with pytest.raises(UsageError, match="degree of freedom"):
        t_tail(1.0, 0)
    for level in (0.0, 1.0):
        with pytest.raises(UsageError, match="between 0 and 1"):
            t_quantile(level, 3)


def test_the_paired_test_gives_what_student_found_for_his_sleeping_drugs():
    gap = paired_difference(*reversed(SLEEP))
    assert gap.value == pytest.approx(1.58)
    assert gap.p == pytest.approx(0.002833, abs=1e-6)
    assert (gap.low, gap.high) == pytest.approx((0.7001142, 2.4598858))


@given(st.lists(st.floats(-1, 1), min_size=3, max_size=12), st.floats(0.01, 0.5))
@settings(max_examples=100, deadline=None)
def test_arms_are_equivalent_if_and_only_if_the_90_percent_interval_is_within_the_margin(
    gaps, margin
):
    gaps = np.array(gaps)
    test = paired_difference(gaps, np.zeros(len(gaps)), margin)
    back = paired_difference(np.zeros(len(gaps)), gaps, margin)
    assert (test.value, test.p, test.p_equivalent) == pytest.approx(
        (-back.value, back.p, back.p_equivalent)
    )
    reach = t_quantile(0.90, len(gaps) - 1) * gaps.std(ddof=1) / math.sqrt(len(gaps))
    inside = margin - (abs(test.value) + reach)
    if abs(inside) > 1e-9:
        assert (test.p_equivalent < 0.05) == (inside > 0)
    if reach > 1e-9 and abs(test.p - 0.05) > 1e-9:
        assert (test.p < 0.05) == (test.low > 0 or test.high < 0)


def test_equal_differences_are_certain_and_fewer_than_three_worlds_decide_nothing():
    same = paired_difference([0.5] * 3, [0.5] * 3)
    assert (same.low, same.high, same.p, same.p_equivalent) == (0.0, 0.0, 1.0, 0.0)
    assert paired_difference([0.5] * 3, [0.25] * 3).p == 0.0
    two = paired_difference([0.9, 0.9], [0.1, 0.1])
    assert two.value == pytest.approx(0.8)
    assert all(map(math.isnan, (two.low, two.high, two.p, two.p_equivalent)))
    assert math.isnan(mean_over_worlds([0.9, 0.9]).low)
    with pytest.raises(UsageError, match="same things twice"):
        paired_difference([0.1, 0.2], [0.1])


@pytest.mark.parametrize("worlds", [3, 5, 40])
def test_the_interval_over_worlds_holds_the_truth_as_often_as_it_says(worlds):
    chance = np.random.default_rng(worlds)
    held = rejected = 0
    for _ in range(1000):
        gap = paired_difference(chance.normal(0.1, 0.05, worlds), np.zeros(worlds))
        held += gap.low <= 0.1 <= gap.high
        rejected += (
            paired_difference(chance.normal(0.05, 0.02, worlds), 0 * np.arange(worlds)).p_equivalent
            < 0.05
        )
    assert 0.93 <= held / 1000 <= 0.97
    assert rejected / 1000 <= 0.07, "at the margin itself, equivalence is claimed in 5 % of cases"


def test_the_interval_of_a_mean_is_students_and_stays_among_shares():
    mean = mean_over_worlds([0.1, 0.2, 0.3])
    assert mean.value == pytest.approx(0.2)
    assert mean.high - mean.value == pytest.approx(4.303 * 0.1 / 3**0.5, rel=1e-3)
    assert (mean_over_worlds([0.0, 0.0, 0.9]).low, mean_over_worlds([1.0, 1.0, 0.1]).high) == (0, 1)


def test_holms_method_multiplies_the_smallest_p_by_the_number_of_tests():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx(
        [0.03, 0.06, 0.06, 0.02]
    )  # R's p.adjust
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    adjusted = holm([0.02, float("nan"), 0.03])
    assert adjusted[0] == 0.04 and math.isnan(adjusted[1]) and adjusted[2] == 0.04
    assert holm([]) == []


def persons(labels) -> list[tuple]:
    return [(label,) for label in labels]


def test_one_way_clusters_give_the_textbook_variance():
    gaps = np.array([1.0, 1.0, 0.0, 0.0, 0.0, -1.0])
    groups = persons("aabbcc")
    sums = np.array([2.0, 0.0, -1.0]) - 2 * gaps.mean()
    error = math.sqrt((sums**2).sum() / 36 * 3 / 2)
    estimate = pooled_difference(gaps, np.zeros(6), groups)
    assert estimate.clusters == 3 and estimate.questions == 6
    assert estimate.high - estimate.value == pytest.approx(t_quantile(0.95, 2) * error)


def test_two_way_clusters_add_both_variances_and_take_away_that_of_both_together():
    """Cameron, Gelbach & Miller (2011), equation 2.8, by explicit sums."""
    chance = np.random.default_rng(5)
    person, relation = chance.integers(0, 12, 200), chance.integers(0, 9, 200)
    gaps = (
        chance.normal(0.2, 1, 200)
        + chance.normal(0, 1, 12)[person]
        + chance.normal(0, 1, 9)[relation]
    )

    def variance(labels) -> float:
        residuals = gaps - gaps.mean()
        return sum(residuals[labels == label].sum() ** 2 for label in set(labels)) / 200**2

    both = variance(person) + variance(relation) - variance(100 * person + relation)
    estimate = pooled_difference(gaps, np.zeros(200), persons(person), persons(relation))
    assert estimate.clusters == 9
    assert estimate.high - estimate.value == pytest.approx(
        t_quantile(0.95, 8) * math.sqrt(both * 9 / 8), rel=1e-6
    )


def test_the_two_way_interval_holds_the_truth_where_that_over_questions_does_not():
    """Questions share people and unseen relations, whose effects are drawn anew each time."""
    chance = np.random.default_rng(6)
    held = naive = 0
    for _ in range(200):
        person, relation = chance.integers(0, 60, 300), chance.integers(0, 20, 300)
        gaps = (
            chance.normal(0, 1, 300)
            + chance.normal(0, 0.7, 60)[person]
            + chance.normal(0, 0.7, 20)[relation]
        )
        zeros = np.zeros(300)
        estimate = pooled_difference(gaps, zeros, persons(person), persons(relation))
        alone = pooled_difference(gaps, zeros, persons(range(300)))
        held += estimate.low <= 0 <= estimate.high
        naive += alone.low <= 0 <= alone.high
    assert held / 200 >= 0.90
    assert naive / 200 < 0.75


def test_questions_with_two_unseen_relations_depend_on_those_of_either():
    gaps = [1.0, 1.0, 0.0, -1.0]
    people = persons("abcd")
    joined = pooled_difference(gaps, [0.0] * 4, people, [("x", "y"), ("x",), ("y",), ("z",)])
    apart = pooled_difference(gaps, [0.0] * 4, people, [("w",), ("x",), ("y",), ("z",)])
    assert joined.clusters == 3
    assert joined.high - joined.low > apart.high - apart.low


def test_one_person_or_equal_differences_claim_nothing_certain():
    assert math.isnan(pooled_difference([1.0] * 9, [0.0] * 9, persons("a" * 9)).low)
    assert math.isnan(pooled_difference([1.0] * 9, [0.0] * 9).low)
    same = pooled_difference([1.0] * 100, [1.0] * 100, persons(range(100)))
    assert (same.low, same.high) == pytest.approx((-(1 - 0.05**0.01), 1 - 0.05**0.01))
    with pytest.raises(UsageError, match="groups of 1 questions"):
        pooled_difference([1.0, 0.0], [0.0, 0.0], [("a",)])
