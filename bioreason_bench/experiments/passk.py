"""pass@k of several models on the same questions with the same number of samples, and what each says of the gold chain.

Whether training opens up what the base never reaches (synthesis) or makes likely what the base reaches now and then
(amplification) is read off the curves by `reading`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bioreason_bench.errors import UsageError
from bioreason_bench.statistics import pass_curve
from bioreason_bench.training.data import IGNORE, Corpus, encode
from bioreason_bench.training.measure import complete, configs_of, longest_completion, questions_of
from bioreason_bench.training.models import load as models
from bioreason_bench.training.packing import Collate

BLOCK = 64  # samples drawn at a time; each block has its own seed, so that more samples only add to the first ones


def compare(
    names: Sequence[str], corpus: Corpus, config: str, *, split: str = "test", samples: int = 512, limit: int = 0,
    temperature: float = 1.0, seed: int = 0, say: Callable[[str], None] = print,
) -> list[dict[str, Any]]:  # fmt: skip
    """One line a model, in order; the first is the base that the others are compared with."""
    known = configs_of(corpus, split)
    if config not in known:
        raise UsageError(f"{corpus.path} has no test set {config!r}; it has {', '.join(known)}")
    models.quiet()
    rows = questions_of(corpus, config, split, limit)
    lines: list[dict[str, Any]] = []
    base: np.ndarray | None = None
    for name in names:
        model, tokenizer = models.load(name)
        right, chains = verdicts(model, tokenizer, corpus, rows, samples, temperature, seed)
        solved = right.any(axis=1)
        line: dict[str, Any] = {
            "model": name,
            "config": config,
            "split": split,
            "questions": len(rows),
            "samples": samples,
            "temperature": temperature,
            "answers": {str(k): round(value, 4) for k, value in pass_curve(right).items()},
            "chains": {str(k): round(value, 4) for k, value in pass_curve(chains).items()},
            "gold_chain_log_likelihood": gold_log_likelihood(model, tokenizer, rows),
        }
        if base is None:
            base = solved
        else:
            line["base_unsolved_now_solved"] = [
                row["id"]
                for row, before, now in zip(rows, base, solved, strict=True)
                if now and not before
            ]
            line["base_solved_now_unsolved"] = [
                row["id"]
                for row, before, now in zip(rows, base, solved, strict=True)
                if before and not now
            ]
            line["reading"] = reading(lines[0]["answers"], line["answers"])
        lines.append(line)
        say(
            f"{name}: pass@1 {100 * line['answers']['1']:.1f}, pass@{samples} {100 * max(line['answers'].values()):.1f} answers"
        )
    return lines


def verdicts(
    model: Any,
    tokenizer: Any,
    corpus: Corpus,
    rows: list[dict[str, Any]],
    samples: int,
    temperature: float,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Right answers and right chains, [questions, samples] booleans."""
    grader = corpus.grader()
    longest = longest_completion(tokenizer, rows)
    found = []
    for block in range(0, samples, BLOCK):
        size = min(BLOCK, samples - block)
        texts = complete(
            model,
            tokenizer,
            rows,
            longest,
            samples=size,
            temperature=temperature,
            seed=seed * 1_000_003 + block,
            batch=512,
        )
        grades = [
            [grader.grade(text, row) for text in group]
            for row, group in zip(rows, texts, strict=True)
        ]
        found.append(
            (
                [[grade.exact_match for grade in group] for group in grades],
                [[grade.process_verified for grade in group] for group in grades],
            )
        )
    return np.concatenate([np.array(right) for right, _ in found], 1), np.concatenate(
        [np.array(chain) for _, chain in found], 1
    )


def gold_log_likelihood(
    model: Any, tokenizer: Any, rows: list[dict[str, Any]], batch: int = 64
) -> float:
    """Mean log-likelihood (nats, whole completion) that the model gives to the gold chain."""
    import torch
    import torch.nn.functional as F

    encoded = encode(rows, "chain", tokenizer, 1 << 20)
    collate = Collate(tokenizer.pad_token_id, packed=False)
    model.eval()
    total = 0.0
    with torch.no_grad():
        for begin in range(0, len(encoded), batch):
            texts = [
                encoded.text(index) for index in range(begin, min(begin + batch, len(encoded)))
            ]
            tensors = collate(
                [
                    {"input_ids": ids, "labels": [IGNORE] * given + ids[given:]}
                    for ids, given in texts
                ]
            )
            tensors = {name: tensor.to(model.device) for name, tensor in tensors.items()}
            labels = tensors.pop("labels")[:, 1:]
            logits = model(**tensors).logits[:, :-1].float()
            total -= float(
                F.cross_entropy(
                    logits.transpose(1, 2), labels, ignore_index=IGNORE, reduction="sum"
                )
            )
    return round(total / len(rows), 3)


def reading(base: dict[str, float], trained: dict[str, float], least: float = 0.05) -> str:
    """What two pass@k curves say, by a stated rule.

    gain at k = trained - base.  No gain of 5 points at k = 1: "no gain".  Else, of the gain at k = 1, what is left at the largest k:
    less than a quarter is "amplification" (the curves merge), more than half "synthesis" (they stay apart), between: "between".
    Where the trained model is near 1 at the largest k and the base is too, the questions are too easy to tell: "saturated".
    """
    first, last = "1", str(max(map(int, base)))
    gain, left = trained[first] - base[first], trained[last] - base[last]
    if gain < least:
        return "no gain"
    if left < 0.25 * gain:
        return "saturated" if base[last] > 0.97 else "amplification"
    return "synthesis" if left > 0.5 * gain else "between"
