"""The small tables of a release (relations, people, facts), read into numbers and checked."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.reading.duplicates import duplicates
from bioreason_bench.audit.reading.parser import NOT_STATED, UNKNOWN, ParsedRelease
from bioreason_bench.release.manifest import MANIFEST
from bioreason_bench.world.relations import RelationTable

__all__ = ["Tables", "check_relations", "read_facts", "read_people"]

TITLES = frozenset(
    (
        *("mr", "mrs", "ms", "miss", "dr", "prof", "professor", "sir", "rev"),
        *("jr", "sr", "ii", "iii", "iv", "md", "dds", "phd", "dvm", "esq"),
    )
)
Tables = Mapping[str, pa.Table]  # file → rows, in the order of the files


def check_relations(table: RelationTable, files: Tables, ledger: Ledger) -> None:
    """Compare data/relations with the relation table of the manifest, and inverses in pairs."""
    names = {relation.name for relation in table.relations}
    expected = {
        row.name: {
            "name": row.name,
            "object": row.object,
            "group": row.group,
            "inverse": row.inverse if row.inverse in names else "",
            "symmetric": row.symmetric,
            "exclusive": row.exclusive,
            "never_next": [name for name in row.never_next if name in names],
        }
        for row in table.relations
    }
    seen: set[str] = set()
    for file, rows in files.items():
        broken: dict[int, str] = {}
        records = rows.to_pylist()
        for number, record in enumerate(records):
            name = record["name"]
            wanted = expected.get(name, {})
            # releases of data 0.1 have fewer columns; the law of schemas says which must be there
            if not wanted or any(record[key] != wanted.get(key) for key in record):
                broken[number] = f"must be {wanted or None}, found {record}"
            elif name in seen:
                broken[number] = f"{name} occurs a second time"
            seen.add(name)
        ledger.check("relations", file, len(records), sorted(broken), broken)
    missing = [name for name in expected if name not in seen]
    problem = f"{missing[0]} is missing" if missing else None
    ledger.check_whole("relations", "data/relations", problem)
    for row in table.relations:
        if row.inverse in names:
            back = table[table.number(row.inverse)]
            mutual = back.inverse == row.name and back.to_person and row.to_person
            problem = f"{row.name} names {row.inverse} as its inverse, which names {back.inverse!r}"
            ledger.check_whole("relations", MANIFEST, None if mutual else problem)


def read_people(
    table: RelationTable, language: str, people: Tables, facts: Tables, ledger: Ledger
) -> ParsedRelease:
    """Number all texts: people in the order of data/people, then the other objects of data/facts.

    The release has no facts yet.
    """
    first: dict[str, int] = {}  # name → its first row over all files
    rows_before = 0
    for file, rows in people.items():
        names = rows.column("name").to_pylist()
        repeated, titled = {}, {}
        for row, name in enumerate(names):
            if name in first:
                repeated[row] = f"{name!r} occurs a second time"
            first.setdefault(name, rows_before + row)
            if {part.strip(".,").lower() for part in name.split()} & TITLES:
                titled[row] = f"{name!r} has a title or a suffix"
        ledger.check("unique names", file, len(names), sorted(repeated), repeated)
        ledger.check("plain names", file, len(names), sorted(titled), titled)
        rows_before += len(names)
    texts = dict.fromkeys(first)
    for rows in facts.values():
        texts |= dict.fromkeys(rows.column("object").unique().to_pylist())
    index = np.fromiter(first.values(), np.int64, len(first))
    return ParsedRelease(
        table,
        language,
        texts=list(texts),
        people=len(first),
        known=_flags(people, "known")[index],
        in_context=_flags(people, "in_context")[index],
        heldout_wordings=_flags(people, "heldout_wordings")[index],
        facts=np.full((len(table), len(first)), NOT_STATED, np.int32),
    )


def _flags(files: Tables, column: str) -> NDArray[np.bool_]:
    values = [value for rows in files.values() for value in rows.column(column).to_pylist()]
    return np.array(values, bool)


def read_facts(release: ParsedRelease, files: Tables, ledger: Ledger) -> NDArray[np.int32]:
    """Read data/facts.

    Returns:
        Object numbers, NOT_STATED where the table has no row; shape [relations, people].
    """
    listed = np.full(release.facts.shape, NOT_STATED, np.int32)
    for file, rows in files.items():
        _read_facts(release, file, rows, listed, ledger)
    return listed


def _read_facts(
    release: ParsedRelease,
    file: str,
    rows: pa.Table,
    listed: NDArray[np.int32],
    ledger: Ledger,
) -> None:
    """Enter the facts of one file into `listed`."""
    relations = {relation.name: number for number, relation in enumerate(release.table.relations)}
    names, verbs, objects, groups = (
        rows.column(name).to_pylist() for name in ("subject", "relation", "object", "group")
    )
    subject = np.array([release.ids.get(name, UNKNOWN) for name in names], np.int64)
    subject[subject >= release.people] = UNKNOWN
    relation = np.array([relations.get(name, UNKNOWN) for name in verbs], np.int64)
    target = np.array([release.ids[text] for text in objects], np.int64)
    misplaced = [
        number >= 0 and release.table[number].group != group
        for number, group in zip(relation.tolist(), groups, strict=True)
    ]

    def describe(row: int) -> str:
        fact = " ".join((names[row], verbs[row], objects[row], groups[row]))
        return f"{fact!r} names a person or relation that does not exist, or the wrong group"

    unknown = (subject < 0) | (relation < 0)
    strange = np.flatnonzero(unknown | np.array(misplaced, bool))
    ledger.check("facts told", file, len(subject), strange, describe)
    good = np.flatnonzero(~unknown)
    # a fact repeats another one of this file, or of an earlier file
    key = relation[good] * release.people + subject[good]
    repeated = listed.reshape(-1)[key] != NOT_STATED
    repeated[duplicates(key)[0]] = True
    ledger.check(
        "functional",
        file,
        len(good),
        good[repeated],
        lambda row: f"{names[row]} has a {verbs[row]} already",
    )
    good = good[~repeated]
    listed[relation[good], subject[good]] = target[good]
