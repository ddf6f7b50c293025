"""The examples in docstrings are correct."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import bioreason_bench

PACKAGE = Path(bioreason_bench.__file__).resolve().parent
WITH_EXAMPLES = sorted(
    ".".join(("bioreason_bench", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(
        ".__init__"
    )
    for path in PACKAGE.rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_of_a_module_run_as_shown(name):
    try:
        module = importlib.import_module(name)
    except ImportError as error:  # a module that needs an extra
        pytest.skip(str(error))
    result = doctest.testmod(module)
    assert result.failed == 0
    assert result.attempted > 0


def test_core_modules_have_examples():
    """Guards the search above: a search that finds nothing would pass."""
    assert {
        "bioreason_bench.draw",
        "bioreason_bench.errors",
        "bioreason_bench.language.reader",
        "bioreason_bench.schema",
    } <= set(WITH_EXAMPLES)
