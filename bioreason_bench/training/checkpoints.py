"""Checkpoints that count only if they are whole.

    RUN/1-sft/checkpoints/checkpoint-40/seal.json      size and digest of each file, written last

A checkpoint without its seal, or with other bytes than the seal says, is passed over: the stage
goes on from the one before, or begins anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bioreason_bench.errors import ReleaseError
from bioreason_bench.release.disk import write_whole

SEAL = "seal.json"
FOLDER = "checkpoints"  # of a stage


def seal(checkpoint: Path) -> None:
    """Put the files of a checkpoint on disk, then write its seal."""
    sync(checkpoint)
    write_whole(checkpoint / SEAL, json.dumps(_files(checkpoint)))
    for other in checkpoint.parent.glob("checkpoint-*"):
        if other != checkpoint:
            shutil.rmtree(other, ignore_errors=True)


def last_checkpoint(stage: Path, log: Callable[[str], None]) -> str | None:
    """The newest whole checkpoint of a stage, or None; `log` gets a line for each broken one."""
    for checkpoint in sorted((stage / FOLDER).glob("checkpoint-*"), key=_step, reverse=True):
        if is_whole(checkpoint):
            return str(checkpoint)
        log(f"{checkpoint} is incomplete; training goes on from the one before it")
    return None


def is_whole(checkpoint: Path) -> bool:
    """Whether the checkpoint has a seal, and the files that it names."""
    try:
        return json.loads((checkpoint / SEAL).read_text(encoding="utf-8")) == _files(checkpoint)
    except (OSError, ValueError, RecursionError):
        return False


def sync(folder: Path) -> None:
    """Have the system write the files of a folder to the disk, and the folder itself."""
    for path in (*folder.iterdir(), folder):
        with suppress(OSError):  # not every system opens folders
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn a failure to write into one sentence.

    Raises:
        ReleaseError: `path` cannot be written.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
    except Exception as error:  # safetensors and torch have classes of their own for a full disk
        if not (type(error).__name__ == "SafetensorError" or "PytorchStreamWriter" in str(error)):
            raise
        reason = " ".join(str(error).split())[:200]
    else:
        return
    raise ReleaseError(
        f"{path} cannot be written ({reason}); free some space and run again with --resume"
    ) from None


def _files(checkpoint: Path) -> dict[str, list[Any]]:
    """Size and SHA-256 of every file but the seal."""
    sizes = {}
    for path in sorted(checkpoint.rglob("*")):
        if path.is_file() and path.name != SEAL:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            sizes[path.relative_to(checkpoint).as_posix()] = [path.stat().st_size, digest]
    return sizes


def _step(checkpoint: Path) -> int:
    step = checkpoint.name.partition("-")[2]
    return int(step) if step.isdecimal() else -1
