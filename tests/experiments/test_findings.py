"""The sentences of a report follow from the numbers by stated rules."""

from __future__ import annotations

import pytest
from result_lines import by_arm, make_lines

from bioreason_bench.experiments.findings import (
    control_sentence,
    early_errors,
    passk_reading,
    signatures,
)
from bioreason_bench.experiments.results import bases_of


def sentences(lines: list[dict]) -> str:
    runs = [line for line in lines if line["type"] == "run"]
    return "\n".join(signatures(by_arm(lines), bases_of(runs)))


def change(lines: list[dict], arm: str, shares: dict[int, float]) -> list[dict]:
    """The lines with other zeroshot answers of an arm, by seed."""
    return [
        {**line, "exact_match": shares[line["seed"]]}
        if (line.get("arm"), line.get("config")) == (arm, "comp_zeroshot")
        else line
        for line in lines
    ]


def test_a_signature_is_reported_if_its_rule_holds_and_only_then():
    text = sentences(make_lines())
    assert "Memorisation trap: `sft_comp` answers 97 % on iid, 20 % on zeroshot." in text
    assert "`sft_comp` has 20 % of the answers and 0 % of the whole chains" in text
    assert "Forgetting: `sft_mem_ctx_grpo` answers 70 % on mem_iid, its base" in text
    assert "100 %: -30.0 points" in text
    assert "`sft_mem_ctx_sft`" not in text
    assert early_errors(by_arm(make_lines())["sft_comp"]) == 1.0


def test_a_gain_from_grpo_is_decided_by_the_paired_difference():
    certain = change(make_lines(), "sft_comp_grpo", {1: 0.25, 2: 0.26, 3: 0.255})
    assert "GRPO is ahead of its base `sft_comp` on zeroshot: +5.5 points" in sentences(certain)
    noisy = sentences(change(make_lines(), "sft_comp_grpo", {1: 0.10, 2: 0.40, 3: 0.30}))
    assert "Undecided whether GRPO helps `sft_comp`" in noisy
    assert "an atomic skill is missing (mem 30 %, ctx 10 %)" in noisy
    worse = sentences(change(make_lines(), "sft_mem_ctx_grpo", {1: 0.3, 2: 0.31, 3: 0.32}))
    assert "GRPO is behind its base `sft_mem_ctx`" in worse
    assert "no atomic skill is missing" in worse


@pytest.mark.parametrize(
    ("control", "verdict"),
    [
        ({1: 0.70, 2: 0.72, 3: 0.71}, "GRPO is ahead of the control: +19.0 points"),
        ({1: 0.95, 2: 0.96, 3: 0.97}, "GRPO is behind the control: -6.0 points"),
        ({1: 0.95, 2: 0.70, 3: 0.90}, "Undecided whether GRPO is ahead of the control"),
    ],
)
def test_the_control_is_compared_with_grpo_whatever_comes_out(control, verdict):
    sentence = control_sentence(by_arm(change(make_lines(), "sft_mem_ctx_sft", control)))
    assert verdict in sentence
    assert "SFT(mem+ctx) answers 57 % on zeroshot. GRPO takes it to 90 %" in sentence


def test_with_one_seed_and_no_verdicts_nothing_is_decided():
    lines = make_lines(seeds=(1,))
    assert "Undecided whether GRPO is ahead of the control: -2.0 points" in control_sentence(
        by_arm(lines)
    )
    assert "is ahead of its base" not in sentences(lines)
    assert sentences(lines).count("too few to decide") == 3


def test_without_the_control_there_is_no_sentence():
    arms = by_arm(make_lines())
    del arms["sft_mem_ctx_sft"]
    assert control_sentence(arms) == ""


@pytest.mark.parametrize(
    ("base", "trained", "word"),
    [
        ({"1": 0.2, "512": 0.9}, {"1": 0.22, "512": 0.95}, "no gain"),
        ({"1": 0.2, "512": 0.9}, {"1": 0.8, "512": 0.92}, "amplification"),
        ({"1": 0.2, "512": 0.3}, {"1": 0.8, "512": 0.9}, "synthesis"),
        ({"1": 0.2, "512": 0.6}, {"1": 0.8, "512": 0.85}, "between"),
        ({"1": 0.2, "512": 0.99}, {"1": 0.8, "512": 1.0}, "saturated"),
    ],
)
def test_curves_that_merge_are_amplification_and_curves_that_stay_apart_synthesis(
    base, trained, word
):
    assert passk_reading(base, trained) == word
