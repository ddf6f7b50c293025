"""Biographies: read back to facts, and compared with data/people and data/facts.

`read_biographies` reads one file in a worker process; `Facts` joins the files to the facts of the
world; `check_biographies` only checks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.reading.duplicates import RowKeys, check_unique
from bioreason_bench.audit.reading.parser import (
    NOT_STATED,
    UNKNOWN,
    BiographyIndex,
    ParsedRelease,
    Parser,
    Telling,
    hash_sentence,
)
from bioreason_bench.audit.reading.questions import hash_texts
from bioreason_bench.audit.reading.wordings import wording_of
from bioreason_bench.world.relations import CONTEXTUAL, PARAMETRIC, RelationTable

__all__ = ["Biographies", "Facts", "check_biographies", "read_biographies"]

GROUPS = (PARAMETRIC, CONTEXTUAL)
Triples = tuple[NDArray[np.int32], NDArray[np.int16], NDArray[np.int32]]


@dataclass(frozen=True)
class Biographies:
    """The biographies of one file.

    Attributes:
        file: The file.
        person: People, UNKNOWN for someone who is not in data/people; shape [rows].
        group: Index into GROUPS, shape [rows].
        paraphrase: The column `rendering`, shape [rows].
        odd: (row, relation, object) where a biography states another object than data/facts, or
            none (NOT_STATED).
        wordings: (person, relation, number of the statement), for people with held-out wordings.
        told: (row, relation, place, words) of the facts that contextual biographies state, as in
            `Telling`.
        text: Hash of the text, shape [rows].
        id: Hash of the id, shape [rows].
    """

    file: str
    person: NDArray[np.int32]
    group: NDArray[np.int8]
    paraphrase: NDArray[np.int32]
    odd: Triples
    wordings: Triples
    told: tuple[NDArray[np.int32], NDArray[np.int16], NDArray[np.int16], NDArray[np.uint64]]
    text: NDArray[np.uint64]
    id: NDArray[np.uint64]


# reading ------------------------------------------------------------------------------------------


def read_biographies(
    parser: Parser,
    listed: NDArray[np.int32],
    file: str,
    batches: Iterable[tuple[int, Mapping[str, list]]],
    ledger: Ledger,
) -> Biographies:
    """Read every sentence of a file's biographies as a fact; unreadable ones break a law.

    Args:
        parser: The parser of this process.
        listed: The facts of data/facts, shape [relations, people].
        file: The file.
        batches: (first row, columns) of each batch.
        ledger: Where checks are counted.
    """
    parts = [_read_batch(parser, listed, file, batch, ledger) for batch in batches]
    columns: Iterator[Any] = map(_joined, zip(*parts, strict=True))
    return Biographies(file, *columns)


def _joined(parts: Sequence) -> NDArray | tuple[NDArray, ...]:
    """The parts of one column, or of a tuple of columns, one after the other."""
    if isinstance(parts[0], tuple):
        return tuple(map(np.concatenate, zip(*parts, strict=True)))
    return np.concatenate(parts)


def _read_batch(
    parser: Parser,
    listed: NDArray[np.int32],
    file: str,
    batch: tuple[int, Mapping[str, list]],
    ledger: Ledger,
) -> tuple:
    """The fields of `Biographies` for the rows of a batch, the file aside."""
    release, (first, columns) = parser.release, batch
    rows = zip(columns["person"], columns["group"], columns["text"], strict=True)
    read = [_read_biography(parser, *row) for row in rows]
    unreadable = {row: one.problem for row, one in enumerate(read, first) if one.problem}
    sentences = sum(one.sentences for one in read)
    ledger.check("readable", file, sentences, sorted(unreadable), unreadable)
    misnamed = _misplaced(file, columns, [one.person for one in read], first)
    ledger.check("placed", file, len(read), sorted(misnamed), misnamed)
    person = np.array([one.person for one in read], np.int32)
    group = np.array([GROUPS.index(name) for name in columns["group"]], np.int8)
    stated = np.array([one.stated for one in read], np.int32).reshape(-1, len(release.table))
    odd = _compare(release, listed, (person, group, stated), (file, first), ledger)
    wordings = [
        (one.person, number, wording) for one in read for number, wording in one.wordings.items()
    ]
    told = [
        (row, number, place, words)
        for row, one in enumerate(read, first)
        for number, (place, words) in one.told.items()
    ]
    return (
        person,
        group,
        np.array(columns["rendering"], np.int32),
        odd,
        _columns(wordings, np.int32, np.int16, np.int32),
        _columns(told, np.int32, np.int16, np.int16, np.uint64),
        hash_texts(columns["text"]),
        hash_texts(columns["id"]),
    )


def _columns(rows: Sequence[tuple], *types: type) -> tuple[NDArray, ...]:
    """The columns of a list of tuples as arrays of these types."""
    columns = zip(*rows, strict=True) if rows else ((),) * len(types)
    return tuple(np.array(column, one) for column, one in zip(columns, types, strict=True))


def _compare(
    release: ParsedRelease,
    listed: NDArray[np.int32],
    biographies: tuple[NDArray[np.int32], NDArray[np.int8], NDArray[np.int32]],
    place: tuple[str, int],
    ledger: Ledger,
) -> Triples:
    """A biography states what data/facts says of its person and group.

    Args:
        release: The release.
        listed: The facts of data/facts, shape [relations, people].
        biographies: People, groups, and the objects that are stated, shape [rows, relations].
        place: The file, and the number of the first row.
        ledger: Where checks are counted.

    Returns:
        (row, relation, object) of the differences.
    """
    (person, group, stated), (file, first) = biographies, place
    theirs = listed[:, np.maximum(person, 0)].T
    expected = np.where(_members(release.table)[group], theirs, NOT_STATED)
    expected[person < 0] = NOT_STATED
    wrong = ((stated != expected) | (stated == UNKNOWN)) & (person >= 0)[:, None]

    def describe(row: int) -> str:
        relation = int(np.flatnonzero(wrong[row - first])[0])
        return (
            f"data/facts says {release.text(person[row - first])} "
            f"{release.table[relation].name} {release.text(expected[row - first, relation])}, "
            f"the biography states {release.text(stated[row - first, relation])}"
        )

    broken = first + np.flatnonzero(wrong.any(axis=1))
    ledger.check("whole biography", file, len(person), broken, describe)
    rows, relations = np.nonzero(stated != expected)
    odd = stated[rows, relations]
    return (first + rows).astype(np.int32), relations.astype(np.int16), odd


def _misplaced(
    file: str, columns: Mapping[str, list], people: Sequence[int], first: int
) -> dict[int, str]:
    """Why a biography is in the wrong file or has a wrong id, by its row; `first` is the first."""
    split = file.rpartition("/")[2].partition("-")[0]
    problems = {}
    rows = zip(columns["id"], columns["group"], columns["rendering"], people, strict=True)
    for row, (id_, group, rendering, person) in enumerate(rows, first):
        if group != split:
            problems[row] = f"a {group} biography does not belong in the split {split}"
        elif person >= 0 and id_ != f"{group}-{person:06d}-{rendering}":
            problems[row] = f"the id must be {group}-{person:06d}-{rendering}, found {id_}"
    return problems


@dataclass(slots=True)
class _Biography:
    """One biography as read.

    Attributes:
        person: The person, UNKNOWN for someone who is not in data/people.
        stated: Objects by relation, NOT_STATED where there is none.
        wordings: The number of the statement by relation, for people with held-out wordings.
        told: (place, words) by relation, for contextual biographies.
        sentences: How many it has.
        problem: What is wrong with the first sentence that cannot be read, "" if all can.
    """

    person: int
    stated: list[int]
    wordings: dict[int, int] = field(default_factory=dict)
    told: dict[int, tuple[int, int]] = field(default_factory=dict)
    sentences: int = 0
    problem: str = ""


def _read_biography(parser: Parser, name: str, group: str, text: str) -> _Biography:
    release = parser.release
    person = release.number(name)
    if person >= release.people:
        person = UNKNOWN
    read = _Biography(person, [NOT_STATED] * len(release.table))
    held_out = person >= 0 and group == PARAMETRIC and release.heldout_wordings[person]
    told = parser.reader.told(text)
    read.sentences = len(told)
    for index, (sentence, stated) in enumerate(told):
        fact = parser.numbered(stated)
        why = _problem(release, fact, person, group, read.stated)
        if why:
            read.problem = read.problem or f"{sentence!r} {why}"
        elif fact:
            _, number, target = fact
            read.stated[number] = target
            if group == CONTEXTUAL:
                read.told[number] = index, hash_sentence(sentence)
            if held_out:
                relation, value = release.table[number], release.texts[target]
                wording = wording_of(relation, sentence, name, value)
                if wording >= 0:
                    read.wordings[number] = wording
    return read


def _problem(
    release: ParsedRelease,
    fact: tuple[int, int, int] | None,
    person: int,
    group: str,
    stated: Sequence[int],
) -> str:
    """What is wrong with a sentence of a biography, "" if nothing.

    Args:
        release: The release.
        fact: (subject, relation, object) of the sentence, None if it cannot be read.
        person: The person of the biography.
        group: Its group.
        stated: The objects that it has stated so far, by relation.
    """
    if fact is None:
        return "states no fact that can be read"
    subject, number, target = fact
    relation = release.table[number]
    if subject != person or person < 0:
        name = release.texts[person] if person >= 0 else "anyone in data/people"
        return f"is not about {name}"
    if relation.group != group:
        return f"does not belong in a {group} biography"
    if target == UNKNOWN:
        return "has an object that is not in data/facts"
    if stated[number] != NOT_STATED:
        return f"states {relation.name} a second time"
    return ""


# the facts of the world ---------------------------------------------------------------------------


class Facts:
    """The facts of the world: those of the first biography of each person and group.

    Attributes:
        files: The files that were added.
        text: Hash of each text, by file.
        id: Hash of each id, by file.
        count: How many biographies of each group everybody has, shape [groups, people].
        wordings: Those of people with held-out wordings, by file.
        told: How the contextual ones state the facts.
    """

    def __init__(self, release: ParsedRelease, listed: NDArray[np.int32]) -> None:
        """Start with no biographies; `listed` are the facts of data/facts."""
        people, groups = release.people, len(GROUPS)
        self.release, self.listed = release, listed
        self.files: list[str] = []
        self.text: list[RowKeys] = []
        self.id: list[RowKeys] = []
        self.count = np.zeros((groups, people), np.int32)
        self.wordings: list[Triples] = []
        self._file = np.full((groups, people), -1, np.int32)
        self._row = np.zeros((groups, people), np.int32)
        self._odd: list[Triples] = []  # (person, relation, object) of first biographies
        self.told = Telling.empty(release.table, people)
        self._columns = np.zeros(len(release.table), np.int64)  # of relations, in `told`
        self._columns[list(self.told.relations)] = np.arange(len(self.told.relations))

    def add(self, biographies: Biographies, paraphrases: int, ledger: Ledger) -> None:
        """Add the biographies of a file, and check for whom and how many they are.

        Args:
            biographies: The biographies of the file.
            paraphrases: How many parametric ones a known person must have.
            ledger: Where checks are counted.
        """
        number = len(self.files)
        self.files.append(biographies.file)
        self.text.append(RowKeys(biographies.file, biographies.text))
        self.id.append(RowKeys(biographies.file, biographies.id))
        self.wordings.append(biographies.wordings)
        person, group = biographies.person, biographies.group
        read = np.flatnonzero(person >= 0)
        np.add.at(self.count, (group[read], person[read]), 1)
        read = read[self._file[group[read], person[read]] < 0]
        # np.unique gives the first row of each
        first = read[
            np.unique(group[read].astype(np.int64) << 32 | person[read], return_index=True)[1]
        ]
        self._file[group[first], person[first]] = number
        self._row[group[first], person[first]] = first
        chosen = np.zeros(len(person), bool)
        chosen[first] = True
        rows, relation, odd = biographies.odd
        kept = chosen[rows]
        self._odd.append((person[rows[kept]], relation[kept], odd[kept]))
        rows, relation, place, words = biographies.told
        kept = chosen[rows]
        whose, columns = person[rows[kept]], self._columns[relation[kept]]
        self.told.place[whose, columns] = place[kept]
        self.told.words[whose, columns] = words[kept]
        _check_rows(biographies, paraphrases, ledger)

    def stated(self) -> NDArray[np.int32]:
        """Object numbers, NOT_STATED where no biography states the fact; [relations, people].

        They are those of data/facts but where a biography differs, or where there is none.
        """
        members = _members(self.release.table)
        untold = [
            (relation, np.flatnonzero((self._file[group] < 0) & (self.listed[relation] >= 0)))
            for group, of_group in enumerate(members)
            for relation in np.flatnonzero(of_group).tolist()
        ]
        changes = [*(len(people) for _, people in untold), *(len(odd[0]) for odd in self._odd)]
        if not any(changes):
            return self.listed
        facts = self.listed.copy()
        for relation, people in untold:
            facts[relation, people] = NOT_STATED
        for subjects, relations, objects in self._odd:
            facts[relations, subjects] = objects
        return facts

    def index(self) -> dict[str, BiographyIndex]:
        """Where the first biographies of each group are."""
        files = tuple(self.files)
        return {
            name: BiographyIndex(files, self._file[group], self._row[group])
            for group, name in enumerate(GROUPS)
        }


def _members(table: RelationTable) -> NDArray[np.bool_]:
    """Whether each relation belongs to each group, shape [groups, relations]."""
    return np.array([[row.group == group for row in table.relations] for group in GROUPS])


# checks -------------------------------------------------------------------------------------------


def _check_rows(biographies: Biographies, paraphrases: int, ledger: Ledger) -> None:
    """The biographies of a file are of people whom there are, and no more than the config says."""
    file, rows = biographies.file, len(biographies.person)
    strangers = np.flatnonzero(biographies.person < 0)
    ledger.check("renderings", file, rows, strangers, "this person is not in data/people")
    number = biographies.paraphrase
    limit = np.where(biographies.group == GROUPS.index(PARAMETRIC), paraphrases, 1)
    off = np.flatnonzero((number < 0) | (number >= limit)).tolist()
    problems = {row: f"rendering {number[row]} is more than the config says" for row in off}
    ledger.check("renderings", file, rows, off, problems)


def check_biographies(
    release: ParsedRelease, facts: Facts, paraphrases: int, heldout_share: float, ledger: Ledger
) -> None:
    """Compare the biographies with data/facts, and count them.

    Args:
        release: The release, with the facts that the biographies state.
        facts: Those facts, and the biographies that were read.
        paraphrases: How many parametric biographies a known person must have.
        heldout_share: The share of the known people who have held-out wordings.
        ledger: Where checks are counted.
    """
    _check_listed(release, facts.listed, ledger)
    _check_numbers(release, facts, paraphrases, ledger)
    check_unique("renderings", "text", facts.text, ledger)
    check_unique("unique ids", "id", facts.id, ledger)
    _check_heldout_wordings(release, facts.wordings, heldout_share, ledger)


def _check_listed(release: ParsedRelease, listed: NDArray[np.int32], ledger: Ledger) -> None:
    """The facts of data/facts are those of the biographies, none more and none fewer."""
    for relation, (stated, expected) in enumerate(zip(release.facts, listed, strict=True)):
        subjects = np.flatnonzero((expected >= 0) | (stated != NOT_STATED))
        _check_relation(release, relation, subjects, expected[subjects], ledger)


def _check_relation(
    release: ParsedRelease,
    relation: int,
    subjects: NDArray[np.int64],
    expected: NDArray[np.int32],
    ledger: Ledger,
) -> None:
    stated = release.facts[relation, subjects]

    def describe(fact: int) -> str:
        return (
            f"the biography says {release.text(subjects[fact])} "
            f"{release.table[relation].name} {release.text(stated[fact])}, "
            f"data/facts says {release.text(expected[fact])}"
        )

    ledger.check(
        "facts told",
        lambda fact: release.locate(relation, subjects[fact]),
        len(subjects),
        np.flatnonzero(expected != stated),
        describe,
    )


def _check_numbers(release: ParsedRelease, facts: Facts, paraphrases: int, ledger: Ledger) -> None:
    """Everyone has as many biographies as the config says."""
    nobody = np.flatnonzero(~release.known & ~release.in_context)
    ledger.check(
        "renderings",
        lambda _: ("data/people", None),
        release.people,
        nobody,
        lambda person: f"{release.text(person)} has no biography at all",
    )
    wanted = {PARAMETRIC: release.known * paraphrases, CONTEXTUAL: release.in_context * 1}
    for group, count in zip(GROUPS, facts.count, strict=True):
        _check_group(release, group, wanted[group], count, ledger)


def _check_group(
    release: ParsedRelease,
    group: str,
    wanted: NDArray[np.integer],
    count: NDArray[np.integer],
    ledger: Ledger,
) -> None:
    """Everyone has the `wanted` number of biographies of one group."""
    ledger.check(
        "renderings",
        lambda _: (f"data/biographies/{group}", None),
        release.people,
        np.flatnonzero(count != wanted),
        lambda person: (
            f"{release.text(person)} must have {wanted[person]} {group} biographies, "
            f"and has {count[person]}"
        ),
    )


def _check_heldout_wordings(
    release: ParsedRelease, wordings: Sequence[Triples], share: float, ledger: Ledger
) -> None:
    """Check who has held-out wordings, and that all their biographies leave two wordings out.

    One of the two is the first, which gold chains use.
    """
    flagged = release.heldout_wordings
    strangers = np.flatnonzero(flagged & ~release.known)
    problem = "only known people have held-out wordings"
    ledger.check("held-out wordings", "data/people", release.people, strangers, problem)
    known = int(release.known.sum())
    error = 4.5 * float(np.sqrt(known * share * (1 - share)))
    count = int(flagged.sum())
    problem = f"{count} people have held-out wordings, the config says {share:.0%} of {known:,}"
    fits = abs(count - share * known) <= error
    ledger.check_whole("held-out wordings", "data/people", None if fits else problem)
    for number, relation in enumerate(release.table.relations):
        used = np.zeros(release.people, np.int64)  # wordings as bit masks
        for person, relations, wording in wordings:
            rows = relations == number
            np.bitwise_or.at(used, person[rows], np.int64(1) << wording[rows].astype(np.int64))
        people = np.flatnonzero(used)
        if len(relation.statements) < 2 or not len(people):
            continue
        masks = used[people].tolist()
        most = max(len(relation.statements) - 2, 1)
        broken = [k for k, mask in enumerate(masks) if mask & 1 or mask.bit_count() > most]
        _report_wordings(release, number, people[broken], len(people), ledger)


def _report_wordings(
    release: ParsedRelease,
    relation: int,
    broken: NDArray[np.int64],
    checked: int,
    ledger: Ledger,
) -> None:
    name = release.table[relation].name
    ledger.check(
        "held-out wordings",
        lambda row: release.locate(relation, broken[row]),
        checked,
        np.arange(len(broken)),
        lambda row: (
            f"the biographies of {release.text(broken[row])} state {name} in the wording of "
            "chains, or leave fewer than two wordings out"
        ),
    )
