"""Summaries of answers: means with person-clustered intervals, breakdowns, gates, first errors.

    by(answers, "skill", "level")     means by skill and level summarise(answers)
    everything, as plain JSON values: bioreason stats, cards summary_line(answers)             one
    test set in one flat record: results.jsonl of training runs

`answers` are plain records (see evaluation/answers.py).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any

from bioreason_bench.evaluation.answers import METRICS, Answers, grouped
from bioreason_bench.evaluation.depths import at_depths, at_lengths, has_long_contexts
from bioreason_bench.statistics import (
    Estimate,
    are_repeats,
    clustered,
    gate,
    pass_at_k,
    powers_of_two,
)

__all__ = [
    "by",
    "estimate",
    "first_errors",
    "gated",
    "pairs",
    "pass_curve",
    "repeated",
    "summarise",
    "summary_line",
]

TRUNCATED = "truncated"  # the kind of error of a completion that was cut in its thoughts
BREAKDOWNS = ("hops", "pattern", "unseen_group", "direction_seen", "altered")


def estimate(answers: Answers, metric: str = "exact_match") -> Estimate:
    """Mean of a metric over the answers, with its person-clustered interval."""
    return clustered(
        [float(answer[metric]) for answer in answers], [answer["start"] for answer in answers]
    )


def by(answers: Answers, *keys: str, metric: str = "exact_match") -> list[dict[str, Any]]:
    """The estimates of all parts of the answers.

    Returns:
        For each value of the keys, in natural order: the keys, value, low, high, questions,
        clusters. Answers without the metric are left out.
    """
    scored = [answer for answer in answers if answer[metric] is not None]
    return [
        {**dict(zip(keys, values, strict=True)), **_plain(estimate(part, metric))}
        for values, part in grouped(scored, *keys).items()
    ]


def gated(
    answers: Answers, probes: Answers, metric: str = "exact_match"
) -> tuple[Estimate | None, float | None]:
    """Accuracy over the questions all of whose probes the same model answers.

    Args:
        answers: Answers to questions.
        probes: Answers to their probes, which name them in `probe_of`.
        metric: What is averaged.

    Returns:
        The estimate, and the share of questions that pass the gate.  (None, 0.0) if no question
        passes, (None, None) if no question had all its probes asked.
    """
    passed, asked = gate(
        {answer["id"]: answer[metric] for answer in answers},
        {answer["id"]: answer["hops"] for answer in answers},
        {probe["id"]: probe["probe_of"] for probe in probes},
        {probe["id"]: probe["exact_match"] for probe in probes},
    )
    if not asked:
        return None, None
    if not passed:
        return None, 0.0
    through = [answer for answer in answers if answer["id"] in passed]
    return estimate(through, metric), len(passed) / asked


def pass_curve(answers: Answers, column: str = "right") -> dict[int, Estimate]:
    """Mean pass@k for k = 1, 2, 4, ... up to the samples that every question has.

    Only k = 1 if the samples are one sample repeated.
    """
    samples = [answer["samples"] for answer in answers]
    right = [answer[column] for answer in answers]
    starts = [answer["start"] for answer in answers]
    return {
        k: clustered(pass_at_k(samples, right, k), starts, verdicts=False)
        for k in powers_of_two(1 if repeated(answers) else min(samples))
    }


def repeated(answers: Answers) -> bool:
    """Whether the samples of pass@k are one sample repeated."""
    columns = ("samples", "right", "identical")
    return are_repeats(*([answer.get(name, 0) for answer in answers] for name in columns))


def pairs(answers: Answers) -> Estimate | None:
    """Share of the pairs of questions both of which are answered right.

    None if no complete pair was asked.  Pairs are counterfactual pairs and both directions of a
    fact.
    """
    complete = [
        part for (pair,), part in grouped(answers, "pair").items() if pair != "" and len(part) == 2
    ]
    if not complete:
        return None
    right = [min(float(answer["exact_match"]) for answer in part) for part in complete]
    return clustered(right, [part[0]["start"] for part in complete])


def first_errors(answers: Answers) -> dict[str, dict[str, float]]:
    """Shares of the first wrong hops: by hop, half of the chain, group and kind of error.

    Completions that were cut in their thoughts have none: they never came to a chain.
    """
    wrong = [
        answer
        for answer in answers
        if answer["first_error"] is not None and answer["error_kind"] != TRUNCATED
    ]
    if not wrong:
        return {}
    early = [answer["first_error"] < answer["hops"] / 2 for answer in wrong]
    return {
        "hop": _shares(str(answer["first_error"] + 1) for answer in wrong),
        "half": _shares("first" if first else "second" for first in early),
        "group": _shares(answer["failed_group"] for answer in wrong),
        "kind": _shares(answer["error_kind"] for answer in wrong),
    }


def _shares(values: Iterable[str | None]) -> dict[str, float]:
    counts = Counter(value for value in values if value is not None)
    return {value: round(count / counts.total(), 4) for value, count in counts.most_common()}


def summarise(answers: Answers) -> list[dict[str, Any]]:
    """A plain record for each model, variant, skill and level: metrics and breakdowns, for JSON."""
    keys = ("model", "variant", "skill", "level")
    groups = grouped(answers, *keys)
    records = []
    for values, part in groups.items():
        model, variant, skill, level = values
        record = {**dict(zip(keys, values, strict=True)), "questions": len(part)}
        if variant == "passk":
            record |= _sampled(part)
        else:
            probes = groups.get((model, "probes", skill, level), []) if variant == "" else []
            record |= _scored(part, probes)
        records.append(record)
    return records


def _sampled(answers: Answers) -> dict[str, Any]:
    """The part of a summary that holds pass@k."""
    curves = {"pass": pass_curve(answers), "process_pass": pass_curve(answers, "process_right")}
    identical = [float(answer.get("identical", 0)) for answer in answers]
    return {
        **{
            name: {str(k): _plain(point) for k, point in curve.items()}
            for name, curve in curves.items()
        },
        "identical_samples": round(sum(identical) / len(identical), 4),
        "samples_repeated": repeated(answers),
    }


def _scored(answers: Answers, probes: Answers) -> dict[str, Any]:
    """The part of a summary that holds metrics and breakdowns; gated if there are probes."""
    reported = [m for m in METRICS if all(answer[m] is not None for answer in answers)]
    record: dict[str, Any] = {metric: _plain(estimate(answers, metric)) for metric in reported}
    if any(answer["error_kind"] == TRUNCATED for answer in answers):  # tasks without the metric too
        cut = [float(answer["error_kind"] == TRUNCATED) for answer in answers]
        record[TRUNCATED] = _plain(clustered(cut, [answer["start"] for answer in answers]))
    if (both := pairs(answers)) is not None:
        record["pair_accuracy"] = _plain(both)
    record["by"] = {key: by(answers, key) for key in BREAKDOWNS if len(_values(answers, key)) > 1}
    if has_long_contexts(answers):
        record["by_length"] = by(at_lengths(answers), "length")
        record["by_length_and_depth"] = by(at_depths(answers), "length", "depth")
    record["first_errors"] = first_errors(answers)
    if probes:
        through, share = gated(answers, probes)
        if share is not None:
            accuracy = _plain(through) if through else {"value": None, "questions": 0}
            record["gated"] = {**accuracy, "share": round(share, 4)}
    return record


def _values(answers: Answers, key: str) -> set[Any]:
    return {answer[key] for answer in answers} - {None}


def summary_line(answers: Answers, probes: Answers | None = None) -> dict[str, Any]:
    """One test set in one flat record: a line of results.jsonl of a training run.

    Args:
        answers: The answers to the test set.
        probes: The same model's answers to its probes; with them the record has `gated`.
    """
    line: dict[str, Any] = {"questions": len(answers)}
    for metric in ("exact_match", "process_verified"):
        mean = estimate(answers, metric)
        line[metric] = round(mean.value, 4)
        ends = (mean.low, mean.high)  # nan, which JSON lacks, if there is a single cluster
        line[f"{metric}_interval"] = [None if math.isnan(end) else round(end, 4) for end in ends]
    line["hop_accuracy"] = _mean(answers, "hop_accuracy")
    line["format_ok"] = _mean(answers, "format_rate")
    for name, key in (("hops", "hops"), ("pattern", "pattern"), ("unseen", "unseen_group")):
        parts = {str(value): part for (value,), part in grouped(answers, key).items()}
        if len(parts) > 1 or name == "unseen":
            line[f"by_{name}"] = {
                value: {
                    "questions": len(part),
                    "exact_match": _mean(part, "exact_match"),
                    "process_verified": _mean(part, "process_verified"),
                }
                for value, part in sorted(parts.items())
            }
    wrong = [answer for answer in answers if not answer["process_verified"]]
    hops = (f"{a['first_error']}/{a['hops']}" for a in wrong if a["first_error"] is not None)
    line["first_error"] = dict(sorted(Counter(hops).items()))
    line["error_kinds"] = dict(Counter(str(a["error_kind"]) for a in wrong).most_common())
    groups = (str(answer["failed_group"]) for answer in wrong if answer["failed_group"])
    line["failed_group"] = dict(sorted(Counter(groups).items()))
    if probes is not None:
        line["gated"] = _gated_line(answers, probes)
    return line


def _gated_line(answers: Answers, probes: Answers) -> dict[str, Any]:
    line: dict[str, Any] = {"questions": 0}
    for metric in ("exact_match", "process_verified"):
        through, _ = gated(answers, probes, metric)
        line["questions"] = through.questions if through else 0
        line[metric] = round(through.value, 4) if through else 0.0
    return line


def _mean(answers: Answers, metric: str) -> float:
    return round(sum(float(answer[metric]) for answer in answers) / len(answers), 4)


def _plain(mean: Estimate) -> dict[str, Any]:
    """An estimate as plain JSON values."""
    return {
        "value": round(mean.value, 6),
        "low": None if math.isnan(mean.low) else round(mean.low, 6),
        "high": None if math.isnan(mean.high) else round(mean.high, 6),
        "questions": mean.questions,
        "clusters": mean.clusters,
    }
