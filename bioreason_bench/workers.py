"""Worker processes: apply one function to many tasks and yield the results as they finish.

The pools of the standard library miss three events that this module handles:

- the system kills a worker (multiprocessing.Pool waits for its result forever);
- the user presses Ctrl-C (workers ignore it, and the parent stops them at once);
- the parent dies (each worker then reads the end of its pipe and exits).
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar, cast

from bioreason_bench.errors import BioreasonError

__all__ = ["FORK", "available_cores", "run"]

Task = TypeVar("Task")
Result = TypeVar("Result")
MOST_PER_CORE = 4  # more processes only need more memory
FORK = sys.platform == "linux"  # elsewhere forking is missing, or unsafe with the system's threads


def available_cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(
    tasks: Sequence[Task], start: Callable[[], Callable[[Task], Result]], workers: int
) -> Generator[Result]:
    """Yield the result of each task, in the order in which the tasks finish.

    An exception in a worker is raised again in this process.  Closing this generator stops the
    workers.

    Args:
        tasks: The arguments of the function, one task each.
        start: Makes the function, once in each worker; must be picklable where FORK is False.
        workers: The number of processes; up to 1 means that this process does the work.  There
            are no more than tasks, nor than MOST_PER_CORE for each core.
    """
    workers = min(workers, len(tasks), MOST_PER_CORE * available_cores())
    if workers <= 1:
        if tasks:
            for result in map(start(), tasks):
                give_memory_back()
                yield result
        return
    processes: dict[Connection, BaseProcess] = {}  # by the parent's end of the worker's pipe
    try:
        _start_workers(processes, start, workers)
        waiting = iter(tasks)
        for connection in processes:
            connection.send(next(waiting))
        busy = list(processes)
        while busy:
            for connection in cast("list[Connection]", wait(busy)):
                result = _receive(connection, processes[connection])
                task = next(waiting, None)
                if task is None:
                    busy.remove(connection)
                else:
                    connection.send(task)
                yield result
    finally:
        _stop_workers(processes)


def _start_workers(processes: dict[Connection, BaseProcess], start: Callable, workers: int) -> None:
    """Start the workers one by one, so that `processes` holds those to stop if one fails."""
    make_process: type[BaseProcess] = (
        multiprocessing.get_context("fork").Process
        if FORK
        else multiprocessing.get_context("spawn").Process
    )
    give_memory_back()  # what is free here, each worker would take anew
    for _ in range(workers):
        parent_end, worker_end = multiprocessing.Pipe()
        inherited = [*processes, parent_end] if FORK else []
        process = make_process(target=_serve, args=(start, worker_end, inherited), daemon=True)
        with warnings.catch_warnings(), _interrupt_after():
            # Python 3.12 warns about numpy's idle threads, which a fork does not disturb.
            warnings.simplefilter("ignore", DeprecationWarning)
            process.start()
        worker_end.close()
        processes[parent_end] = process


@contextmanager
def _interrupt_after() -> Iterator[None]:
    """Put off Ctrl-C to the end: KeyboardInterrupt in the moment of forking would be lost.

    Python only prints it there, and goes on.  The new process inherits the handler.
    """
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler) or threading.current_thread() is not threading.main_thread():
        yield  # Ctrl-C raises no KeyboardInterrupt here
        return
    pressed = []
    signal.signal(signal.SIGINT, lambda *_: pressed.append(True))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if pressed:
            signal.raise_signal(signal.SIGINT)


def _serve(start: Callable, connection: Connection, inherited: list[Connection]) -> None:
    """Run a worker: tasks in, (True, result) or (False, exception) out, until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    for parent_end in inherited:  # an open copy would hide the parent's death from its workers
        parent_end.close()
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            work = start()
        except Exception as error:  # noqa: BLE001 - it is raised in the parent
            connection.recv()
            connection.send((False, _portable(error)))
            return
        while True:
            task = connection.recv()
            try:
                outcome = (True, work(task))
            except Exception as error:  # noqa: BLE001 - it is raised in the parent
                outcome = (False, _portable(error))
            connection.send(outcome)
            give_memory_back()


def give_memory_back() -> None:
    """Return free memory to the system: the largest task must not size every process for good.

    glibc and the allocator of Arrow keep what they once had.  Other systems decide by themselves.
    """
    if arrow := sys.modules.get("pyarrow"):
        arrow.default_memory_pool().release_unused()
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another library of C
            ctypes.CDLL("libc.so.6").malloc_trim(0)


def _portable(error: Exception) -> Exception:
    """Return the exception if it can be pickled and is meant for users, else its traceback as text.

    The traceback comes as the message of a RuntimeError.
    """
    if isinstance(error, (BioreasonError, OSError, MemoryError)):
        with suppress(Exception):
            return pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    return RuntimeError("in a worker process:\n" + "".join(traceback.format_exception(error)))


def _receive(connection: Connection, process: BaseProcess) -> Any:
    """Return the worker's result, or raise its exception."""
    try:
        succeeded, outcome = connection.recv()
    except (EOFError, ConnectionResetError):
        process.join(1)
        raise BioreasonError(
            f"a worker process ended unexpectedly (exit code {process.exitcode}), most likely "
            "because memory ran out; run the same command again with fewer --workers: "
            "finished files are kept"
        ) from None
    if not succeeded:
        raise outcome
    return outcome


def _stop_workers(processes: dict[Connection, BaseProcess]) -> None:
    for connection, process in processes.items():
        connection.close()
        process.terminate()
    for process in processes.values():
        process.join(5)
        if process.is_alive():
            process.kill()
            process.join()
