"""Ctrl-C and SIGTERM while something runs; StopCallback (stages/callback.py) handles them."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def handled_by(handler: Any) -> Iterator[None]:
    """Have `handler` called for Ctrl-C and SIGTERM meanwhile; only a main thread can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in SIGNALS}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def stop_with_parent() -> None:
    """Send this process SIGTERM when its standard input, a pipe from its parent, closes."""

    def watch() -> None:
        while os.read(0, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def interrupt(*_: object) -> NoReturn:
    """Handle SIGTERM as Ctrl-C is handled."""
    raise KeyboardInterrupt
