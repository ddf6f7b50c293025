"""Levels keep what they promise, counted from the plan: nothing crosses (DESIGN section 6)."""

import pytest

from bioreason_bench.config import LEVELS, SKILLS, load_preset
from bioreason_bench.dataset import make_dataset
from bioreason_bench.errors import UsageError
from bioreason_bench.splits.levels import TRAIN


@pytest.fixture(scope="module", params=["tiny", "nano"])
def plan(request):
    return make_dataset(load_preset(request.param))


def pairs(plan, skill, level, split):
    return {
        (members.path, int(start))
        for members in plan.paths[skill]
        if members.count(level, split)
        for start in plan.starts_of(members, level, split)
    }


def test_every_level_has_exactly_the_questions_asked_for(plan):
    for skill in SKILLS:
        sizes = plan.config.skill(skill)
        assert len(pairs(plan, skill, TRAIN, TRAIN)) == sizes.train
        assert len(pairs(plan, skill, "rl", "rl")) == sizes.rl
        for level in plan.config.levels:
            assert len(pairs(plan, skill, level, "test")) == sizes.test(level)
            assert len(pairs(plan, skill, level, "validation")) == sizes.validation(level)


def test_no_start_and_path_twice(plan):
    for skill in SKILLS:
        taken = [pairs(plan, skill, TRAIN, TRAIN)]
        taken += [
            pairs(plan, skill, level, split) for level in LEVELS for split in ("test", "validation")
        ]
        assert len(set().union(*taken)) == sum(map(len, taken))
        assert pairs(plan, skill, "rl", "rl") <= taken[0]


def test_paths_are_trained_as_their_level_says(plan):
    for skill in SKILLS:
        trained = {members.path for members in plan.paths[skill] if members.count(TRAIN, TRAIN)}
        seen = {relation for path in trained for relation in path}
        for members in plan.paths[skill]:
            if members.level in ("composition", "depth"):
                assert members.path not in trained and seen.issuperset(members.path)
            if members.level == "zeroshot":
                assert not seen.issuperset(members.path)
            if members.level in ("iid", "train"):
                assert members.path in trained
            if members.level == "depth":
                assert len(members.path) > max(map(len, trained))


def test_comp_composes_only_what_the_atomic_skills_train(plan):
    atomic = {
        relation
        for skill in ("mem", "ctx")
        for members in plan.paths[skill]
        if members.trained
        for relation in members.path
    }
    assert all(atomic.issuperset(members.path) for members in plan.paths["comp"])
    unseen = {relation for members in plan.paths["comp"] for relation in members.path} - plan.seen[
        "comp"
    ]
    assert {plan.world.table[relation].group for relation in unseen} == {"parametric", "contextual"}


def test_people_of_the_entity_level_stand_in_no_training_question(plan):
    if "entity" not in plan.config.levels:
        pytest.skip("no entity level")
    for skill in SKILLS:
        assert not plan.met[skill][plan.world.community].any()
        starts = {start for _, start in pairs(plan, skill, "entity", "test")}
        assert plan.world.community[sorted(starts)].all()


def test_heldout_starts_start_no_training_question(plan):
    if not plan.config.heldout_starts:
        pytest.skip("no starts held out")
    for skill in SKILLS:
        training = {start for _, start in pairs(plan, skill, TRAIN, TRAIN)}
        for level in plan.config.levels:
            assert not training & {start for _, start in pairs(plan, skill, level, "test")}


def test_paper_has_the_papers_sizes():
    """Table of arXiv 2512.01970: training and test questions of each skill, and 12,800 for reinforcement learning."""
    plan = make_dataset(load_preset("paper"))
    wanted = {
        "mem": (88_031, 1_921, 1_141, 782),
        "ctx": (2_651, 1_910, 1_320, 453),
        "comp": (180_919, 2_135, 1_415, 918),
    }
    for skill, (train, *tests) in wanted.items():
        assert sum(members.count(TRAIN, TRAIN) for members in plan.paths[skill]) == train
        for level, test in zip(("iid", "composition", "zeroshot"), tests, strict=True):
            assert sum(members.count(level, "test") for members in plan.paths[skill]) == test
    assert sum(members.count("rl", "rl") for members in plan.paths["comp"]) == 12_800


def test_asking_for_more_questions_than_exist_says_how_many_there_are():
    with pytest.raises(
        UsageError,
        match=r"comp.zeroshot: 900,000 test questions are asked for and this world has [\d,]+; lower",
    ):
        make_dataset(load_preset("tiny").override({"comp.zeroshot": "900000"}))
