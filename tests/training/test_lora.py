"""LoRA: adapters are trained in place of the weights, and merged when a stage ends."""

from __future__ import annotations

import json

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")
pytest.importorskip("peft")

from safetensors.torch import load_file

from bioreason_bench.errors import UsageError
from bioreason_bench.training import run as runs
from bioreason_bench.training.data import Corpus
from bioreason_bench.training.models import load as models
from bioreason_bench.training.recipe import make_recipe
from bioreason_bench.training.run_folder import save_model
from bioreason_bench.training.stages.callback import ProgressCallback

LLAMA = {
    "model_type": "llama",
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "intermediate_size": 48,
}
STAGES = [
    {
        "kind": "sft",
        "steps": 6,
        "learning_rate": 1e-2,
        "warmup": 1,
        "save_every": 3,
        "batch": {"mem": 6, "biographies": 2},
    },
    {
        "kind": "grpo",
        "steps": 4,
        "learning_rate": 1e-2,
        "warmup": 1,
        "save_every": 2,
        "max_completion": 16,
        "samples": 4,
        "beta": 0.01,
        "reward": {"format": 1.0, "process": 1.0},
        "prompts": {"comp_rl": 4},
        "batch": {"mem": 2},
    },
]


def silent(_: str) -> None:
    pass


@pytest.fixture(scope="module")
def llama(nano_release, tmp_path_factory):
    """A new Llama of two layers, with a tokenizer for the release."""
    folder = tmp_path_factory.mktemp("llama")
    save_model(*models.from_scratch(dict(LLAMA), Corpus(nano_release), 0), folder)
    return folder


def recipe_of(llama, **fields):
    return make_recipe(
        {
            "name": "adapted",
            "model": {"name": str(llama)},
            "packed": True,
            "bf16": False,
            "max_length": 192,
            "lora": {"r": 4, "alpha": 8, "dropout": 0.1},
            "evaluate": {"limit": 6, "configs": ["mem_iid"]},
            "stages": STAGES,
            **fields,
        }
    )


@pytest.fixture(scope="module")
def trained(llama, nano_release, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "whole"
    runs.train(recipe_of(llama), Corpus(nano_release), out, log=silent, bar=False)
    return out


def test_a_stage_leaves_a_whole_model_with_new_linear_layers_and_nothing_else_new(llama, trained):
    before = load_file(llama / "model.safetensors")
    for stage in ("1-sft", "2-grpo"):
        after = load_file(trained / stage / "model.safetensors")
        assert set(after) == set(before)
        moved = {name for name in before if not torch.equal(before[name], after[name])}
        assert moved == {name for name in before if name.endswith("_proj.weight")}
        for name in moved:  # the difference of a stage has the rank of its adapter
            ranks = torch.linalg.matrix_rank(after[name] - before[name], rtol=1e-3)
            assert 1 <= int(ranks) <= 4
        before = after
        assert not list((trained / stage).glob("adapter*"))
        model, _ = models.load(trained / stage)
        assert type(model).__name__ == "LlamaForCausalLM"


@pytest.mark.parametrize(
    ("kind", "step"), [pytest.param("sft", 5, marks=pytest.mark.deep), ("grpo", 3)]
)
def test_a_run_that_was_killed_and_resumed_ends_in_the_same_model(
    llama, trained, nano_release, tmp_path, monkeypatch, kind, step
):
    complete = ProgressCallback.on_step_end

    def killed(self, args, state, control, **options):
        complete(self, args, state, control, **options)
        if self.progress.name.endswith(kind) and state.global_step == step:
            raise KeyboardInterrupt

    monkeypatch.setattr(ProgressCallback, "on_step_end", killed)
    arguments = (recipe_of(llama), Corpus(nano_release), tmp_path / "run")
    with pytest.raises(KeyboardInterrupt):
        runs.train(*arguments, log=silent, bar=False)
    (checkpoint,) = (tmp_path / "run").glob("*/checkpoints/*/")
    assert (checkpoint / "adapter_model.safetensors").is_file()
    assert not (checkpoint / "model.safetensors").exists()
    assert not (checkpoint / "ref").exists()  # else transformers before 5.23 resumes that alone
    monkeypatch.setattr(ProgressCallback, "on_step_end", complete)
    runs.train(*arguments, resume=True, log=silent, bar=False)
    first, second = (
        load_file(folder / "2-grpo" / "model.safetensors") for folder in (trained, tmp_path / "run")
    )
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_another_run_continues_from_a_stage_with_adapters(llama, trained, nano_release, tmp_path):
    runs.train(
        recipe_of(llama, name="again"),
        Corpus(nano_release),
        tmp_path / "run",
        base=_first_stage(trained, tmp_path),
        log=silent,
        bar=False,
    )
    first, second = (
        load_file(folder / "2-grpo" / "model.safetensors") for folder in (trained, tmp_path / "run")
    )
    assert all(torch.equal(first[name], second[name]) for name in first)


def _first_stage(trained, tmp_path):
    """The same run, as it stood after its first stage."""
    import shutil

    base = tmp_path / "base"
    shutil.copytree(trained, base, ignore=shutil.ignore_patterns("2-grpo", "results.jsonl"))
    return base


def test_adapters_that_fit_no_layer_are_refused_in_a_sentence(llama, nano_release, tmp_path):
    recipe = recipe_of(llama, lora={"target_modules": ["nonesuch"]})
    with pytest.raises(UsageError, match=r"lora: .*nonesuch") as caught:
        runs.train(
            recipe, Corpus(nano_release), tmp_path / "run", log=silent, bar=False, try_first=True
        )
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_a_new_model_has_no_use_for_adapters(llama):
    with pytest.raises(UsageError, match=r"give model\.name, or leave out lora"):
        recipe_of(llama, model={"from_scratch": LLAMA})


def test_a_recipe_without_adapters_shares_no_stage_with_one_that_has_them(llama):
    with_lora = recipe_of(llama)
    plain = {key: value for key, value in with_lora.as_dict().items() if key != "lora"}
    assert make_recipe(plain).shared_stages(with_lora) == 0
    assert recipe_of(llama).shared_stages(with_lora) == 2


def test_adapters_under_fsdp_are_refused_before_anything_is_loaded(
    llama, nano_release, tmp_path, monkeypatch
):
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    with pytest.raises(UsageError, match="FSDP"):
        runs.check_stages(recipe_of(llama), tmp_path, first=1)


def test_a_run_records_its_adapters_in_its_recipe(trained):
    assert json.loads((trained / "run.json").read_text())["recipe"]["lora"]["r"] == 4
