"""Running the harness on the tasks, with its own command line."""

from __future__ import annotations

import difflib
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bioreason_bench import resources
from bioreason_bench.errors import MissingExtra, UsageError
from bioreason_bench.evaluation.harness.install import installed
from bioreason_bench.evaluation.harness.names import all_names, copy_tasks, parse
from bioreason_bench.evaluation.source import open_source

__all__ = ["run_harness"]

SOURCE = (
    "data",
    "revision",
    "preset",
    "seed",
)  # the settings that say where the questions come from


def run_harness(arguments: list[str]) -> None:
    """`lm_eval run ARGUMENTS` with the task files found; raises UsageError for a task, level or source that does not exist."""
    try:
        import lm_eval.tasks._factory  # noqa: F401 - with it came task classes in YAML files (0.4.12)
        from lm_eval._cli import HarnessCLI
        from lm_eval.utils import setup_logging
    except ImportError:
        raise MissingExtra("lm-eval 0.4.12 or newer", "eval") from None
    if not arguments:
        raise UsageError(
            "bioreason eval needs a model and tasks, such as --model hf --model_args pretrained=gpt2 --tasks bioreason_comp"
        )
    before = sys.argv
    sys.argv = [
        "lm_eval",
        *(arguments if arguments[0] in ("run", "ls", "validate") else ["run", *arguments]),
    ]
    try:
        setup_logging()
        harness = HarnessCLI()
        options = harness.parse_args()
        if sys.argv[1] != "run":
            options.include_path = getattr(options, "include_path", None) or str(
                resources.folder("tasks")
            )
            harness.execute(options)
            return
        if options.output_path:
            options.log_samples = True
        if getattr(options, "model", None):
            _check_model(options.model)
        settings = dict(getattr(options, "metadata", None) or {})
        configured = bool(
            getattr(options, "config", None)
        )  # a YAML file of the harness's own may set anything
        with _tasks(_names(getattr(options, "tasks", None)), settings, configured) as folder:
            if not configured:
                # model_args end up among the settings too: what was not set is said to be unset, so that a model's revision is its own
                options.metadata = dict.fromkeys(SOURCE) | settings
            options.include_path = [
                place for place in (folder, getattr(options, "include_path", None)) if place
            ] or None
            harness.execute(options)
    finally:
        sys.argv = before


def _check_model(name: str) -> None:
    """Raise UsageError where the harness has no such kind of model, or lacks the package that it needs."""
    from lm_eval.api.registry import get_model, model_registry

    try:
        get_model(name)
    except ValueError:
        close = difflib.get_close_matches(name, list(model_registry.keys()), 1)
        hint = (
            f"did you mean {close[0]!r}?"
            if close
            else "hf is for any model of transformers; lm_eval run --help has more"
        )
        raise UsageError(f"the harness has no kind of model {name!r}: {hint}") from None
    except ImportError as error:
        raise UsageError(
            f"the kind of model {name!r} needs a package that is not here ({error}); install it"
        ) from None


@contextmanager
def _tasks(names: list[str], settings: Mapping[str, Any], configured: bool) -> Iterator[str | None]:
    """The folder of task files for the harness; None where the very files are installed in it."""
    ours = [task for name in names if (task := parse(name))]
    plain = [name for name in names if name.startswith("bioreason") and not set(name) & set("*?[")]
    if wrong := [name for name in plain if name not in all_names()]:
        close = difflib.get_close_matches(wrong[0], all_names(), 1)
        hint = f"did you mean {close[0]}?" if close else "bioreason tasks list prints the names"
        raise UsageError(f"there is no task {wrong[0]!r}: {hint}")
    if configured or not ours:
        yield None if installed() else str(resources.folder("tasks"))
        return
    source = open_source(*(settings.get(name) for name in SOURCE))
    for task in ours:
        if task.leaf:
            source.require(task.config)
    with tempfile.TemporaryDirectory(prefix="bioreason-tasks-") as folder:
        gone = copy_tasks(Path(folder), source.configs)
        if lost := [name for name in names if name in gone]:
            raise UsageError(
                f"{source.label} has no questions for {lost[0]}: it has {', '.join(source.configs)}"
            )
        yield None if not gone and installed() else folder


def _names(tasks: Any) -> list[str]:
    parts = [tasks] if isinstance(tasks, str) else list(tasks or [])
    return [name for part in parts for name in str(part).split(",") if name]
