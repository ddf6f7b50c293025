"""Reading a relation table, the package's own or a user's, and refusing one that breaks a law.

A JSON Schema (schemas/relations.schema.json) holds the shape of the rows; the laws that a schema cannot say are in
`table_laws` (relations and pools) and `wording_laws` (what keeps every sentence and question readable in one way only).
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from bioreason_bench.errors import BioreasonError, ReleaseError, UsageError
from bioreason_bench.world.pools import COMPOSED
from bioreason_bench.world.relations import PERSON, Relation, RelationTable
from bioreason_bench.world.table_laws import check_table
from bioreason_bench.world.wording_laws import check_wording
from bioreason_bench.world.words import read_words

BUILT_IN = Path(__file__).with_name("relations.toml")
NOUN = "{noun}"
_TUPLES = ("older", "statements", "asks", "nouns", "clauses")


def load_table(path: str | Path = "", keep: Sequence[str] = ()) -> RelationTable:
    """The built-in table, or the one in the TOML file `path`; with `keep`, only the relations of these names.

    An inverse that is not kept is forgotten.  Raises UsageError that names the file, the row and the law it breaks.
    """
    table = _read(Path(path)) if path else _built_in()
    return keep_relations(table, tuple(keep)) if keep else table


def keep_relations(table: RelationTable, names: Sequence[str]) -> RelationTable:
    """The table with these relations only, in the table's own order."""
    known = {relation.name for relation in table.relations}
    for name in names:
        if name not in known:
            raise UsageError(
                f"keep holds {name!r}, which is no relation of the table; the relations are {', '.join(sorted(known))}"
            )
    rows = tuple(
        relation if relation.inverse in names else replace(relation, inverse="")
        for relation in table.relations
        if relation.name in names
    )
    return _checked(
        RelationTable(
            rows, {kind: table.pools[kind] for row in rows if (kind := row.object) in table.pools}
        ),
        "keep",
        UsageError,
    )


def table_as_dict(table: RelationTable) -> dict[str, Any]:
    """Plain JSON values with all wordings and pools, as they stand in a manifest; `read_table` turns them back."""
    rows = []
    for relation in table.relations:
        row = {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(relation).items()
        }
        rows.append(
            {
                key: value
                for key, value in row.items()
                if value or key in ("name", "object", "group")
            }
        )
    return {"relation": rows, "pools": {kind: list(values) for kind, values in table.pools.items()}}


def read_table(values: Mapping[str, Any], source: str = "manifest.json") -> RelationTable:
    """The table that `table_as_dict` made; raises ReleaseError where it breaks a law."""
    _check_shape(values, source, ReleaseError)
    return _from_values(values, source, ReleaseError)


@cache
def _built_in() -> RelationTable:
    """Our own table; the tests have checked its shape, so that loading it needs no jsonschema."""
    return _from_values(
        tomllib.loads(BUILT_IN.read_text(encoding="utf-8")), BUILT_IN.name, UsageError
    )


def _read(path: Path) -> RelationTable:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"the relation table {path} cannot be read: {error}") from None
    _check_shape(values, path.name, UsageError)
    return _from_values(values, path.name, UsageError)


def _from_values(
    values: Mapping[str, Any], source: str, error: type[BioreasonError]
) -> RelationTable:
    try:
        relations = tuple(_relation(row) for row in values["relation"])
    except ValueError as problem:
        raise error(f"{source}: {problem}") from None
    listed = values.get("pools", {})
    pools: dict[str, tuple[str, ...]] = {}
    for relation in relations:
        kind = relation.object
        if kind in listed:
            pools[kind] = tuple(listed[kind])
        elif kind != PERSON and kind not in COMPOSED:
            try:
                pools[kind] = read_words(f"pools/{kind}")
            except KeyError:
                raise error(
                    f"{source}: relation '{relation.name}': there is no pool {kind!r}; list its values under [pools], or lead to 'person', "
                    f"a pool of the package, or one of {', '.join(sorted(COMPOSED))}"
                ) from None
    return _checked(
        RelationTable(relations, pools),
        source,
        error,
        unused=[kind for kind in listed if kind not in pools],
    )


def _relation(row: Mapping[str, Any]) -> Relation:
    values = {key: tuple(value) if key in _TUPLES else value for key, value in row.items()}
    nouns = values.get("nouns", ())
    for ask in values["asks"]:
        if NOUN in ask and not nouns:
            raise ValueError(
                f"relation '{row['name']}': ask {ask!r} has {NOUN}, but the relation has no nouns"
            )
    asks = [
        ask.replace(NOUN, noun)
        for ask in values["asks"]
        for noun in (nouns if NOUN in ask else ("",))
    ]
    return Relation(**values | {"asks": tuple(asks)})


def _checked(
    table: RelationTable, source: str, error: type[BioreasonError], unused: Sequence[str] = ()
) -> RelationTable:
    try:
        check_table(table, unused)
        check_wording(table)
    except ValueError as problem:
        raise error(f"{source}: {problem}") from None
    return table


def _check_shape(values: Mapping[str, Any], source: str, error: type[BioreasonError]) -> None:
    """Raise where the values do not have the shape of the schema, naming row and field."""
    from jsonschema import Draft202012Validator

    from bioreason_bench.resources import folder

    schema = json.loads((folder("schemas") / "relations.schema.json").read_text(encoding="utf-8"))
    problems = sorted(
        Draft202012Validator(schema).iter_errors(values),
        key=lambda problem: [str(part) for part in problem.absolute_path],
    )
    if problems:
        problem = problems[0]
        place = list(problem.absolute_path)
        where = f"{source}: "
        if place[:1] == ["relation"] and len(place) > 1:
            row = values["relation"][place[1]]
            name = row.get("name") if isinstance(row, Mapping) else None
            where += (
                f"relation {name!r}" if isinstance(name, str) else f"relation number {place[1] + 1}"
            )
            place = place[2:]
            where += (f", {'.'.join(map(str, place))}: ") if place else ": "
        elif place:
            where += f"{'.'.join(map(str, place))}: "
        raise error(where + problem.message)


assert {item.name for item in fields(Relation)} >= set(_TUPLES)
