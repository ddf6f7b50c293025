"""The statistics of scores: every interval, comparison, gate and pass@k is computed here."""

from bioreason_bench.statistics.differences import (
    LEAST_WORLDS,
    PairedDifference,
    holm,
    mean_over_worlds,
    paired_difference,
    pooled_difference,
)
from bioreason_bench.statistics.intervals import (
    Estimate,
    clustered,
    clusters_of,
    luck_bound,
    luck_bound_of,
    resampled_means,
    wilson_interval,
)
from bioreason_bench.statistics.scores import (
    are_repeats,
    gate,
    pass_at_k,
    pass_curve,
    powers_of_two,
)
from bioreason_bench.statistics.student import t_quantile, t_tail

__all__ = [
    "LEAST_WORLDS",
    "Estimate",
    "PairedDifference",
    "are_repeats",
    "clustered",
    "clusters_of",
    "gate",
    "holm",
    "luck_bound",
    "luck_bound_of",
    "mean_over_worlds",
    "paired_difference",
    "pass_at_k",
    "pass_curve",
    "pooled_difference",
    "powers_of_two",
    "resampled_means",
    "t_quantile",
    "t_tail",
    "wilson_interval",
]
