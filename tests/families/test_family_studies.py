"""`reproduce --family`: the studies of other families, on a small release."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("trl")
pytest.importorskip("matplotlib")

from bioreason_bench.commands.baseline import main
from bioreason_bench.experiments.jobs import arms_of
from bioreason_bench.experiments.studies import load_study


@pytest.mark.parametrize("family", ["strings", "scan", "cogs"])
def test_a_family_study_begins_with_one_sft_and_states_its_claims(family: str) -> None:
    study = load_study(family)
    recipes = [arm.load() for arm in arms_of(study, [study.preset, family])]
    assert study.preset == family and study.worlds >= 3
    assert all(recipe.stages[0] == recipes[0].stages[0] for recipe in recipes)
    kinds = [recipe.stages[-1].kind for recipe in recipes]
    assert kinds.count("grpo") == 6 and kinds.count("sft") == 2
    steps = {recipe.stages[-1].steps for recipe in recipes[1:]}
    assert len(steps) == 1, "the control has as many steps as GRPO"
    assert all(claim["config"].startswith(f"{family}_") for claim in study.claims)


@pytest.mark.slow
def test_reproduce_runs_arms_of_a_family_and_reports_its_levels(
    scan_release: Path, tmp_path: Path
) -> None:
    argv = ["reproduce", "--family", "scan", "--data", str(scan_release), "--workers", "1"]
    for arm in ("sft", "sft+grpo_process"):
        argv += ["--arm", arm]
    for setting in ("model.from_scratch.hidden_size=32", "sft.steps=3", "grpo.steps=2"):
        argv += ["--set", setting]
    for setting in ("sft.batch={scan: 8}", "grpo.batch={scan: 2}", "grpo.max_completion=24"):
        argv += ["--set", setting]
    argv += ["--set", "grpo.prompts.scan_rl_disjoint.rows=2", "--set", "evaluate.limit=4"]
    done = CliRunner().invoke(main, [*argv, "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "scan answers (chains): iid" in done.stderr
    lines = (tmp_path / "out" / "results.jsonl").read_text(encoding="utf-8").splitlines()
    study, *_ = map(json.loads, lines)
    assert study["type"] == "study" and study["name"] == "scan"
    page = (tmp_path / "out" / "report" / "report.md").read_text(encoding="utf-8")
    assert "## scan by level" in page and "| sft+grpo_process |" in page
    assert "Smoke run" in page
    both = CliRunner().invoke(main, [*argv, "--study", "main"])
    assert both.exit_code == 2 and "--study and --family both say what is run" in both.stderr
