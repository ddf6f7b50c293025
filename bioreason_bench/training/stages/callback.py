"""The callbacks of transformers' trainers: they report progress, and stop after a signal."""

from __future__ import annotations

import signal
from typing import Any

from transformers import TrainerCallback

from bioreason_bench.training.progress import ProgressLogger
from bioreason_bench.training.stages.memory import trim_memory


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


class TrimCallback(TrainerCallback):
    """Give memory back to the system every few steps.

    Batches differ in shape, which tears the heap: a process of GRPO of the nano model on a CPU held
    5.6 GB after some 60 steps.
    """

    EVERY = 10

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002 - the signature of transformers
        if state.global_step % self.EVERY == 0:
            trim_memory()


class StopCallback(TrainerCallback):
    """Save a checkpoint and stop after the step in which a signal arrives.

    Attributes:
        asked: Whether a signal has arrived, in any process of the training.
        pressed: Whether Ctrl-C was among the signals.
    """

    def __init__(self) -> None:
        self.asked = self.pressed = False

    def ask(self, number: int, *_: object) -> None:
        """Handle a signal; a second Ctrl-C stops at once.

        Not so a second SIGTERM: a job manager sends one to every process, and the parent of this
        one then sends another.
        """
        if number == signal.SIGINT:
            if self.pressed:
                raise KeyboardInterrupt
            self.pressed = True
        self.asked = True

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002 - the signature of transformers
        if args.world_size > 1:
            self.asked = _any_process(self.asked)
        if self.asked:
            control.should_save = control.should_training_stop = True


def _any_process(asked: bool) -> bool:
    """Whether any process was asked: all of them save the checkpoint of the same step."""
    from accelerate.utils import gather_object

    return any(gather_object([asked]))
