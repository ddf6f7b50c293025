"""Reproduce the paper's finding: several arms side by side, shared stages trained once.

    OUT/seed0/ARM/                a run (see training/run.py)
    OUT/results.jsonl             a line for each run, test set and pass@k curve
    OUT/report/                   the page

The same call with the same OUT continues where it stopped.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bioreason_bench.experiments.jobs import Job, make_arms, make_jobs, minutes_per_text
from bioreason_bench.experiments.results import (
    json_lines,
    run_line,
    stage_summary,
    write_json_lines,
)
from bioreason_bench.experiments.scheduler import run_jobs
from bioreason_bench.training.data import Corpus
from bioreason_bench.training.recipe_checks import check_trust
from bioreason_bench.training.run import try_recipes
from bioreason_bench.training.run_folder import RUN, only_one, read_done, read_run

Log = Callable[[str], None]
ARMS = ("sft_mem_ctx", "sft_comp", "sft_mem_ctx_grpo", "sft_comp_grpo", "sft_mem_ctx_sft")
ALONE = ("sft_mem", "sft_ctx", "sft_mem_grpo", "sft_ctx_grpo")  # one atomic skill
FULL = (*ARMS, *ALONE, "sft_mem_ctx_rft", "sft_comp_rft", "sft_mem_ctx_sft_answers")
PASSK_ARMS = (  # each group with its base first
    ("sft_mem_ctx", "sft_mem_ctx_grpo", "sft_mem_ctx_sft"),
    ("sft_comp", "sft_comp_grpo"),
)
PASSK_SAMPLES, PASSK_QUESTIONS = 512, 60
CURVE_POINTS = 40  # of a stage, about


def reproduce(
    corpora: Mapping[int, Corpus],
    out: Path,
    *,
    recipes: Sequence[str] = ARMS,
    workers: int = 0,
    settings: Mapping[str, str] | None = None,
    log: Log = print,
    command: str = "",
    with_passk: bool = False,
) -> Path:
    """Run the recipes for each seed and write results.jsonl and the report.

    Args:
        corpora: Seed of training -> the release of its runs.
        out: The folder of all runs.
        recipes: Names of recipes; a recipe with a sweep gives an arm for each point.
        workers: Arms at the same time; 0 for one on each core.
        settings: Fields of recipes to change.
        log: Called with lines on progress.
        command: The command that run.json records.
        with_passk: Whether to measure pass@k of the main arms as well.

    Returns:
        The path of the HTML page.
    """
    from bioreason_bench.experiments.report import make_report

    preset = next(iter(corpora.values())).config.preset
    arms = make_arms(recipes, settings or {}, preset)
    for arm in arms:
        check_trust(arm.load().model, False, f"recipe {arm.recipe}")
    jobs = make_jobs(arms, corpora, out)
    workers = workers or max(1, os.cpu_count() or 1)
    waiting = [job for job in jobs if not job.complete()]
    log(
        f"{len(jobs)} runs ({len(arms)} arms, {len(corpora)} seeds), "
        f"{len(jobs) - len(waiting)} complete; {workers} side by side, one thread each"
    )
    if waiting:
        minutes = minutes_per_text(waiting[0]) * sum(job.cost() for job in waiting) / workers
        log(f"about {minutes:.0f} min at the speed of a bare training loop on this machine now")
    with only_one(out):
        if not any((job.folder / RUN).exists() for job in jobs):
            first = [job for job in jobs if job.seed == jobs[0].seed]
            try_recipes([job.arm.load(job.seed) for job in first], first[0].corpus, out, log)
        run_jobs(jobs, workers, log, command)
        lines = [line for job in jobs for line in lines_of(job)]
        if with_passk:
            lines += passk_lines(jobs, log)
        write_json_lines(out / "results.jsonl", lines)
        return make_report([out / "results.jsonl"], out / "report", log=log)


def lines_of(job: Job) -> list[dict[str, Any]]:
    """The line of a job's run and those of its test sets, as they are committed and reported."""
    run = read_run(job.folder)
    folders = [path for path in sorted(job.folder.glob("*-*")) if path.is_dir()]
    stages = [stage_summary(read_done(folder) or {}) for folder in folders]
    logs = sorted(job.folder.glob("*-*/log.jsonl"))
    for stage, log in zip(stages, logs, strict=False):
        # done.json of a resumed stage counts the seconds of its last part only
        last = (json_lines(log) or [{}])[-1]
        stage["seconds"] = max(stage.get("seconds", 0.0), last.get("seconds", 0.0))
    head = run_line(job.arm.name, job.seed, stages, {"curve": curve(job), **run})
    results = [
        {
            "type": "result",
            "arm": job.arm.name,
            **{key: value for key, value in line.items() if key != "run"},
        }
        for line in job.results()
    ]
    return [head, *results]


def curve(job: Job) -> list[dict[str, Any]]:
    """The learning curve, about CURVE_POINTS points a stage."""
    points: list[dict[str, Any]] = []
    for log in sorted(job.folder.glob("*-*/log.jsonl")):
        by_step = {row["step"]: row for row in json_lines(log)}  # a resumed stage repeats steps
        rows = [by_step[step] for step in sorted(by_step)]
        for row in rows[:: max(1, len(rows) // CURVE_POINTS)]:
            values = {key: row[key] for key in ("step", "loss", "reward") if key in row}
            points.append({"stage": log.parent.name} | values)
    return points


def passk_lines(jobs: Sequence[Job], log: Log) -> list[dict[str, Any]]:
    """pass@k of the main arms on comp_zeroshot, each group compared with its base."""
    lines: list[dict[str, Any]] = []
    for seed in dict.fromkeys(job.seed for job in jobs):
        arms = {job.arm.name: job for job in jobs if job.seed == seed}
        for group in PASSK_ARMS:
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
