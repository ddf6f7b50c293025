"""The plan of a world in a file: the same rows as without, and never the plan of another world."""

from __future__ import annotations

from pathlib import Path

import pytest
from few import few

from bioreason_bench.build import generate, generate_part, merge
from bioreason_bench.config import load_preset
from bioreason_bench.dataset.dataset import make_dataset
from bioreason_bench.errors import UsageError
from bioreason_bench.release.write import digest_of
from bioreason_bench.scale.plan_file import read_plan, write_plan
from bioreason_bench.scale.shares import Shares


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("plans") / "plan.arrow"
    write_plan(file, make_dataset(few()))
    return file


def test_a_plan_is_read_as_it_was_made(kept: Path) -> None:
    made, read = make_dataset(few()), read_plan(kept, few())
    assert read.paths == made.paths
    for plan in (plan for plans in made.paths.values() for plan in plans):
        for pool, people in made.writer.starts.members(plan.path).items():
            assert read.members[plan.path][pool].tolist() == people.tolist()


def test_parts_that_share_a_plan_make_the_release_of_one_machine(
    few_release: Path, tmp_path: Path
) -> None:
    file = tmp_path / "plan.arrow"
    for number in (1, 0):
        share = Shares(number, number, 2)
        generate_part(few(), tmp_path / f"p{number}", share, workers=1, plan_file=file)
        assert file.is_file()
    manifest = merge([tmp_path / "p0", tmp_path / "p1"], tmp_path / "merged")
    whole = generate(few(), tmp_path / "whole", workers=1)
    assert digest_of(manifest["files"]) == digest_of(whole["files"])


def test_a_plan_is_made_once(kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def planned(*_: object) -> None:
        raise AssertionError("planned again")

    monkeypatch.setattr("bioreason_bench.dataset.dataset.plan_paths", planned)
    generate_part(few(), tmp_path / "part", Shares(0, 0, 9), workers=1, plan_file=kept)


@pytest.mark.parametrize("damage", ["cut", "changed", "text", "empty"])
def test_a_damaged_plan_is_refused(damage: str, kept: Path, tmp_path: Path) -> None:
    file, data = tmp_path / "plan.arrow", bytearray(kept.read_bytes())
    if damage == "changed":
        data[len(data) // 2] ^= 1
    file.write_bytes({"cut": data[:-999], "changed": data, "text": b"x", "empty": b""}[damage])
    with pytest.raises(UsageError, match="not a whole plan; remove it"):
        generate(few(), tmp_path / "out", plan_file=file)
    assert not (tmp_path / "out").exists()


def test_every_changed_byte_is_noticed_or_changes_nothing(kept: Path, tmp_path: Path) -> None:
    file, whole = tmp_path / "plan.arrow", kept.read_bytes()
    read = read_plan(kept, few())
    for place in range(0, len(whole), len(whole) // 200):
        data = bytearray(whole)
        data[place] ^= 64
        file.write_bytes(data)
        try:
            changed = read_plan(file, few())
        except UsageError:
            continue
        assert changed.paths == read.paths, place


def test_the_plan_of_another_world_is_refused(kept: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="of other settings or of another version"):
        generate(few(7), tmp_path / "out", plan_file=kept)


@pytest.mark.parametrize(
    ("name", "problem"), [("no/plan", "there is no folder"), (".", "a folder")]
)
def test_a_place_where_no_plan_can_be_is_refused_at_once(
    name: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bioreason_bench.build.make_dataset", None)
    with pytest.raises(UsageError, match=problem):
        generate(load_preset("xl"), tmp_path / "out", plan_file=tmp_path / name)
