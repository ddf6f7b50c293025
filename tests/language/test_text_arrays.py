"""Texts in Arrow arrays."""

import numpy as np
import pyarrow as pa

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


def test_texts_of_several_arrays_are_taken_in_a_new_order():
    parts = [large("ä", "", "c"), no_texts(0), large("not this", "d", "eé")[1:], no_texts(1)]
    taken = take_texts(parts, np.array([4, 0, 2, 3, 1, 5, 0]))
    assert taken.to_pylist() == ["eé", "ä", "c", "d", "", "", "ä"]
    taken.validate(full=True)
    assert take_texts([no_texts(0)], np.array([], int)).to_pylist() == []
    assert take_texts([pa.array([], pa.large_string())], np.array([], int)).to_pylist() == []
