"""Result lines are read from files, run folders and folders of runs, and sorted."""

from __future__ import annotations

import json
import shutil

import pytest
from made_study import passk_line, write_lines, write_run

from bioreason_bench.errors import UsageError
from bioreason_bench.experiments.evidence import Evidence, arm_order, read_evidence
from bioreason_bench.experiments.results import VERDICTS, read_lines, sweep_value


def result_line(arm: str, seed: int, config: str, share: float) -> dict:
    scores = dict.fromkeys(("exact_match", "process_verified"), share)
    about = {"type": "result", "arm": arm, "seed": seed, "stage": 1, "config": config}
    return {**about, "questions": 100, **scores}


def test_run_folders_and_a_folder_of_them_give_the_same_lines(tmp_path):
    folders = [write_run(tmp_path, "sft_comp", seed, (0.9, 0.9, 0.1)) for seed in (1, 2)]
    lines = read_lines([tmp_path])
    assert lines == read_lines(folders)
    evidence = read_evidence([tmp_path])
    assert (evidence.arms, evidence.seeds) == (["sft_comp"], [1, 2])
    assert evidence.worlds == [("nano", 43), ("nano", 44)]
    assert evidence.runs[0]["minutes"] == 1.7, "of log.jsonl, whose seconds a resumed stage adds up"
    assert len(evidence.verdicts.parts) == len(evidence.lines) == 10


def test_an_arm_is_named_after_its_recipe_without_the_common_base(tmp_path):
    write_run(tmp_path, "sft_mem_ctx+gold=4", 1, (0.9, 0.9, 0.1))
    assert read_evidence([tmp_path]).arms == ["sft_mem_ctx+gold=4"]


def test_a_file_of_results_finds_the_verdicts_in_the_run_folders_next_to_it(tmp_path):
    folder = write_run(tmp_path, "sft_comp", 1, (0.9, 0.9, 0.1))
    lines = read_lines([folder])
    for line in lines:
        line.pop(VERDICTS, None)
    source = write_lines(tmp_path / "results.jsonl", lines)
    assert sum(VERDICTS in line for line in read_lines([source])) == 5
    shutil.rmtree(folder)
    assert not any(VERDICTS in line for line in read_lines([source]))


def test_a_file_of_results_cannot_name_a_file_of_verdicts(tmp_path):
    line = {**result_line("a", 1, "comp_iid", 0.5), "questions": 2, VERDICTS: "/etc/passwd"}
    line |= {f"{name}_interval": [0, 1] for name in ("exact_match", "process_verified")}
    assert VERDICTS not in read_lines([write_lines(tmp_path / "results.jsonl", [line])])[0]


def test_the_start_of_grpo_is_averaged_over_its_first_steps(tmp_path):
    folder = write_run(tmp_path, "sft_mem_ctx+grpo", 1, (0.9, 0.9, 0.1))
    rows = [
        {"step": step, "loss": 0.1, "reward": reward, "mixed_groups": mixed, "seconds": 9.0}
        for step, reward, mixed in ((10, 0.2, 0.8), (20, 0.4, 0.6), (30, 0.9, 0.1), (20, 0.6, 0.4))
    ]
    write_lines(folder / "2-grpo" / "log.jsonl", rows)
    run, *_ = read_lines([folder])
    (stage,) = run["stages"]
    assert stage["start"] == {"reward": 0.4, "mixed_groups": 0.6, "steps": 20}, "step 20 came twice"
    assert stage["overall"] == {"reward": 0.5667, "mixed_groups": 0.4333, "steps": 30}
    assert [point["step"] for point in run["curve"]] == [10, 20, 30]


def test_pass_at_k_and_the_study_are_read_with_the_run_folders(study):
    evidence = read_evidence([study])
    assert evidence.study["name"] == "main"
    assert evidence.arms == ["sft_mem_ctx", "sft_comp", "sft_mem_ctx+grpo", "sft_mem_ctx+gold"]
    assert len(evidence.passk) == 6
    assert evidence.bases["sft_mem_ctx+grpo"] == "sft_mem_ctx"


def test_a_study_names_the_arms_of_its_run_folders(tmp_path):
    """A study may vary a setting of a recipe; then the recipe alone does not tell the arm."""
    arm = "sft_mem_ctx+grpo=format"
    folder = write_run(tmp_path, "sft_mem_ctx+grpo", 1, (0.9, 0.9, 0.1))
    folder.rename(tmp_path / "seed1" / "sft_mem_ctx+grpo-format")
    assert read_evidence([tmp_path]).arms == ["sft_mem_ctx+grpo"]
    (tmp_path / "study.json").write_text(
        json.dumps({"type": "study", "name": "rewards", "arms": [arm]})
    )
    assert read_evidence([tmp_path]).arms == [arm]


def test_a_sweep_gives_the_value_of_its_setting():
    recipe = {
        "stages": [{"kind": "sft"}, {"kind": "sft", "batch": {"comp_rl": {"limit": 8}}}],
        "sweep": {"setting": "2.batch.comp_rl.limit", "values": [8, 16]},
    }
    assert sweep_value(recipe) == "=8"
    assert sweep_value({"stages": []}) == ""


def test_only_the_last_stage_of_a_run_is_reported():
    first = result_line("sft_comp", 1, "comp_iid", 0.1)
    last = {**result_line("sft_comp", 1, "comp_iid", 0.9), "stage": 2}
    assert Evidence([first, last]).lines == [last]


def test_arms_are_sorted_by_what_they_begin_from_and_points_of_a_sweep_by_value():
    arms = ["few=16", "zebra", "sft_mem_ctx+grpo", "few=8", "sft_mem_ctx+gold=4", "few=128"]
    arms += ["sft_mem_ctx+rft", "sft_mem_ctx", "sft_mem_ctx+gold=16", "base", "sft_comp+grpo"]
    assert sorted(arms, key=arm_order) == [
        *("base", "sft_comp+grpo", "sft_mem_ctx", "sft_mem_ctx+gold=4", "sft_mem_ctx+gold=16"),
        *("sft_mem_ctx+rft", "sft_mem_ctx+grpo", "few=8", "few=16", "few=128", "zebra"),
    ]


def test_seeds_in_one_world_are_averaged():
    runs = [
        {"type": "run", "arm": "a", "seed": seed, "recipe": {}, "world": world}
        for seed, world in ((1, {"preset": "nano", "seed": 5}), (2, {"preset": "nano", "seed": 5}))
    ]
    lines = [
        result_line("a", seed, "comp_iid", share) for seed, share in ((1, 0.2), (2, 0.4), (3, 1))
    ]
    found = Evidence([*runs, *lines]).by_world("a", "comp_iid", "exact_match")
    assert found == {("", 3): 1.0, ("nano", 5): pytest.approx(0.3)}


def test_no_results_and_no_json_are_usage_errors(tmp_path):
    with pytest.raises(UsageError, match="no results"):
        read_lines([tmp_path])
    with pytest.raises(UsageError, match="no results"):
        read_lines([tmp_path / "nowhere"])
    (tmp_path / "x.jsonl").write_text("not json\n")
    with pytest.raises(UsageError, match="no file of results"):
        read_lines([tmp_path / "x.jsonl"])


@pytest.mark.parametrize(
    "change",
    [
        {"claims": [{"first": "a"}]},
        {"claims": [{"first": "a", "second": "b", "winner": "a"}]},
        {"claims": [{"first": "a", "second": "b", "metric": "vibes"}]},
        {"name": ""},
    ],
)
def test_a_study_whose_claims_are_not_well_formed_is_refused(tmp_path, change):
    study = {"type": "study", "name": "main", **change}
    path = write_lines(tmp_path / "results.jsonl", [study])
    with pytest.raises(UsageError, match="line 1"):
        read_lines([path])


def test_lines_of_pass_at_k_hold_what_their_bands_are_made_of(tmp_path):
    line = passk_line("a", 1, 0.5, 0.5)
    del line["right_chains"]
    with pytest.raises(UsageError, match="right_chains"):
        read_lines([write_lines(tmp_path / "results.jsonl", [line])])
    assert json.dumps(passk_line("a", 1, 0.5, 0.5))
