"""Runs a recipe: stage after stage, each into its own folder, resumable at any point.

RUN/recipe.yaml                  the recipe as it was run
RUN/run.json                     command, versions, git revision, release, machine
RUN/1-sft/model.safetensors ...  the model after the stage, loadable by name
RUN/1-sft/log.jsonl              learning curve
RUN/1-sft/test/CONFIG.jsonl      every verdict
RUN/1-sft/done.json              written last: the stage is complete
RUN/results.jsonl                one line for each stage and test set

A run may take its first stages from another one (`base`), and then has no folders for these.
"""

from __future__ import annotations

import itertools
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bioreason_bench._version import __version__
from bioreason_bench.draw import Draw
from bioreason_bench.errors import ReleaseError, UsageError
from bioreason_bench.training.data import Corpus, make_mixture
from bioreason_bench.training.models import load as models
from bioreason_bench.training.progress import Watch
from bioreason_bench.training.recipe import Recipe, Stage, make_recipe

Say = Callable[[str], None]


def train(
    recipe: Recipe,
    release: Corpus,
    out: Path,
    *,
    base: Path | None = None,
    resume: bool = False,
    say: Say = print,
    bar: bool = True,
    command: str = "",
) -> list[dict[str, Any]]:
    """Runs all stages and evaluates; returns the lines of results.jsonl.

    With `base`, a run whose first stages are those of `recipe`, these are not trained again.  With `resume`, goes on where a run in
    `out` stopped.
    """
    models.need_training()
    models.quiet()
    from accelerate import PartialState

    state = PartialState(cpu=not _gpu())
    check_fit(recipe, release)
    taken = stages_of_base(recipe, release, base) if base else []
    if state.is_main_process:
        open_run(recipe, release, out, resume, command, base)
    state.wait_for_everyone()
    model = tokenizer = None
    results: list[dict[str, Any]] = []
    before = taken[-1] if taken else None  # the folder of the stage before
    for number, stage in list(enumerate(recipe.stages, 1))[len(taken) :]:
        folder = out / f"{number}-{stage.kind}"
        name = f"{recipe.name}: stage {number} of {len(recipe.stages)}, {stage.kind}"
        done = read_done(folder)
        last = number == len(recipe.stages)
        if done is None:
            if model is None:
                model, tokenizer = models.load(before) if before else models.start(recipe, release)
            if state.is_main_process:
                folder.mkdir(parents=True, exist_ok=True)
            state.wait_for_everyone()
            speed = run_stage(
                model,
                tokenizer,
                release,
                recipe,
                stage,
                number,
                folder,
                name,
                say if state.is_main_process else _silent,
                bar,
            )
            if is_sharded():
                state.wait_for_everyone()
                model, tokenizer = models.load(folder)
            if state.is_main_process:
                save(model, tokenizer, folder)
                done = {
                    "stage": number,
                    "kind": stage.kind,
                    "steps": stage.steps,
                    "parameters": model.num_parameters(),
                    **speed,
                }
                if last or recipe.evaluate.get("each_stage"):
                    done["results"] = evaluate(model, tokenizer, release, recipe, folder, name, say)
                (folder / "done.json").write_text(json.dumps(done, indent=1), encoding="utf-8")
                shutil.rmtree(folder / "checkpoints", ignore_errors=True)
            state.wait_for_everyone()
        elif state.is_main_process:
            say(f"{name}: already complete")
        before = folder
        if done is not None:
            results += [
                {
                    "run": recipe.name,
                    "seed": recipe.seed,
                    "stage": number,
                    "kind": stage.kind,
                    **line,
                }
                for line in done.get("results", [])
            ]
    if state.is_main_process:
        (out / "results.jsonl").write_text(
            "".join(json.dumps(line) + "\n" for line in results), encoding="utf-8"
        )
    return results


def stages_of_base(recipe: Recipe, release: Corpus, base: Path) -> list[Path]:
    """The folders of the first stages of `recipe` in the run `base`; UsageError if that run did not train them."""
    try:
        run = json.loads((base / "run.json").read_text(encoding="utf-8"))
        before = make_recipe(run["recipe"], where=f"{base / 'run.json'}")
    except (OSError, json.JSONDecodeError, KeyError):
        raise UsageError(
            f"--base {base}: that is no folder of a run; give one that bioreason-baseline train wrote"
        ) from None
    if run["world"] != world_of(release):
        raise UsageError(
            f"--base {base}: that run was trained on another release; give it the same --data, or leave out --base"
        )
    stages = recipe.stages[: recipe.shared_stages(before)]
    found = (stage_folder(base, f"{number}-{stage.kind}") for number, stage in enumerate(stages, 1))
    folders = list(itertools.takewhile(read_done, found))
    if not folders or len(folders) == len(recipe.stages):
        why = (
            "has trained all stages of this recipe already"
            if folders
            else f"has no stage that recipe {recipe.name} begins with"
        )
        raise UsageError(
            f"--base {base}: that run {why} (model, seed and settings of a stage must be the same)"
        )
    return folders


def stage_folder(run: Path, name: str) -> Path:
    """Where the model after stage `name` of a run lies: in the run, or in the one that it took its first stages from."""
    described = run / "run.json"
    if (run / name).is_dir() or not described.is_file():
        return run / name
    before = json.loads(described.read_text(encoding="utf-8")).get("first_stages_from")
    return stage_folder(run / before, name) if before else run / name


def run_stage(
    model: Any,
    tokenizer: Any,
    release: Corpus,
    recipe: Recipe,
    stage: Stage,
    number: int,
    folder: Path,
    name: str,
    say: Say,
    bar: bool,
) -> dict[str, float]:
    """Trains one stage in place."""
    import torch

    torch.manual_seed(recipe.seed)
    draw = Draw(recipe.seed, ("stage", str(number), stage.kind))
    watch = Watch(name, stage.steps, folder / "log.jsonl", bar)
    if stage.kind == "grpo":
        from bioreason_bench.training.speed import expected_rollout_minutes
        from bioreason_bench.training.stages.grpo import prompts_in_order, train_grpo

        replay = (
            make_mixture(release, stage.batch, stage.steps, tokenizer, recipe.max_length, draw)
            if stage.batch
            else None
        )
        half = models.native_bf16() if recipe.bf16 is None else recipe.bf16
        first = [
            row["prompt"] for row in prompts_in_order(release, stage, draw)[: stage.prompts.rows]
        ]
        minutes = (
            ""
            if stage.trl.get("use_vllm")
            else f", about {expected_rollout_minutes(model, tokenizer, first, stage, half):.0f} min"
        )
        say(
            f"{name}: {stage.steps} steps of {stage.prompts.rows} prompts x {stage.samples} samples{minutes} at this machine's speed now"
        )
        return train_grpo(model, tokenizer, release, replay, recipe, stage, folder, watch, draw)
    from bioreason_bench.training.stages.sft import train_sft

    if stage.kind == "rft":
        from bioreason_bench.training.stages.rft import rft_mixture

        mixture, kept = rft_mixture(
            model, tokenizer, release, recipe, stage, folder, draw, say, name
        )
    else:
        mixture, kept = (
            make_mixture(release, stage.batch, stage.steps, tokenizer, recipe.max_length, draw),
            {},
        )
    from bioreason_bench.training.speed import expected_minutes

    minutes = expected_minutes(model, tokenizer, mixture, recipe)
    say(
        f"{name}: {stage.steps} steps of {mixture.step_rows} texts, about {minutes:.0f} min at this machine's speed now"
    )
    return {**train_sft(model, tokenizer, mixture, recipe, stage, folder, watch), **kept}


def evaluate(
    model: Any, tokenizer: Any, release: Corpus, recipe: Recipe, folder: Path, name: str, say: Say
) -> list[dict[str, Any]]:
    """Every test set of the release (or those that the recipe names)."""
    from bioreason_bench.training.measure import as_line, configs_of, measure

    want = recipe.evaluate
    configs = list(want.get("configs") or configs_of(release, want["split"]))
    found = measure(
        model,
        tokenizer,
        release,
        configs,
        split=want["split"],
        limit=want["limit"],
        batch=want["batch"],
        out=folder / want["split"],
    )
    for line in found:
        say(f"{name}: {as_line(line)}")
    return found


def is_sharded() -> bool:
    """Are the weights spread over devices, by accelerate's FSDP or DeepSpeed?"""
    return any(
        os.environ.get(name, "").lower() in ("1", "true")
        for name in ("ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED")
    )


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    try:
        model.save_pretrained(folder, safe_serialization=True)
        tokenizer.save_pretrained(folder)
    except OSError as error:
        raise ReleaseError(
            f"{folder} cannot be written ({error.strerror or error}); free some space and run again with --resume"
        ) from None


def open_run(
    recipe: Recipe, release: Corpus, out: Path, resume: bool, command: str, base: Path | None
) -> None:
    """Makes the folder, or checks that what is there is the same run."""
    import yaml

    described = out / "run.json"
    if described.is_file():
        if not resume:
            raise UsageError(
                f"{out} holds a run already; go on with it by --resume, or choose another --out"
            )
        before = json.loads(described.read_text(encoding="utf-8"))
        if before["recipe"] != json.loads(json.dumps(recipe.as_dict())):
            raise UsageError(
                f"{out} was begun with another recipe; resume it with the same recipe and settings, or choose another --out"
            )
        if before["world"] != world_of(release):
            raise UsageError(
                f"{out} was begun on another release; resume it with the same --data, or choose another --out"
            )
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "recipe.yaml").write_text(
            yaml.safe_dump(recipe.as_dict(), sort_keys=False), encoding="utf-8"
        )
        taken = {"first_stages_from": os.path.relpath(base, out)} if base else {}
        described.write_text(
            json.dumps({**describe(recipe, release, command), **taken}, indent=1), encoding="utf-8"
        )
    except OSError as error:
        raise ReleaseError(
            f"{out} cannot be written ({error.strerror or error}); choose another --out or free some space"
        ) from None


def check_fit(recipe: Recipe, release: Corpus) -> None:
    """The release has what the recipe asks for; ReleaseError says what it lacks."""
    for stage in recipe.stages:
        for source in (*stage.batch, *([stage.prompts] if stage.prompts else [])):
            if not release.has(source.name):
                raise ReleaseError(
                    f"recipe {recipe.name} needs {source.name!r}, which release {release.path} does not have; generate one with: "
                    f"bioreason generate --preset {recipe.preset}"
                )
    if (
        "from_scratch" in recipe.model
        and release.config.language != "symbols"
        and recipe.preset == "nano"
    ):
        raise ReleaseError(
            f"recipe {recipe.name} is for language symbols and release {release.path} is in {release.config.language}; use preset nano"
        )


def describe(recipe: Recipe, release: Corpus, command: str) -> dict[str, Any]:
    """What a reader needs to make the run again."""
    return {
        "recipe": recipe.as_dict(),
        "command": command or " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "world": world_of(release),
        "versions": versions(),
        "revision": revision(),
        "machine": {
            "processor": processor(),
            "threads": int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)),
            "cores": os.cpu_count(),
        },
        "begun": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }


def world_of(release: Corpus) -> dict[str, Any]:
    config = release.config
    return {
        "preset": config.preset,
        "seed": config.seed,
        "language": config.language,
        "known": config.known,
        "novel": config.novel,
    }


def versions() -> dict[str, str]:
    found = {"bioreason-bench": __version__, "python": platform.python_version()}
    for name in ("torch", "transformers", "trl", "accelerate", "datasets", "tokenizers", "numpy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


def revision() -> str:
    """The git revision of a checkout, empty in an installed package."""
    here = Path(__file__).resolve().parent
    try:
        return subprocess.run(
            ["git", "-C", str(here), "rev-parse", "--short", "HEAD"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def read_done(folder: Path) -> dict[str, Any] | None:
    path = folder / "done.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _silent(_: str) -> None:
    pass
