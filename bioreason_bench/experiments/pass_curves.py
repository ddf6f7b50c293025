"""What pass@k curves of whole chains say: does training open up new questions, or make them likely?

The gain over the base at the largest k is divided by the gain at k = 1.  Near 1, training has
solved questions that the base never solves (synthesis); near 0, it has made likely what the base
solves now and then (amplification).  Either is said only if the 95 % interval of the ratio says it.
Bands and the interval of the ratio are bootstraps over start persons of all worlds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.experiments.evidence import Evidence, controls_of, start_of_rl
from bioreason_bench.experiments.results import Lines
from bioreason_bench.statistics import clustered, pass_at_k, powers_of_two, resampled_means

MEASURES = ("chains", "answers")
SYNTHESIS, AMPLIFICATION = 0.5, 0.25  # ratio above, ratio below
MOST_K = 4096  # the largest k that a curve has, however many samples were drawn
FEWEST = 300  # questions over all worlds, below which a curve has no reading
SATURATED = 0.97  # pass@k of the base at the largest k, above which there is nothing left to gain
Reading = Literal[
    "too few questions", "no gain", "synthesis", "amplification", "saturated", "undecided"
]


@dataclass(frozen=True)
class Curve:
    """pass@k of an arm over the questions of all its worlds.

    Attributes:
        arm: The arm.
        seeds: Of the runs whose questions are pooled.
        ks: 1, 2, 4 ... up to the number of samples, and to MOST_K.
        points: pass@k of each question, shape [questions, ks].
        clusters: Seed and start person of each question.
    """

    arm: str
    seeds: tuple[int, ...]
    ks: tuple[int, ...]
    points: NDArray[np.float64]
    clusters: tuple[tuple[int, str], ...]

    @property
    def means(self) -> list[float]:
        return [float(value) for value in self.points.mean(axis=0)]

    def band(self) -> list[tuple[float, float]]:
        """The 95 % interval of each point, a bootstrap over start persons."""
        bands = [clustered(column, self.clusters, verdicts=False) for column in self.points.T]
        return [(band.low, band.high) for band in bands]


@dataclass(frozen=True)
class Comparison:
    """A curve compared with that of the base on the same questions.

    Attributes:
        curve: The curve.
        base: That of the base.
        gain: Gain at k = 1.
        left: Gain at the largest k.
        gain_interval: 95 % interval of the gain at k = 1.
        left_interval: 95 % interval of the gain at the largest k.
        ratio_interval: 95 % interval of left / gain.
    """

    curve: Curve
    base: Curve
    gain: float
    left: float
    gain_interval: tuple[float, float]
    left_interval: tuple[float, float]
    ratio_interval: tuple[float, float]

    @property
    def reading(self) -> Reading:
        if len(self.curve.points) < FEWEST:
            return "too few questions"
        if not self.gain_interval[0] > 0:  # also if it is NaN
            return "no gain"
        if self.base.means[-1] > SATURATED:
            return "saturated"
        low, high = self.ratio_interval
        if low > SYNTHESIS:
            return "synthesis"
        return "amplification" if high < AMPLIFICATION else "undecided"


def curve_of(evidence: Evidence, arm: str, measure: str, seeds: Sequence[int]) -> Curve:
    """The curve of an arm over its runs with these seeds, in this order."""
    lines = {line["seed"]: line for line in evidence.passk if line["arm"] == arm}
    chosen = [lines[seed] for seed in seeds]
    ks = tuple(powers_of_two(min(MOST_K, *(line["samples"] for line in chosen))))
    columns = [
        np.concatenate([pass_at_k(line["samples"], line[f"right_{measure}"], k) for line in chosen])
        for k in ks
    ]
    clusters = tuple((line["seed"], start) for line in chosen for start in line["starts"])
    return Curve(arm, tuple(seeds), ks, np.stack(columns, axis=1), clusters)


def curves(evidence: Evidence, measure: str) -> list[Curve]:
    """The curve of each arm over all its seeds."""
    return [
        curve_of(evidence, arm, measure, _seeds(evidence.passk, arm)) for arm in _arms(evidence)
    ]


def comparisons(evidence: Evidence, measure: str = "chains") -> list[Comparison]:
    """Each arm with the arm that it was trained from, on the seeds of both."""
    found = []
    for arm in _arms(evidence):
        base = evidence.bases.get(arm, arm.rpartition("+")[0])
        if base in _arms(evidence) and (seeds := _common(evidence, arm, base)):
            first, second = (curve_of(evidence, name, measure, seeds) for name in (arm, base))
            found.append(compare(first, second))
    return found


def compare(curve: Curve, base: Curve) -> Comparison:
    """A curve against that of its base; the questions are the same and in the same order."""
    gaps = curve.points[:, [0, -1]] - base.points[:, [0, -1]]
    first, last = (resampled_means(column, curve.clusters) for column in gaps.T)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(first > 0, last / first, np.nan)
    return Comparison(
        curve,
        base,
        gain=float(gaps[:, 0].mean()),
        left=float(gaps[:, 1].mean()),
        gain_interval=_interval(first),
        left_interval=_interval(last),
        # without a gain in a resample there is no ratio in it, and no interval
        ratio_interval=_interval(ratio),
    )


def with_controls(evidence: Evidence) -> list[tuple[Curve, Curve]]:
    """Each arm of RL and each of its controls, by whole chains on the seeds of both."""
    arms = _arms(evidence)
    pairs = []
    for arm in arms:
        start = start_of_rl(arm)
        for control in controls_of(start, arms) if start else ():
            if seeds := _common(evidence, arm, control):
                first, second = (
                    curve_of(evidence, name, "chains", seeds) for name in (arm, control)
                )
                pairs.append((first, second))
    return pairs


def differs_at(first: Curve, second: Curve) -> list[int]:
    """The k at which two curves on the same questions differ.

    The 95 % interval of the difference excludes 0, corrected for the number of k (Bonferroni).
    """
    level = 1 - 0.05 / len(first.ks)
    found = []
    for k, column in zip(first.ks, (first.points - second.points).T, strict=True):
        low, high = _interval(resampled_means(column, first.clusters), level)
        if low > 0 or high < 0:
            found.append(k)
    return found


def _interval(means: NDArray[np.float64], level: float = 0.95) -> tuple[float, float]:
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _arms(evidence: Evidence) -> list[str]:
    return list(dict.fromkeys(line["arm"] for line in evidence.passk))


def _seeds(lines: Lines, arm: str) -> list[int]:
    return sorted({line["seed"] for line in lines if line["arm"] == arm})


def _common(evidence: Evidence, first: str, second: str) -> list[int]:
    """The seeds in which both arms were asked the same questions as often."""
    lines = {(line["arm"], line["seed"]): line for line in evidence.passk}
    both = set(_seeds(evidence.passk, first)) & set(_seeds(evidence.passk, second))
    keys = ("config", "questions", "samples", "starts")
    return [
        seed
        for seed in sorted(both)
        if all(lines[first, seed].get(key) == lines[second, seed].get(key) for key in keys)
    ]
