"""One stage of one run, as a value that the training functions take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bioreason_bench.draw import Draw
from bioreason_bench.training.data import Corpus
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


def stage_name(recipe: Recipe, number: int) -> str:
    """A stage of a recipe in words; `number` counts from 1."""
    kind = recipe.stages[number - 1].kind
    return f"{recipe.name}: stage {number} of {len(recipe.stages)}, {kind}"
