"""Result lines are read from files, run folders and folders of runs, also older ones."""

from __future__ import annotations

import json

import pytest
from result_lines import make_lines, result_line, run_line, write_lines

from bioreason_bench.errors import UsageError
from bioreason_bench.experiments.results import VERDICTS, Results, read_lines, sweep_value
from bioreason_bench.resources import folder

COMMITTED = sorted((folder("cards") / "results").glob("*.jsonl"))


def write_run(path, arm: str, seed: int) -> None:
    """A run folder with one result, as `bioreason-baseline train` leaves it."""
    line = result_line(arm, seed, "comp_zeroshot", 0.5, 0.5)
    for key in ("type", "arm"):
        del line[key]
    write_lines(path / "results.jsonl", [line])
    write_lines(path / "1-sft" / "test" / "comp_zeroshot.jsonl", [{"id": "a"}])
    (path / "1-sft" / "done.json").write_text(json.dumps({"kind": "sft", "seconds": 90.0}))
    run = run_line(arm, seed)
    run["recipe"]["seed"] = seed
    for key in ("type", "arm", "seed", "minutes", "stages", "curve"):
        del run[key]
    (path / "run.json").write_text(json.dumps(run))


def test_run_folders_and_a_folder_of_them_give_the_same_lines(tmp_path):
    for seed in (1, 2):
        write_run(tmp_path / f"seed{seed}" / "sft_comp", "sft_comp", seed)
    lines = read_lines([tmp_path])
    assert lines == read_lines([tmp_path / "seed1" / "sft_comp", tmp_path / "seed2" / "sft_comp"])
    results = Results(lines)
    assert (results.arms, results.seeds) == (["sft_comp"], [1, 2])
    assert results.runs[0]["minutes"] == 1.5
    assert all(line[VERDICTS].is_file() for line in results.lines)


def test_a_file_of_results_finds_the_verdicts_in_the_run_folders_next_to_it(tmp_path):
    write_run(tmp_path / "seed1" / "sft_comp", "sft_comp", 1)
    source = write_lines(tmp_path / "results.jsonl", make_lines(seeds=(1,)))
    with_verdicts = [line for line in read_lines([source]) if VERDICTS in line]
    assert [(line["arm"], line["config"]) for line in with_verdicts] == [
        ("sft_comp", "comp_zeroshot")
    ]


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_committed_results_are_read_and_their_sweep_points_have_their_values(path):
    results = Results(read_lines([path]))
    assert results.runs and results.lines
    for run in results.runs:
        assert run["arm"].endswith(sweep_value(run["recipe"]) or run["arm"])


@pytest.mark.parametrize("name", ["sweep", "ladder"])
def test_a_sweep_is_read_under_its_present_and_its_former_name(name):
    recipe = {
        "stages": [{"kind": "sft"}, {"kind": "sft", "batch": {"comp_rl": {"limit": 8}}}],
        name: {"setting": "2.batch.comp_rl.limit", "values": [8, 16]},
    }
    assert sweep_value(recipe) == "=8"
    assert sweep_value({"stages": []}) == ""


def test_only_the_last_stage_of_a_run_is_reported():
    first = result_line("sft_comp", 1, "comp_iid", 0.1, 0.1)
    last = {**result_line("sft_comp", 1, "comp_iid", 0.9, 0.9), "stage": 2}
    assert Results([first, last]).lines == [last]


def test_points_of_a_sweep_are_sorted_by_value_and_arms_of_the_paper_come_first():
    arms = ["few_shot=16", "zebra", "few_shot=8", "sft_mem_ctx", "few_shot=128", "sft_comp"]
    lines = [result_line(arm, 1, "comp_iid", 0.5, 0.5) for arm in arms]
    assert Results(lines).arms == [
        *("sft_comp", "sft_mem_ctx", "few_shot=8", "few_shot=16", "few_shot=128", "zebra")
    ]


def test_no_results_and_no_json_are_usage_errors(tmp_path):
    with pytest.raises(UsageError, match="no results"):
        read_lines([tmp_path])
    with pytest.raises(UsageError, match="no results"):
        read_lines([tmp_path / "nowhere"])
    (tmp_path / "x.jsonl").write_text("not json\n")
    with pytest.raises(UsageError, match="no file of results"):
        read_lines([tmp_path / "x.jsonl"])
