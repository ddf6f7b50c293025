"""What is wrong with values from outside, in sentences.

problems("preset", {"known": "many"})                according to a JSON schema
    ["known is 'many'; it must be a whole number of at least 4"]
text_problem("Ann\u200bLee")                          a name, a value, a wording
    "holds U+200B ZERO WIDTH SPACE at character 4, which cannot be seen; remove it"
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from bioreason_bench.errors import one_line, quoted, suggest
from bioreason_bench.escaping import hidden_at
from bioreason_bench.schema import validator

__all__ = ["LONGEST_TEXT", "problems", "text_problem", "texts_of"]

TYPES = {
    "integer": "a whole number",
    "number": "a finite number",
    "boolean": "true or false",
    "string": "a text",
    "array": "a list",
    "object": "a table of values",
}
LONGEST_TEXT = 500  # characters of a name, a value or a wording


def problems(schema: str, values: Mapping[str, Any]) -> list[str]:
    """One sentence for each value that does not fit schemas/<schema>.schema.json, in file order."""
    errors = sorted(
        validator(schema).iter_errors(values), key=lambda error: list(map(str, error.path))
    )
    return list(dict.fromkeys(sentence for error in errors for sentence in _sentences(error)))


def _sentences(error: Any) -> Iterator[str]:
    where = ".".join(map(str, error.absolute_path))
    if error.validator == "additionalProperties" and error.schema["additionalProperties"] is False:
        known = list(error.schema["properties"])
        for name in error.instance:
            if name not in known:
                name = one_line(str(name), 60)
                field = f"{where}.{name}" if where else name
                yield f"there is no field {field!r}; {suggest(name, known)}"
        return
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        yield f"{where or 'it'} has no {missing[0]}"
        return
    if "propertyNames" in error.absolute_schema_path or error.parent is not None:
        yield f"{where} has the key {quoted(error.instance)}; {one_line(error.message, 160)}"
        return
    yield f"{where or 'it'} is {quoted(error.instance)}; it must be {_wanted(error.schema)}"


def _wanted(rule: Mapping[str, Any]) -> str:
    """What a schema asks of one value: "a whole number of at least 4"."""
    if "enum" in rule:
        return " or ".join(repr(value) for value in rule["enum"])
    text = TYPES.get(str(rule.get("type")), "another value")
    low, high = rule.get("minimum"), rule.get("maximum")
    if low is not None and high is not None:
        text += f" from {low} to {high}"
    elif low is not None:
        text += f" of at least {low}"
    elif high is not None:
        text += f" of at most {high}"
    if "maxLength" in rule:
        text += f" of at most {rule['maxLength']:,} characters"
    if "pattern" in rule:
        text += f" that fits {rule['pattern']}"
    if "minItems" in rule and rule["minItems"] == rule.get("maxItems"):
        text += f" of {rule['minItems']} values"
    if rule.get("uniqueItems"):
        text += ", each value once"
    return text


# texts --------------------------------------------------------------------------------------------


def text_problem(text: str) -> str:
    r"""What keeps a text of the user's out of data that others read, "" if nothing.

    Control characters, direction marks and zero-width characters make a text look like another one,
    or command a terminal.

    >>> text_problem("Ann Lee")
    ''
    >>> text_problem("Ann\u202eLee")
    'holds U+202E RIGHT-TO-LEFT OVERRIDE at character 4, which cannot be seen; remove it'
    """
    if len(text) > LONGEST_TEXT:
        return f"has {len(text):,} characters; write it in at most {LONGEST_TEXT}"
    index = hidden_at(text)
    if index < 0:
        return ""
    name = unicodedata.name(text[index], "(a control character)")
    character = f"U+{ord(text[index]):04X} {name}"
    return f"holds {character} at character {index + 1}, which cannot be seen; remove it"


def texts_of(
    values: Any, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """(path, text) of every text in nested tables and lists, the keys of tables included."""
    if isinstance(values, str):
        yield path, values
    elif isinstance(values, Mapping):
        for key, value in values.items():
            yield path, key
            yield from texts_of(value, (*path, key))
    elif isinstance(values, list):
        for index, value in enumerate(values):
            yield from texts_of(value, (*path, index))
