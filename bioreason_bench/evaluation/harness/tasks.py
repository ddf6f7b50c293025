"""The one task class that a YAML file cannot express: pass@k with a number of samples that the user sets.

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
    """A task whose questions are sampled `samples` times each, and scored by pass@1, pass@2, pass@4, ... up to that number."""

    def __init__(self, config: dict[str, Any] | None = None) -> None:
        config = {key: value for key, value in (config or {}).items() if key != "class"}
        samples = (config.get("metadata") or {}).get("samples", SAMPLES)
        if isinstance(samples, bool) or not str(samples).isdigit() or int(samples) < 1:
            raise UsageError(
                f"samples={samples!r} must be a whole number of at least 1, such as --metadata '{{\"samples\": 64}}'"
            )
        config["repeats"] = int(samples)
        names = [
            f"{name}@{k}" for name in ("pass", "process_pass") for k in PASS_AT if k <= int(samples)
        ]
        config["metric_list"] = [
            {"metric": name, "aggregation": "mean", "higher_is_better": True} for name in names
        ]
        super().__init__(config=config)
        self._filters = [build_filter_ensemble("none", [["take_first_k", {"k": int(samples)}]])]
