"""What a model reaches: greedy answers to every test set of a release, graded by the package's one grader.

The numbers are those of `bioreason eval` on the same folder (a test compares them question by question); this is faster for small
models, since questions are batched by length and nothing is started anew for each set.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bioreason_bench.draw import Draw
from bioreason_bench.questions.records import unseen_group
from bioreason_bench.statistics import clustered, clusters_of, gate
from bioreason_bench.training.data import Corpus, prompt_of

LEVELS = ("iid", "composition", "zeroshot", "entity", "depth")
METRICS = ("exact_match", "process_verified", "hop_accuracy", "format_ok")


def configs_of(release: Corpus, split: str = "test") -> list[str]:
    """Names of the test sets of a release: mem_iid ... comp_depth, probes."""
    found = [
        f"{skill}_{level}"
        for skill in ("mem", "ctx", "comp")
        for level in LEVELS
        if release.has(f"{skill}_{level}", split)
    ]
    return found + (["probes"] if split == "test" and release.has("probes") else [])


def questions_of(release: Corpus, config: str, split: str, limit: int = 0) -> list[dict[str, Any]]:
    """The questions of a test set; with a limit, so many drawn ones (the same for every model)."""
    rows = release.source(config, split)
    if limit and limit < len(rows):
        chosen = sorted(Draw(0, ("measure", config, split)).permutation(len(rows))[:limit].tolist())
        rows = [rows[index] for index in chosen]
    return rows


def complete(
    model: Any,
    tokenizer: Any,
    rows: Sequence[dict[str, Any]],
    max_new: int,
    batch: int = 256,
    samples: int = 1,
    temperature: float = 0.0,
    seed: int = 0,
) -> list[list[str]]:
    """`samples` completions of each question as text; an unended one is cut at `max_new` tokens."""
    from bioreason_bench.training.models.sample import sample

    prompts = tokenizer([prompt_of(row) for row in rows], add_special_tokens=False)["input_ids"]
    ends = end_tokens(model, tokenizer)
    texts = sample(
        model,
        prompts,
        ends=ends,
        max_new=max_new,
        samples=samples,
        temperature=temperature,
        seed=seed,
        batch=batch,
        pad=tokenizer.pad_token_id,
    )
    flat = tokenizer.batch_decode(
        [text for group in texts for text in group], skip_special_tokens=True
    )
    return [flat[begin : begin + samples] for begin in range(0, len(flat), samples)]


def end_tokens(model: Any, tokenizer: Any) -> list[int]:
    """The tokens that end a completion, as `generate` would take them."""
    ends = model.generation_config.eos_token_id
    ends = [ends] if isinstance(ends, int) else list(ends or [])
    return sorted({*ends, tokenizer.eos_token_id})


def longest_completion(tokenizer: Any, rows: Iterable[dict[str, Any]], slack: float = 1.25) -> int:
    """Tokens that a right completion may need, with some slack."""
    chains = [row["chain"] for row in rows]
    longest = sorted(chains, key=len)[-32:]
    return (
        int(
            slack
            * max(len(ids) for ids in tokenizer(longest, add_special_tokens=False)["input_ids"])
        )
        + 2
    )


def measure(
    model: Any,
    tokenizer: Any,
    release: Corpus,
    configs: Sequence[str],
    *,
    split: str = "test",
    limit: int = 0,
    batch: int = 256,
    out: Path | None = None,
) -> list[dict[str, Any]]:
    """A summary of each test set; with `out`, also every verdict, as JSON lines in `out`/CONFIG.jsonl."""
    import time

    grader = release.grader()
    summaries = []
    kept: dict[str, list[dict[str, Any]]] = {}
    for config in configs:
        rows = questions_of(release, config, split, limit)
        begun = time.perf_counter()
        max_new = longest_completion(tokenizer, release.source(config, split))
        texts = [group[0] for group in complete(model, tokenizer, rows, max_new, batch)]
        verdicts = [
            verdict_line(row, text, grader.grade(text, row))
            for row, text in zip(rows, texts, strict=True)
        ]
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            (out / f"{config}.jsonl").write_text(
                "".join(json.dumps(line) + "\n" for line in verdicts), encoding="utf-8"
            )
        kept[config] = verdicts
        summaries.append(
            {
                "config": config,
                "split": split,
                **summarise(verdicts),
                "seconds": round(time.perf_counter() - begun, 1),
            }
        )
    if "probes" in kept:
        probe_of = {row["id"]: row["probe_of"] for row in release.source("probes")}
        for summary in summaries:
            if summary["config"] != "probes":
                summary["gated"] = gated(kept[summary["config"]], kept["probes"], probe_of)
    return summaries


def gated(
    verdicts: Sequence[dict[str, Any]],
    probes: Sequence[dict[str, Any]],
    probe_of: dict[str, list[str]],
) -> dict[str, float]:
    """Means over the questions all of whose single hops the same model answers."""
    answered = {line["id"]: float(line["exact_match"]) for line in probes}
    hops = {line["id"]: line["hops"] for line in verdicts}
    out: dict[str, float] = {}
    for metric in ("exact_match", "process_verified"):
        passed, _ = gate(
            {line["id"]: float(line[metric]) for line in verdicts}, hops, probe_of, answered
        )
        out["questions"] = len(passed)
        out[metric] = round(sum(passed.values()) / len(passed), 4) if passed else 0.0
    return out


def as_line(summary: dict[str, Any]) -> str:
    """A summary for people."""
    answers, chains = (100 * summary[metric] for metric in ("exact_match", "process_verified"))
    return f"{summary['config']:<17} answers {answers:5.1f}  chains {chains:5.1f}  ({summary['questions']} questions)"


def verdict_line(row: dict[str, Any], text: str, grade: Any) -> dict[str, Any]:
    return {
        "id": row["id"],
        "start": row["entities"][0],
        "hops": row["hops"],
        "pattern": row["pattern"],
        "unseen": unseen_group(row),
        "completion": text,
        "exact_match": grade.exact_match,
        "process_verified": grade.process_verified,
        "hop_accuracy": round(grade.hop_accuracy, 4),
        "format_ok": grade.format_ok,
        "first_error": grade.first_error,
        "error_kind": grade.error_kind,
        "failed_group": grade.failed_group,
    }


def summarise(verdicts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Means with 95 % person-clustered intervals, and the same by hops, pattern and group of the unseen relation."""
    clusters = clusters_of([[line["start"]] for line in verdicts])
    out: dict[str, Any] = {"questions": len(verdicts)}
    for metric in METRICS:
        estimate = clustered([float(line[metric]) for line in verdicts], clusters)
        out[metric] = round(estimate.value, 4)
        if metric in ("exact_match", "process_verified"):
            out[f"{metric}_interval"] = [round(estimate.low, 4), round(estimate.high, 4)]
    for name in ("hops", "pattern", "unseen"):
        parts: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for line in verdicts:
            parts[str(line[name])].append(line)
        if len(parts) > 1 or name == "unseen":
            out[f"by_{name}"] = {
                key: {
                    "questions": len(lines),
                    **{
                        m: round(sum(float(line[m]) for line in lines) / len(lines), 4)
                        for m in METRICS[:2]
                    },
                }
                for key, lines in sorted(parts.items())
            }
    wrong = [line for line in verdicts if not line["process_verified"]]
    out["first_error"] = dict(
        sorted(
            Counter(
                f"{line['first_error']}/{line['hops']}"
                for line in wrong
                if line["first_error"] is not None
            ).items()
        )
    )
    out["error_kinds"] = dict(Counter(str(line["error_kind"]) for line in wrong).most_common())
    out["failed_group"] = dict(
        sorted(Counter(str(line["failed_group"]) for line in wrong if line["failed_group"]).items())
    )
    return out
