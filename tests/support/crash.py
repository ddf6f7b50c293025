"""Stop a function at a drawn moment: kill its process, or let the system refuse an operation.

    steps = count_steps(action, folder)          files opened, made, renamed and removed in `folder`
    run_until(action, folder, 17, KILL)          killed before the 17th step
    run_until(action, folder, 17, errno.EIO)     the 17th step fails

Everything is real, but for the failing operation, which Python's audit hook refuses.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

KILL = 0
STEPS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"}
Action = Callable[[], object]


@dataclass
class Outcome:
    """How a process ended: 0 or a signal's negative number; the error; the steps it took."""

    code: int
    error: str
    steps: int


def run_apart(action: Action, hook: Callable | None = None, steps: list | None = None) -> Outcome:
    """Run the action in a process of its own; errors arrive as "Type: message"."""
    return wait(start_apart(action, hook, steps))


def start_apart(
    action: Action, hook: Callable | None = None, steps: list | None = None
) -> tuple[int, int]:
    """Start the action in a process of its own; returns what `wait` needs."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking with idle threads
        process = os.fork()
    if process:
        os.close(writer)
        return process, reader
    try:
        os.close(reader)
        if hook is not None:
            sys.addaudithook(hook)
        error = ""
        try:
            action()
        except BaseException as raised:  # noqa: BLE001 - told to the parent
            error = f"{type(raised).__name__}: {raised}"
        os.write(writer, f"{len(steps or ())}\n{error}".encode())
    except BaseException:  # noqa: BLE001 - the child must not go on with the tests
        traceback.print_exc()
    finally:
        os._exit(0)


def wait(started: tuple[int, int]) -> Outcome:
    process, reader = started
    with os.fdopen(reader, "rb") as pipe:
        steps, _, error = pipe.read().decode().partition("\n")
    _, status = os.waitpid(process, 0)
    return Outcome(os.waitstatus_to_exitcode(status), error, int(steps or 0))


def count_steps(action: Action, folder: Path) -> int:
    steps: list[str] = []
    outcome = run_apart(action, _hook(folder, steps, -1, KILL), steps)
    assert outcome.error == "" and outcome.steps > 0, outcome
    return outcome.steps


def run_until(action: Action, folder: Path, step: int, how: int) -> Outcome:
    steps: list[str] = []
    outcome = run_apart(action, _hook(folder, steps, step, how), steps)
    assert how == KILL or outcome.code == 0
    return outcome


def makes_a_folder(path: Path) -> bool:
    """Whether mkdir changes anything.

    `mkdir(parents=True)` first tries without the parents.  How often that is in vain depends on
    which of two threads comes first, and steps are to be the same in every run.
    """
    return path.parent.exists() and not path.exists()


def _hook(folder: Path, steps: list[str], last: int, how: int) -> Callable:
    inside = str(folder)

    def count(event: str, arguments: tuple) -> None:
        if event not in STEPS or not str(arguments[0]).startswith(inside):
            return
        if event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return
        if event == "os.mkdir" and not makes_a_folder(Path(arguments[0])):
            return
        steps.append(event)
        if len(steps) == last:
            if how == KILL:
                os.kill(os.getpid(), signal.SIGKILL)
            raise OSError(how, os.strerror(how), str(arguments[0]))

    return count


def contents(folder: Path) -> dict[str, bytes]:
    """Name → bytes of all files below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


FAILURES = (errno.EIO, errno.ENOSPC, errno.EMFILE, errno.EROFS, errno.EACCES)
