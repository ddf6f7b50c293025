"""Parts made anywhere, in any order, are together the release of one machine."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from few import SETTINGS, few

from bioreason_bench.build import generate, generate_part, merge
from bioreason_bench.config import load_preset
from bioreason_bench.dataset.dataset import make_dataset
from bioreason_bench.errors import ReleaseError, UsageError
from bioreason_bench.release.manifest import read_manifest
from bioreason_bench.release.shards import write_shard
from bioreason_bench.scale.parts import PART, read_part
from bioreason_bench.scale.shares import Shares, ranges

pytestmark = pytest.mark.usefixtures("planned_once")
COMMAND = "from bioreason_bench.commands.main import main; main()"


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def parts(planned_once, tmp_path_factory) -> list[Path]:
    """Three parts of a release."""
    folder = tmp_path_factory.mktemp("parts")
    shares = [Shares(0, 0, 3), Shares(1, 1, 3), Shares(2, 2, 3)]
    for share in shares:
        generate_part(few(), folder / f"p{share.first}", share, workers=1)
    return [folder / f"p{share.first}" for share in shares]


@pytest.mark.deep
@pytest.mark.slow
def test_parts_of_small_made_by_processes_in_random_order_are_the_release_of_one(tmp_path):
    """The same bytes in every file, the card and the manifest too."""
    generate(load_preset("small"), tmp_path / "one", workers=2, shard_rows=4_000)
    shares = [Shares(k, k, 5) for k in range(5)]
    random.Random(7).shuffle(shares)
    for share in shares:
        words = ["generate", "--preset", "small", "--shards", str(share), "--shard-rows", "4000"]
        words += ["--out", str(tmp_path / f"part{share.first}"), "--workers", "1", "-q"]
        env = {**os.environ, "PYTHONHASHSEED": str(share.first)}
        subprocess.run([sys.executable, "-c", COMMAND, *words], check=True, env=env)
    merge([tmp_path / f"part{share.first}" for share in shares], tmp_path / "merged")
    assert bytes_of(tmp_path / "merged") == bytes_of(tmp_path / "one")


@pytest.mark.deep
@pytest.mark.slow
def test_two_hundred_random_shards_of_v1_made_alone_are_those_of_the_release(tmp_path):
    config = load_preset("v1")
    generate(config, tmp_path / "v1", workers=2, shard_rows=2_500)
    dataset = make_dataset(config)
    for shard in random.Random(11).sample(dataset.shards(2_500), 200):
        (tmp_path / "alone" / shard.file).parent.mkdir(parents=True, exist_ok=True)
        write_shard(tmp_path / "alone", shard.file, shard.kind, dataset.make(shard))
        made = (tmp_path / "alone" / shard.file).read_bytes()
        assert made == (tmp_path / "v1" / shard.file).read_bytes(), shard.file


def test_merged_parts_are_the_release_in_any_order(parts, few_release, tmp_path):
    manifest = merge([parts[2], parts[0], parts[1]], tmp_path / "merged")
    assert manifest["files"] == read_manifest(few_release)["files"]
    assert manifest == read_manifest(tmp_path / "merged")
    assert (tmp_path / "merged" / "README.md").is_file()
    assert not list(tmp_path.glob("*.partial"))


def test_missing_files_are_named_by_the_options_that_make_them(parts, tmp_path):
    whole = read_part(parts[0]).total
    first, after = Shares(1, 1, 3).bounds(whole)
    named = rf"generate --shards {first}-{after - 1}/{whole}, and merge"
    with pytest.raises(ReleaseError, match=rf"{after - first} of {whole} files .*{named}"):
        merge([parts[0], parts[2]], tmp_path / "merged")
    assert not list(tmp_path.iterdir())
    generate_part(few(), tmp_path / "rest", Shares(first, after - 1, whole))
    merge([parts[0], tmp_path / "rest", parts[2]], tmp_path / "merged")


def test_a_file_that_is_there_twice_is_named_with_both_parts(parts, tmp_path):
    with pytest.raises(ReleaseError, match=r"data/\S+ is there twice, in .*p1 and in .*p1;"):
        merge([*parts, parts[1]], tmp_path / "merged")


def test_parts_of_different_releases_are_refused(parts, tmp_path):
    generate_part(few(7), tmp_path / "other", Shares(1, 1, 3), workers=1)
    with pytest.raises(ReleaseError, match=r"parts of different releases: seed differs"):
        merge([parts[0], tmp_path / "other", parts[2]], tmp_path / "merged")
    generate_part(few(), tmp_path / "rows", Shares(1, 1, 3), shard_rows=200)
    with pytest.raises(ReleaseError, match=r"different releases: the number of files differs"):
        merge([parts[0], tmp_path / "rows", parts[2]], tmp_path / "merged")


@pytest.mark.parametrize("damage", ["changed", "gone", "torn", "no part"])
def test_a_broken_part_is_named_and_nothing_is_written(parts, tmp_path, damage):
    broken = tmp_path / "broken"
    shutil.copytree(parts[1], broken)
    file = min(broken.rglob("*.parquet"))
    if damage == "changed":
        file.write_bytes(file.read_bytes()[:-1] + b"\0")
    elif damage == "gone":
        file.unlink()
    elif damage == "torn":
        (broken / PART).write_text((broken / PART).read_text()[:500])
    else:
        (broken / PART).unlink()
    with pytest.raises(ReleaseError, match=r"broken"):
        merge([parts[0], broken, parts[2]], tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def test_a_part_that_is_complete_is_left_as_it_is(parts, tmp_path):
    part = tmp_path / "part"
    shutil.copytree(parts[1], part)
    before = {path: path.stat().st_mtime_ns for path in part.rglob("*")}
    generate_part(few(), part, Shares(1, 1, 3), workers=1)
    assert {path: path.stat().st_mtime_ns for path in part.rglob("*")} == before
    with pytest.raises(UsageError, match=r"is a part of other settings; choose another --out"):
        generate_part(few(), part, Shares(0, 0, 3), workers=1)


def test_more_shares_than_files_leave_some_empty(parts):
    total = read_part(parts[0]).total
    for count in (1, 3, total, 7 * total + 1):
        dealt = [n for k in range(count) for n in range(*Shares(k, k, count).bounds(total))]
        assert dealt == list(range(total))


@pytest.mark.parametrize("text", ["", "3", "3/", "-1/4", "2-1/4", "0-4/4", "4/4", "1-2-3/9", "٣/٤"])
def test_wrong_shares_are_refused_in_a_sentence(text):
    with pytest.raises(UsageError, match=r"--shards"):
        Shares.parse(text)


def test_shares_are_read_back_as_they_are_written():
    for shares in (Shares(0, 0, 1), Shares(40, 59, 400), Shares(7, 7, 400)):
        assert Shares.parse(str(shares)) == shares
    assert ranges([9, 1, 2, 3, 7]) == [(1, 3), (7, 7), (9, 9)]


def test_the_command_lines(cli, tmp_path):
    words = ["generate", "--preset", "tiny", *SETTINGS, "-q", "--workers", "1", "--shards"]
    for share in ("0/2", "1/2"):
        assert cli(*words, share, "--out", tmp_path / share[0]).exit_code == 0
    done = cli("merge", tmp_path / "1", tmp_path / "0", "--out", tmp_path / "tiny", "--json")
    assert json.loads(done.stdout)["parts"] == 2
    assert read_manifest(tmp_path / "tiny")["preset"] == "tiny"
    wrong = cli(*words, "0/2", "--force", "--out", tmp_path / "x")
    assert wrong.exit_code == 2
    assert "--force does not go with --shards" in wrong.output
    wrong = cli("merge", tmp_path / "tiny", "--out", tmp_path / "again")
    assert "a whole release; leave it out" in wrong.output
