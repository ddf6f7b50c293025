"""Recipes and the data of a stage, which the seed fixes."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from statistics import fmean

import pytest

from bioreason_bench.build import generate
from bioreason_bench.config import load_preset
from bioreason_bench.draw import Draw
from bioreason_bench.errors import ReleaseError, UsageError
from bioreason_bench.experiments.jobs import arms_of, make_arms, make_jobs, with_settings
from bioreason_bench.experiments.reproduce import undecidable
from bioreason_bench.experiments.studies import load_study, make_study, study_names
from bioreason_bench.resources import folder
from bioreason_bench.training.data import Corpus, Mixture, choose, prepare
from bioreason_bench.training.recipe import (
    RECIPES,
    Source,
    Stage,
    load_recipe,
    make_recipe,
    parts_of_step,
    read_part,
    recipe_names,
)
from bioreason_bench.training.run_folder import check_fit

SFT = ("mem", "ctx", "mem_ctx", "comp", "comp_atoms", "mem_ctx_comp")
THEN = ("grpo", "gold", "rft")
A_RESULT = re.compile(r"Whole chains \((\S+), study (\w+)\): iid (\S+) %, zeroshot (\S+) %\.")


def test_every_shipped_recipe_is_valid_and_says_what_it_is():
    parts = {name: read_part(name) for name in recipe_names()}
    alone = [name for name, part in parts.items() if "model" in part or "after" in part]
    continued = [
        f"{first}+{then}"
        for then, part in parts.items()
        if then not in alone
        for first in alone
        if first.rpartition("/")[0] == then.rpartition("/")[0]
    ]
    assert {f"sft_{skill}+{then}" for skill in SFT for then in THEN} <= set(continued)
    for name in (*alone, *continued):
        assert load_recipe(name).about
    run = {path.name for path in (folder("cards") / "results").iterdir()}  # main, scan, ...
    for name, part in parts.items():
        assert ("Not run yet" in part["about"]) != bool(A_RESULT.search(part["about"])), name
        if "/" in name:
            assert ("Not run yet" in part["about"]) == (name.partition("/")[0] not in run), name


@pytest.fixture(scope="module")
def english_release(tmp_path_factory):
    few = {"mem.train": "300", "ctx.train": "300", "comp.train": "600", "comp.rl": "50"}
    path = tmp_path_factory.mktemp("releases") / "nano_english"
    generate(load_preset("nano_english").override(few), path, workers=2)
    return path


def few_of(stage):
    """The stage with at most 300 texts of each source."""
    return replace(stage, batch=tuple(replace(source, limit=300) for source in stage.batch))


def test_the_texts_of_the_recipes_in_english_are_not_too_long(english_release):
    pytest.importorskip("transformers")
    from bioreason_bench.training.models.load import texts_of
    from bioreason_bench.training.models.tokenizer import make_tokenizer

    corpus = Corpus(english_release)
    arms = ("sft_comp_atoms", "sft_mem_ctx+gold", "sft_mem_ctx+grpo")  # sources of all the others
    recipes = [load_recipe(f"nano_english/{arm}") for arm in arms]
    vocabulary = recipes[0].model["from_scratch"]["vocabulary"]
    tokenizer = make_tokenizer(texts_of(corpus), corpus.language, vocabulary)
    before: list[Stage] = []  # the recipes share their first stages
    for recipe in recipes:
        for stage in recipe.stages:
            if stage not in before:
                before.append(stage)
                prepare(corpus, few_of(stage), tokenizer, recipe.max_length, Draw(0))
    with pytest.raises(UsageError, match="exceeds max_length 400"):
        prepare(corpus, few_of(before[0]), tokenizer, 400, Draw(0))


def test_the_results_that_recipes_tell_are_the_committed_ones():
    for name in recipe_names():
        told = A_RESULT.search(read_part(name)["about"])
        if told is None:
            continue
        arm, study, iid, zeroshot = told.groups()
        assert arm.partition("=")[0].split("+")[-1] == name.rpartition("/")[2]
        path = folder("cards") / "results" / study / "results.jsonl"
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for level, share in (("iid", iid), ("zeroshot", zeroshot)):
            chains = [
                line["process_verified"]
                for line in lines
                if line.get("arm") == arm
                and line.get("config", "").endswith(f"_{level}")
                and line["config"].partition("_")[0] not in ("mem", "ctx")
                and "process_verified" in line
            ]
            assert len(chains) >= 3 and f"{100 * fmean(chains):.1f}" == share, name


def test_recipes_continue_one_another():
    base, sft, grpo = (read_part(name)["stages"] for name in ("base", "sft_mem_ctx", "grpo"))
    joined = load_recipe("sft_mem_ctx+grpo")
    assert joined.name == "sft_mem_ctx+grpo"
    assert joined.as_dict()["stages"] == [*base, *sft, *grpo]
    assert joined.model == load_recipe("base").model
    assert load_recipe("base").shared_stages(joined) == 1
    english = load_recipe("nano_english/sft_mem_ctx+gold")  # parts beside the first come first
    assert english.stages[2].accumulate == 4
    assert english.preset == "nano_english"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("grpo", "has no model: it continues another recipe; write both, such as sft_mem_ctx+grpo"),
        ("sft_mem_ctx+gpro", "did you mean 'grpo'"),
        ("qwen/sft_mem_ctx_0_5b+rft", "with `after: qwen/sft_mem_ctx_0_5b`"),
        ("sft_mem_ctx+", "there is no recipe ''"),
        ("base+qwen/sft_comp_3b", "has a model of its own"),
    ],
)
def test_recipes_that_cannot_be_joined_get_one_sentence(name, words):
    with pytest.raises(UsageError) as caught:
        load_recipe(name)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("max_length: 777", "continues base, whose max_length holds for all stages"),
        ("seed: 5", "change it with --set seed=VALUE"),
        ("evaluat: {limit: 5}", "has no field 'evaluat': did you mean 'evaluate'?"),
    ],
)
def test_a_field_that_only_the_first_part_can_have_is_not_ignored(tmp_path, field, words):
    (tmp_path / "mine.yaml").write_text(
        f"{{about: x, after: base, {field}, "
        "stages: [{kind: sft, steps: 3, learning_rate: 1, batch: {mem: 1}}]}"
    )
    with pytest.raises(UsageError) as caught:
        load_recipe(tmp_path / "mine.yaml")
    assert words in str(caught.value)


@pytest.mark.parametrize("devices", [1, 2, 4, 8])
def test_recipes_for_real_models_can_be_divided_among_the_gpus_of_a_machine(devices):
    names = [name for name in recipe_names() if name.startswith(("qwen/", "small/", "smollm2/"))]
    first = [name for name in names if read_part(name).get("after") or read_part(name).get("model")]
    joined = [
        f"{name}+{part}"
        for name in first
        for part in ("grpo", "gold")
        if f"{name.partition('/')[0]}/{part}" in names
    ]
    assert len(joined) > 10
    for name in joined:
        for stage in load_recipe(name).stages:
            parts = parts_of_step(stage.accumulate, devices)
            texts = sum(source.rows for source in stage.batch)
            if stage.kind == "grpo":
                assert texts >= parts and stage.prompts.rows * stage.samples % parts == 0
            else:
                assert texts % parts == 0, (name, texts, parts)


def test_a_file_continues_the_recipe_that_it_names(tmp_path):
    (tmp_path / "mine.yaml").write_text(
        "{about: x, after: sft_mem, stages: [{kind: sft, steps: 3, learning_rate: 1, "
        "batch: {ctx: 1}}], sweep: {setting: 1.steps, values: [1, 2]}}"
    )
    recipe = load_recipe(tmp_path / "mine.yaml")
    assert [stage.steps for stage in recipe.stages] == [1000, 600, 3]
    assert recipe.sweep_points()[1] == ("2", {"3.steps": "2"})  # counted from the first of all
    circle = tmp_path / "circle.yaml"
    circle.write_text("{about: x, after: circle, stages: []}")
    with pytest.raises(UsageError, match="leads around in a circle"):
        load_recipe(circle)


@pytest.fixture(scope="module")
def corpus(nano_release):
    return Corpus(nano_release)


def test_a_context_beside_a_recalled_question_is_on_the_same_person_and_does_not_answer_it(corpus):
    rows, asked = corpus.source("mem_with_context"), corpus.source("mem")
    assert [row["id"] for row in rows] == [row["id"] for row in asked]
    parametric = {row["name"] for row in corpus.source("relations") if row["group"] == "parametric"}
    contexts = {row["context"] for row in corpus.source("ctx")}
    about = 0
    for row, plain in zip(rows, asked, strict=True):
        assert {**row, "context": ""} == {**plain, "context": ""}
        facts = [line.split() for line in row["context"].replace(" . ", "\n").splitlines()]
        assert not parametric.intersection(fact[1] for fact in facts)
        assert row["context"] in contexts
        about += row["entities"][0] in {fact[0] for fact in facts}
    assert about > 0.9 * len(rows)
    assert len({row["context"] for row in rows}) > 0.3 * len(rows)


def test_strangers_know_every_relation_and_nobody_of_the_release(corpus):
    rows = corpus.source("strangers")
    names = set(corpus.people)
    recalled = [row for row in rows if row["pattern"] == "P"]
    read = [row for row in rows if row["pattern"] == "C"]
    assert {row["path"][0] for row in rows} == {row["name"] for row in corpus.source("relations")}
    assert {row["hops"] for row in rows} == {1}
    biographies = [row["text"] for row in corpus.source("strangers_biographies")]
    for text in [*biographies, *(row["chain"] for row in recalled)]:
        assert not names.intersection(text.split())
    facts = {(r["subject"], r["relation"], r["object"]) for r in corpus.source("facts")}
    own = [row for row in read if (row["entities"][0], row["path"][0], row["answer"]) in facts]
    assert len(own) < 0.1 * len(read)  # by chance, in relations that have few values
    assert {row["entities"][0] for row in read} <= names
    opened = corpus.source("strangers_openbook")
    assert {row["path"][0] for row in opened} == {row["path"][0] for row in recalled}
    for row in opened[:500]:
        subject, relation, value = row["entities"][0], row["path"][0], row["answer"]
        assert f"{subject} {relation} {value} ." in row["context"]
        assert {line.split()[0] for line in row["context"].splitlines()} <= names
    assert len({row["context"].splitlines()[0].split()[0] for row in opened[:500]}) > 100
    grader = corpus.grader()
    assert all(grader.grade(row["chain"], row).process_verified for row in read[:100])


def test_strangers_of_an_english_world_are_read_under_names_of_the_release(english_release):
    corpus = Corpus(english_release)
    names, asked = set(corpus.people), {}
    grader, own = corpus.grader(), set(corpus.strangers.writer.starts.world.names) - names
    unread = [*corpus.source("strangers_biographies")]
    for row in [*corpus.source("strangers"), *corpus.source("strangers_openbook")[:2000]]:
        if not row["context"]:
            unread.append(row)
            continue
        asked.setdefault((row["id"], row["pattern"]), set()).add(row["entities"][0])
        assert row["entities"][0] in names
        assert row["entities"][0] in row["context"]
        assert row["entities"][0] in row["question"]
        assert row["answer"] in row["context"]
        if len(asked) % 20 == 0:
            assert not any(name in row["context"] + row["chain"] for name in own)
            assert grader.grade(row["chain"], row).exact_match
    assert fmean(map(len, asked.values())) > 4.5  # of five names, few are drawn twice
    assert len(unread) > 500
    for row in unread[::10]:
        text = row.get("text") or row["question"] + row["chain"]
        assert not any(name in text for name in names)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"grpo.stepps": "3"}, "did you mean 'steps'"),
        ({"sft.steps": "many"}, "not of type 'integer'"),
        ({"5.steps": "1"}, "stages 1 to 3"),
        ({"sft.batch.mem.portion": "15"}, "15 is not one of"),
        ({"rft.steps": "1"}, "no rft stage"),
        ({"sft.batch.memm": "3"}, "memm"),
        ({"colour": "red"}, "there is no field 'colour'"),
        ({"grpo.prompts.comp_rl.rows": "0"}, "stage 3: a grpo stage needs prompts per step"),
    ],
)
def test_a_wrong_setting_gets_one_sentence_that_says_where(settings, words):
    with pytest.raises(UsageError, match=r"sft_mem_ctx\+grpo|--set") as caught:
        load_recipe("sft_mem_ctx+grpo", settings)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_misspelt_recipe_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'sft_mem_ctx'"):
        load_recipe("sft_mem_ctxx")


def test_settings_change_all_stages_of_a_kind_or_one_by_number(tmp_path):
    recipe = load_recipe(
        "sft_mem_ctx+gold",
        {"sft.steps": "7", "3.learning_rate": "1e-4", "2.batch.mem": "3", "seed": "9"},
    )
    assert [stage.steps for stage in recipe.stages] == [7, 7, 7]
    assert recipe.stages[2].learning_rate == 1e-4
    assert recipe.stages[1].batch[0] == Source("mem", 3)
    assert recipe.seed == 9
    path = tmp_path / "mine.yaml"
    path.write_text(json.dumps(recipe.as_dict()))
    assert load_recipe(path) == recipe


def test_a_sweep_makes_one_recipe_per_value_also_under_its_former_name():
    values = {**read_part("base"), "sweep": {"setting": "sft.steps", "values": [8, 16]}}
    recipe = make_recipe(values)
    assert recipe.sweep_points() == [("8", {"sft.steps": "8"}), ("16", {"sft.steps": "16"})]
    values["ladder"] = values.pop("sweep")
    assert make_recipe(values) == recipe
    assert load_recipe("sft_mem").sweep_points() == [("", {})]


def test_arms_share_what_is_the_same():
    study = load_study("preparations")
    arms = with_settings(arms_of(study, ["nano"]), {"grpo.steps": "9"})
    jobs = make_jobs(arms, {1: None, 2: None}, RECIPES)
    bases = {
        (job.arm.name, job.seed): job.base and (job.base.arm.name, job.base.seed) for job in jobs
    }
    assert [arm for (arm, seed), base in bases.items() if base is None and seed == 1] == ["base"]
    for skill in SFT:
        assert bases[f"sft_{skill}", 2] == ("base", 2)
        for then in ("grpo", "rft"):
            assert bases[f"sft_{skill}+{then}", 2] == (f"sft_{skill}", 2)
    assert bases["sft_mem_ctx+gold=8", 1] == ("sft_mem_ctx", 1)
    steps = {job.arm.name: [stage.steps for stage in job.own] for job in jobs}
    assert steps["base"] == [1000] and steps["sft_comp"] == [600]
    assert steps["sft_comp+grpo"] == [9]
    assert steps["sft_mem_ctx+rft"] == [34, 33, 33]
    assert make_arms(["sft_comp"], ["nano_english"])[0].load().preset == "nano_english"
    with pytest.raises(UsageError, match="recipe sft_mem is not made for nano_english"):
        make_arms(["sft_mem"], ["nano_english"])
    with pytest.raises(UsageError, match="recipe sft_mem_ctx_comp is not made for nano_english"):
        arms_of(load_study("main"), ["nano_english"])
    (arm,) = arms_of(load_study("main"), ["nano_english"], ["sft_mem_ctx+grpo"])
    assert arm.load().preset == "nano_english"
    with pytest.raises(UsageError, match="no arm has such a stage"):
        with_settings(make_arms(["base"]), {"grpo.steps": "9"})


def test_the_arms_of_the_main_study_learn_as_many_tokens_in_as_many_steps(corpus):
    def tokens(stage):
        pieces = 0.0
        for source in stage.batch:
            rows = choose(corpus, source, Draw(0))[:500]
            texts = [row.get("text") or row["chain"] for row in rows]
            pieces += source.rows * sum(len(text.split()) + 1 for text in texts) / len(texts)
        return pieces

    stages = [load_recipe(f"sft_{skill}").stages[1] for skill in SFT]
    learnt = [stage.steps * tokens(stage) for stage in stages]
    assert max(learnt) < 1.03 * min(learnt)
    assert len({stage.steps for stage in stages}) == 1
    follow = [load_recipe(f"sft_mem+{then}").stages[2:] for then in THEN]
    assert [sum(stage.steps for stage in part) for part in follow] == [100, 100, 100]


def test_every_shipped_study_is_valid_and_its_arms_can_be_loaded():
    for name in study_names():
        study = load_study(name)
        assert study.about.endswith(".") and study.question.endswith("?")
        for arm in arms_of(study, [study.preset]):
            arm.load()
    main, more = load_study("main"), load_study("preparations")
    assert main.world_settings(7) == more.world_settings(7) == {"fold": 2}
    assert {name for name, _, _ in main.arms} < {name for name, _, _ in more.arms}


def test_a_study_changes_the_recipes_of_all_its_arms_but_not_what_an_arm_says_itself():
    llama = {"from_scratch": {"model_type": "llama", "hidden_size": 64}}
    values = {
        "name": "x",
        "about": "x",
        "question": "x",
        "settings": {"model": llama, "1.steps": 7, "grpo.steps": 5},
        "arms": [
            "base",
            {"arm": "sft_mem+grpo", "setting": "grpo.steps", "values": [3]},
            "sft_mem+grpo",
        ],
    }
    recipes = [arm.load() for arm in arms_of(make_study(values))]
    assert all(recipe.model == llama and recipe.stages[0].steps == 7 for recipe in recipes)
    assert [recipe.stages[-1].steps for recipe in recipes] == [7, 3, 5]


def test_an_arm_of_a_file_or_of_a_folder_of_recipes_has_its_name_alone():
    arms = ["runs/mine.yaml", {"arm": "qwen/gold", "setting": "1.steps", "values": [5]}]
    claim = {"text": "x", "first": "mine", "second": "gold=5"}
    study = make_study(
        {"name": "x", "about": "x", "question": "x", "arms": arms, "claims": [claim]}
    )
    assert [(name, recipe) for name, recipe, _ in study.arms] == [
        ("mine", "runs/mine.yaml"),
        ("gold=5", "qwen/gold"),
    ]


def test_a_claim_on_a_test_set_that_is_not_asked_is_told_before_the_runs(corpus, tmp_path):
    claim = {"text": "x", "first": "sft_mem", "second": "sft_ctx"}
    claims = [claim, {**claim, "config": "comp_zreoshot"}]
    values = {"name": "x", "about": "x", "question": "x", "arms": ["sft_mem", "sft_ctx"]}
    study = make_study({**values, "claims": claims})
    lines = list(undecidable(study, make_jobs(arms_of(study), {1: corpus}, tmp_path)))
    assert len(lines) == 2 and all("not asked 'comp_zreoshot'" in line for line in lines)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"arms": []}, "arms"),
        ({"armz": []}, "did you mean 'arms'"),
        ({"arms": ["base", "base"]}, "stands there twice"),
        ({"claims": [{"text": "x", "first": "base", "second": "sft"}]}, "sft_mem"),
        ({"arms": [{"arm": "base", "setting": "sft.steps", "values": []}]}, "has no values"),
    ],
)
def test_a_wrong_study_gets_one_sentence(change, words):
    values = {"name": "x", "about": "x", "question": "x", "arms": ["base", "sft_mem"], **change}
    with pytest.raises(UsageError) as caught:
        make_study(values)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_portions_are_nested_and_filters_leave_what_they_say(corpus):
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
        "stages": [{"kind": "sft", "steps": 1, "learning_rate": 1, "batch": {"mem_zeroshot": 1}}],
    }
    with pytest.raises(ReleaseError, match="mem_zeroshot"):
        check_fit(make_recipe(values), Corpus(nano_release))


def test_atoms_are_one_hop_questions_with_their_answer(corpus):
    rows = choose(corpus, Source("atoms", 1, limit=50), Draw(0))
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
