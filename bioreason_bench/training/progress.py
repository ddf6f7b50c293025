"""How a stage gets on: a bar on stderr, a line of log.jsonl every few steps, and its speed."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Watch:
    """Watches one stage.  `log` is the file of learning curves; `show` draws the bar."""

    def __init__(self, stage: str, steps: int, log: Path, show: bool = True) -> None:
        self.stage, self.steps, self.log, self.show = stage, steps, log, show
        self.tokens = 0
        self.first = self.step = 0
        self.begun = self.ended = time.perf_counter()

    def counting(self, collate: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """`collate`, counting the tokens that it is given."""

        def counted(items: Any) -> Any:
            self.tokens += sum(len(item["input_ids"]) for item in items)
            return collate(items)

        return counted

    def note(self, step: int, values: dict[str, Any]) -> None:
        """Appends a line of the learning curve."""
        kept = {
            key: round(value, 5) if isinstance(value, float) else value
            for key, value in values.items()
            if isinstance(value, int | float)
        }
        with self.log.open("a", encoding="utf-8") as file:
            file.write(
                json.dumps(
                    {
                        "stage": self.stage,
                        "step": step,
                        "seconds": round(time.perf_counter() - self.begun, 1),
                        **kept,
                    }
                )
                + "\n"
            )

    def summary(self) -> dict[str, float]:
        seconds = max(1e-9, self.ended - self.begun)
        steps = max(1, self.step - self.first)
        return {
            "seconds": round(seconds, 1),
            "seconds_per_step": round(seconds / steps, 4),
            "tokens_per_second": round(self.tokens / seconds),
        }

    def callback(self) -> Any:
        """The same as a callback of transformers' Trainer."""
        from tqdm import tqdm
        from transformers import TrainerCallback

        watch = self

        class Callback(TrainerCallback):
            def on_train_begin(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
                watch.begun, watch.first, watch.step = (
                    time.perf_counter(),
                    state.global_step,
                    state.global_step,
                )
                watch.shown = state.is_world_process_zero
                self.bar = tqdm(
                    total=watch.steps, initial=state.global_step, desc=watch.stage, unit="step", file=sys.stderr,
                    disable=not (watch.show and watch.shown), mininterval=1 if sys.stderr.isatty() else 30, leave=True,
                )  # fmt: skip

            def on_step_end(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
                watch.step, watch.ended = state.global_step, time.perf_counter()
                self.bar.update(1)

            def on_log(
                self,
                _args: Any,
                state: Any,
                _control: Any,
                logs: dict[str, Any] | None = None,
                **_: Any,
            ) -> None:
                logs = logs or {}
                if watch.shown and ("loss" in logs or "reward" in logs):
                    watch.note(state.global_step, logs)
                    self.bar.set_postfix_str(
                        " ".join(
                            f"{key} {logs[key]:.3f}"
                            for key in ("loss", "reward")
                            if isinstance(logs.get(key), float)
                        )
                    )

            def on_train_end(self, _args: Any, _state: Any, _control: Any, **_: Any) -> None:
                self.bar.close()

        return Callback()
