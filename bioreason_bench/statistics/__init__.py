"""The statistics of scores: every interval, comparison, gate and pass@k is computed here."""

from bioreason_bench.statistics.intervals import (
    Estimate,
    Verdict,
    ahead,
    clustered,
    clusters_of,
    difference,
)
from bioreason_bench.statistics.scores import gate, pass_at_k, pass_curve, powers_of_two

__all__ = [
    "Estimate",
    "Verdict",
    "ahead",
    "clustered",
    "clusters_of",
    "difference",
    "gate",
    "pass_at_k",
    "pass_curve",
    "powers_of_two",
]
