"""What can go wrong, as a user sees it.

    BioreasonError          exit code 1: something written is broken, or a check failed
    ├── UsageError          exit code 2: a wrong option, preset, path, or a request that cannot be met
    │   └── MissingExtra    exit code 2: an optional part is not installed; names the extra that brings it
    └── ReleaseError        exit code 1: a release (or another file that was read) is missing, broken or does not fit

Every message is one sentence that says where, what, and what to do next.  The command lines print it on stderr
and return `exit_code`; a traceback means a bug in this package.
"""

from __future__ import annotations

__all__ = ["BioreasonError", "MissingExtra", "ReleaseError", "UsageError"]


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
        super().__init__(f"this needs {module}, which is not installed; install it with: pip install 'bioreason-bench[{extra}]'")
