"""The small tables of a release (relations, people, facts, paths), read into numbers and checked by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.reading.evidence import NOBODY, UNKNOWN, Evidence
from bioreason_bench.audit.reading.questions import code_of, path_of
from bioreason_bench.audit.reading.training import Shown
from bioreason_bench.world.pools import UNIQUE
from bioreason_bench.world.relations import RelationTable

__all__ = ["check_path_levels", "check_relations", "read_evidence", "read_facts", "read_paths"]

TITLES = {
    "mr",
    "mrs",
    "ms",
    "miss",
    "dr",
    "prof",
    "professor",
    "sir",
    "jr",
    "sr",
    "ii",
    "iii",
    "iv",
    "md",
    "dds",
    "phd",
    "dvm",
    "esq",
    "rev",
}
Named = Mapping[str, pa.Table]  # file -> rows, in order
PathLevels = dict[tuple[str, int], set[str]]  # (skill, path code) -> levels


def check_relations(table: RelationTable, files: Named, ledger: Ledger) -> None:
    """data/relations against the relation table of the manifest, and inverses against each other."""
    names = {relation.name for relation in table.relations}
    wanted = [
        {
            "name": row.name,
            "object": row.object,
            "group": row.group,
            "inverse": row.inverse if row.inverse in names else "",
            "symmetric": row.symmetric,
        }
        for row in table.relations
    ]
    expected = {row["name"]: row for row in wanted}
    seen: set[str] = set()
    for file, rows in files.items():
        found = rows.to_pylist()
        bad = [
            place
            for place, row in enumerate(found)
            if row != expected.get(row["name"]) or row["name"] in seen
        ]
        seen |= {row["name"] for row in found}
        ledger.check(
            "relations",
            file,
            len(found),
            bad,
            lambda place, found=found: (
                f"must be {expected.get(found[place]['name'])}, found {found[place]}"
            ),
        )
    missing = [row["name"] for row in wanted if row["name"] not in seen]
    ledger.whole("relations", "data/relations", f"{missing[0]} is missing" if missing else None)
    for row in table.relations:
        if row.inverse in names:
            back = table[table.number(row.inverse)]
            good = back.inverse == row.name and back.to_person and row.to_person
            ledger.whole(
                "relations",
                "manifest.json",
                None
                if good
                else f"{row.name} names {row.inverse} as its inverse, which names {back.inverse!r}",
            )


def read_evidence(
    table: RelationTable, language: str, people: Named, facts: Named, ledger: Ledger
) -> Evidence:
    """Numbers for all texts: people in the order of data/people, then the other objects of data/facts.  No facts yet."""
    names: list[str] = []
    seen: set[str] = set()
    for file, rows in people.items():
        here = rows.column("name").to_pylist()
        twice = [row for row, name in enumerate(here) if name in seen or seen.add(name)]
        titled = [
            row
            for row, name in enumerate(here)
            if {part.strip(".,").lower() for part in name.split()} & TITLES
        ]
        ledger.check(
            "unique names",
            file,
            len(here),
            twice,
            lambda row, here=here: f"{here[row]!r} stands a second time",
        )
        ledger.check(
            "plain names",
            file,
            len(here),
            titled,
            lambda row, here=here: f"{here[row]!r} has a title or a suffix",
        )
        names += here
    texts = dict.fromkeys(names)
    for rows in facts.values():
        texts |= dict.fromkeys(rows.column("object").unique().to_pylist())
    marks = {name: _bools(people, name, len(names)) for name in ("known", "in_context")}
    unique = list(dict.fromkeys(names))
    if len(unique) < len(names):  # a name that stands twice counts once, as it first stands
        first = {name: place for place, name in reversed(list(enumerate(names)))}
        marks = {mark: values[[first[name] for name in unique]] for mark, values in marks.items()}
    facts_read = np.full((len(table), len(unique)), NOBODY, np.int32)
    return Evidence(
        table,
        language,
        list(texts),
        len(unique),
        marks["known"],
        marks["in_context"],
        facts_read,
        UNIQUE,
    )


def read_facts(evidence: Evidence, files: Named, ledger: Ledger) -> NDArray[np.int32]:
    """[relations, people] objects as data/facts lists them, NOBODY where it does not."""
    listed = np.full(evidence.facts.shape, NOBODY, np.int32)
    numbers = {relation.name: number for number, relation in enumerate(evidence.table.relations)}
    groups = [relation.group for relation in evidence.table.relations]
    for file, rows in files.items():
        columns = {
            name: rows.column(name).to_pylist()
            for name in ("subject", "relation", "object", "group")
        }
        subject = np.array(
            [
                evidence.ids[name]
                if evidence.ids.get(name, evidence.people) < evidence.people
                else UNKNOWN
                for name in columns["subject"]
            ],
            int,
        )
        relation = np.array([numbers.get(name, UNKNOWN) for name in columns["relation"]], int)
        target = np.array([evidence.ids[text] for text in columns["object"]], int)
        strange = (subject < 0) | (relation < 0)
        wrong = np.array(
            [
                number >= 0 and groups[number] != group
                for number, group in zip(relation.tolist(), columns["group"], strict=True)
            ],
            bool,
        )

        def say(row: int, columns: dict[str, list] = columns) -> str:
            says = " ".join(values[row] for values in columns.values())
            return f"{says!r} names somebody or something that does not exist, or the wrong group"

        ledger.check("facts told", file, len(subject), np.flatnonzero(strange | wrong), say)
        good = np.flatnonzero(~strange)
        place = relation[good] * evidence.people + subject[good]
        _, first = np.unique(place, return_index=True)
        again = np.ones(len(good), bool)
        again[first] = False
        again |= listed.reshape(-1)[place] != NOBODY
        ledger.check(
            "functional",
            file,
            len(good),
            good[again],
            lambda row, columns=columns: (
                f"{columns['subject'][row]} has a {columns['relation'][row]} already"
            ),
        )
        listed[relation[good][~again], subject[good][~again]] = target[good][~again]
    return listed


def read_paths(
    table: RelationTable, files: Named, guards: bool, ledger: Ledger
) -> tuple[PathLevels, dict[tuple[str, int], tuple[str, int]]]:
    """Levels by (skill, path code), and where each stands."""
    numbers = {relation.name: number for number, relation in enumerate(table.relations)}
    levels: PathLevels = {}
    places: dict[tuple[str, int], tuple[str, int]] = {}
    for file, rows in files.items():
        records = rows.to_pylist()
        bad: dict[int, str] = {}
        for row, record in enumerate(records):
            if problem := path_problem(table, numbers, record, guards):
                bad[row] = problem
            if all(name in numbers for name in record["path"]):
                key = (
                    record["skill"],
                    code_of([numbers[name] for name in record["path"]], len(table)),
                )
                levels.setdefault(key, set()).add(record["level"])
                if key in places:
                    bad[row] = f"the same path stands in row {places[key][1]}"
                places.setdefault(key, (file, row))
        ledger.check("path shape", file, len(records), sorted(bad), lambda row, bad=bad: bad[row])
    return levels, places


def path_problem(
    table: RelationTable, numbers: Mapping[str, int], record: Mapping[str, Any], guards: bool
) -> str:
    """What is wrong with a row of data/paths by itself, "" if nothing."""
    path = record["path"]
    if strange := [name for name in path if name not in numbers]:
        return f"{strange[0]} is not a relation of this world"
    relations = [table[numbers[name]] for name in path]
    says = " > ".join(path)
    if len(set(path)) < len(path):
        return f"{says} holds a relation twice"
    if values := [row.name for row in relations[:-1] if not row.to_person]:
        return f"{says} stops at {values[0]!r}: only people have relations"
    for before, after in pairwise(relations):
        if before.inverse and after.name == before.inverse:
            return f"{says} steps straight back by {after.name}"
    pattern = "".join(row.letter for row in relations)
    if record["pattern"] != pattern or record["hops"] != len(path):
        return f"{says} has pattern {pattern} and {len(path)} hops; the row says {record['pattern']} and {record['hops']}"
    skill = {("P",): "mem", ("C",): "ctx"}.get(tuple(sorted(set(pattern))), "comp")
    if record["skill"] != skill:
        return f"{says} with pattern {pattern} belongs to {skill}, the row says {record['skill']}"
    if (
        guards
        and skill == "comp"
        and any(row.inverse in path and not row.symmetric for row in relations)
    ):
        return f"{says} asks for both a relation and its inverse, so that one would give the other away"
    return ""


def check_path_levels(
    evidence: Evidence,
    levels: PathLevels,
    places: Mapping[tuple[str, int], tuple[str, int]],
    shown: Mapping[str, Shown],
    ledger: Ledger,
) -> None:
    """The level of each path against what training shows; the relations of comp paths against the atomic skills."""
    keys = list(places)
    base = len(evidence.table)
    atomic = shown["mem"].relations | shown["ctx"].relations
    said: dict[int, str] = {}
    apart: list[int] = []
    for number, (skill, code) in enumerate(keys):
        level, path = next(iter(levels[skill, code])), path_of(code, base)
        trained, fresh = bool(np.isin(code, shown[skill].paths)), set(path) - shown[skill].relations
        if trained != (level in ("train", "iid")):
            said[number] = (
                f"level {level}, and the path is {'' if trained else 'not '}in the training questions"
            )
        elif bool(fresh) != (level == "zeroshot"):
            said[number] = (
                f"level {level}, and training lacks {', '.join(evidence.table.path_names(tuple(sorted(fresh)))) or 'none of its relations'}"
            )
        elif (len(path) > shown[skill].longest) != (level == "depth"):
            said[number] = (
                f"level {level}, with {len(path)} hops where training has at most {shown[skill].longest}"
            )
        if skill == "comp" and set(path) - atomic:
            apart.append(number)
    ledger.check(
        "path levels",
        lambda number: places[keys[number]],
        len(keys),
        sorted(said),
        lambda number: said[number],
    )

    def say(number: int) -> str:
        names = evidence.table.path_names(
            tuple(sorted(set(path_of(keys[number][1], base)) - atomic))
        )
        return f"{', '.join(names)} is in no training question of mem or ctx"

    ledger.check(
        "atomic",
        lambda number: places[keys[number]],
        sum(skill == "comp" for skill, _ in keys),
        apart,
        say,
    )


def _bools(files: Named, column: str, size: int) -> NDArray[np.bool_]:
    values = [value for rows in files.values() for value in rows.column(column).to_pylist()]
    return np.array(values, bool) if len(values) == size else np.zeros(size, bool)
