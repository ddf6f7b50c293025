"""The notebook docs/tour.ipynb runs as it stands, and prints what it shows."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("lm_eval")
pytest.importorskip("matplotlib")

CHECKOUT = Path(__file__).resolve().parents[2]
TOUR = CHECKOUT / "docs" / "tour.ipynb"
RUN = CHECKOUT / "scripts" / "run_notebook.py"


def run(notebook: Path, *options: str, folder: Path) -> subprocess.CompletedProcess:
    words = [sys.executable, RUN, notebook, *options]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=300)


def test_the_tour_prints_what_it_shows(tmp_path):
    done = run(TOUR, "--check", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]


def test_every_cell_has_been_run_and_one_shows_a_picture():
    cells = json.loads(TOUR.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    data = [output.get("data", {}) for cell in code for output in cell["outputs"]]
    assert sum("image/png" in one for one in data) == 1
    assert not re.search(r"/(?:tmp|home|work)/", json.dumps([cell["outputs"] for cell in code]))


def test_the_links_of_the_tour_lead_to_pages():
    cells = json.loads(TOUR.read_text(encoding="utf-8"))["cells"]
    text = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    links = re.findall(r"\]\((\w[\w./]*)\)", text)
    assert links
    assert [link for link in links if not (TOUR.parent / link).is_file()] == []


def test_a_cell_that_prints_something_else_is_found(tmp_path):
    """The runner stores what cells print, return and draw, and tells when that changes."""
    cell = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
    sources = ["x = 3\nprint('a')\nx + 1", "import os\nos.environ.get('TOUR', 'no')"]
    cells = [{**cell, "source": source.splitlines(keepends=True)} for source in sources]
    path = tmp_path / "small.ipynb"
    path.write_text(json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5}))
    assert run(path, "--check", folder=tmp_path).returncode == 1
    assert run(path, folder=tmp_path).returncode == 0
    assert run(path, "--check", folder=tmp_path).returncode == 0
    outputs = [cell["outputs"] for cell in json.loads(path.read_text())["cells"]]
    assert outputs[0][0]["text"] == "a\n"
    assert outputs[0][1]["data"] == {"text/plain": "4"}
    assert outputs[1][0]["data"] == {"text/plain": "'no'"}
    path.write_text(path.read_text().replace("x + 1", "x + 2"))
    done = run(path, "--check", folder=tmp_path)
    assert done.returncode == 1
    assert "cells [1] print something else" in done.stdout
