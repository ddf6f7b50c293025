"""Reading, tabulating and drawing what the harness wrote."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("lm_eval")

from eval_models import Oracle
from lm_eval import simple_evaluate
from lm_eval.loggers import EvaluationTracker
from lm_eval.tasks import TaskManager

from bioreason_bench import resources
from bioreason_bench.config import LEVELS
from bioreason_bench.errors import ReleaseError, UsageError
from bioreason_bench.evaluation.results import (
    by,
    first_errors,
    gated,
    has_results,
    read_results,
    render,
    summarise,
)

TASKS = [
    "bioreason_comp",
    "bioreason_mem_zeroshot",
    "bioreason_comp_probes",
    "bioreason_comp_iid_direct",
    "bioreason_comp_zeroshot_passk",
]
TASKS += ["bioreason_comp_counterfactual", "bioreason_comp_conflict", "bioreason_mem_direction"]


@pytest.fixture(scope="module")
def run(tiny_release, tmp_path_factory):
    """The folder of a run of two models, as `lm_eval --output_path --log_samples` leaves it, and the harness's own results."""
    out, results = tmp_path_factory.mktemp("run"), {}
    for name, slips in (("steady", 0.0), ("slipping", 0.2)):
        data = {"data": str(tiny_release), "samples": 8}
        tasks = TaskManager(
            include_path=str(resources.folder("tasks")), include_defaults=False, metadata=data
        )
        found = simple_evaluate(
            model=Oracle(tiny_release, slips), tasks=TASKS, task_manager=tasks, bootstrap_iters=0
        )
        tracker = EvaluationTracker(output_path=str(out))
        tracker.general_config_tracker.model_name = (
            tracker.general_config_tracker.model_name_sanitized
        ) = name
        samples = found.pop("samples")
        tracker.save_results_aggregated(results=found, samples=samples)
        for task in found["configs"]:
            tracker.save_results_samples(task_name=task, samples=samples[task])
        results[name] = found["results"]
    return out, results


@pytest.fixture(scope="module")
def answers(run):
    return read_results(run[0])


def test_what_is_read_is_what_the_harness_reported(run, answers):
    for model, results in run[1].items():
        for task, scores in results.items():
            if not scores.get("sample_len") or task not in set(answers["task"]):
                continue
            part = answers[(answers["model"] == model) & (answers["task"] == task)]
            assert len(part) == scores["sample_len"]
            for metric in ("exact_match", "process_verified", "hop_accuracy", "format_rate"):
                if f"{metric},none" in scores:
                    assert part[metric].mean() == pytest.approx(scores[f"{metric},none"])
            if "pass@1,none" in scores:
                assert (part["right"] / part["samples"]).mean() == pytest.approx(
                    scores["pass@1,none"]
                )


def test_breakdowns_add_up_to_the_whole(answers):
    part = answers[
        (answers["model"] == "slipping") & (answers["variant"] == "") & (answers["skill"] == "comp")
    ]
    for keys in (("level",), ("hops",), ("pattern",), ("unseen_group",), ("level", "hops")):
        records = by(part, *keys)
        assert sum(record["questions"] for record in records) == len(part)
        right = sum(record["value"] * record["questions"] for record in records)
        assert right == pytest.approx(part["exact_match"].sum(), abs=0.01)
        assert all(
            record["low"] is None or record["low"] <= record["value"] <= record["high"]
            for record in records
        )
    assert [record["level"] for record in by(part, "level")] == [
        *LEVELS,
        "counterfactual",
        "conflict",
    ]


def test_zero_shot_questions_are_told_apart_by_the_group_of_what_was_unseen(answers):
    zeroshot = answers[(answers["level"] == "zeroshot") & (answers["variant"] != "probes")]
    groups = {record["unseen_group"] for record in by(zeroshot, "unseen_group")}
    assert groups and groups <= {"parametric", "contextual", "both"}
    assert set(answers[answers["level"] == "iid"]["unseen_group"]) == {"none"}


def test_first_errors_are_shares_that_sum_to_one(answers):
    found = first_errors(answers[(answers["model"] == "slipping") & (answers["variant"] == "")])
    assert set(found) == {"hop", "half", "group", "kind"}
    assert all(sum(shares.values()) == pytest.approx(1, abs=1e-3) for shares in found.values())
    assert first_errors(answers[answers["model"] == "steady"]) == {}


def test_the_gate_lets_pass_whom_the_probes_clear(answers):
    for model, full in (("steady", True), ("slipping", False)):
        own = answers[answers["model"] == model]
        questions = own[(own["variant"] == "") & (own["task"] == "bioreason_comp_zeroshot")]
        found, share = gated(questions, own[own["task"] == "bioreason_comp_zeroshot_probes"])
        assert (share == 1.0) == full and (found.value == 1.0) == full
        assert found.questions == pytest.approx(share * len(questions))
    assert gated(questions, own[own["task"] == "bioreason_comp_iid_probes"]) == (None, None)


def test_the_summary_is_plain_and_reads_as_text(answers):
    records = summarise(answers)
    assert json.loads(json.dumps(records)) == records
    by_task = {
        (record["model"], record["skill"], record["level"], record["variant"]): record
        for record in records
    }
    assert len(by_task) == len(records) == 2 * (5 + 1 + 5 + 1 + 1 + 3)
    steady = by_task["steady", "comp", "zeroshot", ""]
    assert steady["exact_match"]["value"] == steady["process_verified"]["value"] == 1.0
    assert steady["gated"]["value"] == steady["gated"]["share"] == 1.0
    curve = by_task["slipping", "comp", "zeroshot", "passk"]["pass"]
    assert list(curve) == ["1", "2", "4", "8"] and curve["8"]["value"] > curve["1"]["value"]
    text = render(records)
    twins = by_task["slipping", "comp", "counterfactual", ""]
    assert twins["pair_accuracy"]["value"] < twins["exact_match"]["value"] < 1
    assert twins["pair_accuracy"]["questions"] * 2 == twins["questions"]
    assert {record["altered"] for record in twins["by"]["altered"]} == {False, True}
    assert by_task["steady", "comp", "conflict", ""]["follows_context"]["value"] == 0.0
    assert {
        record["direction_seen"]
        for record in by_task["steady", "mem", "direction", ""]["by"]["direction_seen"]
    } == {False, True}
    assert "comp_zeroshot_passk" in text and "by unseen group" in text and "first error" in text


def test_the_latest_of_several_runs_counts(run, tmp_path):
    (old,) = (run[0] / "steady").glob("samples_bioreason_comp_iid_2*.jsonl")
    folder = tmp_path / "model"
    folder.mkdir()
    sample = json.loads(old.read_text().splitlines()[0])
    for date, right in (
        ("2026-01-02T00-00-00.000001", 0.0),
        ("2026-01-03T00-00-00.000001", 1.0),
        ("2025-01-01T00-00-00.000001", 0.0),
    ):
        (folder / f"samples_bioreason_comp_iid_{date}.jsonl").write_text(
            json.dumps(sample | {"exact_match": right}) + "\n"
        )
    assert read_results(tmp_path)["exact_match"].tolist() == [1.0]
    assert set(read_results(tmp_path)["model"]) == {"model"}


def test_folders_without_answers_and_broken_logs_get_one_sentence(tmp_path):
    assert not has_results(tmp_path)
    with pytest.raises(UsageError, match="there is no folder"):
        read_results(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="holds no answers"):
        read_results(tmp_path)
    (tmp_path / "samples_bioreason_comp_iid_2026-01-01T00-00-00.000001.jsonl").write_text(
        '{"doc": {}}\n'
    )
    with pytest.raises(ReleaseError, match="line 1: not an answer"):
        read_results(tmp_path)


def test_plot_draws_what_the_answers_allow_beside_the_solvers(run, cli, tmp_path):
    pytest.importorskip("matplotlib")
    oracle, shortcut = (
        {"score": 1.0, "chance": 1.0, "shortcut": False},
        {"score": 0.3, "chance": 0.25, "shortcut": True},
    )
    audit = tmp_path / "audit.json"
    audit.write_text(
        json.dumps({"solvers": {"comp_zeroshot": {"oracle": oracle, "last_relation": shortcut}}})
    )
    done = cli("plot", run[0], "--to", tmp_path / "plots", "--audit", audit)
    assert done.exit_code == 0
    pictures = ("levels", "hops", "patterns", "passk", "levels_probes", "levels_direct")
    names = {f"{name}.{kind}" for name in pictures for kind in ("png", "svg")}
    made = {path.name for path in (tmp_path / "plots").iterdir()}
    assert names <= made and len(done.stdout.splitlines()) == len(made)
    assert all((tmp_path / "plots" / name).stat().st_size > 4000 for name in made)
    assert "<!-- best shortcut -->" in (tmp_path / "plots" / "levels.svg").read_text()
    again = tmp_path / "again"
    assert cli("plot", run[0], "--to", again, "--audit", audit, "-q").stdout == ""
    assert (again / "levels.svg").read_bytes() == (tmp_path / "plots" / "levels.svg").read_bytes()


def test_the_solvers_of_the_release_that_was_asked_stand_beside_its_answers(
    answers, tiny_release, tmp_path
):
    from bioreason_bench.evaluation.plots import lines_of

    assert lines_of(answers) is None, "the release has no audit"
    assert (
        lines_of(answers.assign(source="preset v1, seed 42"))["comp_zeroshot"]["oracle"]["score"]
        == 1.0
    )
    (tmp_path / "audit.json").write_text('{"solvers": {"comp_iid": {}}}')
    assert lines_of(answers.assign(source=str(tmp_path))) == {"comp_iid": {}}
    assert (
        lines_of(
            answers.assign(source=[str(tmp_path)] + ["preset v1, seed 42"] * (len(answers) - 1))
        )
        is None
    )


def test_plot_says_what_is_missing(run, cli, tmp_path):
    assert cli("plot", tmp_path).exit_code == 2
    done = cli("plot", run[0], "--to", tmp_path, "--audit", tmp_path)
    assert done.exit_code == 2 and "bioreason verify" in done.stderr
    (tmp_path / "audit.json").write_text("{}")
    assert cli("plot", run[0], "--to", tmp_path, "--audit", tmp_path).exit_code == 1
