"""The sentences of a report follow from the numbers by stated rules."""

from __future__ import annotations

import numpy as np
import pytest
from made_study import CHANCES, answers, write_run, write_study

from bioreason_bench.experiments.claims import claims_of, judge
from bioreason_bench.experiments.evidence import Evidence, read_evidence
from bioreason_bench.experiments.report.budgets import Budget, budgets, unmatched
from bioreason_bench.experiments.report.errors import (
    expected_first_errors,
    first_errors,
    hop_error_rate,
)
from bioreason_bench.experiments.report.findings import (
    claim_sentence,
    doubts,
    planned_worlds,
    settings_of,
    smoke_reasons,
    wrong_chains,
)
from bioreason_bench.experiments.report.sections import SMOKE, make_blocks
from bioreason_bench.experiments.report.standardised import standardise, standardised
from bioreason_bench.experiments.verdicts import part_of


@pytest.fixture(scope="module")
def evidence(study):
    return read_evidence([study])


def test_runs_that_pass_every_floor_are_no_smoke_runs(evidence):
    assert smoke_reasons(evidence) == []
    assert SMOKE not in str(make_blocks(evidence, {}))


def test_a_run_below_a_floor_is_headed_so_and_words_no_claim(tmp_path):
    for seed in (1, 2, 3):
        for arm in ("sft_mem_ctx", "sft_mem_ctx+grpo"):
            command = "bioreason-baseline reproduce --set sft.steps=5 --set=evaluate.limit=20"
            write_run(tmp_path, arm, seed, (0.1, 0.1, 0.1), questions=20, command=command)
    found = read_evidence([tmp_path])
    reasons = smoke_reasons(found)
    assert len(reasons) == 3
    assert reasons[0].startswith("No arm gets 20 % of the whole chains on comp_iid")
    assert reasons[1] == "A test set has 20 questions; at least 50 are needed."
    assert reasons[2] == "Recipes were changed by --set `sft.steps, evaluate.limit`."
    blocks = make_blocks(found, {})
    assert blocks[0] == f"# {SMOKE}"
    assert not [
        block for block in blocks if isinstance(block, str) and "Holm's correction" in block
    ]


def test_a_study_that_was_run_in_fewer_worlds_than_planned_says_so(evidence):
    assert planned_worlds(evidence) == ""
    more = Evidence([{"type": "study", "name": "main", "worlds": 8}, *evidence.all_lines()])
    assert planned_worlds(more) == "8 worlds were planned, 5 are reported."


def test_settings_are_found_in_a_command_however_they_are_written():
    command = "x --set sft.steps=5 --set 'model.a=b c' --set=seed=3 --setup"
    assert settings_of(command) == ["sft.steps", "model.a", "seed"]
    assert settings_of("x --set 'sft.steps=5") == ["'sft.steps"]


def test_right_answers_with_wrong_chains_are_named(evidence):
    (first, second) = wrong_chains(evidence)
    assert "`sft_mem_ctx` has 58 % of the answers and 41 % of the whole chains" in first
    assert "`sft_comp`" in second


def test_budgets_are_those_of_the_stages_that_an_arm_adds(evidence):
    spent = budgets(evidence)
    grpo = spent["sft_mem_ctx+grpo"]
    assert (grpo.base, grpo.stages, grpo.steps) == ("sft_mem_ctx", ("grpo",), 100)
    assert (grpo.tokens, grpo.samples) == (50_000, 25_600)
    assert spent["sft_mem_ctx"].base == ""


def test_stages_that_all_arms_share_are_in_no_budget_but_that_of_an_arm_without_others():
    def run(arm, recipe, trained):
        stages = [{"stage": number, "kind": "sft", "steps": 100} for number in trained]
        world = {"preset": "nano", "seed": 43}
        line = {"type": "run", "arm": arm, "seed": 1, "world": world, "stages": stages}
        return {**line, "recipe": {"stages": recipe, "model": {}}}

    runs = [run("one", ["base", "one"], [1, 2]), run("other", ["base", "other"], [2])]
    spent = budgets(Evidence(runs))
    assert (spent["one"].steps, spent["other"].steps) == (100, 100)
    assert budgets(Evidence(runs[:1]))["one"].steps == 200, "it shares them with no other"
    assert budgets(Evidence([*runs, run("base", ["base"], [1])]))["base"].steps == 100


def test_arms_of_one_base_that_got_more_are_called_not_matched(evidence):
    first = Budget("b", ("grpo",), 100, 50_000, 25_600, 1.0)
    second = Budget("b", ("sft",), 50, 51_000, 0, 1.0)
    assert unmatched(first, second) == ["100 and 50 steps"]
    assert unmatched(first, first) == []
    finding = judge(claims_of(evidence)[1:2], evidence)[0]
    sentence = claim_sentence(finding, {"sft_mem_ctx+grpo": first, "sft_mem_ctx+gold": second})
    assert sentence.endswith("The two are not matched: 100 and 50 steps.")


def test_the_doubts_are_five_lines_made_from_the_data(evidence, tmp_path):
    lines = doubts(evidence, judge(claims_of(evidence), evidence))
    assert len(lines) == 5
    assert lines[0].startswith("Worlds: 5 of preset `nano`.")
    assert "0.8M parameters" in lines[1] and "own architecture" in lines[1]
    assert "is not among those reported" in lines[4]
    write_study(tmp_path, CHANCES, seeds=(0, 1), reward=0.98)
    few = read_evidence([tmp_path])
    lines = doubts(few, judge(claims_of(few), few))
    assert "fewer than 3 worlds" in lines[2]
    assert "do not count" in lines[3] and "`sft_mem_ctx+grpo`" in lines[3]
    assert "is among those reported" in lines[4]


# first errors -------------------------------------------------------------------------------------


def test_independent_errors_are_early_more_often_than_not_and_that_is_no_finding(tmp_path):
    """A model that fails one hop in ten, whatever it is, fails most often in the first half."""
    chance = np.random.default_rng(0)
    records = answers("a", "comp_zeroshot", 1, 0.5, 4000)
    for record in records:
        wrong = np.flatnonzero(chance.random(record["hops"]) < 0.1)
        record["process_verified"] = float(not len(wrong))
        record["first_error"] = int(wrong[0]) if len(wrong) else None
    found = first_errors([part_of(records, tmp_path)])
    assert found.early > 0.55
    assert found.early == pytest.approx(found.early_by_chance, abs=0.04)
    assert found.at_unseen == pytest.approx(found.at_unseen_by_chance, abs=0.04)


def test_errors_at_the_unseen_relation_stand_out(evidence):
    found = first_errors([part for _, part in evidence.parts("sft_comp", "comp_zeroshot")])
    assert found.at_unseen == 1.0
    assert found.at_unseen_by_chance < 0.5
    assert found.early == found.early_unseen


def test_the_rate_of_errors_is_errors_by_hops_tried():
    error, hops = np.array([-1, 0, 1, 2]), np.array([2, 2, 3, 3])
    assert hop_error_rate(error, hops) == 3 / (2 + 1 + 2 + 3)
    expected = expected_first_errors(np.array([2, 3]), 0.5)
    assert expected.tolist() == [[0.5, 0.25, 0.0], [0.5, 0.25, 0.125]]
    assert first_errors([]) is None


# levels -------------------------------------------------------------------------------------------


def test_standardised_levels_weigh_each_common_pattern_alike():
    """Both levels answer PC at 90 % and CP at 50 %; only their mixtures differ."""
    scores = {
        "iid": {"PC": (0.9, 90), "CP": (0.5, 10)},
        "zeroshot": {"PC": (0.9, 10), "CP": (0.5, 90), "CCC": (0.0, 100)},
    }
    found = standardise(scores)
    assert found["iid"] == pytest.approx(found["zeroshot"])
    weights = 90 / 100 + 10 / 200, 10 / 100 + 90 / 200
    assert found["iid"] == pytest.approx((0.9 * weights[0] + 0.5 * weights[1]) / sum(weights))
    assert standardise({}) == {}
    assert standardise({"iid": {"PC": (1, 1)}, "depth": {"PCPC": (1, 1)}}) == {}


def test_levels_with_the_same_patterns_are_left_as_they_are(evidence):
    found = standardised(evidence, "sft_mem_ctx", ["comp_iid", "comp_zeroshot"])
    parts = [part for _, part in evidence.parts("sft_mem_ctx", "comp_zeroshot")]
    assert found["comp_zeroshot"] == pytest.approx(np.concatenate([p.chain for p in parts]).mean())
    assert standardised(Evidence(evidence.all_lines()), "sft_mem_ctx", ["comp_iid"]) == {}
