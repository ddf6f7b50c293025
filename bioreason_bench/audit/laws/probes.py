"""Probes: one for every hop of every test question, and no others.

Questions, and hops as (relation, subject), are compared as numbers of 64 bits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.audit.laws.levels import TABLE_LEVELS
from bioreason_bench.audit.ledger import Ledger, Location
from bioreason_bench.audit.reading.duplicates import duplicates
from bioreason_bench.audit.reading.parser import ParsedRelease
from bioreason_bench.audit.reading.questions import NO_KEYS, WIDTH, QuestionTable, path_of

__all__ = ["check_probes"]

Keys = NDArray[np.uint64]
MASK = np.uint64(0xFFFFFFFF)  # the 32 bits of a person


def check_probes(release: ParsedRelease, files: Sequence[QuestionTable], ledger: Ledger) -> None:
    """Compare the hops of each test question with the probes that name it, in both directions."""
    probes = [table for table in files if table.file.folder == "probes"]
    questions = [
        table for table in files if table.file.level in TABLE_LEVELS and table.file.split == "test"
    ]
    _check_singly(release, probes, ledger)
    named = [_named(release, table) for table in probes]
    probed = np.concatenate([NO_KEYS, *(_pairs(*keys) for keys in named)])
    for table in questions:
        _check_questions(release, table, probed, named, ledger)
    _check_strangers(probes, questions, ledger)


def _hop_keys(relation: NDArray[np.integer], subject: NDArray[np.integer]) -> Keys:
    """A number for each hop; people and relations may be negative where a text has no number."""
    return relation.astype(np.uint64) << np.uint64(32) | subject.astype(np.uint64) & MASK


def _pairs(question: Keys, hop: Keys) -> Keys:
    """A number for each (question, hop)."""
    mixed = hop * np.uint64(0x9E3779B97F4A7C15)
    return question ^ (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)


def _named(release: ParsedRelease, table: QuestionTable) -> tuple[Keys, Keys]:
    """(question, hop) for each question that a probe names; both of shape [questions named]."""
    hops = _hop_keys(_relation(release, table), table.start)
    single = np.repeat(_is_single(release, table), table.probe_counts)
    return table.probe_of[single], np.repeat(hops, table.probe_counts)[single]


def _is_single(release: ParsedRelease, table: QuestionTable) -> NDArray[np.bool_]:
    return (table.path > 0) & (table.path <= len(release.table))


def _relation(release: ParsedRelease, table: QuestionTable) -> NDArray[np.int64]:
    """The relation that each probe asks for, if it asks for one; shape [rows]."""
    return np.where(_is_single(release, table), table.path, 1).astype(np.int64) - 1


def _check_singly(release: ParsedRelease, tables: Sequence[QuestionTable], ledger: Ledger) -> None:
    """A probe asks for one hop, no other probe asks for the same, and names a question once."""
    before = NO_KEYS
    for table in tables:
        single = _is_single(release, table)
        keys = _hop_keys(_relation(release, table), table.start)
        rows = np.flatnonzero(single)
        again = np.isin(keys[rows], before)
        again[duplicates(keys[rows])[0]] = True
        owner = np.repeat(np.arange(len(table)), table.probe_counts)
        twice = owner[duplicates(_pairs(table.probe_of, owner.astype(np.uint64)))[0]]
        broken = ~single
        broken[rows[again]] = True
        broken[twice] = True
        problem = (
            "a probe asks for one hop, no other probe asks for the same, and it names a question "
            "once"
        )
        ledger.check("probes", table.file.name, len(table), np.flatnonzero(broken), problem)
        before = np.concatenate([before, keys[rows]])


def _check_questions(
    release: ParsedRelease,
    table: QuestionTable,
    probed: Keys,
    named: Sequence[tuple[Keys, Keys]],
    ledger: Ledger,
) -> None:
    """Compare the questions of one file with their probes.

    Args:
        release: The release.
        table: The questions.
        probed: `_pairs` of all probes.
        named: (question, hop) of the probes, by file.
        ledger: Where checks are counted.
    """
    hops = _hops(release, table)  # relations, shape [rows, WIDTH - 1]
    rows, hop = np.nonzero(hops >= 0)
    wanted = _pairs(table.id[rows], _hop_keys(hops[rows, hop], table.walk[rows, hop]))
    missing = ~np.isin(wanted, probed)
    broken: dict[int, str] = {}
    for row, relation, subject in zip(
        rows[missing].tolist(),
        hops[rows, hop][missing].tolist(),
        table.walk[rows, hop][missing].tolist(),
        strict=True,
    ):
        one = _hop(release, relation, subject)
        broken.setdefault(row, f"no probe asks for {one} and names this question")
    readable = table.path >= 0
    row_of: dict[int, int] = {}  # filled where something is wrong
    for question, hop_key in named:
        theirs = np.isin(question, table.id[readable])
        strange = theirs.copy()
        strange[theirs] = ~np.isin(_pairs(question[theirs], hop_key[theirs]), wanted)
        for key, other in zip(question[strange].tolist(), hop_key[strange].tolist(), strict=True):
            row_of = row_of or {one: row for row, one in enumerate(table.id.tolist())}
            one = _hop(release, other >> 32, int(np.uint32(other & 0xFFFFFFFF).astype(np.int32)))
            broken.setdefault(
                row_of[key], f"the probe of {one} names this question, which has no such hop"
            )
    ledger.check("probes", table.file.name, len(table), sorted(broken), broken)


def _hops(release: ParsedRelease, table: QuestionTable) -> NDArray[np.int16]:
    """The relations of each question's path, -1 after the last; shape [rows, WIDTH - 1]."""
    codes, index = np.unique(table.path, return_inverse=True)
    hops = np.full((len(codes), WIDTH - 1), -1, np.int16)
    for number, code in enumerate(codes.tolist()):
        path = path_of(code, len(release.table))
        hops[number, : len(path)] = path
    return hops[index]


def _hop(release: ParsedRelease, relation: int, subject: int) -> str:
    return f"{release.text(subject)} {release.table[relation].name}"


def _check_strangers(
    probes: Sequence[QuestionTable], questions: Sequence[QuestionTable], ledger: Ledger
) -> None:
    """Probes name test questions only."""
    ids = np.concatenate([NO_KEYS, *(table.id for table in questions)])
    strangers: list[Location] = []
    seen = NO_KEYS
    for table in probes:
        strange = np.flatnonzero(~np.isin(table.probe_of, ids) & ~np.isin(table.probe_of, seen))
        names, first = np.unique(table.probe_of[strange], return_index=True)
        rows = np.repeat(np.arange(len(table)), table.probe_counts)[strange[first]]
        strangers += [(table.file.name, row) for row in rows.tolist()]
        seen = np.concatenate([seen, names])
    ledger.check(
        "probes",
        lambda number: strangers[number],
        len(strangers),
        range(len(strangers)),
        "probe_of names an id which is no test question",
    )
