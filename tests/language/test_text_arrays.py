"""Texts in Arrow arrays."""

import numpy as np
import pyarrow as pa
import pytest

from bioreason_bench.language.text_arrays import join_runs, no_texts, place, take_texts


def large(*texts):
    return pa.array(texts, pa.large_string())


def test_runs_are_joined_and_an_empty_run_is_an_empty_text():
    joined = join_runs(large("ä", "b", "c"), np.array([0, 2, 2, 3]), "\n")
    assert joined.to_pylist() == ["ä\nb", "", "c"]
    assert join_runs(no_texts(0), np.array([0]), " ").to_pylist() == []


def test_texts_are_placed_by_their_numbers_and_the_last_of_a_number_counts():
    parts = [(np.array([0, 2, 5]), large("a", "b", "c")), (np.array([2]), large("d"))]
    assert place(parts).to_pylist() == ["a", "d", "c"]
    assert place([(np.array([3, 1]), large("late", "early"))]).to_pylist() == ["early", "late"]
    assert place([(np.array([], int), no_texts(0))]).to_pylist() == []
    assert no_texts(2).to_pylist() == ["", ""]


def test_no_text_is_lost_between_the_steps():
    with pytest.raises(ValueError, match="2 numbers for 3 texts"):
        place([(np.array([0, 1]), large("a", "b", "c"))])
    with pytest.raises(ValueError, match="runs from 0 to 2 of 3 texts"):
        join_runs(large("a", "b", "c"), np.array([0, 2]), " ")
    with pytest.raises(ValueError, match="1 of 3 texts are missing"):
        take_texts([large("a", None, "b")], np.array([2, 1, 0]))


def test_texts_of_several_arrays_are_taken_in_a_new_order():
    parts = [large("ä", "", "c"), [], large("not this", "d", "eé")[1:], [""]]
    taken = take_texts(parts, np.array([4, 0, 2, 3, 1, 5, 0]))
    assert taken.to_pylist() == ["eé", "ä", "c", "d", "", "", "ä"]
    taken.validate(full=True)
    assert take_texts([no_texts(0)], np.array([], int)).to_pylist() == []
    assert take_texts([pa.array([], pa.large_string())], np.array([], int)).to_pylist() == []
