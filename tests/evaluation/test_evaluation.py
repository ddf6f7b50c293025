"""The lm-eval tasks, run by the real harness."""

from __future__ import annotations

import hashlib
import json
import math

import pytest

pytest.importorskip("lm_eval")

from eval_models import Oracle
from lm_eval import simple_evaluate
from lm_eval.tasks import TaskManager

from bioreason_bench import resources
from bioreason_bench.errors import ReleaseError, UsageError
from bioreason_bench.evaluation.harness import functions as harness
from bioreason_bench.evaluation.harness.names import VARIANTS, all_names, copy_tasks, parse
from bioreason_bench.evaluation.open_source import open_source
from bioreason_bench.language.reader import Reader
from bioreason_bench.taxonomy import LEVELS, QUESTION_KINDS, SKILLS

CHAIN_METRICS = {"exact_match", "process_verified", "hop_accuracy", "format_rate"}
METRICS = {"direct": {"exact_match"}} | dict.fromkeys(
    ("chat", "openbook_chat"), CHAIN_METRICS | {"truncated"}
)


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory):
    """Worlds that these tests make are kept here, and no test needs the network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIOREASON_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield


OTHER_FAMILIES = ("strings", "scan", "cogs")


def manager(**metadata) -> TaskManager:
    return TaskManager(
        include_path=str(resources.folder("tasks")), include_defaults=False, metadata=metadata
    )


def leaves(source) -> list[str]:
    tasks = {name: parse(name) for name in all_names()}
    return [name for name, task in tasks.items() if task.leaf and task.config in source.configs]


@pytest.fixture(scope="module")
def oracle(tiny_release):
    return Oracle(tiny_release)


@pytest.fixture(scope="module")
def perfect(tiny_release, oracle):
    """The harness's scores of the oracle on every task that the release has questions for."""
    names = leaves(open_source(data=str(tiny_release)))
    task_manager = manager(data=str(tiny_release), samples=4)
    return simple_evaluate(
        model=oracle, tasks=names, task_manager=task_manager, bootstrap_iters=0, log_samples=True
    ), names


def test_every_task_file_is_known_to_the_harness_by_its_name():
    index = manager().all_tasks
    assert set(index) == set(all_names()), "the harness skips a broken file silently"
    wanted = {f"bioreason_{skill}_{level}" for skill in SKILLS for level in LEVELS}
    wanted |= {"bioreason", *(f"bioreason_{skill}" for skill in SKILLS)}
    wanted |= {
        f"bioreason_{kind.config}{variant and f'_{variant}'}"
        for kind in QUESTION_KINDS
        for variant in kind.variants
    }
    wanted |= {f"bioreason_comp_zeroshot_{variant}" for variant in VARIANTS}
    assert wanted <= set(index)


def test_every_task_loads_from_a_release_and_every_group_from_one_with_all_levels(tiny_release):
    source = open_source(data=str(tiny_release))
    task_manager = manager(data=str(tiny_release))
    loaded = task_manager.load(["bioreason", *(f"bioreason_{variant}" for variant in VARIANTS)])
    assert set(loaded["tasks"]) == {name for name in leaves(source) if parse(name).level in LEVELS}
    assert set(loaded["groups"]) == {
        name
        for name in all_names()
        if not parse(name).leaf and not any(family in name for family in OTHER_FAMILIES)
    }
    for task in loaded["tasks"].values():
        assert len(task.eval_docs) > 0 and task.VERSION == 2.0


def test_a_model_that_recalls_and_reads_everything_scores_exactly_one_on_every_task(perfect):
    results, names = perfect
    assert set(results["results"]) == set(names)
    for name, scores in results["results"].items():
        values = {
            key: value
            for key, value in scores.items()
            if key.endswith(",none") and "stderr" not in key
        }
        if "conflict" in name:
            assert values.pop("follows_context,none") == 0.0, "it follows memory"
        if "chat" in parse(name).variant:
            assert values["truncated,none"] == 0.0
            values["truncated,none"] = 1.0
        assert values and set(values.values()) == {1.0}, (name, values)
        metrics = {key.partition(",")[0] for key in values}
        if parse(name).variant == "passk":
            assert metrics == {
                f"{kind}@{k}" for kind in ("pass", "process_pass") for k in (1, 2, 4)
            } | {"identical_samples"}
        else:
            pairs = (
                {"pair_accuracy"}
                if parse(name).level in ("counterfactual", "direction", "unanswerable")
                else set()
            )
            assert metrics == METRICS.get(parse(name).variant, CHAIN_METRICS) | pairs


def test_a_model_that_believes_the_context_is_wrong_on_every_conflict(tiny_release):

    class Believer(Oracle):
        def answer(self, prompt: str) -> str:
            known = self.facts
            sentences = [
                sentence
                for line in prompt.rpartition("\n\n")[0].split("\n")
                for sentence in self.reader.biography_sentences(line)
            ]
            self.facts = known | {
                fact[:2]: fact[2] for fact in map(self.reader.sentence, sentences) if fact
            }
            answer = super().answer(prompt)
            self.facts = known
            return answer

    name, task_manager = "bioreason_comp_conflict", manager(data=str(tiny_release))
    scores = simple_evaluate(
        model=Believer(tiny_release), tasks=[name], task_manager=task_manager, bootstrap_iters=0
    )["results"][name]
    assert (scores["follows_context,none"], scores["exact_match,none"]) == (1.0, 0.0)


def test_a_pair_counts_if_both_of_its_questions_are_answered_right():
    assert (
        harness.mean_of_pairs([("a", 1.0), ("a", 1.0), ("b", 1.0), ("b", 0.0), ("c", 1.0)]) == 0.5
    )
    assert math.isnan(harness.mean_of_pairs([("a", 1.0)]))


def test_the_sample_log_has_hops_pattern_and_the_group_of_the_unseen_relation(perfect):
    for sample in perfect[0]["samples"]["bioreason_comp_zeroshot"]:
        doc = sample["doc"]
        groups = {
            dict(zip(doc["path"], doc["pattern"], strict=True))[name]
            for name in doc["unseen_relations"]
        }
        assert (
            doc["unseen_group"]
            == {"P": "parametric", "C": "contextual", "CP": "both"}["".join(sorted(groups))]
        )
        assert doc["hops"] == len(doc["pattern"]) == len(doc["path"])
        assert (
            doc["grade"]["process_verified"] is True and doc["grade"]["hops_right"] == doc["hops"]
        )


def test_the_model_is_given_the_one_prompt_and_nothing_else(tiny_release):
    from bioreason_bench.questions.prompts import make_prompt
    from bioreason_bench.release.read import Release

    model = Oracle(tiny_release)
    simple_evaluate(
        model=model,
        tasks=["bioreason_comp_depth"],
        task_manager=manager(data=str(tiny_release)),
        bootstrap_iters=0,
    )
    rows = Release(tiny_release).rows("comp_depth", "test")
    assert model.prompts == [make_prompt(row) for row in rows]


def test_the_open_book_states_every_hop_and_the_closed_one_no_recalled_hop(tiny_release):
    source = open_source(data=str(tiny_release))
    reader = Reader(source.relations(), source.language)

    def stated(doc) -> set:
        return {
            fact
            for line in doc["context"].split("\n")
            for fact in map(reader.sentence, reader.biography_sentences(line))
        }

    for config in ("mem_zeroshot", "comp_zeroshot"):
        for doc in harness.documents(config, "openbook", data=str(tiny_release))["test"]:
            facts = stated(doc)
            hops = zip(doc["entities"], doc["path"], doc["entities"][1:], strict=False)
            assert all(hop in facts for hop in hops)
            lines = doc["context"].split("\n")
            assert len(lines) == len(doc["context_people"])
            for at, *hop in zip(
                doc["support"], doc["entities"], doc["path"], doc["entities"][1:], strict=False
            ):
                assert tuple(hop) in stated({"context": lines[at]})
        for doc in harness.documents(config, data=str(tiny_release))["test"]:
            facts = stated(doc)
            hops = zip(
                doc["entities"], doc["path"], doc["entities"][1:], doc["pattern"], strict=False
            )
            assert all((hop[:3] in facts) == (hop[3] == "C") for hop in hops)


@pytest.mark.parametrize("chat", [False, True])
def test_few_shot_examples_are_training_questions_in_the_same_form(tiny_release, chat):
    from bioreason_bench.release.read import Release

    model = Oracle(tiny_release)
    results = simple_evaluate(
        model=model,
        tasks=["bioreason_ctx_iid", "bioreason_ctx_iid_direct"],
        task_manager=manager(data=str(tiny_release)),
        num_fewshot=2,
        limit=5,
        bootstrap_iters=0,
        apply_chat_template=chat,
        fewshot_as_multiturn=chat,
    )
    training = {row["question"] for row in Release(tiny_release).rows("ctx_iid", "train")}
    for prompt in model.prompts:
        *examples, asked = [part.partition("\n")[0] for part in prompt.split("Question: ")[1:]]
        assert len(examples) == 2 and set(examples) <= training and asked not in training
        assert prompt.count("So, the answer is:") == 2 + prompt.endswith("So, the answer is:")
    assert {scores["exact_match,none"] for scores in results["results"].values()} == {1.0}


def test_a_chat_template_wraps_the_whole_prompt(tiny_release):
    model = Oracle(tiny_release)
    simple_evaluate(
        model=model,
        tasks=["bioreason_comp_iid_openbook"],
        task_manager=manager(data=str(tiny_release)),
        limit=3,
        bootstrap_iters=0,
        apply_chat_template=True,
        fewshot_as_multiturn=True,
    )
    for prompt in model.prompts:
        assert prompt.startswith("<|system|>\nAnswer the question from the biographies.")
        assert prompt.endswith("\nAnswer:\n<|assistant|>\n")


def test_a_group_weighs_its_levels_by_their_questions(tiny_release):
    model, task_manager = Oracle(tiny_release, slips=0.3), manager(data=str(tiny_release))
    results = simple_evaluate(
        model=model, tasks=["bioreason_comp"], task_manager=task_manager, bootstrap_iters=100
    )
    leaf = [results["results"][f"bioreason_comp_{level}"] for level in LEVELS]
    group = results["groups"]["bioreason_comp"]
    total = sum(scores["sample_len"] for scores in leaf)
    for metric in CHAIN_METRICS:
        mean = sum(scores[f"{metric},none"] * scores["sample_len"] for scores in leaf) / total
        assert math.isclose(group[f"{metric},none"], mean) and (
            group[f"{metric}_stderr,none"] > 0
        ) == (mean < 1)
    assert group["process_verified,none"] <= group["exact_match,none"] < 1
    assert group["hop_accuracy,none"] > group["process_verified,none"]


def test_a_folder_and_its_preset_are_the_same_questions(tiny_release, tmp_path, monkeypatch):
    monkeypatch.setenv("BIOREASON_CACHE", str(tmp_path))
    for config, variant in (
        ("comp_zeroshot", ""),
        ("mem_iid", "openbook"),
        ("ctx_depth", "probes"),
    ):
        written = harness.documents(config, variant, data=str(tiny_release))
        made = harness.documents(config, variant, preset="tiny", seed=42)
        for split in ("test", "fewshot"):
            assert (
                written[split].remove_columns("source").to_list()
                == made[split].remove_columns("source").to_list()
            )
    assert (
        harness.documents("comp_iid", preset="tiny", seed=7)["test"]["question"]
        != made["test"]["question"]
    )


def test_a_broken_file_in_the_cache_is_made_again(tmp_path, monkeypatch):
    monkeypatch.setenv("BIOREASON_CACHE", str(tmp_path))
    first = harness.documents("comp_iid", preset="tiny", seed=5)["test"].to_list()
    (file,) = tmp_path.rglob("comp/iid/test-*.parquet")
    for damage in (b"", file.read_bytes()[:-100]):
        file.write_bytes(damage)
        assert harness.documents("comp_iid", preset="tiny", seed=5)["test"].to_list() == first
    other = harness.documents("comp_zeroshot", preset="tiny", seed=5)
    (zeroshot,) = tmp_path.rglob("comp/zeroshot/test-*.parquet")
    file.write_bytes(zeroshot.read_bytes())
    assert (
        harness.documents("comp_iid", preset="tiny", seed=5)["test"].to_list()
        == first
        != other["test"].to_list()
    )


def test_the_official_release_is_the_same_here_as_everywhere():
    """A changed digest is a changed benchmark.

    It needs a new version, a CHANGELOG entry under "Data", and scripts/write_official.py.
    """
    from bioreason_bench.config import load_preset
    from bioreason_bench.evaluation.official import official

    known = official()
    folders = [f"{skill}/{level}" for skill in SKILLS for level in load_preset("v1").levels]
    files = {f"data/{folder}/test-00000-of-00001.parquet" for folder in folders}
    assert files <= set(known["digests"])
    for questions in ("comp_zeroshot", "mem_entity", "ctx_depth", "comp_conflict"):
        docs = harness.documents(questions)["test"]
        assert len(docs) >= 1000 and docs["source"][0] == "preset v1, seed 42"
    assert {
        config: scores["oracle"]["score"] for config, scores in known["solvers"].items()
    } == dict.fromkeys(known["solvers"], 1.0)


def test_the_version_of_the_tasks_is_tied_to_the_official_questions():
    """Scores of one version of a task are scores on the same questions (tasks/README.md)."""
    from bioreason_bench.evaluation.official import official

    folder = resources.folder("tasks")
    questions = json.dumps(official()["digests"], sort_keys=True).encode()
    digest = f"sha256:{hashlib.sha256(questions).hexdigest()[:16]}"
    assert f"\n  digest: {digest} #" in (folder / "_base.yaml").read_text(), (
        f"the official questions are others: write {digest} into tasks/_base.yaml, and raise the "
        "version in tasks/_*.yaml if the version there was released with the former ones"
    )
    versions = {
        line
        for file in folder.rglob("*.yaml")
        for line in file.read_text().splitlines()
        if "version:" in line
    }
    assert versions == {"  version: 2.0"}


def test_an_installation_that_makes_other_rows_is_refused(monkeypatch):
    from bioreason_bench.evaluation import official

    other = {"data/comp/iid/test-00000-of-00001.parquet": "sha256:" + "0" * 64}
    monkeypatch.setattr(official, "official", lambda: {"digests": other, "solvers": {}})
    with pytest.raises(ReleaseError, match="does not reproduce the official release"):
        harness.documents("comp_iid")


def test_the_validation_questions_can_be_scored_instead(tiny_release):
    test = harness.documents("comp_iid", data=str(tiny_release))["test"]["id"]
    validation = harness.documents("comp_iid", data=str(tiny_release), split="validation")["test"][
        "id"
    ]
    assert validation and not set(test) & set(validation)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"data": "no/such/folder"}, "no/such/folder"),
        ({"data": "nowhere"}, "'nowhere' is no folder and no repository on the Hub"),
        ({"data": ""}, "must be the folder of a release"),
        ({"data": "smal"}, "preset=NAME): did you mean 'small'?"),
        ({"preset": "tinny"}, "did you mean 'tiny'?"),
        ({"preset": "tiny", "seed": "x"}, "seed='x' must be a whole number"),
        ({"preset": "tiny", "data": "x"}, "give one of them"),
        ({"preset": "tiny", "split": "train"}, "split='train' must be one of test, validation"),
        ({"variant": "openbok"}, "did you mean 'openbook'?"),
        ({"preset": "nano", "questions": "mem_zeroshot"}, "has no questions 'mem_zeroshot'"),
    ],
)  # fmt: skip
def test_a_wrong_setting_gets_one_clear_sentence(settings, words, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises((UsageError, ReleaseError)) as error:
        harness.documents(**{"questions": "comp_iid", **settings})
    assert words in str(error.value) and "\n" not in str(error.value)


def test_settings_of_the_model_are_not_taken_for_ours(tiny_release):
    """The harness merges --model_args into the settings: its seed is not that of the data."""
    docs = harness.documents(
        "comp_iid",
        data=str(tiny_release),
        seed=1234,
        dtype="float32",
        pretrained="x",
        config_source="y",
        version=1.0,
    )
    assert docs["test"]["source"][0] == str(tiny_release)
    assert open_source(seed=1234).label == "preset v1, seed 42"


@pytest.mark.parametrize("samples", [0, -1, "many", True, 1.5])
def test_a_wrong_number_of_samples_gets_one_clear_sentence(samples, tiny_release):
    with pytest.raises(UsageError, match=r"samples=.* must be a whole number of at least 1"):
        manager(data=str(tiny_release), samples=samples).load("bioreason_mem_iid_passk")


def test_tasks_of_absent_levels_are_left_out_of_groups_and_empty_groups_of_all(tmp_path):
    gone = copy_tasks(tmp_path, ["comp_iid", "comp_zeroshot"])
    left = TaskManager(include_path=str(tmp_path), include_defaults=False)
    assert set(left.all_tasks) == set(all_names()) - gone
    text = (tmp_path / "comp" / "bioreason_comp.yaml").read_text()
    assert "bioreason_comp_zeroshot" in text and "depth" not in text
    assert "bioreason_mem" in gone and "bioreason_comp" not in gone and "bioreason" not in gone


def test_the_task_files_are_what_the_script_writes():
    import importlib.util
    from pathlib import Path

    script = Path(__file__).parents[2] / "scripts" / "write_tasks.py"
    if not script.is_file():
        pytest.skip("only the checkout has the script")
    spec = importlib.util.spec_from_file_location("write_tasks", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    tasks = resources.folder("tasks")
    texts = {
        file.relative_to(tasks).as_posix(): file.read_text()
        for file in tasks.rglob("bioreason*.yaml")
    }
    assert texts == module.task_files()


def test_bioreason_eval_passes_everything_on_and_logs_the_answers(
    bioreason, tiny_release, tmp_path
):
    settings = json.dumps({"data": str(tiny_release), "samples": 2})
    tasks = "bioreason_comp,bioreason_ctx_iid_direct,bioreason_mem_iid_passk"
    words = (
        "--model",
        "dummy",
        "--tasks",
        tasks,
        "--metadata",
        settings,
        "--limit",
        4,
        "--output_path",
        tmp_path,
    )
    done = bioreason("eval", *words, env={"HF_HUB_OFFLINE": "1"})
    assert done.returncode == 0, done.stderr[-2000:]
    assert "bioreason_comp_zeroshot" in done.stdout and "pass@1" in done.stdout
    assert "identical_samples" in done.stdout and "pass@2" not in done.stdout
    assert "one sample repeated, so only pass@1 is reported" in done.stderr
    logs = {
        file.name.partition("_2")[0].removeprefix("samples_bioreason_")
        for file in tmp_path.rglob("samples_*.jsonl")
    }
    assert logs == {f"comp_{level}" for level in LEVELS} | {"ctx_iid_direct", "mem_iid_passk"}


def test_a_wrong_task_model_or_preset_gets_one_clear_sentence(cli):
    done = cli(
        "eval",
        "--model",
        "dummy",
        "--tasks",
        "bioreason_comp_zeroshoot",
        "--metadata",
        '{"preset": "tiny"}',
    )
    assert (
        done.exit_code == 2
        and "no task 'bioreason_comp_zeroshoot': did you mean 'bioreason_comp_zeroshot'?"
        in done.stderr
    )
    done = cli(
        "eval",
        "--model",
        "dummy",
        "--tasks",
        "bioreason_mem_zeroshot",
        "--metadata",
        '{"preset": "nano"}',
    )
    assert (
        done.exit_code == 2
        and "preset nano, seed 42 has no questions 'mem_zeroshot'" in done.stderr
    )
    assert cli("eval").exit_code == 2
    done = cli(
        "eval",
        "--model",
        "dumy",
        "--tasks",
        "bioreason_comp_iid",
        "--metadata",
        '{"preset": "tiny"}',
    )
    assert done.exit_code == 2 and "no kind of model 'dumy': did you mean 'dummy'?" in done.stderr
    done = cli(
        "eval",
        "--model",
        "dummy",
        "--tasks",
        "bioreason_comp_iid",
        "--metadata",
        '{"preset": "tinyy"}',
    )
    assert done.exit_code == 2 and "did you mean 'tiny'?" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--model", "hf"), True),
        (("--model=hf",), True),
        (("--model", "dummy", "--model_args", "pretrained=x"), False),
    ],
)
def test_a_model_of_transformers_may_be_one_of_our_small_ones(arguments, expected, monkeypatch):
    """Their class is registered before the harness looks for it."""
    nano = pytest.importorskip("bioreason_bench.training.models.nano")
    from bioreason_bench.commands import eval as command
    from bioreason_bench.evaluation.harness import run

    calls = []
    monkeypatch.setattr(nano, "register", lambda: calls.append("register"))
    monkeypatch.setattr(run, "run_harness", lambda arguments: calls.append("run"))
    command.command.callback(arguments)
    assert calls == ["register"] * expected + ["run"]


def test_task_files_find_their_functions():
    import re

    from bioreason_bench.evaluation import harness as names

    called = "".join(file.read_text() for file in resources.folder("tasks").glob("_*.yaml"))
    functions = set(
        re.findall(r"!function bioreason_bench\.evaluation\.harness\.(\w+)$", called, re.MULTILINE)
    )
    assert len(functions) == 11
    for name in functions:
        assert getattr(names, name) is getattr(harness, name)
    with pytest.raises(AttributeError):
        names.document  # noqa: B018


@pytest.mark.parametrize(
    ("metadata", "fragment"),
    [
        ({"presett": "tiny"}, "--metadata has no 'presett'; did you mean 'preset'?"),
        ({"preset": "tiny", "colour": "red"}, "--metadata has no 'colour'; it has data, "),
        ({"preset": "tiny", "sample_seeds": "yes"}, "sample_seeds"),
        ({"seed": 7}, "names a world only together with a preset"),
        ({"revision": "v1.0.0"}, "needs data"),
    ],
)
def test_an_unknown_setting_is_refused_before_anything_is_asked(cli, metadata, fragment):
    words = ("--model", "dummy", "--tasks", "bioreason_comp_iid")
    done = cli("eval", *words, "--metadata", json.dumps(metadata))
    assert done.exit_code == 2 and fragment in done.stderr


def test_plain_lm_eval_refuses_a_misspelt_setting_too():
    with pytest.raises(UsageError, match="no 'presett'; did you mean 'preset'"):
        harness.documents("comp_iid", presett="tiny")
    others = ("pretrained", "dtype", "device", "parallelize", "max_length", "num_concurrent")
    docs = harness.documents("comp_iid", preset="tiny", **dict.fromkeys(others, 1))
    assert len(docs["test"]) > 0, "arguments of models are none of ours"


def test_scores_without_answers_are_told_to_log_them(cli, tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "results_2026-01-01T00-00-00.json").write_text("{}")
    done = cli("stats", tmp_path)
    assert done.exit_code == 2 and "holds scores and no answers" in done.stderr
    assert "--log_samples" in done.stderr


def test_an_empty_chat_completion_is_truncated_and_a_wrong_one_is_not(tiny_release):
    doc = harness.documents("ctx_iid", data=str(tiny_release))["test"][0]
    for text, truncated in ((None, 1), ("", 1), ("  ", 1), ("<think>hm", 1), ("I cannot say.", 0)):
        scores = harness.score_chat(doc, [text])
        assert (scores["truncated"], scores["exact_match"]) == (truncated, 0), text


@pytest.mark.parametrize(
    "config", ["mem_direction", "ctx_iid", "comp_conflict", "comp_unanswerable"]
)
def test_what_cannot_be_an_open_book_is_refused_in_a_sentence(config, tiny_release):
    with pytest.raises(UsageError, match=f"{config} has no variant openbook: leave"):
        harness.documents(config, "openbook", data=str(tiny_release))
