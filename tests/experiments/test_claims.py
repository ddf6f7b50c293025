"""Which arm is ahead: decided by one paired test over worlds, corrected over the study's claims."""

from __future__ import annotations

import math

import pytest
from made_study import write_run, write_study

from bioreason_bench.experiments.claims import CHAINS, Claim, claims_of, compare, judge, pooled
from bioreason_bench.experiments.evidence import Evidence, read_evidence
from bioreason_bench.experiments.report.findings import claim_sentence

ZEROSHOT = "comp_zeroshot"


def evidence(shares: dict[str, list[float]], worlds: list[int] | None = None, **more) -> Evidence:
    """Lines with the whole chains on zeroshot of each arm in seeds 1, 2, ...; no verdicts."""
    lines = []
    for arm, values in shares.items():
        for seed, share in enumerate(values, 1):
            world = worlds[seed - 1] if worlds else 42 + seed
            stage = {"stage": 1, "kind": "grpo", "steps": 9, **more}
            lines += [
                {"type": "run", "arm": arm, "seed": seed, "recipe": {"stages": [{}]}, "command": ""}
                | {"world": {"preset": "nano", "seed": world}, "stages": [stage]},
                {"type": "result", "arm": arm, "seed": seed, "stage": 1, "config": ZEROSHOT}
                | {"questions": 300, "exact_match": 0.9, CHAINS: share},
            ]
    return Evidence(lines)


def verdict(first: list[float], second: list[float]) -> str:
    (finding,) = judge([Claim("b", "a")], evidence({"a": first, "b": second}))
    return finding.verdict


def test_a_claim_is_worded_by_the_test_whichever_way_it_goes():
    assert verdict([0.80, 0.82, 0.81, 0.83, 0.80], [0.60, 0.61, 0.63, 0.60, 0.62]) == "ahead"
    assert verdict([0.60, 0.61, 0.63, 0.60, 0.62], [0.80, 0.82, 0.81, 0.83, 0.80]) == "behind"
    assert verdict([0.80, 0.82, 0.81, 0.83, 0.80], [0.81, 0.81, 0.82, 0.82, 0.80]) == (
        "equivalent within 5 points"
    )
    assert verdict([0.80, 0.60, 0.81, 0.95, 0.70], [0.81, 0.75, 0.60, 0.82, 0.80]) == "undecided"


def test_fewer_than_three_worlds_make_no_claim():
    assert verdict([0.9, 0.9], [0.1, 0.1]) == "no claim"
    same_world = evidence({"a": [0.9] * 5, "b": [0.1] * 5}, worlds=[43] * 5)
    (finding,) = judge([Claim("b", "a")], same_world)
    assert finding.verdict == "no claim", "five seeds in one world are one world"
    assert finding.test.worlds == 1
    assert "fewer than 3 decide nothing" in claim_sentence(finding, {})


def test_only_the_worlds_of_both_arms_are_paired_and_answers_are_another_metric():
    found = evidence({"a": [0.7, 0.81, 0.9, 0.1], "b": [0.5, 0.6, 0.7]})
    test = compare(Claim("b", "a"), found)
    assert test.worlds == 3
    assert test.value == pytest.approx((0.2 + 0.21 + 0.2) / 3)
    assert compare(Claim("a", "b"), found).value == -test.value
    assert compare(Claim("b", "a", metric="exact_match"), found).value == 0
    assert compare(Claim("nobody", "a"), found) is None


def test_more_claims_make_each_of_them_harder():
    shares = {"a": [0.70, 0.74, 0.72, 0.79, 0.71], "b": [0.66, 0.71, 0.71, 0.70, 0.70]}
    alone = judge([Claim("b", "a")], evidence(shares))[0]
    many = judge([Claim("b", "a")] * 10, evidence(shares))[0]
    assert alone.p < 0.1
    assert many.p == pytest.approx(10 * alone.p) or many.p == 1


def test_claims_that_cannot_be_decided_are_corrected_for_all_the_same():
    shares = {"a": [0.70, 0.74, 0.72, 0.79, 0.71], "b": [0.66, 0.71, 0.71, 0.70, 0.70]}
    found = evidence({**shares, "c": [0.0] * 5, "d": [0.01] * 5})
    alone, at_the_floor, not_run = judge([Claim("b", "a"), Claim("c", "d"), Claim("e", "f")], found)
    assert alone.p == pytest.approx(3 * judge([Claim("b", "a")], found)[0].p)
    assert alone.p_equivalent == pytest.approx(
        min(1, 3 * judge([Claim("b", "a")], found)[0].p_equivalent)
    )
    assert math.isnan(at_the_floor.p) and math.isnan(not_run.p)


@pytest.mark.parametrize(("reward", "counts"), [(0.05, False), (0.5, True), (0.97, False)])
def test_an_arm_of_grpo_whose_reward_leaves_nothing_to_learn_gets_no_claim(reward, counts):
    shares = {"a": [0.80, 0.82, 0.81, 0.83, 0.80], "b": [0.60, 0.61, 0.63, 0.60, 0.62]}
    found = evidence(shares, start={"reward": reward, "steps": 25})
    (finding,) = judge([Claim("b", "a")], found)
    assert finding.verdict == ("ahead" if counts else "no claim")
    assert ("does not count" in claim_sentence(finding, {})) == (not counts)


def test_arms_that_cannot_differ_by_more_than_the_margin_are_not_called_equivalent():
    for shares in ([0.0, 0.01, 0.0, 0.02, 0.0], [0.99, 1.0, 0.98, 0.97, 0.99]):
        found = evidence({"a": shares, "b": shares})
        (finding,) = judge([Claim("b", "a")], found)
        assert finding.verdict == "no claim"
        assert "cannot differ by more" in claim_sentence(finding, {})
        found = evidence({"a": [0.3, 0.31, 0.32, 0.3, 0.3], "b": shares})
        (finding,) = judge([Claim("b", "a")], found)
        assert finding.verdict in ("ahead", "behind")


def test_the_claims_are_those_of_the_study_and_else_each_grpo_with_its_base_and_control(study):
    found = read_evidence([study])
    assert [claim.second for claim in claims_of(found)] == [
        *("sft_mem_ctx+grpo", "sft_mem_ctx+grpo", "sft_comp")
    ]
    without = Evidence([line for line in found.all_lines() if line["type"] != "study"])
    assert {(claim.first, claim.second) for claim in claims_of(without)} == {
        ("sft_mem_ctx", "sft_mem_ctx+grpo"),
        ("sft_mem_ctx+gold", "sft_mem_ctx+grpo"),
    }


def test_questions_are_pooled_over_worlds_and_clustered_by_person_and_unseen_relation(study):
    found = read_evidence([study])
    claim = claims_of(found)[0]
    estimate = pooled(claim, found)
    assert estimate.questions == 300
    assert estimate.clusters == 5, "unseen relations, which are fewer than people"
    assert estimate.value == pytest.approx(compare(claim, found).value, abs=1e-4)
    assert (
        pooled(Claim("sft_mem_ctx", "sft_mem_ctx+grpo", config="comp_iid"), found).clusters == 100
    )
    assert pooled(Claim("sft_comp", "sft_comp", first_config="comp_iid"), found) is None


def test_arms_that_were_asked_other_questions_are_not_pooled(tmp_path):
    write_study(tmp_path, {"a": (0.9, 0.9, 0.9)}, seeds=(1, 2, 3))
    for seed in (1, 2, 3):
        write_run(tmp_path, "b", seed, (0.5, 0.5, 0.5), questions=30)
    found = read_evidence([tmp_path])
    assert pooled(Claim("b", "a"), found) is None
    assert compare(Claim("b", "a"), found).worlds == 3


def test_a_difference_is_hedged_where_worlds_leave_its_size_open_or_questions_do_not_show_it():
    wide = evidence({"a": [0.9, 0.5, 0.95, 0.6, 0.9], "b": [0.1, 0.1, 0.2, 0.2, 0.1]})
    (finding,) = judge([Claim("b", "a", text="A against B")], wide)
    sentence = claim_sentence(finding, {})
    assert sentence.startswith(
        "“A against B” (`a` against `b`), whole chains on comp_zeroshot: ahead"
    )
    assert "How large the difference is, 5 worlds leave open." in sentence
    narrow = judge([Claim("b", "a")], evidence({"a": [0.9, 0.91, 0.92], "b": [0.1, 0.1, 0.1]}))[0]
    assert "leave open" not in claim_sentence(narrow, {})
    assert math.isclose(narrow.test.value, 0.81)
