"""Fixtures for all tests: worlds and releases are made once, by the code that users run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import bioreason_bench
from bioreason_bench.errors import BUG

CHECKOUT = Path(__file__).resolve().parent.parent


def pytest_report_header() -> str:
    folder = Path(bioreason_bench.__file__).parent
    return f"bioreason_bench {bioreason_bench.__version__} from {folder}"


@pytest.fixture(scope="session")
def tiny_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of preset tiny, seed 42, shared by all tests: never write into it."""
    from bioreason_bench.build import generate
    from bioreason_bench.config import load_preset

    folder = tmp_path_factory.mktemp("releases") / "tiny"
    generate(load_preset("tiny"), folder, workers=2)
    return folder


@pytest.fixture(scope="session")
def nano_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of preset nano with fewer questions, shared by all tests: never write into it."""
    from bioreason_bench.build import generate
    from bioreason_bench.config import load_preset

    few = {"mem.train": "600", "ctx.train": "600", "comp.train": "1200", "comp.rl": "100"}
    folder = tmp_path_factory.mktemp("releases") / "nano"
    generate(load_preset("nano").override(few), folder, workers=2)
    return folder


@pytest.fixture(scope="session")
def long_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release whose contexts have 4,000 or 8,000 tokens: never write into it."""
    from bioreason_bench.build import generate
    from bioreason_bench.config import load_preset

    settings = {
        "context_tokens": "4k,8k",
        "known": "240",
        "novel": "120",
        "levels": '["iid", "zeroshot"]',
        "mem.train": "150",
        "ctx.train": "200",
        "comp.train": "300",
        "comp.rl": "30",
    }
    folder = tmp_path_factory.mktemp("releases") / "long"
    generate(load_preset("tiny").override(settings), folder, workers=2)
    return folder


@pytest.fixture(scope="session")
def tiny_world():
    """The world of preset tiny, seed 42: people, facts and relation table."""
    from bioreason_bench.config import load_preset
    from bioreason_bench.world.facts import make_world

    return make_world(load_preset("tiny"))


@pytest.fixture
def cli() -> Callable[..., Result]:
    """`cli("show", folder)` runs a command in this process; a traceback is raised."""
    from bioreason_bench.commands.main import main

    def run(*args: object, **more: object) -> Result:
        result = CliRunner().invoke(main, [str(arg) for arg in args], **more)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code != BUG, result.stderr
        return result

    return run


@pytest.fixture
def bioreason() -> Callable[..., subprocess.CompletedProcess]:
    """`bioreason("show", folder, env={...})` runs the installed command in a process of its own."""

    def run(
        *args: object, env: dict[str, str] | None = None, **more: object
    ) -> subprocess.CompletedProcess:
        words = [sys.executable, "-m", "bioreason_bench", *(str(arg) for arg in args)]
        return subprocess.run(
            words,
            capture_output=True,
            text=True,
            env={**os.environ, **(env or {})},
            timeout=300,
            **more,
        )

    return run
