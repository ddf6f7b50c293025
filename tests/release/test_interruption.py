"""An interrupted run leaves no partial release and the old one untouched; it can be resumed."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from few import few

from bioreason_bench import workers as pool
from bioreason_bench.build import generate
from bioreason_bench.config import load_preset
from bioreason_bench.errors import BioreasonError, UsageError
from bioreason_bench.release.manifest import read_manifest
from bioreason_bench.release.write import check_target

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
SIZES = {
    "levels": '["zeroshot"]',
    "mem.train": "2400",
    "ctx.train": "300",
    "comp.train": "300",
    "comp.rl": "20",
    "paraphrases": "5",
}
SETTINGS = [
    *("--preset", "tiny"),
    *(f"--set={key}={value}" for key, value in SIZES.items()),
    *("--shard-rows", "100"),
]  # about 70 files


def start(out: Path, *options: str, largest_file: int | None = None) -> subprocess.Popen:
    """Start the command in a process group of its own, as a terminal does.

    Args:
        out: The folder of the release.
        options: More options of the command.
        largest_file: The size in bytes over which no file may grow.
    """

    def prepare() -> None:
        # Background jobs of a shell, perhaps these tests, ignore SIGINT; children inherit that.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

    words = [
        sys.executable,
        "-m",
        "bioreason_bench",
        "generate",
        *SETTINGS,
        "--out",
        str(out),
        "--workers",
        "2",
        *options,
    ]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(words, **pipes, preexec_fn=prepare, start_new_session=True)  # noqa: PLW1509 - no threads here


def finish(out: Path, *options: str) -> dict:
    process = start(out, *options)
    _, stderr = process.communicate(timeout=300)
    assert process.returncode == 0, stderr
    return read_manifest(out)


def wait_for(condition: Callable[[], object], what: str, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.02)


def finished(partial: Path) -> list[Path]:
    """The files that the journals in the folder list as complete, by their paths there."""
    return [
        journal.with_suffix("") / json.loads(line)["done"]["file"]
        for journal in partial.glob("run-*.jsonl")
        for line in journal.read_text().splitlines()
        if line.startswith('{"done"') and line.endswith("}")
    ]


def wait_for_files(partial: Path, count: int, process: subprocess.Popen) -> None:
    """Wait until the journal of a run lists `count` files."""

    def listed() -> bool:
        assert process.poll() is None, f"the run ended too soon: {process.communicate()}"
        return len(finished(partial)) >= count

    wait_for(listed, f"{count} files")


def group_is_gone(process: subprocess.Popen) -> bool:
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> dict:
    return finish(tmp_path_factory.mktemp("undisturbed") / "r")["files"]


@pytest.mark.parametrize(
    "how",
    [signal.SIGINT, signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.deep)],
    ids=lambda how: how.name,
)
def test_an_interrupted_run_leaves_no_release_and_can_be_resumed(how, tmp_path, undisturbed):
    """Ctrl-C reaches all processes of the terminal, kill only the first; no process survives."""
    out, partial = tmp_path / "r", tmp_path / "r.partial"
    process = start(out)
    wait_for_files(partial, 8, process)
    (os.killpg if how is signal.SIGINT else os.kill)(process.pid, how)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == (130 if how is signal.SIGINT else -how)
    assert "Traceback" not in stderr
    if how is signal.SIGINT:
        says = "bioreason: interrupted; the same command goes on where it stopped"
        assert stderr.splitlines()[-1] == says
    wait_for(lambda: group_is_gone(process), "the workers to leave", 30)
    assert not out.exists()
    kept = {
        path.relative_to(partial / path.relative_to(partial).parts[0]): path.stat().st_mtime_ns
        for path in finished(partial)
    }
    assert len(kept) >= 8
    assert finish(out)["files"] == undisturbed
    assert not partial.exists()
    assert all((out / file).stat().st_mtime_ns == time for file, time in kept.items()), (
        "a finished file was made again"
    )
    assert {
        path.relative_to(out).as_posix() for path in (out / "data").rglob("*") if path.is_file()
    } == set(undisturbed)


def test_files_of_another_configuration_are_not_used(tmp_path, undisturbed):
    out, partial = tmp_path / "r", tmp_path / "r.partial"
    process = start(out, "--seed", "9")
    wait_for_files(partial, 3, process)
    process.kill()
    process.communicate()
    wait_for(lambda: group_is_gone(process), "the workers to leave", 30)
    assert finish(out)["files"] == undisturbed


def test_a_file_that_was_cut_or_lost_in_a_crash_is_made_again(tmp_path, undisturbed):
    """A power failure may lose a file that the journal lists, or leave zeros in place of its end.

    It may tear the journal's last line as well.
    """
    out, partial = tmp_path / "r", tmp_path / "r.partial"
    process = start(out)
    wait_for_files(partial, 5, process)
    process.kill()
    process.communicate()
    wait_for(lambda: group_is_gone(process), "the workers to leave", 30)
    lost, cut, torn, *_ = finished(partial)
    lost.unlink()
    cut.write_bytes(cut.read_bytes()[:-100])
    torn.write_bytes(torn.read_bytes()[:-4096] + bytes(4096))
    [journal] = partial.glob("run-*.jsonl")
    with journal.open("a") as lines:
        lines.write('{"done": {"file": "data/comp/tr')
    root = journal.with_suffix("")
    files = [path.relative_to(root).as_posix() for path in (lost, cut, torn)]
    assert finish(out)["files"] == undisturbed
    from bioreason_bench.release.digest import digest_rows
    from bioreason_bench.release.read import Release

    release = Release(out)
    assert all(
        digest_rows(release.read(out / file)) == undisturbed[file]["digest"] for file in files
    )


def test_two_runs_do_not_write_the_same_release(tmp_path):
    out = tmp_path / "r"
    first = start(out)
    wait_for_files(tmp_path / "r.partial", 1, first)
    second = start(out)
    _, stderr = second.communicate(timeout=60)
    assert second.returncode == 2
    assert "another run is writing" in stderr
    first.communicate(timeout=300)
    assert first.returncode == 0
    assert read_manifest(out)


def test_a_worker_that_the_system_kills_is_noticed(tmp_path):
    out = tmp_path / "r"
    process = start(out)
    wait_for_files(tmp_path / "r.partial", 2, process)
    children = subprocess.run(
        ["pgrep", "-P", str(process.pid)], capture_output=True, text=True
    ).stdout.split()
    os.kill(int(children[0]), signal.SIGKILL)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "a worker process ended unexpectedly" in stderr
    assert "Traceback" not in stderr
    assert not out.exists()


def test_an_existing_release_needs_force_and_stays_until_the_new_one_is_complete(
    tmp_path, tiny_release, undisturbed
):
    out = shutil.copytree(tiny_release, tmp_path / "r")
    old = read_manifest(out)
    refused = start(out)
    assert "already exists" in refused.communicate()[1]
    assert refused.returncode == 2
    process = start(out, "--force")
    wait_for_files(tmp_path / "r.partial", 3, process)
    process.kill()
    process.communicate()
    wait_for(lambda: group_is_gone(process), "the workers to leave", 30)
    assert read_manifest(out) == old
    assert finish(out, "--force")["files"] == undisturbed
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


def test_force_replaces_nothing_but_releases(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.tex").write_text("years of work")
    with pytest.raises(UsageError, match=r"is not a release, so --force does not replace it"):
        generate(load_preset("tiny"), tmp_path / "thesis", force=True)
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="is a file"):
        check_target(tmp_path / "file", force=True)
    assert (tmp_path / "thesis" / "chapter1.tex").read_text() == "years of work"
    (tmp_path / "empty").mkdir()
    generate(few(), tmp_path / "empty", workers=1)


@pytest.mark.parametrize("out", ["/proc/bioreason/r", "/dev/null/r"])
def test_a_folder_that_cannot_be_written_is_named(bioreason, out):
    done = bioreason("generate", "--preset", "tiny", "--out", out, "-q")
    assert done.returncode == 2
    assert done.stderr.startswith(f"bioreason: cannot write {out}: ")
    assert done.stderr.rstrip().endswith("choose another --out")
    assert len(done.stderr.splitlines()) == 1


def test_a_run_that_ran_out_of_room_says_so_and_can_be_resumed(tmp_path, undisturbed):
    """A limit on the size of a file imitates a full disk: the system refuses during a write."""
    out = tmp_path / "r"
    process = start(out, largest_file=36_000)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 1
    message = [line for line in stderr.splitlines() if line.startswith("bioreason: ")]
    assert len(message) == 1
    assert "no room to write" in message[0]
    assert "run the same command again" in message[0]
    assert "Traceback" not in stderr
    assert not out.exists()
    left = {path for path in (tmp_path / "r.partial").glob("run-*/**/*") if path.is_file()}
    assert left == set(finished(tmp_path / "r.partial")), "a partial file was left"
    assert finish(out)["files"] == undisturbed


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("mount"), reason="mounting a small disk needs root"
)
def test_a_full_disk_gets_one_sentence(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", disk], capture_output=True
    ).returncode:
        pytest.skip("this machine does not let tests mount")
    try:
        process = start(disk / "r", "--quiet")
        _, stderr = process.communicate(timeout=120)
        assert process.returncode == 1
        assert len(stderr.splitlines()) == 1
        assert "No space left on device" in stderr
        assert not (disk / "r").exists()
    finally:
        subprocess.run(["umount", disk], check=True)


# the pool of processes ----------------------------------------------------------------------------


def start_squaring() -> Callable[[int], int]:
    def square(number: int) -> int:
        if number == 13:
            raise ValueError("thirteen")
        if number == 14:
            raise UsageError("fourteen; choose another")
        return number * number

    return square


@pytest.mark.parametrize("workers", [1, 3])
def test_the_pool_does_every_task_once(workers):
    assert sorted(pool.run(range(10), start_squaring, workers)) == [n * n for n in range(10)]
    assert list(pool.run([], start_squaring, workers)) == []


def test_an_error_in_a_worker_arrives_with_its_traceback():
    with pytest.raises(RuntimeError, match=r"(?s)in square.*ValueError: thirteen"):
        list(pool.run(range(10, 14), start_squaring, 2))
    with pytest.raises(UsageError, match=r"^fourteen; choose another$"):
        list(pool.run([1, 14], start_squaring, 2))


def start_badly() -> Callable[[int], int]:
    raise BioreasonError("no luck at the start; try again")


def test_a_worker_that_cannot_start_says_why():
    with pytest.raises(BioreasonError, match=r"no luck at the start"):
        list(pool.run([1, 2, 3], start_badly, 2))
