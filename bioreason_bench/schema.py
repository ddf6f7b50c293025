"""Columns: schemas/*.schema.json say what a row holds, and everything else is derived from them.

    arrow_schema("question")            the columns of a Parquet file, in order
    validator("probe").validate(row)    the values of one row

JSON type → Arrow type: string, boolean, integer (int32, the widest that is needed) and an array of strings.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from bioreason_bench.errors import UsageError
from bioreason_bench.resources import folder
from bioreason_bench.taxonomy import KIND_NAMES

if TYPE_CHECKING:
    import pyarrow as pa
    from jsonschema.protocols import Validator

__all__ = ["ROWS", "arrow_schema", "columns", "load_schema", "validator"]

ROWS = (  # schemas of a row, the names of their files
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
    """The JSON schema in schemas/<name>.schema.json; raises UsageError if there is none."""
    path = folder("schemas") / f"{name}.schema.json"
    if not path.is_file():
        raise UsageError(
            f"there is no schema {name!r} in {path.parent}; the rows have {', '.join(ROWS)}"
        )
    return json.loads(path.read_text(encoding="utf-8"))


def columns(name: str) -> dict[str, dict[str, Any]]:
    """The properties of one row, in the order of the columns; those of a schema that it builds on (`$ref`) come first."""
    return _properties(load_schema(name))


def _properties(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    if "$ref" in schema:
        found |= _properties(_resolve(schema["$ref"], schema))
    return found | schema.get("properties", {})


def _resolve(reference: str, schema: dict[str, Any]) -> dict[str, Any]:
    file, _, pointer = reference.partition("#")
    target = load_schema(file.removesuffix(".schema.json")) if file else schema
    for part in pointer.strip("/").split("/") if pointer else ():
        target = target[part]
    return target


@cache
def arrow_schema(name: str) -> pa.Schema:
    """The Arrow schema of the rows that schemas/<name>.schema.json describes."""
    import pyarrow as pa

    texts = pa.list_(
        pa.field("element", pa.string())
    )  # the name that Parquet prescribes, so that what is read equals what was written
    types = {"string": pa.string(), "boolean": pa.bool_(), "integer": pa.int32(), "array": texts}
    return pa.schema(
        [pa.field(column, types[rule["type"]]) for column, rule in columns(name).items()]
    )


@cache
def validator(name: str) -> Validator:
    """A JSON Schema validator that knows all the schemas of the package; rows are plain dicts."""
    from jsonschema import Draft202012Validator
    from referencing import Registry, Resource

    paths = sorted(folder("schemas").glob("*.schema.json"))
    resources = [
        (path.name, Resource.from_contents(json.loads(path.read_text(encoding="utf-8"))))
        for path in paths
    ]
    return Draft202012Validator(load_schema(name), registry=Registry().with_resources(resources))
