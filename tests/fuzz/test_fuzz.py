"""Thousands of wrong command lines: each ends in one line, an exit code of the table, and no trace.

BIOREASON_FUZZ_CALLS=20000 pytest tests/fuzz     (`make fuzz`)

`make test` draws 2,000, and executes those with an option of a command that none has had yet and
one in five of the others.
"""

from __future__ import annotations

import os
import resource
import signal
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

pytest.importorskip("yaml")

from box import Box, Case
from command_lines import PROGRAMS, Commands

from bioreason_bench.errors import BUG, EXIT_CODES, BioreasonError
from bioreason_bench.release.read import Release

CALLS = int(os.environ.get("BIOREASON_FUZZ_CALLS", "2000"))
EXECUTED = 1 if "BIOREASON_FUZZ_CALLS" in os.environ else 5  # one in so many
SECONDS = 20  # of a call
MEMORY = 1_000_000_000  # bytes that a call may add
LONGEST = 700  # characters of a message
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_ENDPOINT": "http://127.0.0.1:9", "HF_TOKEN": ""}


class Hang(BaseException):
    """A call took too long; not an Exception, so that the command lines do not report it."""


@pytest.fixture(scope="module")
def box(tiny_release, tmp_path_factory) -> Iterator[Box]:
    """The folder of all calls, which are made in it and with a home of its own."""
    from bioreason_bench.audit.report import write_audit
    from bioreason_bench.audit.verify import verify
    from bioreason_bench.evaluation.harness import install

    box = Box(tmp_path_factory.mktemp("fuzz"), tiny_release)
    write_audit(verify(box.release, workers=1, sample=1))
    (box.home / "tasks").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in OFFLINE.items():
            patch.setenv(name, value)
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # read when it is imported
        patch.setenv("HOME", str(box.home))
        patch.setenv("TORCHINDUCTOR_CACHE_DIR", str(box.home / "cache"))
        patch.setenv("BIOREASON_CACHE", str(box.home / "cache"))
        patch.setattr(tempfile, "tempdir", str(box.home / "tmp"))
        patch.setattr(install, "harness_folder", lambda: box.home / "tasks")
        patch.chdir(box.run)
        yield box


def call(case: Case) -> Result:
    """Run the command line in this process, for at most SECONDS."""

    def stop(*_: object) -> None:
        raise Hang(f"more than {SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        return CliRunner().invoke(PROGRAMS[case.program], list(case.words), prog_name=case.program)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def complaint(case: Case, result: Result, left: set[str]) -> str:
    """What is wrong with how a call ended, "" if nothing."""
    code = result.exit_code
    lines = [line.rpartition("\r")[2].strip() for line in result.stderr.split("\n")]
    errors = [line for line in lines if line.startswith(f"{case.program}: ")]
    if {"-q", "--quiet"} & set(case.words):  # neither progress bars nor a log
        errors = list(filter(None, lines))
    if result.exception and not isinstance(result.exception, SystemExit):
        return f"it raised {result.exception!r}"
    if code == BUG:
        logs = [Path(path).read_text() for path in left if "bioreason-bug-" in path]
        return f"exit code {BUG}:\n{result.stderr}{''.join(logs)}"
    if code not in EXIT_CODES:
        return f"exit code {code} is not in the table"
    if "Traceback" in result.stderr:
        return "it printed a traceback"
    reported = case.words[:1] == ("verify",) and result.stdout  # broken laws
    if code and len(errors) != 1 and not reported:
        return f"{len(errors)} lines of message"
    if any(len(line) > LONGEST or not line.isprintable() for line in errors):
        return "a message is too long, or has control characters"
    for manifest in (Path(path) for path in left if path.endswith("/manifest.json")):
        try:
            Release(manifest.parent).config  # noqa: B018 - raises if it is none
        except BioreasonError as error:
            return f"it wrote a release that cannot be read: {error}"
    if left and (code or any("/home/tmp/" in path for path in left)):
        return f"it left {sorted(left)[:5]}"
    return ""


def options_of(command: click.Command) -> list[click.Option]:
    """The options of a command that its help shows."""
    options = [option for option in command.params if isinstance(option, click.Option)]
    return [option for option in options if not option.hidden and not option.is_eager]


def chosen(case: Case) -> bool:
    """Whether a command line is executed although each of its options has been tried before."""
    return zlib.crc32(repr(case.words).encode()) % EXECUTED == 0


@pytest.mark.slow
def test_no_command_line_breaks_the_program(box):
    """Neither a traceback, nor a hang, nor memory, nor a long message, nor a file left behind."""
    commands = Commands(box)
    inputs = box.inputs()
    untried = {
        (program, path[0], word)
        for program, path, command in commands.commands.values()
        for words in (path, *(option.opts for option in options_of(command)))
        for word in words
    }
    tried: set[str] = set()
    failed = False

    @settings(
        max_examples=CALLS,
        derandomize="BIOREASON_FUZZ_CALLS" not in os.environ,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def try_one(data: st.DataObject) -> None:
        nonlocal failed
        case = data.draw(commands.lines())
        parts = {(case.program, case.words[0], word) for word in case.words}
        if not (failed or parts & untried or chosen(case)):
            return
        box.make(case)
        before = box.state()
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            result = call(case)
            wrong = complaint(case, result, box.state() - before)
        finally:
            os.chdir(box.run)
            box.clear()
        failed = failed or bool(wrong)
        grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory)
        assert not wrong, f"{wrong}\n{result.stderr[-2000:]}"
        assert grown < MEMORY, f"{grown:,} bytes more"
        untried.difference_update(parts)
        tried.update(case.words)

    try_one()
    assert box.inputs() == inputs, "a call changed its inputs"
    for name, (_, path, command) in commands.commands.items():
        assert tried >= set(path), f"{name} was not tried"
        for option in options_of(command):
            assert tried & set(option.opts), f"{name} {option.opts[0]} was not tried"
