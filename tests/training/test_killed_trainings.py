"""Runs that are cut off in every way end in the model of an uninterrupted run.

All with bfloat16 on: a stage must compute in the same precision whatever ran before it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from bioreason_bench.commands.baseline import main
from bioreason_bench.errors import UsageError
from bioreason_bench.training import run as runs
from bioreason_bench.training.checkpoints import is_whole, last_checkpoint, seal
from bioreason_bench.training.data import Corpus
from bioreason_bench.training.progress import ProgressLogger
from bioreason_bench.training.recipe import make_recipe
from bioreason_bench.training.run_folder import only_one
from bioreason_bench.training.stages.callback import ProgressCallback, StopCallback

KILLED = Path(__file__).parents[1] / "support" / "killed_trainings.py"

SFT = {
    "kind": "sft",
    "steps": 5,
    "learning_rate": 4e-3,
    "matrix_learning_rate": 0.02,
    "warmup": 1,
    "save_every": 2,
    "batch": {"mem": 6, "biographies": 2},
}
SECOND = {**SFT, "batch": {"ctx": 4}}
GRPO = {
    "kind": "grpo",
    "steps": 3,
    "learning_rate": 1e-3,
    "warmup": 1,
    "save_every": 2,
    "max_completion": 8,
    "samples": 4,
    "prompts": {"comp_rl": 2},
    "reward": {"outcome": 1.0, "process": 0.5, "format": 0.1},
    "beta": 0.01,
    "batch": {"biographies": 2},
}
RECIPE = {
    "name": "short",
    "model": {"from_scratch": {"hidden_size": 32, "num_hidden_layers": 2, "intermediate_size": 64}},
    "packed": True,
    "bf16": True,
    "max_length": 192,
    "evaluate": {"limit": 2, "configs": ["mem_iid"]},
}


def recipe_of(*stages):
    return make_recipe({**RECIPE, "stages": list(stages)})


def train(recipe, release, out, **options):
    return runs.train(recipe, Corpus(release), out, log=lambda _: None, bar=False, **options)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


def assert_same_model(one: Path, other: Path) -> None:
    ours, theirs = weights(one), weights(other)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours), (one, other)


@pytest.fixture(scope="module")
def base(nano_release, tmp_path_factory):
    """A run of the first stage alone."""
    out = tmp_path_factory.mktemp("runs") / "base"
    train(recipe_of(SFT), nano_release, out)
    return out


@pytest.mark.parametrize(
    "last",
    [
        pytest.param(SECOND, id="sft-sft", marks=pytest.mark.deep),
        pytest.param(GRPO, id="sft-grpo"),
    ],
)
def test_a_second_stage_is_the_same_uninterrupted_and_on_a_base_stopped_and_resumed(
    base, nano_release, tmp_path, monkeypatch, last
):
    recipe = recipe_of(SFT, last)
    stage = f"2-{last['kind']}"
    train(recipe, nano_release, tmp_path / "whole")
    assert_same_model(base / "1-sft", tmp_path / "whole" / "1-sft")

    (tmp_path / "short.yaml").write_text(json.dumps(recipe.as_dict()))
    out = tmp_path / "stopped"
    argv = ["train", str(tmp_path / "short.yaml"), "--data", str(nano_release)]
    argv += ["--out", str(out), "--base", str(base), "-q"]
    complete = ProgressCallback.on_step_end

    def signalled(self, args, state, control, **options):
        complete(self, args, state, control, **options)
        if state.global_step == 1:  # of a job manager, which asks all processes, and of a parent
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGTERM):
                os.kill(os.getpid(), number)

    monkeypatch.setattr(runs, "try_stages", lambda *_, **__: [])  # it takes steps as well
    monkeypatch.setattr(ProgressCallback, "on_step_end", signalled)
    stopped = CliRunner().invoke(main, argv)
    assert stopped.exit_code == 130, stopped.output
    assert "stopped after step 1 of" in stopped.stderr and "--resume" in stopped.stderr
    assert stopped.stderr.count("\n") == 1
    assert is_whole(out / stage / "checkpoints" / "checkpoint-1")
    monkeypatch.setattr(ProgressCallback, "on_step_end", complete)
    resumed = CliRunner().invoke(main, [*argv, "--resume"])
    assert resumed.exit_code == 0, resumed.output
    assert_same_model(tmp_path / "whole" / stage, out / stage)
    curves = [(run / stage / "log.jsonl").read_text() for run in (tmp_path / "whole", out)]
    steps = [[json.loads(line)["step"] for line in curve.splitlines()] for curve in curves]
    assert steps[0] == steps[1]

    for file, broken in (("run.json", ""), (f"{stage}/done.json", '{"stage": 2, ')):
        (out / file).write_text(broken)
    again = CliRunner().invoke(main, [*argv[:-1], "--resume"])
    assert again.exit_code == 0, again.output
    for file in ("run.json", f"{stage}/done.json"):
        (line,) = [line for line in again.stderr.splitlines() if file in line]
        assert "broken or was cut off" in line
        assert json.loads((out / file).read_text())
    assert_same_model(tmp_path / "whole" / stage, out / stage)


@pytest.fixture(scope="module")
def killed(nano_release, tmp_path_factory):
    """A folder with a whole run and runs that were killed and resumed; one thread each."""
    folder = tmp_path_factory.mktemp("killed")
    (folder / "short.yaml").write_text(json.dumps(recipe_of(SFT, SECOND).as_dict()))
    argv = [sys.executable, KILLED, nano_release, folder / "short.yaml", folder, "11", "6"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(argv, capture_output=True, text=True, env=environment, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.mark.deep
@pytest.mark.slow
def test_a_training_that_is_killed_at_any_moment_and_resumed_ends_in_the_same_model(killed):
    for trial in range(6):
        for stage in ("1-sft", "2-sft"):
            assert_same_model(killed / "whole" / stage, killed / str(trial) / stage)
        lines = [
            [json.loads(line) for line in (killed / run / "results.jsonl").read_text().splitlines()]
            for run in ("whole", str(trial))
        ]
        for line in (*lines[0], *lines[1]):
            line.pop("seconds")
        assert lines[0] == lines[1]
        left = [path.name for path in (killed / str(trial)).rglob("*") if path.name[-1].isdigit()]
        assert not [name for name in left if name.startswith("checkpoint-")]


@pytest.mark.deep
@pytest.mark.slow
def test_a_killed_reproduce_stops_its_runs_and_goes_on_to_the_same_model(
    killed, nano_release, tmp_path
):
    out = tmp_path / "out"
    argv = ["reproduce", "--data", str(nano_release), "--out", str(out), "--workers", "1"]
    argv += ["--arm", str(killed / "short.yaml")]
    first = subprocess.Popen(
        [sys.executable, "-m", "bioreason_bench.commands.baseline", *argv],
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    run = out / "seed0" / "short"
    until = time.monotonic() + 300
    while not (run / "1-sft").is_dir() and first.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    with pytest.raises(UsageError, match="another process trains into"), only_one(out):
        pass
    first.kill()
    first.wait()
    with only_one(run, wait=120):  # the run ends when the process that started it does
        pass
    assert not (run / "results.jsonl").exists()
    second = CliRunner().invoke(main, argv)
    assert second.exit_code == 0, second.output
    assert_same_model(killed / "whole" / "2-sft", run / "2-sft")
    assert len((out / "results.jsonl").read_text().splitlines()) == 2


def test_only_a_second_ctrl_c_stops_at_once():
    stop = StopCallback()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
        stop.ask(number, None)
        assert stop.asked
    with pytest.raises(KeyboardInterrupt):
        stop.ask(signal.SIGINT, None)


def test_a_checkpoint_counts_only_while_it_has_the_bytes_of_its_seal(tmp_path):
    said: list[str] = []
    assert last_checkpoint(tmp_path, said.append) is None
    for step in (8, 16):
        folder = tmp_path / "checkpoints" / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(bytes(1000))
    eight, sixteen = (tmp_path / "checkpoints" / f"checkpoint-{step}" for step in (8, 16))
    assert last_checkpoint(tmp_path, said.append) is None
    assert len(said) == 2 and str(sixteen) in said[0]
    seal(eight)
    assert not sixteen.exists(), "a seal removes the other checkpoints"
    sixteen.mkdir()
    (sixteen / "model.safetensors").write_bytes(b"half")
    assert last_checkpoint(tmp_path, said.append) == str(eight)
    for torn in (bytes(999), bytes(999) + b"1"):
        (eight / "model.safetensors").write_bytes(torn)
        assert last_checkpoint(tmp_path, said.append) is None
    (eight / "seal.json").write_text("")
    assert last_checkpoint(tmp_path, said.append) is None


def test_the_learning_curve_of_a_resumed_stage_begins_at_its_checkpoint(tmp_path):
    path = tmp_path / "log.jsonl"
    kept = '{"stage": "s", "step": 2, "seconds": 9.5, "loss": 1.0}\n'
    path.write_text(kept + '{"stage": "s", "step": 4, "seconds": 11}\n{"stage": "s", "st')
    progress = ProgressLogger("s", 6, path, show_bar=False)
    progress.begin(2, main=True)
    assert path.read_text() == kept
    progress.report(4, {"loss": 0.5})
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4]
    assert lines[1]["seconds"] >= 9.5


def test_a_folder_takes_one_training_at_a_time_and_nothing_but_runs(nano_release, tmp_path):
    with only_one(tmp_path / "busy"), pytest.raises(UsageError, match="another process trains"):
        train(recipe_of(SFT), nano_release, tmp_path / "busy")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "recipe.yaml").write_text("mine")
    with pytest.raises(UsageError, match=r"holds no run \(recipe.yaml\)"):
        train(recipe_of(SFT), nano_release, mine)
    assert (mine / "recipe.yaml").read_text() == "mine"
    other = tmp_path / "other"
    other.mkdir()
    (other / "run.json").write_text("")
    argv = ["train", "sft_mem_ctx", "--data", str(nano_release), "--out", str(other), "--resume"]
    answer = CliRunner().invoke(main, argv)
    assert answer.exit_code == 1 and "is not the recipe of this run" in answer.stderr
    assert answer.stderr.count("\n") <= 2
