"""Running lm-evaluation-harness on the tasks, with its own command line."""

from __future__ import annotations

import contextlib
import difflib
import io
import logging
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bioreason_bench import resources
from bioreason_bench.errors import BioreasonError, MissingExtra, UsageError, quoted, suggest
from bioreason_bench.escaping import without_token
from bioreason_bench.evaluation.harness.install import installed
from bioreason_bench.evaluation.harness.names import all_names, copy_tasks, parse
from bioreason_bench.evaluation.open_source import check_source, open_source
from bioreason_bench.evaluation.source import first_line
from bioreason_bench.schema import columns
from bioreason_bench.validation import problems

__all__ = ["run_harness"]

SOURCE = ("data", "revision", "preset", "seed")  # settings that say where the questions come from
PACKAGE = Path(__file__).resolve().parents[2]
INSIDE = 1  # frames of a traceback that are this module's own
SUBCOMMANDS = ("run", "ls", "validate")
WHOLE_PROMPT = 2**20  # tokens, more than any prompt: a server refuses what is too long for it
API_PACKAGES = ("aiohttp", "requests", "tenacity")  # of lm-eval[api]
NOT_OPENAI = ("anthropic",)  # beginnings of kinds of servers that refuse a seed
TRANSFORMERS = ("hf", "hf-auto", "huggingface")  # kinds of models that transformers loads
TOO_MANY = "requested max tokens to generate"  # than the model has room for, says the harness

_log = logging.getLogger(__name__)


def run_harness(arguments: Sequence[str]) -> None:
    """Run `lm_eval run ARGUMENTS` with the task files found.

    Raises:
        MissingExtra: lm-eval is not installed, or too old.
        UsageError: There is no such task, level, model or source.
    """
    try:
        import lm_eval.tasks._factory  # noqa: F401 - new in 0.4.12, as are task classes in YAML files
        from lm_eval._cli import HarnessCLI
        from lm_eval.utils import setup_logging
    except ImportError:
        raise MissingExtra("lm-eval 0.4.12 or newer", "eval") from None
    if not arguments:
        raise UsageError(
            "bioreason eval needs a model and tasks, "
            "such as --model hf --model_args pretrained=gpt2 --tasks bioreason_comp"
        )
    subcommand = [] if arguments[0] in SUBCOMMANDS else ["run"]
    before = sys.argv
    sys.argv = ["lm_eval", *subcommand, *arguments]
    try:
        setup_logging()
        _hide_tokens_in_logs()
        harness = HarnessCLI()
        options = _parsed(harness)
        if sys.argv[1] == "run":
            _run(harness, options)
        else:
            own = getattr(options, "include_path", None)
            options.include_path = own or str(resources.folder("tasks"))
            _execute(harness, options)
    finally:
        sys.argv = before


def _parsed(harness: Any) -> Any:
    """The harness's options; UsageError in place of its own message, which prints all options."""
    messages = io.StringIO()
    try:
        with contextlib.redirect_stderr(messages):
            return harness.parse_args()
    except SystemExit as stop:
        if not stop.code:
            raise
        reason = (messages.getvalue().strip().splitlines() or ["unknown options"])[-1]
        _, _, reason = reason.rpartition("error: ")
        wrong = f"the harness refuses the options: {reason}"
        raise UsageError(f"{wrong}; see lm_eval run --help") from None
    except (ValueError, RecursionError) as error:  # metadata that is not JSON, or nested too deeply
        raise UsageError(f"the harness refuses the options: {first_line(error)}") from None


def _execute(harness: Any, options: Any) -> None:
    """Run the harness; what it raises itself becomes a sentence, a bug of ours stays one."""
    try:
        harness.execute(options)
    except (BioreasonError, OSError, MemoryError):
        raise
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        if any(PACKAGE in Path(frame.filename).parents for frame in frames[INSIDE:]):
            raise
        remedy = "correct the options, or look up its message"
        if TOO_MANY in str(error):
            remedy = "give a smaller number, such as --gen_kwargs max_gen_toks=2048"
        raise UsageError(
            f"the harness stopped: {type(error).__name__}: {first_line(error)}; {remedy}"
        ) from None


def _run(harness: Any, options: Any) -> None:
    """Run the harness's `run` with its parsed options, completed by the tasks' folder."""
    if options.output_path:
        options.log_samples = True
    if getattr(options, "model", None):
        _check_model(options.model)
        _secure_model(options)
    settings = _settings(getattr(options, "metadata", None))
    configured = bool(getattr(options, "config", None))  # the harness's own YAML file sets them all
    names = _split_names(getattr(options, "tasks", None))
    if getattr(options, "model", None) and _is_server(options.model):
        _prepare_server(options, settings, names)
    _warn_of_templates(options, names)
    with _task_folder(names, settings, configured) as folder:
        if not configured:
            # The harness merges --model_args into these settings.  All source settings are named
            # here, so that a model's `revision` is not taken for that of the data.
            options.metadata = dict.fromkeys(SOURCE) | settings
        paths = [folder, getattr(options, "include_path", None)]
        options.include_path = [path for path in paths if path] or None
        _execute(harness, options)


def _check_model(name: str) -> None:
    """Raise UsageError if the harness has no such kind of model, or lacks a package it needs."""
    from lm_eval.api.registry import get_model, model_registry

    try:
        get_model(name)
    except ValueError:
        otherwise = "hf is for any model of transformers; lm_eval run --help has more"
        hint = suggest(name, model_registry.keys(), otherwise)
        raise UsageError(f"the harness has no kind of model {name!r}: {hint}") from None
    except ImportError as error:
        raise UsageError(
            f"the kind of model {name!r} needs a package that is missing ({error}); install it"
        ) from None


def _is_server(name: str) -> bool:
    """Whether a kind of model is a server with OpenAI's interface."""
    from lm_eval.api.registry import get_model
    from lm_eval.models.api_models import TemplateAPI

    kind = get_model(name)
    return isinstance(kind, type) and issubclass(kind, TemplateAPI)


def _prepare_server(options: Any, settings: dict[str, Any], names: Sequence[str]) -> None:
    """Complete what the harness is told about a server.

    It cuts prompts to 2,047 tokens less those to generate, unless it is given a `max_length`; and
    it sends the same seed with all samples of a question.
    """
    if missing := [package for package in API_PACKAGES if find_spec(package) is None]:
        raise MissingExtra(missing[0], "api")
    arguments = getattr(options, "model_args", None)
    if isinstance(arguments, dict):
        arguments.setdefault("max_length", WHOLE_PROMPT)
    sampled = any(task.variant == "passk" for name in names if (task := parse(name)))
    if sampled and not options.model.startswith(NOT_OPENAI):
        settings.setdefault("sample_seeds", True)


def _warn_of_templates(options: Any, names: Sequence[str]) -> None:
    """Warn if chat tasks are asked without a chat template."""
    chat = [name for name in names if (task := parse(name)) and "chat" in task.variant]
    if chat and not getattr(options, "apply_chat_template", False):
        _log.warning("%s is made for chat models: add --apply_chat_template", chat[0])


def _secure_model(options: Any) -> None:
    """Complete the arguments of a model so that no token is stored and no pickle is read.

    The harness writes the arguments into its log and results; a token among them moves to the
    environment, where the Hub's client finds it.  Weights come from safetensors unless the user
    says otherwise (use_safetensors=False).
    """
    arguments = getattr(options, "model_args", None)
    if options.model not in TRANSFORMERS or not isinstance(arguments, dict):
        return
    if token := arguments.pop("token", None):
        os.environ["HF_TOKEN"] = str(token)
    if "gguf_file" not in arguments:
        arguments.setdefault("use_safetensors", True)


class _WithoutTokens(logging.Filter):
    """Takes tokens out of log messages."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = without_token(record.getMessage()), ()
        return True


def _hide_tokens_in_logs() -> None:
    for handler in logging.getLogger("lm_eval").handlers:
        if not any(isinstance(one, _WithoutTokens) for one in handler.filters):
            handler.addFilter(_WithoutTokens())


@contextmanager
def _task_folder(
    names: Sequence[str], settings: Mapping[str, Any], configured: bool
) -> Iterator[str | None]:
    """The folder of task files for the harness.

    Args:
        names: The tasks that the user asks for.
        settings: The settings of --metadata.
        configured: Whether a YAML file of the harness's own may name other tasks and settings.

    Yields:
        The folder; None if exactly the files needed are installed in the harness.
    """
    if any(name.startswith("bioreason") for name in names):
        _check_settings(settings, all(map(parse, names)))
    _check_names(names)
    ours = [task for name in names if (task := parse(name))]
    if configured or not ours:
        yield None if installed() else str(resources.folder("tasks"))
        return
    source = open_source(*(settings.get(name) for name in SOURCE))
    for task in ours:
        if task.leaf:
            source.require(task.config)
    with tempfile.TemporaryDirectory(prefix="bioreason-tasks-") as folder:
        absent = copy_tasks(Path(folder), source.configs)
        if lost := [name for name in names if name in absent]:
            raise UsageError(
                f"{source.label} has no questions for {lost[0]}: it has {', '.join(source.configs)}"
            )
        yield None if not absent and installed() else folder


def _settings(metadata: Any) -> dict[str, Any]:
    """The settings of --metadata; raises UsageError unless they are a table."""
    if metadata is not None and not isinstance(metadata, Mapping):
        raise UsageError(
            f"--metadata is {quoted(metadata)}; it must be a table in JSON, "
            """such as '{"preset": "small", "seed": 7}'"""
        )
    return dict(metadata or {})


def _check_settings(settings: Mapping[str, Any], alone: bool) -> None:
    """Raise UsageError for settings of ours that are wrong, or nearly have the name of one.

    Args:
        settings: The settings of --metadata.
        alone: Whether no other tasks are asked for, whose settings these may be.
    """
    if wrong := problems("metadata", settings):
        raise UsageError(f"--metadata: {'; and '.join(wrong)}")
    known = columns("metadata")
    for name in settings:
        if name not in known and (near := difflib.get_close_matches(name[:100], known, 1)):
            raise UsageError(f"--metadata has no {quoted(name)}; did you mean {near[0]!r}?")
        if name not in known and alone:
            raise UsageError(f"--metadata has no {quoted(name)}; it has {', '.join(known)}")
    if alone:
        check_source(*(settings.get(name) for name in SOURCE))


def _check_names(names: Sequence[str]) -> None:
    """Raise UsageError for the first name of ours that is no task; patterns are the harness's."""
    for name in names:
        pattern = bool(set(name) & set("*?["))
        if name.startswith("bioreason") and not pattern and name not in all_names():
            hint = suggest(name, all_names(), "bioreason tasks list prints the names")
            raise UsageError(f"there is no task {name!r}: {hint}")


def _split_names(tasks: str | Sequence[Any] | None) -> list[str]:
    """The names in --tasks, which may be a comma-separated text or a list of such texts."""
    texts = [tasks] if isinstance(tasks, str) else list(tasks or [])
    return [name for text in texts for name in str(text).split(",") if name]
