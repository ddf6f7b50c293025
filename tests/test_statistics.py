"""pass@k, intervals and gates, against their definitions by counting."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioreason_bench.errors import UsageError
from bioreason_bench.statistics import (
    clustered,
    clusters_of,
    gate,
    pass_at_k,
    pass_curve,
    powers_of_two,
)


@given(st.integers(1, 9), st.data())
@settings(max_examples=100, deadline=None)
def test_pass_at_k_is_the_share_of_all_ways_to_draw_k_samples_that_hold_a_right_one(samples, data):
    right = data.draw(st.integers(0, samples))
    k = data.draw(st.integers(1, samples))
    verdicts = [True] * right + [False] * (samples - right)
    draws = list(combinations(verdicts, k))
    assert float(pass_at_k(samples, right, k)) == pytest.approx(sum(map(any, draws)) / len(draws))


def test_pass_at_k_of_512_samples_neither_overflows_nor_rounds_to_nothing():
    chances = pass_at_k(512, np.arange(513), 256)
    exact = [1 - comb(512 - right, 256) / comb(512, 256) for right in range(513)]
    assert np.allclose(chances, exact) and chances[0] == 0 and chances[-1] == 1
    assert np.all(np.diff(chances) >= 0)


def test_pass_at_one_is_the_share_of_right_samples_and_curves_never_fall():
    verdicts = np.random.default_rng(0).random((200, 64)) < 0.05
    curve = pass_curve(verdicts)
    assert list(curve) == [1, 2, 4, 8, 16, 32, 64] == powers_of_two(100)
    assert curve[1] == pytest.approx(verdicts.mean()) and curve[64] == pytest.approx(
        verdicts.any(axis=1).mean()
    )
    assert list(curve.values()) == sorted(curve.values())


def test_estimates_that_do_not_exist_are_refused():
    for arguments, words in (
        ((4, 1, 8), "needs at least 8 samples"),
        ((4, 5, 2), "between 0 and n"),
        ((4, 1, 0), "at least 1"),
    ):
        with pytest.raises(UsageError, match=words):
            pass_at_k(*arguments)
    with pytest.raises(UsageError, match="shape"):
        pass_curve([True, False])
    with pytest.raises(UsageError, match="at least one question"):
        clustered([], [])
    with pytest.raises(UsageError, match="each score needs one"):
        clustered([1.0], [])


def test_intervals_hold_the_truth_as_often_as_they_say_when_questions_share_people():
    """200 worlds of 150 people with 1 to 8 questions each, whose answers are correlated.

    About 95 % of the intervals must contain the mean.
    """
    chance = np.random.default_rng(1)
    held = naive = 0
    for world in range(200):
        counts = chance.integers(1, 9, 150)
        people = np.repeat(np.arange(150), counts)
        skill = chance.beta(0.3, 0.7, 150)  # mean 0.3
        right = chance.random(len(people)) < skill[people]
        interval = clustered(right, people.tolist(), resamples=400, seed=world)
        held += interval.low <= 0.3 <= interval.high
        radius = 1.96 * right.std() / len(right) ** 0.5
        naive += abs(right.mean() - 0.3) <= radius
    assert 0.90 <= held / 200 <= 0.985
    assert naive / 200 < 0.85, (
        "without clusters the intervals are too narrow, so this test can fail"
    )


def test_the_same_seed_gives_the_same_interval():
    scores, people = [1.0, 0.0, 1.0, 1.0, 0.0, 0.0], list("aabbcc")
    assert clustered(scores, people) == clustered(scores, people)
    assert clustered(scores, people).value == 0.5 and clustered(scores, people).clusters == 3


def test_equal_verdicts_do_not_make_an_interval_certain():
    all_right = clustered([1.0] * 100, range(100))
    assert all_right.high == 1.0 and all_right.low == pytest.approx(0.05 ** (1 / 100))
    assert clustered([0.0] * 100, range(100)).low == 0.0 < clustered([0.0] * 100, range(100)).high
    alone = clustered([1.0, 0.0], ["a", "a"])
    assert np.isnan(alone.low) and alone.value == 0.5
    assert clustered([1.0, 1.0], ["a", "b"], verdicts=False).low == 1.0


def test_a_question_passes_the_gate_if_each_of_its_hops_was_asked_and_answered():
    correct = {
        "both": 1.0,
        "one failed": 1.0,
        "one not asked": 1.0,
        "none asked": 0.0,
        "wrong": 0.0,
    }
    hops = dict.fromkeys(correct, 2)
    probe_of = {
        "p1": ["both", "one failed", "one not asked", "wrong"],
        "p2": ["both", "wrong"],
        "p3": ["one failed"],
        "p4": ["one not asked"],
    }
    passed, asked = gate(correct, hops, probe_of, {"p1": True, "p2": 1.0, "p3": False})
    assert passed == {"both": 1.0, "wrong": 0.0} and asked == 3


def test_clusters_are_the_people_that_questions_start_from():
    assert clusters_of([["Ann", "Bo"], ["Ann", "Cy"], ["Bo", "Ann"]]) == ["Ann", "Ann", "Bo"]
