"""SkyRL-gym: the environment `bioreason`, one question an episode.

    import skyrl_gym
    import bioreason_bench.environments.skyrl_gym  # registers the environment

    env = skyrl_gym.make("bioreason", env_config={"data": "releases/v1"}, extras=row)

Rows are those of rl/ in `bioreason export --to verl`: `env_class` names the environment, and the
question stands in `extra_info`.  Chains are read by the grader of the release that `env_config`
names (data, revision, preset, seed); without one, by the built-in relation table.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from bioreason_bench.errors import MissingExtra, UsageError, suggest
from bioreason_bench.evaluation.open_source import check_source, open_source
from bioreason_bench.grading.grader import Grade, Grader, grader_for_record
from bioreason_bench.grading.rewards import COLUMNS, REWARDS

try:
    from skyrl_gym.envs.base_text_env import BaseTextEnv, BaseTextEnvStepOutput
    from skyrl_gym.envs.registration import register, registry
except ModuleNotFoundError:
    raise MissingExtra("skyrl_gym", "skyrl-gym") from None

__all__ = ["NAME", "BioreasonEnv"]

NAME = "bioreason"
SOURCE = ("data", "revision", "preset", "seed")


@functools.lru_cache(maxsize=4)
def _grader(*settings: Any) -> Grader:
    check_source(*settings)
    return open_source(*settings).grader()


class BioreasonEnv(BaseTextEnv):
    """One question, answered in one turn."""

    def __init__(
        self,
        env_config: Mapping[str, Any] | None = None,
        extras: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        settings = env_config or {}
        self.reward = settings.get("reward", "outcome")
        if self.reward not in REWARDS:
            raise UsageError(f"there is no reward {self.reward!r}: {suggest(self.reward, REWARDS)}")
        self.record: dict[str, Any] = {"context": "", **((extras or {}).get("extra_info") or {})}
        if missing := [name for name in COLUMNS if name not in self.record]:
            raise UsageError(
                f"extra_info lacks the column {missing[0]!r} of a question; "
                "make the rows with: bioreason export DIR --to verl"
            )
        source = [settings.get(name) for name in SOURCE]
        self.grader = _grader(*source) if any(source) else grader_for_record(self.record)
        self.grade: Grade | None = None

    def step(self, action: str) -> BaseTextEnvStepOutput:
        """Grade the model's reply, which ends the episode."""
        self.turns += 1
        self.grade = self.grader.grade(action, self.record)
        columns = {name: [self.record[name]] for name in COLUMNS}
        reward = REWARDS[self.reward]([action], grader=self.grader, **columns)[0]
        return BaseTextEnvStepOutput(observations=[], reward=reward, done=True, metadata={})

    def get_metrics(self) -> dict[str, float]:
        """The metrics of the reply."""
        return self.grade.metrics() if self.grade else {}


if NAME not in registry:
    register(id=NAME, entry_point=f"{__name__}:BioreasonEnv")
