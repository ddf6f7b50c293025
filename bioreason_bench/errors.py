"""The errors that users see.

    BioreasonError          exit code 1: a check failed, or something written is broken
    ├── UsageError          exit code 2: a wrong option, preset or path; an impossible request
    │   ├── MissingExtra    exit code 2: an optional dependency is absent; names its extra
    │   └── Shortage        exit code 2: a preset asks for more questions than the world has
    └── ReleaseError        exit code 1: a release, or another input file, is missing or broken

Every message is one sentence that says where, what, and what to do next.  It is one line of at most
MOST characters: text from outside is escaped and cut.  The command lines print it on stderr and
return `exit_code`; any other exception is a bug in this package, and ends in exit code 70.
"""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable, Sequence

from bioreason_bench.escaping import visible

__all__ = [
    "BUG",
    "EXIT_CODES",
    "BioreasonError",
    "MissingExtra",
    "ReleaseError",
    "Shortage",
    "UsageError",
    "all_at_once",
    "one_line",
    "quoted",
    "suggest",
]

BUG = 70  # the exit code of a bug in this package (EX_SOFTWARE of sysexits.h)
EXIT_CODES = {
    0: "done",
    1: "a check failed, two releases differ, or a file is missing or broken",
    2: "wrong usage, or a request that cannot be met",
    BUG: "a bug in bioreason; the message names a file to report",
    130: "interrupted (Ctrl-C)",
}
MOST = 600  # characters of a message
LONGEST = 60  # characters of a value that a message quotes

_short = reprlib.Repr()
_short.maxstring = _short.maxother = _short.maxlong = LONGEST
_short.maxlevel, _short.maxdict, _short.maxlist, _short.maxtuple = 3, 4, 8, 8


def quoted(value: object) -> str:
    """A value from outside as a message quotes it: `repr`, cut in the middle if it is long.

    >>> quoted("tiny")
    "'tiny'"
    >>> quoted([[[[[[0]]]]]] * 100)
    '[[[[...]]], [[[...]]], [[[...]]], [[[...]]], [[[...]]], [[[...]]], [[[...]]], [[[...]]], ...]'
    """
    try:
        return _cut(_short.repr(value), 2 * LONGEST)
    except ValueError:  # Python does not print whole numbers of thousands of digits
        return "a number of thousands of digits"


def one_line(text: str, most: int = MOST) -> str:
    r"""A text as one line of at most `most` characters, without characters that cannot be seen.

    >>> one_line("a" * 20 + "\x1b[31m\nb", 16)
    'aaaaaa ... 1m\\nb'
    """
    return _cut(visible(_cut(text, most)), most)


def _cut(text: str, most: int) -> str:
    """The text without its middle, if it has more than `most` characters."""
    if len(text) <= most:
        return text
    half = (most - 5) // 2
    return f"{text[: most - 5 - half]} ... {text[-half:]}"


class BioreasonError(Exception):
    """A failed check or a broken file; the base class of every error meant for users."""

    exit_code = 1

    def __str__(self) -> str:
        return one_line(super().__str__())


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
        asked: How many are asked for.
        available: How many there are.
    """

    def __init__(self, field: str, what: str, asked: int, available: int, remedy: str) -> None:
        super().__init__(
            f"{field}: {asked:,} {what} are asked for and this world has {available:,}; {remedy}"
        )
        self.field, self.what, self.asked, self.available = field, what, asked, available


def all_at_once(shortages: Sequence[Shortage]) -> UsageError:
    """One error for several shortages: each field with what the world has."""
    if len(shortages) == 1:
        return shortages[0]
    parts = [f"{one.field}: {one.available:,} of {one.asked:,} {one.what}" for one in shortages]
    return UsageError(
        f"this world has fewer questions than are asked for ({'; '.join(parts)}); "
        "lower these fields, or raise known, novel or the paths of the skill"
    )


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
    words = list(map(str, known))
    near = difflib.get_close_matches(word[:100], words, 1)
    if near:
        return f"did you mean {near[0]!r}?"
    return otherwise or f"choose one of {', '.join(words)}"
