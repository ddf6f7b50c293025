"""Progress of one stage: a bar on stderr, log.jsonl (the learning curve), and the speed."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bioreason_bench.release.disk import write_whole


class ProgressLogger:
    """Progress bar and log.jsonl for one stage.

    Trainers report to it through stages/callback.py.  `tokens` are those learned or sampled so far.
    """

    def __init__(self, name: str, steps: int, path: Path, show_bar: bool = True) -> None:
        self.name, self.steps, self.path, self.show_bar = name, steps, path, show_bar
        self.tokens = 0
        self._first = self._step = 0  # optimizer steps at the start of this process, and now
        self._begun = self._ended = time.perf_counter()  # seconds
        self._before = 0.0  # seconds that the learning curve has seen in earlier processes
        self._main = True
        self._bar: tqdm[Any] | None = None

    def count_tokens(
        self, collate: Callable[[Sequence[dict[str, Any]]], Any]
    ) -> Callable[[Sequence[dict[str, Any]]], Any]:
        """A function that collates and counts the tokens of its items."""

        def counted(items: Sequence[dict[str, Any]]) -> Any:
            self.tokens += sum(len(item["input_ids"]) for item in items)
            return collate(items)

        return counted

    def begin(self, step: int, main: bool) -> None:
        """Start the clock and the bar; `step` is greater than 0 in a resumed stage.

        Args:
            step: Optimizer steps that are already done.
            main: Whether this is the process that writes and draws.
        """
        self._begun, self._first, self._step, self._main = time.perf_counter(), step, step, main
        if main:
            self._keep_until(step)
        self._bar = tqdm(
            total=self.steps,
            initial=step,
            desc=self.name,
            unit="step",
            file=sys.stderr,
            disable=not (self.show_bar and main),
            mininterval=1 if sys.stderr.isatty() else 30,
        )

    def _keep_until(self, step: int) -> None:
        """Remove from log.jsonl what came after the checkpoint, and a line that was cut off."""
        if not self.path.is_file():
            return
        lines = []
        for text in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
            with suppress(ValueError, TypeError, KeyError):
                line = json.loads(text)
                if line["step"] <= step:
                    self._before = float(line["seconds"])
                    lines.append(text + "\n")
        write_whole(self.path, "".join(lines))

    def advance(self, step: int) -> None:
        """Note that optimizer step `step` is done."""
        self._step, self._ended = step, time.perf_counter()
        if self._bar is not None:
            self._bar.update(1)

    def report(self, step: int, values: dict[str, Any]) -> None:
        """Append a point of the learning curve to log.jsonl and show loss and reward in the bar."""
        if not self._main or not ("loss" in values or "reward" in values):
            return
        numbers = {
            key: round(value, 5) if isinstance(value, float) else value
            for key, value in values.items()
            if isinstance(value, int | float)
        }
        if "frac_reward_zero_std" in numbers:  # TRL's share of prompts whose samples all earn alike
            numbers["mixed_groups"] = round(1.0 - numbers["frac_reward_zero_std"], 5)
        seconds = round(self._before + time.perf_counter() - self._begun, 1)
        line = {"stage": self.name, "step": step, "seconds": seconds, **numbers}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        if self._bar is not None:
            shown = (key for key in ("loss", "reward") if isinstance(values.get(key), float))
            self._bar.set_postfix_str(" ".join(f"{key} {values[key]:.3f}" for key in shown))

    def end(self) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._bar.close()

    def summary(self) -> dict[str, float]:
        """Seconds, seconds per step, and tokens per second of this process."""
        seconds = max(1e-9, self._ended - self._begun)
        steps = max(1, self._step - self._first)
        return {
            "seconds": round(seconds, 1),
            "seconds_per_step": round(seconds / steps, 4),
            "tokens_per_second": round(self.tokens / seconds),
        }
