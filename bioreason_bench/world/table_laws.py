"""The laws of a relation table's rows and pools; each breach is a ValueError that names the row and the law."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from bioreason_bench.world.pools import COMPOSED
from bioreason_bench.world.relations import PERSON, Relation, RelationTable

_SENTENCE_END = re.compile(r"[.?!](?: |$)")
_ARTICLE = re.compile(r"(?:a|an|the) ", re.IGNORECASE)


def check_table(table: RelationTable, unused: Sequence[str] = ()) -> None:
    """Raise ValueError for the first breach; `unused` are pools that were listed without a relation that leads to them."""
    rows = {}
    for relation in table.relations:
        if relation.name in rows:
            raise ValueError(f"relation '{relation.name}' stands twice; names must differ")
        rows[relation.name] = relation
    for relation in table.relations:
        _check_row(relation, rows)
    if not any(relation.to_person for relation in table.relations):
        raise ValueError(
            'no relation leads to a person, so there is no path of two hops; add one with object = "person"'
        )
    for bound, count in Counter(
        relation.date for relation in table.relations if relation.date
    ).items():
        if count > 1:
            raise ValueError(
                f'{count} relations have date = "{bound}"; at most one can be the date of {bound}'
            )
    if unused:
        raise ValueError(
            f"pool '{unused[0]}': no relation leads to it; remove it, or name it as the object of a relation"
        )
    for kind, values in table.pools.items():
        check_pool(kind, values)


def _check_row(relation: Relation, rows: dict[str, Relation]) -> None:
    where = f"relation '{relation.name}': "
    if not relation.to_person:
        for name, value in (
            ("inverse", relation.inverse),
            ("older", relation.older),
            ("kin", relation.kin),
            ("clauses", relation.clauses),
        ):
            if value:
                raise ValueError(
                    f"{where}it has {name}, which only a relation to a person can have, but it leads to '{relation.object}'"
                )
        if relation.date and relation.object != "date":
            raise ValueError(
                f'{where}date = "{relation.date}" needs object = "date", not \'{relation.object}\''
            )
        return
    if relation.date:
        raise ValueError(f'{where}date = "{relation.date}" needs object = "date", not \'{PERSON}\'')
    if relation.older and relation.older[0] > relation.older[1]:
        raise ValueError(f"{where}older = {list(relation.older)} must give the fewest years first")
    if not relation.inverse:
        return
    mirror = rows.get(relation.inverse)
    if mirror is None:
        raise ValueError(
            f"{where}its inverse '{relation.inverse}' is not in the table; add that row, or leave inverse out"
        )
    if mirror.inverse != relation.name:
        raise ValueError(
            f"{where}its inverse '{mirror.name}' must have inverse = \"{relation.name}\""
        )
    turned = tuple(sorted(-years for years in relation.older)) if relation.older else None
    if mirror.older != turned:
        said = list(mirror.older) if mirror.older else "missing"
        needed = f"must be {list(turned)}" if turned else "must be left out"
        raise ValueError(
            f"{where}'{mirror.name}' says the same from the other side, so its older {needed}; it is {said}"
        )
    if mirror.kin != relation.kin:
        raise ValueError(f"{where}it and its inverse '{mirror.name}' must both be kin, or neither")


def check_pool(kind: str, values: Sequence[str]) -> None:
    """Raise ValueError unless the values can be told apart in sentences and by the grader."""
    where = f"pool '{kind}': "
    if kind in {PERSON, "p"} or kind in COMPOSED:  # p17 is a person in the language of symbols
        raise ValueError(f"{where}the package makes the values of this name itself; choose another")
    if len(values) < 2:
        raise ValueError(
            f"{where}it has {len(values)} value, so there is nothing to ask; list at least 2"
        )
    seen: dict[str, str] = {}
    for value in values:
        if not value or value != " ".join(value.split()):
            raise ValueError(
                f"{where}value {value!r} must be one line without blanks at its ends and without two in a row"
            )
        if _SENTENCE_END.search(value) or value.endswith(","):
            raise ValueError(
                f"{where}value {value!r} must not look like the end of a sentence; write it without the full stop"
            )
        if _ARTICLE.match(value):
            raise ValueError(
                f"{where}value {value!r} must come without its article; a statement adds one with {{object:a}} or 'the {{object}}'"
            )
        key = "".join(character for character in value.casefold() if character.isalnum())
        if not key:
            raise ValueError(f"{where}value {value!r} needs a letter or a digit")
        if key in seen:
            raise ValueError(
                f"{where}values {seen[key]!r} and {value!r} cannot be told apart by the grader"
            )
        seen[key] = value
