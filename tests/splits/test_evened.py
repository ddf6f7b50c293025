"""Zero-shot questions stay even over relations where few people can start some of the paths."""

import pytest

from bioreason_bench.splits.levels import (
    TEST,
    UNEVEN,
    PathPlan,
    Request,
    deal,
    evened,
    shares_of_unseen,
)
from bioreason_bench.splits.starts import OPEN
from bioreason_bench.world.table import load_table

TABLE = load_table()
BOSS, PET, PARENT, RIVAL = map(TABLE.number, ("boss", "pet", "parent", "rival"))


def plans(starts):
    """A path of two hops for each set of unseen relations, with so many starts."""
    return [
        PathPlan("comp", number, (*unseen, RIVAL)[:2], "zeroshot", unseen, {OPEN: count})
        for number, (unseen, count) in enumerate(starts.items())
    ]


def request(starts):
    weights = {(unseen, 2): 1.0 for unseen in starts}
    return Request(
        "comp.zeroshot",
        total=200,
        pool=OPEN,
        level="zeroshot",
        split=TEST,
        eligible=lambda plan: plan.level == "zeroshot",
        stratum=lambda plan: (plan.unseen, len(plan.path)),
        weights=weights,
    )


def worst(starts, weights):
    asked = request(starts)
    dealt = deal(plans(starts), Request(**{**vars(asked), "weights": weights}))
    assert sum(plan.count("zeroshot", TEST) for plan in dealt) == asked.total
    return max(shares_of_unseen(dealt, TABLE).values())


def test_what_a_rare_relation_cannot_hold_does_not_go_to_few_others():
    """`parent` is rare: its questions would go to `boss`, with which it occurs as well."""
    starts = {(BOSS,): 1_000, (PET,): 1_000, (PARENT,): 10, (BOSS, PARENT): 1_000}
    starts[PET, PARENT] = 10
    asked = request(starts)
    assert worst(starts, asked.weights) > UNEVEN
    assert worst(starts, evened(plans(starts), asked, TABLE)) <= UNEVEN


def test_weights_that_are_even_enough_do_not_change():
    starts = {(BOSS,): 1_000, (PET,): 1_000, (PARENT,): 1_000}
    asked = request(starts)
    assert evened(plans(starts), asked, TABLE) == asked.weights


def test_a_world_that_cannot_be_even_gets_the_most_even_weights():
    starts = {(BOSS,): 1_000, (PET,): 1, (PARENT,): 1}
    asked = request(starts)
    even = evened(plans(starts), asked, TABLE)
    assert worst(starts, even) == pytest.approx(worst(starts, asked.weights))
