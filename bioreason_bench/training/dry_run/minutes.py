"""How long a stage should take, from a few batches of ordinary texts on this machine now."""

from __future__ import annotations

import time
from dataclasses import replace

from bioreason_bench.training.data import Mixture, Row, encode, prompt_of
from bioreason_bench.training.measure import (
    complete,
    configs_to_ask,
    longest_completion,
    questions_of,
)
from bioreason_bench.training.models.load import choose_bf16
from bioreason_bench.training.recipe import Source, prompts_of
from bioreason_bench.training.speed import expected_minutes, rollout_seconds
from bioreason_bench.training.stages.stage_run import StageRun

TYPICAL = 64  # texts of a source that the duration is estimated from


def stage_minutes(run: StageRun, texts: dict[Source, list[Row]], prompts: list[Row]) -> float:
    """Minutes that training a stage should take.

    Args:
        run: The stage.
        texts: Those of each source of its batch.
        prompts: Those that it samples answers to.
    """
    stage = run.stage
    sources = dict(texts)
    minutes = 0.0
    if stage.kind == "rft":
        minutes = sampling_seconds(run, prompts, TYPICAL) * len(prompts) / TYPICAL / 60
        sources[replace(prompts_of(run.recipe, stage), format="chain")] = prompts
    elif stage.kind == "grpo":  # learning from the samples takes about as long as drawing them
        per_step = prompts_of(run.recipe, stage).rows
        minutes = 2 * sampling_seconds(run, prompts, per_step) * stage.steps / 60
    return minutes + (learning_minutes(run, sources) if sources else 0.0)


def learning_minutes(run: StageRun, texts: dict[Source, list[Row]]) -> float:
    """Minutes of the forward and backward passes over some texts."""
    longest = run.recipe.max_length
    encoded = [
        (source, encode(spread(rows, TYPICAL), source.format, run.tokenizer, longest))
        for source, rows in texts.items()
    ]
    mixture = Mixture(encoded, run.stage.steps, run.draw)
    return expected_minutes(
        run.model, run.tokenizer, mixture, run.recipe, accumulate=run.stage.accumulate
    )


def sampling_seconds(run: StageRun, prompts: list[Row], count: int) -> float:
    """Seconds in which the samples of a stage to `count` prompts are drawn.

    A model that has learnt nothing never ends a text: each is cut where the gold chains end.
    """
    asked = spread(prompts, count)
    chains = longest_completion(run.tokenizer, asked, slack=1.0)
    cut = replace(run.stage, max_completion=min(run.stage.max_completion, chains))
    texts = [prompt_of(row) for row in asked]
    seconds = rollout_seconds(run.model, run.tokenizer, texts, cut, choose_bf16(run.recipe))
    return seconds * count / len(asked)


def evaluation_minutes(run: StageRun) -> float:
    """Minutes that the answers to the recipe's test sets should take, from those to some of one."""
    options = run.recipe.evaluate
    configs = configs_to_ask(options, run.corpus)
    if not configs:
        return 0.0
    sets = [questions_of(run.corpus, name, options["split"], options["limit"]) for name in configs]
    largest = max(sets, key=len)
    asked = spread(largest, min(TYPICAL, options["batch"]))
    begun = time.perf_counter()
    chains = longest_completion(run.tokenizer, asked, slack=1.0)
    complete(run.model, run.tokenizer, asked, chains, batch=options["batch"])
    seconds = (time.perf_counter() - begun) / len(asked)
    return seconds * sum(map(len, sets)) / 60


def spread(rows: list[Row], count: int) -> list[Row]:
    """Some `count` of the rows, evenly spread; all if there are fewer."""
    return rows[:: max(1, len(rows) // count)][:count]
