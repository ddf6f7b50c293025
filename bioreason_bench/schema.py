"""Columns: schemas/*.schema.json describe each kind of row, and all other code derives from them.

>>> arrow_schema("person").names
['name', 'known', 'in_context', 'heldout_wordings']
>>> person = {"name": "Ann Lee", "known": True, "in_context": False, "heldout_wordings": False}
>>> validator("person").is_valid(person)
True

JSON types become Arrow types: string, boolean, integer (int32, the widest that any column needs),
and an array of strings or integers.
"""

from __future__ import annotations

import json
import math
from functools import cache
from typing import TYPE_CHECKING, Any

from bioreason_bench.errors import UsageError, suggest
from bioreason_bench.resources import folder
from bioreason_bench.taxonomy import KIND_NAMES

if TYPE_CHECKING:
    import pyarrow as pa
    from jsonschema.protocols import Validator

__all__ = ["ROWS", "arrow_schema", "columns", "load_schema", "validator"]

ROWS = (  # the schemas that describe rows
    "question",
    *KIND_NAMES,
    "probe",
    "biography",
    "person",
    "fact",
    "path",
    "relation",
)


@cache
def load_schema(name: str) -> dict[str, Any]:
    """Return the JSON schema in schemas/<name>.schema.json; raise UsageError if there is none."""
    path = folder("schemas") / f"{name}.schema.json"
    if not path.is_file():
        raise UsageError(f"there is no schema {name!r} in {path.parent}; {suggest(name, ROWS)}")
    return json.loads(path.read_text(encoding="utf-8"))


def columns(name: str) -> dict[str, dict[str, Any]]:
    """Return the properties of a row, in the order of the columns.

    The columns of a schema that this one extends (`$ref`) come first.
    """
    return _properties(load_schema(name))


def _properties(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    inherited = _properties(_resolve(schema["$ref"], schema)) if "$ref" in schema else {}
    return inherited | schema.get("properties", {})


def _resolve(reference: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return what `reference` points to: "[other.schema.json]#/part/of/it"."""
    file, _, pointer = reference.partition("#")
    target = load_schema(file.removesuffix(".schema.json")) if file else schema
    for part in pointer.strip("/").split("/") if pointer else ():
        target = target[part]
    return target


@cache
def arrow_schema(name: str) -> pa.Schema:
    """Return the Arrow schema of the rows that schemas/<name>.schema.json describes."""
    import pyarrow as pa

    # "element" is the name that Parquet prescribes: a schema read back equals the one written.
    types = {"string": pa.string(), "boolean": pa.bool_(), "integer": pa.int32()}

    def arrow_type(rule: dict[str, Any]) -> pa.DataType:
        if rule["type"] == "array":
            return pa.list_(pa.field("element", types[rule["items"]["type"]]))
        return types[rule["type"]]

    return pa.schema([pa.field(column, arrow_type(rule)) for column, rule in columns(name).items()])


@cache
def validator(name: str) -> Validator:
    """Return a validator of rows (plain dicts) that resolves references between our schemas."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend
    from referencing import Registry, Resource

    paths = sorted(folder("schemas").glob("*.schema.json"))
    resources = [
        (path.name, Resource.from_contents(json.loads(path.read_text(encoding="utf-8"))))
        for path in paths
    ]
    types = Draft202012Validator.TYPE_CHECKER
    types = types.redefine("integer", _is_whole).redefine("number", _is_finite)
    checker = extend(Draft202012Validator, type_checker=types)
    return checker(load_schema(name), registry=Registry().with_resources(resources))


def _is_whole(_: object, value: object) -> bool:
    """Whether a value is a whole number; JSON Schema would take 5.0 for one."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_finite(_: object, value: object) -> bool:
    """Whether a value is a number, and neither infinite nor NaN."""
    return _is_whole(_, value) or (isinstance(value, float) and math.isfinite(value))
