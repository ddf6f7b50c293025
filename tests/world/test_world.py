"""The laws of the facts (DESIGN section 4) hold without exception, in every preset."""

from datetime import date

import numpy as np
import pytest

from bioreason_bench.config import load_preset
from bioreason_bench.errors import UsageError
from bioreason_bench.world.facts import REFERENCE, make_world


@pytest.fixture(scope="module", params=["tiny", "nano", "small", "paper"])
def world(request):
    return make_world(load_preset(request.param))


def date_of(world, kind):
    """[people] the ordinal of a birth or death, read back from the text that the biography will state."""
    months = {date(2000, m, 1).strftime("%B"): m for m in range(1, 13)}
    for number, row in enumerate(world.table.relations):
        if row.date == kind:
            values = []
            for place in world.objects[number]:
                month, day, year = world.texts["date"][place].replace(",", "").split()
                values.append(date(int(year), months[month], int(day)).toordinal())
            return np.array(values)
    return None


def test_every_relation_is_functional_and_its_objects_exist(world):
    for number, row in enumerate(world.table.relations):
        objects = world.objects[number]
        assert objects.min() >= -1 and objects.max() < len(world.texts[row.object])


def test_whoever_i_call_my_spouse_calls_me_theirs(world):
    """Symmetric relations are perfect matchings of everybody whom they concern, without anyone matched to themselves."""
    for number, row in enumerate(world.table.relations):
        if row.symmetric:
            objects = world.objects[number]
            people = np.flatnonzero(objects >= 0)
            assert (objects[objects[people]] == people).all() and (objects[people] != people).all()
            assert (objects[world.known] >= 0).all()
            if row.group == "contextual":
                assert (objects >= 0).all()


def test_inverse_pairs_agree_from_both_sides(world):
    for number, row in enumerate(world.table.relations):
        if (
            row.to_person
            and not row.symmetric
            and row.inverse in {other.name for other in world.table.relations}
        ):
            back = world.objects[world.table.number(row.inverse)]
            there = world.objects[number]
            people = np.flatnonzero(there >= 0)
            assert len(people) > len(there) // 4
            assert (back[there[people]] == people).all() and (there[people] != people).all()


def test_ages_are_plausible(world):
    birth = world.people.birth
    for number, row in enumerate(world.table.relations):
        if row.to_person and row.older:
            people = np.flatnonzero(world.objects[number] >= 0)
            older = (birth[people] - birth[world.objects[number][people]]) / 365.25
            assert older.min() >= row.older[0] and older.max() <= row.older[1], row.name


def test_lives_are_lived_in_order(world):
    """Death comes 18 years after birth at least, after everybody related has come of age, and before the reference date."""
    birth, death = date_of(world, "birth"), date_of(world, "death")
    if birth is None:
        pytest.skip("no dates in this world")
    assert (birth == world.people.birth).all()
    age = (death - birth) / 365.25
    assert age.min() >= 18 and age.max() <= 101 and death.max() < REFERENCE
    for number, row in enumerate(world.table.relations):
        if row.to_person:
            people = np.flatnonzero(world.objects[number] >= 0)
            assert (death[people] >= birth[world.objects[number][people]] + 18 * 365.25).all()


def test_kin_are_four_different_people(world):
    kin = world.objects[[number for number, row in enumerate(world.table.relations) if row.kin]]
    for first in range(len(kin)):
        for second in range(first):
            both = (kin[first] >= 0) & (kin[second] >= 0)
            assert (kin[first][both] != kin[second][both]).all()


def test_nobody_novel_stands_in_a_parametric_biography(world):
    for number, row in enumerate(world.table.relations):
        stated = np.flatnonzero(world.stated(number))
        if row.group == "parametric":
            assert world.known[stated].all()
            if row.to_person:
                assert world.known[world.objects[number][stated]].all()
        else:
            assert world.in_context[stated].all()


def test_the_community_keeps_to_itself(world):
    for number, row in enumerate(world.table.relations):
        if row.to_person:
            people = np.flatnonzero(world.objects[number] >= 0)
            assert (world.community[people] == world.community[world.objects[number][people]]).all()


def test_names_and_personal_values_are_unique(world):
    from bioreason_bench.world.pools import UNIQUE

    assert len(set(world.names)) == len(world.names)
    for kind in UNIQUE & set(world.texts):
        assert len(set(world.texts[kind])) == len(world.texts[kind]) == len(world.names)


def test_another_seed_is_another_world():
    one, other = (make_world(load_preset("tiny", seed=seed)) for seed in (1, 2))
    assert one.names != other.names and (one.objects != other.objects).any()


def test_a_world_too_small_to_pair_up_is_refused_in_one_sentence():
    with pytest.raises(UsageError, match="must be even"):
        make_world(load_preset("tiny").override({"known": "121"}))
    with pytest.raises(UsageError, match="too few to give everybody"):
        make_world(
            load_preset("tiny").override(
                {"known": "4", "novel": "2", "community": "0", "levels": '["iid"]'}
            )
        )
