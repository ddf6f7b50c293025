"""`bioreason tasks install`, into a temporary harness so that the real one is not changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("lm_eval")

import lm_eval

from bioreason_bench import resources
from bioreason_bench.errors import MissingExtra, UsageError
from bioreason_bench.evaluation.harness import install
from bioreason_bench.evaluation.harness.names import all_names


@pytest.fixture
def harness(tmp_path, monkeypatch) -> Path:
    """The task folder of a harness without our tasks."""
    folder = tmp_path / "lm_eval" / "tasks"
    (folder / "arc").mkdir(parents=True)
    (folder / "arc" / "arc_easy.yaml").write_text("task: arc_easy\n")
    monkeypatch.setattr(install, "harness_folder", lambda: folder)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_install_then_uninstall_leaves_the_harness_as_it_was_and_both_may_be_repeated(harness, cli):
    before = files(harness)
    assert cli("tasks", "uninstall").exit_code == 0 and files(harness) == before
    assert cli("tasks", "install").exit_code == 0
    once = files(harness)
    wanted = files(resources.folder("tasks"))
    assert {
        name.removeprefix("bioreason/"): data
        for name, data in once.items()
        if name.startswith("bioreason/")
    }.items() >= wanted.items()
    assert install.installed()
    assert cli("tasks", "install").exit_code == 0 and files(harness) == once
    assert cli("tasks", "uninstall").exit_code == 0 and files(harness) == before
    assert not (harness / "bioreason").exists() and not install.installed()


def test_uninstall_removes_exactly_what_was_copied(harness):
    install.install()
    ours = harness / "bioreason"
    (ours / "notes.txt").write_text("mine")
    edited = ours / "comp" / "bioreason_comp_iid.yaml"
    edited.write_text("task: mine\n")
    _, removed, kept = install.uninstall()
    assert (
        kept == ["comp/bioreason_comp_iid.yaml"]
        and removed == len(files(resources.folder("tasks"))) - 1
    )
    left = {"notes.txt", "comp/bioreason_comp_iid.yaml"}
    assert set(files(ours)) == {*left, install.RECORD}
    with pytest.raises(UsageError, match=r"comp_iid.yaml is not as bioreason put it there; move"):
        install.install()
    edited.unlink()
    install.install()
    assert install.installed() and (ours / "notes.txt").read_text() == "mine"


def test_installing_over_an_edited_file_changes_nothing(harness):
    install.install()
    edited = harness / "bioreason" / "comp" / "bioreason_comp_iid.yaml"
    edited.write_text("task: mine\n")
    before = files(harness)
    with pytest.raises(UsageError, match=r"move it away, then install again"):
        install.install()
    assert files(harness) == before


def test_processes_that_install_at_the_same_time_all_succeed(harness):
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from bioreason_bench.evaluation.harness import install\n"
        "install.harness_folder = lambda: Path(sys.argv[1])\n"
        "for _ in range(3): install.install()\n"
    )
    words = [sys.executable, "-c", program, str(harness)]
    running = [subprocess.Popen(words, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate(timeout=120)[1] for process in running] == [""] * 3
    assert install.installed() and {path.name for path in harness.iterdir()} == {"arc", "bioreason"}


def test_an_interrupted_installation_of_another_version_is_completed_by_the_next(harness):
    """Killed while files of one version were copied over those of another."""
    install.install()
    ours = harness / "bioreason"
    record = json.loads((ours / install.RECORD).read_text())
    for number, name in enumerate(record["files"]):
        old = install._digest(b"task: old\n")
        record["files"][name] = [old, *record["files"][name]]
        if number % 2:
            (ours / name).write_bytes(b"task: old\n")
    (ours / install.RECORD).write_text(json.dumps(record))
    install.install()
    assert install.installed() and install.uninstall()[2] == [] and not ours.exists()


def test_installing_again_removes_what_only_an_earlier_version_had(harness):
    install.install()
    record = harness / "bioreason" / install.RECORD
    recorded = json.loads(record.read_text())
    (harness / "bioreason" / "old.yaml").write_text("task: old\n")
    recorded["files"]["old.yaml"] = install._digest(b"task: old\n")  # as version 0.1 wrote it
    record.write_text(json.dumps(recorded))
    assert not install.installed()
    install.install()
    assert not (harness / "bioreason" / "old.yaml").exists() and install.installed()


def test_a_folder_of_another_origin_is_left_alone(harness):
    (harness / "bioreason").mkdir()
    (harness / "bioreason" / "theirs.yaml").write_text("task: theirs\n")
    before = files(harness)
    with pytest.raises(UsageError, match="was not put there by bioreason"):
        install.install()
    assert install.uninstall()[1] == 0 and files(harness) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_harness_is_refused_with_another_way(harness):
    harness.chmod(0o500)
    try:
        with pytest.raises(UsageError, match=r"cannot be put into .* use: lm_eval --include_path"):
            install.install()
    finally:
        harness.chmod(0o700)


def test_a_full_disk_is_refused_with_another_way(harness, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match=r"No space left on device.*lm_eval --include_path"):
        install.install()
    monkeypatch.undo()


def test_without_the_harness_the_message_names_the_extra(monkeypatch):
    monkeypatch.setattr(install.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"bioreason-bench\[eval\]"):
        install.harness_folder()


def test_the_harness_finds_installed_tasks_by_itself(harness):
    """A copy of the harness's own index, pointed at the folder: no --include_path."""
    from lm_eval.tasks._index import TaskIndex

    install.install()
    assert set(TaskIndex().build([harness])) == set(all_names()) | {"arc_easy"}


def test_plain_lm_eval_runs_an_installed_task(tmp_path, tiny_release):
    """A copy of the real harness with our tasks in it, run as `lm_eval` without --include_path."""
    package = Path(lm_eval.__file__).parent
    copy = tmp_path / "lm_eval"
    copy.mkdir()
    for part in package.iterdir():
        if part.name not in ("tasks", "__pycache__"):
            (copy / part.name).symlink_to(part)
    (copy / "tasks").mkdir()
    for part in (package / "tasks").glob("*.py"):
        (copy / "tasks" / part.name).write_bytes(part.read_bytes())
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "HF_HUB_OFFLINE": "1"}

    def run(*words: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, *words], capture_output=True, text=True, env=environment, timeout=200
        )

    done = run("-m", "bioreason_bench", "tasks", "install")
    assert done.returncode == 0 and str(copy / "tasks") in done.stderr
    words = (
        "--model",
        "dummy",
        "--tasks",
        "bioreason_mem",
        "--limit",
        "3",
        "--metadata",
        json.dumps({"data": str(tiny_release)}),
    )
    done = run("-m", "lm_eval", *words)
    assert done.returncode == 0 and "bioreason_mem_depth" in done.stdout, done.stderr[-2000:]
    assert run("-m", "bioreason_bench", "tasks", "uninstall").returncode == 0
    assert not (copy / "tasks" / "bioreason").exists()
