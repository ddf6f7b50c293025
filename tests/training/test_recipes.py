"""Recipes and the data of a stage, which the seed fixes."""

from __future__ import annotations

import json

import pytest

from bioreason_bench.draw import Draw
from bioreason_bench.errors import ReleaseError, UsageError
from bioreason_bench.training.data import Corpus, Mixture, choose
from bioreason_bench.training.recipe import RECIPES, Source, load_recipe, make_recipe, recipe_names
from bioreason_bench.training.run_folder import check_fit


def test_every_shipped_recipe_is_valid_and_says_what_it_is():
    names = recipe_names()
    assert {"sft_comp", "sft_mem", "sft_ctx", "sft_mem_ctx"} <= set(names)
    assert {
        f"sft_{skill}_{then}"
        for skill in ("comp", "mem", "ctx", "mem_ctx")
        for then in ("grpo", "rft")
    } <= set(names)
    for name in names:
        recipe = load_recipe(name)
        assert recipe.about
        first = (RECIPES / f"{name}.yaml").read_text().splitlines()[0]
        if "name" in recipe.model:
            assert "Not run yet" in first


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"grpo.stepps": "3"}, "did you mean 'steps'"),
        ({"sft.steps": "many"}, "not of type 'integer'"),
        ({"5.steps": "1"}, "stages 1 to 2"),
        ({"sft.batch.mem.portion": "15"}, "15 is not one of"),
        ({"rft.steps": "1"}, "no rft stage"),
        ({"sft.batch.memm": "3"}, "memm"),
        ({"colour": "red"}, "there is no field 'colour'"),
        ({"grpo.prompts.comp_rl.rows": "0"}, "stage 2: a grpo stage needs prompts per step"),
    ],
)
def test_a_wrong_setting_gets_one_sentence_that_says_where(settings, words):
    with pytest.raises(UsageError, match=r"sft_mem_ctx_grpo|--set") as caught:
        load_recipe("sft_mem_ctx_grpo", settings)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_misspelt_recipe_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'sft_mem_ctx_grpo'"):
        load_recipe("sft_mem_ctx_gpro")


def test_settings_change_all_stages_of_a_kind_or_one_by_number(tmp_path):
    recipe = load_recipe(
        "sft_mem_ctx_sft",
        {"sft.steps": "7", "2.learning_rate": "1e-4", "1.batch.mem": "3", "seed": "9"},
    )
    assert [stage.steps for stage in recipe.stages] == [7, 7]
    assert recipe.stages[1].learning_rate == 1e-4
    assert recipe.stages[0].batch[0] == Source("mem", 3)
    assert recipe.seed == 9
    path = tmp_path / "mine.yaml"
    path.write_text(json.dumps(recipe.as_dict()))
    assert load_recipe(path) == recipe


def test_a_sweep_makes_one_recipe_per_value_also_under_its_former_name():
    recipe = load_recipe("few_shot")
    points = recipe.sweep_points()
    assert [value for value, _ in points] == ["8", "16", "32", "64", "128", "256", "512", "1024"]
    assert load_recipe("few_shot", points[3][1]).stages[1].batch[0].limit == 64
    values = recipe.as_dict()
    values["ladder"] = values.pop("sweep")
    assert make_recipe(values) == recipe
    assert load_recipe("sft_mem").sweep_points() == [("", {})]


def test_arms_share_what_is_the_same_and_each_point_of_a_sweep_is_an_arm():
    from bioreason_bench.experiments.jobs import make_arms, make_jobs
    from bioreason_bench.experiments.reproduce import FULL

    names = ["sft_mem_ctx", "sft_mem_ctx_grpo", "few_shot", "portions"]
    jobs = make_jobs(
        make_arms(names, {"grpo.steps": "9", "2.warmup": "3"}, "nano"), {1: None, 2: None}, RECIPES
    )
    base = {
        (job.arm.name, job.seed): job.base and (job.base.arm.name, job.base.seed) for job in jobs
    }
    assert base["sft_mem_ctx", 1] is None
    assert (
        base["sft_mem_ctx_grpo", 1]
        == base["few_shot=8", 1]
        == base["few_shot=1024", 1]
        == ("sft_mem_ctx", 1)
    )
    assert base["few_shot=8", 2] == ("sft_mem_ctx", 2)
    assert base["portions=10", 1] is None and base["portions=90", 1] is None
    steps = {job.arm.name: [stage.steps for stage in job.own] for job in jobs}
    assert (
        steps["sft_mem_ctx"] == [700]
        and steps["sft_mem_ctx_grpo"] == [9]
        and steps["few_shot=8"] == [50]
    )
    alone = make_jobs(make_arms(["few_shot"], {}, "nano"), {1: None}, RECIPES)
    assert [job.base and job.base.arm.name for job in alone] == [None] + ["few_shot=8"] * 7
    assert make_arms(["sft_comp"], {}, "nano_english")[0].load().preset == "nano_english"
    for preset in ("", "nano_english", "small"):
        full = make_jobs(
            make_arms(FULL if not preset else FULL[:5], {}, preset), {0: None}, RECIPES
        )
        assert all(
            (job.base is None)
            == (job.arm.name in ("sft_comp", "sft_mem", "sft_ctx", "sft_mem_ctx"))
            for job in full
        )


def test_portions_are_nested_and_filters_leave_what_they_say(nano_release):
    corpus = Corpus(nano_release)
    draw = Draw(0)
    ids = [
        {row["id"] for row in choose(corpus, Source("comp", 1, portion=portion), draw)}
        for portion in (10, 50, 100)
    ]
    assert ids[0] < ids[1] < ids[2]
    assert {row["hops"] for row in choose(corpus, Source("comp", 1, hops=(3,)), draw)} == {3}
    assert {
        row["pattern"] for row in choose(corpus, Source("comp", 1, patterns=("PC",)), draw)
    } == {"PC"}
    few = choose(corpus, Source("comp", 1, limit=8), Draw(3, ("stage", "1")))
    assert few == choose(corpus, Source("comp", 1, limit=8), Draw(3, ("stage", "2")))
    assert len(few) == 8
    with pytest.raises(UsageError, match="no row of comp"):
        choose(corpus, Source("comp", 1, hops=(7,)), draw)


def test_every_epoch_of_a_mixture_holds_each_text_once_and_an_item_needs_none_before_it():
    import numpy as np

    from bioreason_bench.training.data import Encoded

    lengths = np.full(10, 3)
    encoded = Encoded(np.arange(30, dtype=np.int32), lengths.cumsum(), np.full(10, 1))
    mixture = Mixture(
        [(Source("mem", 4), encoded), (Source("ctx", 1), encoded)],
        steps=20,
        draw=Draw(0, ("test",)),
    )
    assert len(mixture) == 100
    items = [mixture[index] for index in range(100)]
    seen = [item["input_ids"][0] for index, item in enumerate(items) if index % 5 < 4]
    for epoch in range(8):
        assert sorted(seen[10 * epoch : 10 * epoch + 10]) == list(range(0, 30, 3))
    assert items[77] == Mixture(mixture.sources, 20, Draw(0, ("test",)))[77]
    assert items[0]["labels"][0] == -100


def test_a_release_that_does_not_fit_the_recipe_is_named_with_what_it_lacks(
    tiny_release, nano_release
):
    corpus = Corpus(tiny_release)
    with pytest.raises(ReleaseError, match="language symbols"):
        check_fit(load_recipe("sft_mem_ctx"), corpus)
    values = {
        "name": "x",
        "model": {"name": "y"},
        "stages": [{"kind": "sft", "steps": 1, "learning_rate": 1, "batch": {"comp_depth": 1}}],
    }
    with pytest.raises(ReleaseError, match="comp_depth"):
        check_fit(make_recipe(values), Corpus(nano_release))


def test_atoms_are_one_hop_questions_with_their_answer(nano_release):
    rows = choose(Corpus(nano_release), Source("atoms", 1, limit=50), Draw(0))
    assert {row["hops"] for row in rows} == {1}
    assert all(
        row["chain"].endswith(row["answer"]) and (row["skill"] == "mem") == (not row["context"])
        for row in rows
    )


@pytest.mark.parametrize("release", ["tiny_release", "nano_release"])
def test_a_tokenizer_made_from_a_release_brings_every_training_text_back(release, request):
    pytest.importorskip("transformers")
    from bioreason_bench.training.data import completion_of, prompt_of
    from bioreason_bench.training.models.load import texts_of
    from bioreason_bench.training.models.tokenizer import make_tokenizer

    corpus = Corpus(request.getfixturevalue(release))
    language = corpus.config.language
    tokenizer = make_tokenizer(texts_of(corpus), language)
    for skill in ("mem", "ctx", "comp"):
        for row in corpus.source(skill)[:50]:
            ids = tokenizer(completion_of(row, "chain"), add_special_tokens=False)["input_ids"]
            assert tokenizer.decode(ids).strip() == row["chain"]
            prompt = tokenizer.decode(
                tokenizer(prompt_of(row), add_special_tokens=False)["input_ids"]
            )
            assert prompt.split() == prompt_of(row).split()
            assert tokenizer.unk_token_id not in ids
    assert (
        language == "symbols"
        or tokenizer.decode(tokenizer("An unseen Zoë.")["input_ids"]) == "An unseen Zoë."
    )


def test_a_module_of_training_imports_only_from_those_above_it_in_the_package_docstring():
    import ast
    import re

    from bioreason_bench import training

    order = re.findall(r"^    (\w+)/? +\S", training.__doc__, re.MULTILINE)
    folder = RECIPES.parent
    parts = {path.relative_to(folder).with_suffix("").parts[0] for path in folder.rglob("*.py")}
    assert set(order) == parts - {"__init__"}
    for path in folder.rglob("*.py"):
        part = path.relative_to(folder).with_suffix("").parts[0]
        for node in ast.walk(ast.parse(path.read_text())):
            module = getattr(node, "module", None) or ""
            if isinstance(node, ast.ImportFrom) and module.startswith("bioreason_bench.training."):
                assert order.index(module.split(".")[2]) <= order.index(part), (path, module)
