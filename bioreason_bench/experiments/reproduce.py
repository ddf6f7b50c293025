"""Reproduce the paper's finding: several arms side by side, shared stages trained once.

    OUT/seed0/ARM/                a run (see training/run.py)
    OUT/results.jsonl             a line for each run, test set and pass@k curve
    OUT/report/                   the page, and the two files that it can be made from again

The same call with the same OUT continues where it stopped.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bioreason_bench.errors import quoted
from bioreason_bench.experiments.claims import Claim
from bioreason_bench.experiments.jobs import Arm, Job, make_jobs
from bioreason_bench.experiments.pace import Pace, minutes_per_text
from bioreason_bench.experiments.results import STUDY, json_lines, lines_of_run, write_json_lines
from bioreason_bench.experiments.scheduler import run_jobs
from bioreason_bench.experiments.studies import Study
from bioreason_bench.figure_style import require_matplotlib
from bioreason_bench.training.data import Corpus
from bioreason_bench.training.measure import configs_to_ask
from bioreason_bench.training.recipe_checks import check_trust
from bioreason_bench.training.run import try_recipes
from bioreason_bench.training.run_folder import RUN, check_same_run, only_one

Log = Callable[[str], None]
PASSK_SAMPLES, PASSK_QUESTIONS = 512, 300


def reproduce(
    corpora: Mapping[int, Corpus],
    out: Path,
    *,
    arms: Sequence[Arm],
    workers: int = 0,
    log: Log = print,
    command: str = "",
    study: Study | None = None,
    with_passk: bool = False,
) -> Path:
    """Run the arms for each seed and write results.jsonl and the report.

    Args:
        corpora: Seed of training -> the release of its runs.
        out: The folder of all runs.
        arms: What is run; see `jobs.arms_of`.
        workers: Arms at the same time; 0 for one on each core.
        log: Called with lines on progress.
        command: The command that run.json records.
        study: What the arms are from; it is written to study.json before anything is run.
        with_passk: Whether to measure pass@k of the study's groups of arms as well.

    Returns:
        The path of the HTML page.
    """
    from bioreason_bench.experiments.report import make_report

    require_matplotlib()  # of the report, before the hours of training
    for arm in arms:
        check_trust(arm.load().model, False, f"recipe {arm.recipe}")
    jobs = make_jobs(arms, corpora, out)
    for line in dict.fromkeys(undecidable(study, jobs)):
        log(line)
    workers = workers or max(1, os.cpu_count() or 1)
    waiting = [job for job in jobs if not job.complete()]
    for job in jobs:
        if job.complete():
            check_same_run(job.folder, job.arm.load(job.seed), job.corpus)
    log(
        f"{len(jobs)} runs ({len(arms)} arms, {len(corpora)} seeds), "
        f"{len(jobs) - len(waiting)} complete; {workers} side by side, one thread each"
    )
    pace = Pace(jobs, minutes_per_text(waiting[0]) if waiting else 0.0)
    if waiting:
        minutes = f"about {pace.minutes_left(waiting, (), workers):.0f} min"
        if len(waiting) < len(jobs):
            log(f"{minutes}, by the runs that are complete")
        else:
            log(f"{minutes} or more, at the speed of a bare training loop on this machine now")
    with only_one(out):
        if not any((job.folder / RUN).exists() for job in jobs):
            first = [job for job in jobs if job.seed == jobs[0].seed]
            try_recipes([job.arm.load(job.seed) for job in first], first[0].corpus, out, log)
        about = [study.line()] if study else []
        if study:
            write_json_lines(out / STUDY, about)
        run_jobs(jobs, workers, log, command, pace)
        lines = about + [line for job in jobs for line in lines_of(job)]
        lines += passk_lines(jobs, study.passk if study and with_passk else (), log)
        write_json_lines(out / "results.jsonl", lines)
        return make_report([out], out / "report", log=log)


def undecidable(study: Study | None, jobs: Sequence[Job]) -> Iterator[str]:
    """A line for each claim on a test set that one of its arms is not asked."""
    asked = {
        job.arm.name: configs_to_ask(job.arm.load(job.seed).evaluate, job.corpus) for job in jobs
    }
    for values in study.claims if study else ():
        claim = Claim(**values)
        for arm, config in zip((claim.first, claim.second), claim.configs, strict=True):
            if arm in asked and config not in asked[arm]:
                yield (
                    f"the claim {quoted(claim.text)} will not be decided: {arm} is not asked "
                    f"{quoted(config)}; its test sets are {', '.join(asked[arm])}"
                )


def lines_of(job: Job) -> list[dict[str, Any]]:
    """The line of a job's run and those of its test sets, as they are committed and reported."""
    return lines_of_run(job.folder, job.arm.name, job.seed)


def passk_lines(
    jobs: Sequence[Job], groups: Sequence[Sequence[str]], log: Log
) -> list[dict[str, Any]]:
    """pass@k of groups of arms on comp_zeroshot, each compared with its base."""
    lines: list[dict[str, Any]] = []
    for seed in dict.fromkeys(job.seed for job in jobs):
        arms = {job.arm.name: job for job in jobs if job.seed == seed}
        for group in groups:
            if all(name in arms for name in group):
                lines += _passk_of_group([arms[name] for name in group], log)
    return lines


def _passk_of_group(jobs: Sequence[Job], log: Log) -> list[dict[str, Any]]:
    """pass@k lines of jobs of one seed, base first; read from disk if they were measured before."""
    from bioreason_bench.experiments.passk import Sampling, measure_passk

    kept = jobs[0].folder.with_suffix(".passk.jsonl")
    if not kept.is_file():
        measured = measure_passk(
            [job.model().as_posix() for job in jobs],
            jobs[0].corpus,
            "comp_zeroshot",
            limit=PASSK_QUESTIONS,
            sampling=Sampling(PASSK_SAMPLES),
            log=log,
        )
        lines = [
            {"type": "passk", "arm": job.arm.name, "seed": job.seed, **line}
            for job, line in zip(jobs, measured, strict=True)
        ]
        write_json_lines(kept, lines)
    return json_lines(kept)
