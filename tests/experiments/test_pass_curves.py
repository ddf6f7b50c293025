"""What pass@k curves say, by whole chains and only where the interval of the ratio says it."""

from __future__ import annotations

import numpy as np
import pytest
from made_study import passk_line

from bioreason_bench.experiments.evidence import Evidence
from bioreason_bench.experiments.pass_curves import (
    comparisons,
    curves,
    differs_at,
    with_controls,
)
from bioreason_bench.experiments.report.sections import control_sentence
from bioreason_bench.statistics import pass_at_k

BASE, GRPO, GOLD = "sft_mem_ctx", "sft_mem_ctx+grpo", "sft_mem_ctx+gold"


def evidence(
    base: tuple[float, float], grpo: tuple[float, float], seeds=(1, 2), **more
) -> Evidence:
    """Lines of a base and of GRPO: the chance of a sample, the share of questions ever solved."""
    arms = {BASE: base, GRPO: grpo, **more}
    return Evidence([passk_line(arm, seed, *way) for arm, way in arms.items() for seed in seeds])


@pytest.mark.parametrize(
    ("base", "grpo", "reading"),
    [
        ((0.3, 0.3), (0.9, 0.95), "synthesis"),
        ((0.2, 0.7), (0.9, 0.7), "amplification"),
        ((0.8, 0.7), (0.8, 0.7), "no gain"),
        ((0.8, 0.7), (0.4, 0.7), "no gain"),
        ((0.5, 1.0), (0.9, 1.0), "saturated"),
        ((0.1, 0.5), (0.9, 0.8), "undecided"),
    ],
)
def test_a_reading_needs_the_interval_of_the_ratio(base, grpo, reading):
    (found,) = comparisons(evidence(base, grpo))
    assert found.reading == reading
    assert found.gain_interval[0] <= found.gain <= found.gain_interval[1]


def test_few_questions_have_no_reading():
    lines = evidence((0.3, 0.3), (0.9, 0.9)).passk
    few = [
        {**line, "questions": 6}
        | {key: line[key][:6] for key in ("starts", "right_chains", "right_answers")}
        for line in lines
        if line["seed"] == 1
    ]
    (found,) = comparisons(Evidence(few))
    assert len(found.curve.points) == 6
    assert found.reading == "too few questions"


def test_answers_that_saturate_do_not_decide_the_reading():
    found = evidence((0.3, 0.3), (0.9, 0.95))
    assert all(right == 64 for line in found.passk for right in line["right_answers"])
    assert comparisons(found)[0].reading == "synthesis"
    assert comparisons(found, "answers")[0].reading == "no gain"


def test_curves_are_means_over_the_questions_of_all_seeds_with_bands_around_them():
    found = evidence((0.3, 0.3), (0.9, 0.95))
    curve = curves(found, "chains")[0]
    right = np.concatenate([line["right_chains"] for line in found.passk if line["arm"] == BASE])
    assert curve.ks == (1, 2, 4, 8, 16, 32, 64)
    assert curve.means[3] == pytest.approx(pass_at_k(64, right, 8).mean())
    assert all(
        low < mean < high for mean, (low, high) in zip(curve.means, curve.band(), strict=True)
    )
    assert len(set(curve.clusters)) == 100, "50 people in each of two worlds"


def test_a_control_with_the_same_curve_is_said_to_have_it_and_another_is_not():
    same = evidence((0.3, 0.3), (0.9, 0.9), **{GOLD: (0.9, 0.9)})
    ((curve, control),) = with_controls(same)
    assert differs_at(curve, control) == []
    assert "not peculiar to RL" in control_sentence(curve, control)
    other = evidence((0.3, 0.3), (0.9, 0.9), **{GOLD: (0.9, 0.4)})
    ((curve, control),) = with_controls(other)
    assert differs_at(curve, control) == [1, 2, 4, 8, 16, 32, 64]
    assert "differ in whole chains at k = 1, 2" in control_sentence(curve, control)
    assert with_controls(evidence((0.3, 0.3), (0.9, 0.9))) == []


def test_models_that_were_asked_other_questions_are_not_compared():
    lines = evidence((0.3, 0.3), (0.9, 0.9), seeds=(1,)).passk
    others = [{**lines[0], "starts": lines[0]["starts"][::-1]}, lines[1]]
    assert comparisons(Evidence(others)) == []
