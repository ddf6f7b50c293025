"""Fixtures for all tests: worlds and releases are made once, by the code that users run."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import bioreason_bench
from bioreason_bench.errors import BUG

# a test finds the same every time; `make deep` draws anew
with contextlib.suppress(ImportError):  # the environments of RL libraries have no Hypothesis
    from hypothesis import settings

    settings.register_profile("same", derandomize=True)
    settings.load_profile("same")

CHECKOUT = Path(__file__).resolve().parent.parent


def pytest_report_header() -> str:
    folder = Path(bioreason_bench.__file__).parent
    return f"bioreason_bench {bioreason_bench.__version__} from {folder}"


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk() -> Iterator[None]:
    """Releases of tests need not survive a loss of power; programs that tests start still sync."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="session")
def tiny_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of preset tiny, seed 42, shared by all tests: never write into it."""
    from bioreason_bench.build import generate
    from bioreason_bench.config import load_preset

    folder = tmp_path_factory.mktemp("releases") / "tiny"
    generate(load_preset("tiny"), folder, workers=2)
    return folder


@pytest.fixture(scope="session")
def few_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release with one level and few questions, shared by all tests: never write into it."""
    from few import few

    from bioreason_bench.build import generate

    folder = tmp_path_factory.mktemp("releases") / "few"
    generate(few(), folder, workers=1)
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


@pytest.fixture(scope="module")
def planned_once() -> Iterator[None]:
    """Each world is planned once in a module: its tests are about what becomes of the rows."""
    from bioreason_bench.config import WorldConfig
    from bioreason_bench.dataset import Dataset, fit, make_dataset

    made: list[tuple[WorldConfig, Dataset]] = []

    def find_or_make(config: WorldConfig) -> Dataset:
        found = next((dataset for known, dataset in made if known == config), None)
        if found is None:
            made.append((config, found := make_dataset(config)))
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "make_dataset", find_or_make)
        yield


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
