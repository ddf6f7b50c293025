"""Levels made comparable: the score on each level if all had the same mixture of patterns.

Levels differ in how many questions end in reading or have three hops.  Direct standardisation
(Fleiss, Levin & Paik 2003, chapter 19) weights the score of each pattern equally on all levels:
by the pattern's share of the questions, averaged over the levels.  Only patterns that all levels
have take part.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from bioreason_bench.experiments.evidence import Evidence

Scores = Mapping[str, tuple[float, int]]  # pattern -> share of right chains, questions


def standardised(evidence: Evidence, arm: str, configs: list[str]) -> dict[str, float]:
    """Test set -> standardised share of right chains of an arm, pooled over its runs.

    Empty if a test set lacks verdicts or the test sets have no pattern in common.
    """
    by_config = {config: chains_by_pattern(evidence, arm, config) for config in configs}
    return standardise(by_config) if all(by_config.values()) else {}


def chains_by_pattern(evidence: Evidence, arm: str, config: str) -> Scores:
    """The share of right chains and the number of questions of each pattern."""
    right: dict[str, list[bool]] = defaultdict(list)
    for _, part in evidence.parts(arm, config):
        for pattern, chain in zip(part.questions.pattern, part.chain.tolist(), strict=True):
            right[pattern].append(chain)
    return {pattern: (sum(all_) / len(all_), len(all_)) for pattern, all_ in sorted(right.items())}


def standardise(by_config: Mapping[str, Scores]) -> dict[str, float]:
    """Test set -> its mean over the common patterns, with the same weights for all test sets."""
    if not by_config:
        return {}
    common = sorted(set.intersection(*(set(scores) for scores in by_config.values())))
    totals = {
        config: sum(count for _, count in scores.values()) for config, scores in by_config.items()
    }
    weights = {
        pattern: sum(scores[pattern][1] / totals[config] for config, scores in by_config.items())
        for pattern in common
    }
    total = sum(weights.values())
    return {
        config: sum(weights[pattern] * scores[pattern][0] for pattern in common) / total
        for config, scores in by_config.items()
        if total
    }
