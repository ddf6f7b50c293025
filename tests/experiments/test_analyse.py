"""Diagnostics: principal axes of hidden states."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
from bioreason_bench.experiments.analyse import draw_states, principal_axes


def test_points_on_a_line_have_one_principal_axis():
    steps = np.arange(5.0)
    points, shares = principal_axes(np.stack([steps, 2 * steps, -steps], axis=1))
    assert shares == pytest.approx([1.0, 0.0])
    gaps = np.diff(points[:, 0])
    assert np.allclose(np.abs(gaps), 6**0.5) and np.allclose(gaps, gaps[0])
    assert np.allclose(points[:, 1], 0.0)


def test_states_that_are_all_the_same_have_no_variance():
    points, shares = principal_axes(np.ones((4, 3)))
    assert not points.any() and not shares.any()


def test_the_picture_shows_each_skill(tmp_path):
    pytest.importorskip("matplotlib")
    states = {f"{skill}_iid": np.random.default_rng(0).random((6, 4)) for skill in ("mem", "ctx")}
    draw_states(states, tmp_path / "pictures" / "hidden-1")
    assert (tmp_path / "pictures" / "hidden-1.png").stat().st_size > 5000
    svg = (tmp_path / "pictures" / "hidden-1.svg").read_text()
    assert "<!-- mem_iid -->" in svg and "<!-- ctx_iid -->" in svg
