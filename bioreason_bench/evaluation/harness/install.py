"""Copying the task files into the installed harness, and removing them again.

The harness has no plug-ins for tasks, and on Python 3.11 its index does not follow a linked folder.
The files are therefore copied to lm_eval/tasks/bioreason, as if they were tasks of the harness; a
record in that folder lists what was copied.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from pathlib import Path

from bioreason_bench import resources
from bioreason_bench._version import __version__
from bioreason_bench.errors import MissingExtra, UsageError

__all__ = ["harness_folder", "install", "installed", "uninstall"]

RECORD = ".put-here-by-bioreason.json"  # {"version": ..., "files": {name: SHA-256}}


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
    """
    tasks = resources.folder("tasks")
    data = {name: (tasks / name).read_bytes() for name in _task_files(tasks)}
    folder = harness_folder() / "bioreason"
    old = _recorded(folder)
    if folder.exists() and old is None:
        raise UsageError(
            f"{folder} is there already and was not put there by bioreason; "
            "remove or rename it, then install again"
        )
    old = old or {}
    new = {name: _digest(content) for name, content in data.items()}
    try:
        folder.mkdir(exist_ok=True)
        _write_record(folder, {**old, **new})  # first, so that an interrupted copy can be undone
        for name, content in data.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        _remove(folder, {name: digest for name, digest in old.items() if name not in new})
        _write_record(folder, new)
    except OSError as error:
        raise UsageError(
            f"the task files cannot be put into {folder} ({error.strerror or error}); without "
            'installing, use: lm_eval --include_path "$(bioreason where tasks)"'
        ) from None
    return folder, len(data)


def uninstall() -> tuple[Path, int, list[str]]:
    """Remove what `install` copied, if anything.

    Files that the user changed or added are kept, and then the folder is kept too.

    Returns:
        The folder, the number of files removed, and the names of changed files.
    """
    folder = harness_folder() / "bioreason"
    record = _recorded(folder)
    if record is None:
        return folder, 0, []
    try:
        removed, kept = _remove(folder, record)
        (folder / RECORD).unlink()
        if not any(folder.iterdir()):
            folder.rmdir()
    except OSError as error:
        raise UsageError(
            f"the task files in {folder} cannot be removed ({error.strerror or error}); "
            "remove the folder by hand"
        ) from None
    return folder, removed, kept


def installed() -> bool:
    """Whether exactly these task files are installed."""
    tasks = resources.folder("tasks")
    current = {name: _digest((tasks / name).read_bytes()) for name in _task_files(tasks)}
    return _recorded(harness_folder() / "bioreason") == current


def _task_files(folder: Path) -> list[str]:
    """The names of the files to copy, relative to the folder."""
    return [
        file.relative_to(folder).as_posix()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.suffix in (".yaml", ".md")
    ]


def _recorded(folder: Path) -> dict[str, str] | None:
    """Name -> digest of the files that were copied to the folder; None without a record."""
    try:
        return dict(json.loads((folder / RECORD).read_text(encoding="utf-8"))["files"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(
            f"{folder / RECORD} cannot be read; remove the folder {folder} by hand"
        ) from None


def _write_record(folder: Path, files: dict[str, str]) -> None:
    record = {"version": __version__, "files": files}
    (folder / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")


def _remove(folder: Path, files: dict[str, str]) -> tuple[int, list[str]]:
    """Remove unchanged files, and the folders that this leaves empty.

    Args:
        folder: The folder.
        files: Name -> digest at the time of copying.

    Returns:
        The number of files removed, and the names of changed files, which are kept.
    """
    removed, kept = 0, []
    for name, digest in files.items():
        path = folder / name
        if not path.is_file():
            continue
        if _digest(path.read_bytes()) != digest:
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
