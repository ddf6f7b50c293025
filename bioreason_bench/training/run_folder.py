"""The files of a run, without any training.

RUN/recipe.yaml                  the recipe as it was run
RUN/run.json                     command, versions, git revision, release, machine
RUN/1-sft/model.safetensors ...  the model after the stage, loadable by name
RUN/1-sft/log.jsonl              learning curve
RUN/1-sft/test/CONFIG.jsonl      every verdict
RUN/1-sft/done.json              written last: the stage is complete
RUN/results.jsonl                one line for each stage and test set

A run may take its first stages from another run (`base`), and then has no folders for these.
"""

from __future__ import annotations

import itertools
import json
import os
import platform
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench._version import __version__
from bioreason_bench.errors import ReleaseError, UsageError
from bioreason_bench.training.data import Corpus
from bioreason_bench.training.recipe import Recipe, make_recipe

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def check_fit(recipe: Recipe, corpus: Corpus) -> None:
    """Check that the release has what the recipe needs; ReleaseError names what it lacks."""
    for stage in recipe.stages:
        for source in (*stage.batch, *([stage.prompts] if stage.prompts else [])):
            if not corpus.has(source.name):
                raise ReleaseError(
                    f"recipe {recipe.name} needs {source.name!r}, which release {corpus.path} "
                    "does not have; generate one with: "
                    f"bioreason generate --preset {recipe.preset}"
                )
    language = corpus.config.language
    if "from_scratch" in recipe.model and language != "symbols" and recipe.preset == "nano":
        raise ReleaseError(
            f"recipe {recipe.name} is for language symbols and release {corpus.path} "
            f"is in {language}; use preset nano"
        )


def open_run(
    recipe: Recipe, corpus: Corpus, out: Path, *, resume: bool, command: str, base: Path | None
) -> None:
    """Create the folder of a run, or check that the one that is there holds the same run.

    Raises:
        UsageError: There is another run, or the same one and `resume` is not set.
        ReleaseError: The folder cannot be written.
    """
    import yaml

    path = out / "run.json"
    if path.is_file():
        if not resume:
            raise UsageError(
                f"{out} holds a run already; go on with it by --resume, or choose another --out"
            )
        _check_same_run(json.loads(path.read_text(encoding="utf-8")), recipe, corpus, out)
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "recipe.yaml").write_text(
            yaml.safe_dump(recipe.as_dict(), sort_keys=False), encoding="utf-8"
        )
        description = describe(recipe, corpus, command)
        if base:
            description["first_stages_from"] = os.path.relpath(base, out)
        path.write_text(json.dumps(description, indent=1), encoding="utf-8")
    except OSError as error:
        raise ReleaseError(
            f"{out} cannot be written ({error.strerror or error}); "
            "choose another --out or free some space"
        ) from None


def _check_same_run(begun: dict[str, Any], recipe: Recipe, corpus: Corpus, out: Path) -> None:
    if begun["recipe"] != json.loads(json.dumps(recipe.as_dict())):
        raise UsageError(
            f"{out} was begun with another recipe; "
            "resume it with the same recipe and settings, or choose another --out"
        )
    if begun["world"] != world_of(corpus):
        raise UsageError(
            f"{out} was begun on another release; "
            "resume it with the same --data, or choose another --out"
        )


def stages_of_base(recipe: Recipe, corpus: Corpus, base: Path) -> list[Path]:
    """Folders of the first stages of `recipe` that the run `base` has trained.

    Raises:
        UsageError: `base` is no run, is on another release, or shares no stage or all of them.
    """
    try:
        run = json.loads((base / "run.json").read_text(encoding="utf-8"))
        other = make_recipe(run["recipe"], where=f"{base / 'run.json'}")
    except (OSError, json.JSONDecodeError, KeyError):
        raise UsageError(
            f"--base {base}: that is no folder of a run; "
            "give one that bioreason-baseline train wrote"
        ) from None
    if run["world"] != world_of(corpus):
        raise UsageError(
            f"--base {base}: that run was trained on another release; "
            "give it the same --data, or leave out --base"
        )
    shared = range(1, recipe.shared_stages(other) + 1)
    trained = (find_stage(base, folder_name(recipe, number)) for number in shared)
    folders = list(itertools.takewhile(read_done, trained))
    if not folders or len(folders) == len(recipe.stages):
        why = f"has no stage that recipe {recipe.name} begins with"
        if folders:
            why = "has trained all stages of this recipe already"
        raise UsageError(
            f"--base {base}: that run {why} (model, seed and settings of a stage must be the same)"
        )
    return folders


def folder_name(recipe: Recipe, number: int) -> str:
    """Name of a stage's folder, such as "1-sft"; `number` counts from 1."""
    return f"{number}-{recipe.stages[number - 1].kind}"


def find_stage(run: Path, name: str) -> Path:
    """The folder of stage `name` of a run: its own, or in the run it took its first stages from."""
    path = run / "run.json"
    if (run / name).is_dir() or not path.is_file():
        return run / name
    base = json.loads(path.read_text(encoding="utf-8")).get("first_stages_from")
    return find_stage(run / base, name) if base else run / name


def read_done(folder: Path) -> dict[str, Any] | None:
    """What done.json says about a stage; None if the stage is not complete."""
    path = folder / "done.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def save_model(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write a model and its tokenizer; ReleaseError if the folder cannot be written."""
    try:
        model.save_pretrained(folder, safe_serialization=True)
        tokenizer.save_pretrained(folder)
    except OSError as error:
        raise ReleaseError(
            f"{folder} cannot be written ({error.strerror or error}); "
            "free some space and run again with --resume"
        ) from None


def describe(recipe: Recipe, corpus: Corpus, command: str) -> dict[str, Any]:
    """What a reader needs to repeat the run."""
    return {
        "recipe": recipe.as_dict(),
        "command": command or " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "world": world_of(corpus),
        "versions": versions(),
        "revision": revision(),
        "machine": {
            "processor": processor(),
            "threads": int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)),
            "cores": os.cpu_count(),
        },
        "begun": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }


def world_of(corpus: Corpus) -> dict[str, Any]:
    """What identifies the release of a run."""
    config = corpus.config
    return {
        "preset": config.preset,
        "seed": config.seed,
        "language": config.language,
        "known": config.known,
        "novel": config.novel,
    }


def versions() -> dict[str, str]:
    """Versions of this package, Python, and the libraries that training uses."""
    installed = {"bioreason-bench": __version__, "python": platform.python_version()}
    for name in ("torch", "transformers", "trl", "accelerate", "datasets", "tokenizers", "numpy"):
        try:
            installed[name] = version(name)
        except PackageNotFoundError:
            installed[name] = "absent"
    return installed


def revision() -> str:
    """The git revision of a checkout; empty in an installed package."""
    folder = Path(__file__).resolve().parent
    try:
        return subprocess.run(
            ["git", "-C", str(folder), "rev-parse", "--short", "HEAD"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def processor() -> str:
    """The name of the processor."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
