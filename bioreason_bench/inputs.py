"""Reading files from outside: regular files only, of a limited size, and text that is UTF-8.

read_json(path, MANIFEST)   the value; Unreadable says in a few words why there is none

An `Unreadable` is a ValueError whose message fits into a sentence such as "PATH cannot be read
(REASON); make it again".  A file that is missing or forbidden raises the system's OSError.
"""

from __future__ import annotations

import json
import os
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bioreason_bench.errors import UsageError, quoted

__all__ = [
    "DEEPEST",
    "FACTS",
    "LINE",
    "LOG",
    "MANIFEST",
    "SETTINGS",
    "TABLE",
    "Unreadable",
    "check_file",
    "check_nesting",
    "json_lines",
    "parse_json",
    "parse_toml",
    "parse_yaml",
    "read_bytes",
    "read_json",
    "read_text",
    "read_toml",
    "read_yaml_table",
    "toml_value",
]

# The largest file that is read, in bytes; stated in docs/data.md (Limits).
SETTINGS = 1_000_000  # a preset, a recipe
TABLE = 10_000_000  # a relation table
MANIFEST = 100_000_000  # manifest.json, audit.json, run.json and the like
FACTS = 1_000_000_000  # facts and names of the user's
LOG = 10_000_000_000  # answers that a run logged; read line by line
LINE = 50_000_000  # a line of such a log

DEEPEST = 50  # lists and tables within each other
VALUES = 200_000  # values of a YAML file, once its aliases are written out


class Unreadable(ValueError):
    """A file or text that cannot be read; the message is the reason."""


def check_file(path: Path, most: int) -> None:
    """Refuse what is no regular file, or has more than `most` bytes.

    A FIFO or a device would be read for ever.

    Raises:
        Unreadable: Says what the path is instead.
        OSError: There is no such file, or it may not be looked at.
    """
    try:
        status = path.stat()
    except ValueError:  # a null character
        raise Unreadable("this is no path of a file") from None
    _check_status(status, most)


def _check_status(status: os.stat_result, most: int) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise Unreadable("it is a folder, not a file")
    if not stat.S_ISREG(status.st_mode):
        raise Unreadable("it is no regular file")
    if status.st_size > most:
        raise Unreadable(f"it has {status.st_size:,} bytes; at most {most:,} are read")


def read_bytes(path: Path, most: int) -> bytes:
    """The content of a regular file of at most `most` bytes.

    Raises:
        Unreadable: It is none, or larger.
        OSError: There is no such file, or it may not be read.
    """
    check_file(path, most)
    # Not blocking: if the file is exchanged for a FIFO at this moment, opening it does not hang.
    with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
        _check_status(os.fstat(file.fileno()), most)
        return file.read(most + 1)


def read_text(path: Path, most: int) -> str:
    """The text of a file.

    Raises:
        Unreadable: It is no regular file, too large, or not UTF-8.
        OSError: There is no such file, or it may not be read.
    """
    content = read_bytes(path, most)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Unreadable(
            f"line {line} is not UTF-8 text: byte {content[error.start]:#04x} "
            f"at position {error.start:,}"
        ) from None


def read_json(path: Path, most: int = MANIFEST) -> Any:
    """The value of a JSON file; see `read_text` for errors."""
    return parse_json(read_text(path, most))


def read_toml(path: Path, most: int) -> dict[str, Any]:
    """The values of a TOML file; see `read_text` for errors."""
    return parse_toml(read_text(path, most))


def json_lines(path: Path) -> Iterator[tuple[int, Any]]:
    """The number and the value of each line of a file, blank lines left out.

    Raises:
        Unreadable: Names the line.
        OSError: There is no such file, or it may not be read.
    """
    check_file(path, LOG)
    with path.open("rb") as file:
        for number in range(1, LOG):
            line = file.readline(LINE + 1)
            if not line:
                return
            if len(line) > LINE:
                raise Unreadable(f"line {number} has more than {LINE:,} bytes")
            if line.strip():
                try:
                    yield number, parse_json(line.decode("utf-8"))
                except UnicodeDecodeError:
                    raise Unreadable(f"line {number} is not UTF-8 text") from None
                except Unreadable as error:
                    raise Unreadable(f"line {number}: {error}") from None


def parse_json(text: str) -> Any:
    """The value of a JSON text; NaN and Infinity, which JSON lacks, are read as null.

    Raises:
        Unreadable: It is none, or nested too deeply.
    """
    try:
        value = json.loads(text, parse_constant=lambda _: None)
    except RecursionError:
        raise Unreadable(_too_deep()) from None
    except ValueError as error:
        raise Unreadable(f"it is not JSON: {_first_line(error)}") from None
    if text.count("[") + text.count("{") > DEEPEST:
        check_nesting(value)
    return value


def parse_toml(text: str) -> dict[str, Any]:
    """The values of a TOML text; raises Unreadable if it is none, or nested too deeply."""
    try:
        values = tomllib.loads(text)
    except RecursionError:
        raise Unreadable(_too_deep()) from None
    except ValueError as error:  # TOMLDecodeError, and whole numbers of thousands of digits
        raise Unreadable(f"it is not TOML: {_first_line(error)}") from None
    check_nesting(values)
    return values


def parse_yaml(text: str) -> Any:
    """The value of a YAML text, without objects of Python.

    Raises:
        Unreadable: It is none, nested too deeply, or has too many values once aliases are resolved.
    """
    import yaml

    try:
        value = yaml.safe_load(text)
    except RecursionError:
        raise Unreadable(_too_deep()) from None
    except (yaml.YAMLError, ValueError, AttributeError, TypeError) as error:  # also bad dates, keys
        raise Unreadable(f"it is not YAML: {' '.join(str(error).split())[:200]}") from None
    check_nesting(value, VALUES)
    return value


def check_nesting(value: Any, most: int | None = None) -> None:
    """Refuse lists and tables that are nested too deeply, or have more than `most` values.

    A list that a YAML alias repeats counts each time: printing it would write it out.
    """
    count = 0
    waiting = [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        count += 1
        if depth > DEEPEST:
            raise Unreadable(_too_deep())
        if most is not None and count + len(waiting) > most:
            raise Unreadable(f"it has more than {most:,} values (aliases written out)")
        if isinstance(item, dict):
            if wrong := [key for key in item if not isinstance(key, str)]:
                raise Unreadable(f"the key {quoted(wrong[0])} is no text; put it in quotes")
            waiting += [(below, depth + 1) for below in item.values()]
        elif isinstance(item, list):
            waiting += [(below, depth + 1) for below in item]
        elif not isinstance(item, (str, int, float, type(None))):
            raise Unreadable(f"{item} is a {type(item).__name__}; put it in quotes")


def _too_deep() -> str:
    return f"its lists and tables are nested more than {DEEPEST} deep"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def toml_value(text: str) -> Any:
    """The TOML value that a text is, or the text itself where it is none."""
    try:
        values = parse_toml(f"value = {text}")
    except Unreadable:
        return text
    return values["value"] if len(values) == 1 else text


def read_yaml_table(path: Path, what: str, examples: Path) -> dict[str, Any]:
    """The fields of a YAML file of settings.

    Args:
        path: The file.
        what: What an error message calls it, such as "recipe".
        examples: Where there are files as they should be.

    Raises:
        UsageError: It cannot be read, or is no table of fields.
    """
    try:
        values = parse_yaml(read_text(path, SETTINGS))
    except OSError as error:
        raise UsageError(f"{what} {path} cannot be read: {error.strerror}") from None
    except Unreadable as problem:
        raise UsageError(f"{what} {path} cannot be read: {problem}") from None
    if not isinstance(values, dict):
        raise UsageError(
            f"{what} {path} is not a table of fields; see the shipped ones in {examples}"
        )
    return values
