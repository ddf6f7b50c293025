"""Answers by the length of the context and the depth of what is needed, from a real run."""

from __future__ import annotations

import pytest

pytest.importorskip("lm_eval")

from eval_models import Skimmer
from lm_eval import simple_evaluate
from lm_eval.loggers import EvaluationTracker
from lm_eval.tasks import TaskManager

from bioreason_bench import resources
from bioreason_bench.evaluation.answers import answer_problem, question_columns
from bioreason_bench.evaluation.depths import at_depths, at_lengths, has_long_contexts
from bioreason_bench.evaluation.results import read_results
from bioreason_bench.evaluation.summary import by, estimate, summarise
from bioreason_bench.release.read import Release

TASKS = ["bioreason_ctx_iid", "bioreason_comp_iid", "bioreason_mem_iid"]


@pytest.fixture(scope="module")
def out(long_release, tmp_path_factory):
    """The --output_path of a model that overlooks the end of a context, the more the longer."""
    folder = tmp_path_factory.mktemp("long") / "skimmer"
    tasks = TaskManager(
        include_path=str(resources.folder("tasks")),
        include_defaults=False,
        metadata={"data": str(long_release)},
    )
    evaluated = simple_evaluate(
        model=Skimmer(long_release, 10_000), tasks=TASKS, task_manager=tasks, bootstrap_iters=0
    )
    tracker, samples = EvaluationTracker(output_path=str(folder)), evaluated.pop("samples")
    tracker.general_config_tracker.model_name = (
        tracker.general_config_tracker.model_name_sanitized
    ) = "skimmer"
    tracker.save_results_aggregated(results=evaluated, samples=samples)
    for task in evaluated["configs"]:
        tracker.save_results_samples(task_name=task, samples=samples[task])
    return folder


def test_the_depth_of_a_question_is_that_of_the_lines_it_needs(long_release):
    for row in Release(long_release).rows("comp_iid", "test"):
        columns = question_columns(row)
        lines = row["context"].split("\n")
        needed = [
            lines[int(depth * len(lines))].split("'")[0] for depth in columns["depths"]
        ]  # the line begins with, or at least names, the person
        read = [
            name for name, hop in zip(row["entities"], row["pattern"], strict=False) if hop == "C"
        ]
        assert len(needed) == len(read)
        for name, depth in zip(read, columns["depths"], strict=True):
            assert name in lines[int(depth * len(lines))]
        assert answer_problem(columns) == ""


def test_depths_from_outside_are_checked():
    assert "depths" in answer_problem({"depths": [1.5]})
    assert "context_tokens" in answer_problem({"context_tokens": -1})


def test_a_model_that_skims_is_seen_to(out):
    answers = [answer for answer in read_results(out) if answer["skill"] != "mem"]
    at = {row["depth"]: row["value"] for row in by(at_depths(answers), "depth")}
    assert list(at) == [0, 1, 2, 3, 4]
    assert at[0] > at[4] + 0.2
    lengths = {row["length"]: row["value"] for row in by(at_lengths(answers), "length")}
    assert lengths[4000] > lengths[8000] + 0.1
    assert len(at_lengths(answers)) == len(answers)


def test_stats_and_plot_show_lengths_and_depths(out, cli, tmp_path):
    pytest.importorskip("matplotlib")
    text = cli("stats", out).stdout
    assert "by length of the context in tokens, and depth" in text
    assert "any depth" in text and "80-100 %" in text
    records = summarise(read_results(out))
    assert [row["length"] for row in records[0].get("by_length", [])] in ([], [4000, 8000])
    assert "by_length" not in next(one for one in records if one["skill"] == "mem")
    assert cli("plot", out, "--to", tmp_path).exit_code == 0
    picture = (tmp_path / "depths.svg").read_text(encoding="utf-8")
    score = estimate(
        [a for a in at_lengths(read_results(out)) if a["length"] == 4000 and a["skill"] == "ctx"]
    )
    assert f"<!-- {100 * score.value:.0f} -->" in picture and "<!-- 8k -->" in picture


def test_short_contexts_have_no_such_table():
    short = {"context_tokens": 600, "depths": [0.5]}
    assert not has_long_contexts([short, {}])
