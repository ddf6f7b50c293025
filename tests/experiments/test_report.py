"""The report: every arm and world on one page that needs nothing else."""

from __future__ import annotations

import json
import re

import pytest
from made_study import CHANCES, write_study

from bioreason_bench.experiments.evidence import Evidence, read_evidence
from bioreason_bench.experiments.report import make_blocks, make_report
from bioreason_bench.experiments.report.pages import Table, as_markdown
from bioreason_bench.experiments.report.sections import gate
from bioreason_bench.resources import folder

COMMITTED = sorted((folder("cards") / "results").glob("*/verdicts.parquet"))
A_NUMBER = re.compile(r"[+-]?[\d,]+(\.\d+)?")
TWO_NUMBERS = re.compile(r"\d\s*[(\[±]|[(\[]\s*(n\s*=)?\s*\d")


def silent(_: str) -> None:
    pass


def test_the_page_holds_every_arm_and_its_pictures_in_one_file(page):
    text, markdown = page.read_text(), page.with_name("report.md").read_text()
    assert not re.search(r'(src|href)="(?!data:)', text)
    for arm in CHANCES:
        assert text.count(f"<td>{arm}</td>") >= 4
        assert f"| {arm} |" in markdown
    assert "bioreason-baseline reproduce" in text
    assert "| 18.0 |" in markdown, "the paper's zeroshot next to ours"
    for name in ("levels", "claims", "patterns", "errors", "passk", "curves"):
        assert page.with_name(f"{name}.png").stat().st_size > 5000
        assert page.with_name(f"{name}.svg").is_file()
    assert markdown.count("![") == text.count("<img ")


def test_the_claims_of_the_study_stand_first_and_each_has_its_test(page):
    markdown = page.with_name("report.md").read_text()
    findings = markdown.split("## Findings")[1].split("##")[0]
    ahead, against_control, fall = findings.strip().split("\n")[:3]
    assert "“reward adds to mastered skills”" in ahead and ": ahead (" in ahead
    assert "`sft_mem_ctx+grpo` against `sft_mem_ctx+gold`" in against_control
    assert "undecided (" in against_control or "equivalent" in against_control
    assert "comp_zeroshot against comp_iid: behind" in fall
    assert all("5 worlds" in claim for claim in (ahead, against_control, fall))
    assert "| – | – |" in findings, "questions of two test sets are not paired"


def test_what_was_overstated_is_said_no_more(page):
    text = page.with_name("report.md").read_text()
    for words in (
        "Memorisation",
        "No bridge",
        "adds something of its own",
        "Amplification: less than",
    ):
        assert words not in text


def test_sweeps_get_a_panel_each_and_one_for_those_of_the_same_values(tmp_path):
    pytest.importorskip("matplotlib")
    arms = {
        f"{sweep}={value}": (value / 200,) * 3
        for sweep in ("few", "few+grpo")
        for value in (16, 8, 128)
    }
    root = write_study(tmp_path / "runs", arms, seeds=(1,))
    make_report([root], tmp_path / "out", log=silent)
    markdown = (tmp_path / "out" / "report.md").read_text()
    positions = [
        markdown.index(f"| {sweep}={value} |")
        for sweep in ("few", "few+grpo")
        for value in (8, 16, 128)
    ]
    assert positions == sorted(positions)
    picture = (tmp_path / "out" / "sweep.svg").read_text()
    assert picture.count("<!-- few+grpo -->") == 2, "its panel, and a line in the common one"


@pytest.mark.parametrize(("right", "told"), [(0.62, False), (0.9, True)])
def test_the_gate_tells_of_models_that_go_on_after_the_fact_that_is_asked_for(right, told):
    about = {"type": "result", "arm": "a", "seed": 1, "stage": 1, "questions": 100}
    probes = {
        "config": "probes",
        "exact_match": 0.6,
        "process_verified": 0.6,
        "hop_accuracy": right,
    }
    gated = {"questions": 40, "exact_match": 0.5, "process_verified": 0.5}
    level = {"config": "comp_iid", "exact_match": 0.3, "process_verified": 0.3, "gated": gated}
    run = {"type": "run", "arm": "a", "seed": 1, "recipe": {}}
    world = {"world": {"preset": "nano", "seed": 43}}
    _, table, *notes = gate(Evidence([run | world, about | probes, about | level]))
    assert isinstance(table, Table)
    assert table.rows == [["a", "60.0", f"{100 * right:.1f}", "50.0", "40"]]
    assert any("goes on to another" in note for note in notes) == told


def test_runs_of_other_machines_and_precisions_are_named(tmp_path):
    root = write_study(tmp_path, {"one": (0.5,) * 3, "two": (0.5,) * 3}, seeds=(1,))
    run = next(root.glob("*/two/run.json"))
    about = json.loads(run.read_text())
    about["machine"]["precision"] = "float32"
    run.write_text(json.dumps(about))
    page = as_markdown(make_blocks(read_evidence([root]), {}))
    assert page.count("torch 2; x, 1 thread(s) a run.") == 1
    assert page.count("torch 2; x, 1 thread(s) a run, float32.") == 1


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.parent.name)
def test_committed_reports_are_what_the_code_makes_of_the_committed_files(path):
    report = path.with_name("report.md")
    pictures = {picture.stem: picture.name for picture in path.parent.glob("*.png")}
    blocks = make_blocks(read_evidence([path.parent]), pictures)
    assert as_markdown(blocks) == report.read_text(encoding="utf-8")


def test_each_number_is_alone_in_its_cell(study):
    tables = [
        block for block in make_blocks(read_evidence([study]), {}) if isinstance(block, Table)
    ]
    assert len(tables) >= 15
    for table in tables:
        for row in [table.head, *table.rows]:
            assert len(row) == len(table.head)
            for cell in row:
                assert A_NUMBER.fullmatch(cell) or not TWO_NUMBERS.search(cell), cell
