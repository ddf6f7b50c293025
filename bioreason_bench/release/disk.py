"""Writing to disk: a file is complete or absent, and an OSError becomes one sentence."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bioreason_bench.errors import BioreasonError, UsageError

__all__ = ["plain_errors", "write_whole"]

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def write_whole(path: Path, content: str | Callable[[Path], None]) -> None:
    """Write a temporary file next to `path` and rename it, so that no reader sees half a file.

    Args:
        path: The file; its folder must exist.
        content: The text, or a function that writes the file whose path it is given.

    Raises:
        OSError: The system refused; `path` is as it was.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if callable(content):
            content(partial)
        else:
            partial.write_text(content, encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def plain_errors(
    path: Path,
    refused: str = "choose another --out",
    full: str = "make room and run the same command again",
) -> Iterator[None]:
    """Turn an OSError into one sentence about `path`.

    Args:
        path: The file or folder that is written.
        refused: What to do if it cannot be written.
        full: What to do if no room is left.

    Raises:
        BioreasonError: No room is left.
        UsageError: The system refused for any other reason.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in FULL:
            raise BioreasonError(f"no room to write {path} ({reason}); {full}") from None
        raise UsageError(f"cannot write {path}: {reason}; {refused}") from None
