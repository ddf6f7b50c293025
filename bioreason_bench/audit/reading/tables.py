"""The tables of a release (relations, people, facts), read into numbers and checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.reading.duplicates import duplicates
from bioreason_bench.audit.reading.parser import NOT_STATED, UNKNOWN, ParsedRelease
from bioreason_bench.release.files import Files
from bioreason_bench.release.manifest import MANIFEST
from bioreason_bench.texts import NumberedTexts
from bioreason_bench.world.relations import RelationTable

__all__ = [
    "ListedFacts",
    "Tables",
    "check_relations",
    "enter_facts",
    "objects_of",
    "read_facts",
    "read_people",
]

TITLES = frozenset(
    (
        *("mr", "mrs", "ms", "miss", "dr", "prof", "professor", "sir", "rev"),
        *("jr", "sr", "ii", "iii", "iv", "md", "dds", "phd", "dvm", "esq"),
    )
)
Tables = Mapping[str, pa.Table]  # file → rows, in the order of the files
BLOCK = 65_536  # texts that are Python values at a time


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
    table: RelationTable, language: str, people: Tables, objects: pa.Array, ledger: Ledger
) -> ParsedRelease:
    """Number all texts: people in the order of data/people, then the other objects of data/facts.

    The release has no facts yet.

    Args:
        table: The relation table.
        language: "english" or "symbols".
        people: The rows of data/people.
        objects: The objects of data/facts, as by `objects_of`.
        ledger: Where checks are counted.
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
    index = np.fromiter(first.values(), np.int64, len(first))
    texts = pa.chunked_array([pa.array(list(first), pa.string()), objects]).unique()
    return ParsedRelease(
        table,
        language,
        texts=NumberedTexts(_blocks(texts)),
        people=len(first),
        known=_flags(people, "known")[index],
        in_context=_flags(people, "in_context")[index],
        heldout_wordings=_flags(people, "heldout_wordings")[index],
        facts=np.broadcast_to(np.int32(NOT_STATED), (len(table), len(first))),
    )


def _blocks(texts: pa.Array) -> Iterator[list[str]]:
    for begin in range(0, len(texts), BLOCK):
        yield texts.slice(begin, BLOCK).to_pylist()


def _flags(files: Tables, column: str) -> NDArray[np.bool_]:
    values = [value for rows in files.values() for value in rows.column(column).to_pylist()]
    return np.array(values, bool)


# facts --------------------------------------------------------------------------------------------


def objects_of(files: Files, names: Iterable[str]) -> pa.Array:
    """The different objects in these files of data/facts, as far as they can be read."""
    parts = [pa.array([], pa.string())]
    for name in names:
        try:
            with files.opened(name) as path:
                if not path.is_file():
                    continue
                objects = pq.ParquetFile(path).read(["object"]).column("object")
                objects.validate(full=True)
                parts.append(objects.cast(pa.string()).unique().drop_null())
        except (OSError, KeyError, pa.ArrowException):
            continue  # `read_facts` says what is wrong with the file
    return pa.chunked_array(parts).unique()


@dataclass(frozen=True)
class ListedFacts:
    """The facts of one file of data/facts that name a person and a relation, as numbers.

    Attributes:
        file: The file.
        row: Shape [facts].
        relation: Shape [facts].
        subject: Shape [facts].
        target: Shape [facts].
    """

    file: str
    row: NDArray[np.int32]
    relation: NDArray[np.int16]
    subject: NDArray[np.int32]
    target: NDArray[np.int32]


def read_facts(
    release: ParsedRelease, file: str, batches: Iterable[tuple[int, pa.Table]], ledger: Ledger
) -> ListedFacts:
    """Read one file of data/facts; a fact of unknown people or relations breaks a law."""
    parts = [_read_batch(release, file, first, batch, ledger) for first, batch in batches]
    row, relation, subject, target = map(np.concatenate, zip(*parts, strict=True))
    return ListedFacts(file, row, relation, subject, target)


def _read_batch(
    release: ParsedRelease, file: str, first: int, batch: pa.Table, ledger: Ledger
) -> tuple[NDArray, ...]:
    numbers = {row.name: number for number, row in enumerate(release.table.relations)}
    names, verbs, objects, groups = (
        batch.column(name).to_pylist() for name in ("subject", "relation", "object", "group")
    )
    subject = np.array([release.number(name) for name in names], np.int32)
    subject[subject >= release.people] = UNKNOWN
    relation = np.array([numbers.get(name, UNKNOWN) for name in verbs], np.int16)
    target = np.array([release.number(text) for text in objects], np.int32)
    misplaced = [
        number >= 0 and release.table[number].group != group
        for number, group in zip(relation.tolist(), groups, strict=True)
    ]

    def describe(row: int) -> str:
        fact = " ".join(column[row - first] for column in (names, verbs, objects, groups))
        return f"{fact!r} names a person or relation that does not exist, or the wrong group"

    unknown = (subject < 0) | (relation < 0)
    strange = first + np.flatnonzero(unknown | np.array(misplaced, bool))
    ledger.check("facts told", file, len(subject), strange, describe)
    good = np.flatnonzero(~unknown)
    return (first + good).astype(np.int32), relation[good], subject[good], target[good]


def enter_facts(
    release: ParsedRelease, listed: NDArray[np.int32], facts: ListedFacts, ledger: Ledger
) -> None:
    """Enter the facts of one file into `listed`, shape [relations, people].

    One that is there already, in this file or in an earlier one, breaks a law.
    """
    cells = listed.reshape(-1)
    key = facts.relation.astype(np.int64) * release.people + facts.subject
    repeated = cells[key] != NOT_STATED
    repeated[duplicates(key)[0]] = True

    def describe(fact: int) -> str:
        relation = release.table[int(facts.relation[fact])].name
        return f"{release.texts[int(facts.subject[fact])]} has a {relation} already"

    ledger.check(
        "functional",
        lambda fact: (facts.file, int(facts.row[fact])),
        len(key),
        np.flatnonzero(repeated),
        describe,
    )
    cells[key[~repeated]] = facts.target[~repeated]
