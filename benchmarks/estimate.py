"""Estimate memory and hours of recipes on GPUs, from the recipe and the token counts of a release.

    python benchmarks/estimate.py qwen/sft_comp_1_5b qwen/sft_mem_ctx_1_5b+grpo \
        --data releases/paper-42 --tokenizer Qwen/Qwen2.5-1.5B --gpus 1 8

No model is loaded and none is run: the figures are arithmetic on the assumptions in `Assumed`,
which options change.  Token counts are measured, on SAMPLE texts of each source.  On the machine
itself `bioreason-baseline train RECIPE --dry-run` measures memory and time.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bioreason_bench.draw import Draw
from bioreason_bench.training.data import Corpus, choose, completion_of, prompt_of
from bioreason_bench.training.measure import configs_of
from bioreason_bench.training.recipe import Recipe, Source, Stage, load_recipe, parts_of_step

SAMPLE = 512  # texts of a source that are tokenized
QWEN = {  # hidden, layers, MLP, heads, key-value heads of the published configurations
    "Qwen/Qwen2.5-0.5B": (896, 24, 4864, 14, 2),
    "Qwen/Qwen2.5-1.5B": (1536, 28, 8960, 12, 2),
    "Qwen/Qwen2.5-3B": (2048, 36, 11008, 16, 2),
}
QWEN_VOCABULARY = 151_936
GIB = 2**30


@dataclass(frozen=True)
class Assumed:
    """What the estimate rests on.

    Attributes:
        peak: Dense bfloat16 FLOP/s of a GPU (H100 SXM: 989e12 by its data sheet).
        utilisation: Share of the peak that training reaches; 0.3 to 0.4 is usual for a model of
            1B parameters and more in transformers, less for small ones.
        bandwidth: Bytes/s of the GPU's memory (H100 SXM: 3.35e12).
        decode: Share of the bandwidth that decoding reaches.
        launch: Seconds that one decoding step takes at least, per layer: kernels are started one by
            one.  vLLM's CUDA graphs take about a tenth.
        scaling: Share of N times the speed that N GPUs reach.
    """

    peak: float
    utilisation: float
    bandwidth: float
    decode: float
    launch: float
    scaling: float


@dataclass(frozen=True)
class Shape:
    """Sizes of a model.

    Attributes:
        hidden: Width.
        layers: Their number.
        body: Parameters in the layers.
        vocabulary: Tokens.
        kv: Numbers per token and layer in the key-value cache.
    """

    hidden: int
    layers: int
    body: int
    vocabulary: int
    kv: int

    @property
    def parameters(self) -> int:
        return self.body + self.vocabulary * self.hidden  # embeddings are tied


@dataclass(frozen=True)
class Lengths:
    """Tokens of a source, one entry for each sampled text: all of it, and what is learnt."""

    total: np.ndarray
    learnt: np.ndarray


def shape_of(recipe: Recipe, vocabulary: int) -> Shape:
    """Sizes of the recipe's model."""
    if "name" in recipe.model:
        if recipe.model["name"] not in QWEN:
            raise SystemExit(f"{recipe.model['name']}: known are {', '.join(QWEN)} and new Llamas")
        hidden, layers, mlp, heads, groups = QWEN[recipe.model["name"]]
        vocabulary = QWEN_VOCABULARY
    else:
        made = recipe.model["from_scratch"]
        hidden, layers = made["hidden_size"], made["num_hidden_layers"]
        mlp, heads = made["intermediate_size"], made["num_attention_heads"]
        groups = made.get("num_key_value_heads", heads)
    kv = 2 * groups * hidden // heads
    body = layers * (2 * hidden * hidden + hidden * kv + 3 * hidden * mlp)
    return Shape(hidden, layers, body, vocabulary, kv)


def lengths_of(corpus: Corpus, source: Source, tokenizer: Any) -> Lengths:
    """Measure the texts of a source."""
    rows = choose(corpus, source, Draw(0))
    chosen = Draw(0, ("estimate", source.name)).permutation(len(rows))[:SAMPLE].tolist()
    sample = [rows[index] for index in chosen]
    if "text" in sample[0]:
        learnt = counts(tokenizer, [row["text"] for row in sample])
        return Lengths(learnt, learnt)
    learnt = counts(tokenizer, [completion_of(row, source.format) for row in sample])
    return Lengths(learnt + counts(tokenizer, [prompt_of(row) for row in sample]), learnt)


def counts(tokenizer: Any, texts: list[str]) -> np.ndarray:
    return np.array([len(ids) + 1 for ids in tokenizer(texts)["input_ids"]])


def padded(lengths: list[np.ndarray], rows: list[int], parts: int, packed: bool) -> float:
    """Tokens of a step with their padding, each of `parts` padded to its own longest text."""
    draw = np.random.default_rng(0)
    totals = []
    for _ in range(50):
        drawn = zip(lengths, rows, strict=True)
        texts = np.concatenate([draw.choice(length, count) for length, count in drawn])
        draw.shuffle(texts)
        groups = np.array_split(texts, parts)
        totals.append(sum(g.sum() if packed else g.max() * len(g) for g in groups if len(g)))
    return float(np.mean(totals))


def learning_flops(shape: Shape, tokens: float, learnt: float, width: float, again: bool) -> float:
    """FLOPs of forward and backward passes: 6 for each parameter and token, and attention.

    Args:
        shape: Of the model.
        tokens: That go through the layers, padding included.
        learnt: That go through the output layer.
        width: Mean length of a row.
        again: Gradient checkpointing: a second forward pass.
    """
    body = 6 * shape.body * tokens + 6 * shape.layers * shape.hidden * width * tokens
    return body * (4 / 3 if again else 1) + 6 * shape.vocabulary * shape.hidden * learnt


def decode_seconds(
    shape: Shape, width: float, new: float, batch: int, vllm: bool, a: Assumed
) -> float:
    """Seconds in which a batch of texts is completed, without reading the prompts."""
    cache = 2 * shape.layers * shape.kv * (width + new / 2) * batch  # bytes in bfloat16
    moved = (2 * shape.parameters + cache) / (a.bandwidth * a.decode)
    return new * max(moved, shape.layers * a.launch * (0.1 if vllm else 1.0))


def stage_estimate(
    recipe: Recipe, stage: Stage, shape: Shape, measured: dict[str, Lengths], gpus: int, a: Assumed
) -> tuple[float, float]:
    """(hours, bytes on each GPU) of a stage."""
    parts = parts_of_step(stage.accumulate, gpus)
    again = bool(stage.trl.get("gradient_checkpointing"))
    vllm = bool(stage.trl.get("use_vllm"))
    sources = list(stage.batch)
    if stage.prompts is not None and stage.kind == "rft":
        sources.append(stage.prompts)
    total = [measured[source.name].total for source in sources]
    rows = [source.rows for source in sources]
    tokens = padded(total, rows, parts, recipe.packed) if sources else 0.0
    learnt = sum(measured[s.name].learnt.mean() * s.rows for s in sources)
    width = float(np.concatenate(total).mean()) if sources else 0.0
    widest = max((float(t.max()) for t in total), default=0.0)
    part_rows = sum(rows) / parts
    step_seconds = 0.0
    if stage.kind == "grpo" and stage.prompts is not None:
        asked = measured[stage.prompts.name]
        samples = stage.prompts.rows * stage.samples
        new, prompt = float(asked.learnt.mean()), float((asked.total - asked.learnt).mean())
        tokens += samples * float(asked.total.max() if not recipe.packed else asked.total.mean())
        learnt += samples * new
        width = max(width, float(asked.total.mean()))
        widest = max(widest, float(asked.total.max()))
        part_rows = max(part_rows, samples / parts)
        passes = 1 + (1 if stage.beta else 0) / 3  # the reference reads them without backward
        reading = 2 * shape.body * prompt * stage.prompts.rows / gpus
        step_seconds += reading / (a.peak * a.utilisation)
        step_seconds += decode_seconds(shape, prompt, new, samples // gpus, vllm, a)
    else:
        passes = 1.0
    flops = passes * learning_flops(shape, tokens, learnt, width, again)
    speed = a.peak * a.utilisation * gpus * (a.scaling if gpus > 1 else 1.0)
    step_seconds += flops / speed
    memory = train_bytes(recipe, stage, shape, part_rows * widest, learnt / parts, again)
    return stage.steps * step_seconds / 3600, memory


def train_bytes(
    recipe: Recipe, stage: Stage, shape: Shape, tokens: float, learnt: float, again: bool
) -> float:
    """Bytes on a GPU: weights, gradients, AdamW's two moments, activations, scores.

    Activations in bfloat16: about 34 bytes times the width for each token and layer without
    checkpointing (Korthikanti et al., 2022, without the attention matrix); with it, two bytes
    times the width for each layer, and one layer in full.  Scores of learnt tokens in float32:
    three copies.
    """
    weight = 4 if recipe.model.get("options", {}).get("dtype", "float32") == "float32" else 2
    trained = shape.parameters
    if recipe.lora:
        rank = recipe.lora.get("r", 16)
        trained = (
            rank * shape.layers * (11 * shape.hidden + shape.body // shape.layers // shape.hidden)
        )
    states = weight * shape.parameters + 3 * max(weight, 4 if recipe.lora else 0) * trained
    if stage.kind == "grpo" and stage.beta and not recipe.lora:
        states += weight * shape.parameters  # the reference
    per_token = shape.hidden * (2 * shape.layers + 34 if again else 34 * shape.layers)
    return states + per_token * tokens + 3 * 4 * shape.vocabulary * learnt


def evaluation_hours(
    corpus: Corpus, recipe: Recipe, shape: Shape, measured: dict[str, Lengths], a: Assumed
) -> float:
    """Hours of the greedy answers to all test sets, on one GPU."""
    options = recipe.evaluate
    split, batch = options["split"], options["batch"]
    hours = 0.0
    for config in options.get("configs") or configs_of(corpus, split):
        count = min(options["limit"] or 10**9, len(corpus.source(config, split)))
        like = measured.get(config.partition("_")[0]) or measured["comp_rl"]
        new, prompt = like.learnt.mean(), (like.total - like.learnt).mean()
        seconds = 2 * shape.body * prompt * batch / (a.peak * a.utilisation)
        seconds += decode_seconds(shape, prompt, 1.5 * new, batch, False, a)
        hours += seconds * count / batch / 3600
    return hours


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    options.add_argument("recipes", nargs="+")
    options.add_argument("--data", type=Path, required=True, help="folder of a release")
    options.add_argument("--tokenizer", required=True, help="folder or Hub name; new: the recipe's")
    options.add_argument("--gpus", type=int, nargs="+", default=[1, 8])
    options.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    options.add_argument("--peak", type=float, default=989e12)
    options.add_argument("--utilisation", type=float, default=0.35)
    options.add_argument("--bandwidth", type=float, default=3.35e12)
    options.add_argument("--decode", type=float, default=0.5)
    options.add_argument("--launch", type=float, default=0.8e-3)
    options.add_argument("--scaling", type=float, default=0.9)
    chosen = options.parse_args()
    names = ("peak", "utilisation", "bandwidth", "decode", "launch", "scaling")
    assumed = Assumed(**{name: getattr(chosen, name) for name in names})
    corpus = Corpus(chosen.data)
    settings = dict(pair.split("=", 1) for pair in chosen.set)
    recipes = [load_recipe(name, settings) for name in chosen.recipes]
    tokenizer = tokenizer_of(chosen.tokenizer, recipes[0], corpus)
    sources = {s.name: s for r in recipes for t in r.stages for s in (*t.batch, t.prompts) if s}
    for name in ("mem", "ctx", "comp"):
        sources.setdefault(name, Source(name))
    measured = {name: lengths_of(corpus, source, tokenizer) for name, source in sources.items()}
    print("| source | texts | tokens, mean | longest of the sample | learnt, mean |")
    print("|---|---:|---:|---:|---:|")
    for name, length in measured.items():
        texts = len(corpus.source(name))
        print(
            f"| `{name}` | {texts:,} | {length.total.mean():.0f} | {length.total.max()} "
            f"| {length.learnt.mean():.0f} |"
        )
    hours = " | ".join(f"hours, {gpus} GPU" for gpus in chosen.gpus)
    print(f"\n| recipe | stage | {hours} | GiB, {chosen.gpus[0]} GPU |")
    print("|---|---|" + "---:|" * (len(chosen.gpus) + 1))
    seen: list[Recipe] = []
    sums: dict[str, dict[int, float]] = {}  # size of the model -> GPUs -> hours
    for recipe in recipes:
        shape = shape_of(recipe, len(tokenizer))
        label = f"{shape.parameters / 1e6:.0f}M"
        total = sums.setdefault(label, dict.fromkeys(chosen.gpus, 0.0))
        shared = max((recipe.shared_stages(other) for other in seen), default=0)
        seen.append(recipe)
        for number, stage in enumerate(recipe.stages[shared:], shared + 1):
            cells = [
                stage_estimate(recipe, stage, shape, measured, g, assumed) for g in chosen.gpus
            ]
            for gpus, (hours, _) in zip(chosen.gpus, cells, strict=True):
                total[gpus] += hours
            hours_text = " | ".join(f"{hours:.1f}" for hours, _ in cells)
            memory = cells[0][1] / GIB
            print(f"| `{recipe.name}` | {number}, {stage.kind} | {hours_text} | {memory:.0f} |")
        hours = evaluation_hours(corpus, recipe, shape, measured, assumed)
        print(f"| `{recipe.name}` | evaluation | {' | '.join([f'{hours:.1f}'] * len(total))} | |")
        for gpus in total:
            total[gpus] += hours
    for label, total in sums.items():
        hours_text = " | ".join(f"{hours:.0f}" for hours in total.values())
        print(f"| all of {label} parameters | | {hours_text} | |")
    print(f"\n{assumed}")


def tokenizer_of(name: str, recipe: Recipe, corpus: Corpus) -> Any:
    """A tokenizer by name, or (`new`) the one that the recipe makes from the release."""
    if name == "new":
        from bioreason_bench.training.models.load import texts_of
        from bioreason_bench.training.models.tokenizer import make_tokenizer

        size = recipe.model["from_scratch"].get("vocabulary", 0)
        return make_tokenizer(texts_of(corpus), corpus.config.language, size)
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(name)


if __name__ == "__main__":
    main()
