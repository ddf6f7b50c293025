"""The laws of facts, checked on what the biographies state (see docs/design.md, Facts)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.reading.ages import YEAR
from bioreason_bench.audit.reading.parser import ParsedRelease
from bioreason_bench.release.manifest import MANIFEST
from bioreason_bench.world.facts import ADULT, REFERENCE
from bioreason_bench.world.pools import UNIQUE
from bioreason_bench.world.relations import PARAMETRIC, Relation

__all__ = ["check_world"]

MIN_VALUES = 40  # of a list; with fewer, guessing pays


def check_world(release: ParsedRelease, config: Mapping[str, Any], ledger: Ledger) -> None:
    """Check every law of the facts; `config` is the one in the manifest.

    Laws that only invented people keep are not checked of a user's own facts (see catalogue.py).
    """
    facts = [FactCheck(release, ledger, number) for number in range(len(release.table))]
    for check in facts:
        _check_mirror(check)
        if check.relation.to_person:
            _check_people(check, config)
        else:
            _check_values(check, config)
    births = _check_lives(facts)
    for check in facts:
        _check_ages(check, births)
    if not config.get("facts"):
        _check_related_once(facts)
        if config.get("leak_guards"):
            _check_one_window(release, ledger)


@dataclass(frozen=True)
class FactCheck:
    """The facts of one relation, and where their checks are counted.

    Attributes:
        release: The release.
        ledger: Where checks are counted.
        number: The number of the relation.
    """

    release: ParsedRelease
    ledger: Ledger
    number: int

    @property
    def relation(self) -> Relation:
        return self.release.table[self.number]

    @property
    def objects(self) -> NDArray[np.int32]:
        """The object of each person, negative if there is none; shape [people]."""
        return self.release.facts[self.number]

    def subjects(self) -> NDArray[np.int64]:
        """The people who have an object."""
        return np.flatnonzero(self.objects >= 0)

    def subjects_of_people(self) -> NDArray[np.int64]:
        """The people whose object is a person."""
        return np.flatnonzero((self.objects >= 0) & (self.objects < self.release.people))

    def check(
        self, law: str, subjects: NDArray[np.int64], broken: NDArray[np.bool_], why: str
    ) -> None:
        """Count a check of each subject's fact.

        Args:
            law: The name of the law.
            subjects: People, shape [facts].
            broken: Whether the fact of each subject breaks the law, shape [facts].
            why: What is wrong with a fact that does.
        """
        release = self.release

        def describe(row: int) -> str:
            subject = subjects[row]
            fact = f"{release.text(subject)} {self.relation.name}"
            return f"{fact} {release.text(self.objects[subject])}: {why}"

        self.ledger.check(
            law,
            lambda row: release.locate(self.number, subjects[row]),
            len(subjects),
            np.flatnonzero(broken),
            describe,
        )


def _check_people(check: FactCheck, config: Mapping[str, Any]) -> None:
    """The laws of a relation that leads to people."""
    release, subjects = check.release, check.subjects()
    objects = check.objects[subjects]
    stranger = objects >= release.people
    why = "leads to people, and this is no one in data/people"
    check.check("objects", subjects, stranger, why)
    why = "no one is related to themselves"
    check.check("not oneself", subjects, objects == subjects, why)
    if check.relation.group == PARAMETRIC and not config.get("facts"):
        novel = ~release.known[np.where(stranger, subjects, objects)]
        why = "a parametric relation leads to known people, and this one is novel"
        check.check("known circle", subjects, novel, why)
    if check.relation.inverse:
        why = "another person has the same object, and the relation is one-to-one"
        check.check("one to one", subjects, _repeated(objects), why)


def _check_mirror(check: FactCheck) -> None:
    """A fact and its mirror agree if the object has a biography of the mirror's group."""
    release, relation, objects = check.release, check.relation, check.objects
    mirror = release.inverses[check.number]
    if mirror < 0:
        return
    parametric = release.table[mirror].group == PARAMETRIC
    has_biography = release.known if parametric else release.in_context
    subjects = check.subjects_of_people()
    subjects = subjects[has_biography[objects[subjects]]]
    back = release.facts[mirror, objects[subjects]]

    def describe(row: int) -> str:
        subject, target = release.text(subjects[row]), release.text(objects[subjects[row]])
        return (
            f"{subject} {relation.name} {target}, so {target} {relation.inverse} must be "
            f"{subject}, and is {release.text(back[row])}"
        )

    check.ledger.check(
        "symmetry" if mirror == check.number else "inverses",
        lambda row: release.locate(check.number, subjects[row]),
        len(subjects),
        np.flatnonzero(back != subjects),
        describe,
    )


def _check_values(check: FactCheck, config: Mapping[str, Any]) -> None:
    """The laws of a relation that leads to values."""
    release, subjects, kind = check.release, check.subjects(), check.relation.object
    objects = check.objects[subjects]
    why = "leads to values, and this is a person's name"
    check.check("objects", subjects, objects < release.people, why)
    if config.get("facts"):
        return
    if kind in UNIQUE:
        why = f"every {kind} belongs to one person only"
        check.check("unique values", subjects, _repeated(objects), why)
    elif not check.relation.date and kind not in config.get("pool_sizes", {}):
        pools = release.table.pools
        size = len(pools[kind]) if kind in pools else len(np.unique(objects))
        least = min(MIN_VALUES, len(objects) // 8)
        problem = f"{kind} has {size} values; at least {least} are needed, or guessing pays"
        check.ledger.check_whole("long lists", MANIFEST, None if size >= least else problem)


def _check_lives(facts: Sequence[FactCheck]) -> NDArray[np.int64]:
    """Check the dates of birth and death.

    Returns:
        Days of birth as proleptic ordinals, 0 if no biography states one; shape [people].
    """
    release = facts[0].release
    days = {
        "birth": np.zeros(release.people, np.int64),
        "death": np.zeros(release.people, np.int64),
    }
    for check in facts:
        if check.relation.date:
            subjects = check.subjects()
            ordinals = release.days(check.objects[subjects]).astype(np.int64)
            check.check("dates", subjects, ordinals == 0, "is not a date")
            late = ordinals >= REFERENCE
            check.check("dates", subjects, late, "lies after the reference date")
            days[check.relation.date][subjects] = ordinals
    births, deaths = days["birth"], days["death"]
    both = np.flatnonzero((births > 0) & (deaths > 0))
    young = both[deaths[both] - births[both] < ADULT * YEAR - 1]
    relation = next((check.number for check in facts if check.relation.date == "death"), 0)
    facts[0].ledger.check(
        "lives",
        lambda person: release.locate(relation, person),
        len(both),
        young,
        lambda person: f"{release.text(person)} died less than {ADULT} years after birth",
    )
    return births


def _check_ages(check: FactCheck, births: NDArray[np.int64]) -> None:
    """The object is older than the subject by as much as the relation table asks for."""
    if check.relation.older is None:
        return
    least, most = check.relation.older
    objects, subjects = check.objects, check.subjects_of_people()
    subjects = subjects[(births[subjects] > 0) & (births[objects[subjects]] > 0)]
    years = (births[subjects] - births[objects[subjects]]) / YEAR
    odd = (years < least - 0.01) | (years > most + 0.01)
    check.check("ages", subjects, odd, f"must be {least} to {most} years older")
    if least > 0:
        why = "is an ancestor and a descendant of this person: a circle"
        check.check("no cycles", check.subjects(), _on_cycle(check), why)


def _check_related_once(facts: Sequence[FactCheck]) -> None:
    """No two relations lead from one person to another, or back; mirrors aside."""
    release = facts[0].release
    checks = [check for check in facts if check.relation.to_person]
    for one, two in combinations(checks, 2):
        subjects = one.subjects_of_people()
        objects = one.objects[subjects]
        same = two.objects[subjects] == objects
        one.check("related once", subjects, same, f"is the {two.relation.name} as well")
        if release.inverses[one.number] != two.number:
            back = two.objects[objects] == subjects
            why = f"has this person as {two.relation.name}"
            one.check("related once", subjects, back, why)


def _check_one_window(release: ParsedRelease, ledger: Ledger) -> None:
    """All relations between people of any order of age have one window of ages.

    Relations whose objects are all older, or all younger, have windows of their own.
    """
    windows: dict[tuple[int, int] | None, str] = {}
    for row in release.table.relations:
        if row.to_person and (row.older is None or row.older[0] < 0 < row.older[1]):
            windows.setdefault(row.older, row.name)
    parts = (
        f"{name} {list(older) if older else 'any difference'}" for older, name in windows.items()
    )
    problem = f"the ages of two people tell how they are related: {', '.join(parts)}"
    ledger.check_whole("one window", MANIFEST, problem if len(windows) > 1 else None)


def _repeated(values: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Whether each value occurs more than once."""
    _, index, count = np.unique(values, return_inverse=True, return_counts=True)
    return count[index] > 1


def _on_cycle(check: FactCheck) -> NDArray[np.bool_]:
    """Whether the chain object, object of the object, ... of each subject never ends.

    `step[p]` is where 1, 2, 4, ... steps lead from p, -1 if the chain ends before; after as many
    doublings as people have bits, every chain without a cycle has ended.
    """
    people = check.release.people
    step = np.append(np.where(check.objects < people, check.objects, -1), -1)
    for _ in range(people.bit_length() + 1):
        step = np.where(step >= 0, step[step], -1)
    return step[check.subjects()] >= 0
