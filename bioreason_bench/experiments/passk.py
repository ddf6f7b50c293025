"""pass@k of several models on the same questions, and their likelihood of the gold chain.

The number of samples is the same for every model.  `pass_curves` says what the curves show.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.errors import UsageError
from bioreason_bench.statistics import pass_curve
from bioreason_bench.training.data import IGNORE, Corpus, Row, encode
from bioreason_bench.training.measure import complete, configs_of, longest_completion, questions_of
from bioreason_bench.training.models import load as models
from bioreason_bench.training.packing import Collate

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

BLOCK = 64  # samples drawn at a time; each block has a seed of its own, so more samples only add
BATCH = 512  # sequences at a time
NO_LIMIT = 1 << 20  # tokens of a text


@dataclass(frozen=True)
class Sampling:
    """How completions are drawn: how many of each question, and how."""

    samples: int = 512
    temperature: float = 1.0
    seed: int = 0


def measure_passk(
    names: Sequence[str],
    corpus: Corpus,
    config: str,
    *,
    split: str = "test",
    limit: int = 0,
    sampling: Sampling = Sampling(),
    log: Callable[[str], None] = print,
) -> list[dict[str, Any]]:
    """One line for each model, in order; the others are compared with the first.

    Args:
        names: Folders of models, or their names on the Hub.
        corpus: The release that is asked.
        config: Name of the test set.
        split: "test" or "validation".
        limit: Questions; 0 for all.
        sampling: The same for every model.
        log: Called with a line for each model.

    Raises:
        UsageError: The release has no such test set.
    """
    if sampling.samples < 1 or not 0 < sampling.temperature < math.inf:
        raise UsageError("pass@k needs at least one sample and a temperature above 0")
    known = configs_of(corpus, split)
    if config not in known:
        raise UsageError(f"{corpus.path} has no test set {config!r}; it has {', '.join(known)}")
    models.quiet()
    rows = questions_of(corpus, config, split, limit)
    head = {"config": config, "split": split, "questions": len(rows), "samples": sampling.samples}
    lines: list[dict[str, Any]] = []
    base_solved: set[str] = set()
    for name in names:
        scores, solved = scores_of(name, corpus, rows, sampling)
        line = {"model": name, **head, "temperature": sampling.temperature, **scores}
        if lines:
            line["base_unsolved_now_solved"] = _ids(rows, solved - base_solved)
            line["base_solved_now_unsolved"] = _ids(rows, base_solved - solved)
        else:
            base_solved = solved
        lines.append(line)
        largest = max(line["chains"], key=int)
        first, last = (100 * line["chains"][k] for k in ("1", largest))
        log(f"{name}: whole chains pass@1 {first:.1f}, pass@{largest} {last:.1f}")
    return lines


def _ids(rows: Sequence[Row], chosen: set[str]) -> list[str]:
    """The chosen ids in the order of the questions."""
    return [row["id"] for row in rows if row["id"] in chosen]


def scores_of(
    name: str, corpus: Corpus, rows: list[Row], sampling: Sampling
) -> tuple[dict[str, Any], set[str]]:
    """What a model reaches, and the ids of the questions whose chain it ever gets right."""
    model, tokenizer = models.load_to_measure(name)
    right, chains = sampled_verdicts(model, tokenizer, corpus, rows, sampling)
    scores = {
        "answers": _rounded(pass_curve(right)),
        "chains": _rounded(pass_curve(chains)),
        "gold_chain_log_likelihood": gold_log_likelihood(model, tokenizer, rows),
        "starts": [row["entities"][0] for row in rows],
        "right_answers": right.sum(axis=1).tolist(),
        "right_chains": chains.sum(axis=1).tolist(),
    }
    return scores, {row["id"] for row, group in zip(rows, chains, strict=True) if group.any()}


def _rounded(curve: dict[int, float]) -> dict[str, float]:
    return {str(k): round(value, 4) for k, value in curve.items()}


def sampled_verdicts(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    corpus: Corpus,
    rows: list[Row],
    sampling: Sampling,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Right answers and right chains, each [questions, samples]."""
    grader = corpus.grader()
    longest = longest_completion(tokenizer, rows)
    blocks = []
    for start in range(0, sampling.samples, BLOCK):
        texts = complete(
            model,
            tokenizer,
            rows,
            longest,
            samples=min(BLOCK, sampling.samples - start),
            temperature=sampling.temperature,
            seed=sampling.seed * 1_000_003 + start,
            batch=BATCH,
        )
        grades = [
            [grader.grade(text, row) for text in group]
            for row, group in zip(rows, texts, strict=True)
        ]
        blocks.append(
            [[(grade.exact_match, grade.process_verified) for grade in group] for group in grades]
        )
    both = np.concatenate([np.array(block, dtype=bool) for block in blocks], axis=1)
    return both[..., 0], both[..., 1]


def gold_log_likelihood(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[Row],
    batch: int = 64,
) -> float:
    """Mean log-likelihood of the gold chains, in nats a chain (the whole completion)."""
    import torch
    import torch.nn.functional as F

    encoded = encode(rows, "chain", tokenizer, NO_LIMIT)
    collate = Collate(tokenizer.pad_token_id, packed=False)
    model.eval()
    total = 0.0
    with torch.no_grad():
        for start in range(0, len(encoded), batch):
            texts = [encoded.text(i) for i in range(start, min(start + batch, len(encoded)))]
            items = [
                {"input_ids": ids, "labels": [IGNORE] * given + ids[given:]} for ids, given in texts
            ]
            tensors = {name: tensor.to(model.device) for name, tensor in collate(items).items()}
            labels = tensors.pop("labels")[:, 1:]
            logits = model(**tensors).logits[:, :-1].float().transpose(1, 2)
            total -= float(F.cross_entropy(logits, labels, ignore_index=IGNORE, reduction="sum"))
    return round(total / len(rows), 3)
