"""The task class of pass@k: the user sets the number of samples, which a YAML file cannot express.

--metadata '{"samples": 512}'
"""

from __future__ import annotations

from typing import Any

from lm_eval.api.task import ConfigurableTask
from lm_eval.filters import build_filter_ensemble

from bioreason_bench.errors import UsageError
from bioreason_bench.evaluation.harness.functions import PASS_AT, SAMPLES

__all__ = ["PassAtK"]


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
