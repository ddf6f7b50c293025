"""Training makes nobody more popular: nobody is in its contexts only where they are meant."""

import pytest

from bioreason_bench.config import load_preset
from bioreason_bench.dataset import make_dataset
from bioreason_bench.splits.levels import TRAIN
from bioreason_bench.splits.paths import PathRules
from bioreason_bench.world.table import load_table

TABLE = load_table()
RULES = PathRules(TABLE, "comp", leak_guards=True, distractors=True)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (("child", "spouse"), False),  # read about: the gold child and three who are no children
        (("boss", "spouse"), True),
        (("spouse", "child"), True),  # the answer: nobody is read about for it
        (("spouse", "child", "pet"), True),
        (("spouse", "child", "rival"), False),
        (("spouse", "parent", "pet"), False),
        (("boss", "parent"), True),
    ],
)
def test_a_relation_that_is_an_alternative_to_none_is_not_asked_on_the_way(path, allowed):
    assert RULES.may_train(tuple(map(TABLE.number, path))) == allowed


def test_children_are_trained_as_answers_and_tested_on_the_way_as_well():
    dataset = make_dataset(load_preset("tiny", 1))
    child = dataset.world.table.number("child")
    plans = [plan for plan in dataset.paths["comp"] if child in plan.path]
    trained = [plan.path for plan in plans if plan.count(TRAIN, TRAIN)]
    assert trained
    assert all(RULES.may_train(path) for path in trained)
    assert any(not RULES.may_train(plan.path) for plan in plans)
