"""Levels keep what they promise, counted from the dataset: nothing crosses ."""

import pytest

from bioreason_bench.config import LEVELS, SKILLS, load_preset
from bioreason_bench.dataset import make_dataset
from bioreason_bench.errors import UsageError
from bioreason_bench.splits.levels import TRAIN


@pytest.fixture(scope="module", params=["tiny", "nano"])
def dataset(request):
    return make_dataset(load_preset(request.param))


def pairs(dataset, skill, level, split):
    return {
        (plan.path, int(start))
        for plan in dataset.paths[skill]
        if plan.count(level, split)
        for start in plan.starts(dataset.writer.starts, level, split)
    }


def test_every_level_has_exactly_the_questions_asked_for(dataset):
    for skill in SKILLS:
        sizes = dataset.config.skill(skill)
        assert len(pairs(dataset, skill, TRAIN, TRAIN)) == sizes.train
        assert len(pairs(dataset, skill, "rl", "rl")) == sizes.rl
        for level in dataset.config.levels:
            assert len(pairs(dataset, skill, level, "test")) == sizes.test(level)
            assert len(pairs(dataset, skill, level, "validation")) == sizes.validation(level)


def test_no_start_and_path_twice(dataset):
    for skill in SKILLS:
        taken = [pairs(dataset, skill, TRAIN, TRAIN)]
        taken += [
            pairs(dataset, skill, level, split)
            for level in LEVELS
            for split in ("test", "validation")
        ]
        assert len(set().union(*taken)) == sum(map(len, taken))
        assert not pairs(dataset, skill, "rl", "rl") & set().union(*taken)


def test_paths_are_trained_as_their_level_says(dataset):
    for skill in SKILLS:
        trained = {plan.path for plan in dataset.paths[skill] if plan.count(TRAIN, TRAIN)}
        seen = {relation for path in trained for relation in path}
        for plan in dataset.paths[skill]:
            if plan.level in ("composition", "depth"):
                assert plan.path not in trained and seen.issuperset(plan.path)
            if plan.level == "zeroshot":
                assert not seen.issuperset(plan.path)
            if plan.level in ("iid", "train"):
                assert plan.path in trained
            if plan.level == "depth":
                assert len(plan.path) > max(map(len, trained))


def test_comp_composes_only_what_the_atomic_skills_train(dataset):
    atomic = {
        relation
        for skill in ("mem", "ctx")
        for plan in dataset.paths[skill]
        if plan.trained
        for relation in plan.path
    }
    assert all(atomic.issuperset(plan.path) for plan in dataset.paths["comp"])
    unseen = {
        relation for plan in dataset.paths["comp"] for relation in plan.path
    } - dataset.certificates.relations["comp"]
    assert {dataset.world.table[relation].group for relation in unseen} == {
        "parametric",
        "contextual",
    }


def test_people_of_the_entity_level_stand_in_no_training_question(dataset):
    if "entity" not in dataset.config.levels:
        pytest.skip("no entity level")
    for skill in SKILLS:
        assert not dataset.certificates.people[skill][dataset.world.community].any()
        starts = {start for _, start in pairs(dataset, skill, "entity", "test")}
        assert dataset.world.community[sorted(starts)].all()


def test_heldout_starts_start_no_training_question(dataset):
    if not dataset.config.heldout_starts:
        pytest.skip("no starts held out")
    for skill in SKILLS:
        training = {start for _, start in pairs(dataset, skill, TRAIN, TRAIN)}
        for level in dataset.config.levels:
            assert not training & {start for _, start in pairs(dataset, skill, level, "test")}


def test_paper_has_the_papers_sizes():
    """The table of arXiv 2512.01970: questions of each skill, and 12,800 for RL."""
    dataset = make_dataset(load_preset("paper"))
    wanted = {
        "mem": (88_031, 1_921, 1_141, 782),
        "ctx": (2_651, 1_910, 1_320, 453),
        "comp": (180_919, 2_135, 1_415, 918),
    }
    for skill, (train, *tests) in wanted.items():
        assert sum(plan.count(TRAIN, TRAIN) for plan in dataset.paths[skill]) == train
        for level, test in zip(("iid", "composition", "zeroshot"), tests, strict=True):
            assert sum(plan.count(level, "test") for plan in dataset.paths[skill]) == test
    assert sum(plan.count("rl", "rl") for plan in dataset.paths["comp"]) == 12_800


def test_asking_for_more_questions_than_exist_says_how_many_there_are():
    with pytest.raises(
        UsageError,
        match=r"comp.zeroshot: 900,000 test questions are asked for and this world has [\d,]+",
    ):
        make_dataset(load_preset("tiny").override({"comp.zeroshot": "900000"}))
