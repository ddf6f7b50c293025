"""Nasty values, and ways to break a document: what `command_lines` puts into words and files."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

DEEP = "[" * 3_000

WORDS = (  # of a command line
    "",
    " ",
    "-1",
    "0",
    "5",
    "10" * 20,
    "1e400",
    "nan",
    "1.5",
    "true",
    "null",
    "[]",
    "{}",
    "[[]]",
    "{a=1}",
    '"\\u0000"',
    "2020-01-01",
    "x" * 3_000,
    DEEP,
    "a\nb",
    "a\0b",
    "\udcff\udcfebad",
    "\x1b[31mred",
    "\u202eevil",
    "é" * 300,
    "~nobody-of-this-name/x",
    "../" * 30 + "x",
    "a/" * 1_500 + "x",
    "/dev/zero",
    "/dev/full",
    "/proc/self/mem",
    "/",
    ".",
    "--",
    "-x",
    "<script>",
    "%s%n{0}",
    "C:\\x",
)

VALUES: tuple[Any, ...] = (  # of a document
    None,
    True,
    -1,
    0,
    5,
    0.5,
    10**30,
    float("nan"),
    float("inf"),
    "",
    "x",
    "x" * 20_000,
    "a\nb\x00\x1b[31m",
    "\ud800",
    "\u202e",
    "../../x",
    "<script>alert(1)</script>",
    [],
    {},
    [[]],
    {"a": 1},
    ["iid", "iid"],
    [0] * 1_000,
)

ALIASES = b"bcdefghij"  # each is nine times the one before it
BYTES = (  # that replace a file
    b"",
    b"\x00",
    b"\xff\xfe\x00",
    b"{",
    b"[]",
    b"{}",
    b"null",
    b"5",
    b'"text"',
    DEEP.encode(),
    b'{"a":' * 3_000,
    b"PAR1" * 9,
    b"a: &a [x]\n" + b"".join(b"%c: &%c [%s]\n" % (k, k, b"*%c," % (k - 1) * 9) for k in ALIASES),
    b"9" * 10_000,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of each value in nested tables and lists; two items stand for all of a list."""
    yield path
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = list(enumerate(value))[:2]
    for key, below in items:
        yield from places(below, (*path, key))


class Document:
    """A good document of JSON values, to be broken in one place."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self.places = [path for path in places(value) if path]

    @st.composite
    @staticmethod
    def _broken(draw: st.DrawFn, self: Document) -> Any:
        *parents, last = draw(st.sampled_from(self.places))
        value = table = copy.copy(self.value)
        for key in parents:  # only what is changed is copied: a manifest has thousands of values
            table[key] = copy.copy(table[key])
            table = table[key]
        match draw(st.sampled_from(["replace", "replace", "remove", "add"])):
            case "replace":
                table[last] = draw(st.sampled_from(VALUES))
            case "remove":
                del table[last]
            case "add":
                added = draw(st.sampled_from(VALUES))
                if isinstance(table, dict):
                    table[draw(st.sampled_from(["extra", "", "5", "x" * 3_000]))] = added
                else:
                    table.append(added)
        return value

    def broken(self) -> st.SearchStrategy[Any]:
        """The document with one value replaced, removed or added."""
        return Document._broken(self)


def one_in(number: int) -> st.SearchStrategy[bool]:
    """True once in so many draws; hypothesis draws 0 far more often than other numbers."""
    return st.integers(0, number - 1).map(lambda drawn: drawn == number // 2)


@st.composite
def texts(draw: st.DrawFn, values: st.SearchStrategy[Any], dump: Any = json.dumps) -> bytes:
    """The bytes of a file: of broken values mostly, else damaged bytes or none of it at all."""
    if draw(one_in(10)):
        return draw(st.sampled_from(BYTES))
    content = dump(draw(values)).encode("utf-8", "surrogatepass")
    if draw(one_in(10)):
        cut = draw(st.integers(0, len(content)))
        content = (
            content[:cut] + draw(st.sampled_from([b"", b"\xff", b"\x00", b"[[["])) + content[cut:]
        )
    return content


def to_toml(values: dict[str, Any]) -> str:
    """A TOML text of JSON values; what TOML lacks (null, NaN) is written as it is in JSON."""
    return "".join(f"{json.dumps(key)} = {_toml(value)}\n" for key, value in values.items())


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, float):
        return str(value)  # nan and inf are TOML
    return json.dumps(value)
