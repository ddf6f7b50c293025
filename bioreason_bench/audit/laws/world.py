"""The laws of facts (DESIGN section 4), checked on what the biographies say."""

from __future__ import annotations

import re
from datetime import date

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.reading.evidence import Evidence
from bioreason_bench.world.facts import ADULT, REFERENCE

__all__ = ["check_world"]

YEAR = 365.2425  # days
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
FEWEST = 40  # values of a list; with fewer, guessing pays


def check_world(evidence: Evidence, config: dict, ledger: Ledger) -> None:
    """Check every law of the facts; `config` is the one in the manifest."""
    for number, relation in enumerate(evidence.table.relations):
        _check_mirror(evidence, number, ledger)
        if relation.to_person:
            _check_people(evidence, number, ledger)
        else:
            _check_values(evidence, number, config, ledger)
    births = _check_lives(evidence, ledger)
    _check_ages(evidence, births, ledger)
    _check_kin(evidence, ledger)


def _check_people(evidence: Evidence, number: int, ledger: Ledger) -> None:
    relation, objects = evidence.table[number], evidence.facts[number]
    subjects = np.flatnonzero(objects >= 0)
    found = objects[subjects]
    _breach(
        evidence,
        ledger,
        "objects",
        number,
        subjects,
        found >= evidence.people,
        "leads to people, and this is nobody in data/people",
    )
    _breach(
        evidence,
        ledger,
        "not oneself",
        number,
        subjects,
        found == subjects,
        "nobody is related to themselves",
    )
    if relation.group == "parametric":
        unknown = ~evidence.known[np.where(found < evidence.people, found, subjects)]
        _breach(
            evidence,
            ledger,
            "known circle",
            number,
            subjects,
            unknown,
            "a parametric relation leads to known people, and this one is novel",
        )
    if relation.inverse or relation.symmetric:
        _breach(
            evidence,
            ledger,
            "one to one",
            number,
            subjects,
            _repeated(found),
            "somebody else has the same object, and the relation is one-to-one",
        )


def _check_mirror(evidence: Evidence, number: int, ledger: Ledger) -> None:
    """A fact and its mirror agree wherever the object's biography of the mirror's group exists."""
    table = evidence.table
    inverse = table[number].inverse
    if not inverse or inverse not in {relation.name for relation in table.relations}:
        return
    mirror = table.number(inverse)
    told = evidence.known if table[mirror].group == "parametric" else evidence.in_context
    objects = evidence.facts[number]
    subjects = np.flatnonzero((objects >= 0) & (objects < evidence.people))
    subjects = subjects[told[objects[subjects]]]
    back = evidence.facts[mirror, objects[subjects]]
    broken = back != subjects
    law = "symmetry" if mirror == number else "inverses"

    def say(row: int) -> str:
        subject = subjects[row]
        there = evidence.text(evidence.facts[mirror, objects[subject]])
        return (
            f"{evidence.text(subject)} {table[number].name} {evidence.text(objects[subject])}, "
            f"so {evidence.text(objects[subject])} {inverse} must be {evidence.text(subject)}, and is {there}"
        )

    ledger.check(
        law,
        lambda row: evidence.place(number, subjects[row]),
        len(subjects),
        np.flatnonzero(broken),
        say,
    )


def _check_values(evidence: Evidence, number: int, config: dict, ledger: Ledger) -> None:
    table = evidence.table
    kind, objects = table[number].object, evidence.facts[number]
    subjects = np.flatnonzero(objects >= 0)
    found = objects[subjects]
    _breach(
        evidence,
        ledger,
        "objects",
        number,
        subjects,
        found < evidence.people,
        "leads to values, and this is a person's name",
    )
    if kind in evidence.unique_kinds:
        _breach(
            evidence,
            ledger,
            "unique values",
            number,
            subjects,
            _repeated(found),
            f"every {kind} belongs to one person only",
        )
    elif not table[number].date and kind not in config.get("pool_sizes", {}):
        size = len(table.pools[kind]) if kind in table.pools else len(np.unique(found))
        enough = min(FEWEST, len(found) // 8)
        problem = (
            None
            if size >= enough
            else f"{kind} has {size} values; at least {enough} are needed, or guessing pays"
        )
        ledger.whole("long lists", "manifest.json", problem)


def _check_lives(evidence: Evidence, ledger: Ledger) -> NDArray:
    """[people] days of birth as proleptic ordinals; 0 where no biography tells."""
    births, deaths = (np.zeros(evidence.people, np.int64) for _ in range(2))
    for number, relation in enumerate(evidence.table.relations):
        if relation.date:
            objects = evidence.facts[number]
            subjects = np.flatnonzero(objects >= 0)
            days = np.array(
                [
                    day(evidence.texts[place]) or 0 if place >= 0 else 0
                    for place in objects[subjects]
                ],
                np.int64,
            )
            _breach(evidence, ledger, "dates", number, subjects, days == 0, "is not a date")
            _breach(
                evidence,
                ledger,
                "dates",
                number,
                subjects,
                days >= REFERENCE,
                "lies after the reference date",
            )
            (births if relation.date == "birth" else deaths)[subjects] = days
    both = np.flatnonzero((births > 0) & (deaths > 0))
    young = both[deaths[both] - births[both] < ADULT * YEAR - 1]
    dated = next(
        (
            number
            for number, relation in enumerate(evidence.table.relations)
            if relation.date == "death"
        ),
        0,
    )
    ledger.check(
        "lives",
        lambda person: evidence.place(dated, person),
        len(both),
        young,
        lambda person: f"{evidence.text(person)} died less than {ADULT} years after birth",
    )
    return births


def _check_ages(evidence: Evidence, births: NDArray, ledger: Ledger) -> None:
    for number, relation in enumerate(evidence.table.relations):
        if relation.older is None:
            continue
        objects = evidence.facts[number]
        subjects = np.flatnonzero((objects >= 0) & (objects < evidence.people))
        subjects = subjects[(births[subjects] > 0) & (births[objects[subjects]] > 0)]
        years = (births[subjects] - births[objects[subjects]]) / YEAR
        least, most = relation.older
        odd = (years < least - 0.01) | (years > most + 0.01)
        _breach(
            evidence,
            ledger,
            "ages",
            number,
            subjects,
            odd,
            f"must be {least} to {most} years older",
        )
        if least > 0:
            _breach(
                evidence,
                ledger,
                "no cycles",
                number,
                *_cycles(objects, evidence.people),
                "descends from this person again: the line is a circle",
            )


def _check_kin(evidence: Evidence, ledger: Ledger) -> None:
    kin = [number for number, relation in enumerate(evidence.table.relations) if relation.kin]
    for place, first in enumerate(kin):
        for second in kin[place + 1 :]:
            objects = evidence.facts[first]
            subjects = np.flatnonzero((objects >= 0) & (evidence.facts[second] >= 0))
            twice = objects[subjects] == evidence.facts[second, subjects]
            _breach(
                evidence,
                ledger,
                "kin",
                first,
                subjects,
                twice,
                f"is the {evidence.table[second].name} as well",
            )


def day(text: str) -> int | None:
    """The proleptic ordinal of 'March 3, 1931', or the number at the end of a symbol such as 'date123' (at least 1)."""
    if number := re.fullmatch(r"[a-z_]+(\d+)", text):
        return int(number[1]) + 1
    found = re.fullmatch(r"([A-Z][a-z]+) (\d{1,2}), (\d{4})", text)
    try:
        return (
            date(int(found[3]), MONTHS.index(found[1]) + 1, int(found[2])).toordinal()
            if found
            else None
        )
    except ValueError:
        return None


def _repeated(values: NDArray) -> NDArray[np.bool_]:
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return count[place] > 1


def _cycles(objects: NDArray, people: int) -> tuple[NDArray, NDArray[np.bool_]]:
    """(subjects, whether each of them is led on for ever): steps are doubled until any line without a circle has ended."""
    step = np.append(np.where(objects < people, objects, -1), -1)
    for _ in range(int(people).bit_length() + 1):
        step = np.where(step >= 0, step[step], -1)
    subjects = np.flatnonzero(objects >= 0)
    return subjects, step[subjects] >= 0


def _breach(
    evidence: Evidence,
    ledger: Ledger,
    law: str,
    number: int,
    subjects: NDArray,
    broken: NDArray,
    why: str,
) -> None:
    relation = evidence.table[number]

    def say(row: int) -> str:
        return f"{evidence.text(subjects[row])} {relation.name} {evidence.text(evidence.facts[number, subjects[row]])}: {why}"

    ledger.check(
        law,
        lambda row: evidence.place(number, subjects[row]),
        len(subjects),
        np.flatnonzero(broken),
        say,
    )
