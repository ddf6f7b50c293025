"""Which of two arms is ahead: one paired, clustered difference decides.

Where every verdict is on disk (run folders), questions are paired, pooled over the seeds, and
clustered by seed and start person.  Where only summary lines are left (a committed file of
results), seeds are paired and each is a cluster; then at least three seeds are needed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from bioreason_bench.experiments.results import VERDICTS, Line, Lines, json_lines
from bioreason_bench.statistics import Estimate, decide, difference, seed_difference

Verdicts = dict[str, tuple[str, float]]  # id of a question -> (start person, score)


@dataclass(frozen=True)
class Comparison:
    """The paired difference "second - first" between two arms on one test set.

    Attributes:
        estimate: The difference as a share; its interval is NaN if nothing can be decided.
        unit: What was paired: "questions" or "seeds".
        seeds: Number of seeds that both arms have.
    """

    estimate: Estimate
    unit: str
    seeds: int

    @property
    def verdict(self) -> str:
        """Whether the second arm is "ahead", "behind" or "level" (which leaves it undecided)."""
        return decide(self.estimate)

    @property
    def has_interval(self) -> bool:
        return not math.isnan(self.estimate.low)

    def __str__(self) -> str:
        """In the form "+23.3 points (95 % interval +15.8 to +30.7; paired over 5 seeds)"."""
        value, low, high = (
            100 * share for share in (self.estimate.value, self.estimate.low, self.estimate.high)
        )
        seeds = f"{self.seeds} seed{'' if self.seeds == 1 else 's'}"
        if not self.has_interval:
            return f"{_signed(value)} points (paired over {seeds}, too few to decide)"
        questions = f"{self.estimate.questions} questions of " if self.unit == "questions" else ""
        interval = f"95 % interval {_signed(low)} to {_signed(high)}"
        return f"{_signed(value)} points ({interval}; paired over {questions}{seeds})"


def compare(
    first: Lines, second: Lines, config: str, metric: str = "exact_match"
) -> Comparison | None:
    """The paired difference of `metric` on test set `config`; None if the arms share no seed.

    Args:
        first: Result lines of the arm that is compared with.
        second: Result lines of the arm that may be ahead.
        config: Name of the test set, such as "comp_zeroshot".
        metric: "exact_match" (answers) or "process_verified" (whole chains).
    """
    pairs = _pairs(first, second, config)
    if not pairs:
        return None
    estimate = _question_difference(pairs, metric)
    if estimate is not None:
        return Comparison(estimate, "questions", len(pairs))
    scores = [[float(line[metric]) for line in side] for side in zip(*pairs, strict=True)]
    return Comparison(seed_difference(*scores), "seeds", len(pairs))


def _pairs(first: Lines, second: Lines, config: str) -> list[tuple[Line, Line]]:
    """The lines of both arms on `config`, seed by seed."""
    one, two = (
        {line["seed"]: line for line in lines if line["config"] == config}
        for lines in (first, second)
    )
    return [(one[seed], two[seed]) for seed in sorted(one.keys() & two.keys())]


def _question_difference(pairs: list[tuple[Line, Line]], metric: str) -> Estimate | None:
    """The difference over the questions of all seeds; None if a seed lacks its verdicts."""
    before: list[float] = []
    after: list[float] = []
    clusters: list[tuple[int, str]] = []
    for one, two in pairs:
        first, second = verdicts_of(one, metric), verdicts_of(two, metric)
        if not first or first.keys() != second.keys():
            return None
        for question, (start, score) in first.items():
            before.append(score)
            after.append(second[question][1])
            clusters.append((one["seed"], start))
    return difference(before, after, clusters)


def verdicts_of(line: Line, metric: str) -> Verdicts:
    """The verdicts that a result line sums up; empty if they are not on disk."""
    if VERDICTS not in line:
        return {}
    verdicts = {row["id"]: (row["start"], float(row[metric])) for row in json_lines(line[VERDICTS])}
    mean = sum(score for _, score in verdicts.values()) / max(1, len(verdicts))
    # a run folder of the same name may hold another run than the one that the line is about
    return verdicts if abs(mean - line[metric]) < 1e-3 else {}


def _signed(points: float) -> str:
    return f"{round(points, 1) + 0.0:+.1f}"  # + 0.0: never "-0.0"
