"""Check tables against a JSON Schema column by column: seconds for 300,000 rows, not minutes.

`nonconforming` understands the keywords below. A schema with any other keyword is checked row by
row with jsonschema, so that no keyword is ever ignored (tests compare both ways).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from bioreason_bench.release.shards import CANARY
from bioreason_bench.schema import arrow_schema, columns, validator

__all__ = ["marked", "nonconforming", "same_type"]

NOTES = {"title", "description", "examples", "$comment"}  # keywords that constrain nothing
CELL = {"type", "enum", "const", "minLength", "maxLength", "pattern", "minimum", "maximum"} | NOTES
LIST = {"type", "items", "minItems", "maxItems", "uniqueItems"} | NOTES
LONGEST = 300  # characters of a message
# Control characters but for the line end, all white space but for the blank, and what is not seen.
UNSEEN = (
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\p{Cf}\p{Co}\p{Zl}\p{Zp}"
    r"\x{a0}\x{1680}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}"
    r"\x{34f}\x{115f}\x{1160}\x{17b4}\x{17b5}\x{180b}-\x{180f}\x{2800}\x{3164}"
    r"\x{fe00}-\x{fe0f}\x{ffa0}\x{e0100}-\x{e01ef}]"
)
BLANKS = r"\A[ \n]|[ \n]\z|[ \n]{2}"  # at an end, or more than one
LINES = ("context",)  # columns whose texts have lines


def nonconforming(table: pa.Table, name: str) -> tuple[list[int], str]:
    """Find the rows that break schemas/<name>.schema.json.

    Returns:
        The rows in ascending order, and what is wrong with the first; ([], "") if all rows fit.
        A column that is missing, unknown or of another type breaks every row, and row 0 of an
        empty table.
    """
    if problem := _column_problem(table, name):
        return list(range(max(1, table.num_rows))), problem
    rules = columns(name)
    if not all(_understood(rule) for rule in rules.values()):
        return _row_by_row(table, name)
    problems: dict[int, str] = {}
    for column, rule in rules.items():
        for row, problem in _cells(table.column(column).combine_chunks(), rule):
            problems.setdefault(row, f"{column}: {problem}")
    rows = sorted(problems)
    return rows, problems[rows[0]] if rows else ""


def marked(table: pa.Table) -> tuple[list[int], str]:
    """Find the rows with a text that holds a mark outside of its words.

    Words are separated by one blank, the lines of a context by one line end, and nothing else is
    neither a word nor its punctuation.

    Returns:
        The rows in ascending order, and what is wrong with the first; ([], "") if there are none.
    """
    problems: dict[int, str] = {}
    for name in table.column_names:
        cells = table.column(name).combine_chunks()
        if pa.types.is_list(cells.type):
            parents, cells = pc.list_parent_indices(cells).to_pylist(), pc.list_flatten(cells)
        else:
            parents = None
        if not pa.types.is_string(cells.type):
            continue
        pattern = f"{UNSEEN}|{BLANKS}" + ("" if name in LINES else r"|\n")
        for index in pc.indices_nonzero(pc.match_substring_regex(cells, pattern)).to_pylist():
            row = index if parents is None else parents[index]
            problems.setdefault(row, f"{name} holds {_around_mark(cells[index].as_py())}")
    rows = sorted(problems)
    return rows, problems[rows[0]] if rows else ""


def _around_mark(text: str) -> str:
    """The mark and a few letters beside it, in ASCII."""
    blanks = re.search(r"\A[ \n]|[ \n]\Z|[ \n]{2}", text)
    unseen = (place for place, letter in enumerate(text) if not letter.isprintable())
    place = blanks.start() if blanks else next(unseen, 0)
    return ascii(text[max(0, place - 20) : place + 20])


def same_type(actual: pa.DataType, expected: pa.DataType) -> bool:
    """Whether two Arrow types hold the same values; the name of a list's items does not matter."""
    if pa.types.is_list(expected):
        return pa.types.is_list(actual) and actual.value_type == expected.value_type
    return actual == expected


def _foreign_metadata(table: pa.Table) -> list[str]:
    """The keys of a file's metadata, but for the canary, which files of 0.1 lack."""
    metadata = dict(table.schema.metadata or {})
    if metadata.get(b"canary") == CANARY.encode():
        del metadata[b"canary"]
    return sorted(key.decode(errors="replace") for key in metadata)


def _column_problem(table: pa.Table, name: str) -> str:
    """What is wrong with the names, types and bytes of the columns, "" if nothing."""
    expected = arrow_schema(name)
    if keys := _foreign_metadata(table):
        return f"the file has metadata {keys[0]!r}, by which readers may take its columns otherwise"
    if twice := [column for column in table.column_names if table.column_names.count(column) > 1]:
        return f"column {twice[0]!r} is there twice"
    for field in expected:
        if field.name not in table.column_names:
            return f"column {field.name!r} is missing"
        actual = table.schema.field(field.name).type
        if not same_type(actual, field.type):
            return f"column {field.name!r} is {actual}, it must be {field.type}"
    if unknown := [column for column in table.column_names if column not in expected.names]:
        return f"column {unknown[0]!r} is not in schemas/{name}.schema.json"
    if table.column_names != expected.names:
        return f"the columns must be {', '.join(expected.names)}, in this order"
    for column in table.column_names:
        try:
            table.column(column).validate(full=True)
        except pa.ArrowInvalid as error:
            return f"column {column!r} holds no valid text: {str(error).splitlines()[0]}"
    return ""


def _understood(rule: dict[str, Any]) -> bool:
    if rule.get("type") == "array":
        return set(rule) <= LIST and _understood(rule.get("items", {}))
    return set(rule) <= CELL and isinstance(rule.get("type"), (str, type(None)))


def _cells(cells: pa.Array, rule: dict[str, Any]) -> Iterator[tuple[int, str]]:
    """(row, problem) of each cell that breaks the rule of its column."""
    yield from _select(pc.is_null(cells), cells, "is empty")
    if rule.get("type") != "array":
        yield from _values(cells, rule)
        return
    lengths = pc.list_value_length(cells)
    if "minItems" in rule:
        least = rule["minItems"]
        yield from _select(pc.less(lengths, least), cells, f"holds fewer than {least} items")
    if "maxItems" in rule:
        most = rule["maxItems"]
        yield from _select(pc.greater(lengths, most), cells, f"holds more than {most} items")
    if rule.get("uniqueItems"):
        for row, items in enumerate(cells.to_pylist()):
            if items is not None and len(set(items)) < len(items):
                yield row, "names something twice"
    if "items" in rule:
        parents = pc.list_parent_indices(cells)
        for item, problem in _cells(pc.list_flatten(cells), rule["items"]):
            yield parents[item].as_py(), problem


def _values(cells: pa.Array, rule: dict[str, Any]) -> Iterator[tuple[int, str]]:
    allowed = rule.get("enum", [rule["const"]] if "const" in rule else None)
    if allowed is not None:
        unlisted = pc.invert(pc.is_in(cells, pa.array(allowed, cells.type)))
        yield from _select(unlisted, cells, f"must be one of {', '.join(map(str, allowed))}")
    if "pattern" in rule:
        pattern = rule["pattern"]
        unlike = pc.invert(pc.match_substring_regex(cells, pattern))
        yield from _select(unlike, cells, f"must match {pattern}")
    if "minLength" in rule:
        least = rule["minLength"]
        short = pc.less(pc.utf8_length(cells), least)
        yield from _select(short, cells, f"must have at least {least} characters")
    if "maxLength" in rule:
        most = rule["maxLength"]
        long = pc.greater(pc.utf8_length(cells), most)
        yield from _select(long, cells, f"must have at most {most} characters")
    if "minimum" in rule:
        least = rule["minimum"]
        yield from _select(pc.less(cells, least), cells, f"must be at least {least}")
    if "maximum" in rule:
        most = rule["maximum"]
        yield from _select(pc.greater(cells, most), cells, f"must be at most {most}")


def _select(mask: pa.Array, cells: pa.Array, problem: str) -> Iterator[tuple[int, str]]:
    """(row, problem) of the cells in the mask; nulls are not."""
    for row in pc.indices_nonzero(pc.fill_null(mask, False)).to_pylist():
        yield row, f"{problem}, found {cells[row].as_py()!r}"[:LONGEST]


def _row_by_row(table: pa.Table, name: str) -> tuple[list[int], str]:
    rows: list[int] = []
    first = ""
    for row, record in enumerate(table.to_pylist()):
        error = next(iter(validator(name).iter_errors(record)), None)
        if error is not None:
            first = first or f"{'.'.join(map(str, error.path))}: {error.message}"[:LONGEST]
            rows.append(row)
    return rows, first
