"""The files of a run, without any training.

RUN/recipe.yaml                  the recipe as it was run
RUN/run.json                     command, versions, git revision, release, machine, model's commit
RUN/1-sft/model.safetensors ...  the model after the stage, loadable by name
RUN/1-sft/log.jsonl              learning curve
RUN/1-sft/test/CONFIG.jsonl      every verdict
RUN/1-sft/done.json              written last: the stage is complete
RUN/results.jsonl                one line for each stage and test set

A run may take its first stages from another run (`base`), and then has no folders for these.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench._version import __version__
from bioreason_bench.errors import ReleaseError, UsageError, one_line, suggest
from bioreason_bench.escaping import without_token
from bioreason_bench.family import all_presets, load_settings
from bioreason_bench.release.disk import write_whole
from bioreason_bench.training.checkpoints import disk_errors, sync
from bioreason_bench.training.data import Corpus
from bioreason_bench.training.measure import configs_of
from bioreason_bench.training.models import load as models
from bioreason_bench.training.recipe import Recipe, make_recipe

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

RUN, RECIPE, DONE, LOCK = "run.json", "recipe.yaml", "done.json", ".lock"
LIBRARIES = (
    "torch",
    "transformers",
    "trl",
    "peft",
    "accelerate",
    "datasets",
    "tokenizers",
    "numpy",
)
LONGEST_CHAIN = 100  # runs of which each takes its first stages from the next


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
    known = configs_of(corpus, recipe.evaluate["split"])
    for config in recipe.evaluate.get("configs") or ():
        if config not in known:
            raise UsageError(
                f"recipe {recipe.name}: evaluate.configs: release {corpus.path} has no test set "
                f"{one_line(config, 60)!r}; {suggest(config[:60], known)}"
            )
    language = corpus.language
    if "from_scratch" in recipe.model and language != "symbols" and recipe.preset == "nano":
        raise ReleaseError(
            f"recipe {recipe.name} is for language symbols and release {corpus.path} "
            f"is in {language}; use preset nano"
        )


@contextmanager
def only_one(out: Path, wait: float = 0.0) -> Iterator[None]:
    """Let only one process write into a folder; the lock goes with the process.

    Args:
        out: The folder; created if it is not there.
        wait: Seconds to wait for a process that is about to end.

    Raises:
        UsageError: Another process writes into it.
        ReleaseError: The folder cannot be written.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(out / LOCK, timeout=wait)
    with disk_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire()
        except Timeout:
            raise UsageError(
                f"another process trains into {out}; wait for it, or choose another --out"
            ) from None
    try:
        yield
    finally:
        if [path.name for path in out.iterdir()] == [LOCK]:  # nothing was begun
            with suppress(OSError):
                (out / LOCK).unlink()
                out.rmdir()
        lock.release()


def open_run(
    recipe: Recipe,
    corpus: Corpus,
    out: Path,
    *,
    resume: bool,
    command: str,
    base: Path | None,
    log: Callable[[str], None],
) -> None:
    """Create the files of a run, or check that those that are there are of the same run.

    Raises:
        UsageError: There is another run or anything else, or the same run and `resume` is not set.
        ReleaseError: The folder cannot be written, or run.json and recipe.yaml are broken.
    """
    path = out / RUN
    if path.exists():
        if not resume:
            raise UsageError(
                f"{out} holds a run already; go on with it by --resume, or choose another --out"
            )
        try:
            check_same_run(out, recipe, corpus)
        except ReleaseError as error:
            _check_same_recipe_file(recipe, out)
            log(f"{error}; written anew, since recipe.yaml is that of this run")
        else:
            return
    else:
        _check_empty(out)
    description = describe(recipe, corpus, command)
    if base:
        description["first_stages_from"] = os.path.relpath(base, out)
    revision = base_revision(base) if base else models.commit_of(recipe)
    if revision:
        description["model_revision"] = revision
    import yaml

    with disk_errors(out):
        write_whole(path, without_token(json.dumps(description, indent=1)))
        text = yaml.safe_dump(recipe.as_dict(), sort_keys=False)
        write_whole(out / RECIPE, without_token(text))


def _check_empty(out: Path) -> None:
    """Refuse a folder with files that no run has written."""
    for path in out.iterdir():
        if path.name != LOCK and not path.name.startswith(f".{RUN}"):  # left by a killed run
            raise UsageError(
                f"{out} is not empty and holds no run ({path.name}); choose another --out"
            )


def read_run(folder: Path) -> dict[str, Any]:
    """What run.json says about a run; ReleaseError if it is missing or broken."""
    path = folder / RUN
    values = read_object(path)
    shape = (("recipe", dict), ("world", dict), ("first_stages_from", str), ("model_revision", str))
    for name, kind in shape:
        if not isinstance(values.get(name, kind()), kind) or (kind is dict and name not in values):
            raise ReleaseError(f"{path} is broken at {name}")
    return values


def read_object(path: Path) -> dict[str, Any]:
    """The object in a JSON file; ReleaseError if it is missing, cut off or something else."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReleaseError(f"{path} cannot be read ({error.strerror or error})") from None
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise ReleaseError(f"{path} is broken or was cut off")
    return values


def check_same_run(out: Path, recipe: Recipe, corpus: Corpus) -> None:
    """Check that the run in a folder is one of this recipe on this release.

    Raises:
        UsageError: It is another.
        ReleaseError: run.json is missing or broken.
    """
    begun = read_run(out)
    own = json.loads(without_token(json.dumps(recipe.as_dict())))
    if not _same_recipe(begun["recipe"], own):
        raise UsageError(
            f"{out} was begun with another recipe; "
            "go on with the same recipe and settings, or choose another --out"
        )
    if not _same_world(begun["world"], corpus):
        raise UsageError(
            f"{out} was begun on another release; "
            "go on with the same release (--data), or choose another --out"
        )


def _same_recipe(begun: Any, own: dict[str, Any]) -> bool:
    """Whether two recipes, read back from one format, train the same; `about` is but words."""
    return isinstance(begun, dict) and {**begun, "about": ""} == {**own, "about": ""}


def _check_same_recipe_file(recipe: Recipe, out: Path) -> None:
    """Check that recipe.yaml is that of the run; it stands in for a broken run.json."""
    import yaml

    try:
        begun = yaml.safe_load((out / RECIPE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        begun = None
    own = yaml.safe_load(without_token(yaml.safe_dump(recipe.as_dict())))
    if not _same_recipe(begun, own):
        raise ReleaseError(
            f"{out / RUN} is broken and {out / RECIPE} is not the recipe of this run; "
            "choose another --out"
        )


def base_revision(base: Path) -> str:
    """The commit of the model that the first stages of `base` were trained from; "" if none."""
    return str(read_run(base).get("model_revision", ""))


def stages_of_base(recipe: Recipe, corpus: Corpus, base: Path) -> list[Path]:
    """Folders of the first stages of `recipe` that the run `base` has trained.

    Raises:
        UsageError: `base` is no run, is on another release, or shares no stage or all of them.
    """
    try:
        run = read_run(base)
        other = make_recipe(run["recipe"], where=f"{base / RUN}")
    except ReleaseError as error:
        raise UsageError(
            f"--base {base}: that is no folder of a run ({error}); "
            "give one that bioreason-baseline train wrote"
        ) from None
    if not _same_world(run["world"], corpus):
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
    for _ in range(LONGEST_CHAIN):
        if (run / name).is_dir() or not (run / RUN).is_file():
            break
        base = read_run(run).get("first_stages_from")
        if not base:
            break
        run = run / base
    return run / name


def read_done(folder: Path, log: Callable[[str], None] = lambda _: None) -> dict[str, Any] | None:
    """What done.json says about a stage; None if the stage is not complete, or the file broken."""
    path = folder / DONE
    if not path.exists():
        return None
    try:
        done = read_object(path)
    except ReleaseError as error:
        log(f"{error}; the stage is trained again from its last checkpoint, if any")
        return None
    results = done.get("results", [])
    if isinstance(results, list) and all(isinstance(line, dict) for line in results):
        return done
    log(f"{path} is broken at results; the stage is trained again from its last checkpoint, if any")
    return None


def save_model(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write a model and its tokenizer; ReleaseError if the folder cannot be written."""
    with disk_errors(folder):
        model.save_pretrained(folder, safe_serialization=True)
        tokenizer.save_pretrained(folder)
        sync(folder)


def write_done(folder: Path, done: dict[str, Any]) -> None:
    """Mark a stage as complete, when all its other files are on disk."""
    with disk_errors(folder):
        write_whole(folder / DONE, json.dumps(done, indent=1))


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
            "precision": "bfloat16" if models.choose_bf16(recipe) else "float32",
        },
        "begun": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }


def world_of(corpus: Corpus) -> dict[str, Any]:
    """What identifies the release of a run: how it was made, and a digest of its rows."""
    config = corpus.manifest["config"]
    files = sorted((name, entry["digest"]) for name, entry in corpus.manifest["files"].items())
    return {
        "preset": config["preset"],
        "seed": config["seed"],
        "language": corpus.language,
        **{name: config[name] for name in ("known", "novel", "family") if name in config},
        "changed": _changed(config),
        "digest": f"sha256:{hashlib.sha256(json.dumps(files).encode()).hexdigest()}",
    }


def _changed(config: dict[str, Any]) -> dict[str, Any]:
    """The settings of a release that differ from its preset, as --set takes them.

    Only a shipped preset can be compared; for any other there are none.
    """
    if config["preset"] not in all_presets():
        return {}
    usual = load_settings(config["preset"], config["seed"]).as_dict()
    return dict(_differing(config, usual))


def _differing(
    values: Mapping[str, Any], usual: Mapping[str, Any], above: str = ""
) -> Iterator[tuple[str, Any]]:
    """(dotted name, value) of what differs."""
    for name, value in values.items():
        other = usual.get(name)
        if isinstance(value, dict) and isinstance(other, dict) and value.keys() == other.keys():
            yield from _differing(value, other, f"{above}{name}.")
        elif value != other:
            yield f"{above}{name}", value


def _same_world(begun: dict[str, Any], corpus: Corpus) -> bool:
    """Whether a run was begun on this release; older runs have no digest."""
    world = world_of(corpus)
    return begun == {name: world[name] for name in begun if name in world}


def versions() -> dict[str, str]:
    """Versions of this package, Python, and the libraries that training uses."""
    installed = {"bioreason-bench": __version__, "python": platform.python_version()}
    for name in LIBRARIES:
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
