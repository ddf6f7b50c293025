"""Question sets: rows of several parts put together."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa
import pytest

from bioreason_bench.config import load_preset
from bioreason_bench.dataset import make_dataset
from bioreason_bench.questions.multihop import MultiHop
from bioreason_bench.questions.sets import EVERYTHING, interleave, merge

PAGE = Path(__file__).resolve().parents[2] / "docs" / "extending.md"


def test_parts_are_merged_by_key_also_if_only_some_have_texts_in_arrow():
    parts = [
        {"id": [1, 2], "context": pa.array(["a", "b"], pa.large_string())},
        {"id": [3], "context": ["c"]},
    ]
    keys = [np.array([5, 1], np.uint64), np.array([3], np.uint64)]
    for order in (slice(None), slice(None, None, -1)):
        merged = merge(parts[order], keys[order])
        assert merged["id"] == [2, 3, 1]
        assert merged["context"].to_pylist() == ["b", "c", "a"]


def test_interleaving_takes_columns_of_one_length_only():
    assert interleave({"id": [1, 2]}, {"id": [3, 4]}) == {"id": [1, 3, 2, 4]}
    assert interleave({}, {}) == {}
    with pytest.raises(ValueError, match="columns of 2 and 3 rows"):
        interleave({"id": [1, 2]}, {"id": [3, 4, 5]})


def test_the_question_set_that_the_docs_add(monkeypatch):
    if not PAGE.is_file():
        pytest.skip("the wheel has no docs")
    (code,) = re.findall(
        r"```python\n# bioreason_bench/questions/kinds/reordered.py\n(.*?)```",
        PAGE.read_text("utf-8"),
        re.DOTALL,
    )
    module = ModuleType("reordered")
    monkeypatch.setitem(sys.modules, "reordered", module)  # dataclasses look it up
    exec(compile(code, str(PAGE), "exec", dont_inherit=True), vars(module))
    dataset = make_dataset(load_preset("tiny"))
    asked = next(
        one
        for one in dataset.sets
        if type(one) is MultiHop and (one.folder, one.split) == ("comp/iid", "test")
    )
    rows = module.Reordered(asked, 5).write(EVERYTHING)
    contexts = rows["context"].to_pylist()
    assert len(contexts) == len(set(rows["id"])) == 10
    assert rows["pair"][::2] == rows["pair"][1::2]
    assert rows["altered"] == [False, True] * 5
    supports = [
        [people[line] if line >= 0 else None for line in lines]
        for people, lines in zip(rows["context_people"], rows["support"], strict=True)
    ]
    assert supports[::2] == supports[1::2] and any(filter(None, supports[0]))
    for first, second in zip(contexts[::2], contexts[1::2], strict=True):
        assert first and first.split("\n") == second.split("\n")[::-1]
