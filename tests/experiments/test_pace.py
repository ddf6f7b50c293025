"""How long jobs take: told by complete jobs, and else by a bare training loop."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bioreason_bench.experiments.jobs import Arm, Job
from bioreason_bench.experiments.pace import Pace
from bioreason_bench.experiments.scheduler import Scheduler
from bioreason_bench.training.data import Corpus
from bioreason_bench.training.recipe import Source, Stage

SFT = Stage("sft", 10, 1e-3, batch=(Source("mem", rows=6),))
GRPO = Stage("grpo", 5, 1e-3, prompts=Source("comp_rl", rows=4), samples=8)
RATE = 0.1  # minutes a text


@pytest.fixture
def job(tmp_path, tiny_release):
    corpus = Corpus(tiny_release)

    def make(recipe: str, seed: int, stage: Stage) -> Job:
        return Job(Arm(recipe, recipe, {}), seed, corpus, tmp_path, None, (stage,))

    return make


def spend(job: Job, training: float, tests: float) -> None:
    """Let a job have taken some minutes."""
    write_log(job, job.own[0].steps, training)
    lines = [json.dumps({"config": name, "seconds": 30 * tests}) for name in ("a", "b")]
    (job.folder / "results.jsonl").write_text("\n".join(lines) + "\n")


def write_log(job: Job, step: int, minutes: float) -> Path:
    folder = job.folder / "1-stage"
    folder.mkdir(parents=True)
    points = [{"step": 1, "seconds": 1.0}, {"step": step, "seconds": 60 * minutes}]
    (folder / "log.jsonl").write_text("".join(json.dumps(point) + "\n" for point in points))
    return folder


def test_before_any_job_is_complete_a_text_takes_as_long_as_in_a_bare_loop(job):
    sft, grpo = job("sft_mem_ctx", 1, SFT), job("grpo", 1, GRPO)
    pace = Pace([sft, grpo], RATE)
    assert pace.training(sft, ()) == pytest.approx(10 * 6 * RATE)
    assert pace.training(grpo, ()) == pytest.approx(5 * 4 * 8 * RATE)
    whole = pace.minutes_left([sft, grpo], [], workers=1)
    assert pace.minutes_left([sft, grpo], [], workers=2) == pytest.approx(whole / 2)
    assert pace.minutes_left([sft, grpo], [], workers=8) == pytest.approx(whole / 2)


def test_a_complete_job_tells_how_long_the_same_arm_and_its_like_take(job):
    done, same = job("sft_mem_ctx", 1, SFT), job("sft_mem_ctx", 2, SFT)
    alike = job("sft_comp", 1, Stage("sft", 20, 1e-3, batch=(Source("comp", rows=6),)))
    grpo = job("grpo", 1, GRPO)
    spend(done, training=3, tests=7)
    pace = Pace([done, same, alike, grpo], RATE)
    assert pace.minutes_left([same], [], 1) == pytest.approx(3 + 7)
    assert pace.minutes_left([alike], [], 1) == pytest.approx(2 * 3 + 7), "twice the texts"
    assert pace.minutes_left([grpo], [], 1) == pytest.approx(160 * RATE + 7), "of another kind"
    slow = job("sft_mem_ctx", 3, SFT)
    spend(slow, training=100, tests=9)
    middle = job("sft_mem_ctx", 4, SFT)
    spend(middle, training=5, tests=8)
    more = Pace([done, slow, middle, same], RATE)
    assert more.minutes_left([same], [], 1) == pytest.approx(5 + 8), "the median"


def test_what_runs_has_less_left_with_each_step_and_each_test_set(job):
    done, running = job("sft_mem_ctx", 1, SFT), job("sft_mem_ctx", 2, SFT)
    spend(done, training=4, tests=8)
    pace = Pace([done, running], RATE)
    folder = write_log(running, step=5, minutes=2)
    assert pace.minutes_left([], [running], 2) == pytest.approx(2 + 8)
    with (folder / "log.jsonl").open("a") as log:
        log.write('{"step": 10, "sec')  # it is being written
    assert running.share_done() == (0.5, 0.0)
    (folder / "log.jsonl").write_text('{"step": 10, "seconds": 9}\n')
    (folder / "test").mkdir()
    sets = running.arm.load(2).evaluate.get("configs")
    assert not sets, "all test sets of the release"
    (folder / "test" / "comp_iid.jsonl").write_text("")
    steps, tests = running.share_done()
    assert steps == 1.0 and 0 < tests < 1
    assert pace.minutes_left([], [running], 2) == pytest.approx(8 * (1 - tests))


def test_the_line_of_each_minute_says_what_is_trained_and_what_is_tested(job):
    jobs = [job("sft_mem_ctx", 1, SFT), job("sft_comp", 1, SFT), job("sft_mem", 1, SFT)]
    scheduler = Scheduler(jobs, 2, lambda _: None, "", Pace(jobs, RATE))
    scheduler.running = dict(enumerate(jobs[:2]))  # type: ignore[assignment]
    scheduler.waiting = jobs[2:]
    write_log(jobs[0], step=4, minutes=1)
    write_log(jobs[1], step=10, minutes=1)
    line = scheduler.progress()
    assert line.startswith("sft_mem_ctx seed 1 40 %, sft_comp seed 1 trained, tests 0 %; about ")
    assert line.endswith(" min left")
