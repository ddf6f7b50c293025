"""The report: every arm and seed on one page that needs nothing else."""

from __future__ import annotations

import re

import pytest
from result_lines import NUMBERS, make_lines, result_line, run_line, write_lines

from bioreason_bench.experiments.pages import Table, as_markdown
from bioreason_bench.experiments.report import make_blocks, make_report
from bioreason_bench.experiments.results import Results, read_lines
from bioreason_bench.resources import folder

COMMITTED = sorted((folder("cards") / "results").glob("*.jsonl"))
A_NUMBER = re.compile(r"[+-]?[\d,]+(\.\d+)?")
TWO_NUMBERS = re.compile(r"\d\s*[(\[±]|[(\[]\s*(n\s*=)?\s*\d")


def silent(_: str) -> None:
    pass


def test_the_page_holds_every_arm_and_seed_and_its_pictures_in_one_file(tmp_path):
    pytest.importorskip("matplotlib")
    source = write_lines(tmp_path / "results.jsonl", make_lines())
    page = make_report([source], tmp_path / "out", log=silent)
    text, markdown = page.read_text(), (tmp_path / "out" / "report.md").read_text()
    assert not re.search(r'(src|href)="(?!data:)', text)
    for arm in NUMBERS:
        assert text.count(f"<td>{arm}</td>") >= 4
        assert f"| {arm} |" in markdown
    assert "Memorisation trap" in text
    assert "bioreason-baseline reproduce" in text
    assert "| 18.0 |" in markdown, "the paper's zeroshot next to ours"
    for name in ("levels", "gain", "patterns", "errors", "passk", "curves"):
        assert (tmp_path / "out" / f"{name}.png").stat().st_size > 5000
        assert (tmp_path / "out" / f"{name}.svg").is_file()
    assert markdown.count("![") == text.count("<img ")


def test_sweeps_get_a_panel_each_and_one_for_those_of_the_same_values(tmp_path):
    pytest.importorskip("matplotlib")
    lines = []
    for sweep in ("few_shot", "few_shot_grpo"):
        for value in (16, 8, 128):
            arm = f"{sweep}={value}"
            lines.append(run_line(arm, 1))
            lines += [
                result_line(arm, 1, f"comp_{level}", value / 200, value / 200)
                for level in ("iid", "composition", "zeroshot")
            ]
    source = write_lines(tmp_path / "results.jsonl", lines)
    make_report([source], tmp_path / "out", log=silent)
    markdown = (tmp_path / "out" / "report.md").read_text()
    positions = [
        markdown.index(f"| {sweep}={value} |")
        for sweep in ("few_shot", "few_shot_grpo")
        for value in (8, 16, 128)
    ]
    assert positions == sorted(positions)
    picture = (tmp_path / "out" / "sweep.svg").read_text()
    assert picture.count("<!-- few_shot_grpo -->") == 2, "its panel, and a line in the common one"


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_committed_reports_are_what_the_code_makes_of_the_committed_lines(path):
    report = path.with_suffix("") / "report.md"
    pictures = {picture.stem: picture.name for picture in report.parent.glob("*.png")}
    blocks = make_blocks(Results(read_lines([path])), pictures)
    assert as_markdown(blocks) == report.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_each_number_is_alone_in_its_cell(path):
    tables = [
        block for block in make_blocks(Results(read_lines([path])), {}) if isinstance(block, Table)
    ]
    assert len(tables) >= 8
    for table in tables:
        for row in [table.head, *table.rows]:
            assert len(row) == len(table.head)
            for cell in row:
                assert A_NUMBER.fullmatch(cell) or not TWO_NUMBERS.search(cell), cell
