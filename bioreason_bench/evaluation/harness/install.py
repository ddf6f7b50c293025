"""Putting the task files where plain `lm_eval --tasks bioreason_comp` finds them, and taking them away again.

The harness has no plug-ins for tasks, and its index does not follow a linked folder on Python 3.11; so the files are copied
to lm_eval/tasks/bioreason, as those of an accepted task would lie there.  What was put there is written down beside it.
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
    """The folder of the installed harness's tasks; raises MissingExtra where lm-eval is not installed."""
    spec = importlib.util.find_spec("lm_eval")
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise MissingExtra("lm-eval", "eval")
    return Path(places[0]) / "tasks"


def install() -> tuple[Path, int]:
    """Copy the task files; returns the folder and the number of files. Repeating it brings the folder up to date."""
    source = resources.folder("tasks")
    texts = {
        file.relative_to(source).as_posix(): file.read_bytes()
        for file in sorted(source.rglob("*"))
        if _is_task_file(file)
    }
    folder = harness_folder() / "bioreason"
    old = _record(folder)
    if folder.exists() and old is None:
        raise UsageError(
            f"{folder} is there already and was not put there by bioreason; remove or rename it, then install again"
        )
    try:
        folder.mkdir(exist_ok=True)
        record = {
            "version": __version__,
            "files": {name: _digest(data) for name, data in texts.items()},
        }
        both = {**record, "files": {**(old or {}), **record["files"]}}
        (folder / RECORD).write_text(
            json.dumps(both, indent=1), encoding="utf-8"
        )  # first: an interrupted copy can be undone
        for name, data in texts.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        _remove(folder, {name: digest for name, digest in (old or {}).items() if name not in texts})
        (folder / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"the task files cannot be put into {folder} ({error.strerror or error}); {_instead()}"
        ) from None
    return folder, len(texts)


def uninstall() -> tuple[Path, int, list[str]]:
    """Remove what `install` put there; returns the folder, the number of files removed, and the changed ones that were left.

    Files that somebody edited or added stay, and so does the folder then.  Where nothing is installed nothing happens.
    """
    folder = harness_folder() / "bioreason"
    record = _record(folder)
    if record is None:
        return folder, 0, []
    try:
        removed, kept = _remove(folder, record)
        (folder / RECORD).unlink()
        if not any(folder.iterdir()):
            folder.rmdir()
    except OSError as error:
        raise UsageError(
            f"the task files in {folder} cannot be removed ({error.strerror or error}); remove the folder by hand"
        ) from None
    return folder, removed, kept


def installed() -> bool:
    """Are these very task files installed?"""
    source = resources.folder("tasks")
    here = {
        file.relative_to(source).as_posix(): _digest(file.read_bytes())
        for file in source.rglob("*")
        if _is_task_file(file)
    }
    return _record(harness_folder() / "bioreason") == here


def _is_task_file(file: Path) -> bool:
    return file.is_file() and file.suffix in (".yaml", ".md")


def _record(folder: Path) -> dict[str, str] | None:
    try:
        return json.loads((folder / RECORD).read_text(encoding="utf-8"))["files"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(
            f"{folder / RECORD} cannot be read; remove the folder {folder} by hand"
        ) from None


def _remove(folder: Path, files: dict[str, str]) -> tuple[int, list[str]]:
    """Remove the files that are still as they were put there, and the folders that this leaves empty."""
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
        if inner.is_dir() and not any(
            item for item in inner.iterdir() if item.name != "__pycache__"
        ):
            inner.rmdir()
    return removed, kept


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _instead() -> str:
    return 'without installing, use: lm_eval --include_path "$(bioreason where tasks)"'
