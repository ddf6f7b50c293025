"""Nothing half is ever left, and nothing of anybody else's is touched, whatever stops a command.

Commands are killed, or refused an operation, at drawn steps; then the same command must give what
an undisturbed one gives.
"""

from __future__ import annotations

import errno
import os
import random
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from crash import FAILURES, KILL, contents, count_steps, run_apart, run_until, start_apart, wait
from few import SETTINGS, few

from bioreason_bench import build
from bioreason_bench.audit.report import Audit, manifest_digest, write_audit
from bioreason_bench.errors import UsageError
from bioreason_bench.export.export import export
from bioreason_bench.release import write
from bioreason_bench.release.disk import locked, user_path
from bioreason_bench.release.read import Release

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes of POSIX")
NEIGHBOURS = {
    "r.old/backup.txt": b"a backup",
    "r.partial.txt": b"notes",
    "notes/thesis.tex": b"years of work",
}


def make(out: Path, seed: int = 42, force: bool = False) -> None:
    build.generate(few(seed), out, workers=1, force=force)


@pytest.fixture(scope="module", autouse=True)
def undisturbed(planned_once, tmp_path_factory) -> dict[int, dict[str, bytes]]:
    """The files of two releases, by seed."""
    root = tmp_path_factory.mktemp("undisturbed")
    for seed in (42, 7):
        make(root / str(seed), seed)
    return {seed: contents(root / str(seed)) for seed in (42, 7)}


@pytest.fixture
def place(tmp_path) -> Path:
    """A folder in which somebody keeps files next to where `r` will be."""
    for name, content in NEIGHBOURS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def remove_release(out: Path) -> None:
    """Remove a release, and what a killed command left beside it: all runs take the same steps."""
    for folder in (out, out.with_name(f"{out.name}.partial")):
        shutil.rmtree(folder, ignore_errors=True)


def check_only(place: Path, out: dict[str, bytes]) -> None:
    """`r` holds exactly this, the neighbours what they held, and nothing else is there."""
    assert contents(place) == {**NEIGHBOURS, **{f"r/{name}": data for name, data in out.items()}}
    assert not (place / "r.partial").exists()


def drawn(steps: int, count: int, name: str) -> list[int]:
    """Some of the steps; the last ones, which put things in their place, most likely."""
    draw = random.Random(name)
    late = range(max(1, steps - 12), steps + 1)
    return sorted({*draw.sample(late, count // 2), *draw.sample(range(1, steps + 1), count // 2)})


# generate -----------------------------------------------------------------------------------------


def test_a_killed_generate_leaves_no_half_release_and_goes_on(place, undisturbed):
    steps = count_steps(partial(make, place / "r"), place)
    check_only(place, undisturbed[42])
    for step in drawn(steps, 4, "generate"):
        remove_release(place / "r")
        killed = run_until(partial(make, place / "r"), place, step, KILL)
        assert killed.code == -signal.SIGKILL
        whole = (place / "r").exists()
        assert not whole or contents(place / "r") == undisturbed[42]
        if not whole:
            assert run_apart(partial(make, place / "r")).error == ""
        else:
            with pytest.raises(UsageError, match="already exists"):
                make(place / "r")
        assert contents(place / "r") == undisturbed[42]
        assert {path.name for path in place.iterdir()} - {"r.partial"} == {
            *(name.partition("/")[0] for name in NEIGHBOURS),
            "r",
        }


def test_a_killed_replacement_keeps_the_old_release_or_the_new(place, undisturbed):
    replace = partial(make, place / "r", 7, force=True)
    make(place / "r")
    steps = count_steps(replace, place)
    check_only(place, undisturbed[7])
    for step in drawn(steps, 2, "force"):
        remove_release(place / "r")
        make(place / "r")
        assert run_until(replace, place, step, KILL).code == -signal.SIGKILL
        if (place / "r").exists():
            assert contents(place / "r") in undisturbed.values()
        # Without --force, a release that was moved aside comes back and is not replaced.
        with pytest.raises(UsageError, match="already exists"):
            make(place / "r", 7)
        assert contents(place / "r") in undisturbed.values()
        assert run_apart(replace).error == ""
        check_only(place, undisturbed[7])


@pytest.mark.parametrize("how", FAILURES, ids=errno.errorcode.get)
def test_an_operation_that_fails_gets_one_sentence_and_leaves_nothing_half(how, place, undisturbed):
    """Where the step can do without the operation, the release is made."""
    for step in drawn(90, 2, errno.errorcode[how]):
        outcome = run_until(partial(make, place / "r"), place, step, how)
        if outcome.error:
            kind, _, sentence = outcome.error.partition(": ")
            assert kind in ("UsageError", "BioreasonError"), outcome.error
            assert str(place / "r") in sentence and "; " in sentence and "\n" not in sentence
            assert not (place / "r").exists()
            assert run_apart(partial(make, place / "r")).error == ""
        check_only(place, undisturbed[42])
        remove_release(place / "r")


def test_two_runs_at_once_leave_one_of_the_two_releases(place, undisturbed):
    """The second may even begin when the first is about to rename."""
    for delay in (0.0, 0.4):
        first = start_apart(partial(make, place / "r", 42))
        time.sleep(delay)
        second = start_apart(partial(make, place / "r", 7))
        errors = [wait(first).error, wait(second).error]
        assert errors.count("") == 1, errors
        [refused] = filter(None, errors)
        assert "another run is writing" in refused or "already exists" in refused
        check_only(place, undisturbed[42 if errors[0] == "" else 7])
        remove_release(place / "r")


def test_what_was_put_into_the_folder_of_an_interrupted_run_stays(place, undisturbed):
    run_until(partial(make, place / "r"), place, 40, KILL)
    [root] = (path for path in (place / "r.partial").glob("run-*") if path.is_dir())
    for path in (place / "r.partial" / "thesis.tex", root / "thesis.tex", root / "data" / "x.csv"):
        path.write_text("years of work")
    assert run_apart(partial(make, place / "r")).error == ""
    assert contents(place / "r") == undisturbed[42]
    kept = contents(place / "r.partial")
    assert sorted(kept.values()).count(b"years of work") == 3
    assert run_apart(partial(make, place / "s")).error == ""


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_of_somebody_else_in_the_place_of_ours_is_refused(place, force):
    (place / "r.partial").mkdir()
    (place / "r.partial" / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match=r"holds thesis.tex, which bioreason did not put there"):
        make(place / "r", force=force)
    assert (place / "r.partial" / "thesis.tex").read_text() == "years of work"


def test_force_does_not_replace_a_release_in_which_somebody_keeps_files(place, undisturbed):
    make(place / "r")
    (place / "r" / "data" / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match=r"also holds data/thesis.tex, .*; move that away"):
        make(place / "r", 7, force=True)
    (place / "r" / "data" / "thesis.tex").unlink()
    (place / "r" / "audit.json").write_text("{}")
    make(place / "r", 7, force=True)
    check_only(place, undisturbed[7])


@pytest.mark.parametrize("name", ["r.partial", "r.partial/.bioreason.lock"])
def test_nothing_is_written_through_a_planted_link(place, name):
    (place / "r.partial" if "/" in name else place).mkdir(exist_ok=True)
    (place / name).symlink_to(place / "notes" / "thesis.tex")
    with pytest.raises(UsageError, match=r"is a link, through which nothing is written"):
        make(place / "r")
    assert (place / "notes" / "thesis.tex").read_bytes() == b"years of work"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make folders for another user")
def test_the_folder_of_another_user_is_not_used(place):
    (place / "r.partial").mkdir()
    os.chown(place / "r.partial", 65534, 65534)
    with pytest.raises(UsageError, match="belongs to another user"):
        make(place / "r")


def test_files_of_other_code_are_not_used(place, undisturbed, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(write, "code_digest", lambda *_: "of the code before it was edited")
        assert run_until(partial(make, place / "r"), place, 90, KILL).code == -signal.SIGKILL
    old = {path.stat().st_ino for path in (place / "r.partial").rglob("*.parquet")}
    assert len(old) > 5
    kept = [path.open("rb") for path in (place / "r.partial").rglob("*.parquet")]  # keeps inodes
    make(place / "r")
    assert old.isdisjoint(path.stat().st_ino for path in (place / "r").rglob("*.parquet"))
    for file in kept:
        file.close()
    check_only(place, undisturbed[42])


# the path -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("out", "says"),
    [
        ("~nobody-of-this-name/r", "there is no user ~?nobody-of-this-name"),
        (os.fsdecode(b"caf\xe9"), "is not (valid )?UTF-8"),
        ("/", "choose one below it|already exists"),
    ],
)
def test_a_path_that_cannot_be_used_gets_one_sentence(cli, tiny_release, out, says):
    import re

    for words in (("generate", "--preset", "tiny"), ("export", tiny_release, "--to", "trl")):
        result = cli(*words, "-q", "--out", out)
        assert result.exit_code == 2 and len(result.stderr.splitlines()) == 1
        assert re.search(says, result.stderr)


def test_a_path_is_the_one_that_the_user_means(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert user_path("link/r") == tmp_path / "real" / "r"
    assert user_path("a/../r") == tmp_path / "r"


# export and verify --write ------------------------------------------------------------------------


def audit(release: Path) -> None:
    write_audit(Audit(release, manifest_digest(release), sample=0))


def test_a_killed_export_leaves_no_half_folder(place, tiny_release):
    action = partial(export, Release(tiny_release), "trl", place / "r")
    steps = count_steps(action, place)
    whole = contents(place / "r")
    check_only(place, whole)
    for how in (KILL, errno.ENOSPC):
        for step in drawn(steps, 2, f"export {how}"):
            remove_release(place / "r")
            outcome = run_until(action, place, step, how)
            assert how == KILL or outcome.error == "" or str(place / "r") in outcome.error
            if not (place / "r").exists() or not any((place / "r").iterdir()):
                assert run_apart(action).error == ""
            assert contents(place / "r") == whole


def test_two_exports_at_once_leave_one_of_them(place, tiny_release):
    actions = [partial(export, Release(tiny_release), to, place / "r") for to in ("trl", "verl")]
    wholes = []
    for action in actions:
        assert run_apart(action).error == ""
        wholes.append(contents(place / "r"))
        remove_release(place / "r")
    for _ in range(2):
        errors = [wait(started).error for started in [start_apart(action) for action in actions]]
        assert errors.count("") == 1, errors
        check_only(place, wholes[errors.index("")])
        remove_release(place / "r")


def test_a_killed_audit_leaves_the_old_file_or_the_new(place, undisturbed):
    make(place / "r")
    steps = count_steps(partial(audit, place / "r"), place)
    whole = (place / "r" / "audit.json").read_bytes()
    for how in (KILL, errno.ENOSPC, errno.EROFS):
        for step in range(1, steps + 1):
            (place / "r" / "audit.json").write_bytes(b"old")
            outcome = run_until(partial(audit, place / "r"), place, step, how)
            assert (place / "r" / "audit.json").read_bytes() in (b"old", whole)
            if outcome.error:
                assert "audit.json" in outcome.error and "; " in outcome.error
            audit(place / "r")
            check_only(place, {**undisturbed[42], "audit.json": whole})


@pytest.mark.parametrize("what", ["export", "audit"])
def test_a_full_disk_gets_one_sentence_with_path_and_advice(what, place, tiny_release, undisturbed):
    """A limit on the size of a file imitates a full disk: the system refuses during a write."""

    def limited(action: Callable[[], object]) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, 1_000))
        action()

    if what == "audit":
        make(place / "r")
        action, path = partial(audit, place / "r"), place / "r" / "audit.json"
    else:
        action, path = partial(export, Release(tiny_release), "verl", place / "r"), place / "r"
    error = run_apart(partial(limited, action)).error
    assert error.startswith(f"BioreasonError: no room to write {path} (File too large); make room")
    check_only(place, undisturbed[42] if what == "audit" else {})


# locks, streams, Ctrl-C ---------------------------------------------------------------------------


def test_a_lock_is_held_against_processes_and_threads_and_leaves_no_file(tmp_path):
    path = tmp_path / "lock"

    def take() -> None:
        with locked(path):
            pass

    with locked(path):
        assert run_apart(take).error.startswith("BlockingIOError")
        with pytest.raises(BlockingIOError):
            take()
    take()
    assert not path.exists()


@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_not_make_a_sound_release_broken(closed, tiny_release, tmp_path):
    program = f"exec {sys.executable} -m bioreason_bench verify --sample 1 {tiny_release} {closed}"
    assert subprocess.run(["sh", "-c", program], check=False).returncode == 0


def test_generate_works_without_its_streams(tmp_path, undisturbed):
    words = (
        f"{sys.executable} -m bioreason_bench generate --preset tiny {shlex.join(SETTINGS)} --out r"
    )
    done = subprocess.run(["sh", "-c", f"exec {words} <&- >&- 2>&-"], check=False, cwd=tmp_path)
    assert done.returncode == 0 and contents(tmp_path / "r") == undisturbed[42]


def test_ctrl_c_in_the_moment_of_forking_is_not_lost():
    """The signal comes while Python runs the hooks of a fork, which swallow KeyboardInterrupt."""
    program = """
import os, signal
from bioreason_bench import workers
signal.signal(signal.SIGINT, signal.default_int_handler)
def press():
    os.kill(os.getpid(), signal.SIGINT)
    sum(range(1000))
os.register_at_fork(before=press)
try:
    print(list(workers.run([1, 2, 3], lambda: abs, 2)))
except KeyboardInterrupt:
    print("stopped")
"""
    words = [sys.executable, "-c", program]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.stderr) == ("stopped\n", "")


def test_there_are_no_more_processes_than_the_cores_can_use():
    from bioreason_bench import workers

    tasks = range(40 * workers.available_cores())
    found = set(workers.run(tasks, lambda: lambda _: os.getpid(), 99_999))
    assert len(found) <= workers.MOST_PER_CORE * workers.available_cores()
