"""bioreason: synthetic biographies, not biology.  See README.md.

A stage imports only from the stages before it (a test holds this):

    errors  draw  resources  config
    world        who exists and what is true
    language     how it is said, and read back
    splits       what training may show
    questions    what is asked, and in which context
    plan         every file of a release as a function of its number
    release      files, manifest, card, export, publication
    grading      the one grader
    audit        every law proved from the text alone; what shortcuts reach
    evaluation   lm-evaluation-harness, pass@k, gates
    baselines    SFT, GRPO, the report
    build, loading, cli and commands import all of them

The names below are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bioreason_bench.build import generate
    from bioreason_bench.config import Config, load_preset
    from bioreason_bench.errors import BioreasonError, MissingExtra, ReleaseError, UsageError
    from bioreason_bench.grading import grade
    from bioreason_bench.loading import graph, load
    from bioreason_bench.questions.records import make_prompt
    from bioreason_bench.release.read import Release

__version__ = "0.1.0"
__all__ = [
    "BioreasonError",
    "Config",
    "MissingExtra",
    "Release",
    "ReleaseError",
    "UsageError",
    "generate",
    "grade",
    "graph",
    "load",
    "load_preset",
    "make_prompt",
]

_HOMES = {
    "build": ["generate"],
    "config": ["Config", "load_preset"],
    "errors": ["BioreasonError", "MissingExtra", "ReleaseError", "UsageError"],
    "grading": ["grade"],
    "loading": ["graph", "load"],
    "questions.records": ["make_prompt"],
    "release.read": ["Release"],
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
