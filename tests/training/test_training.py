"""Runs of small models: whole, killed and resumed, on two processes, and scored as lm-eval does."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from bioreason_bench.commands.baseline import main
from bioreason_bench.errors import MissingExtra, ReleaseError, UsageError
from bioreason_bench.training import run as runs
from bioreason_bench.training.data import Corpus
from bioreason_bench.training.models import load as models
from bioreason_bench.training.recipe import make_recipe
from bioreason_bench.training.run_folder import save_model
from bioreason_bench.training.stages.callback import ProgressCallback

SMALL = {
    "name": "small",
    "model": {"from_scratch": {"hidden_size": 32, "num_hidden_layers": 2, "intermediate_size": 64}},
    "packed": True,
    "bf16": False,
    "max_length": 192,
    "evaluate": {"limit": 6, "configs": ["mem_iid", "comp_zeroshot"]},
    "stages": [
        {
            "kind": "sft",
            "steps": 8,
            "learning_rate": 4e-3,
            "matrix_learning_rate": 0.02,
            "warmup": 2,
            "save_every": 4,
            "batch": {"mem": 6, "ctx": 2, "biographies": 2},
        },
        {
            "kind": "grpo",
            "steps": 4,
            "learning_rate": 1e-3,
            "warmup": 1,
            "save_every": 2,
            "max_completion": 24,
            "samples": 4,
            "prompts": {"comp_rl": 6},
            "reward": {"outcome": 1.0, "process": 0.5, "format": 0.1},
            "batch": {"biographies": 4, "mem": 2},
        },
    ],
}


def silent(_: str) -> None:
    pass


def weights(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


@pytest.fixture(scope="module")
def trained(nano_release, tmp_path_factory):
    """A run of two stages, uninterrupted."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    runs.train(make_recipe(SMALL), Corpus(nano_release), out, log=silent, bar=False)
    return out


def test_a_run_writes_models_curves_verdicts_and_one_line_for_each_stage_and_test_set(trained):
    lines = [json.loads(line) for line in (trained / "results.jsonl").read_text().splitlines()]
    assert [(line["stage"], line["config"]) for line in lines] == [
        (2, "mem_iid"),
        (2, "comp_zeroshot"),
    ]
    assert all(line["questions"] == 6 for line in lines)
    for folder in ("1-sft", "2-grpo"):
        assert (trained / folder / "model.safetensors").is_file()
        assert not (trained / folder / "checkpoints").exists()
        assert (trained / folder / "log.jsonl").read_text().count("\n") >= 1
    assert not list(trained.rglob("*.bin"))
    noted = json.loads((trained / "run.json").read_text())
    assert {"recipe", "command", "world", "versions", "revision", "machine"} <= set(noted)
    assert noted["machine"]["precision"] in {"float32", "bfloat16"}
    assert len((trained / "2-grpo" / "test" / "mem_iid.jsonl").read_text().splitlines()) == 6


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "step"), [("sft", 6), pytest.param("grpo", 3, marks=pytest.mark.deep)]
)
def test_a_run_that_was_killed_and_resumed_ends_in_the_same_model(
    trained, nano_release, tmp_path, monkeypatch, stage, step
):
    corpus, recipe = Corpus(nano_release), make_recipe(SMALL)
    complete = ProgressCallback.on_step_end

    def killed(self, args, state, control, **options):
        complete(self, args, state, control, **options)
        if self.progress.name.endswith(stage) and state.global_step == step:
            raise KeyboardInterrupt

    monkeypatch.setattr(ProgressCallback, "on_step_end", killed)
    with pytest.raises(KeyboardInterrupt):
        runs.train(recipe, corpus, tmp_path / "run", log=silent, bar=False)
    monkeypatch.setattr(ProgressCallback, "on_step_end", complete)
    with pytest.raises(UsageError, match="--resume"):
        runs.train(recipe, corpus, tmp_path / "run", log=silent, bar=False)
    results = runs.train(recipe, corpus, tmp_path / "run", resume=True, log=silent, bar=False)
    first, second = weights(trained / "2-grpo"), weights(tmp_path / "run" / "2-grpo")
    assert all(torch.equal(first[name], second[name]) for name in first)
    timeless = [{key: value for key, value in line.items() if key != "seconds"} for line in results]
    whole = [json.loads(line) for line in (trained / "results.jsonl").read_text().splitlines()]
    assert timeless == [
        {key: value for key, value in line.items() if key != "seconds"} for line in whole
    ]


@pytest.mark.slow
def test_scores_equal_those_of_lm_eval_question_by_question(trained, nano_release, tmp_path):
    pytest.importorskip("lm_eval")
    from bioreason_bench.evaluation.harness.run import run_harness

    model = trained / "2-grpo"
    settings = json.dumps({"data": str(nano_release)})
    options = {
        "--model": "hf",
        "--model_args": f"pretrained={model},dtype=float32",
        "--tasks": "bioreason_mem_iid",
        "--metadata": settings,
        "--batch_size": "16",
        "--device": "cpu",
        "--limit": "16",
        "--output_path": str(tmp_path / "out"),
    }
    run_harness([word for option in options.items() for word in option] + ["--log_samples"])
    (log,) = (tmp_path / "out").rglob("samples_*.jsonl")
    theirs = {}
    for line in log.read_text().splitlines():
        row = json.loads(line)
        theirs[row["doc"]["id"]] = (
            row["filtered_resps"][0].strip() if row["filtered_resps"] else "",
            row["exact_match"],
        )
    corpus = Corpus(nano_release)
    from bioreason_bench.training.measure import measure

    loaded, tokenizer = models.load(model)
    measure(loaded, tokenizer, corpus, ["mem_iid"], out=tmp_path / "ours")
    ours = {
        row["id"]: row
        for row in map(json.loads, (tmp_path / "ours" / "mem_iid.jsonl").read_text().splitlines())
    }
    assert len(theirs) == 16
    for name, (text, exact) in theirs.items():
        assert float(ours[name]["exact_match"]) == float(exact)
        shorter = min(len(text), len(ours[name]["completion"].strip()))
        assert text[:shorter] == ours[name]["completion"].strip()[:shorter]


def test_a_fresh_process_loads_a_nano_model_by_its_folder(trained):
    code = (
        "from bioreason_bench.training.models.load import load; import sys;"
        "print(type(load(sys.argv[1])[0]).__name__)"
    )
    argv = [sys.executable, "-c", code, str(trained / "2-grpo")]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "NanoForCausalLM"


@pytest.mark.slow
def test_two_processes_under_accelerate_train_one_model(nano_release, tmp_path):
    recipe = tmp_path / "two.yaml"
    values = json.loads(json.dumps(SMALL))
    values["stages"][0]["steps"], values["stages"][1]["steps"] = 4, 2
    recipe.write_text(json.dumps(values))
    launch = [
        sys.executable,
        "-m",
        "accelerate.commands.launch",
        "--cpu",
        "--num_processes",
        "2",
        "--num_machines",
        "1",
        "--mixed_precision",
        "no",
    ]
    argv = [
        "train",
        str(recipe),
        "--data",
        str(nano_release),
        "--out",
        str(tmp_path / "run"),
        "-q",
    ]
    done = subprocess.run(
        [*launch, "--dynamo_backend", "no", "-m", "bioreason_bench.commands.baseline", *argv],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [line["config"] for line in lines] == ["mem_iid", "comp_zeroshot"]
    speed = json.loads((tmp_path / "run" / "1-sft" / "done.json").read_text())
    assert speed["steps"] == 4


@pytest.mark.slow
def test_any_named_model_trains_in_english_too(tiny_release, tmp_path):
    from transformers import Qwen2Config, Qwen2ForCausalLM

    from bioreason_bench.training.models.tokenizer import make_tokenizer

    corpus = Corpus(tiny_release)
    tokenizer = make_tokenizer(models.texts_of(corpus), "english", 1000)
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        intermediate_size=64,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    Qwen2ForCausalLM(config).save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    values = json.loads(json.dumps(SMALL))
    values |= {
        "model": {"name": str(tmp_path / "model")},
        "packed": False,
        "max_length": 4096,
        "preset": "tiny",
    }
    values["evaluate"] = {"limit": 4, "configs": ["comp_iid"], "each_stage": True}
    values["stages"][0] |= {
        "steps": 2,
        "batch": {"mem": 2, "ctx": 2},
        "matrix_learning_rate": 0,
        "accumulate": 2,
        "trl": {"gradient_checkpointing": True},
    }
    values["stages"][1] |= {
        "steps": 2,
        "max_completion": 8,
        "beta": 0.01,
        "accumulate": 2,
        "prompts": {"comp_rl": 2},
        "batch": {"mem": 2},
    }
    results = runs.train(make_recipe(values), corpus, tmp_path / "run", log=silent, bar=False)
    assert [(line["stage"], line["questions"]) for line in results] == [(1, 4), (2, 4)]
    before, after = weights(tmp_path / "run" / "1-sft"), weights(tmp_path / "run" / "2-grpo")
    assert any(not torch.equal(before[name], after[name]) for name in before)


@pytest.mark.slow
def test_rejection_fine_tuning_learns_only_right_completions(nano_release, tmp_path):
    values = json.loads(json.dumps(SMALL))
    values["stages"] = [
        {**values["stages"][0], "steps": 150, "batch": {"mem": {"rows": 8, "limit": 8}}},
        {
            "kind": "rft",
            "steps": 3,
            "learning_rate": 1e-4,
            "warmup": 0,
            "samples": 8,
            "keep": 1,
            "max_completion": 24,
            "prompts": {"mem": {"rows": 4, "limit": 8}},
        },
    ]
    corpus = Corpus(nano_release)
    runs.train(make_recipe(values), corpus, tmp_path / "run", log=silent, bar=False)
    kept = [
        json.loads(line)
        for line in (tmp_path / "run" / "2-rft" / "kept.jsonl").read_text().splitlines()
    ]
    grader = corpus.grader()
    assert kept
    assert all(grader.grade(row["chain"], row).exact_match for row in kept)
    assert len({row["id"] for row in kept}) == len(kept)


def test_a_run_takes_its_first_stages_from_another_run(trained, nano_release, tmp_path):
    corpus = Corpus(nano_release)
    sft = {
        "kind": "sft",
        "steps": 2,
        "learning_rate": 1e-3,
        "warmup": 1,
        "batch": {"comp_rl": {"rows": 4, "limit": 8}},
    }
    recipe = make_recipe({**SMALL, "name": "control", "stages": [SMALL["stages"][0], sft]})
    lines = {}
    for name, base in (("whole", None), ("shared", trained)):
        lines[name] = runs.train(recipe, corpus, tmp_path / name, base=base, log=silent, bar=False)
    assert [line["exact_match"] for line in lines["whole"]] == [
        line["exact_match"] for line in lines["shared"]
    ]
    assert not (tmp_path / "shared" / "1-sft").exists()
    ours, theirs = (weights(tmp_path / name / "2-sft") for name in lines)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    further = make_recipe({**recipe.as_dict(), "stages": [*recipe.as_dict()["stages"], sft]})
    runs.train(
        further,
        corpus,
        tmp_path / "further",
        base=tmp_path / "shared",
        log=silent,
        bar=False,
    )
    assert [path.name for path in (tmp_path / "further").glob("*-*")] == ["3-sft"]
    for setting, message in [
        ({"seed": "1"}, "no stage that recipe control begins with"),
        ({"1.steps": "7"}, "no stage that recipe control begins with"),
    ]:
        with pytest.raises(UsageError, match=message):
            runs.train(
                make_recipe(recipe.as_dict(), setting),
                corpus,
                tmp_path / "no",
                base=trained,
                log=silent,
                bar=False,
            )
    with pytest.raises(UsageError, match="all stages of this recipe already"):
        runs.train(make_recipe(SMALL), corpus, tmp_path / "no", base=trained, log=silent, bar=False)
    with pytest.raises(UsageError, match="no folder of a run"):
        runs.train(recipe, corpus, tmp_path / "no", base=tmp_path, log=silent, bar=False)
    assert not (tmp_path / "no").exists()


def test_reproduce_trains_shared_stages_once_continues_and_writes_the_page(nano_release, tmp_path):
    pytest.importorskip("matplotlib")
    argv = ["reproduce", "--data", str(nano_release), "--out", str(tmp_path), "--workers", "2"]
    small = [
        "model.from_scratch.hidden_size=32",
        "model.from_scratch.num_hidden_layers=2",
        "1.batch={mem: 4}",
        "1.steps=3",
        "2.batch={mem: 4}",
        "2.steps=3",
        "3.batch.comp_rl.rows=8",
        "3.accumulate=1",
        "3.steps=2",
        "evaluate.limit=4",
    ]
    small += ["evaluate.configs=[mem_iid, comp_iid, comp_zeroshot]"]
    for setting in small:
        argv += ["--set", setting]
    for arm in ("sft_mem_ctx", "sft_mem_ctx+gold"):
        argv += ["--arm", arm]
    first = CliRunner().invoke(main, argv)
    assert first.exit_code == 0, first.output
    assert "2 runs (2 arms, 1 seeds), 0 complete" in first.stderr
    folder = tmp_path / "seed0" / "sft_mem_ctx+gold"
    assert [path.name for path in folder.glob("*-*")] == ["3-sft"]
    lines = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert [(line["type"], line["arm"]) for line in lines[::4]] == [
        ("run", "sft_mem_ctx"),
        ("run", "sft_mem_ctx+gold"),
    ]
    assert {line["config"] for line in lines if line["type"] == "result"} == {
        "mem_iid",
        "comp_iid",
        "comp_zeroshot",
    }
    assert Path(first.stdout.strip()).is_file()
    before = (folder / "3-sft" / "done.json").stat().st_mtime_ns
    again = CliRunner().invoke(main, argv)
    assert again.exit_code == 0 and "2 complete" in again.stderr
    assert (folder / "3-sft" / "done.json").stat().st_mtime_ns == before
    wrong = CliRunner().invoke(main, [*argv, "--set", "grpo.steps=3"])
    assert wrong.exit_code == 2
    assert "no arm has such a stage" in wrong.stderr


def test_a_wrong_model_name_gets_one_sentence_offline_too(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for name in ("no/such-model-anywhere", "no-such-folder/at all"):
        with pytest.raises(UsageError, match="cannot be loaded") as caught:
            models.load(name)
        assert "\n" not in str(caught.value)


def test_a_missing_extra_names_its_install_line(monkeypatch):
    import importlib.util

    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "trl" else find_spec(name, *rest),
    )
    with pytest.raises(MissingExtra, match=r"pip install 'bioreason-bench\[train\]'"):
        models.need_training()


def test_a_full_disk_is_named_and_leaves_the_stage_undone(nano_release, tmp_path):
    class Full:
        def save_pretrained(self, *_, **__):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(ReleaseError, match=r"No space left on device.*--resume"):
        save_model(Full(), None, tmp_path)


def test_the_command_line_answers_wrong_usage_with_a_sentence_and_code_2(
    nano_release, trained, tmp_path
):
    for argv, message in (
        (["train", "nonesuch"], "there is no recipe"),
        (["train", "--set", "sft.steps"], "key=value"),
        (["train", "sft_mem", "--sweep", "--data", str(nano_release)], "has no sweep"),
        (["train", "sft_mem", "--data", str(tmp_path / "nowhere")], "nowhere"),
        (
            ["eval", str(trained / "2-grpo"), "--data", str(nano_release), "--config", "comp_iidd"],
            "has no test set",
        ),
        (["report", str(tmp_path)], "no results"),
    ):
        result = CliRunner().invoke(main, argv)
        assert message in result.stderr, (argv, result.stderr)
        assert result.exit_code in (1, 2)
        assert "Traceback" not in result.output
        assert result.stderr.count("\n") == 1


def test_every_command_has_help():
    for name, command in main.commands.items():
        assert command.help, name
        silent = [
            option.name
            for option in command.params
            if option.param_type_name == "option" and not option.help and not option.hidden
        ]
        assert not silent, name


@pytest.mark.slow
def test_pass_at_k_compares_models_with_one_sampling_budget(trained, nano_release):
    from bioreason_bench.experiments.passk import Sampling, measure_passk

    lines = measure_passk(
        [str(trained / "1-sft"), str(trained / "2-grpo")],
        Corpus(nano_release),
        "mem_iid",
        limit=3,
        sampling=Sampling(8),
        log=silent,
    )
    assert [set(line["answers"]) for line in lines] == [{"1", "2", "4", "8"}] * 2
    assert all(list(line["answers"].values()) == sorted(line["answers"].values()) for line in lines)
    assert lines[0]["gold_chain_log_likelihood"] < 0
