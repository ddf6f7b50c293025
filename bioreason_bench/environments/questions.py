"""The questions of an environment: rows of one split, their prompts, and their rewards.

    questions = read_questions("comp_rl", data="releases/v1")
    row = questions.rows[0]
    questions.prompt(row)                            what a chat model is sent
    questions.score("... So, the answer is: X", row)  Score(reward=1.0, metrics={...})

Prompts are those of questions/prompts.py, rewards those of grading/rewards.py, and chains are read
by the grader of the release that the questions are from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from bioreason_bench.draw import Draw
from bioreason_bench.errors import UsageError, suggest
from bioreason_bench.evaluation.open_source import check_source, open_source
from bioreason_bench.evaluation.source import Source
from bioreason_bench.grading.grader import Grader
from bioreason_bench.grading.rewards import COLUMNS, REWARDS
from bioreason_bench.questions.prompts import chat_prompt, make_prompt
from bioreason_bench.taxonomy import SKILLS

__all__ = ["PROMPTS", "SPLITS", "Questions", "Score", "read_questions"]

PROMPTS = {"chat": chat_prompt, "base": make_prompt}
SPLITS = ("train", "validation", "test")
RL = "rl"


class Score(NamedTuple):
    """The reward of one completion in [0, 1], and the metrics of the grade."""

    reward: float
    metrics: dict[str, float]


@dataclass(frozen=True)
class Questions:
    """The questions of one split.

    Attributes:
        source: Where they are from.
        split: "train", "validation" or "test".
        rows: The rows, in the order of the release.
        style: "chat" (with the instruction for chat models) or "base" (the bare prompt).
        reward: One of grading.rewards.REWARDS.
    """

    source: Source
    split: str
    rows: Sequence[dict[str, Any]] = field(repr=False)
    style: str = "chat"
    reward: str = "outcome"

    def __post_init__(self) -> None:
        if self.style not in PROMPTS:
            raise UsageError(f"there is no prompt={self.style!r}: {suggest(self.style, PROMPTS)}")
        if self.reward not in REWARDS:
            raise UsageError(f"there is no reward {self.reward!r}: {suggest(self.reward, REWARDS)}")

    @cached_property
    def grader(self) -> Grader:
        return self.source.grader()

    @cached_property
    def by_id(self) -> dict[str, dict[str, Any]]:
        """The rows by their id."""
        return {row["id"]: row for row in self.rows}

    def row(self, question_id: str) -> dict[str, Any]:
        """The row with this id.

        Raises:
            UsageError: There is none.
        """
        if question_id not in self.by_id:
            raise UsageError(f"{self.source.label} has no question {question_id!r} in this split")
        return self.by_id[question_id]

    def drawn(self, seed: int) -> dict[str, Any]:
        """The row that this seed draws."""
        return self.rows[int(Draw(seed).at("environment").integers([0], len(self.rows))[0])]

    def prompt(self, row: Mapping[str, Any]) -> str:
        return PROMPTS[self.style](row)

    def score(self, completion: str, row: Mapping[str, Any]) -> Score:
        """The reward and the metrics of a completion: a chain with its answer, or an answer."""
        columns = {name: [row[name]] for name in COLUMNS}
        reward = REWARDS[self.reward]([completion], grader=self.grader, **columns)[0]
        return Score(reward, self.grader.grade(completion, row).metrics())


def read_questions(
    config: str = "comp_rl",
    split: str | None = None,
    *,
    prompt: str = "chat",
    reward: str = "outcome",
    first: int = 0,
    data: str | None = None,
    revision: str | None = None,
    preset: str | None = None,
    seed: int | str | None = None,
) -> Questions:
    """The questions of one split of a config.

    Args:
        config: The config: comp_rl to train with, comp_zeroshot and so on to evaluate.
        split: "train", "validation" or "test"; None means train for comp_rl, else test.
        prompt: See `Questions.style`.
        reward: See `Questions.reward`.
        first: The number of questions; 0 for all.
        data: See `open_source`.
        revision: See `open_source`.
        preset: See `open_source`.
        seed: See `open_source`.

    Raises:
        UsageError: A setting is wrong.
        ReleaseError: The source cannot be read, or has no such split.
    """
    check_source(data, revision, preset, seed)
    source = open_source(data, revision, preset, seed)
    skill, _, level = config.partition("_")
    is_rl = level == RL and skill in SKILLS
    if not is_rl:
        source.require(config)
    split = split or ("train" if is_rl else "test")
    if split not in SPLITS or (is_rl and split != "train"):
        known = ("train",) if is_rl else SPLITS
        raise UsageError(f"{config} has no split={split!r}: {suggest(split, known)}")
    folder, name = f"{skill}/{level}", split
    if is_rl:
        folder, name = skill, RL
    elif split == "train":
        folder = skill  # all levels of a skill share its training questions
    rows = source.table(folder, name, first).to_pylist()
    return Questions(source, split, rows, prompt, reward)
