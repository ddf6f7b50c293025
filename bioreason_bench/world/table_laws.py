"""The rules for relations and pools.

A table that breaks one raises a ValueError with the relation or pool and the rule.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from bioreason_bench.world.pools import COMPOSED
from bioreason_bench.world.relations import MAX_GROUP, PERSON, Relation, RelationTable

_SENTENCE_END = re.compile(r'[.?!]"?(?: |$)')
_JOINED = re.compile(r',"? and (?:they|their) ')  # see language/biographies.py
_ARTICLE = re.compile(r"(?:a|an|the) ", re.IGNORECASE)


def check_table(table: RelationTable, unused: Sequence[str] = ()) -> None:
    """Raise ValueError for the first rule that the table breaks.

    Args:
        table: The relation table.
        unused: Pools that the file lists, but that no relation leads to.
    """
    rows: dict[str, Relation] = {}
    for relation in table.relations:
        if relation.name in rows:
            raise ValueError(f"relation '{relation.name}' occurs twice; names must differ")
        rows[relation.name] = relation
    for relation in table.relations:
        if relation.to_person:
            _check_relation_to_person(relation, rows)
        else:
            _check_relation_to_value(relation)
    if not any(relation.to_person for relation in table.relations):
        raise ValueError(
            "no relation leads to a person, so there is no path of two hops; "
            'add one with object = "person"'
        )
    for group, count in Counter(relation.group for relation in table.relations).items():
        if count > MAX_GROUP:
            raise ValueError(f"{count} relations are {group}; at most {MAX_GROUP} can be")
    for bound, count in Counter(row.date for row in table.relations if row.date).items():
        if count > 1:
            raise ValueError(
                f'{count} relations have date = "{bound}"; at most one can be the date of {bound}'
            )
    if unused:
        raise ValueError(
            f"pool '{unused[0]}': no relation leads to it; "
            "remove it, or name it as the object of a relation"
        )
    for kind, values in table.pools.items():
        check_pool(kind, values)


def _check_relation_to_value(relation: Relation) -> None:
    where = f"relation '{relation.name}': "
    for name in ("inverse", "older", "kin", "never_next", "clauses"):
        if getattr(relation, name):
            raise ValueError(
                f"{where}it has {name}, which only a relation to a person can have, "
                f"but it leads to '{relation.object}'"
            )
    if relation.date and relation.object != "date":
        raise ValueError(
            f'{where}date = "{relation.date}" needs object = "date", not \'{relation.object}\''
        )


def _check_relation_to_person(relation: Relation, rows: Mapping[str, Relation]) -> None:
    where = f"relation '{relation.name}': "
    if relation.date:
        raise ValueError(f'{where}date = "{relation.date}" needs object = "date", not \'{PERSON}\'')
    for name in relation.never_next:
        if name not in rows:
            raise ValueError(f"{where}never_next holds {name!r}, which is no relation of the table")
    if relation.older and relation.older[0] > relation.older[1]:
        raise ValueError(f"{where}older = {list(relation.older)} must give the fewest years first")
    if not relation.inverse:
        return
    mirror = rows.get(relation.inverse)
    if mirror is None:
        raise ValueError(
            f"{where}its inverse '{relation.inverse}' is not in the table; "
            "add that row, or leave inverse out"
        )
    if mirror.inverse != relation.name:
        raise ValueError(
            f"{where}its inverse '{mirror.name}' must have inverse = \"{relation.name}\""
        )
    opposite = (-relation.older[1], -relation.older[0]) if relation.older else None
    if mirror.older != opposite:
        actual = list(mirror.older) if mirror.older else "missing"
        needed = f"must be {list(opposite)}" if opposite else "must be left out"
        raise ValueError(
            f"{where}'{mirror.name}' states the same facts in reverse, so its older {needed}; "
            f"it is {actual}"
        )
    if mirror.kin != relation.kin:
        raise ValueError(f"{where}it and its inverse '{mirror.name}' must both be kin, or neither")


def check_pool(kind: str, values: Sequence[str]) -> None:
    """Raise ValueError unless readers and the grader can tell the values apart in sentences."""
    where = f"pool '{kind}': "
    if kind in {PERSON, "p"} or kind in COMPOSED:  # p17 is a person in the language of symbols
        raise ValueError(f"{where}the package makes the values of this name itself; choose another")
    check_values(where, values)


def check_values(where: str, values: Sequence[str]) -> None:
    """The rules for the values of a pool, whatever its name; `where` begins the message."""
    if len(values) < 2:
        raise ValueError(
            f"{where}it has {len(values)} value, so there is nothing to ask; list at least 2"
        )
    seen: dict[str, str] = {}
    for value in values:
        _check_value(where, value)
        key = "".join(character for character in value.casefold() if character.isalnum())
        if not key:
            raise ValueError(f"{where}value {value!r} needs a letter or a digit")
        if key in seen:
            raise ValueError(
                f"{where}values {seen[key]!r} and {value!r} cannot be told apart by the grader"
            )
        seen[key] = value


def _check_value(where: str, value: str) -> None:
    if not value or value != " ".join(value.split()):
        raise ValueError(
            f"{where}value {value!r} must be one line, "
            "without blanks at its ends and without two in a row"
        )
    if _SENTENCE_END.search(value) or value.endswith(","):
        raise ValueError(
            f"{where}value {value!r} must not look like the end of a sentence; "
            "write it without the full stop"
        )
    if _JOINED.search(value + " "):
        raise ValueError(
            f"{where}value {value!r} must not hold ', and they' or ', and their', "
            "which join two sentences of a biography"
        )
    if _ARTICLE.match(value):
        raise ValueError(
            f"{where}value {value!r} must come without its article; "
            "a statement adds one with {object:a} or 'the {object}'"
        )
