"""TRL stages against a bare PyTorch loop: same nano model, same data, same batches, one thread, one after the other in one run.

    OMP_NUM_THREADS=1 python benchmarks/training.py [--steps 40] [--grpo-steps 8] [--json]

The bare loops hold what the stages compute and nothing else: packed batches, AdamW, clipping; for GRPO sampling with a cache, the
outcome reward, group-normalised advantages, the loss over samples that have an advantage, and replay.  The aim is a ratio below 2.
Two arms side by side (--two) show what a second core brings.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from bioreason_bench.build import generate
from bioreason_bench.config import load_preset
from bioreason_bench.draw import Draw
from bioreason_bench.grading.rewards import outcome
from bioreason_bench.training.data import Corpus, make_mixture
from bioreason_bench.training.models import load as models
from bioreason_bench.training.models.sample import sample
from bioreason_bench.training.packing import Collate
from bioreason_bench.training.progress import Watch
from bioreason_bench.training.recipe import load_recipe
from bioreason_bench.training.speed import bare_loss
from bioreason_bench.training.stages.grpo import prompts_in_order, train_grpo
from bioreason_bench.training.stages.sft import train_sft

COLUMNS = ("question", "context", "chain", "answer", "entities", "path")


def bare_sft(model, tokenizer, mixture, stage, half: bool) -> tuple[float, int]:
    """Seconds and tokens of the stage as a plain loop."""
    collate = Collate(tokenizer.pad_token_id, packed=True)
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=stage.learning_rate,
        betas=stage.betas,
        weight_decay=stage.weight_decay,
        fused=True,
    )
    tokens, begun = 0, time.perf_counter()
    model.train()
    for step in range(stage.steps):
        items = [mixture[step * mixture.step_rows + row] for row in range(mixture.step_rows)]
        tokens += sum(len(item["input_ids"]) for item in items)
        bare_loss(model, collate(items), half).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), stage.clip)
        optimizer.step()
        optimizer.zero_grad()
    return time.perf_counter() - begun, tokens


def bare_grpo(model, tokenizer, corpus, replay, stage, half: bool, draw: Draw) -> float:
    """Seconds of the stage as a plain loop."""
    rows = prompts_in_order(corpus, stage, draw)
    ids = tokenizer([row["prompt"] for row in rows], add_special_tokens=False)["input_ids"]
    collate, end = Collate(tokenizer.pad_token_id, packed=True), tokenizer.eos_token_id
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=stage.learning_rate, betas=stage.betas, weight_decay=0.0, fused=True
    )
    begun = time.perf_counter()
    for step in range(stage.steps):
        here = range(step * stage.prompts.rows, (step + 1) * stage.prompts.rows)
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            groups = sample(
                model,
                [ids[i] for i in here],
                ends=[end],
                max_new=stage.max_completion,
                samples=stage.samples,
                temperature=1.0,
                seed=step,
            )
        texts = tokenizer.batch_decode(
            [text for group in groups for text in group], skip_special_tokens=True
        )
        columns = {
            name: [rows[i][name] for i in here for _ in range(stage.samples)] for name in COLUMNS
        }
        reward = np.array(outcome(texts, **columns)).reshape(-1, stage.samples)
        advantage = (reward - reward.mean(1, keepdims=True)) / (
            reward.std(1, ddof=1, keepdims=True) + 1e-4
        )
        total = sum(len(text) for group in groups for text in group)
        items, worth = [], []
        for i, group, values in zip(here, groups, advantage, strict=True):
            for text, value in zip(group, values, strict=True):
                if abs(value) > 1e-8:
                    items.append(
                        {"input_ids": ids[i] + text, "labels": [-100] * len(ids[i]) + text}
                    )
                    worth.append(float(value))
        model.train()
        loss = torch.zeros(())
        if items:
            batch = Collate(tokenizer.pad_token_id, packed=False)(items)
            labels = batch.pop("labels")[:, 1:]
            with torch.autocast("cpu", torch.bfloat16, enabled=half):
                hidden = model.base_model(**batch, use_cache=False).last_hidden_state[:, :-1]
                logits = model.lm_head(hidden[labels != -100])
            scores = (
                logits.float().log_softmax(-1).gather(-1, labels[labels != -100][:, None])[:, 0]
            )
            weights = torch.tensor(worth)[:, None].expand(labels.shape)[labels != -100]
            loss = -(scores * weights).sum() / total
        again = [replay[step * replay.step_rows + row] for row in range(replay.step_rows)]
        (loss + bare_loss(model, collate(again), half)).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), stage.clip)
        optimizer.step()
        optimizer.zero_grad()
    return time.perf_counter() - begun


def measure(corpus: Corpus, steps: int, grpo_steps: int, warm_steps: int) -> dict[str, float]:
    """Seconds a step of both kinds of loop; GRPO starts from a model that SFT has warmed, as in a recipe."""
    settings = {
        "sft.steps": str(steps),
        "grpo.steps": str(grpo_steps),
        "sft.matrix_learning_rate": "0",
    }
    recipe = load_recipe("sft_mem_ctx_grpo", settings)
    half = models.native_bf16() if recipe.bf16 is None else recipe.bf16
    sft, grpo = recipe.stages
    draw = Draw(0, ("benchmark",))
    model, tokenizer = models.start(recipe, corpus)
    mixture = make_mixture(corpus, sft.batch, steps, tokenizer, recipe.max_length, draw)
    bare_sft(
        model,
        tokenizer,
        make_mixture(corpus, sft.batch, 3, tokenizer, recipe.max_length, draw),
        load_recipe("sft_mem_ctx", {"sft.steps": "3"}).stages[0],
        half,
    )
    found: dict[str, float] = {"bf16": float(half)}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        seconds, tokens = bare_sft(models.start(recipe, corpus)[0], tokenizer, mixture, sft, half)
        trl = train_sft(
            models.start(recipe, corpus)[0],
            tokenizer,
            mixture,
            recipe,
            sft,
            folder / "sft",
            Watch("sft", steps, folder / "a.jsonl", False),
        )
        found |= {
            "sft_bare_seconds_per_step": seconds / steps, "sft_trl_seconds_per_step": trl["seconds"] / steps,
            "sft_bare_tokens_per_second": tokens / seconds, "sft_trl_tokens_per_second": trl["tokens_per_second"],
            "sft_ratio": trl["seconds"] / seconds,
        }  # fmt: skip
        if warm_steps:
            warm = load_recipe("sft_mem_ctx", {"sft.steps": str(warm_steps)})
            long = make_mixture(
                corpus, warm.stages[0].batch, warm_steps, tokenizer, recipe.max_length, draw
            )
            train_sft(
                model,
                tokenizer,
                long,
                warm,
                warm.stages[0],
                folder / "warm",
                Watch("warm", warm_steps, folder / "c.jsonl", False),
            )
        model.save_pretrained(folder / "start")
        replay = make_mixture(corpus, grpo.batch, grpo_steps, tokenizer, recipe.max_length, draw)
        plain, again = (_load(folder / "start") for _ in range(2))
        seconds = bare_grpo(plain, tokenizer, corpus, replay, grpo, half, draw)
        watch = Watch("grpo", grpo_steps, folder / "b.jsonl", False)
        trl = train_grpo(
            again, tokenizer, corpus, replay, recipe, grpo, folder / "grpo", watch, draw
        )
        found |= {
            "grpo_bare_seconds_per_step": seconds / grpo_steps, "grpo_trl_seconds_per_step": trl["seconds"] / grpo_steps,
            "grpo_ratio": trl["seconds"] / seconds,
        }  # fmt: skip
    return {name: round(value, 4) for name, value in found.items()}


def _load(folder: Path):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder)


def two_arms(arguments: list[str]) -> dict[str, float]:
    """The same run once alone and twice at a time: how much more is done with a second core."""
    words = [sys.executable, __file__, "--json", *arguments]
    alone = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    both = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    pair = [json.loads(process.communicate()[0]) for process in both]
    key = "sft_trl_tokens_per_second"
    return {
        "alone_tokens_per_second": alone[key],
        "two_tokens_per_second": sum(run[key] for run in pair),
        "gain": sum(run[key] for run in pair) / alone[key],
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--grpo-steps", type=int, default=8)
    parser.add_argument(
        "--warm-steps",
        type=int,
        default=0,
        help="SFT steps before GRPO is timed; 400 make it answer about half",
    )
    parser.add_argument("--two", action="store_true", help="also two arms side by side")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    models.quiet()
    with tempfile.TemporaryDirectory() as place:
        generate(load_preset("nano"), Path(place) / "nano")
        found = measure(
            Corpus(Path(place) / "nano"), given.steps, given.grpo_steps, given.warm_steps
        )
    if given.two:
        found |= two_arms(["--steps", str(given.steps), "--grpo-steps", "1"])
    if given.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:<32}{value:>12,.3f}")


if __name__ == "__main__":
    main()
