"""Memory between steps and between stages."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress


def trim_memory() -> None:
    """Give free memory of the heap back to the system, where the C library is glibc."""
    gc.collect()  # a model is in cycles with its trainer
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
