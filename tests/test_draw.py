"""Randomness has a name, random access, and never changes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bioreason_bench.draw import Draw


def test_words_are_frozen():
    """The stream is part of every release's identity: these words must never change."""
    assert Draw(42).at("facts", "spouse").words(3).tolist() == [
        12500147045113702397,
        14615453910953463395,
        13846696749971702522,
    ]


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=50), st.integers(0, 1000))
def test_a_word_does_not_depend_on_the_others_asked_for(index, seed):
    draw = Draw(seed).at("x")
    assert draw.words(index).tolist() == [int(draw.words([place])[0]) for place in index]


def test_other_names_and_seeds_give_other_words():
    streams = [
        Draw(seed).at(*name).words(100)
        for seed in range(3)
        for name in (("a",), ("b",), ("a", "b"), ("ab",), ("a", 1), ("a1",))
    ]
    assert len({tuple(stream.tolist()) for stream in streams}) == len(streams)


def test_words_are_uniform_and_consecutive_ones_unrelated():
    """200,000 numbers: mean, variance, neighbour correlation and bit balance within five standard errors."""
    draw = Draw(7).at("uniform")
    numbers = draw.uniform(200_000)
    assert abs(numbers.mean() - 0.5) < 5 * (1 / 12 / 200_000) ** 0.5
    assert abs(np.corrcoef(numbers[:-1], numbers[1:])[0, 1]) < 5 / 200_000**0.5
    words = draw.words(200_000)
    for bit in range(64):
        ones = int((words >> np.uint64(bit) & np.uint64(1)).sum())
        assert abs(ones - 100_000) < 5 * (200_000 / 4) ** 0.5


def test_integers_stay_below_their_bound_and_a_permutation_keeps_every_item():
    draw = Draw(1).at("p")
    high = np.arange(1, 1001)
    assert (draw.integers(1000, high) < high).all()
    assert sorted(draw.permutation(1000).tolist()) == list(range(1000))
    assert draw.permutation(1000).tolist() != list(range(1000))
