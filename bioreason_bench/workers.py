"""Worker processes: the same function applied to many tasks, results as they are finished.

Written out because a pool must notice what the ones in the standard library do not: a worker that the system killed
(multiprocessing.Pool waits for it for ever), Ctrl-C (workers ignore it and are ended at once), and its own sudden
death (a worker whose parent is gone reads the end of its pipe and leaves).
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import TypeVar

from bioreason_bench.errors import BioreasonError

__all__ = ["FORK", "available_cores", "run"]

Task = TypeVar("Task")
Result = TypeVar("Result")
FORK = (
    sys.platform == "linux"
)  # elsewhere forking is absent, or unsafe beside the system's own threads


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(
    tasks: Sequence[Task], start: Callable[[], Callable[[Task], Result]], workers: int
) -> Iterator[Result]:
    """Yield the result of each task, in the order in which they are finished.

    `start` makes the function in each worker; where processes are not forked it must be picklable.  An exception in a
    worker is raised here; whatever ends this generator (close it) ends the workers too.
    """
    workers = min(workers, len(tasks))
    if workers <= 1:
        work = start() if tasks else None
        yield from (work(task) for task in tasks)
        return
    team: dict[Connection, BaseProcess] = {}
    try:
        _hire(team, start, workers)
        waiting = iter(tasks)
        for end in team:
            end.send(next(waiting))
        busy = list(team)
        while busy:
            for end in wait(busy):
                outcome = _receive(end, team[end])
                task = next(waiting, None)
                if task is None:
                    busy.remove(end)
                else:
                    end.send(task)
                yield outcome
    finally:
        _dismiss(team)


def _hire(team: dict[Connection, BaseProcess], start: Callable, workers: int) -> None:
    context = multiprocessing.get_context("fork" if FORK else "spawn")
    for _ in range(workers):
        here, there = context.Pipe()
        process = context.Process(
            target=_serve, args=(start, there, [*team, here] if FORK else []), daemon=True
        )
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", DeprecationWarning
            )  # 3.12 warns of numpy's idle threads, which survive a fork
            process.start()
        there.close()
        team[here] = process


def _serve(start: Callable, end: Connection, inherited: list[Connection]) -> None:
    """The life of a worker: tasks in, (True, result) or (False, exception) out, until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's affair
    for (
        other
    ) in inherited:  # else a sibling would keep the parent's end open after the parent's death
        other.close()
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            work = start()
        except Exception as error:  # noqa: BLE001 - it is raised in the parent
            end.recv()
            end.send((False, _portable(error)))
            return
        while True:
            task = end.recv()
            try:
                outcome = (True, work(task))
            except Exception as error:  # noqa: BLE001 - it is raised in the parent
                outcome = (False, _portable(error))
            end.send(outcome)


def _portable(error: Exception) -> Exception:
    """The exception if it survives the way to the parent, else one with its whole traceback as text."""
    if isinstance(error, (BioreasonError, OSError, MemoryError)):
        with suppress(Exception):
            return pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    return RuntimeError("in a worker process:\n" + "".join(traceback.format_exception(error)))


def _receive(end: Connection, process: BaseProcess) -> object:
    try:
        good, outcome = end.recv()
    except (EOFError, ConnectionResetError):
        process.join(1)
        raise BioreasonError(
            f"a worker process ended unexpectedly (exit code {process.exitcode}), most likely because memory ran out; "
            "run the same command again with fewer --workers: finished files are kept"
        ) from None
    if not good:
        raise outcome
    return outcome


def _dismiss(team: dict[Connection, BaseProcess]) -> None:
    for end, process in team.items():
        end.close()
        process.terminate()
    for process in team.values():
        process.join(5)
        if process.is_alive():
            process.kill()
            process.join()
