"""The facts of a world: the object of every relation for every person (see docs/design.md, Facts).

Symmetric relations are perfect matchings within a circle of people, inverse pairs one-to-one maps
within a block (see `People`).  Each is made once and stored in both directions, so a fact and its
mirror cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.config import WorldConfig
from bioreason_bench.draw import Draw
from bioreason_bench.errors import UsageError
from bioreason_bench.world import pools
from bioreason_bench.world.given import given_world
from bioreason_bench.world.people import YEAR, People, make_people
from bioreason_bench.world.relations import PARAMETRIC, Relation, RelationTable
from bioreason_bench.world.table import load_table

REFERENCE = date(2025, 1, 1).toordinal()  # everybody dies before this day, whatever today's date
ADULT = 18  # years
MAIL = date(1996, 1, 1).toordinal()  # everybody lives to have an e-mail address
OLDEST = 100  # years
ANY_AGE = 200  # years; no two people of a world are further apart


@dataclass(frozen=True)
class World:
    """People, facts and texts; a function of the configuration alone.

    Attributes:
        config: The configuration.
        table: The relation table.
        people: The people.
        texts: Object kind -> texts by value id; texts["person"] are the names.
        objects: Object ids [relations, people], -1 where there is no object.
    """

    config: WorldConfig
    table: RelationTable
    people: People
    texts: Mapping[str, Sequence[str]]
    objects: NDArray[np.int32]

    @property
    def names(self) -> Sequence[str]:
        """The people's names, by person id."""
        return self.texts["person"]

    @property
    def known(self) -> NDArray[np.bool_]:
        """Whether each person has a parametric biography."""
        return self.people.known

    @property
    def in_context(self) -> NDArray[np.bool_]:
        """Whether each person has a contextual biography."""
        return self.people.in_context

    @property
    def community(self) -> NDArray[np.bool_]:
        """Whether each person belongs to the community."""
        return self.people.community

    def stated(self, relation: int) -> NDArray[np.bool_]:
        """Return for each person whether their biography states the relation."""
        return self.steps[relation, :-1] >= 0

    @cached_property
    def steps(self) -> NDArray[np.int32]:
        """The object ids that biographies state [relations, people + 1], -1 where none does.

        The last column is -1 throughout: a walk that has reached -1 stays there, because index -1
        selects the last column.
        """
        steps = np.full((len(self.table), len(self.people) + 1), -1, np.int32)
        for number, relation in enumerate(self.table.relations):
            described = self.known if relation.group == PARAMETRIC else self.in_context
            np.copyto(steps[number, :-1], self.objects[number], where=described)
        return steps

    def walk_columns(self, path: tuple[int, ...], starts: NDArray) -> list[NDArray[np.int32]]:
        """Return the columns of `walk`: the starts, then their objects at each hop."""
        columns = [np.asarray(starts, np.int32)]
        for relation in path:
            columns.append(self.steps[relation, columns[-1]])
        return columns

    def walk(self, path: tuple[int, ...], starts: NDArray) -> NDArray[np.int32]:
        """Return the object ids along the path [starts, hops + 1], the start first.

        From the first hop that no biography states, the ids are -1.
        """
        return np.stack(self.walk_columns(path, starts), axis=1)


def make_world(config: WorldConfig) -> World:
    """Make the world of a configuration.

    Raises:
        UsageError: The configuration asks for something impossible.
    """
    draw = Draw(config.seed)
    if config.facts:
        return World(config, *given_world(config, draw))
    table = load_table(config.relations, keep=config.keep)
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
    sizes = {kind: len(values) for kind, values in texts.items()}
    objects = make_facts(table, people, sizes, draw.at("facts"))
    return World(config, table, people, texts, objects)


def make_facts(
    table: RelationTable, people: People, sizes: dict[str, int], draw: Draw
) -> NDArray[np.int32]:
    """Make the object ids [relations, people], -1 where there is no object.

    Args:
        table: The relation table.
        people: The people.
        sizes: The number of values of each object kind.
        draw: The stream that decides the facts.
    """
    objects = np.full((len(table), len(people)), -1, np.int32)
    for number, relation in enumerate(table.relations):
        stream = draw.at(relation.name)
        if relation.symmetric:
            _write_symmetric(objects, number, table, people, stream)
        elif relation.to_person:
            mirror = table.number(relation.inverse) if relation.inverse in table else None
            if mirror is None or mirror > number:  # else it was written together with its mirror
                _write_one_to_one(objects, number, mirror, table, people, stream)
        elif relation.object in pools.UNIQUE:
            objects[number] = np.arange(len(people))
        elif not relation.date:
            objects[number] = stream.integers(len(people), sizes[relation.object])
    _write_dates(objects, table, people, draw)
    return objects


def _write_symmetric(
    objects: NDArray, number: int, table: RelationTable, people: People, draw: Draw
) -> None:
    """Pair up each circle; only its known people if the relation is parametric."""
    relation = table[number]
    related = _related(table, objects)
    for circle in people.circles():
        ids = circle[people.known[circle]] if relation.group == PARAMETRIC else circle
        objects[number, ids] = pair_up(ids, people.birth, relation, related, draw.at(ids[0]))


def _write_one_to_one(
    objects: NDArray,
    number: int,
    mirror: int | None,
    table: RelationTable,
    people: People,
    draw: Draw,
) -> None:
    """Match people within each block one-to-one, and write the inverse relation, if there is one.

    A relation whose objects are all older, or all younger, leaves some people without an object;
    any other gives everybody one.
    """
    relation = table[number]
    related = _related(table, objects)
    least, most = relation.older or (-ANY_AGE, ANY_AGE)
    for ids in people.blocks():
        stream = draw.at(ids[0])
        if least < 0 < most:
            subjects, targets = ids, match_all(ids, people.birth, relation, related, stream)
        else:
            years = (least, most) if least >= 0 else (-most, -least)
            younger, elder = match_elders(ids, people.birth, *years, stream)
            allowed = ~_already(related, younger, elder)
            younger, elder = younger[allowed], elder[allowed]
            subjects, targets = (younger, elder) if least >= 0 else (elder, younger)
        objects[number, subjects] = targets
        if mirror is not None:
            objects[mirror, targets] = subjects


def _related(table: RelationTable, objects: NDArray) -> NDArray[np.int32]:
    """Whom everybody is related to so far [relations to people, people]."""
    return objects[[number for number, row in enumerate(table.relations) if row.to_person]]


def _already(related: NDArray, a: NDArray, b: NDArray) -> NDArray[np.bool_]:
    """Whether a and b are the same person or related: two people are related in one way only."""
    linked: NDArray[np.bool_] = (related[:, a] == b).any(axis=0) | (related[:, b] == a).any(axis=0)
    return linked | (a == b)


def pair_up(
    ids: NDArray, birth: NDArray, relation: Relation, related: NDArray, draw: Draw
) -> NDArray[np.int64]:
    """Return the partner of each person: a perfect matching within the relation's ages.

    Neighbours in a jittered order of birth become pairs.  A pair that is too far apart in age, or
    already related, swaps partners with another pair.  For example, with births

        person   A     B     C     D     E     F
        birth    1900  1902  1903  1907  1908  1909

    the pairs are (A, B), (C, D), (E, F); if C and D are siblings, swapping with the next pair gives
    (C, F) and (E, D).

    Args:
        ids: The people to pair, an even number.
        birth: Day of birth of everybody, by person id.
        relation: The relation, whose `older` limits the difference in age.
        related: Person ids [k, people] that a person is related to already.
        draw: The stream that decides the pairs.

    Raises:
        UsageError: No draw gives pairs that all fit.
    """
    for stream, spread in _attempts(draw):
        jitter = stream.uniform(len(ids)) * spread * _window(relation)
        order = ids[np.argsort(birth[ids] + jitter, kind="stable")]
        left, right = order[0::2].copy(), order[1::2].copy()
        if _swap_misfits(left, right, _misfit(birth, relation, related)):
            partner = np.empty(birth.shape, np.int64)
            partner[left], partner[right] = right, left
            return partner[ids]
    raise _too_few(ids, relation)


def match_all(
    ids: NDArray, birth: NDArray, relation: Relation, related: NDArray, draw: Draw
) -> NDArray[np.int64]:
    """Return the object of each person: a one-to-one map of the people onto themselves.

    Two orders of birth with different jitter are laid side by side; misfits swap objects.  See
    `pair_up` for arguments and errors.
    """
    for stream, spread in _attempts(draw):
        most = spread * _window(relation)
        jitters = [stream.at(side).uniform(len(ids)) * most for side in (0, 1)]
        left, right = (ids[np.argsort(birth[ids] + jitter, kind="stable")] for jitter in jitters)
        right = np.roll(right, 1)
        misfit = _misfit(birth, relation, related)
        if _swap_misfits(left, right, misfit) and _break_mutual(left, right, misfit):
            target = np.empty(birth.shape, np.int64)
            target[left] = right
            return target[ids]
    raise _too_few(ids, relation)


def _break_mutual(
    left: NDArray, right: NDArray, misfit: Callable[[NDArray, NDArray], NDArray]
) -> bool:
    """Swap objects until nobody is the object of their own object.

    Returns whether this succeeded.
    """
    index = np.empty(int(left.max()) + 1, np.int64)
    index[left] = np.arange(len(left))

    def mutual() -> NDArray[np.int64]:
        return np.flatnonzero(right[index[right]] == left)

    for distance in (*range(1, 40), *range(40, len(left), 7)):
        for k in mutual().tolist():
            pair = np.array([k, (k + distance) % len(left)])
            before = right[pair].copy()
            number = len(mutual())
            if _swap(left, right, pair, misfit) and len(mutual()) >= number:
                right[pair] = before
        if not len(mutual()):
            return True
    return False


def _attempts(draw: Draw) -> Iterator[tuple[Draw, float]]:
    """Streams, and the jitter of each as a share of the relation's window of ages."""
    for spread in (1.2, 0.9, 0.6, 0.4):
        for attempt in range(4):
            yield draw.at("jitter", spread, attempt), spread


def _window(relation: Relation) -> float:
    """Days by which the ages of two people in this relation may differ."""
    return (max(map(abs, relation.older)) if relation.older else ANY_AGE) * (YEAR - 1)


def _misfit(
    birth: NDArray, relation: Relation, related: NDArray
) -> Callable[[NDArray, NDArray], NDArray[np.bool_]]:
    """Whether pairs are too far apart in age, or related already."""
    most = _window(relation)

    def misfit(a: NDArray, b: NDArray) -> NDArray[np.bool_]:
        return (np.abs(birth[a] - birth[b]) > most) | _already(related, a, b)

    return misfit


def _too_few(ids: NDArray, relation: Relation) -> UsageError:
    return UsageError(
        f"{len(ids)} people are too few to give everybody a {relation.name} of a plausible age; "
        "raise known, novel or community, or narrow birth_years"
    )


def _swap_misfits(
    left: NDArray, right: NDArray, misfit: Callable[[NDArray, NDArray], NDArray]
) -> bool:
    """Swap objects (in `right`) with another pair wherever this makes both pairs fit.

    Returns whether all pairs fit in the end.
    """
    size = len(left)
    for distance in (1, 2, 3, 4, 5, 7, 11, 17, 31):
        for k in np.flatnonzero(misfit(left, right)):
            for other in (k + distance, k - distance):
                if 0 <= other < size and _swap(left, right, np.array([k, other]), misfit):
                    break
    for k in np.flatnonzero(misfit(left, right)):  # a few are left: look everywhere
        everybody = np.arange(size)
        good = ~misfit(np.full(size, left[k]), right) & ~misfit(left, np.full(size, right[k]))
        for other in everybody[good & (everybody != k)][:1]:
            _swap(left, right, np.array([k, other]), misfit)
    return not misfit(left, right).any()


def _swap(
    left: NDArray, right: NDArray, pair: NDArray, misfit: Callable[[NDArray, NDArray], NDArray]
) -> bool:
    """Swap the objects of two pairs if both then fit."""
    swapped = right[pair[::-1]]
    if misfit(left[pair], swapped).any():
        return False
    right[pair] = swapped
    return True


def match_elders(
    ids: NDArray, birth: NDArray, least: int, most: int, draw: Draw
) -> tuple[NDArray, NDArray]:
    """Match people one-to-one with others who are `least` to `most` years older.

    Everybody draws a wish: the birth day of their elder.  In the order of the wishes, each person
    takes the first elder, born on or after that day, whom nobody before has taken.  People who wish
    for an elder born before everybody get none, and so do those for whom no elder is left.

        elders by birth    1900  1901  1902  1920  1930    (index 0 to 4)
        sorted wishes      1895  1901  1901  1901  1910
        wished elder       -     1     1     1     3
        elder taken        -     1     2     3     4

    Returns:
        (younger, elder): Person ids of those matched, each id at most once in each array.  Pairs
        whose difference in age is out of range are left out.
    """
    wish = birth[ids] - (least + (most - least) * (0.03 + 0.94 * draw.uniform(len(ids)))) * YEAR
    younger = ids[np.argsort(wish, kind="stable")]
    elders = ids[np.argsort(birth[ids], kind="stable")]
    wish = np.sort(wish)
    without = int(np.searchsorted(wish, birth[elders[0]]))  # how many wish for too old an elder
    index = _strictly_increasing(np.searchsorted(birth[elders], wish[without:]))
    matched = index < len(ids)
    younger, elder = younger[without:][matched], elders[index[matched]]
    gap = birth[younger] - birth[elder]
    plausible = (gap >= least * (YEAR + 1)) & (gap <= most * (YEAR - 1))
    return younger[plausible], elder[plausible]


def _strictly_increasing(index: NDArray) -> NDArray:
    """Raise the numbers of an ascending array as little as makes each larger than the one before.

    The running maximum of (number - position) is the shift that each position needs:

        index                1  1  1  3
        index - position     1  0 -1  0
        running maximum      1  1  1  1
        maximum + position   1  2  3  4

    >>> _strictly_increasing(np.array([1, 1, 1, 3])).tolist()
    [1, 2, 3, 4]
    """
    position = np.arange(len(index))
    return np.maximum.accumulate(index - position) + position


def _write_dates(objects: NDArray, table: RelationTable, people: People, draw: Draw) -> None:
    """Write the births, and draw the deaths.

    People die at 19 to 100 years of age and before the reference date, but not before everybody
    related to them is of age.  If these conditions conflict, the last one holds.
    """
    youngest = people.birth.copy()  # the latest birth among the person and everybody related
    for number, relation in enumerate(table.relations):
        if relation.to_person:
            subjects = np.flatnonzero(objects[number] >= 0)
            targets = objects[number, subjects]
            np.maximum.at(youngest, subjects, people.birth[targets])
            np.maximum.at(youngest, targets, people.birth[subjects])
    earliest = np.maximum(youngest + int((ADULT + 1) * YEAR), MAIL)
    latest = np.minimum(people.birth + int(OLDEST * YEAR) - 30, REFERENCE - 1)
    latest = np.maximum(latest, earliest)
    for number, relation in enumerate(table.relations):
        if relation.date == "birth":
            objects[number] = people.birth - pools.DATE_ORIGIN
        elif relation.date == "death":
            after = draw.at(relation.name).integers(len(people), latest - earliest + 1)
            objects[number] = earliest + after - pools.DATE_ORIGIN
