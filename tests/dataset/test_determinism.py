"""Version, preset and seed determine every row, whatever else differs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import write_digests
from few import few

from bioreason_bench import workers as pool
from bioreason_bench.build import generate
from bioreason_bench.config import load_preset
from bioreason_bench.dataset import make_dataset
from bioreason_bench.release.digest import digest_rows
from bioreason_bench.release.fingerprint import generating_files
from bioreason_bench.release.manifest import read_manifest
from bioreason_bench.release.read import Release
from bioreason_bench.release.shards import make_table

GENERATE = "from bioreason_bench.commands.main import main; main()"


def digests(folder: Path) -> dict[str, str]:
    return {file: entry["digest"] for file, entry in read_manifest(folder)["files"].items()}


def run(folder: Path, before: str = "", *options: str, **env: str) -> dict[str, str]:
    words = [
        sys.executable,
        "-c",
        before + GENERATE,
        "generate",
        "--preset",
        "tiny",
        "--out",
        str(folder),
        "-q",
        *options,
    ]
    subprocess.run(
        words, check=True, text=True, env={**os.environ, **env}, capture_output=True, timeout=300
    )
    return digests(folder)


def test_rows_do_not_depend_on_hash_seed_workers_time_zone_locale_or_an_installed_faker(
    tiny_release, tmp_path
):
    """Generation never imports Faker: its word lists are frozen into the package."""
    expected = digests(tiny_release)
    others = "import random, numpy; random.seed(99); numpy.random.seed(99)\n"
    assert run(tmp_path / "a", others, "--workers", "1", PYTHONHASHSEED="1") == expected
    places = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "LANG": "C"}
    without = "import sys; sys.modules['faker'] = None\n"
    assert run(tmp_path / "b", without, "--workers", "3", PYTHONHASHSEED="2", **places) == expected


def test_processes_that_cannot_be_forked_make_the_same_rows(few_release, tmp_path, monkeypatch):
    """A spawned process makes the data set again from the configuration."""
    monkeypatch.setattr(pool, "FORK", False)
    monkeypatch.setattr("bioreason_bench.release.write.FORK", False)
    generate(few(), tmp_path / "spawned", workers=2)
    assert digests(tmp_path / "spawned") == digests(few_release)


def test_rows_do_not_depend_on_how_many_files_hold_them(tiny_release, tmp_path):
    """More files hold the same rows in the same order."""
    generate(load_preset("tiny"), tmp_path / "many", workers=2, shard_rows=100)
    few, many = Release(tiny_release), Release(tmp_path / "many")
    assert few.configs() == many.configs()
    assert len(many.manifest["files"]) > len(few.manifest["files"]) + 10
    for config in few.configs():
        for split in few.splits(config):
            assert digest_rows(few.table(config, split)) == digest_rows(
                many.table(config, split)
            ), (config, split)


def test_any_shard_can_be_made_alone_and_in_any_order(tiny_release):
    """Shards made in reverse, and one of them twice, have the digests of the release."""
    dataset, expected = make_dataset(load_preset("tiny")), digests(tiny_release)
    shards = dataset.shards()[::-1]
    assert {shard.file for shard in shards} == set(expected)
    for shard in [*shards, shards[0]]:
        assert digest_rows(make_table(shard.kind, dataset.make(shard))) == expected[shard.file], (
            shard.file
        )


def test_another_seed_gives_another_world_of_the_same_sizes(tiny_release, tmp_path):
    first = read_manifest(tiny_release)
    other = generate(load_preset("tiny", seed=7), tmp_path / "other", workers=1)
    for file, entry in first["files"].items():
        if entry["schema"] in ("question", "biography", "person"):
            assert entry["rows"] == other["files"][file]["rows"], file
            assert entry["digest"] != other["files"][file]["digest"], file
    folders = (tiny_release, tmp_path / "other")
    names = [set(Release(folder).table("people")["name"].to_pylist()) for folder in folders]
    assert len(names[0] & names[1]) < len(names[0]) / 2


def test_manifests_of_two_runs_are_the_same_bytes(few_release, tmp_path):
    generate(few(), tmp_path / "again", workers=1)
    assert (tmp_path / "again" / "manifest.json").read_bytes() == (
        few_release / "manifest.json"
    ).read_bytes()


@pytest.mark.parametrize("name", write_digests.configurations())
def test_rows_have_the_golden_digests(name):
    """The rows of (this version, this configuration) never change unnoticed.

    An intended change needs an entry under "Data" in CHANGELOG.md and new golden digests:
    python tests/support/write_digests.py
    """
    golden = json.loads(write_digests.GOLDEN.read_text(encoding="utf-8"))
    assert write_digests.digests(write_digests.configurations()[name]) == golden[name]


CLOCK = {
    "now",
    "today",
    "utcnow",
    "time",
    "time_ns",
    "localtime",
    "gmtime",
    "getrandbits",
    "urandom",
    "random",
    "monotonic",
}


UNNAMED = ("import random", "import secrets", "np.random.", "import uuid", "import faker")


def test_no_stage_reads_the_clock_or_unnamed_randomness():
    """Checked on every call of a built-in function by our own modules while rows are made."""
    calls = set()

    def watch(frame, event, function):
        if (
            event == "c_call"
            and function.__name__ in CLOCK
            and frame.f_globals.get("__name__", "").startswith("bioreason_bench")
        ):
            calls.add((frame.f_globals["__name__"], function.__name__))

    sys.setprofile(watch)
    try:
        dataset = make_dataset(load_preset("tiny"))
        for shard in dataset.shards():
            dataset.make(shard)
    finally:
        sys.setprofile(None)
    assert calls == set()


@pytest.mark.parametrize(
    "path",
    [path for path in generating_files() if path.suffix == ".py"],
    ids=lambda path: path.stem,
)
def test_no_generating_module_imports_unnamed_randomness(path):
    text = path.read_text(encoding="utf-8")
    assert [word for word in UNNAMED if word in text] == []
