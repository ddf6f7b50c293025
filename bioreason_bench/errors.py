"""What can go wrong, as a user sees it.

    BioreasonError          exit code 1: something written is broken, or a check failed
    ├── UsageError          exit code 2: a wrong option, preset, path, or a request that cannot be met
    │   └── MissingExtra    exit code 2: an optional part is not installed; names the extra that brings it
    └── ReleaseError        exit code 1: a release (or another file that was read) is missing, broken or does not fit

Every message is one sentence that says where, what, and what to do next.  The command lines print it on stderr
and return `exit_code`; a traceback means a bug in this package.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["BioreasonError", "MissingExtra", "ReleaseError", "UsageError", "suggest"]


class BioreasonError(Exception):
    """Something written is broken, or a check failed; every error for users is one."""

    exit_code = 1


class UsageError(BioreasonError):
    """A wrong option, preset or path, or a request that cannot be met."""

    exit_code = 2


class ReleaseError(BioreasonError):
    """A release, or another file that was read, is missing, broken or does not fit."""

    exit_code = 1


class MissingExtra(UsageError):
    """An optional dependency is absent."""

    def __init__(self, module: str, extra: str) -> None:
        super().__init__(
            f"this needs {module}, which is not installed; install it with: pip install 'bioreason-bench[{extra}]'"
        )


def suggest(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """The end of an error message about an unknown `word`: the nearest known one, or all of them.

    suggest("smal", ["small", "tiny"])    "did you mean 'small'?"
    suggest("huge", ["small", "tiny"])    "choose one of small, tiny"

    Args:
        word: What the user wrote.
        known: The words that would have been right.
        otherwise: Said instead of the list if no known word is near.
    """
    words = list(known)
    near = difflib.get_close_matches(word, words, 1)
    if near:
        return f"did you mean {near[0]!r}?"
    return otherwise or f"choose one of {', '.join(words)}"
