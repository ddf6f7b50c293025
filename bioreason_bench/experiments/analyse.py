"""Two looks inside, as in the paper's appendix: how sure the model is of its chains, and where its hidden states lie by skill."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bioreason_bench.training.data import Corpus, prompt_of
from bioreason_bench.training.measure import complete, longest_completion, questions_of
from bioreason_bench.training.models import load as models
from bioreason_bench.training.packing import Collate

SKILLS = ("mem", "ctx", "comp")


def analyse(
    names: Sequence[str],
    corpus: Corpus,
    out: Path,
    *,
    level: str = "iid",
    split: str = "test",
    limit: int = 200,
    say: Callable[[str], None] = print,
) -> list[dict[str, Any]]:
    """One line a model: token entropy (nats) of its own greedy chains for each skill, and the share of variance of the two axes drawn.

    Draws the hidden states at the last token of the prompt, by skill, on their first two principal axes, into `out`/hidden-N.png/.svg.
    """
    models.quiet()
    configs = [f"{skill}_{level}" for skill in SKILLS if corpus.has(f"{skill}_{level}", split)]
    lines = []
    for number, name in enumerate(names, 1):
        model, tokenizer = models.load(name)
        entropy, states = {}, {}
        for config in configs:
            rows = questions_of(corpus, config, split, limit)
            entropy[config] = round(chain_entropy(model, tokenizer, rows), 4)
            states[config] = hidden_states(model, tokenizer, rows)
        points, shares = principal_axes(np.concatenate(list(states.values())))
        picture(
            points, [len(part) for part in states.values()], list(states), out, f"hidden-{number}"
        )
        lines.append(
            {
                "model": name,
                "level": level,
                "questions": limit,
                "entropy": entropy,
                "variance": [round(float(share), 4) for share in shares],
            }
        )
        say(
            f"{name}: entropy of a chain's token {', '.join(f'{config} {value:.3f}' for config, value in entropy.items())} nats"
        )
    return lines


def chain_entropy(model: Any, tokenizer: Any, rows: list[dict[str, Any]], batch: int = 64) -> float:
    """Mean entropy, in nats a token, along the model's own greedy completions."""
    import torch

    texts = [
        group[0] for group in complete(model, tokenizer, rows, longest_completion(tokenizer, rows))
    ]
    prompts = tokenizer([prompt_of(row) for row in rows], add_special_tokens=False)["input_ids"]
    said = tokenizer([f" {text.strip()}" for text in texts], add_special_tokens=False)["input_ids"]
    collate = Collate(tokenizer.pad_token_id, packed=False)
    model.eval()
    total, count = 0.0, 0
    with torch.no_grad():
        for begin in range(0, len(rows), batch):
            pairs = list(zip(prompts, said, strict=True))[begin : begin + batch]
            tensors = collate(
                [
                    {"input_ids": prompt + text, "labels": [-100] * len(prompt) + text}
                    for prompt, text in pairs
                ]
            )
            mask = tensors.pop("labels")[:, 1:] != -100
            scores = (
                model(**{key: tensor.to(model.device) for key, tensor in tensors.items()})
                .logits[:, :-1]
                .float()
                .log_softmax(-1)
            )
            values = -(scores.exp() * scores).sum(-1).cpu()[mask]
            total, count = total + float(values.sum()), count + int(mask.sum())
    return total / max(1, count)


def hidden_states(
    model: Any, tokenizer: Any, rows: list[dict[str, Any]], batch: int = 64
) -> np.ndarray:
    """The last layer's state [questions, size] at the last token of each prompt."""
    import torch

    prompts = tokenizer([prompt_of(row) for row in rows], add_special_tokens=False)["input_ids"]
    collate = Collate(tokenizer.pad_token_id, packed=False)
    found = []
    model.eval()
    with torch.no_grad():
        for begin in range(0, len(prompts), batch):
            some = prompts[begin : begin + batch]
            tensors = collate([{"input_ids": prompt, "labels": prompt} for prompt in some])
            del tensors["labels"]
            states = model.base_model(
                **{key: tensor.to(model.device) for key, tensor in tensors.items()}, use_cache=False
            ).last_hidden_state
            last = torch.tensor([len(prompt) - 1 for prompt in some])
            found.append(states[torch.arange(len(some)), last].float().cpu().numpy())
    return np.concatenate(found)


def principal_axes(states: np.ndarray, axes: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates [n, axes] on the first principal axes, and the share of variance that each holds."""
    centred = states - states.mean(axis=0)
    left, size, _ = np.linalg.svd(centred, full_matrices=False)
    return left[:, :axes] * size[:axes], size[:axes] ** 2 / max(float((size**2).sum()), 1e-12)


def picture(points: np.ndarray, sizes: list[int], labels: list[str], out: Path, name: str) -> None:
    from bioreason_bench.experiments.figures import MARKERS, plt

    out.mkdir(parents=True, exist_ok=True)
    figure, axes = plt().subplots(figsize=(5.2, 4.2))
    begin = 0
    for number, (size, label) in enumerate(zip(sizes, labels, strict=True)):
        part = points[begin : begin + size]
        axes.scatter(
            *part.T,
            s=14,
            marker=MARKERS[number],
            facecolors=("white", "#8a8a8a", "black")[number % 3],
            edgecolors="black",
            linewidths=0.6,
            label=label,
        )
        begin += size
    axes.set_xlabel("first principal axis")
    axes.set_ylabel("second principal axis")
    axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(out / f"{name}.png", dpi=150)
    figure.savefig(out / f"{name}.svg", metadata={"Date": None})
    plt().close(figure)
