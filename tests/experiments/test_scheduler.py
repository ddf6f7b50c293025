"""Jobs run side by side, bases first; a failed base takes its jobs along."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest

from bioreason_bench.errors import BioreasonError
from bioreason_bench.experiments import scheduler
from bioreason_bench.experiments.jobs import Arm, Job
from bioreason_bench.experiments.pace import Pace
from bioreason_bench.training.recipe import Stage

STAGES = (Stage("sft", 10, 1e-3),)


@pytest.fixture
def started(monkeypatch):
    """Names of the arms in the order in which they were started; "bad" ones fail."""
    names = []

    def start(job: Job, _: str) -> subprocess.Popen:
        names.append(job.arm.name)
        job.folder.mkdir(parents=True, exist_ok=True)
        if job.arm.name == "bad":
            job.log_file.write_text("first line\nit went wrong\n")
            return subprocess.Popen([sys.executable, "-c", "raise SystemExit(1)"])
        (job.folder / "results.jsonl").write_text("")
        return subprocess.Popen([sys.executable, "-c", ""])

    monkeypatch.setattr(scheduler, "start_process", start)
    monkeypatch.setattr(scheduler.time, "sleep", lambda _: None)
    return names


def make_job(root, name: str, base: Job | None = None) -> Job:
    return Job(Arm(name, name, {}), 1, None, root, base, STAGES)


def test_a_base_runs_before_the_jobs_that_begin_with_it(tmp_path, started):
    base = make_job(tmp_path, "base")
    jobs = [base, make_job(tmp_path, "one", base), make_job(tmp_path, "two", base)]
    scheduler.run_jobs(jobs, workers=3, log=lambda _: None, command="", pace=Pace(jobs, 0.0))
    assert started[0] == "base" and sorted(started) == ["base", "one", "two"]
    assert all(job.complete() for job in jobs)
    scheduler.run_jobs(jobs, workers=3, log=lambda _: None, command="", pace=Pace(jobs, 0.0))
    assert len(started) == 3, "complete jobs are not run again"


def test_several_workers_start_the_longest_chains_first_and_one_keeps_the_order(tmp_path, started):
    def jobs_in(folder) -> list[Job]:
        short, base = make_job(folder, "short"), make_job(folder, "base")
        return [short, base, make_job(folder, "next", base)]

    for workers, first in ((2, ["base", "short"]), (1, ["short", "base"])):
        started.clear()
        jobs = jobs_in(tmp_path / str(workers))
        pace = Pace(jobs, 0.0)
        scheduler.run_jobs(jobs, workers=workers, log=lambda _: None, command="", pace=pace)
        assert started == [*first, "next"]


def test_a_failed_base_fails_its_jobs_and_the_others_finish(tmp_path, started):
    bad, good = make_job(tmp_path, "bad"), make_job(tmp_path, "good")
    jobs = [bad, make_job(tmp_path, "child", bad), good]
    with pytest.raises(BioreasonError, match="2 of 3 runs failed, first bad seed 1: it went wrong"):
        scheduler.run_jobs(jobs, workers=1, log=lambda _: None, command="", pace=Pace(jobs, 0.0))
    assert started == ["bad", "good"]
    assert good.complete()


def test_files_in_the_folder_of_the_call_are_not_taken_for_modules(tmp_path, monkeypatch):
    (tmp_path / "random.py").write_text("raise SystemExit('the file of the user was run')")
    monkeypatch.chdir(tmp_path)
    release = SimpleNamespace(path=tmp_path / "no-release")
    job = Job(Arm("base", "base", {}), 1, release, tmp_path / "runs", None, STAGES)
    assert scheduler.start_process(job, "").wait(60) == 2
    assert "no-release" in job.log_file.read_text()
