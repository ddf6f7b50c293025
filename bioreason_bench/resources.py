"""Where the folders that are not code lie: tasks, schemas, cards.

A wheel carries them inside the package; an editable install and a checkout have them beside it.
"""

from __future__ import annotations

from pathlib import Path

from bioreason_bench.errors import UsageError, suggest

__all__ = ["FOLDERS", "folder"]

FOLDERS = ("tasks", "schemas", "cards")


def folder(name: str) -> Path:
    """The folder called `name` (one of FOLDERS): in the package first, then beside it in a checkout.

    Raises UsageError for another name, or where an installation has lost the folder.
    """
    if name not in FOLDERS:
        raise UsageError(f"there is no folder {name!r}: {suggest(name, FOLDERS)}")
    package = Path(__file__).resolve().parent
    for place in (package / name, package.parent / name):
        if place.is_dir():
            return place
    raise UsageError(
        f"the folder {name!r} is missing from the installation at {package}; install bioreason-bench again"
    )
