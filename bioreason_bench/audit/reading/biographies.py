"""Biographies: read back to facts, and compared with data/people and data/facts.

`read_biographies` reads one file in a worker process; `facts_from` joins the files to the facts of
the world; `check_biographies` only checks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

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

__all__ = ["Biographies", "check_biographies", "facts_from", "read_biographies"]

GROUPS = (PARAMETRIC, CONTEXTUAL)


@dataclass(frozen=True)
class Biographies:
    """The biographies of one file.

    Attributes:
        file: The file.
        person: People, UNKNOWN for someone who is not in data/people; shape [rows].
        group: Index into GROUPS, shape [rows].
        paraphrase: The column `rendering`, shape [rows].
        stated: Object numbers, NOT_STATED if the text states none; shape [rows, relations].
        wording: Number of the statement, for people with held-out wordings only; -1 where nothing
            is stated, shape [rows, relations].
        place: Number of the sentence, for contextual biographies only; -1 where nothing is stated,
            shape [rows, relations].
        words: `hash_sentence` of the sentence, for the same; shape [rows, relations].
        text: Hash of the text, shape [rows].
        id: Hash of the id, shape [rows].
    """

    file: str
    person: NDArray[np.int32]
    group: NDArray[np.int8]
    paraphrase: NDArray[np.int32]
    stated: NDArray[np.int32]
    wording: NDArray[np.int8]
    place: NDArray[np.int16]
    words: NDArray[np.uint32]
    text: NDArray[np.uint64]
    id: NDArray[np.uint64]


# reading ------------------------------------------------------------------------------------------


def read_biographies(
    parser: Parser, file: str, batches: Iterable[tuple[int, Mapping[str, list]]], ledger: Ledger
) -> Biographies:
    """Read every sentence of a file's biographies as a fact; unreadable ones break a law.

    Args:
        parser: The parser of this process.
        file: The file.
        batches: (first row, columns) of each batch.
        ledger: Where checks are counted.
    """
    release = parser.release
    people: list[int] = []
    groups: list[int] = []
    paraphrases: list[int] = []
    stated: list[list[int]] = []
    wordings: list[list[int]] = []
    places: list[list[int]] = []
    words: list[list[int]] = []
    texts: list[NDArray[np.uint64]] = [np.empty(0, np.uint64)]
    ids: list[NDArray[np.uint64]] = [np.empty(0, np.uint64)]
    unreadable: dict[int, str] = {}
    sentences = 0
    for first, columns in batches:
        rows = zip(columns["person"], columns["group"], columns["text"], strict=True)
        for row, (name, group, text) in enumerate(rows, first):
            biography = _read_biography(parser, name, group, text)
            people.append(biography.person)
            groups.append(GROUPS.index(group))
            stated.append(biography.stated)
            wordings.append(biography.wording)
            places.append(biography.place)
            words.append(biography.words)
            sentences += biography.sentences
            if biography.problem:
                unreadable[row] = biography.problem
        paraphrases += columns["rendering"]
        misnamed = _misplaced(file, columns, people[-len(columns["id"]) :], first)
        ledger.check("placed", file, len(columns["id"]), sorted(misnamed), misnamed)
        texts.append(hash_texts(columns["text"]))
        ids.append(hash_texts(columns["id"]))
    ledger.check("readable", file, sentences, sorted(unreadable), unreadable)
    return Biographies(
        file,
        np.array(people, np.int32),
        np.array(groups, np.int8),
        np.array(paraphrases, np.int32),
        np.array(stated, np.int32).reshape(-1, len(release.table)),
        np.array(wordings, np.int8).reshape(-1, len(release.table)),
        np.array(places, np.int16).reshape(-1, len(release.table)),
        np.array(words, np.uint32).reshape(-1, len(release.table)),
        np.concatenate(texts),
        np.concatenate(ids),
    )


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


@dataclass(frozen=True, slots=True)
class _Biography:
    """One biography as read: objects, wordings, places and words by relation, and the first
    problem.
    """

    person: int
    stated: list[int]
    wording: list[int]
    place: list[int]
    words: list[int]
    sentences: int
    problem: str


def _read_biography(parser: Parser, name: str, group: str, text: str) -> _Biography:
    release = parser.release
    person = release.ids.get(name, UNKNOWN)
    if person >= release.people:
        person = UNKNOWN
    stated, wording = [NOT_STATED] * len(release.table), [-1] * len(release.table)
    place, words = [-1] * len(release.table), [0] * len(release.table)
    held_out = person >= 0 and group == PARAMETRIC and release.heldout_wordings[person]
    facts, problem = parser.reader.biography(text), ""
    sentences = parser.reader.biography_sentences(text) if held_out or group == CONTEXTUAL else []
    for index, fact in enumerate(map(parser.numbered, facts)):
        why = _problem(release, fact, person, group, stated)
        if why:
            sentence = parser.reader.biography_sentences(text)[index]
            problem = problem or f"{sentence!r} {why}"
        elif fact:
            _, number, target = fact
            stated[number] = target
            if group == CONTEXTUAL:
                place[number], words[number] = index, hash_sentence(sentences[index])
            if held_out:
                relation, value = release.table[number], release.texts[target]
                wording[number] = wording_of(relation, sentences[index], name, value)
    return _Biography(person, stated, wording, place, words, len(facts), problem)


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


def facts_from(
    release: ParsedRelease, files: Sequence[Biographies]
) -> tuple[NDArray[np.int32], dict[str, BiographyIndex], Telling]:
    """Collect the facts of the world from the first biography of each person and group.

    Returns:
        Object numbers, NOT_STATED where no biography states the fact, shape [relations, people];
        for each group where these biographies are; and how the contextual ones state the facts.
    """
    facts = np.full((len(release.table), release.people), NOT_STATED, np.int32)
    told = Telling(np.full(facts.shape, -1, np.int16), np.zeros(facts.shape, np.uint32))
    indexes: dict[str, BiographyIndex] = {}
    for group, members in enumerate(_members(release.table)):
        index = _first_biographies(release.people, group, files)
        indexes[GROUPS[group]] = index
        relations = np.flatnonzero(members)
        for number, biographies in enumerate(files):
            people = np.flatnonzero(index.file == number)
            own, theirs = np.ix_(index.row[people], relations), np.ix_(relations, people)
            facts[theirs] = biographies.stated[own].T
            if GROUPS[group] == CONTEXTUAL:
                told.place[theirs] = biographies.place[own].T
                told.words[theirs] = biographies.words[own].T
    return facts, indexes, told


def _first_biographies(people: int, group: int, files: Sequence[Biographies]) -> BiographyIndex:
    file, row = np.full(people, -1), np.zeros(people, np.int64)
    for number, biographies in enumerate(files):
        rows = np.flatnonzero((biographies.person >= 0) & (biographies.group == group))
        rows = rows[file[biographies.person[rows]] < 0]
        # np.unique gives the first row of each person
        owners, first = np.unique(biographies.person[rows], return_index=True)
        file[owners], row[owners] = number, rows[first]
    return BiographyIndex(tuple(biographies.file for biographies in files), file, row)


def _members(table: RelationTable) -> NDArray[np.bool_]:
    """Whether each relation belongs to each group, shape [groups, relations]."""
    return np.array([[row.group == group for row in table.relations] for group in GROUPS])


# checks -------------------------------------------------------------------------------------------


def check_biographies(
    release: ParsedRelease,
    listed: NDArray[np.int32],
    files: Sequence[Biographies],
    paraphrases: int,
    heldout_share: float,
    ledger: Ledger,
) -> None:
    """Compare the biographies with data/facts, and count them.

    Args:
        release: The release, with the facts of `facts_from`.
        listed: The facts of data/facts, shape [relations, people].
        files: All biographies.
        paraphrases: How many parametric biographies a known person must have.
        heldout_share: The share of the known people who have held-out wordings.
        ledger: Where checks are counted.
    """
    for biographies in files:
        _check_completeness(release, listed, biographies, ledger)
        strangers = np.flatnonzero(biographies.person < 0)
        problem = "this person is not in data/people"
        rows = len(biographies.person)
        ledger.check("renderings", biographies.file, rows, strangers, problem)
    _check_listed(release, listed, ledger)
    _check_numbers(release, files, paraphrases, ledger)
    _check_repetition(files, ledger)
    _check_heldout_wordings(release, files, heldout_share, ledger)


def _check_completeness(
    release: ParsedRelease, listed: NDArray[np.int32], biographies: Biographies, ledger: Ledger
) -> None:
    """A biography states what data/facts says of its person and group."""
    members = _members(release.table)

    def expected(rows: NDArray[np.integer]) -> NDArray[np.int32]:
        facts = listed[:, biographies.person[rows]].T
        return np.where(members[biographies.group[rows]], facts, NOT_STATED)

    def wrong(rows: NDArray[np.integer]) -> NDArray[np.bool_]:
        stated = biographies.stated[rows]
        return (stated != expected(rows)) | (stated == UNKNOWN)

    def describe(row: int) -> str:
        one = np.array([row])
        relation = int(np.flatnonzero(wrong(one)[0])[0])
        return (
            f"data/facts says {release.text(biographies.person[row])} "
            f"{release.table[relation].name} {release.text(expected(one)[0, relation])}, "
            f"the biography states {release.text(biographies.stated[row, relation])}"
        )

    rows = np.flatnonzero(biographies.person >= 0)
    broken = rows[wrong(rows).any(axis=1)]
    ledger.check("whole biography", biographies.file, len(biographies.person), broken, describe)


def _check_listed(release: ParsedRelease, listed: NDArray[np.int32], ledger: Ledger) -> None:
    """The facts of data/facts are those of the biographies, none more and none fewer."""
    relations, subjects = np.nonzero((listed >= 0) | (release.facts != NOT_STATED))
    stated, expected = release.facts[relations, subjects], listed[relations, subjects]

    def describe(fact: int) -> str:
        return (
            f"the biography says {release.text(subjects[fact])} "
            f"{release.table[relations[fact]].name} {release.text(stated[fact])}, "
            f"data/facts says {release.text(expected[fact])}"
        )

    ledger.check(
        "facts told",
        lambda fact: release.locate(relations[fact], subjects[fact]),
        len(relations),
        np.flatnonzero(expected != stated),
        describe,
    )


def _check_numbers(
    release: ParsedRelease, files: Sequence[Biographies], paraphrases: int, ledger: Ledger
) -> None:
    """Everyone has as many biographies as the config says, numbered from 0."""
    nobody = np.flatnonzero(~release.known & ~release.in_context)
    ledger.check(
        "renderings",
        lambda _: ("data/people", None),
        release.people,
        nobody,
        lambda person: f"{release.text(person)} has no biography at all",
    )
    _check_group(release, PARAMETRIC, files, release.known * paraphrases, ledger)
    _check_group(release, CONTEXTUAL, files, release.in_context * 1, ledger)
    for biographies in files:
        number = biographies.paraphrase
        limit = np.where(biographies.group == GROUPS.index(PARAMETRIC), paraphrases, 1)
        off = np.flatnonzero((number < 0) | (number >= limit)).tolist()
        problems = {row: f"rendering {number[row]} is more than the config says" for row in off}
        ledger.check("renderings", biographies.file, len(number), off, problems)


def _check_group(
    release: ParsedRelease,
    group: str,
    files: Sequence[Biographies],
    wanted: NDArray[np.integer],
    ledger: Ledger,
) -> None:
    """Everyone has the `wanted` number of biographies of one group."""
    count = np.zeros(release.people, np.int64)
    for biographies in files:
        rows = (biographies.person >= 0) & (biographies.group == GROUPS.index(group))
        np.add.at(count, biographies.person[rows], 1)
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


def _check_repetition(files: Sequence[Biographies], ledger: Ledger) -> None:
    """No text and no id occurs twice."""
    texts = [RowKeys(biographies.file, biographies.text) for biographies in files]
    check_unique("renderings", "text", texts, ledger)
    ids = [RowKeys(biographies.file, biographies.id) for biographies in files]
    check_unique("unique ids", "id", ids, ledger)


def _check_heldout_wordings(
    release: ParsedRelease, files: Sequence[Biographies], share: float, ledger: Ledger
) -> None:
    """Check who has held-out wordings, and that all their biographies leave two wordings out.

    One of the two is the first, which gold chains use.
    """
    flagged = release.heldout_wordings
    strangers = np.flatnonzero(flagged & ~release.known)
    problem = "only known people have held-out wordings"
    ledger.check("held-out wordings", "data/people", release.people, strangers, problem)
    known = int(release.known.sum())
    error = 3 * float(np.sqrt(known * share * (1 - share)))
    count = int(flagged.sum())
    problem = f"{count} people have held-out wordings, the config says {share:.0%} of {known:,}"
    fits = abs(count - share * known) <= error
    ledger.check_whole("held-out wordings", "data/people", None if fits else problem)
    used = np.zeros((len(release.table), release.people), np.int64)  # wordings as bit masks
    for biographies in files:
        rows, relations = np.nonzero(biographies.wording >= 0)
        bits = np.int64(1) << biographies.wording[rows, relations].astype(np.int64)
        np.bitwise_or.at(used, (relations, biographies.person[rows]), bits)
    for number, relation in enumerate(release.table.relations):
        wordings = len(relation.statements)
        people = np.flatnonzero(used[number])
        if wordings < 2 or not len(people):
            continue
        masks = used[number, people].tolist()
        most = max(wordings - 2, 1)
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
