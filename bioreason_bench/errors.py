"""The errors that users see.

    BioreasonError          exit code 1: a check failed, or something written is broken
    ├── UsageError          exit code 2: a wrong option, preset or path; an impossible request
    │   ├── MissingExtra    exit code 2: an optional dependency is absent; names its extra
    │   └── Shortage        exit code 2: a preset asks for more questions than the world has
    └── ReleaseError        exit code 1: a release, or another input file, is missing or broken

Every message is one sentence that says where, what, and what to do next.  The command lines print
it on stderr and return `exit_code`; a traceback means a bug in this package.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["BioreasonError", "MissingExtra", "ReleaseError", "Shortage", "UsageError", "suggest"]


class BioreasonError(Exception):
    """A failed check or a broken file; the base class of every error meant for users."""

    exit_code = 1


class UsageError(BioreasonError):
    """A wrong option, preset or path, or a request that cannot be met."""

    exit_code = 2


class ReleaseError(BioreasonError):
    """A release, or another input file, that is missing, broken or inconsistent."""

    exit_code = 1


class MissingExtra(UsageError):
    """An optional dependency that is not installed."""

    def __init__(self, module: str, extra: str) -> None:
        super().__init__(
            f"this needs {module}, which is not installed; "
            f"install it with: pip install 'bioreason-bench[{extra}]'"
        )


class Shortage(UsageError):
    """A field of the configuration that asks for more questions than the world has.

    Attributes:
        field: The field, such as comp.zeroshot.
        what: What is asked for, such as "test questions".
        available: How many there are.
    """

    def __init__(self, field: str, what: str, asked: int, available: int, remedy: str) -> None:
        super().__init__(
            f"{field}: {asked:,} {what} are asked for and this world has {available:,}; {remedy}"
        )
        self.field, self.what, self.available = field, what, available


def suggest(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """End an error message about an unknown word: with the nearest known one, or with all of them.

    >>> suggest("smal", ["small", "tiny"])
    "did you mean 'small'?"
    >>> suggest("huge", ["small", "tiny"])
    'choose one of small, tiny'

    Args:
        word: What the user wrote.
        known: The words that would have been right.
        otherwise: The text to use instead of the list if no known word is near.
    """
    words = list(known)
    near = difflib.get_close_matches(word, words, 1)
    if near:
        return f"did you mean {near[0]!r}?"
    return otherwise or f"choose one of {', '.join(words)}"
