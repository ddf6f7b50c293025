"""A release with a dozen questions of each kind, and a copy of it to corrupt."""

from __future__ import annotations

from pathlib import Path

import pytest
from broken_release import ReleaseCopy

from bioreason_bench.build import generate
from bioreason_bench.config import load_preset
from bioreason_bench.taxonomy import LEVELS, SKILLS

SIZES = {f"{skill}.{level}": "12" for skill in SKILLS for level in LEVELS}
SIZES |= {"mem.train": "150", "ctx.train": "150", "comp.train": "220", "comp.rl": "30"}
SIZES |= {"mem.paths": "60", "ctx.paths": "60", "comp.paths": "80"}


@pytest.fixture(scope="session")
def dozen_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the release. Read it, never write into it."""
    folder = tmp_path_factory.mktemp("audit") / "dozen"
    generate(load_preset("tiny").override(SIZES), folder, workers=1)
    return folder


@pytest.fixture
def copy(dozen_release: Path, tmp_path: Path) -> ReleaseCopy:
    return ReleaseCopy(dozen_release, tmp_path / "copy")
