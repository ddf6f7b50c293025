"""What a recipe, a model's folder and a broken run may not do: run code, leak a token, or crash."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from bioreason_bench.commands.baseline import main
from bioreason_bench.errors import BioreasonError, UsageError
from bioreason_bench.experiments.results import read_lines
from bioreason_bench.training.data import Corpus
from bioreason_bench.training.models import load as models
from bioreason_bench.training.recipe import load_recipe, make_recipe
from bioreason_bench.training.run import check_stages, train
from bioreason_bench.training.run_folder import find_stage, read_run

SFT = {"kind": "sft", "steps": 1, "learning_rate": 1e-3, "batch": {"mem": 2}}
SMALL = {"hidden_size": 32, "num_hidden_layers": 1, "intermediate_size": 32}
RECIPE = {"name": "r", "model": {"from_scratch": SMALL}, "max_length": 192, "stages": [SFT]}
EVALUATE = {"limit": 1, "configs": ["mem_iid"]}


def with_options(name, **options):
    return {**RECIPE, "model": {"name": str(name), "options": options}, "evaluate": EVALUATE}


def with_trl(**options):
    return {**RECIPE, "stages": [{**SFT, "trl": options}]}


def silent(_):
    pass


@pytest.fixture(scope="module")
def nano_model(nano_release, tmp_path_factory):
    """A folder with a new model and its tokenizer."""
    folder = tmp_path_factory.mktemp("models") / "nano"
    for part in models.start(make_recipe(RECIPE), Corpus(nano_release)):
        part.save_pretrained(folder)
    return folder


@pytest.fixture
def coded_model(nano_model, tmp_path):
    """A model whose configuration is Python code that leaves a file when it runs."""
    folder = tmp_path / "coded"
    shutil.copytree(nano_model, folder)
    ran = tmp_path / "ran"
    (folder / "code.py").write_text(
        f"open({str(ran)!r}, 'w').close()\n"
        "from bioreason_bench.training.models.nano import NanoConfig\n"
        "class Coded(NanoConfig):\n    model_type = 'coded'\n"
        "from bioreason_bench.training.models.nano import NanoForCausalLM\n"
        "class CodedModel(NanoForCausalLM):\n    config_class = Coded\n"
    )
    config = json.loads((folder / "config.json").read_text())
    config["model_type"] = "coded"
    config["auto_map"] = {"AutoConfig": "code.Coded", "AutoModelForCausalLM": "code.CodedModel"}
    (folder / "config.json").write_text(json.dumps(config))
    return folder, ran


def test_the_code_of_a_model_runs_only_if_the_command_line_says_so(
    coded_model, nano_release, tmp_path, monkeypatch
):
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "m"))
    folder, ran = coded_model
    recipe = tmp_path / "r.yaml"
    argv = ["train", str(recipe), "--data", str(nano_release), "-q", "--out", str(tmp_path / "run")]
    for asked in ({}, {"trust_remote_code": True}):
        recipe.write_text(json.dumps(with_options(folder, **asked)))
        refused = CliRunner().invoke(main, argv)
        assert refused.exit_code == 2, refused.output
        assert refused.stderr.count("\n") == 1
        assert not ran.exists()
        shutil.rmtree(tmp_path / "run", ignore_errors=True)
    assert "--trust-remote-code" in refused.stderr
    by_setting = [*argv, "--set", "model.options.trust_remote_code=true"]
    recipe.write_text(json.dumps(with_options(folder)))
    assert "--trust-remote-code" in CliRunner().invoke(main, by_setting).stderr
    with pytest.raises(UsageError, match="trust_remote_code"):
        train(make_recipe(with_options(folder, trust_remote_code=True)), None, tmp_path / "run")
    both = ["reproduce", "--data", str(nano_release), "--arm", str(recipe)]
    both += ["--out", str(tmp_path / "all"), "--set", "model.options.trust_remote_code=true"]
    assert "--trust-remote-code" in CliRunner().invoke(main, both).stderr
    assert not ran.exists()
    allowed = CliRunner().invoke(main, [*argv, "--trust-remote-code"])
    assert allowed.exit_code == 0, allowed.output
    assert allowed.stderr.startswith("warning: the Python code of model")
    assert ran.exists()


def test_only_safetensors_are_loaded(nano_model, tmp_path):
    with pytest.raises(UsageError, match="only safetensors are loaded"):
        make_recipe(with_options(nano_model, use_safetensors=False))
    pickled = tmp_path / "pickled"
    shutil.copytree(nano_model, pickled)
    (pickled / "model.safetensors").unlink()
    torch.save(models.load(nano_model)[0].state_dict(), pickled / "pytorch_model.bin")
    with pytest.raises(UsageError, match="cannot be loaded; give a folder with safetensors"):
        models.load(pickled, {"use_safetensors": False})
    torn = tmp_path / "torn"
    shutil.copytree(nano_model, torn)
    (torn / "model.safetensors").write_bytes(b"torn")
    with pytest.raises(UsageError, match="cannot be loaded"):
        models.load(torn)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (with_options("m", device_map="auto"), "no field 'device_map'"),
        (with_options("m", attn_implementation="org/kernels"), "attn_implementation"),
        (with_options("m", trust_remote_code="yes"), "not of type 'boolean'"),
        ({**RECIPE, "model": {"from_scratch": {"auto_map": {}}}}, "auto_map"),
        (with_trl(output_dir="/elsewhere"), "trl.output_dir is not passed on; use --out"),
        (with_trl(push_to_hub=True), "trl.push_to_hub is not passed on; upload"),
        (with_trl(hub_token="hf_secret"), "trl.hub_token is not passed on; upload"),
        (with_trl(report_to="wandb"), "trl.report_to is not passed on; the learning curve"),
        (with_trl(run_name="x"), "trl.run_name is not passed on; use the recipe's name"),
        (with_trl(resume_from_checkpoint="x"), "trl.resume_from_checkpoint is not passed on"),
        (with_trl(save_total_limit=0), "trl.save_total_limit is not passed on; use save_every"),
        (with_trl(max_steps=2), "trl.max_steps is not passed on; use steps"),
        (with_trl(model_init_kwargs={"trust_remote_code": True}), "use model.options"),
        (with_trl(trust_remote_code=True), "use --trust-remote-code"),
    ],
)
def test_options_that_run_code_move_a_run_or_break_it_are_refused_by_name(values, words):
    with pytest.raises(UsageError) as caught:
        make_recipe(values)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_trl_checks_the_options_of_all_stages_before_the_first(tmp_path):
    second = {**SFT, "kind": "grpo", "prompts": {"comp_rl": 2}}
    for options, words in (
        ({"trl": {"use_vlm": True}}, "use_vlm"),
        ({"trl": {"lr_scheduler_type": "nonesuch"}}, "nonesuch"),
        ({"accumulate": 7}, "cannot be shared by 7"),
    ):
        recipe = make_recipe({**RECIPE, "stages": [SFT, {**second, **options}]})
        with pytest.raises(UsageError, match=words):
            check_stages(recipe, tmp_path, first=1)


NASTY = {
    "deep": "stages: " + "[" * 3000,
    "lol": "a: &a [x, x]\n"
    + "".join(
        f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "name: *i\n",
    "itself": "model: &m {from_scratch: *m}\nstages: []",
    "numbers as fields": "5: 6\n",
    "null as field": "null: 6\n",
    "a date": "about: 2024-01-01\n",
    "digits": f"seed: {'9' * 5000}\n",
    "no text": "\udcff",
    "a list": "- 1\n",
    "stages 5": "model: {name: x}\nstages: 5\n",
    "long name": f"name: {'x' * 20_000}\nmodel: {{name: x}}\nstages: []\n",
    "control": 'name: "a\\nb"\nmodel: {name: x}\nstages: []\n',
    "megabytes": "# " + "x" * 1_000_001,
    "elsewhere": "preset: ../../x\nmodel: {name: x}\nstages: []\n",
}


@pytest.mark.parametrize("name", NASTY)
def test_a_nasty_recipe_gets_one_short_sentence(tmp_path, name):
    path = tmp_path / "r.yaml"
    path.write_bytes(NASTY[name].encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError) as caught:
        load_recipe(path, {"1.steps": "3"})
    assert len(str(caught.value)) < 500
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "setting",
    [
        "sft.learning_rate=.nan",
        "sft.learning_rate=.inf",
        "sft.steps=1e30",
        "seed=-1",
        f"seed={'9' * 400}",
        "max_length=99999999999999",
        "sft.batch={}",
        "sft.batch.mem=0",
        "sft.steps=" + "[" * 3000,
        "x" * 20_000 + "=1",
        "sft.betas=[0.9, 1.0]",
        f"{'1' * 5000}.steps=1",
        "evaluate.configs=[nonesuch]",
        "model.from_scratch.hidden_size=-1",
        "model.from_scratch.hidden_size=7",
        "model.from_scratch.hidden_size=x",
        "model.from_scratch.num_hidden_layers=1000000000",
        "model.from_scratch.vocabulary=1",
        "model.from_scratch.initializer_range=x",
        "model.from_scratch.model_type=nonesuch",
    ],
)
def test_a_nasty_setting_gets_one_short_sentence(nano_release, tmp_path, setting):
    path = tmp_path / "r.yaml"
    path.write_text(json.dumps(RECIPE))
    argv = ["train", str(path), "--data", str(nano_release), "--out", str(tmp_path / "run"), "-q"]
    if setting.startswith("seed"):
        argv += ["--seed", setting.partition("=")[2]]
    answer = CliRunner().invoke(main, [*argv, "--set", setting])
    assert answer.exit_code == 2, (answer.output, answer.exception)
    assert len(answer.stderr) < 800
    assert answer.stderr.startswith(("bioreason-baseline: ", "Usage: "))


def test_a_new_model_is_not_larger_than_a_machine(nano_release):
    sizes = {"hidden_size": 100_000, "num_hidden_layers": 1000, "intermediate_size": 1_000_000}
    recipe = make_recipe({**RECIPE, "model": {"from_scratch": sizes}})
    with pytest.raises(UsageError, match="parameters; choose at most"):
        models.start(recipe, Corpus(nano_release))


def test_a_new_model_may_have_experts_if_its_sizes_fit(nano_release):
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "intermediate_size": 20}
    sizes |= {"model_type": "mixtral", "num_attention_heads": 2, "num_key_value_heads": 2}
    model = {"from_scratch": {**sizes, "num_local_experts": 3}}
    made, tokenizer = models.start(make_recipe({**RECIPE, "model": model}), Corpus(nano_release))
    assert made(**tokenizer("p1", return_tensors="pt")).logits.shape[-1] == len(tokenizer)
    model["from_scratch"]["num_local_experts"] = 1  # two of them are to answer
    with pytest.raises(UsageError, match="no such model can be made"):
        models.start(make_recipe({**RECIPE, "model": model}), Corpus(nano_release))


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "5", "{}", '{"recipe": 5}', "\0\0", "[" * 100_000, '{"recipe": {}}']
)
def test_a_broken_description_of_a_run_gets_one_sentence(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    (tmp_path / "results.jsonl").write_text("{}\n")
    for read in (read_run, lambda folder: read_lines([folder])):
        broken = r"run\.json (is broken|cannot be read|names no recipe|holds no table)"
        with pytest.raises(BioreasonError, match=broken) as caught:
            read(tmp_path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        "null",
        "[]",
        '{"type": "result"}',
        '{"type": "result", "arm": "a", "seed": "x", "stage": 1, "config": "c"}',
        '{"type": "run", "arm": "a", "seed": 1, "recipe": 5}',
        "[" * 100_000,
        "\udcff",
    ],
)
def test_broken_results_get_one_sentence(tmp_path, line):
    path = tmp_path / "results.jsonl"
    path.write_bytes(line.encode("utf-8", "surrogateescape"))
    answer = CliRunner().invoke(main, ["report", str(path), "--out", str(tmp_path / "page")])
    assert answer.exit_code == 2, (answer.output, answer.exception)
    assert answer.stderr.count("\n") == 1 and len(answer.stderr) < 600


def test_a_run_that_is_its_own_base_is_no_endless_search(tmp_path):
    run = {"recipe": {}, "world": {}, "first_stages_from": "."}
    (tmp_path / "run.json").write_text(json.dumps(run))
    assert find_stage(tmp_path, "1-sft").name == "1-sft"


def hub_cache(folder: Path, commits: dict[str, Path]) -> Path:
    """A cache of the Hub with the repository org/nano: commit -> folder; main is the first."""
    repo = folder / "models--org--nano"
    for commit, files in commits.items():
        shutil.copytree(files, repo / "snapshots" / commit)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text(next(iter(commits)))
    return repo


def test_a_model_of_the_hub_is_pinned_to_the_commit_with_which_the_run_began(
    nano_model, nano_release, tmp_path, monkeypatch
):
    changed = tmp_path / "changed"
    model, tokenizer = models.load(nano_model)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.5)
    model.save_pretrained(changed)
    tokenizer.save_pretrained(changed)
    first, second = "1" * 40, "2" * 40
    repo = hub_cache(tmp_path / "cache", {first: nano_model, second: changed})
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    recipe = make_recipe({**with_options("org/nano", dtype="float32"), "bf16": False})
    train(recipe, Corpus(nano_release), tmp_path / "run", log=silent, bar=False)
    assert read_run(tmp_path / "run")["model_revision"] == first
    weights = (tmp_path / "run" / "1-sft" / "model.safetensors").read_bytes()

    (repo / "refs" / "main").write_text(second)
    (tmp_path / "run" / "1-sft" / "done.json").unlink()
    train(recipe, Corpus(nano_release), tmp_path / "run", resume=True, log=silent, bar=False)
    assert (tmp_path / "run" / "1-sft" / "model.safetensors").read_bytes() == weights
    moved = models.load("org/nano")[0]
    assert torch.equal(next(moved.parameters()), next(model.parameters()))
    pinned = models.load("org/nano", revision=first)[0]
    assert not torch.equal(next(pinned.parameters()), next(model.parameters()))


def test_no_token_is_in_a_message_or_in_the_files_of_a_run(nano_release, tmp_path, monkeypatch):
    token = "hf_" + "abcDEF123456" * 2
    monkeypatch.setenv("HF_TOKEN", token)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    recipe = tmp_path / "r.yaml"
    argv = ["train", str(recipe), "--data", str(nano_release), "--out", str(tmp_path / "run")]
    outputs = []
    for values in (
        with_options(f"https://user:{token}@example.org/model"),
        with_options(f"org/{token}"),
        with_trl(hub_token=token),
        with_trl(optim_args=token, optim="nonesuch"),
    ):
        recipe.write_text(json.dumps(values))
        outputs.append(CliRunner().invoke(main, argv))
    small = {**RECIPE, "about": f"with {token}", "evaluate": EVALUATE, "bf16": False}
    recipe.write_text(json.dumps(small))
    made_by = ["--command", f"HF_TOKEN={token} bioreason-baseline train"]
    outputs.append(CliRunner().invoke(main, [*argv, *made_by]))
    outputs.append(CliRunner().invoke(main, [*argv, "--resume"]))
    assert [output.exit_code for output in outputs] == [2, 2, 2, 2, 0, 0], [
        output.output[-300:] for output in outputs
    ]
    assert not [output.output for output in outputs if token in output.output]
    for path in (tmp_path / "run").rglob("*"):
        assert path.is_dir() or token.encode() not in path.read_bytes(), path
    assert os.environ["HF_TOKEN"] == token
