"""Rejection fine-tuning: the model's own right answers to the prompts, learnt as any other text.  The same data as GRPO, without RL."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bioreason_bench.draw import Draw
from bioreason_bench.errors import UsageError
from bioreason_bench.training.data import Corpus, Mixture, choose, encode
from bioreason_bench.training.measure import complete
from bioreason_bench.training.recipe import Recipe, Source, Stage


def rft_mixture(
    model: Any,
    tokenizer: Any,
    release: Corpus,
    recipe: Recipe,
    stage: Stage,
    folder: Path,
    draw: Draw,
    say: Any,
    name: str,
) -> tuple[Mixture, dict[str, float]]:
    """Samples, keeps up to `stage.keep` different right completions a prompt, and mixes them with `stage.batch`.

    The kept samples are written to `folder`/kept.jsonl, from which an interrupted stage goes on.
    """
    rows = choose(release, stage.prompts, draw)
    path = folder / "kept.jsonl"
    if path.is_file():
        kept = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    else:
        grader = release.grader()
        say(f"{name}: sampling {len(rows)} prompts x {stage.samples}")
        kept = []
        texts = complete(
            model,
            tokenizer,
            rows,
            stage.max_completion,
            samples=stage.samples,
            temperature=stage.temperature,
            seed=recipe.seed,
            batch=512,
        )
        for row, group in zip(rows, texts, strict=True):
            right = [
                text
                for text in dict.fromkeys(text.strip() for text in group)
                if grader.grade(text, row).exact_match
            ]
            kept += [{**row, "chain": text} for text in right[: stage.keep]]
        path.with_suffix(".part").write_text(
            "".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8"
        )
        path.with_suffix(".part").rename(path)
    if not kept:
        raise UsageError(
            f"recipe {recipe.name}: none of {len(rows) * stage.samples} samples is right; start from a model that answers some questions"
        )
    say(f"{name}: kept {len(kept)} right completions of {len({row['id'] for row in kept})} prompts")
    own = Source(name="kept", rows=stage.prompts.rows)
    sources = [(own, encode(kept, "chain", tokenizer, recipe.max_length))]
    sources += [
        (source, encode(choose(release, source, draw), source.format, tokenizer, recipe.max_length))
        for source in stage.batch
    ]
    return Mixture(sources, stage.steps, draw), {
        "kept": float(len(kept)),
        "prompts_solved": float(len({row["id"] for row in kept})),
    }
