"""Run a recipe: stage after stage, each into its own folder, resumable at any point.

The files of a run are described in run_folder.py.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench.draw import Draw
from bioreason_bench.training.data import Corpus, StageData, prepare
from bioreason_bench.training.measure import as_line, configs_of, measure
from bioreason_bench.training.models import load as models
from bioreason_bench.training.progress import ProgressLogger
from bioreason_bench.training.recipe import Recipe
from bioreason_bench.training.run_folder import (
    check_fit,
    folder_name,
    open_run,
    read_done,
    save_model,
    stages_of_base,
)
from bioreason_bench.training.stages.grpo import train_grpo
from bioreason_bench.training.stages.rft import train_rft
from bioreason_bench.training.stages.sft import train_sft
from bioreason_bench.training.stages.stage_run import Log, StageRun, stage_name

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

STAGES: dict[str, Callable[[StageRun, StageData], dict[str, float]]] = {
    "sft": train_sft,
    "rft": train_rft,
    "grpo": train_grpo,
}


def train(
    recipe: Recipe,
    corpus: Corpus,
    out: Path,
    *,
    base: Path | None = None,
    resume: bool = False,
    log: Log = print,
    bar: bool = True,
    command: str = "",
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
    """
    models.need_training()
    models.quiet()
    import torch
    from accelerate import PartialState

    state = PartialState(cpu=not torch.cuda.is_available())
    main = state.is_main_process
    log = log if main else _silent
    check_fit(recipe, corpus)
    taken = stages_of_base(recipe, corpus, base) if base else []
    if main:
        open_run(recipe, corpus, out, resume=resume, command=command, base=base)
    state.wait_for_everyone()
    model = tokenizer = None
    results: list[dict[str, Any]] = []
    previous = taken[-1] if taken else None  # folder of the stage before
    for number in range(len(taken) + 1, len(recipe.stages) + 1):
        folder = out / folder_name(recipe, number)
        done = read_done(folder)
        if done is not None:
            log(f"{stage_name(recipe, number)}: already complete")
        else:
            if model is None or tokenizer is None:
                model, tokenizer = (
                    models.load(previous) if previous else models.start(recipe, corpus)
                )
            if main:
                folder.mkdir(parents=True, exist_ok=True)
            state.wait_for_everyone()
            run = begin_stage(model, tokenizer, corpus, recipe, number, folder, bar=bar, log=log)
            speed = train_stage(run)
            if is_sharded():
                state.wait_for_everyone()
                model, tokenizer = models.load(folder)
                run = replace(run, model=model, tokenizer=tokenizer)
            if main:
                done = finish_stage(run, speed)
            state.wait_for_everyone()
        previous = folder
        if done is not None:
            results += result_lines(recipe, number, done)
    if main:
        text = "".join(json.dumps(line) + "\n" for line in results)
        (out / "results.jsonl").write_text(text, encoding="utf-8")
    return results


def begin_stage(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    corpus: Corpus,
    recipe: Recipe,
    number: int,
    folder: Path,
    *,
    bar: bool = False,
    log: Log = print,
) -> StageRun:
    """One stage of a run as a value; `number` counts from 1."""
    stage = recipe.stages[number - 1]
    path = folder / "log.jsonl"
    return StageRun(
        model=model,
        tokenizer=tokenizer,
        corpus=corpus,
        recipe=recipe,
        stage=stage,
        number=number,
        folder=folder,
        draw=Draw(recipe.seed, ("stage", str(number), stage.kind)),
        progress=ProgressLogger(stage_name(recipe, number), stage.steps, path, bar),
        log=log,
    )


def train_stage(run: StageRun) -> dict[str, float]:
    """Prepare the data of a stage, train on it, and return the speed."""
    import torch

    torch.manual_seed(run.recipe.seed)
    data = prepare(run.corpus, run.stage, run.tokenizer, run.recipe.max_length, run.draw)
    return STAGES[run.stage.kind](run, data)


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
    (run.folder / "done.json").write_text(json.dumps(done, indent=1), encoding="utf-8")
    shutil.rmtree(run.folder / "checkpoints", ignore_errors=True)
    return done


def evaluate(run: StageRun) -> list[dict[str, Any]]:
    """Score the model on the test sets that the recipe names, or on all of the release."""
    options = run.recipe.evaluate
    split = options["split"]
    summaries = measure(
        run.model,
        run.tokenizer,
        run.corpus,
        list(options.get("configs") or configs_of(run.corpus, split)),
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
