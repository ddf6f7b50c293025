"""The rules for facts (docs/design.md, Facts) hold without exception, in every preset."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioreason_bench.config import load_preset
from bioreason_bench.draw import Draw
from bioreason_bench.errors import UsageError
from bioreason_bench.world.facts import REFERENCE, make_world, match_elders, pair_up
from bioreason_bench.world.pools import MONTHS, UNIQUE
from bioreason_bench.world.relations import Relation

YEAR = 365.25


@pytest.fixture(scope="module", params=["tiny", "nano", "small", "paper"])
def world(request):
    return make_world(load_preset(request.param))


def relations_to_people(world):
    """(number, relation, subjects) of each relation between people."""
    return [
        (number, relation, np.flatnonzero(world.objects[number] >= 0))
        for number, relation in enumerate(world.table.relations)
        if relation.to_person
    ]


def dates(world, bound):
    """The births or deaths as ordinals [people], read from the texts that biographies state."""
    (number,) = [n for n, row in enumerate(world.table.relations) if row.date == bound]
    days = []
    for value in world.objects[number]:
        month, day, year = world.texts["date"][value].replace(",", "").split()
        days.append(date(int(year), MONTHS.index(month) + 1, int(day)).toordinal())
    return np.array(days)


def test_every_relation_is_functional_and_its_objects_exist(world):
    for number, relation in enumerate(world.table.relations):
        objects = world.objects[number]
        assert objects.min() >= -1 and objects.max() < len(world.texts[relation.object])


def test_symmetric_relations_are_perfect_matchings(world):
    """My spouse's spouse is me, and nobody is their own spouse."""
    for number, relation, people in relations_to_people(world):
        if relation.symmetric:
            objects = world.objects[number]
            assert (objects[objects[people]] == people).all() and (objects[people] != people).all()
            assert (objects[world.known] >= 0).all()
            if relation.group == "contextual":
                assert (objects >= 0).all()


def test_inverse_pairs_agree_in_both_directions(world):
    for number, relation, people in relations_to_people(world):
        if relation.inverse in world.table and not relation.symmetric:
            objects = world.objects[number]
            inverse = world.objects[world.table.number(relation.inverse)]
            assert len(people) > len(objects) // 4
            assert (inverse[objects[people]] == people).all() and (objects[people] != people).all()


def test_ages_are_plausible(world):
    birth = world.people.birth
    for number, relation, people in relations_to_people(world):
        if relation.older:
            older = (birth[people] - birth[world.objects[number][people]]) / YEAR
            least, most = relation.older
            assert older.min() >= least and older.max() <= most, relation.name


def test_death_comes_after_18_years_and_after_everybody_related_is_of_age(world):
    if not any(relation.date for relation in world.table.relations):
        pytest.skip("no dates in this world")
    birth, death = dates(world, "birth"), dates(world, "death")
    assert (birth == world.people.birth).all()
    age = (death - birth) / YEAR
    assert age.min() >= 18 and age.max() <= 101 and death.max() < REFERENCE
    for number, _, people in relations_to_people(world):
        assert (death[people] >= birth[world.objects[number][people]] + 18 * YEAR).all()


def test_nobody_is_kin_of_two_kinds(world):
    """Nobody is, for example, both the sibling and the spouse of the same person."""
    kin = world.objects[[number for number, row in enumerate(world.table.relations) if row.kin]]
    for first in range(len(kin)):
        for second in range(first):
            both = (kin[first] >= 0) & (kin[second] >= 0)
            assert (kin[first][both] != kin[second][both]).all()
    assert (kin != np.arange(kin.shape[1])).all()


def test_biographies_state_only_what_their_readers_may_know(world):
    """Parametric biographies describe known people only; contextual ones those in contexts."""
    for number, relation in enumerate(world.table.relations):
        stated = np.flatnonzero(world.stated(number))
        if relation.group == "parametric":
            assert world.known[stated].all()
            if relation.to_person:
                assert world.known[world.objects[number][stated]].all()
        else:
            assert world.in_context[stated].all()


def test_relations_stay_inside_the_community_or_outside(world):
    for number, _, people in relations_to_people(world):
        objects = world.objects[number][people]
        assert (world.community[people] == world.community[objects]).all()


def test_names_and_personal_values_are_unique(world):
    assert len(set(world.names)) == len(world.names)
    for kind in UNIQUE & set(world.texts):
        assert len(set(world.texts[kind])) == len(world.texts[kind]) == len(world.names)


def test_a_walk_that_leaves_the_stated_facts_stays_at_minus_one(tiny_world):
    table = tiny_world.table
    path = tuple(map(table.number, ("child", "spouse", "pet")))
    starts = np.arange(len(tiny_world.people))
    walk = tiny_world.walk(path, starts)
    for row in walk.tolist():
        for hop, relation in enumerate(path):
            stated = row[hop] >= 0 and tiny_world.stated(relation)[row[hop]]
            assert row[hop + 1] == (tiny_world.objects[relation, row[hop]] if stated else -1)
    assert (walk[:, 0] == starts).all()
    assert (walk[:, -1] >= 0).any() and (walk[:, 1] < 0).any()


def test_another_seed_gives_another_world():
    one, other = (make_world(load_preset("tiny", seed=seed)) for seed in (1, 2))
    assert one.names != other.names and (one.objects != other.objects).any()


def test_an_odd_or_too_small_population_is_refused():
    with pytest.raises(UsageError, match="must be even"):
        make_world(load_preset("tiny").override({"known": "121"}))
    with pytest.raises(UsageError, match="too few to give everybody"):
        make_world(
            load_preset("tiny").override(
                {"known": "4", "novel": "2", "community": "0", "levels": '["iid"]'}
            )
        )


# --- the two ways to match people, for any births ------------------------------------------------

seeds = st.integers(0, 1000)


@given(st.lists(st.integers(0, 40_000), min_size=1, max_size=80), seeds)
def test_elders_are_matched_one_to_one_and_are_older_by_the_years_asked_for(births, seed):
    birth, ids = np.array(births), np.arange(len(births))
    younger, elder = match_elders(ids, birth, 18, 50, Draw(seed))
    assert len(set(younger.tolist())) == len(set(elder.tolist())) == len(younger)
    gap = (birth[younger] - birth[elder]) / YEAR
    assert ((gap >= 18) & (gap <= 50)).all()


def test_most_people_have_an_elder_if_births_are_dense():
    ids = np.arange(2000)
    younger, _ = match_elders(ids, ids * 20, 18, 50, Draw(1))
    assert len(younger) > 0.6 * len(ids)


@given(st.lists(st.integers(0, 3 * 365), min_size=20, max_size=60), seeds)
def test_partners_are_a_perfect_matching_of_similar_age_without_kin(births, seed):
    birth = np.array(births[: len(births) // 2 * 2])
    ids = np.arange(len(birth))
    relation = Relation("friend", "person", "parametric", older=(-5, 5))
    kin = pair_up(ids, birth, relation, np.empty((0, len(ids)), np.int64), Draw(seed))
    partner = pair_up(ids, birth, relation, kin[None], Draw(seed + 1))
    assert (partner[partner] == ids).all() and (partner != ids).all()
    assert (np.abs(birth - birth[partner]) <= 5 * YEAR).all()
    assert (partner != kin).all()
