"""The folders that hold no code: tasks, schemas, cards.

A wheel carries them inside the package.  A checkout, and so an editable install, has them next to
the package.
"""

from __future__ import annotations

from pathlib import Path

from bioreason_bench.errors import UsageError, suggest

__all__ = ["FOLDERS", "folder"]

FOLDERS = ("tasks", "schemas", "cards")


def folder(name: str) -> Path:
    """Return the folder called `name` (one of FOLDERS): from the package, else from the checkout.

    Raises:
        UsageError: The name is unknown, or the installation has lost the folder.
    """
    if name not in FOLDERS:
        raise UsageError(f"there is no folder {name!r}: {suggest(name, FOLDERS)}")
    package = Path(__file__).resolve().parent
    for path in (package / name, package.parent / name):
        if path.is_dir():
            return path
    raise UsageError(
        f"the folder {name!r} is missing from the installation at {package}; "
        "install bioreason-bench again"
    )
