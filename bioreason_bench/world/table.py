"""Load a relation table, the package's own or a user's, and refuse one that breaks a rule.

A JSON Schema (schemas/relations.schema.json) checks the shape of the rows.  The rules that a schema
cannot express are in `table_laws` (relations and pools) and `wording_laws` (every sentence and
every question has one reading).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

from bioreason_bench.errors import BioreasonError, ReleaseError, UsageError, quoted
from bioreason_bench.escaping import shortened
from bioreason_bench.inputs import TABLE, Unreadable, read_toml
from bioreason_bench.schema import validator
from bioreason_bench.validation import text_problem, texts_of
from bioreason_bench.world.pools import COMPOSED
from bioreason_bench.world.relations import PERSON, Relation, RelationTable
from bioreason_bench.world.table_laws import check_table
from bioreason_bench.world.wording_laws import check_wording
from bioreason_bench.world.words import read_words

BUILT_IN = Path(__file__).with_name("relations.toml")
NOUN = "{noun}"  # in an ask, a slot for each noun of the relation
_REQUIRED = ("name", "object", "group")  # fields that are written even if they are empty


def load_open_table(path: str | Path = "") -> RelationTable:
    """Load a table whose pools may be missing: facts of the user's provide the values.

    Raises:
        UsageError: See `load_table`.
    """
    file = Path(path) if path else BUILT_IN
    return _from_values(_values(file), file.name, UsageError, open_pools=True)


def load_table(path: str | Path = "", keep: Sequence[str] = ()) -> RelationTable:
    """Load the built-in table, or a user's TOML file.

    Args:
        path: The TOML file; "" for the built-in table.
        keep: The names of the relations to keep; all if empty.  Relations lose an inverse, and
            names in never_next, that are not kept.

    Raises:
        UsageError: Names the file, the row and the rule that it breaks.
    """
    table = _read(Path(path)) if path else _built_in()
    return keep_relations(table, tuple(keep)) if keep else table


def keep_relations(table: RelationTable, names: Sequence[str]) -> RelationTable:
    """Return the table with these relations only, in the table's own order."""
    known = {relation.name for relation in table.relations}
    for name in names:
        if name not in known:
            raise UsageError(
                f"keep holds {name!r}, which is no relation of the table; "
                f"the relations are {', '.join(sorted(known))}"
            )
    relations = tuple(
        replace(
            relation,
            inverse=relation.inverse if relation.inverse in names else "",
            never_next=tuple(name for name in relation.never_next if name in names),
        )
        for relation in table.relations
        if relation.name in names
    )
    kinds = dict.fromkeys(relation.object for relation in relations)
    pools = {kind: table.pools[kind] for kind in kinds if kind in table.pools}
    return _checked(RelationTable(relations, pools), "keep", UsageError)


def table_as_dict(table: RelationTable) -> dict[str, Any]:
    """Return the table with all wordings and pools as plain JSON values, for the manifest.

    `read_table` is the inverse.
    """
    rows = [
        {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(relation).items()
            if value or key in _REQUIRED
        }
        for relation in table.relations
    ]
    return {"relation": rows, "pools": {kind: list(values) for kind, values in table.pools.items()}}


def read_table(values: Mapping[str, Any], source: str = "manifest.json") -> RelationTable:
    """Return the table that `table_as_dict` wrote; raise ReleaseError if it breaks a rule."""
    _check_shape(values, source, ReleaseError)
    return _from_values(values, source, ReleaseError)


@cache
def _built_in() -> RelationTable:
    """Load our own table; a test checks its shape, so jsonschema is not needed here."""
    return _from_values(
        tomllib.loads(BUILT_IN.read_text(encoding="utf-8")), BUILT_IN.name, UsageError
    )


def _read(path: Path) -> RelationTable:
    return _from_values(_values(path), path.name, UsageError)


def _values(path: Path) -> Mapping[str, Any]:
    """Return the content of a TOML file that has the shape of a table."""
    try:
        values = read_toml(path, TABLE)
    except OSError as error:
        raise UsageError(f"the relation table {path} cannot be read: {error.strerror}") from None
    except Unreadable as problem:
        raise UsageError(f"the relation table {path} cannot be read: {problem}") from None
    _check_shape(values, path.name, UsageError)
    return values


def _from_values(
    values: Mapping[str, Any],
    source: str,
    error: type[BioreasonError],
    *,
    open_pools: bool = False,
) -> RelationTable:
    """Make a table from values of the right shape; name `source` in errors.

    With `open_pools`, the table has the pools that `values` list, and no others.
    """
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
        elif kind != PERSON and kind not in COMPOSED and not open_pools:
            try:
                pools[kind] = read_words(f"pools/{kind}")
            except KeyError:
                raise error(
                    f"{source}: relation '{relation.name}': there is no pool {kind!r}; "
                    "list its values under [pools], or lead to 'person', a pool of the package, "
                    f"or one of {', '.join(sorted(COMPOSED))}"
                ) from None
    unused = [kind for kind in listed if kind not in pools]
    return _checked(RelationTable(relations, pools), source, error, unused)


def _relation(row: Mapping[str, Any]) -> Relation:
    """Make a relation from its row; an ask with {noun} becomes one ask per noun."""
    nouns = row.get("nouns", ())
    asks: list[str] = []
    for ask in row["asks"]:
        if NOUN not in ask:
            asks.append(ask)
        elif nouns:
            asks += [ask.replace(NOUN, noun) for noun in nouns]
        else:
            raise ValueError(
                f"relation '{row['name']}': ask {ask!r} has {NOUN}, but the relation has no nouns"
            )
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in row.items()
    }
    return Relation(**values | {"asks": tuple(asks)})


def _checked(
    table: RelationTable, source: str, error: type[BioreasonError], unused: Sequence[str] = ()
) -> RelationTable:
    """Return the table, or raise `error` if it breaks a rule."""
    try:
        check_table(table, unused)
        check_wording(table)
    except ValueError as problem:
        raise error(f"{source}: {problem}") from None
    return table


def _check_shape(values: Mapping[str, Any], source: str, error: type[BioreasonError]) -> None:
    """Raise `error`, with row and field, unless the values have the shape of the schema."""
    problems = sorted(
        validator("relations").iter_errors(values),
        key=lambda problem: [str(part) for part in problem.absolute_path],
    )
    if problems:
        where = ", ".join(_where(values, list(problems[0].absolute_path)))
        raise error(
            f"{source}: {where}{': ' if where else ''}{shortened(problems[0].message, 160)}"
        )
    for path, text in texts_of(values):
        if problem := text_problem(text):
            raise error(
                f"{source}: {', '.join(_where(values, list(path)))}: {quoted(text)} {problem}"
            )


def _where(values: Mapping[str, Any], path: list[str | int]) -> list[str]:
    """Return the parts of a location in words, such as ["relation 'boss'", "older"]."""
    words = []
    if path[:1] == ["relation"] and len(path) > 1:
        row, number = values["relation"][path[1]], path[1]
        name = row.get("name") if isinstance(row, Mapping) else None
        words.append(
            f"relation {name!r}" if isinstance(name, str) else f"relation number {int(number) + 1}"
        )
        path = path[2:]
    if path:
        words.append(".".join(map(str, path)))
    return words
