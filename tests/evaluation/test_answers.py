"""Reading, summarising and drawing the answers that a run logged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("lm_eval")

from eval_models import Oracle
from lm_eval import simple_evaluate
from lm_eval.loggers import EvaluationTracker
from lm_eval.tasks import TaskManager

from bioreason_bench import resources
from bioreason_bench.errors import ReleaseError, UsageError
from bioreason_bench.evaluation.answers import METRICS, select
from bioreason_bench.evaluation.results import has_results, read_results, read_verdicts
from bioreason_bench.evaluation.summary import (
    by,
    first_errors,
    gated,
    pairs,
    summarise,
    summary_line,
)
from bioreason_bench.evaluation.text import render
from bioreason_bench.grading import grade
from bioreason_bench.taxonomy import LEVELS

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
    """The folder of `lm_eval --output_path --log_samples` for two models, and its own results."""
    out, results = tmp_path_factory.mktemp("run"), {}
    for name, slips in (("steady", 0.0), ("slipping", 0.2)):
        data = {"data": str(tiny_release), "samples": 8}
        tasks = TaskManager(
            include_path=str(resources.folder("tasks")), include_defaults=False, metadata=data
        )
        evaluated = simple_evaluate(
            model=Oracle(tiny_release, slips), tasks=TASKS, task_manager=tasks, bootstrap_iters=0
        )
        tracker = EvaluationTracker(output_path=str(out))
        tracker.general_config_tracker.model_name = (
            tracker.general_config_tracker.model_name_sanitized
        ) = name
        samples = evaluated.pop("samples")
        tracker.save_results_aggregated(results=evaluated, samples=samples)
        for task in evaluated["configs"]:
            tracker.save_results_samples(task_name=task, samples=samples[task])
        results[name] = evaluated["results"]
    return out, results


@pytest.fixture(scope="module")
def answers(run):
    return read_results(run[0])


def mean(answers, metric: str) -> float:
    return sum(answer[metric] for answer in answers) / len(answers)


def test_what_is_read_is_what_the_harness_reported(run, answers):
    for model, results in run[1].items():
        for task, scores in results.items():
            part = select(answers, model=model, task=task)
            if not scores.get("sample_len") or not part:
                continue
            assert len(part) == scores["sample_len"]
            for metric in METRICS:
                if f"{metric},none" in scores:
                    assert mean(part, metric) == pytest.approx(scores[f"{metric},none"])
            if "pass@1,none" in scores:
                shares = sum(answer["right"] / answer["samples"] for answer in part)
                assert shares / len(part) == pytest.approx(scores["pass@1,none"])


def test_breakdowns_add_up_to_the_whole(answers):
    part = select(answers, model="slipping", variant="", skill="comp")
    for keys in (("level",), ("hops",), ("pattern",), ("unseen_group",), ("level", "hops")):
        records = by(part, *keys)
        assert sum(record["questions"] for record in records) == len(part)
        right = sum(record["value"] * record["questions"] for record in records)
        assert right == pytest.approx(sum(answer["exact_match"] for answer in part), abs=0.01)
        assert all(
            record["low"] is None or record["low"] <= record["value"] <= record["high"]
            for record in records
        )
    assert [record["level"] for record in by(part, "level")] == [
        *LEVELS,
        "counterfactual",
        "conflict",
    ]


def test_zero_shot_questions_have_the_group_of_their_unseen_relation(answers):
    zeroshot = select(answers, level="zeroshot", variant="")
    groups = {record["unseen_group"] for record in by(zeroshot, "unseen_group")}
    assert groups and groups <= {"parametric", "contextual", "both"}
    assert {answer["unseen_group"] for answer in select(answers, level="iid")} == {"none"}


def test_first_errors_are_shares_that_sum_to_one(answers):
    errors = first_errors(select(answers, model="slipping", variant=""))
    assert set(errors) == {"hop", "half", "group", "kind"}
    assert all(sum(shares.values()) == pytest.approx(1, abs=1e-3) for shares in errors.values())
    assert first_errors(select(answers, model="steady")) == {}


def test_the_gate_passes_questions_all_of_whose_probes_are_answered(answers):
    for model, full in (("steady", True), ("slipping", False)):
        questions = select(answers, model=model, task="bioreason_comp_zeroshot")
        probes = select(answers, model=model, task="bioreason_comp_zeroshot_probes")
        accuracy, share = gated(questions, probes)
        assert (share == 1.0) == full and (accuracy.value == 1.0) == full
        assert accuracy.questions == pytest.approx(share * len(questions))
        wrong = [{**probe, "exact_match": 0.0} for probe in probes]
        assert gated(questions, wrong) == (None, 0.0)
        others = select(answers, model=model, task="bioreason_comp_iid_probes")
        assert gated(questions, others) == (None, None)


def test_a_pair_is_right_if_both_of_its_questions_are():
    def answer(pair: str, right: float) -> dict:
        return {"pair": pair, "exact_match": right, "start": pair}

    answers = [answer("a", 1.0), answer("a", 1.0), answer("b", 1.0), answer("b", 0.0)]
    assert pairs(answers).value == 0.5
    assert pairs([*answers, answer("c", 0.0), answer("", 0.0), answer("", 0.0)]).value == 0.5
    assert pairs([answer("c", 1.0), answer("", 1.0)]) is None


def test_the_line_of_a_training_run_has_the_numbers_of_the_summary(answers):
    """Two shapes of one summary: nested for the harness, flat for results.jsonl."""
    records = {
        (record["model"], record["skill"], record["level"], record["variant"]): record
        for record in summarise(answers)
    }
    questions = select(answers, model="slipping", task="bioreason_comp_zeroshot")
    probes = select(answers, model="slipping", task="bioreason_comp_zeroshot_probes")
    record = records["slipping", "comp", "zeroshot", ""]
    line = summary_line(questions, probes)
    for metric in ("exact_match", "process_verified"):
        assert line[metric] == round(record[metric]["value"], 4)
        ends = [round(record[metric][end], 4) for end in ("low", "high")]
        assert line[f"{metric}_interval"] == pytest.approx(ends, abs=1e-4)
    assert line["hop_accuracy"] == round(record["hop_accuracy"]["value"], 4)
    assert line["format_ok"] == round(record["format_rate"]["value"], 4)
    assert line["gated"]["exact_match"] == round(record["gated"]["value"], 4)
    assert line["gated"]["questions"] == record["gated"]["questions"]
    for name, key in (("by_hops", "hops"), ("by_unseen", "unseen_group")):
        nested = {str(part[key]): round(part["value"], 4) for part in record["by"][key]}
        assert {value: part["exact_match"] for value, part in line[name].items()} == nested
    wrong = sum(answer["first_error"] is not None for answer in questions)
    assert sum(line["first_error"].values()) == wrong
    kinds = {kind: round(count / wrong, 4) for kind, count in line["error_kinds"].items()}
    assert kinds.items() >= record["first_errors"]["kind"].items()


def test_verdicts_have_the_columns_of_answers_also_those_of_0_1_0(answers, tmp_path):
    from bioreason_bench.training.measure import verdict_line

    question = {
        "id": "q",
        "entities": ["p1", "p2"],
        "path": ["boss"],
        "hops": 1,
        "pattern": "P",
        "unseen_relations": ["boss"],
        "question": "p1 boss ?",
        "context": "",
        "chain": "p1 boss p2 . So, the answer is: p2",
        "answer": "p2",
    }
    line = verdict_line(question, "p1 boss p3", grade("p1 boss p3", question))
    file = tmp_path / "mem_zeroshot.jsonl"
    file.write_text(json.dumps(line) + "\n")
    (verdict,) = read_verdicts(file)
    assert verdict == line
    assert set(verdict) - {"completion"} <= set(answers[0])
    former = {"unseen" if key == "unseen_group" else key: value for key, value in line.items()}
    former["format_ok"] = bool(former.pop("format_rate"))
    file.write_text(json.dumps(former) + "\n")
    assert read_verdicts(file) == [verdict]
    assert verdict["unseen_group"] == "parametric"
    file.write_text("[1]\n")
    with pytest.raises(ReleaseError, match="no verdicts"):
        read_verdicts(file)


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
    counterfactual = by_task["slipping", "comp", "counterfactual", ""]
    assert counterfactual["pair_accuracy"]["value"] < counterfactual["exact_match"]["value"] < 1
    assert counterfactual["pair_accuracy"]["questions"] * 2 == counterfactual["questions"]
    assert {record["altered"] for record in counterfactual["by"]["altered"]} == {False, True}
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
    (answer,) = read_results(tmp_path)
    assert (answer["exact_match"], answer["model"]) == (1.0, "model")


def test_folders_without_answers_and_broken_logs_are_refused(tmp_path):
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


def write_audit(folder: Path, solvers: dict) -> Path:
    """An audit.json with these scores of solvers."""
    audit = {
        "format": 1,
        "bioreason_bench": "0",
        "manifest": f"sha256:{0:064}",
        "ok": True,
        "sample": 0,
        "laws": {},
        "solvers": solvers,
    }
    (folder / "audit.json").write_text(json.dumps(audit), encoding="utf-8")
    return folder / "audit.json"


def test_plot_draws_what_the_answers_allow_with_the_solvers(run, cli, tmp_path):
    pytest.importorskip("matplotlib")
    common = {"questions": 9, "low": 0.0, "high": 1.0}
    oracle, shortcut = (
        {"score": 1.0, "chance": 1.0, "shortcut": False, **common},
        {"score": 0.3, "chance": 0.25, "shortcut": True, **common},
    )
    audit = write_audit(tmp_path, {"comp_zeroshot": {"oracle": oracle, "last_relation": shortcut}})
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


def test_answers_are_compared_with_the_solvers_of_their_own_release(answers, tmp_path):
    from bioreason_bench.evaluation.solver_scores import solver_scores_of

    assert solver_scores_of(answers) is None, "the release has no audit"
    official = {"source": "preset v1, seed 42"}
    assert solver_scores_of([official])["comp_zeroshot"]["oracle"]["score"] == 1.0
    write_audit(tmp_path, {"comp_iid": {}})
    own = {"source": str(tmp_path)}
    assert solver_scores_of([own]) == {"comp_iid": {}}
    assert solver_scores_of([own, official]) is None


def test_plot_names_what_is_missing(run, cli, tmp_path):
    assert cli("plot", tmp_path).exit_code == 2
    done = cli("plot", run[0], "--to", tmp_path, "--audit", tmp_path)
    assert done.exit_code == 2 and "bioreason verify" in done.stderr
    (tmp_path / "audit.json").write_text("{}")
    assert cli("plot", run[0], "--to", tmp_path, "--audit", tmp_path).exit_code == 1
