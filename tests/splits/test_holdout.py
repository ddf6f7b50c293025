"""What training never uses, by the scheme of folds: relations, and pairs of relations."""

from collections import Counter

import pytest

from bioreason_bench.config import load_preset
from bioreason_bench.dataset import make_dataset
from bioreason_bench.splits.levels import TEST, trained_pairs, trained_relations
from bioreason_bench.splits.roles import FOLDS, deal_folds, pairs_of


@pytest.fixture(scope="module", params=["small", pytest.param("nano", marks=pytest.mark.deep)])
def folds(request):
    """The data set of every fold of one world."""
    preset = load_preset(request.param)
    return [make_dataset(preset.override({"fold": str(fold)})) for fold in range(FOLDS)]


def test_every_fold_has_the_same_people_and_facts(folds):
    first = folds[0].world
    for other in (dataset.world for dataset in folds[1:]):
        assert first.names == other.names
        assert (first.objects == other.objects).all()


def test_over_the_folds_every_relation_is_zero_shot_once_in_comp(folds):
    unseen = [
        {number for plan in dataset.paths["comp"] for number in plan.unseen} for dataset in folds
    ]
    counts = Counter(number for numbers in unseen for number in numbers)
    assert set(counts) == set(range(len(folds[0].world.table)))
    assert set(counts.values()) == {1}


def test_what_is_zero_shot_in_comp_is_trained_as_an_atomic_skill(folds):
    for dataset in folds:
        atomic = trained_relations([*dataset.paths["mem"], *dataset.paths["ctx"]])
        unseen = {number for plan in dataset.paths["comp"] for number in plan.unseen}
        assert unseen <= atomic
        assert not unseen & trained_relations(dataset.paths["comp"])


def test_folds_are_of_one_size_and_hold_relations_of_both_groups(folds):
    dataset = folds[0]
    table = dataset.world.table
    dealt = deal_folds(table, dataset.writer.starts.draw)
    sizes = Counter(dealt.values())
    assert max(sizes.values()) - min(sizes.values()) <= 1
    for fold in range(FOLDS):
        assert {table[number].group for number, one in dealt.items() if one == fold} == {
            "parametric",
            "contextual",
        }


def test_the_unseen_relations_share_the_test_evenly(folds):
    """Over the questions of a group (recalled, read), none has 1.5 times its equal share."""
    for dataset in folds:
        counts: Counter[int] = Counter()
        for plan in dataset.paths["comp"]:
            for number in plan.unseen:
                counts[number] += plan.count("zeroshot", TEST)
        for group in ("parametric", "contextual"):
            mine = [n for number, n in counts.items() if dataset.world.table[number].group == group]
            assert max(mine) <= 1.5 * sum(mine) / len(mine)


def test_a_composition_path_holds_a_pair_that_training_never_joins(folds):
    for dataset in folds:
        for plans in dataset.paths.values():
            pairs = trained_pairs(plans)
            for plan in plans:
                unseen = pairs_of([plan.path]) - pairs
                if plan.level == "composition":
                    assert unseen
                elif plan.level in ("iid", "depth"):
                    assert not unseen


def test_levels_are_matched_in_patterns_and_endings(folds):
    for dataset in folds:
        table, plans = dataset.world.table, dataset.paths["comp"]
        shares = {}
        for level in ("iid", "composition", "zeroshot"):
            counts = Counter()
            for plan in plans:
                shape = table.pattern(plan.path), table[plan.path[-1]].to_person
                counts[shape] += plan.count(level, TEST)
            shares[level] = {shape: n / sum(counts.values()) for shape, n in counts.items()}
        for level in ("iid", "composition"):
            for shape, share in shares["zeroshot"].items():
                tolerance = 0.02 + 5 / dataset.config.comp.test(level)
                assert abs(shares[level].get(shape, 0.0) - share) <= tolerance, (level, shape)


def test_common_sense_decides_no_step(folds):
    for dataset in folds:
        rows = dataset.world.table.relations
        for plans in dataset.paths.values():
            for first, second in pairs_of(plan.path for plan in plans):
                assert rows[second].name not in rows[first].never_next
