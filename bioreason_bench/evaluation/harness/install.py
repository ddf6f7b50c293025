"""Copying the task files into the installed harness, and removing them again.

The harness has no plug-ins for tasks, and on Python 3.11 its index does not follow a linked folder.
The files are therefore copied to lm_eval/tasks/bioreason, as if they were tasks of the harness; a
record in that folder lists what was copied.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from bioreason_bench import resources
from bioreason_bench._version import __version__
from bioreason_bench.errors import MissingExtra, UsageError
from bioreason_bench.release.disk import locked, remove_leftovers, write_whole

__all__ = ["harness_folder", "install", "installed", "uninstall"]

RECORD = ".put-here-by-bioreason.json"  # {"version": ..., "files": {name: [SHA-256, ...]}}

# Name → the digests that the file may have: one, or two while a new version is copied over an old.
Record = dict[str, list[str]]


def harness_folder() -> Path:
    """The folder of the installed harness's tasks; MissingExtra if lm-eval is not installed."""
    spec = importlib.util.find_spec("lm_eval")
    locations = list(spec.submodule_search_locations or ()) if spec else []
    if not locations:
        raise MissingExtra("lm-eval", "eval")
    return Path(locations[0]) / "tasks"


def install() -> tuple[Path, int]:
    """Copy the task files; repeating it brings the folder up to date.

    Returns:
        The folder and the number of files.

    Raises:
        UsageError: The folder is somebody else's or cannot be written, or a file in it is not as
            it was copied.  Nothing has been copied then.
    """
    tasks = resources.folder("tasks")
    data = {name: (tasks / name).read_bytes() for name in _task_files(tasks)}
    new = {name: _digest(content) for name, content in data.items()}
    folder = harness_folder() / "bioreason"
    other_way = 'without installing, use: lm_eval --include_path "$(bioreason where tasks)"'
    with _alone(folder, f"the task files cannot be put into {folder}", other_way):
        recorded = _recorded(folder)
        if recorded is None and folder.exists() and any(folder.iterdir()):
            raise UsageError(
                f"{folder} is there already and was not put there by bioreason; "
                "remove or rename it, then install again"
            )
        old = recorded or {}
        for name, digest in new.items():
            if not _is_ours(folder / name, {digest, *old.get(name, ())}):
                raise UsageError(
                    f"{folder / name} is not as bioreason put it there; "
                    "move it away, then install again"
                )
        folder.mkdir(exist_ok=True)
        both = {name: [*old.get(name, []), digest] for name, digest in new.items()}
        _write_record(folder, {**old, **both})  # first, so that an interrupted copy can be undone
        for name, content in data.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            remove_leftovers(folder / name)
            write_whole(folder / name, content)
        _remove(folder, {name: digests for name, digests in old.items() if name not in new})
        _write_record(folder, {name: [digest] for name, digest in new.items()})
    return folder, len(data)


def uninstall() -> tuple[Path, int, list[str]]:
    """Remove what `install` copied, if anything.

    Files that the user changed or added are kept, and then the folder is kept too.

    Returns:
        The folder, the number of files removed, and the names of changed files.
    """
    folder = harness_folder() / "bioreason"
    if not folder.exists():
        return folder, 0, []
    with _alone(
        folder, f"the task files in {folder} cannot be removed", "remove the folder by hand"
    ):
        record = _recorded(folder)
        if record is None:
            return folder, 0, []
        removed, kept = _remove(folder, record)
        if {path.name for path in folder.iterdir()} == {RECORD}:
            (folder / RECORD).unlink()
            folder.rmdir()
        else:
            _write_record(folder, {})  # so that `install` knows the folder
    return folder, removed, kept


def installed() -> bool:
    """Whether exactly these task files are installed."""
    tasks = resources.folder("tasks")
    current = {name: [_digest((tasks / name).read_bytes())] for name in _task_files(tasks)}
    return _recorded(harness_folder() / "bioreason") == current


@contextmanager
def _alone(folder: Path, failed: str, instead: str) -> Iterator[None]:
    """Let one process at a time change the folder; say what failed, and what to do instead."""
    try:
        with locked(folder.with_name(".bioreason.lock"), wait=True):
            yield
    except OSError as error:
        raise UsageError(f"{failed} ({error.strerror or error}); {instead}") from None


def _is_ours(path: Path, digests: Collection[str]) -> bool:
    """Whether a file is absent or has one of the digests."""
    return not os.path.lexists(path) or (path.is_file() and _digest(path.read_bytes()) in digests)


def _task_files(folder: Path) -> list[str]:
    """The names of the files to copy, relative to the folder."""
    return [
        file.relative_to(folder).as_posix()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.suffix in (".yaml", ".md")
    ]


def _recorded(folder: Path) -> Record | None:
    """The record of the folder; None without one."""
    try:
        files = json.loads((folder / RECORD).read_text(encoding="utf-8"))["files"]
        return {
            name: [digests] if isinstance(digests, str) else list(digests)  # str until 0.2
            for name, digests in files.items()
        }
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(
            f"{folder / RECORD} cannot be read; remove the folder {folder} by hand"
        ) from None


def _write_record(folder: Path, files: Record) -> None:
    record = {"version": __version__, "files": files}
    remove_leftovers(folder / RECORD)
    write_whole(folder / RECORD, json.dumps(record, indent=1))


def _remove(folder: Path, files: Record) -> tuple[int, list[str]]:
    """Remove unchanged files, and the folders that this leaves empty.

    Args:
        folder: The folder.
        files: The record.

    Returns:
        The number of files removed, and the names of changed files, which are kept.
    """
    removed, kept = 0, []
    for name, digests in files.items():
        path = folder / name
        remove_leftovers(path)
        if not path.is_file():
            continue
        if not _is_ours(path, digests):
            kept.append(name)
            continue
        path.unlink()
        removed += 1
    for inner in sorted({(folder / name).parent for name in files} - {folder}, reverse=True):
        if inner.is_dir() and all(item.name == "__pycache__" for item in inner.iterdir()):
            inner.rmdir()
    return removed, kept


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
