"""Task classes: what a YAML file of the harness cannot express.

PassAtK  the user sets the number of samples: --metadata '{"samples": 512}'
Chat     thoughts that the chat template begins
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.api.task import ConfigurableTask
from lm_eval.filters import build_filter_ensemble

from bioreason_bench.errors import UsageError
from bioreason_bench.evaluation.harness.functions import PASS_AT, SAMPLES, count_samples
from bioreason_bench.grading.thoughts import opens_thought
from bioreason_bench.statistics import are_repeats

__all__ = ["Chat", "PassAtK"]

REPORTED_OF_REPEATS = ("pass@1", "process_pass@1", "identical_samples")
REPEATS = (
    "the samples of a question are one sample repeated, so only pass@1 is reported; sample with a "
    "temperature above 0, and ask a server with --metadata '{\"sample_seeds\": true}'"
)
THOUGHT = "<think>"  # any tag of the grader would do

_log = logging.getLogger(__name__)


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
    """A task that samples each question `samples` times and reports pass@1, pass@2, pass@4, ...

    With the setting `sample_seeds`, each sample is a request with its own seed.  The harness sends
    one seed with all requests to a server, and a server that honours it repeats its first sample.
    If the samples are repeats nevertheless, only pass@1 is reported.
    """

    def __init__(self, config: dict[str, Any] | None = None) -> None:
        config = {key: value for key, value in (config or {}).items() if key != "class"}
        settings = config.get("metadata") or {}
        self._samples = _samples(settings.get("samples", SAMPLES))
        self._own_seeds = bool(settings.get("sample_seeds"))
        self._repeats = False
        config["repeats"] = 1 if self._own_seeds else self._samples
        config["metric_list"] = [
            {"metric": f"{name}@{k}", "aggregation": "mean", "higher_is_better": True}
            for name in ("pass", "process_pass")
            for k in PASS_AT
            if k <= self._samples
        ]
        config["metric_list"].append(
            {"metric": "identical_samples", "aggregation": "mean", "higher_is_better": False}
        )
        super().__init__(config=config)
        self._filters = [build_filter_ensemble("none", [["take_first_k", {"k": self._samples}]])]

    def construct_requests(self, doc: Any, ctx: Any, **kwargs: Any) -> Any:
        request = super().construct_requests(doc, ctx, **kwargs)
        if not self._own_seeds:
            return request
        prompt, settings = request.arguments
        return [
            dataclasses.replace(
                request,
                arguments=(prompt, {**settings, "seed": seed}),
                idx=seed,
                resps=[],
                filtered_resps={},
            )
            for seed in range(self._samples)
        ]

    def apply_filters(self) -> Any:
        if self._own_seeds:
            self._instances = _merged(self.instances)
        applied = super().apply_filters()
        counts = [
            count_samples(request.doc, request.filtered_resps["none"]) for request in self.instances
        ]
        self._repeats = are_repeats(
            *([count[column] for count in counts] for column in ("samples", "right", "identical"))
        )
        if self._repeats:
            _log.warning("%s: %s", self.config.task, REPEATS)
        return applied

    def process_results(self, doc: Any, results: Any) -> Any:
        metrics = super().process_results(doc, results)
        if not self._repeats:
            return metrics
        return {name: value for name, value in metrics.items() if name in REPORTED_OF_REPEATS}


def _merged(requests: Sequence[Instance]) -> list[Instance]:
    """One request for each question, which holds the samples of all its requests."""
    merged: dict[int, Instance] = {}
    for request in requests:
        if request.doc_id in merged:
            merged[request.doc_id].resps += request.resps
        else:
            merged[request.doc_id] = request
    return list(merged.values())


def _samples(setting: Any) -> int:
    """The number of samples that the user set."""
    if isinstance(setting, bool) or not str(setting).isdigit() or int(setting) < 1:
        raise UsageError(
            f"samples={setting!r} must be a whole number of at least 1, "
            "such as --metadata '{\"samples\": 64}'"
        )
    return int(setting)
