"""bioreason: synthetic biographies, not biology.  See README.md.

A stage imports only from the stages before it (a test checks this):

    escaping  errors  inputs  parquet  draw  resources  workers  taxonomy  schema  validation
    family       the door to families of questions
    statistics  lengths  config
    world        people and facts
    language     facts as text, and text back to facts
    splits       relation paths and levels: what training may show
    questions    records, contexts, and the kinds of questions
    grading      the one grader, and the rewards built on it
    dataset      every file of a release as a function of its number
    release      schemas, files, digests, manifest, cache
    figure_style the style of every figure
    export       files for other trainers; the world as a graph
    audit        every invariant checked from the text alone; shortcut solvers
    evaluation   lm-evaluation-harness tasks, results, plots
    explore      a release to look at: one page, one person, two releases
    hub          data card and publication
    families     people as a family, and the other families
    environments the world as a library; environments for RL libraries
    training     recipes, models, SFT, RFT and GRPO
    experiments  reproduction, pass@k, report
    build, loading and commands import all of them

The names below are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bioreason_bench._version import __version__ as __version__

if TYPE_CHECKING:
    from bioreason_bench.build import generate
    from bioreason_bench.config import Config, WorldConfig, load_preset
    from bioreason_bench.errors import BioreasonError, MissingExtra, ReleaseError, UsageError
    from bioreason_bench.grading.grader import grade
    from bioreason_bench.loading import graph, load
    from bioreason_bench.questions.prompts import chat_prompt, make_prompt
    from bioreason_bench.release.read import Release

__all__ = [
    "BioreasonError",
    "Config",
    "MissingExtra",
    "Release",
    "ReleaseError",
    "UsageError",
    "WorldConfig",
    "chat_prompt",
    "generate",
    "grade",
    "graph",
    "load",
    "load_preset",
    "make_prompt",
]

_HOMES = {
    "build": ["generate"],
    "config": ["Config", "WorldConfig", "load_preset"],
    "errors": ["BioreasonError", "MissingExtra", "ReleaseError", "UsageError"],
    "grading.grader": ["grade"],
    "loading": ["graph", "load"],
    "questions.prompts": ["chat_prompt", "make_prompt"],
    "release.read": ["Release"],
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(
            f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}"
        )
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
