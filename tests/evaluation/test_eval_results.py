"""The scores of a model as its repository on the Hub states them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

REPO = "org/bioreason"


def write(folder: Path, scores: dict[str, float], date: str = "2026-01-02", **changes) -> Path:
    """A results file as the harness writes it, without what nobody reads."""
    run = {
        "results": {task: {"alias": task, "exact_match,none": s} for task, s in scores.items()},
        "configs": {task: {"metadata": {"data": REPO, "preset": None}} for task in scores},
        "n-shot": dict.fromkeys(scores, 0),
        "n-samples": {task: {"original": 40, "effective": 40} for task in scores},
        "date": 1767312000.0,
        "model_name": "somebody/model",
        "lm_eval_version": "0.4.13",
        **changes,
    }
    path = folder / "somebody__model" / f"results_{date}T03-04-05.000000.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(run), encoding="utf-8")
    return folder


def test_the_hubs_client_reads_the_scores_of_tasks_that_need_no_training(cli, tmp_path):
    scores = {
        "bioreason_ctx_zeroshot": 0.5,
        "bioreason_comp_iid_openbook": 0.12345,
        "bioreason_comp_unanswerable": 0.75,
        "bioreason_comp_iid": 0.9,
        "bioreason_ctx_iid_direct": 0.9,
        "bioreason_ctx": 0.9,
        "bioreason_ctx_iid_chat": 0.25,
        "bioreason_ctx_iid": 0.9,
        "bioreason_comp_counterfactual_openbook": 0.9,
    }
    write(tmp_path / "OUT", {"bioreason_ctx_zeroshot": 0.1}, date="2026-01-01")
    write(tmp_path / "OUT", scores)
    printed = cli("stats", tmp_path / "OUT", "--eval-results", REPO).stdout
    entries = yaml.safe_load(printed)
    assert {entry["dataset"]["task_id"]: entry["value"] for entry in entries} == {
        "ctx_zeroshot": 50.0,
        "comp_iid_openbook": 12.35,
        "comp_unanswerable": 75.0,
        "ctx_iid": 25.0,
    }
    (tmp_path / "clone").mkdir()
    done = cli("stats", tmp_path / "OUT", "--eval-results", REPO, "--out", tmp_path / "clone")
    path = tmp_path / "clone" / ".eval_results" / "bioreason.yaml"
    assert done.stdout.strip() == str(path) and path.read_text(encoding="utf-8") == printed
    hub = pytest.importorskip("huggingface_hub", minversion="1.3")
    parsed = hub.parse_eval_result_entries(entries)
    assert [entry.date for entry in parsed] == ["2026-01-02"] * 4
    assert {entry.dataset_id for entry in parsed} == {REPO}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"n-samples": {"bioreason_ctx_iid": {"original": 40, "effective": 4}}},
            "4 of 40 questions; evaluate without --limit",
        ),
        (
            {"configs": {"bioreason_ctx_iid": {"metadata": {"preset": "tiny", "seed": 7}}}},
            "preset tiny, seed 7, which is not the world of org/bioreason",
        ),
        ({"results": {"bioreason_mem_iid": {"exact_match,none": 1.0}}}, "holds no results of ctx"),
    ],
)
def test_scores_that_cannot_be_compared_are_refused(cli, tmp_path, changes, message):
    write(tmp_path, {"bioreason_ctx_iid": 1.0}, **changes)
    done = cli("stats", tmp_path, "--eval-results", REPO)
    assert done.exit_code == 2 and message in done.stderr


def test_results_of_two_models_are_not_mixed(cli, tmp_path):
    write(tmp_path / "one", {"bioreason_ctx_iid": 1.0})
    write(tmp_path / "two", {"bioreason_ctx_zeroshot": 1.0}, model_name="other/model")
    done = cli("stats", tmp_path, "--eval-results", REPO)
    assert (
        done.exit_code == 2 and "results of 2 models (other/model, somebody/model)" in done.stderr
    )
