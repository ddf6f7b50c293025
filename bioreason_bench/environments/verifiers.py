"""verifiers 0.4: the taskset `bioreason-taskset`, one task for each question.

    vf-eval bioreason-taskset --env.agent.harness.id null -m MODEL -n 20
    vf-validate bioreason-taskset --taskset.data releases/v1

verifiers finds a taskset by the name of a top-level module, which is why bioreason_taskset stands
beside this package; prime-rl takes the same id.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bioreason_bench.environments.questions import Questions, read_questions
from bioreason_bench.errors import MissingExtra

try:
    import verifiers.v1 as vf
except ModuleNotFoundError:
    raise MissingExtra("verifiers", "verifiers") from None

__all__ = ["BioreasonConfig", "BioreasonData", "BioreasonTask", "BioreasonTaskset"]


class BioreasonConfig(vf.TasksetConfig):
    """Which questions, and how they are asked and rewarded; see `read_questions`."""

    questions: str = "comp_rl"
    split: str | None = None
    prompt: str = "chat"
    reward: str = "outcome"
    first: int = 0
    data: str | None = None
    revision: str | None = None
    preset: str | None = None
    seed: int | None = None


class BioreasonData(vf.TaskData):
    """What is kept of a question with each rollout.

    Attributes:
        record: The row of the question.
    """

    record: dict[str, Any]


class BioreasonTask(vf.Task[BioreasonData]):
    """One question."""

    questions: Questions  # set by the taskset, one for all of its tasks

    @property
    def key(self) -> str:
        return self.data.record["id"]

    @vf.reward
    async def reward(self, trace: vf.Trace) -> float:
        """The reward of the last reply."""
        return self.questions.score(trace.last_reply, self.data.record).reward

    @vf.metric
    async def grade(self, trace: vf.Trace) -> dict[str, float]:
        """The metrics of the last reply."""
        return self.questions.score(trace.last_reply, self.data.record).metrics

    async def validate(self, runtime: vf.Runtime) -> bool:  # noqa: ARG002 - verifiers' signature
        """Whether the gold chain earns the whole reward."""
        return self.questions.score(self.data.record["chain"], self.data.record).reward == 1.0


class BioreasonTaskset(vf.Taskset[BioreasonTask, BioreasonConfig]):
    """The questions of one split."""

    def load(self) -> Iterator[BioreasonTask]:
        """One task for each question, in the order of the release."""
        config = self.config
        questions = read_questions(
            config.questions,
            config.split,
            prompt=config.prompt,
            reward=config.reward,
            first=config.first,
            data=config.data,
            revision=config.revision,
            preset=config.preset,
            seed=config.seed,
        )
        for row in questions.rows:
            data = BioreasonData(
                id=row["id"], name=row["id"], prompt=questions.prompt(row), record=row
            )
            task = BioreasonTask(data, config.task)
            task.questions = questions
            yield task
