"""Parts made by an engine: tasks, retries, completions and logs are those of datatrove's executors.

    OUT.parts/KEY/plan.arrow              the plan of all tasks (plan_file.py)
    OUT.parts/KEY/part-00007-of-00400/    what task 7 makes (parts.py)
    OUT.parts/KEY/logs/                   of the engine: completions/00007, logs/task_00007.log

KEY stands for the settings, so that a run with other settings finds nothing of this one.  The same
command resumes a run: the engine skips tasks that it has marked as complete.

datatrove because it has the three executors that are asked for behind one interface, and because
it writes the batch scripts of Slurm.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench.errors import BioreasonError, MissingExtra, UsageError
from bioreason_bench.release.write import digest_of, plain_errors
from bioreason_bench.scale.shares import Shares, ranges
from bioreason_bench.workers import run

if TYPE_CHECKING:
    from datatrove.executor.base import PipelineExecutor

__all__ = ["ENGINES", "EngineRun", "Make", "check_engine", "incomplete", "run_engine"]

ENGINES = ("local", "slurm", "ray")
NEEDED = {"slurm": ("time", "partition")}  # settings without a default


@dataclass(frozen=True)
class EngineRun:
    """One release made by an engine.

    Attributes:
        out: The folder of the release.
        config: The configuration as plain values.
        shard_rows: The approximate number of rows of a file.
        tasks: Into how many tasks the files are dealt.
    """

    out: Path
    config: Mapping[str, Any]
    shard_rows: int
    tasks: int

    @functools.cached_property
    def folder(self) -> Path:
        """The folder of parts and logs."""
        values = {"config": self.config, "shard_rows": self.shard_rows, "tasks": self.tasks}
        return self.out.with_name(f"{self.out.name}.parts") / digest_of(values)[:12]

    @property
    def plan(self) -> Path:
        return self.folder / "plan.arrow"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    def part(self, task: int) -> Path:
        """The folder of a task's part."""
        return self.folder / f"part-{task:05d}-of-{self.tasks:05d}"

    def parts(self) -> list[Path]:
        return [self.part(task) for task in range(self.tasks)]


Make = Callable[[EngineRun, Shares], None]


@dataclass(frozen=True)
class Step:
    """The engine's work: a callable with the arguments that datatrove gives to each step."""

    run: EngineRun
    make: Make

    def __repr__(self) -> str:
        return f"files of {self.run.out}"

    def __call__(self, data: object, rank: int, world_size: int) -> None:  # noqa: ARG002 - its signature
        """Make the part of one task."""
        self.make(self.run, Shares(rank, rank, world_size))


def run_engine(
    engine: str,
    job: EngineRun,
    make: Make,
    *,
    workers: int,
    settings: Mapping[str, str],
    done: Callable[[int], None] = lambda task: None,
) -> list[int]:
    """Make the parts of all tasks, or submit them; return the tasks that are not complete.

    Args:
        engine: local, slurm or ray.
        job: What is made.
        make: Makes one part; a function of a module, so that it can be pickled.
        workers: How many tasks run at a time.
        settings: Further arguments of datatrove's executor, such as partition for slurm.
        done: Called with the number of each finished task, where this process waits for them.

    Raises:
        MissingExtra: datatrove or ray is not installed.
        UsageError: The engine does not have a setting, or needs one.
        BioreasonError: A worker process was killed.
    """
    check_engine(engine, settings)
    with plain_errors(job.logs):
        job.logs.mkdir(parents=True, exist_ok=True)
    new = functools.partial(_executor, engine, job, make, workers, settings)
    if missing := new().get_incomplete_ranks():
        if engine == "local":
            start = functools.partial(_start_local, job, make, settings)
            with closing(run(missing, start, workers)) as finished:
                for task in finished:
                    done(task)
        else:
            _submit(engine, new())
    remaining: list[int] = new().get_incomplete_ranks()
    return remaining


def check_engine(engine: str, settings: Mapping[str, str]) -> None:
    """Check that an engine is installed and has these settings.

    Raises:
        MissingExtra: datatrove or ray is not installed.
        UsageError: The engine does not have a setting, or needs one.
    """
    import inspect

    known = set(inspect.signature(_class(engine).__init__).parameters)
    ours = {"self", "pipeline", "tasks", "workers", "logging_dir", "depends", "skip_completed"}
    for name in settings:
        if name not in known - ours:
            raise UsageError(
                f"--engine-set {name}: engine {engine} has no such setting; it has "
                f"{', '.join(sorted(known - ours))}"
            )
    for name in NEEDED.get(engine, ()):
        if name not in settings:
            raise UsageError(
                f"engine {engine} needs a {name}; add --engine-set {name}=..., as in your scripts"
            )


def _class(engine: str) -> Any:
    try:
        if engine == "local":
            from datatrove.executor.local import LocalPipelineExecutor

            return LocalPipelineExecutor
        if engine == "slurm":
            from datatrove.executor.slurm import SlurmPipelineExecutor

            return SlurmPipelineExecutor
        import ray  # noqa: F401 - the executor asks for it later
        from datatrove.executor.ray import RayPipelineExecutor

        return RayPipelineExecutor
    except ModuleNotFoundError as error:
        raise MissingExtra(str(error.name), "scale") from None


def _executor(
    engine: str,
    job: EngineRun,
    make: Make,
    workers: int,
    settings: Mapping[str, str],
    **more: Any,
) -> PipelineExecutor:
    _quiet()
    values = {name: _value(text) for name, text in settings.items()}
    executor: PipelineExecutor = _class(engine)(
        pipeline=[Step(job, make)],
        tasks=job.tasks,
        workers=workers,
        logging_dir=str(job.logs),
        **{**({"job_name": "bioreason"} if engine == "slurm" else {}), **values, **more},
    )
    return executor


def _value(text: str) -> Any:
    """A number, table or list in JSON, or the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _quiet() -> None:
    """Keep datatrove's messages in the logs of the tasks."""
    from datatrove.utils.logging import logger

    logger.remove()


def _start_local(job: EngineRun, make: Make, settings: Mapping[str, str]) -> Callable[[int], int]:
    """The work of one process: a task at a time, each by an executor of its own.

    The executor's own pool waits forever for a process that the system kills.
    """

    def work(task: int) -> int:
        executor = _executor("local", job, make, 1, settings, local_tasks=1, local_rank_offset=task)
        executor._run_for_rank(task, local_rank=1)  # of rank 0 the engine prints its log
        return task

    return work


def _submit(engine: str, executor: PipelineExecutor) -> None:
    if engine == "ray":
        import ray

        ray.init(ignore_reinit_error=True, log_to_driver=False)
    try:
        executor.run()
    except FileNotFoundError as error:
        raise UsageError(
            f"engine {engine} needs the command {error.filename}; run this where it is installed"
        ) from None
    except Exception as error:  # noqa: BLE001 - whatever the engine raises
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise BioreasonError(
            f"engine {engine} failed ({reason}); see {executor.logging_dir.path}, and run the "
            "same command again: complete tasks are kept"
        ) from None


def incomplete(tasks: list[int], total: int) -> str:
    """The tasks in words: "tasks 3-5 and 9 of 400"."""
    words = [f"{first}" if first == last else f"{first}-{last}" for first, last in ranges(tasks)]
    return f"tasks {', '.join(words[:6])}{' ...' if len(words) > 6 else ''} of {total:,}"
