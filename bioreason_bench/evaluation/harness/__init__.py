"""lm-evaluation-harness: the functions that task files name, task names, installing, running.

Task files say `!function bioreason_bench.evaluation.harness.documents`.  The functions are imported
when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_FUNCTIONS = (
    *("documents", "prompt", "prompt_chat", "example_chat", "target", "target_direct"),
    *("score", "score_chat", "score_direct", "score_samples", "mean_of_pairs"),
)


def __getattr__(name: str) -> Any:
    if name not in _FUNCTIONS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.functions"), name)
