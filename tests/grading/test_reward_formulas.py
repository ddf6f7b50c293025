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
        ("p1 boss p2 . p2 spouse p4 . So, the answer is: p4", (0.0, 0.5, 1.0, 0.125 + 0.125)),
        ("p1 boss p9 . p9 spouse p3 . So, the answer is: p3", (1.0, 0.0, 1.0, 0.5)),
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


def test_copied_words_of_the_question_earn_nothing():
    columns = {name: [value] for name, value in ROW.items()}
    for text in (
        ROW["question"],
        "p1 boss p1 . p1 spouse p1 .",
        "p1 boss spouse . p1 spouse boss .",
        "p1 boss p9 . p9 spouse p1 . So, the answer is: p1",
        "p1 boss p2 . p1 boss p3 . p1 boss p4 .",  # guesses; the first of them is right
        "p2 boss_of p1 . p3 boss_of p1 . p4 boss_of p1 .",  # the same, from the other end
    ):
        values = composite([text], {"primitives": 1, "structure": 0, "answer": 0}, **columns)
        assert values == [0.0], text


def test_a_completion_may_be_messages_and_further_arguments_are_ignored():
    columns = {name: [value] for name, value in ROW.items()}
    chat = [{"role": "assistant", "content": ROW["chain"]}]
    parts = [{"role": "assistant", "content": [{"type": "text", "text": ROW["chain"]}]}]
    for completion in (chat, parts):
        for reward in (outcome, process, form, composite):
            assert reward([completion], trainer_state=None, prompts=[""], **columns) == [1.0]
        assert compute_score("x", completion, "p3", ROW, reward_router_address=None) == 1.0
    for nothing in ([], None, [{"role": "assistant", "content": None}], [{"role": "assistant"}]):
        assert outcome([nothing], **columns) == [0.0]
        assert compute_score("x", nothing, "p3") == 0.0


def test_no_weights_lead_out_of_the_unit_interval():
    columns = {name: [value] for name, value in ROW.items()}
    for weights in (
        {"answer": -1.0},
        {"primitives": float("nan")},
        {"structure": float("inf")},
        {"anwser": 1.0},
        {"answer": "1"},
    ):
        with pytest.raises(UsageError):
            composite([ROW["chain"]], weights, **columns)
    for weights in ({"answer": 1e300}, {"answer": 0}, {"primitives": 7}):
        assert 0.0 <= composite([ROW["chain"]], weights, **columns)[0] <= 1.0
