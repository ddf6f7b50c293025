"""The statistics of scores: every interval, comparison, gate and pass@k is computed here."""

from bioreason_bench.statistics.differences import (
    Verdict,
    ahead,
    decide,
    difference,
    seed_difference,
)
from bioreason_bench.statistics.intervals import (
    Estimate,
    clustered,
    clusters_of,
    luck_bound,
    wilson_interval,
)
from bioreason_bench.statistics.scores import (
    are_repeats,
    gate,
    pass_at_k,
    pass_curve,
    powers_of_two,
)

__all__ = [
    "Estimate",
    "Verdict",
    "ahead",
    "are_repeats",
    "clustered",
    "clusters_of",
    "decide",
    "difference",
    "gate",
    "luck_bound",
    "pass_at_k",
    "pass_curve",
    "powers_of_two",
    "seed_difference",
    "wilson_interval",
]
