"""Greedy answers of a model to the test sets of a release, graded by the package's one grader.

The numbers are those of `bioreason eval` on the same folder (a test compares them question by
question).  For small models this is faster: questions are batched by length, and no process is
started per test set.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench.draw import Draw
from bioreason_bench.evaluation.answers import Answers, question_columns, verdict_columns
from bioreason_bench.evaluation.summary import summary_line
from bioreason_bench.grading.grader import Grade
from bioreason_bench.release.disk import write_whole
from bioreason_bench.taxonomy import LEVELS, OPEN_BOOK, QUESTION_KINDS, SKILLS
from bioreason_bench.training.data import Corpus, prompt_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

PROBES = "probes"


def configs_of(corpus: Corpus, split: str = "test") -> list[str]:
    """Names of the test sets of a release: mem_iid ... comp_depth, pairs, conflicts, probes.

    Without the unanswerable pairs, which ask for a word that training holds nowhere.
    """
    configs = [f"{skill}_{level}" for skill in SKILLS for level in LEVELS]
    if split == "test":
        configs += [kind.config for kind in QUESTION_KINDS if kind.name != "unanswerable"]
        configs.append(PROBES)
    if corpus.family.steps:
        configs = [name for name in corpus.question_configs() if split in corpus.splits(name)]
        configs = [name for name in configs if not name.endswith(f"_{OPEN_BOOK}")]
    return [config for config in configs if corpus.has(config, split)]


def configs_to_ask(evaluate: Mapping[str, Any], corpus: Corpus) -> list[str]:
    """The test sets that a recipe's `evaluate` names; else all of its split."""
    return list(evaluate.get("configs") or configs_of(corpus, evaluate["split"]))


def questions_of(corpus: Corpus, config: str, split: str, limit: int = 0) -> list[dict[str, Any]]:
    """The questions of a test set; with a limit, a subset that is the same for every model."""
    rows = corpus.source(config, split)
    if limit and limit < len(rows):
        chosen = sorted(Draw(0, ("measure", config, split)).permutation(len(rows))[:limit].tolist())
        rows = [rows[index] for index in chosen]
    return rows


def complete(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[dict[str, Any]],
    max_new: int,
    *,
    batch: int = 256,
    samples: int = 1,
    temperature: float = 0.0,
    seed: int = 0,
) -> list[list[str]]:
    """Sample completions of questions.

    Args:
        model: The model.
        tokenizer: Its tokenizer.
        rows: The questions.
        max_new: Tokens after which a completion without an end is cut.
        batch: Questions per batch.
        samples: Completions per question.
        temperature: Sampling temperature; 0 is greedy.
        seed: Seed of the samples.

    Returns:
        The texts of the completions, [questions][samples].
    """
    from bioreason_bench.training.models.sample import sample

    prompts = tokenizer([prompt_of(row) for row in rows], add_special_tokens=False)["input_ids"]
    completions = sample(
        model,
        prompts,
        ends=end_tokens(model, tokenizer),
        max_new=max_new,
        samples=samples,
        temperature=temperature,
        seed=seed,
        batch=batch,
        pad=tokenizer.pad_token_id,
    )
    texts = tokenizer.batch_decode(
        [tokens for group in completions for tokens in group], skip_special_tokens=True
    )
    return [texts[first : first + samples] for first in range(0, len(texts), samples)]


def end_tokens(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """The tokens that end a completion, as transformers' `generate` takes them."""
    ends = model.generation_config.eos_token_id
    ends = [ends] if isinstance(ends, int) else list(ends or [])
    return sorted({*ends, tokenizer.eos_token_id})


def longest_completion(
    tokenizer: PreTrainedTokenizerBase, rows: Iterable[dict[str, Any]], slack: float = 1.25
) -> int:
    """Tokens that a right completion may need: `slack` times the longest gold chain."""
    chains = sorted((row["chain"] for row in rows), key=len)[-32:]
    tokens = tokenizer(chains, add_special_tokens=False)["input_ids"]
    return int(slack * max(map(len, tokens))) + 2


def measure(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    corpus: Corpus,
    configs: Sequence[str],
    *,
    split: str = "test",
    limit: int = 0,
    batch: int = 256,
    out: Path | None = None,
) -> list[dict[str, Any]]:
    """Evaluate a model on test sets.

    Args:
        model: The model.
        tokenizer: Its tokenizer.
        corpus: The release.
        configs: Names of test sets (see `configs_of`).
        split: "test" or "validation".
        limit: Questions of each test set; 0 for all.
        batch: Questions per batch.
        out: Folder for every verdict, as JSON lines in CONFIG.jsonl (see `read_verdicts`).

    Returns:
        The `summary_line` of each test set, with config, split and seconds.  If the probes are
        among the test sets, the others have gated accuracy too.
    """
    grader = corpus.grader()
    answers: dict[str, Answers] = {}
    seconds: dict[str, float] = {}
    for config in configs:
        start = time.perf_counter()
        rows = questions_of(corpus, config, split, limit)
        max_new = longest_completion(tokenizer, corpus.source(config, split))
        texts = [text for (text,) in complete(model, tokenizer, rows, max_new, batch=batch)]
        answers[config] = [
            verdict_line(row, text, grader.grade(text, row))
            for row, text in zip(rows, texts, strict=True)
        ]
        if out is not None:
            _write_lines(out / f"{config}.jsonl", answers[config])
        seconds[config] = round(time.perf_counter() - start, 1)
    probes = answers.get(PROBES)
    return [
        {
            "config": config,
            "split": split,
            **summary_line(answers[config], None if config == PROBES else probes),
            "seconds": seconds[config],
        }
        for config in configs
    ]


def verdict_line(question: dict[str, Any], completion: str, grade: Grade) -> dict[str, Any]:
    """The record of one answer, with the column names of `read_results`."""
    line = {**question_columns(question), "completion": completion, **verdict_columns(grade)}
    return {**line, "hop_accuracy": round(grade.hop_accuracy, 4)}


def as_line(summary: dict[str, Any]) -> str:
    """A summary as one line of text, in percent."""
    answers, chains = (100 * summary[metric] for metric in ("exact_match", "process_verified"))
    return (
        f"{summary['config']:<17} answers {answers:5.1f}  chains {chains:5.1f}  "
        f"({summary['questions']} questions)"
    )


def _write_lines(path: Path, records: Answers) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(record) + "\n" for record in records)
    write_whole(path, "".join(lines))
