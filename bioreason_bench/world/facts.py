"""What is true: the object of every relation for every person (DESIGN section 4).

Symmetric relations are perfect matchings inside a circle, inverse pairs one-to-one maps inside a block; both are made once
and read from both sides, so that a fact and its mirror cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.config import Config
from bioreason_bench.draw import Draw
from bioreason_bench.errors import UsageError
from bioreason_bench.world import pools
from bioreason_bench.world.people import YEAR, People, make_people
from bioreason_bench.world.relations import PARAMETRIC, Relation, RelationTable
from bioreason_bench.world.table import load_table

REFERENCE = date(
    2025, 1, 1
).toordinal()  # everybody has died by this day; today's date changes nothing
ADULT = 18  # years
OLDEST = 100  # years


@dataclass(frozen=True)
class World:
    """People, facts and texts, fixed by the configuration alone."""

    config: Config
    table: RelationTable
    people: People
    texts: dict[
        str, list[str]
    ]  # object kind -> texts of its values by value id; texts["person"] are the names
    objects: NDArray[np.int32]  # [relations, people] object id, -1 where there is none

    @property
    def names(self) -> list[str]:
        return self.texts["person"]

    @property
    def known(self) -> NDArray[np.bool_]:
        return self.people.known

    @property
    def in_context(self) -> NDArray[np.bool_]:
        return self.people.in_context

    @property
    def community(self) -> NDArray[np.bool_]:
        return self.people.community

    def stated(self, relation: int) -> NDArray[np.bool_]:
        """[people] whose biography states the relation."""
        return self.steps[relation, :-1] >= 0

    @cached_property
    def steps(self) -> NDArray[np.int32]:
        """[relations, people + 1] the object that a biography states, -1 where none does; index -1 stays at -1."""
        told = np.array(
            [
                self.known if relation.group == PARAMETRIC else self.in_context
                for relation in self.table.relations
            ]
        )
        return np.pad(
            np.where(told, self.objects, -1), ((0, 0), (0, 1)), constant_values=-1
        ).astype(np.int32)

    def places(self, path: tuple[int, ...], starts: NDArray) -> list[NDArray[np.int32]]:
        """For each step of the path, hops + 1 in all, the object ids of all starts; -1 from where a walk dangles on."""
        places = [np.asarray(starts, np.int32)]
        for relation in path:
            places.append(self.steps[relation, places[-1]])
        return places

    def walk(self, path: tuple[int, ...], starts: NDArray) -> NDArray[np.int32]:
        """[len(starts), hops + 1] object ids along the path, the start first; -1 from where a walk dangles on."""
        return np.stack(self.places(path, starts), axis=1)


def make_world(config: Config) -> World:
    """The world of (preset, seed).  Raises UsageError where the configuration asks for what cannot be."""
    table = load_table(config.relations, keep=config.keep)
    draw = Draw(config.seed)
    people = make_people(config, draw.at("people"))
    texts = pools.world_texts(
        table,
        len(people),
        draw.at("texts"),
        language=config.language,
        pool_sizes=config.pool_sizes,
        birth_years=config.birth_years,
        locale=config.locale,
    )
    objects = make_facts(
        table, people, {kind: len(values) for kind, values in texts.items()}, draw.at("facts")
    )
    return World(config, table, people, texts, objects)


def make_facts(
    table: RelationTable, people: People, sizes: dict[str, int], draw: Draw
) -> NDArray[np.int32]:
    """[relations, people] object ids, -1 where there is none; `sizes` gives the number of values of each kind."""
    objects = np.full((len(table), len(people)), -1, np.int32)
    for number, relation in enumerate(table.relations):
        stream = draw.at(relation.name)
        if relation.symmetric:
            known_only = relation.group == PARAMETRIC  # nothing parametric is said of novel people
            for ids in (
                circle[people.known[circle]] if known_only else circle
                for circle in people.circles()
            ):
                objects[number, ids] = pair_up(
                    ids, people.birth, relation, _taken(table, objects, relation), stream.at(ids[0])
                )
        elif (
            relation.to_person
            and relation.inverse
            and relation.inverse in {row.name for row in table.relations[:number]}
        ):
            continue  # written when its inverse was
        elif relation.to_person:
            _write_ladder(objects, number, table, people, stream)
        elif relation.object in pools.UNIQUE:
            objects[number] = np.arange(len(people))
        elif not relation.date:
            objects[number] = stream.integers(len(people), sizes[relation.object])
    _write_dates(objects, table, people, draw)
    return objects


def pair_up(
    ids: NDArray, birth: NDArray, relation: Relation, taken: NDArray, draw: Draw
) -> NDArray[np.int64]:
    """The partner of each of `ids`: a perfect matching of people whose ages differ by no more than the relation allows.

    Neighbours in a jittered order of birth are paired; a pair too far apart in age, or already kin (`taken`: [k, people]
    objects that must not be met again), swaps partners with a pair near by.
    """
    most = (max(map(abs, relation.older)) if relation.older else 200) * (YEAR - 1)

    def bad(a: NDArray, b: NDArray) -> NDArray[np.bool_]:
        return (np.abs(birth[a] - birth[b]) > most) | (taken[:, a] == b).any(axis=0)

    for spread in (0.8, 0.5, 0.2, 0.05):
        jitter = draw.at("jitter", spread).uniform(len(ids)) * spread * most
        order = ids[np.argsort(birth[ids] + jitter, kind="stable")]
        left, right = order[0::2].copy(), order[1::2].copy()
        for away in (1, 2, 3, 4, 5, 7, 11, 17, 31):
            for k in np.flatnonzero(bad(left, right)):
                for other in (k + away, k - away):
                    if 0 <= other < len(left):
                        pair = np.array([k, other])
                        if not bad(left[pair], right[pair[::-1]]).any():
                            right[pair] = right[pair[::-1]]
                            break
        if not bad(left, right).any():
            partner = np.empty(birth.shape, np.int64)
            partner[left], partner[right] = right, left
            return partner[ids]
    raise UsageError(
        f"{len(ids)} people are too few to give everybody a {relation.name} of a plausible age; "
        "raise known, novel or community, or narrow birth_years"
    )


def climb(
    ids: NDArray, birth: NDArray, least: int, most: int, draw: Draw
) -> tuple[NDArray, NDArray]:
    """(younger, elder): a one-to-one map from people to others `least` to `most` years older; the oldest have none."""
    wish = birth[ids] - (least + (most - least) * (0.05 + 0.5 * draw.uniform(len(ids)))) * YEAR
    younger = ids[np.argsort(wish, kind="stable")]
    elders = ids[np.argsort(birth[ids], kind="stable")]
    place = np.searchsorted(birth[elders], np.sort(wish))
    count = np.arange(len(ids))
    first = np.searchsorted(
        np.sort(wish), birth[elders[0]]
    )  # whoever wishes for an elder born before all others goes without
    place[:first] = -1
    place[first:] = np.maximum.accumulate(place[first:] - count[first:]) + count[first:]
    found = (place >= 0) & (place < len(ids))
    younger, elder = younger[found], elders[place[found]]
    gap = birth[younger] - birth[elder]
    plausible = (gap >= least * (YEAR + 1)) & (gap <= most * (YEAR - 1))
    return younger[plausible], elder[plausible]


def _write_ladder(
    objects: NDArray, number: int, table: RelationTable, people: People, draw: Draw
) -> None:
    relation = table[number]
    least, most = relation.older or (0, 200)
    upward = least >= 0
    for ids in people.blocks():
        younger, elder = climb(
            ids, people.birth, *((least, most) if upward else (-most, -least)), draw.at(ids[0])
        )
        free = ~(_taken(table, objects, relation)[:, younger] == elder).any(axis=0) & (
            younger != elder
        )
        subject, target = (younger[free], elder[free]) if upward else (elder[free], younger[free])
        objects[number, subject] = target
        if relation.inverse and relation.inverse in {row.name for row in table.relations}:
            objects[table.number(relation.inverse), target] = subject


def _taken(table: RelationTable, objects: NDArray, relation: Relation) -> NDArray[np.int32]:
    """[k, people] kin that the relation must not lead to again."""
    return objects[
        [
            n
            for n, row in enumerate(table.relations)
            if relation.kin and row.kin and row is not relation
        ]
    ]


def _write_dates(objects: NDArray, table: RelationTable, people: People, draw: Draw) -> None:
    """Births as drawn; deaths at a full age, at most 100 years old, and when all people related to one had come of age."""
    youngest = people.birth.copy()
    for number, relation in enumerate(table.relations):
        if relation.to_person:
            has = objects[number] >= 0
            np.maximum.at(youngest, np.flatnonzero(has), people.birth[objects[number][has]])
            np.maximum.at(youngest, objects[number][has], people.birth[has])
    earliest = youngest + int((ADULT + 1) * YEAR)
    latest = np.minimum(people.birth + int(OLDEST * YEAR) - 30, REFERENCE - 1)
    latest = np.maximum(latest, earliest)
    for number, relation in enumerate(table.relations):
        if relation.date == "birth":
            objects[number] = people.birth - pools.DATE_ORIGIN
        elif relation.date == "death":
            objects[number] = (
                earliest
                + draw.at(relation.name).integers(len(people), latest - earliest + 1)
                - pools.DATE_ORIGIN
            )
