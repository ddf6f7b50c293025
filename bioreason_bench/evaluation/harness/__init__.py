"""lm-evaluation-harness: the functions and the class that task files name, the task names, and the runner.

Task files say `!function bioreason_bench.evaluation.harness.documents`; the function is imported when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.functions"), name)
