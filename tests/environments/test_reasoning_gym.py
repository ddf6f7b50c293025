"""Reasoning Gym: the data set scores by the grader, alone and mixed with Reasoning Gym's own."""

from __future__ import annotations

import pytest

reasoning_gym = pytest.importorskip("reasoning_gym")

from reasoning_gym.composite import CompositeConfig, CompositeDataset, DatasetSpec

import bioreason_bench.environments.reasoning_gym  # noqa: F401 - registers the data set
from bioreason_bench.environments.questions import read_questions
from bioreason_bench.errors import UsageError


@pytest.fixture
def data(tiny_release):
    return reasoning_gym.create_dataset("bioreason", data=str(tiny_release), size=150)


def test_gold_chains_and_answers_score_one_and_others_nothing(data, tiny_release):
    chains = {row["id"]: row["chain"] for row in read_questions(data=str(tiny_release)).rows}
    for item in data:
        gold = chains[item["metadata"]["id"]]
        assert data.score_answer(gold, item) == data.score_answer(item["answer"], item) == 1.0
        wrong = f"It is not {item['answer']}. So, the answer is: nobody"
        assert data.score_answer(wrong, item) == data.score_answer(None, item) == 0.0


def test_every_question_comes_before_one_comes_again_in_an_order_of_the_seed(data, tiny_release):
    ids = [item["metadata"]["id"] for item in data]
    assert len(set(ids[:100])) == 100 and ids[100:] == ids[:50]
    other = reasoning_gym.create_dataset("bioreason", data=str(tiny_release), seed=1, size=150)
    assert [item["metadata"]["id"] for item in other] != ids


def test_another_seed_of_a_preset_is_another_world(tmp_path, monkeypatch):
    monkeypatch.setenv("BIOREASON_CACHE", str(tmp_path))
    one, two = (
        reasoning_gym.create_dataset("bioreason", preset="tiny", seed=seed, size=5)
        for seed in (1, 2)
    )
    assert not {item["question"] for item in one} & {item["question"] for item in two}


def test_a_composite_sends_each_answer_to_its_own_grader(tiny_release):
    specs = [
        DatasetSpec("bioreason", 1.0, {"data": str(tiny_release), "reward": "process"}),
        DatasetSpec("leg_counting", 1.0, {}),
    ]
    mixed = CompositeDataset(CompositeConfig(size=40, seed=3, datasets=specs))
    items = list(mixed)
    assert {item["metadata"]["source_dataset"] for item in items} == {"bioreason", "leg_counting"}
    ours = [item for item in items if item["metadata"]["source_dataset"] == "bioreason"]
    by_id = {row["id"]: row for row in read_questions(data=str(tiny_release)).rows}
    for item in ours:
        row = by_id[item["metadata"]["id"]]
        half = f"{row['chain'].partition('. ')[0]}. So, the answer is: nobody"
        assert mixed.score_answer(half, item) == 1 / row["hops"]


def test_a_size_that_cannot_be_is_refused():
    with pytest.raises(UsageError, match="size=0 must be at least 1"):
        reasoning_gym.create_dataset("bioreason", size=0)
