"""The paper's finding on a laptop: arms side by side, one thread each; stages that two arms share are trained once.

    OUT/seed0/ARM/                a run (see run.py)
    OUT/results.jsonl             a line for each run (recipe, command, versions, machine, speed) and for each test set
    OUT/report/                   the page

Called again with the same OUT it goes on where it stopped.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioreason_bench.draw import Draw
from bioreason_bench.errors import BioreasonError, UsageError
from bioreason_bench.training.data import Corpus
from bioreason_bench.training.recipe import KINDS, Recipe, Stage, load_recipe, recipe_names
from bioreason_bench.training.run_folder import read_done

Say = Callable[[str], None]
EVALUATION = 4_500  # questions that are asked after an arm, about
ARMS = ("sft_mem_ctx", "sft_comp", "sft_mem_ctx_grpo", "sft_comp_grpo", "sft_mem_ctx_sft")
ALONE = ("sft_mem", "sft_ctx", "sft_mem_grpo", "sft_ctx_grpo")  # one atomic skill
FULL = (*ARMS, *ALONE, "sft_mem_ctx_rft", "sft_comp_rft", "sft_mem_ctx_sft_answers")
PASSK_ARMS = (
    ("sft_mem_ctx", "sft_mem_ctx_grpo", "sft_mem_ctx_sft"),
    ("sft_comp", "sft_comp_grpo"),
)  # each group with its base first


@dataclass(frozen=True)
class Arm:
    """A recipe, or one rung of a recipe's ladder."""

    name: str  # "sft_mem_ctx", "few_shot=8"
    recipe: str
    settings: Mapping[str, str]

    def load(self, seed: int = 0) -> Recipe:
        return load_recipe(self.recipe, {"seed": str(seed), **self.settings})


def make_arms(recipes: Sequence[str], settings: Mapping[str, str], place: str = "") -> list[Arm]:
    """An arm for each recipe and, where it has a ladder, each rung; shipped recipes are looked for in the folder `place` first."""
    shipped = recipe_names()
    arms = []
    fits: set[str] = set()
    for name in recipes:
        recipe = f"{place}/{name}" if f"{place}/{name}" in shipped else name
        loaded = load_recipe(recipe)
        fitting = {key: value for key, value in settings.items() if fits_stage(key, loaded)}
        fits |= set(fitting)
        for value, rung in loaded.sweep_points():
            short = Path(name).stem
            arms.append(Arm(f"{short}={value}" if value else short, recipe, {**fitting, **rung}))
    for key in settings:
        if key not in fits:
            raise UsageError(
                f"--set {key}: no arm has such a stage; the arms are {', '.join(recipes)}"
            )
    return arms


def fits_stage(key: str, recipe: Recipe) -> bool:
    """Does the recipe have the stage that the setting is for?  `grpo.steps=50` is no mistake for an arm without GRPO."""
    stage = key.partition(".")[0]
    if stage.isdigit():
        return int(stage) <= len(recipe.stages)
    return stage not in KINDS or stage in {stage.kind for stage in recipe.stages}


@dataclass
class Job:
    """An arm with a seed; with `base`, that job's first stages are this one's and are not trained again."""

    arm: Arm
    seed: int
    corpus: Corpus
    root: Path
    base: Job | None = None
    own: tuple[Stage, ...] = ()  # the stages that this job trains itself

    @property
    def folder(self) -> Path:
        return self.root / f"seed{self.seed}" / self.arm.name.replace("=", "-")

    @property
    def label(self) -> str:
        return f"{self.arm.name} seed {self.seed}"

    def model(self) -> Path:
        """The folder of the model after the last stage."""
        return max(path.parent for path in self.folder.glob("*-*/done.json"))

    def complete(self) -> bool:
        return (self.folder / "results.jsonl").is_file()

    def cost(self) -> float:
        """How long it takes, in texts that are learnt: a sample of GRPO or an answer to a test question takes about as long as one."""
        texts = EVALUATION
        for stage in self.own:
            texts += stage.steps * sum(source.rows for source in stage.batch)
            if stage.kind == "grpo":
                texts += stage.steps * stage.prompts.rows * stage.samples
            elif stage.kind == "rft":
                texts += stage.steps * stage.prompts.rows + stage.prompts.limit * stage.samples
        return float(texts)


def make_jobs(arms: Sequence[Arm], corpora: Mapping[int, Corpus], out: Path) -> list[Job]:
    """A job for each arm and seed (a key of `corpora`); each goes on from the earlier job of its seed that shares most stages."""
    jobs: list[Job] = []
    for seed, corpus in corpora.items():
        before: list[tuple[Job, Recipe]] = []
        for arm in arms:
            recipe = arm.load(seed)
            job = Job(arm, seed, corpus, out)
            shared = 0
            for other, its in before:
                count = recipe.shared_stages(its)
                if shared < count < len(recipe.stages):
                    job.base, shared = other, count
            job.own = recipe.stages[shared:]
            before.append((job, recipe))
        jobs += [job for job, _ in before]
    return jobs


def reproduce(
    corpora: Mapping[int, Corpus],
    out: Path,
    *,
    recipes: Sequence[str] = ARMS,
    workers: int = 0,
    settings: Mapping[str, str] | None = None,
    say: Say = print,
    command: str = "",
    with_passk: bool = False,
) -> Path:
    """Runs the recipes for each seed (a key of `corpora`, each with its release); returns the path of the report."""
    preset = next(iter(corpora.values())).config.preset
    arms = make_arms(recipes, settings or {}, preset)
    jobs = make_jobs(arms, corpora, out)
    workers = workers or max(1, os.cpu_count() or 1)
    waiting = [job for job in jobs if not job.complete()]
    size = f"{len(jobs)} runs ({len(arms)} arms, {len(corpora)} seeds)"
    say(f"{size}, {len(jobs) - len(waiting)} complete; {workers} side by side, one thread each")
    if waiting:
        minutes = minutes_per_text(waiting[0]) * sum(job.cost() for job in waiting) / workers
        say(f"about {minutes:.0f} min at the speed of a bare training loop on this machine now")
    run_jobs(jobs, workers, say, command)
    lines = collect(jobs)
    if with_passk:
        lines += passk_lines(jobs, say)
    (out / "results.jsonl").write_text(
        "".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8"
    )
    from bioreason_bench.experiments.report import make_report

    return make_report([out / "results.jsonl"], out / "report", say=say)


def minutes_per_text(job: Job) -> float:
    """Minutes that it takes to learn a text here and now: a bare loop over the first batches of the job's recipe, on one thread."""
    import torch

    from bioreason_bench.training.data import make_mixture
    from bioreason_bench.training.models import load as models
    from bioreason_bench.training.speed import expected_minutes

    models.quiet()
    recipe = job.arm.load(job.seed)
    stage = recipe.stages[0]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    model, tokenizer = models.start(recipe, job.corpus)
    mixture = make_mixture(
        job.corpus, stage.batch, stage.steps, tokenizer, recipe.max_length, Draw(0)
    )
    minutes = expected_minutes(model, tokenizer, mixture, recipe)
    torch.set_num_threads(threads)
    return minutes / len(mixture)


def run_jobs(jobs: list[Job], workers: int, say: Say, command: str) -> None:
    """Runs what is not complete, a process each, bases first; raises BioreasonError if one fails (the others finish)."""
    waiting = [job for job in jobs if not job.complete()]
    running: dict[subprocess.Popen[bytes], Job] = {}
    failed: list[Job] = []
    signal.signal(signal.SIGTERM, _stopped)  # or a killed parent would leave its children at work
    begun, spoken = time.perf_counter(), time.perf_counter()
    all_cost = sum(job.cost() for job in waiting) or 1.0
    try:
        while waiting or running:
            for job in list(waiting):
                if job.base in failed:
                    waiting.remove(job)
                    failed.append(job)
                elif len(running) < workers and (job.base is None or job.base.complete()):
                    waiting.remove(job)
                    say(f"{job.label}: begins")
                    running[start(job, command)] = job
            time.sleep(1.0)
            for process in [process for process in running if process.poll() is not None]:
                job = running.pop(process)
                if process.returncode or not job.complete():
                    failed.append(job)
                    say(f"{job.label}: failed; {last_words(job)}")
                else:
                    say(f"{job.label}: {headline(job)}")
            if time.perf_counter() - spoken > 60:
                spoken = time.perf_counter()
                left = sum(job.cost() for job in waiting) + sum(
                    job.cost() * (1 - share(job)) for job in running.values()
                )
                done = max(all_cost - left, 0.01 * all_cost)
                pace = (spoken - begun) / 60 / done
                say(
                    ", ".join(f"{job.label} {100 * share(job):.0f} %" for job in running.values())
                    + f"; about {left * pace:.0f} min left"
                )
    finally:
        for process in running:
            process.terminate()
    if failed:
        raise BioreasonError(
            f"{len(failed)} of {len(jobs)} runs failed, first {failed[0].label}: {last_words(failed[0])}; "
            "call the same command again to go on"
        )


def _stopped(*_: object) -> None:
    raise KeyboardInterrupt


def start(job: Job, command: str) -> subprocess.Popen[bytes]:
    """The arm as a process of its own, one thread."""
    words = [
        "train",
        job.arm.recipe,
        "--data",
        str(job.corpus.path),
        "--out",
        str(job.folder),
        "--seed",
        str(job.seed),
        "--resume",
    ]
    for key, value in job.arm.settings.items():
        words += ["--set", f"{key}={value}"]
    if job.base is not None:
        words += ["--base", str(job.base.folder)]
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    job.folder.parent.mkdir(parents=True, exist_ok=True)
    with job.folder.with_suffix(".log").open("ab") as log:
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "bioreason_bench.commands.baseline",
                *words,
                "--command",
                command,
            ],
            stdout=subprocess.DEVNULL,
            stderr=log,
            env=environment,
        )


def share(job: Job) -> float:
    """How much of the job's steps is done, in [0, 1]."""
    done = 0
    for log in job.folder.glob("*-*/log.jsonl"):
        text = log.read_text(encoding="utf-8").strip().rpartition("\n")[2]
        done += json.loads(text)["step"] if text.endswith("}") else 0
    return min(1.0, done / sum(stage.steps for stage in job.own))


def last_words(job: Job) -> str:
    path = job.folder.with_suffix(".log")
    lines = (
        path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        if path.is_file()
        else []
    )
    return lines[-1][-300:] if lines else "it left no message"


def results(job: Job) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for line in (job.folder / "results.jsonl").read_text(encoding="utf-8").splitlines()
    ]


def headline(job: Job) -> str:
    found = {line["config"]: line for line in results(job)}
    parts = [
        f"{config.partition('_')[2]} {100 * found[config]['exact_match']:.0f} ({100 * found[config]['process_verified']:.0f})"
        for config in found
        if config.startswith("comp_")
    ]
    return f"comp answers (chains): {', '.join(parts)}"


def collect(jobs: list[Job]) -> list[dict[str, Any]]:
    """A line for each run and each of its test sets, as they are committed and reported."""
    lines: list[dict[str, Any]] = []
    for job in jobs:
        run = json.loads((job.folder / "run.json").read_text(encoding="utf-8"))
        done = [read_done(path) or {} for path in sorted(job.folder.glob("*-*")) if path.is_dir()]
        stages = [
            {key: value for key, value in stage.items() if key != "results"} for stage in done
        ]
        for stage, log in zip(
            stages, sorted(job.folder.glob("*-*/log.jsonl")), strict=False
        ):  # a resumed stage knows only its last part
            last = json.loads(log.read_text(encoding="utf-8").strip().rpartition("\n")[2] or "{}")
            stage["seconds"] = max(stage.get("seconds", 0.0), last.get("seconds", 0.0))
        minutes = round(sum(stage.get("seconds", 0.0) for stage in stages) / 60, 1)
        lines.append(
            {
                "type": "run",
                "arm": job.arm.name,
                "seed": job.seed,
                "minutes": minutes,
                "stages": stages,
                "curve": curve(job),
                **run,
            }
        )
        lines += [
            {
                "type": "result",
                "arm": job.arm.name,
                **{key: value for key, value in line.items() if key != "run"},
            }
            for line in results(job)
        ]
    return lines


def curve(job: Job) -> list[dict[str, Any]]:
    """The learning curve, at most 40 points a stage."""
    points: list[dict[str, Any]] = []
    for log in sorted(job.folder.glob("*-*/log.jsonl")):
        steps = {
            row["step"]: row
            for row in map(json.loads, log.read_text(encoding="utf-8").splitlines())
        }  # a resumed stage repeats some
        rows = [steps[step] for step in sorted(steps)]
        rows = rows[:: max(1, len(rows) // 40)]
        points += [
            {
                "stage": log.parent.name,
                **{key: row[key] for key in ("step", "loss", "reward") if key in row},
            }
            for row in rows
        ]
    return points


def passk_lines(jobs: list[Job], say: Say) -> list[dict[str, Any]]:
    """pass@k of the main arms on comp_zeroshot, each beside the model that it began with."""
    from bioreason_bench.experiments.passk import compare

    lines = []
    for seed in dict.fromkeys(job.seed for job in jobs):
        arms = {job.arm.name: job for job in jobs if job.seed == seed}
        for group in PASSK_ARMS:
            chosen = [arms[name] for name in group]
            kept = chosen[0].folder.with_suffix(".passk.jsonl")
            if not kept.is_file():
                found = compare(
                    [job.model().as_posix() for job in chosen],
                    chosen[0].corpus,
                    "comp_zeroshot",
                    samples=512,
                    limit=60,
                    say=say,
                )
                rows = [
                    {"type": "passk", "arm": job.arm.name, "seed": seed, **line}
                    for job, line in zip(chosen, found, strict=True)
                ]
                kept.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
            lines += [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()]
    return lines
