"""Run a recipe: stage after stage, each into its own folder, resumable at any point.

The files of a run are described in run_folder.py.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench.errors import UsageError
from bioreason_bench.release.disk import write_whole
from bioreason_bench.training.checkpoints import FOLDER, disk_errors
from bioreason_bench.training.data import Corpus, StageData, prepare
from bioreason_bench.training.dry_run.trials import Trial, different_stages, dry_run
from bioreason_bench.training.interrupt import handled_by, interrupt
from bioreason_bench.training.measure import as_line, configs_to_ask, measure
from bioreason_bench.training.models import load as models
from bioreason_bench.training.models.lora import check_lora, merge_lora
from bioreason_bench.training.recipe import Recipe
from bioreason_bench.training.recipe_checks import check_trust
from bioreason_bench.training.run_folder import (
    RUN,
    check_fit,
    folder_name,
    only_one,
    open_run,
    read_done,
    read_run,
    save_model,
    stages_of_base,
    write_done,
)
from bioreason_bench.training.stages.grpo import grpo_config, train_grpo
from bioreason_bench.training.stages.memory import trim_memory
from bioreason_bench.training.stages.rft import train_rft
from bioreason_bench.training.stages.sft import sft_config, train_sft
from bioreason_bench.training.stages.stage_run import Log, StageRun, begin_stage, stage_name

if TYPE_CHECKING:
    from accelerate import PartialState

LONGEST_WAIT = timedelta(hours=12)
STAGES: dict[str, Callable[[StageRun, StageData], dict[str, float]]] = {
    "sft": train_sft,
    "rft": train_rft,
    "grpo": train_grpo,
}


def train(  # noqa: PLR0913 - what the command line takes
    recipe: Recipe,
    corpus: Corpus,
    out: Path,
    *,
    base: Path | None = None,
    resume: bool = False,
    log: Log = print,
    bar: bool = True,
    command: str = "",
    trust_remote_code: bool = False,
    wait: float = 0.0,
    try_first: bool = False,
) -> list[dict[str, Any]]:
    """Train all stages of a recipe and evaluate; returns the lines of results.jsonl.

    Args:
        recipe: What to train.
        corpus: The release to train and evaluate on.
        out: Folder of the run.
        base: A run whose first stages are those of `recipe`; they are not trained again.
        resume: Continue the run that stopped in `out`.
        log: Prints one line.
        bar: Draw progress bars.
        command: What run.json records as the command; default: that of this process.
        trust_remote_code: Allow a recipe that asks for it to run the model's own Python code.
        wait: Seconds to wait for another process that writes into `out`.
        try_first: Try each stage before the first one is trained (dry_run/).
    """
    state = _begin(recipe, trust_remote_code)
    main = state.is_main_process
    log = log if main else _silent
    taken = _checked_base(recipe, corpus, out, base)
    with only_one(out, wait) if main else nullcontext(), handled_by(interrupt):
        if try_first and not (out / RUN).exists():
            try_stages(recipe, corpus, out, taken, log)
        if main:
            open_run(recipe, corpus, out, resume=resume, command=command, base=base, log=log)
        state.wait_for_everyone()
        results: list[dict[str, Any]] = []
        previous = taken[-1] if taken else None  # folder of the stage before
        for number in range(len(taken) + 1, len(recipe.stages) + 1):
            folder = out / folder_name(recipe, number)
            done = read_done(folder, log)
            if done is not None:
                log(f"{stage_name(recipe, number)}: already complete")
            else:
                done = make_stage(recipe, corpus, out, previous, number, bar=bar, log=log)
                trim_memory()
            previous = folder
            if done is not None:
                results += result_lines(recipe, number, done)
        if main:
            text = "".join(json.dumps(line) + "\n" for line in results)
            with disk_errors(out):
                write_whole(out / "results.jsonl", text)
    return results


def _begin(recipe: Recipe, trust_remote_code: bool) -> PartialState:
    """The processes that train together; MissingExtra or UsageError if training cannot begin."""
    models.need_training()
    models.quiet()
    import torch
    from accelerate import PartialState

    check_trust(recipe.model, trust_remote_code, f"recipe {recipe.name}")
    # One process evaluates while the others wait, for longer than the ten minutes of NCCL.
    return PartialState(cpu=not torch.cuda.is_available(), timeout=LONGEST_WAIT)


def _checked_base(recipe: Recipe, corpus: Corpus, out: Path, base: Path | None) -> list[Path]:
    """The folders of the stages that are taken from a base; all others are checked."""
    check_fit(recipe, corpus)
    taken = stages_of_base(recipe, corpus, base) if base else []
    check_stages(recipe, out, first=len(taken) + 1)
    return taken


def try_recipe(
    recipe: Recipe,
    corpus: Corpus,
    out: Path,
    *,
    base: Path | None = None,
    log: Log = print,
    trust_remote_code: bool = False,
) -> list[Trial]:
    """Try every stage that `train` would train, and train none; takes the same arguments."""
    state = _begin(recipe, trust_remote_code)
    taken = _checked_base(recipe, corpus, out, base)
    with only_one(out) if state.is_main_process else nullcontext(), handled_by(interrupt):
        return try_stages(recipe, corpus, out, taken, log if state.is_main_process else _silent)


def try_recipes(recipes: Sequence[Recipe], corpus: Corpus, out: Path, log: Log) -> list[Trial]:
    """Try the stages of many recipes, each different one once."""
    models.need_training()
    models.quiet()
    for recipe in recipes:
        check_fit(recipe, corpus)
        check_stages(recipe, out, first=1)
    return [
        trial
        for recipe, numbers in different_stages(recipes)
        for trial in dry_run(recipe, corpus, out, numbers, log=log)
    ]


def try_stages(
    recipe: Recipe, corpus: Corpus, out: Path, taken: list[Path], log: Log
) -> list[Trial]:
    """Try the stages after those that were taken from another run."""
    numbers = range(len(taken) + 1, len(recipe.stages) + 1)
    return dry_run(recipe, corpus, out, numbers, start=taken[-1] if taken else None, log=log)


def check_stages(recipe: Recipe, out: Path, first: int) -> None:
    """Have TRL check the options of all stages from `first` on, before the first one is trained.

    Raises:
        UsageError: It rejects one, or a library that an option needs is not installed.
        MissingExtra: `lora` needs peft.
    """
    check_lora(recipe, is_sharded())
    for number in range(first, len(recipe.stages) + 1):
        stage, folder = recipe.stages[number - 1], out / folder_name(recipe, number)
        if stage.kind == "grpo":
            grpo_config(recipe, stage, folder)
        else:
            sft_config(recipe, stage, folder)
        for option, module in (("use_vllm", "vllm"), ("deepspeed", "deepspeed")):
            if stage.trl.get(option) and find_spec(module) is None:
                raise UsageError(
                    f"recipe {recipe.name}: stage {number}: trl.{option} needs {module}, which is "
                    f"not installed; install it with: pip install {module}"
                )
        if stage.beta and number == 1 and "from_scratch" in recipe.model:
            raise UsageError(
                f"recipe {recipe.name}: stage 1: beta needs a model to stay close to; "
                "train an sft stage first"
            )


def make_stage(
    recipe: Recipe,
    corpus: Corpus,
    out: Path,
    previous: Path | None,
    number: int,
    *,
    bar: bool,
    log: Log,
) -> dict[str, Any] | None:
    """Train, save and evaluate one stage; the main process gets the content of its done.json.

    The model is loaded from the files of the stage before, even if this process has just trained
    it.  So an uninterrupted run takes the way of a resumed one: nothing that a trainer left on the
    model (accelerate's autocast, its marks, the dtype) can make the next stage another.
    """
    from accelerate import PartialState

    state = PartialState()
    if previous:
        model, tokenizer = models.load(previous, models.options_of(recipe))
    else:
        revision = str(read_run(out).get("model_revision", ""))
        model, tokenizer = models.start(
            recipe, corpus, trust_remote_code=True, revision=revision
        )  # trust was checked by `train`
    folder = out / folder_name(recipe, number)
    if state.is_main_process:
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
    state.wait_for_everyone()
    run = begin_stage(model, tokenizer, corpus, recipe, number, folder, bar=bar, log=log)
    speed = train_stage(run)
    if is_sharded():
        state.wait_for_everyone()
        model, tokenizer = models.load(folder, models.options_of(recipe))
        model.to(state.device)
        run = replace(run, model=model, tokenizer=tokenizer)
    done = finish_stage(run, speed) if state.is_main_process else None
    state.wait_for_everyone()
    return done


def train_stage(run: StageRun) -> dict[str, float]:
    """Prepare the data of a stage, train on it, and return the speed."""
    import torch

    torch.manual_seed(run.recipe.seed)
    data = prepare(run.corpus, run.stage, run.tokenizer, run.recipe.max_length, run.draw)
    speed = STAGES[run.stage.kind](run, data)
    if run.recipe.lora:
        merge_lora(run.trained)
    return speed


def finish_stage(run: StageRun, speed: dict[str, float]) -> dict[str, Any]:
    """Save the model, evaluate it if it is time to, and write done.json; returns its content."""
    save_model(run.model, run.tokenizer, run.folder)
    done: dict[str, Any] = {
        "stage": run.number,
        "kind": run.stage.kind,
        "steps": run.stage.steps,
        "parameters": run.model.num_parameters(),
        **speed,
    }
    if run.number == len(run.recipe.stages) or run.recipe.evaluate.get("each_stage"):
        done["results"] = evaluate(run)
    write_done(run.folder, done)
    shutil.rmtree(run.folder / FOLDER, ignore_errors=True)
    return done


def evaluate(run: StageRun) -> list[dict[str, Any]]:
    """Score the model on the test sets that the recipe names, or on all of the release."""
    options = run.recipe.evaluate
    split = options["split"]
    summaries = measure(
        run.model,
        run.tokenizer,
        run.corpus,
        configs_to_ask(options, run.corpus),
        split=split,
        limit=options["limit"],
        batch=options["batch"],
        out=run.folder / split,
    )
    for summary in summaries:
        run.log(f"{run.name}: {as_line(summary)}")
    return summaries


def result_lines(recipe: Recipe, number: int, done: dict[str, Any]) -> list[dict[str, Any]]:
    """The lines of results.jsonl for one stage."""
    kind = recipe.stages[number - 1].kind
    about = {"run": recipe.name, "seed": recipe.seed, "stage": number, "kind": kind}
    return [{**about, **summary} for summary in done.get("results", [])]


def is_sharded() -> bool:
    """Whether the weights are spread over devices, by accelerate's FSDP or DeepSpeed."""
    names = ("ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED")
    return any(os.environ.get(name, "").lower() in ("1", "true") for name in names)


def _silent(_: str) -> None:
    pass
