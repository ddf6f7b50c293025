"""The callback through which transformers' trainers report to a ProgressLogger."""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback

from bioreason_bench.training.progress import ProgressLogger


class ProgressCallback(TrainerCallback):
    """Report the steps and the logged values of a trainer."""

    def __init__(self, progress: ProgressLogger) -> None:
        self.progress = progress

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002 - the signature of transformers
        self.progress.begin(state.global_step, state.is_world_process_zero)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        self.progress.advance(state.global_step)

    def on_log(
        self,
        args: Any,  # noqa: ARG002
        state: Any,
        control: Any,  # noqa: ARG002
        logs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        self.progress.report(state.global_step, logs or {})

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        self.progress.end()
