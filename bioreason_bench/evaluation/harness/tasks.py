"""Task classes: what a YAML file of the harness cannot express.

PassAtK  the user sets the number of samples: --metadata '{"samples": 512}'
Chat     thoughts that the chat template begins
"""

from __future__ import annotations

from typing import Any

from lm_eval.api.task import ConfigurableTask
from lm_eval.filters import build_filter_ensemble

from bioreason_bench.errors import UsageError
from bioreason_bench.evaluation.harness.functions import PASS_AT, SAMPLES
from bioreason_bench.grading.thoughts import opens_thought

__all__ = ["Chat", "PassAtK"]

THOUGHT = "<think>"  # any tag of the grader would do


class Chat(ConfigurableTask):
    """A task for chat models, whose chat template may begin their thoughts.

    The prompt then ends in "<think>", which the grader has to see to know a thought that never
    ends.  If the user names a `think_end_token`, the harness has cut the thoughts itself.
    """

    def __init__(self, config: dict[str, Any] | None = None) -> None:
        super().__init__(
            config={key: value for key, value in (config or {}).items() if key != "class"}
        )

    def apply_filters(self) -> Any:
        applied = super().apply_filters()
        if (self.config.metadata or {}).get("think_end_token"):
            return applied
        for instance in self.instances:
            prompt = instance.args[0]
            if isinstance(prompt, str) and opens_thought(prompt):
                instance.filtered_resps = {
                    name: f"{THOUGHT}{completion}"
                    for name, completion in instance.filtered_resps.items()
                }
        return applied


class PassAtK(ConfigurableTask):
    """A task that samples each question `samples` times and reports pass@1, pass@2, pass@4, ..."""

    def __init__(self, config: dict[str, Any] | None = None) -> None:
        config = {key: value for key, value in (config or {}).items() if key != "class"}
        samples = _samples((config.get("metadata") or {}).get("samples", SAMPLES))
        config["repeats"] = samples
        config["metric_list"] = [
            {"metric": f"{name}@{k}", "aggregation": "mean", "higher_is_better": True}
            for name in ("pass", "process_pass")
            for k in PASS_AT
            if k <= samples
        ]
        super().__init__(config=config)
        self._filters = [build_filter_ensemble("none", [["take_first_k", {"k": samples}]])]


def _samples(setting: Any) -> int:
    """The number of samples that the user set."""
    if isinstance(setting, bool) or not str(setting).isdigit() or int(setting) < 1:
        raise UsageError(
            f"samples={setting!r} must be a whole number of at least 1, "
            "such as --metadata '{\"samples\": 64}'"
        )
    return int(setting)
