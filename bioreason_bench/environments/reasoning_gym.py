"""Reasoning Gym: the data set `bioreason`, which can be mixed with those of Reasoning Gym.

    import reasoning_gym
    import bioreason_bench.environments.reasoning_gym  # registers the data set

    data = reasoning_gym.create_dataset("bioreason", preset="small", seed=7, size=500)
    data.score_answer("So, the answer is: X", data[0])

Where questions come from a preset, `seed` is the seed of the world: another seed, other people.
With `data` it draws the order of the questions.  Questions repeat if `size` is larger than their
number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bioreason_bench.draw import Draw
from bioreason_bench.environments.questions import read_questions
from bioreason_bench.errors import MissingExtra, UsageError

try:
    from reasoning_gym.factory import DATASETS, ProceduralDataset, register_dataset
except ModuleNotFoundError:
    raise MissingExtra("reasoning_gym", "reasoning-gym") from None

__all__ = ["NAME", "BioreasonConfig", "BioreasonDataset"]

NAME = "bioreason"


@dataclass
class BioreasonConfig:
    """Which questions, and how they are asked and rewarded; see `read_questions`.

    Attributes:
        questions: The config of questions.
        split: "train", "validation" or "test".
        prompt: "chat" or "base".
        reward: One of grading.rewards.REWARDS.
        data: The folder of a release, or a repository on the Hub.
        revision: Its revision.
        preset: The preset of a new world if there is no `data`.
        seed: The seed of that world, or of the order of the questions of `data`.
        size: The number of items.
    """

    questions: str = "comp_rl"
    split: str | None = None
    prompt: str = "chat"
    reward: str = "outcome"
    data: str | None = None
    revision: str | None = None
    preset: str = "small"
    seed: int = 42
    size: int = 500

    def validate(self) -> None:
        """Raise UsageError if a setting cannot be."""
        if self.size < 1:
            raise UsageError(f"size={self.size!r} must be at least 1")


class BioreasonDataset(ProceduralDataset):
    """Questions as Reasoning Gym's items."""

    def __init__(self, config: BioreasonConfig) -> None:
        super().__init__(config=config, seed=config.seed, size=config.size)
        invented = config.data is None
        self.questions = read_questions(
            config.questions,
            config.split,
            prompt=config.prompt,
            reward=config.reward,
            data=config.data,
            revision=config.revision,
            preset=config.preset if invented else None,
            seed=config.seed if invented else None,
        )
        order = Draw(config.seed).at("reasoning_gym")
        self._order = order.permutation(len(self.questions.rows)).tolist()

    def __getitem__(self, idx: int) -> dict[str, Any]:
        """An item: question, answer and metadata, among them the id of the question."""
        row = self.questions.rows[self._order[idx % len(self._order)]]
        return {
            "question": self.questions.prompt(row),
            "answer": row["answer"],
            "metadata": {
                "source_dataset": NAME,
                "source_index": idx,
                "id": row["id"],
                "difficulty": {"hops": row["hops"], "level": row["level"]},
            },
        }

    def score_answer(self, answer: str | None, entry: dict[str, Any]) -> float:
        """The reward of a completion, or of the answer alone, in [0, 1]."""
        return self.questions.score(
            answer or "", self.questions.row(entry["metadata"]["id"])
        ).reward


if NAME not in DATASETS:
    register_dataset(NAME, BioreasonDataset, BioreasonConfig)
