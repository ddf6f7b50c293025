"""The rewards under their 0.1.0 name, which exported veRL folders import."""

from bioreason_bench.grading.rewards import (
    REWARDS,
    composite,
    compute_score,
    form,
    make_rewards,
    outcome,
    process,
)

__all__ = ["REWARDS", "composite", "compute_score", "form", "make_rewards", "outcome", "process"]
