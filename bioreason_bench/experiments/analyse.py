"""Two diagnostics: token entropy of chains, PCA of hidden states.

Both follow the paper's appendix (arXiv 2512.01970).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.errors import UsageError, one_line, suggest
from bioreason_bench.figure_style import INK, MARKERS, pyplot, save_figure
from bioreason_bench.taxonomy import LEVELS, SKILLS
from bioreason_bench.training.data import IGNORE, Corpus, Row, prompt_of
from bioreason_bench.training.measure import complete, longest_completion, questions_of
from bioreason_bench.training.models import load as models
from bioreason_bench.training.packing import Collate

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

FILLS = ("white", "#8a8a8a", INK)  # of the points of each skill


def analyse(
    names: Sequence[str],
    corpus: Corpus,
    out: Path,
    *,
    level: str = "iid",
    split: str = "test",
    limit: int = 200,
    log: Callable[[str], None] = print,
) -> list[dict[str, Any]]:
    """One line for each model, and a picture of its hidden states.

    Writes `out`/hidden-N.png and .svg: the hidden state at the last token of each prompt on the
    first two principal axes, by skill.

    Args:
        names: Folders of models, or their names on the Hub.
        corpus: The release that is asked.
        out: Folder of the pictures.
        level: Level of the questions.
        split: "test" or "validation".
        limit: Questions of each skill; 0 for all.
        log: Called with a line for each model.

    Returns:
        For each model: the mean token entropy (nats) of its own greedy chains for each skill, and
        the share of variance on each of the two axes.
    """
    models.quiet()
    if level not in LEVELS:
        raise UsageError(
            f"there is no level {one_line(level, 60)!r}; {suggest(level[:60], LEVELS)}"
        )
    configs = [f"{skill}_{level}" for skill in SKILLS if corpus.has(f"{skill}_{level}", split)]
    if not configs:
        raise UsageError(f"{corpus.path} has no {split} questions of level {level}")
    questions = {config: questions_of(corpus, config, split, limit) for config in configs}
    lines = []
    for number, name in enumerate(names, 1):
        model, tokenizer = models.load(name)
        entropy = {
            config: round(chain_entropy(model, tokenizer, rows), 4)
            for config, rows in questions.items()
        }
        states = {
            config: hidden_states(model, tokenizer, rows) for config, rows in questions.items()
        }
        shares = draw_states(states, out / f"hidden-{number}")
        variance = [round(float(share), 4) for share in shares]
        head = {"model": name, "level": level, "questions": limit}
        lines.append({**head, "entropy": entropy, "variance": variance})
        values = ", ".join(f"{config} {value:.3f}" for config, value in entropy.items())
        log(f"{name}: entropy of a token of a chain, in nats: {values}")
    return lines


def chain_entropy(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: list[Row],
    batch: int = 64,
) -> float:
    """Mean entropy, in nats a token, along the model's own greedy completions."""
    import torch

    longest = longest_completion(tokenizer, rows)
    texts = [group[0] for group in complete(model, tokenizer, rows, longest)]
    prompts = _ids(tokenizer, [prompt_of(row) for row in rows])
    completions = _ids(tokenizer, [f" {text.strip()}" for text in texts])
    items = [
        {"input_ids": prompt + completion, "labels": [IGNORE] * len(prompt) + completion}
        for prompt, completion in zip(prompts, completions, strict=True)
    ]
    total, count = 0.0, 0
    with torch.no_grad():
        for tensors, labels in _batches(model, tokenizer, items, batch):
            log_shares = model(**tensors).logits[:, :-1].float().log_softmax(-1)
            entropy = -(log_shares.exp() * log_shares).sum(-1).cpu()[labels[:, 1:] != IGNORE]
            total, count = total + float(entropy.sum()), count + len(entropy)
    return total / max(1, count)


def hidden_states(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: list[Row],
    batch: int = 64,
) -> NDArray[np.float32]:
    """The last layer's state at the last token of each prompt, [questions, size]."""
    import torch

    prompts = _ids(tokenizer, [prompt_of(row) for row in rows])
    items = [{"input_ids": prompt, "labels": prompt} for prompt in prompts]
    states = []
    with torch.no_grad():
        for tensors, _ in _batches(model, tokenizer, items, batch):
            layer = model.base_model(**tensors, use_cache=False).last_hidden_state
            last = tensors["attention_mask"].sum(-1) - 1  # padding is on the right
            states.append(layer[torch.arange(len(last)), last].float().cpu().numpy())
    return np.concatenate(states)


def _ids(tokenizer: PreTrainedTokenizerBase, texts: list[str]) -> list[list[int]]:
    return tokenizer(texts, add_special_tokens=False)["input_ids"]


def _batches(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    items: list[dict[str, list[int]]],
    batch: int,
) -> Iterator[tuple[dict[str, Any], Any]]:
    """The tensors of each batch on the model's device, and its labels on the CPU."""
    collate = Collate(tokenizer.pad_token_id, packed=False)
    model.eval()
    for start in range(0, len(items), batch):
        tensors = collate(items[start : start + batch])
        labels = tensors.pop("labels")
        yield {name: tensor.to(model.device) for name, tensor in tensors.items()}, labels


def principal_axes(
    states: NDArray[np.floating], axes: int = 2
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Coordinates on the first principal axes, [n, axes], and the share of variance of each."""
    centred = states - states.mean(axis=0)
    left, size, _ = np.linalg.svd(centred, full_matrices=False)
    return left[:, :axes] * size[:axes], size[:axes] ** 2 / max(float((size**2).sum()), 1e-12)


def draw_states(states: Mapping[str, NDArray[np.float32]], stem: Path) -> NDArray[np.floating]:
    """Draw states (config -> [n, size]) on their principal axes; returns the shares of variance."""
    points, shares = principal_axes(np.concatenate(list(states.values())))
    ends = np.cumsum([len(part) for part in states.values()])
    figure, axes = pyplot().subplots(figsize=(5.2, 4.2))
    for number, (config, part) in enumerate(zip(states, np.split(points, ends[:-1]), strict=True)):
        axes.scatter(
            *part.T,
            s=14,
            marker=MARKERS[number],
            facecolors=FILLS[number],
            edgecolors=INK,
            linewidths=0.6,
            label=config,
        )
    axes.set_xlabel(f"first principal axis ({100 * shares[0]:.0f} % of the variance)")
    axes.set_ylabel(f"second principal axis ({100 * shares[1]:.0f} %)")
    axes.legend(frameon=False, ncols=len(states), loc="lower center", bbox_to_anchor=(0.5, 1.0))
    figure.tight_layout()
    stem.parent.mkdir(parents=True, exist_ok=True)
    save_figure(figure, stem)
    pyplot().close(figure)
    return shares
