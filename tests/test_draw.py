"""Randomness is named, has random access, and never changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioreason_bench.draw import Draw, pack


def test_words_are_frozen():
    """The stream is part of every release's identity: these words must never change."""
    assert Draw(42).at("facts", "spouse").words(3).tolist() == [
        12500147045113702397,
        14615453910953463395,
        13846696749971702522,
    ]


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=50), st.integers(0, 1000))
def test_a_word_depends_on_its_own_index_alone(indices, seed):
    draw = Draw(seed).at("x")
    assert draw.words(indices).tolist() == [int(draw.words([index])[0]) for index in indices]


def test_names_and_seeds_give_different_words():
    streams = [
        Draw(seed).at(*name).words(100)
        for seed in range(3)
        for name in (("a",), ("b",), ("a", "b"), ("ab",), ("a", 1), ("a1",))
    ]
    assert len({tuple(stream.tolist()) for stream in streams}) == len(streams)


def test_words_are_uniform_and_consecutive_words_uncorrelated():
    """Mean, neighbour correlation and bit balance of 200,000 are within five standard errors."""
    draw = Draw(7).at("uniform")
    numbers = draw.uniform(200_000)
    assert abs(numbers.mean() - 0.5) < 5 * (1 / 12 / 200_000) ** 0.5
    assert abs(np.corrcoef(numbers[:-1], numbers[1:])[0, 1]) < 5 / 200_000**0.5
    words = draw.words(200_000)
    for bit in range(64):
        ones = int((words >> np.uint64(bit) & np.uint64(1)).sum())
        assert abs(ones - 100_000) < 5 * (200_000 / 4) ** 0.5


def test_integers_are_below_their_bound():
    high = np.arange(1, 1001)
    assert (Draw(1).at("p").integers(1000, high) < high).all()


def test_a_permutation_keeps_every_item():
    draw = Draw(1).at("p")
    assert sorted(draw.permutation(1000).tolist()) == list(range(1000))
    assert draw.permutation(1000).tolist() != list(range(1000))


@st.composite
def packable_fields(draw, rows=5):
    """A few fields of random widths, 64 bits at most, with values that fit."""
    widths = draw(st.lists(st.integers(1, 30), min_size=1, max_size=6))
    while sum(widths) > 64:
        widths.pop()
    return [
        (draw(st.lists(st.integers(0, 2**bits - 1), min_size=rows, max_size=rows)), bits)
        for bits in widths
    ]


@given(packable_fields())
def test_packed_fields_can_be_unpacked(fields):
    """So different combinations of values have different indices."""
    remaining = [int(index) for index in pack(*fields)]
    for values, bits in reversed(fields):
        assert [index % 2**bits for index in remaining] == values
        remaining = [index >> bits for index in remaining]
    assert not any(remaining)


def test_packing_a_value_that_does_not_fit_fails():
    assert pack(([3], 2)).tolist() == [3]
    for fields in ([([4], 2)], [([-1], 2)], [([0], 40), ([0], 25)]):
        with pytest.raises(ValueError, match="fit in"):
            pack(*fields)
