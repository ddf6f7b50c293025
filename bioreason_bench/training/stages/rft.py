"""Rejection fine-tuning: supervised training on the model's own right answers to the prompts.

It uses the same data as GRPO, without RL.
"""

from __future__ import annotations

import json

from bioreason_bench.errors import UsageError
from bioreason_bench.release.disk import write_whole
from bioreason_bench.training.checkpoints import disk_errors
from bioreason_bench.training.data import Row, StageData, encode
from bioreason_bench.training.measure import complete
from bioreason_bench.training.recipe import Source, prompts_of
from bioreason_bench.training.stages.sft import train_on
from bioreason_bench.training.stages.stage_run import StageRun


def train_rft(run: StageRun, data: StageData) -> dict[str, float]:
    """Sample answers, train on the right ones and the batch, and return the speed and counts.

    Raises:
        UsageError: No sampled answer is right.
    """
    kept = sample_right(run, data.prompts)
    if not kept:
        raise UsageError(
            f"recipe {run.recipe.name}: none of {len(data.prompts) * run.stage.samples} samples "
            "is right; start from a model that answers some questions"
        )
    solved = len({row["id"] for row in kept})
    run.log(f"{run.name}: kept {len(kept)} right completions of {solved} prompts")
    own = Source(name="kept", rows=prompts_of(run.recipe, run.stage).rows)
    encoded = encode(kept, "chain", run.tokenizer, run.recipe.max_length)
    speed = train_on(run, data.mixture.with_source(own, encoded))
    samples = len(data.prompts) * run.stage.samples
    counts = {"samples": samples, "kept": len(kept), "prompts_solved": solved}
    return {**speed, **counts}


def sample_right(run: StageRun, rows: list[Row]) -> list[Row]:
    """Up to `stage.keep` different right completions per question, as the `chain` of its row.

    They are written to kept.jsonl; a resumed stage reads them from there.
    """
    path = run.folder / "kept.jsonl"
    if path.is_file():
        try:
            return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        except ValueError:
            run.log(f"{path} is broken; the answers are sampled again")
    stage = run.stage
    grader = run.corpus.grader()
    run.log(f"{run.name}: sampling {len(rows)} prompts x {stage.samples}")
    groups = sample_answers(run, rows)
    kept = []
    for row, texts in zip(rows, groups, strict=True):
        distinct = dict.fromkeys(text.strip() for text in texts)
        right = [text for text in distinct if grader.grade(text, row).exact_match]
        kept += [{**row, "chain": text} for text in right[: stage.keep]]
    with disk_errors(path):
        write_whole(path, "".join(json.dumps(row) + "\n" for row in kept))
    return kept


def sample_answers(run: StageRun, rows: list[Row]) -> list[list[str]]:
    """The completions of an rft stage to some prompts, [prompts][samples]."""
    stage = run.stage
    return complete(
        run.model,
        run.tokenizer,
        rows,
        stage.max_completion,
        samples=stage.samples,
        temperature=stage.temperature,
        seed=run.recipe.seed,
        batch=512,
    )
