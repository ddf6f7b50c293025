"""Biographies read back to facts, and held against data/people and data/facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.reading.evidence import NOBODY, UNKNOWN, Evidence, Parser
from bioreason_bench.audit.reading.questions import hash_texts
from bioreason_bench.world.relations import CONTEXTUAL, PARAMETRIC

__all__ = ["Biographies", "check_biographies", "read_biographies"]

GROUPS = (PARAMETRIC, CONTEXTUAL)


@dataclass
class Biographies:
    """One file's biographies as arrays over its rows."""

    file: str
    person: NDArray[np.int32]  # UNKNOWN for somebody who is not in data/people
    group: NDArray[np.int8]  # index into GROUPS
    rendering: NDArray[np.int32]
    told: NDArray[np.int32]  # [rows, relations] object ids, NOBODY where the text states none
    text: NDArray[np.uint64]  # hash of the text
    id: NDArray[np.uint64]


def read_biographies(
    parser: Parser, file: str, batches: Iterable[tuple[int, Mapping[str, list]]], ledger: Ledger
) -> Biographies:
    """Every sentence of a file's biographies as a fact; what cannot be read is broken, and told is what could."""
    evidence = parser.evidence
    width = len(evidence.table)
    groups = [GROUPS.index(relation.group) for relation in evidence.table.relations]
    people, kinds, renderings, told, texts, ids, bad, checked = [], [], [], [], [], [], {}, 0
    for first, columns in batches:
        for place, (person, group, text) in enumerate(
            zip(columns["person"], columns["group"], columns["text"], strict=True), first
        ):
            number, kind = evidence.ids.get(person, UNKNOWN), GROUPS.index(group)
            number = number if number < evidence.people else UNKNOWN
            row = [NOBODY] * width
            for sentence in parser.reader.sentences(text):
                checked += 1
                fact = parser.read(sentence)
                if fact is None:
                    bad.setdefault(place, f"{sentence!r} states no fact that can be read")
                elif fact[0] != number or number < 0:
                    bad.setdefault(place, f"{sentence!r} is not about {person}")
                elif groups[fact[1]] != kind:
                    bad.setdefault(place, f"{sentence!r} does not belong into a {group} biography")
                elif fact[2] == UNKNOWN:
                    bad.setdefault(
                        place, f"{sentence!r} leads to something which stands nowhere in data/facts"
                    )
                elif row[fact[1]] != NOBODY:
                    bad.setdefault(
                        place, f"{sentence!r} states {evidence.table[fact[1]].name} a second time"
                    )
                else:
                    row[fact[1]] = fact[2]
            people.append(number)
            kinds.append(kind)
            told.append(row)
        renderings += columns["rendering"]
        odd = [
            row
            for row, (name, group) in enumerate(
                zip(columns["id"], columns["group"], strict=True), first
            )
            if not name.startswith(f"{group}-")
        ]
        ledger.check(
            "placed",
            file,
            len(columns["id"]),
            odd,
            lambda row: "the id must begin with the group of the biography",
        )
        texts.append(hash_texts(columns["text"]))
        ids.append(hash_texts(columns["id"]))
    ledger.check("readable", file, checked, sorted(bad), lambda row: bad[row])
    hashes = [np.concatenate(parts) if parts else np.empty(0, np.uint64) for parts in (texts, ids)]
    arrays = (
        np.array(people, np.int32),
        np.array(kinds, np.int8),
        np.array(renderings, np.int32),
        np.array(told, np.int32).reshape(-1, width),
    )
    return Biographies(file, *arrays, *hashes)


def check_biographies(
    evidence: Evidence,
    listed: NDArray[np.int32],
    files: Sequence[Biographies],
    renderings: int,
    ledger: Ledger,
) -> None:
    """Fill `evidence.facts` from the first writing of each biography, and hold all of them against `listed`, the facts of data/facts."""
    member = np.array(
        [[relation.group == group for relation in evidence.table.relations] for group in GROUPS]
    )
    written = np.zeros((2, evidence.people), np.int64)
    for group in range(2):
        evidence.places[GROUPS[group]] = (
            np.full(evidence.people, -1),
            np.zeros(evidence.people, np.int64),
            [file.file for file in files],
        )
    for number, file in enumerate(files):
        rows = np.flatnonzero(file.person >= 0)
        person, group = file.person[rows], file.group[rows]
        expected = np.where(member[group], listed[:, person].T, NOBODY)
        wrong = (file.told[rows] != expected) | (file.told[rows] == UNKNOWN)
        broken = rows[wrong.any(axis=1)]

        def say(row: int, file: Biographies = file) -> str:
            expected = np.where(member[file.group[row]], listed[:, file.person[row]], NOBODY)
            relation = int(
                np.flatnonzero((file.told[row] != expected) | (file.told[row] == UNKNOWN))[0]
            )
            return (
                f"data/facts says {evidence.text(file.person[row])} {evidence.table[relation].name} {evidence.text(expected[relation])}, "
                f"the biography states {evidence.text(file.told[row, relation])}"
            )

        ledger.check("whole biography", file.file, len(file.person), broken, say)
        strangers = np.flatnonzero(file.person < 0)
        ledger.check(
            "renderings",
            file.file,
            len(file.person),
            strangers,
            lambda row: "this person is not in data/people",
        )
        np.add.at(written, (group, person), 1)
        for kind in range(2):
            files_of, rows_of, _ = evidence.places[GROUPS[kind]]
            new = rows[(group == kind) & (files_of[person] < 0)][
                ::-1
            ]  # the first of a person's rows is written last
            files_of[file.person[new]], rows_of[file.person[new]] = number, new
    _fill(evidence, files, member)
    _check_told(evidence, listed, ledger)
    _check_renderings(evidence, files, written, renderings, ledger)


def _fill(evidence: Evidence, files: Sequence[Biographies], member: NDArray) -> None:
    for group, kind in enumerate(GROUPS):
        files_of, rows_of, _ = evidence.places[kind]
        for number, file in enumerate(files):
            people = np.flatnonzero(files_of == number)
            relations = np.flatnonzero(member[group])
            evidence.facts[np.ix_(relations, people)] = file.told[
                np.ix_(rows_of[people], relations)
            ].T
    evidence.__dict__.pop("rows", None)


def _check_told(evidence: Evidence, listed: NDArray, ledger: Ledger) -> None:
    """Both ways: nothing in data/facts that no biography states, and the other way round."""
    relation, subject = np.nonzero((listed >= 0) | (evidence.facts != NOBODY))
    differ = np.flatnonzero(listed[relation, subject] != evidence.facts[relation, subject])

    def say(fact: int) -> str:
        place = relation[fact], subject[fact]
        return (
            f"the biography says {evidence.text(place[1])} {evidence.table[place[0]].name} {evidence.text(evidence.facts[place])}, "
            f"data/facts says {evidence.text(listed[place])}"
        )

    ledger.check(
        "facts told",
        lambda fact: evidence.place(relation[fact], subject[fact]),
        len(relation),
        differ,
        say,
    )


def _check_renderings(
    evidence: Evidence,
    files: Sequence[Biographies],
    written: NDArray,
    renderings: int,
    ledger: Ledger,
) -> None:
    wanted = np.array([evidence.known * renderings, evidence.in_context * 1])
    for group, kind in enumerate(GROUPS):
        off = np.flatnonzero(written[group] != wanted[group])

        def say(person: int, group: int = group, kind: str = kind) -> str:
            return f"{evidence.text(person)} must have {wanted[group, person]} {kind} biographies, and has {written[group, person]}"

        ledger.check(
            "renderings",
            lambda person, kind=kind: (f"data/biographies/{kind}", None),
            evidence.people,
            off,
            say,
        )
    for what, keys in (
        ("text", [file.text for file in files]),
        ("id", [file.id for file in files]),
    ):
        seen = np.concatenate(keys) if keys else np.empty(0, np.uint64)
        _, first = np.unique(seen, return_index=True)
        again = np.setdiff1d(np.arange(len(seen)), first)
        ends = np.cumsum([len(part) for part in keys])

        def place(number: int, ends: NDArray = ends) -> tuple[str, int]:
            file = int(np.searchsorted(ends, number, side="right"))
            return files[file].file, int(number - (ends[file - 1] if file else 0))

        law = "renderings" if what == "text" else "unique ids"
        ledger.check(
            law, place, len(seen), again, lambda _, what=what: f"this {what} stands a second time"
        )
    for file in files:
        odd = np.flatnonzero(
            (file.rendering < 0) | (file.rendering >= np.where(file.group == 0, renderings, 1))
        )
        ledger.check(
            "renderings",
            file.file,
            len(file.rendering),
            odd,
            lambda row, file=file: f"rendering {file.rendering[row]} is more than the config says",
        )
