"""One stage of one run, as a value that the training functions take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench.draw import Draw
from bioreason_bench.training.data import Corpus
from bioreason_bench.training.models.lora import add_lora
from bioreason_bench.training.progress import ProgressLogger
from bioreason_bench.training.recipe import Recipe, Stage

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Log = Callable[[str], None]


@dataclass(frozen=True)
class StageRun:
    """One stage of one run: everything that training needs except the data.

    Attributes:
        model: Trained in place.
        trained: What the trainer gets: `model`, or `model` with an adapter around it (recipe.lora).
        tokenizer: Of the model.
        corpus: The release; its grader judges sampled answers.
        recipe: The whole recipe.
        stage: The stage to train.
        number: Of the stage in the recipe, from 1.
        folder: Where checkpoints, learning curve and model are written.
        draw: Source of the stage's random choices.
        progress: Bar and learning curve.
        log: Prints one line; silent in all processes but the main one.
    """

    model: PreTrainedModel
    trained: Any
    tokenizer: PreTrainedTokenizerBase
    corpus: Corpus
    recipe: Recipe
    stage: Stage
    number: int
    folder: Path
    draw: Draw
    progress: ProgressLogger
    log: Log

    @property
    def name(self) -> str:
        """The stage in words, such as "sft_comp: stage 1 of 2, sft"."""
        return stage_name(self.recipe, self.number)


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
    if stage.trl.get("gradient_checkpointing"):  # TRL turns it on later; estimates need it before
        model.gradient_checkpointing_enable()
    return StageRun(
        model=model,
        trained=add_lora(model, recipe.lora, recipe.seed) if recipe.lora else model,
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


def stage_name(recipe: Recipe, number: int) -> str:
    """A stage of a recipe in words; `number` counts from 1."""
    kind = recipe.stages[number - 1].kind
    return f"{recipe.name}: stage {number} of {len(recipe.stages)}, {kind}"
