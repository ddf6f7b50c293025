"""What is wrong with values from outside, in sentences, according to a JSON schema.

problems("preset", {"known": "many"})
    ["known is 'many'; it must be a whole number of at least 4"]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bioreason_bench.errors import one_line, quoted, suggest
from bioreason_bench.schema import validator

__all__ = ["problems"]

TYPES = {
    "integer": "a whole number",
    "number": "a finite number",
    "boolean": "true or false",
    "string": "a text",
    "array": "a list",
    "object": "a table of values",
}


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
