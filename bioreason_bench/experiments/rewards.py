"""The reward at the start of GRPO, which decides whether an arm counts.

If nearly every sample is right, or nearly none, a group of samples has one reward, nothing has an
advantage and nothing is learnt: the arm then says nothing about RL.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from bioreason_bench.experiments.evidence import Evidence
from bioreason_bench.experiments.results import Line

LOWEST, HIGHEST = 0.1, 0.9  # mean reward at the start of an arm that counts


@dataclass(frozen=True)
class Start:
    """The first steps of GRPO in one arm, averaged over its runs.

    Attributes:
        arm: The arm.
        rewards: Mean reward over the first steps of each run.
        mixed: Mean share of groups with more than one reward over the first steps; None if it was
            not logged.
        mixed_overall: The same over the whole stage.
        steps: Number of first steps.
    """

    arm: str
    rewards: tuple[float, ...]
    mixed: float | None
    mixed_overall: float | None
    steps: int

    @property
    def reward(self) -> float:
        return sum(self.rewards) / len(self.rewards)

    @property
    def counts(self) -> bool:
        return LOWEST <= self.reward <= HIGHEST


def starts(evidence: Evidence) -> list[Start]:
    """The start of the last GRPO stage of each arm that has one, in the order of the report."""
    stages: dict[str, list[Line]] = defaultdict(list)
    for run in evidence.runs:
        rewarded = [stage for stage in run.get("stages", []) if "reward" in stage.get("start", {})]
        if rewarded:
            stages[run["arm"]].append(rewarded[-1])
    return [
        Start(
            arm,
            tuple(stage["start"]["reward"] for stage in found),
            _mean([stage["start"].get("mixed_groups") for stage in found]),
            _mean([stage.get("overall", {}).get("mixed_groups") for stage in found]),
            max(stage["start"]["steps"] for stage in found),
        )
        for arm, found in stages.items()
    ]


def does_not_count(evidence: Evidence) -> dict[str, str]:
    """Arm -> why it does not count, for the arms of GRPO that do not."""
    return {
        start.arm: f"the reward of {start.arm} begins at {start.reward:.2f}, "
        f"outside {LOWEST} to {HIGHEST}"
        for start in starts(evidence)
        if not start.counts
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
