"""Word lists, frozen as package data: one word or value a line; lines that begin with # say where they come from."""

from __future__ import annotations

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent


@cache
def read_words(name: str) -> tuple[str, ...]:
    """The lines of words/<name>.txt in their order; KeyError if there is no such list."""
    file = FOLDER / f"{name}.txt"
    if not file.is_file():
        raise KeyError(name)
    return tuple(
        line
        for line in file.read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    )
