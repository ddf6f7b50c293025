"""eval.yaml: the file by which the Hub knows a data set as a benchmark, and Inspect runs it.

    inspect eval hf/org/bioreason/ctx_zeroshot --model ...

Format: huggingface.co/docs/hub/eval-results.  A task is a config whose questions state every fact
in their contexts, so that a model that was not trained on this world can be ranked.  The prompt is
that of `chat_prompt`; the Hub allows no scorer but Inspect's own, so `PATTERN` reads the answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from bioreason_bench.questions.prompts import UNANSWERABLE, facts_in, instruction
from bioreason_bench.release.read import Release
from bioreason_bench.taxonomy import SKILLS

__all__ = ["EVAL", "benchmark", "is_unchanged"]

EVAL = "eval.yaml"
TOKENS = 16_384  # of a completion, with its thoughts
# The last answer of a completion, without markup and a full stop; none if a thought never ends.
PATTERN = r"(?s)\A(?!.*<think>(?!.*</think>)).*the answer is:[\s*_`]*([^\n]*?)[\s*_`.]*(?:\n|\Z)"
MARK = "# Written by bioreason publish, which renews it as long as nobody changes it: "


def benchmark(release: Release, words: Mapping[str, Any]) -> str | None:
    """The text of eval.yaml; None if the release has no questions that such a model can answer.

    Args:
        release: The release; one in symbols is for models trained on it.
        words: Those of cards/card.toml.
    """
    import yaml

    tasks = [_task(config, facts) for config, facts in _answerable(release).items()]
    if not tasks:
        return None
    content = {
        "name": "bioreason",
        "description": words["description"].strip(),
        "evaluation_framework": "inspect-ai",
        "tasks": tasks,
    }
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
    return f"{MARK}{_digest(text)}\n{text}"


def is_unchanged(text: str) -> bool:
    """Whether a file eval.yaml is as some version of this package wrote it."""
    head, _, rest = text.partition("\n")
    return head == f"{MARK}{_digest(rest)}"


def _digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _answerable(release: Release) -> dict[str, str]:
    """Config -> where the facts of its questions are, for configs that need no training."""
    if release.language != "english":
        return {}
    answerable = {}
    for config in release.configs():
        if config.partition("_")[0] in SKILLS and "test" in release.splits(config):
            row = next(release.rows(config, "test"), None)
            facts = facts_in(row) if row else ""
            if facts in ("context", UNANSWERABLE):
                answerable[config] = facts
    return answerable


def _task(config: str, facts: str) -> dict[str, Any]:
    """The task of a config, asked as `chat_prompt` does: {prompt} is the question."""
    template = f"{instruction(facts)}\n\n{{context}}\n\nQuestion: {{prompt}}"
    return {
        "id": config,
        "config": config,
        "split": "test",
        "field_spec": {"input": "question", "target": "answer", "metadata": ["context", "id"]},
        "solvers": [
            {"name": "prompt_template", "args": {"template": template}},
            {"name": "generate", "args": {"temperature": 0.0, "max_tokens": TOKENS}},
        ],
        "scorers": [{"name": "pattern", "args": {"pattern": PATTERN}}],
    }
