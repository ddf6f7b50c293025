"""Small releases of scan and cogs. Read them, never write into them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bioreason_bench.build import generate
from bioreason_bench.family import load_settings


@pytest.fixture(scope="session")
def scan_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scan") / "scan"
    sizes = {"longest": "12", "rl": "30", "iid": "30", "train": "500"}
    generate(load_settings("scan_tiny", 3).override(sizes), folder, workers=1)
    return folder


@pytest.fixture(scope="session")
def cogs_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cogs") / "cogs"
    sizes = {"train": "1500", "per_kind": "3", "iid": "20", "rl": "20"}
    generate(load_settings("cogs_tiny", 3).override(sizes), folder, workers=1)
    return folder
