"""SkyRL-gym: rows of the veRL export are played in its environment."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

skyrl_gym = pytest.importorskip("skyrl_gym")

import bioreason_bench.environments.skyrl_gym  # noqa: F401 - registers the environment
from bioreason_bench.errors import UsageError
from bioreason_bench.export.export import export
from bioreason_bench.release.read import Release


@pytest.fixture(scope="module")
def rows(tiny_release, tmp_path_factory) -> list[dict]:
    folder = tmp_path_factory.mktemp("export") / "verl"
    export(Release(tiny_release), "verl", folder)
    return pq.read_table(folder / "rl" / "comp-rl.parquet").to_pylist()


def test_an_episode_is_one_turn_with_the_reward_of_the_grader(tiny_release, rows):
    settings = {"data": str(tiny_release), "reward": "process"}
    for row in rows:
        chain = row["extra_info"]["chain"]
        hops = len(row["extra_info"]["path"])
        first = f"{chain.partition('. ')[0]}. So, the answer is: nobody"
        for action, reward in ((chain, 1.0), (first, 1 / hops), ("I do not know.", 0.0)):
            env = skyrl_gym.make(row["env_class"], env_config=settings, extras=row)
            prompt, _ = env.init(row["prompt"])
            assert prompt == row["prompt"]
            step = env.step(action)
            assert (step["reward"], step["done"], step["observations"]) == (reward, True, [])
            assert env.get_metrics()["hop_accuracy"] == reward
        assert env.aggregate_metrics([env.get_metrics()])["exact_match"] == 0.0


def test_without_a_release_the_built_in_relations_read_the_chain(rows):
    env = skyrl_gym.make("bioreason", extras=rows[0])
    assert env.step(rows[0]["extra_info"]["chain"])["reward"] == 1.0
    assert env.get_metrics()["process_verified"] == 1.0


def test_rows_of_another_data_set_are_refused_with_the_command_that_makes_ours():
    with pytest.raises(UsageError, match="extra_info lacks the column 'question'"):
        skyrl_gym.make("bioreason", extras={"extra_info": {"index": 1}})
    with pytest.raises(UsageError, match="did you mean 'process'"):
        skyrl_gym.make("bioreason", env_config={"reward": "proces"}, extras={})
