"""Frozen word lists: one word or value per line; lines that begin with # name the source."""

from __future__ import annotations

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent


@cache
def read_words(name: str) -> tuple[str, ...]:
    """Return the lines of words/<name>.txt in order; raise KeyError if there is no such list."""
    file = FOLDER / f"{name}.txt"
    if not file.is_file():
        raise KeyError(name)
    return tuple(
        line
        for line in file.read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    )
