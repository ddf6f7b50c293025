"""Rewards: values in [0, 1] for TRL, by the grader of the release that the questions are from."""

from __future__ import annotations

import pytest
from small_world import SMALL, WORKSHOP

from bioreason_bench.build import generate
from bioreason_bench.config import load_preset
from bioreason_bench.errors import UsageError
from bioreason_bench.grading.rewards import COLUMNS, REWARDS, composite, make_rewards, process
from bioreason_bench.release.read import Release


@pytest.fixture(scope="module", params=["english", "symbols"])
def workshop(request, tmp_path_factory) -> Release:
    """A release with a relation table of a user's own."""
    folder = tmp_path_factory.mktemp("releases") / request.param
    own = {"relations": str(WORKSHOP), "language": request.param}
    generate(load_preset("tiny").override(SMALL | own), folder, workers=1)
    return Release(folder)


def right_chains_and_wrong_answers(release: Release) -> tuple[dict[str, list], list[str]]:
    """Columns of some questions, and completions whose chain alone is right."""
    rows = list(release.rows("comp_iid", "train"))
    columns = {name: [row[name] for row in rows] for name in COLUMNS}
    return columns, [f"{row['chain'].rpartition(':')[0]}: something else" for row in rows]


def test_with_relations_of_ones_own_every_reward_reads_the_chain(workshop):
    columns, completions = right_chains_and_wrong_answers(workshop)
    for end in ((), (1,)):
        rewards = make_rewards(dict.fromkeys(REWARDS, 1.0), end=end, grader=workshop.grader())
        for reward in rewards:
            values = reward(
                prompts=[""] * len(completions),
                completions=completions,
                completion_ids=[[5, 1]] * len(completions),
                **columns,
            )
            wanted = {"outcome": 0.0, "process": 1.0, "format": 1.0, "composite": 0.5}
            assert values == [wanted[reward.__name__]] * len(completions)


def test_without_its_grader_a_chain_of_other_relations_earns_nothing(workshop):
    """The built-in table reads none of these relations: this is why the grader is passed."""
    columns, completions = right_chains_and_wrong_answers(workshop)
    assert set(process(completions, **columns)) == {0.0}
    assert set(process(completions, grader=workshop.grader(), **columns)) == {1.0}


def test_chats_are_graded_by_their_last_message():
    row = {
        "question": "p1 boss ?",
        "context": "",
        "chain": "p1 boss p2 . So, the answer is: p2",
        "answer": "p2",
        "entities": ["p1", "p2"],
        "path": ["boss"],
    }
    columns = {name: [value] for name, value in row.items()}
    (reward,) = make_rewards({"process": 1.0})
    chat = [{"role": "system", "content": "?"}, {"role": "assistant", "content": row["chain"]}]
    assert reward(prompts=[""], completions=[chat], **columns) == [1.0]


def test_weights_that_cannot_be_are_refused():
    columns = {name: [""] for name in COLUMNS} | {"path": [[]], "entities": [[""]]}
    with pytest.raises(UsageError, match="at least one must be positive"):
        composite([""], {"primitives": 0, "structure": 0, "answer": 0}, **columns)
    with pytest.raises(UsageError, match="did you mean 'process'"):
        make_rewards({"proces": 1.0})
