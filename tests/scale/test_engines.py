"""An engine makes the parts: killed tasks run again, and only they."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("datatrove")
psutil = pytest.importorskip("psutil")

from bioreason_bench.build import generate_by_engine
from bioreason_bench.config import load_preset
from bioreason_bench.errors import UsageError
from bioreason_bench.release.manifest import read_manifest

COMMAND = "from bioreason_bench.commands.main import main; main()"
GENERATE = ["generate", "--preset", "tiny", "-q"]


def start(out: Path, *more: str) -> subprocess.Popen:
    words = [sys.executable, "-c", COMMAND, *GENERATE, "--out", str(out), *more]
    return subprocess.Popen(words, stderr=subprocess.PIPE, text=True)


def completions(out: Path) -> list[Path]:
    return sorted(out.with_name(f"{out.name}.parts").glob("*/logs/completions/*"))


@pytest.mark.parametrize(("kills", "tasks"), [(4, 8), pytest.param(20, 40, marks=pytest.mark.deep)])
def test_killed_workers_and_runs_end_in_the_release_of_an_uninterrupted_one(
    kills, tasks, tiny_release, tmp_path
):
    out, draw, killed = tmp_path / "tiny", random.Random(5), 0
    for attempt in range(2 * kills + 20):
        run = start(out, "--engine", "local", "--workers", "2", "--tasks", str(tasks))
        before = {path: path.stat().st_mtime_ns for path in completions(out)}
        deadline = time.monotonic() + draw.uniform(0.5, 4)
        while run.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        if run.poll() is None and killed < kills:
            children = psutil.Process(run.pid).children(recursive=True)
            victim = draw.choice(children).pid if children and attempt % 2 else run.pid
            os.kill(victim, signal.SIGKILL)
            killed += 1
        message = run.communicate(timeout=600)[1]
        after = {path: path.stat().st_mtime_ns for path in completions(out)}
        assert before.items() <= after.items(), "a complete task ran again"
        if run.returncode == 0:
            break
        assert run.returncode == -signal.SIGKILL or "run the same command again" in message
    print(f"{killed} kills in {attempt + 1} runs")
    assert killed >= kills // 2
    assert read_manifest(out) == read_manifest(tiny_release)


def test_slurm_gets_scripts_that_run_every_task(tmp_path, monkeypatch):
    """The scripts that sbatch is given; a second call submits what is missing only."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    sbatch = bin_folder / "sbatch"
    sbatch.write_text(
        f'#!/bin/bash\ncp "${{@: -1}}" {tmp_path}/script\necho Submitted batch job 7\n'
    )
    sbatch.chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_folder}:{os.environ['PATH']}")
    settings = {"partition": "cpu", "time": "4:00:00", "mem_per_cpu_gb": "3"}
    made = generate_by_engine(
        load_preset("tiny"), tmp_path / "tiny", "slurm", tasks=8, workers=4, settings=settings
    )
    assert made is None
    (script,) = tmp_path.glob("tiny.parts/*/logs/launch_script.slurm")
    lines = script.read_text()
    for line in ("--partition=cpu", "--time=4:00:00", "--mem-per-cpu=3G", "--array=0-7%4"):
        assert f"#SBATCH {line}\n" in lines
    assert f"launch_pickled_pipeline {script.parent}/executor.pik" in lines
    env = {**os.environ, "SLURM_ARRAY_TASK_ID": "3", "SLURM_NODELIST": "here"}
    scontrol = bin_folder / "scontrol"
    scontrol.write_text("#!/bin/bash\necho here\n")
    scontrol.chmod(0o755)
    launch = "from datatrove.tools.launch_pickled_pipeline import main; main()"
    words = [sys.executable, "-c", launch, str(script.parent / "executor.pik")]
    subprocess.run(words, check=True, env=env, capture_output=True, timeout=120)
    assert [path.name for path in completions(tmp_path / "tiny")] == ["00003"]
    assert (script.parent.parent / "part-00003-of-00008" / "part.json").is_file()


def test_settings_that_an_engine_does_not_have_are_refused(tmp_path):
    config = load_preset("tiny")
    with pytest.raises(UsageError, match=r"engine slurm needs a time; add --engine-set time="):
        generate_by_engine(config, tmp_path / "a", "slurm", tasks=2, settings={})
    with pytest.raises(UsageError, match=r"--engine-set partitoin: engine local has no such"):
        generate_by_engine(config, tmp_path / "a", "local", tasks=2, settings={"partitoin": "x"})
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_ray_makes_the_same_release(tiny_release, tmp_path):
    pytest.importorskip("ray")
    generate_by_engine(
        load_preset("tiny"),
        tmp_path / "tiny",
        "ray",
        tasks=4,
        workers=2,
        settings={"mem_per_cpu_gb": "0.5"},
    )
    assert read_manifest(tmp_path / "tiny") == read_manifest(tiny_release)
