"""Run jobs side by side: a process each, one thread each, bases first."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from bioreason_bench.errors import BioreasonError
from bioreason_bench.experiments.jobs import Job
from bioreason_bench.experiments.pace import Pace
from bioreason_bench.training.interrupt import handled_by, interrupt

Log = Callable[[str], None]
REPORT_EVERY = 60.0  # seconds between lines about what is running
STOP_WITHIN = 120.0  # seconds in which a job should save its checkpoint
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}


def run_jobs(jobs: Sequence[Job], workers: int, log: Log, command: str, pace: Pace) -> None:
    """Run the jobs that are not complete.

    Args:
        jobs: All jobs, each after its base.
        workers: Jobs that run at the same time.
        log: Called with a line when a job starts or ends, and every minute.
        command: The command that run.json records.
        pace: Says how long the jobs take.

    Raises:
        BioreasonError: A job failed.  The others have finished, but for those that it is the
            base of.
    """
    scheduler = Scheduler(jobs, workers, log, command, pace)
    with handled_by(interrupt):
        try:
            scheduler.run()
        finally:
            scheduler.stop()
    if scheduler.failed:
        first = scheduler.failed[0]
        raise BioreasonError(
            f"{len(scheduler.failed)} of {len(jobs)} runs failed, first {first.label}: "
            f"{first.last_message()}; call the same command again to go on"
        )


class Scheduler:
    """The state of `run_jobs`.

    Attributes:
        waiting: Jobs that have not been started.  Several workers start the longest chains of jobs
            first, so that they end together; one goes through world after world.
        running: Process -> its job.
        failed: Jobs that failed or whose base failed, in the order in which this was seen.
    """

    def __init__(
        self, jobs: Sequence[Job], workers: int, log: Log, command: str, pace: Pace
    ) -> None:
        left = [job for job in jobs if not job.complete()]
        if workers > 1:
            left = sorted(left, key=lambda job: _chain(job, left), reverse=True)
        self.waiting = left
        self.running: dict[subprocess.Popen[bytes], Job] = {}
        self.failed: list[Job] = []
        self.workers, self.log, self.command, self.pace = workers, log, command, pace
        self.reported_at = time.perf_counter()

    def run(self) -> None:
        while self.waiting or self.running:
            self.start_ready()
            time.sleep(1.0)
            self.collect_finished()
            if time.perf_counter() - self.reported_at > REPORT_EVERY:
                self.reported_at = time.perf_counter()
                self.log(self.progress())

    def start_ready(self) -> None:
        """Start the jobs that have a free worker and a complete base."""
        for job in list(self.waiting):
            if job.base in self.failed:
                self.waiting.remove(job)
                self.failed.append(job)
            elif len(self.running) < self.workers and (job.base is None or job.base.complete()):
                self.waiting.remove(job)
                self.log(f"{job.label}: begins")
                self.running[start_process(job, self.command)] = job

    def collect_finished(self) -> None:
        for process in [process for process in self.running if process.poll() is not None]:
            job = self.running.pop(process)
            if process.returncode or not job.complete():
                self.failed.append(job)
                self.log(f"{job.label}: failed; {job.last_message()}")
            else:
                self.log(f"{job.label}: {job.headline()}")

    def stop(self) -> None:
        """Ask the processes that still run to save a checkpoint and end; wait until they have."""
        for process in self.running:
            process.terminate()
        if self.running:
            self.log(f"stopping {len(self.running)} runs after their step, with a checkpoint")
        for process in self.running:
            try:
                process.wait(STOP_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()

    def progress(self) -> str:
        """What is running, and the minutes left."""
        minutes = self.pace.minutes_left(self.waiting, self.running.values(), self.workers)
        return f"{', '.join(map(_doing, self.running.values()))}; about {minutes:.0f} min left"


def _chain(job: Job, jobs: Sequence[Job]) -> int:
    """How many jobs must be run one after another from this one on."""
    return 1 + max((_chain(other, jobs) for other in jobs if other.base is job), default=0)


def _doing(job: Job) -> str:
    """How far a job is: "sft seed 1 40 %", "sft seed 1 trained, tests 25 %"."""
    steps, tests = job.share_done()
    return (
        f"{job.label} {100 * steps:.0f} %"
        if steps < 1
        else f"{job.label} trained, tests {100 * tests:.0f} %"
    )


def start_process(job: Job, command: str) -> subprocess.Popen[bytes]:
    """Start `bioreason-baseline train` for the job; its stderr goes to the job's log file.

    Ctrl-C reaches this process only, which then stops the job (`Scheduler.stop`).  If this process
    is killed, its end of the pipe closes, by which the job sees it (`--child`).  -P: a user's file
    such as random.py, in the folder of the call, is not taken for a module.
    """
    module = "bioreason_bench.commands.baseline"
    argv = [sys.executable, "-P", "-m", module, "train", job.arm.recipe]
    argv += ["--data", str(job.corpus.path), "--out", str(job.folder)]
    argv += ["--seed", str(job.seed), "--resume"]
    for key, value in job.arm.settings.items():
        argv += ["--set", f"{key}={value}"]
    if job.base is not None:
        argv += ["--base", str(job.base.folder)]
    argv += ["--command", command, "--child"]
    job.folder.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, **ONE_THREAD}
    with job.log_file.open("ab") as log:
        return subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=log,
            env=environment,
            start_new_session=True,
        )
