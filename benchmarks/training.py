"""TRL stages against bare PyTorch loops: same nano model, data and batches, one thread, one run.

    OMP_NUM_THREADS=1 python benchmarks/training.py [--steps 40] [--grpo-steps 8] [--json]

The bare loops compute what the stages compute and nothing else: packed batches, AdamW, clipping;
for GRPO sampling with a cache, the outcome reward, group-normalized advantages, the loss over
samples that have an advantage, and replay.  The aim is a ratio below 2.  With --two, two processes
at a time show what a second core brings.
"""

from __future__ import annotations

import argparse
import copy
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
from bioreason_bench.grading.rewards import COLUMNS, outcome
from bioreason_bench.training.data import IGNORE, Corpus, prepare, prompt_of
from bioreason_bench.training.models import load as models
from bioreason_bench.training.models.sample import sample
from bioreason_bench.training.packing import Collate
from bioreason_bench.training.recipe import load_recipe
from bioreason_bench.training.run import begin_stage
from bioreason_bench.training.speed import bare_loss
from bioreason_bench.training.stages.grpo import train_grpo
from bioreason_bench.training.stages.sft import train_sft


def silent(_: str) -> None:
    pass


def stage_and_data(recipe, number: int, model, tokenizer, corpus: Corpus, folder: Path):
    """(StageRun, StageData) of a stage of the recipe."""
    folder.mkdir(parents=True, exist_ok=True)
    run = begin_stage(model, tokenizer, corpus, recipe, number, folder, log=silent)
    return run, prepare(corpus, run.stage, tokenizer, recipe.max_length, run.draw)


def adamw(model, stage, weight_decay: float):
    return torch.optim.AdamW(
        model.parameters(),
        lr=stage.learning_rate,
        betas=stage.betas,
        weight_decay=weight_decay,
        fused=True,
    )


def bare_sft(run, mixture, use_bf16: bool) -> tuple[float, int]:
    """Seconds and tokens of the stage as a plain loop."""
    collate = Collate(run.tokenizer.pad_token_id, packed=True)
    optimizer = adamw(run.model, run.stage, run.stage.weight_decay)
    tokens, begun = 0, time.perf_counter()
    run.model.train()
    for step in range(mixture.steps):
        items = mixture.step_items(step)
        tokens += sum(len(item["input_ids"]) for item in items)
        bare_loss(run.model, collate(items), use_bf16).backward()
        torch.nn.utils.clip_grad_norm_(run.model.parameters(), run.stage.clip)
        optimizer.step()
        optimizer.zero_grad()
    return time.perf_counter() - begun, tokens


def bare_grpo(run, data, use_bf16: bool) -> float:
    """Seconds of the stage as a plain loop."""
    stage, collate = run.stage, Collate(run.tokenizer.pad_token_id, packed=True)
    optimizer = adamw(run.model, stage, 0.0)
    begun = time.perf_counter()
    for step in range(stage.steps):
        rows = data.prompts[step * stage.prompts.rows : (step + 1) * stage.prompts.rows]
        items, advantages, tokens = rollout(run, rows, step, use_bf16)
        run.model.train()
        loss = torch.zeros(())
        if items:
            loss = policy_loss(run, items, advantages, tokens, use_bf16)
        replay = bare_loss(run.model, collate(data.mixture.step_items(step)), use_bf16)
        (loss + replay).backward()
        torch.nn.utils.clip_grad_norm_(run.model.parameters(), stage.clip)
        optimizer.step()
        optimizer.zero_grad()
    return time.perf_counter() - begun


def rollout(run, rows, seed: int, use_bf16: bool):
    """Samples with an advantage as items, their advantages, and the tokens of all samples."""
    stage, tokenizer = run.stage, run.tokenizer
    prompts = tokenizer([prompt_of(row) for row in rows], add_special_tokens=False)["input_ids"]
    with torch.autocast("cpu", torch.bfloat16, enabled=use_bf16):
        groups = sample(
            run.model,
            prompts,
            ends=[tokenizer.eos_token_id],
            max_new=stage.max_completion,
            samples=stage.samples,
            temperature=1.0,
            seed=seed,
        )
    texts = tokenizer.batch_decode(
        [text for group in groups for text in group], skip_special_tokens=True
    )
    columns = {name: [row[name] for row in rows for _ in range(stage.samples)] for name in COLUMNS}
    reward = np.array(outcome(texts, **columns)).reshape(-1, stage.samples)
    spread = reward.std(1, ddof=1, keepdims=True) + 1e-4
    advantage = (reward - reward.mean(1, keepdims=True)) / spread  # [prompts, samples]
    items, advantages = [], []
    for prompt, group, values in zip(prompts, groups, advantage, strict=True):
        for text, value in zip(group, values, strict=True):
            if abs(value) > 1e-8:
                labels = [IGNORE] * len(prompt) + text
                items.append({"input_ids": prompt + text, "labels": labels})
                advantages.append(float(value))
    return items, advantages, sum(len(text) for group in groups for text in group)


def policy_loss(run, items, advantages, tokens: int, use_bf16: bool):
    batch = Collate(run.tokenizer.pad_token_id, packed=False)(items)
    labels = batch.pop("labels")[:, 1:]
    mask = labels != IGNORE
    with torch.autocast("cpu", torch.bfloat16, enabled=use_bf16):
        hidden = run.model.base_model(**batch, use_cache=False).last_hidden_state[:, :-1]
        logits = run.model.lm_head(hidden[mask])
    scores = logits.float().log_softmax(-1).gather(-1, labels[mask][:, None])[:, 0]
    weights = torch.tensor(advantages)[:, None].expand(labels.shape)[mask]
    return -(scores * weights).sum() / tokens


def measure(corpus: Corpus, steps: int, grpo_steps: int, warm_steps: int) -> dict[str, float]:
    """Seconds per step of both kinds of loops; as in a recipe, GRPO starts from a trained model."""
    settings = {
        "sft.steps": str(steps),
        "grpo.steps": str(grpo_steps),
        "sft.matrix_learning_rate": "0",
    }
    recipe = load_recipe("sft_mem_ctx+grpo", settings)
    use_bf16 = models.choose_bf16(recipe)
    measured: dict[str, float] = {"bf16": float(use_bf16)}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)

        def fresh(number: int, name: str, chosen=recipe, model=None):
            started, tokenizer = models.start(chosen, corpus)
            return stage_and_data(
                chosen, number, model or started, tokenizer, corpus, folder / name
            )

        # The first loop of a process is slower.
        short = load_recipe("sft_mem_ctx", {"sft.steps": "3"})
        run, data = fresh(2, "first", short)
        bare_sft(run, data.mixture, use_bf16)
        run, data = fresh(2, "bare")
        seconds, tokens = bare_sft(run, data.mixture, use_bf16)
        trl = train_sft(*fresh(2, "trl"))
        measured |= {
            "sft_bare_seconds_per_step": seconds / steps,
            "sft_trl_seconds_per_step": trl["seconds"] / steps,
            "sft_bare_tokens_per_second": tokens / seconds,
            "sft_trl_tokens_per_second": trl["tokens_per_second"],
            "sft_ratio": trl["seconds"] / seconds,
        }
        warm = load_recipe("sft_mem_ctx", {"sft.steps": str(max(1, warm_steps))})
        run, data = fresh(2, "warm", warm)
        if warm_steps:
            train_sft(run, data)
        seconds = bare_grpo(*fresh(3, "bare-grpo", model=copy.deepcopy(run.model)), use_bf16)
        trl = train_grpo(*fresh(3, "trl-grpo", model=copy.deepcopy(run.model)))
        measured |= {
            "grpo_bare_seconds_per_step": seconds / grpo_steps,
            "grpo_trl_seconds_per_step": trl["seconds"] / grpo_steps,
            "grpo_ratio": trl["seconds"] / seconds,
        }
    return {name: round(value, 4) for name, value in measured.items()}


def two_processes(arguments: list[str]) -> dict[str, float]:
    """The same run once alone and twice at a time: how much more is done with a second core."""
    argv = [sys.executable, __file__, "--json", *arguments]
    alone = json.loads(subprocess.run(argv, capture_output=True, text=True, check=True).stdout)
    processes = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    pair = [json.loads(process.communicate()[0]) for process in processes]
    key = "sft_trl_tokens_per_second"
    together = sum(run[key] for run in pair)
    return {
        "alone_tokens_per_second": alone[key],
        "two_tokens_per_second": together,
        "gain": together / alone[key],
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
        help="SFT steps before GRPO is timed; after 400 the model answers about half",
    )
    parser.add_argument("--two", action="store_true", help="also two processes at a time")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    models.quiet()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "nano"
        generate(load_preset("nano"), folder)
        measured = measure(Corpus(folder), options.steps, options.grpo_steps, options.warm_steps)
    if options.two:
        measured |= two_processes(["--steps", str(options.steps), "--grpo-steps", "1"])
    if options.json:
        print(json.dumps(measured))
        return
    for name, value in measured.items():
        print(f"{name:<32}{value:>12,.3f}")


if __name__ == "__main__":
    main()
