"""Rewards: the value of each formula, for right, wrong and unended completions."""

from __future__ import annotations

import pytest

from bioreason_bench.errors import UsageError
from bioreason_bench.grading.rewards import (
    composite,
    compute_score,
    form,
    make_rewards,
    outcome,
    process,
)

ROW = {
    "question": "p1 boss spouse ?",
    "context": "p2 spouse p3 .",
    "entities": ["p1", "p2", "p3"],
    "path": ["boss", "spouse"],
    "chain": "p1 boss p2 . p2 spouse p3 . So, the answer is: p3",
    "answer": "p3",
}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (ROW["chain"], (1.0, 1.0, 1.0, 1.0)),
        ("p1 boss p2 . p2 spouse p4 . So, the answer is: p4", (0.0, 0.5, 1.0, 0.25 + 0.125)),
        ("p1 boss p9 . p9 spouse p3 . So, the answer is: p3", (1.0, 0.0, 1.0, 0.25 + 0.5)),
        ("So, the answer is: p3", (1.0, 0.0, 0.0, 0.5)),
        ("p3 p3 p3", (0.0, 0.0, 0.0, 0.0)),
    ],
)
def test_each_reward_pays_for_what_its_formula_says(text, values):
    columns = {name: [value] for name, value in ROW.items()}
    assert (
        outcome([text], **columns)[0],
        process([text], **columns)[0],
        form([text], **columns)[0],
    ) == values[:3]
    assert composite([text], **columns)[0] == pytest.approx(values[3])
    assert compute_score("bioreason", text, "p3", ROW) == values[0]


def test_a_completion_that_never_ended_earns_nothing():
    columns = {name: [value] * 2 for name, value in ROW.items()}
    (reward,) = make_rewards({"outcome": 1.0}, end=[1])
    assert reward(
        prompts=["", ""], completions=[ROW["chain"]] * 2, completion_ids=[[5, 1], [5, 6]], **columns
    ) == [1.0, 0.0]
    with pytest.raises(UsageError, match="there is no reward"):
        make_rewards({"kindness": 1.0})
    with pytest.raises(UsageError, match="needs the column"):
        outcome(["x"], question=["y"])
