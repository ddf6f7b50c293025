"""Every stage is tried before the first one is trained."""

from __future__ import annotations

import copy
import json
import sys
import types

import pytest
from click.testing import CliRunner

pytest.importorskip("torch")
pytest.importorskip("trl")

from bioreason_bench.commands.baseline import main
from bioreason_bench.errors import ReleaseError, UsageError
from bioreason_bench.training import run as runs
from bioreason_bench.training.data import Corpus
from bioreason_bench.training.dry_run import trials
from bioreason_bench.training.dry_run.trials import Trial, different_stages
from bioreason_bench.training.recipe import make_recipe

RECIPE = {
    "name": "tried",
    "model": {"from_scratch": {"hidden_size": 32, "num_hidden_layers": 1, "intermediate_size": 32}},
    "packed": True,
    "bf16": False,
    "max_length": 192,
    "evaluate": {"limit": 8, "configs": ["mem_iid"]},
    "stages": [
        {"kind": "sft", "steps": 40, "learning_rate": 1e-3, "batch": {"ctx": 4}},
        {
            "kind": "rft",
            "steps": 8,
            "learning_rate": 1e-3,
            "samples": 2,
            "max_completion": 24,
            "prompts": {"comp_rl": {"rows": 2, "limit": 20}},
        },
        {
            "kind": "grpo",
            "steps": 6,
            "learning_rate": 1e-3,
            "samples": 2,
            "max_completion": 24,
            "prompts": {"comp_rl": 4},
            "batch": {"biographies": 2},
        },
    ],
}


def changed(number: int, **fields) -> dict:
    """RECIPE with other fields in one stage."""
    recipe = copy.deepcopy(RECIPE)
    recipe["stages"][number - 1] |= fields
    return recipe


def test_a_dry_run_tries_each_kind_of_stage_and_leaves_nothing(nano_release, tmp_path):
    lines: list[str] = []
    corpus = Corpus(nano_release)
    found = runs.try_recipe(make_recipe(RECIPE), corpus, tmp_path / "run", log=lines.append)
    assert [trial.kind for trial in found] == ["sft", "rft", "grpo"]
    assert not (tmp_path / "run").exists()
    longest = max(len(row["chain"]) for row in corpus.source("comp_rl"))
    for trial in found:
        assert trial.minutes >= 0
        assert trial.checkpoint_bytes > trial.model_bytes > 4 * 32 * 100
        assert longest / 10 < trial.longest <= 192
    assert len(lines) == 4 and "MB of disk" in lines[-1]


@pytest.mark.parametrize(
    ("number", "fields", "words"),
    [
        (3, {"trl": {"loss_type": "nonesuch"}}, "nonesuch"),  # TRL's configuration takes it
        (3, {"accumulate": 3}, "cannot be shared by 3"),
        (2, {"batch": {"ctx": {"rows": 2, "hops": [9]}}}, "no row of ctx is left"),
    ],
)
def test_what_fails_in_a_later_stage_fails_before_the_first(
    nano_release, tmp_path, number, fields, words
):
    recipe = make_recipe(changed(number, **fields))
    with pytest.raises(UsageError, match=words) as caught:
        runs.train(
            recipe,
            Corpus(nano_release),
            tmp_path / "run",
            log=lambda _: None,
            bar=False,
            try_first=True,
        )
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_a_text_that_is_too_long_for_the_last_stage_is_found_first(nano_release, tmp_path):
    recipe = make_recipe({**RECIPE, "max_length": 150})  # ctx is shorter, comp_rl is not
    with pytest.raises(UsageError, match="exceeds max_length 150"):
        runs.try_recipe(recipe, Corpus(nano_release), tmp_path / "run", log=lambda _: None)


def test_a_library_that_is_installed_and_broken_is_found_first(nano_release, tmp_path, monkeypatch):
    broken = types.ModuleType("vllm")
    broken.__spec__ = types.SimpleNamespace(name="vllm")  # what find_spec looks at
    monkeypatch.setitem(sys.modules, "vllm", broken)

    def no_cuda(name):
        raise OSError("libcudart.so: cannot open shared object file")

    monkeypatch.setattr(trials, "import_module", no_cuda)
    recipe = make_recipe(changed(3, trl={"use_vllm": True}))
    with pytest.raises(
        UsageError, match=r"stage 3: trl.use_vllm needs vllm, which cannot .*cudart"
    ):
        trials.import_libraries(recipe, [1, 2, 3])


def test_models_and_checkpoints_must_fit_on_the_disk(tmp_path):
    tried = [Trial("a", "sft", 1.0, 10, 100, 300, 0), Trial("b", "grpo", 1.0, 10, 100, 200, 0)]
    trials.check_disk(tried, 800, tmp_path, "a")  # two models, and twice the larger checkpoint
    with pytest.raises(ReleaseError, match="free some space"):
        trials.check_disk(tried, 799, tmp_path, "a")


def test_stages_that_recipes_share_are_tried_once():
    first, second = make_recipe(RECIPE), make_recipe(changed(3, beta=0.1))
    again = make_recipe({**RECIPE, "seed": 5})
    assert different_stages([first, second, again]) == [(first, [1, 2, 3]), (second, [3])]


def test_the_command_prints_a_line_for_each_stage_and_writes_no_run(nano_release, tmp_path):
    path = tmp_path / "tried.yaml"
    path.write_text(json.dumps({k: v for k, v in RECIPE.items() if k != "name"}))
    words = ["train", str(path), "--data", str(nano_release), "--out", str(tmp_path / "run")]
    done = CliRunner().invoke(main, [*words, "--dry-run", "--set", "sft.steps=3"])
    assert done.exit_code == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["kind"] for line in lines] == ["sft", "rft", "grpo"]
    assert not (tmp_path / "run").exists()
