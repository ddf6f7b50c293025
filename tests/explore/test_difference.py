"""bioreason diff: what differs between two releases, and an exit code that says whether."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from broken_release import ReleaseCopy
from few import few

from bioreason_bench.build import generate
from bioreason_bench.config import load_preset
from bioreason_bench.explore.difference import compare
from bioreason_bench.family import load_settings
from bioreason_bench.release.read import Release


@pytest.fixture(scope="module")
def other_seed(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("releases") / "tiny-7"
    generate(load_preset("tiny").override({"seed": "7"}), folder, workers=1)
    return folder


def test_a_release_is_the_same_as_itself_and_as_its_rows_in_other_files(few_release, tmp_path, cli):
    generate(few(), tmp_path / "split", workers=1, shard_rows=100)
    files = len(list((tmp_path / "split").rglob("*.parquet")))
    assert files > len(list(few_release.rglob("*.parquet")))
    for other in (few_release, tmp_path / "split"):
        result = cli("diff", few_release, other)
        assert result.exit_code == 0
        assert "hold the same rows." in result.stdout
        assert json.loads(cli("diff", few_release, other, "--json").stdout)["same"] is True


def test_another_seed_is_another_world_of_the_same_sizes(tiny_release, other_seed, cli):
    result = cli("diff", tiny_release, other_seed, "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["settings"] == {"seed": [42, 7]}
    assert found["versions"] == {}
    assert found["relations"] == {"only": [], "changed": [], "pools": []}
    assert [name for name, part in found["parts"].items() if part["same"]] == ["relations/train"]
    assert found["parts"]["people/train"]["rows"] == [180, 180]
    for name, part in found["parts"].items():
        if "question" in part.get("shared", {}):
            assert part["shared"]["question"] == 0, name
    text = cli("diff", tiny_release, other_seed)
    assert text.exit_code == 1
    assert "differ." in text.stdout
    assert "the same rows: 1 of" in text.stdout


def test_what_both_have_is_counted(tiny_release, other_seed):
    """People, facts and questions in common, counted from the rows themselves."""
    one, other = Release(tiny_release), Release(other_seed)
    parts = compare(one, other)["parts"]
    for config, columns in (("people", ("name",)), ("comp_iid", ("id", "question"))):
        split = "train" if config == "people" else "test"
        part = parts["people/train" if config == "people" else "comp/iid/test"]
        for column in columns:
            values = [
                set(release.table(config, split)[column].to_pylist()) for release in (one, other)
            ]
            assert part["shared"][column] == len(values[0] & values[1])
    paths = [{tuple(map(str, row.values())) for row in r.rows("paths")} for r in (one, other)]
    assert parts["paths/train"]["shared"]["row"] == len(paths[0] & paths[1]) > 0


def test_one_changed_row_is_found_in_its_part_alone(tiny_release, tmp_path):
    copy = ReleaseCopy(tiny_release, tmp_path / "copy")
    rows = copy.raw_rows("comp/zeroshot/test")
    rows[3]["question"] = "Who was nobody?"
    copy.write("comp/zeroshot/test", rows)
    found = compare(Release(tiny_release), Release(copy.folder))
    differing = {name: part for name, part in found["parts"].items() if not part["same"]}
    assert list(differing) == ["comp/zeroshot/test"]
    assert differing["comp/zeroshot/test"]["shared"] == {"id": 40, "question": 39}


def test_worlds_of_other_relations_and_languages(tiny_release, nano_release, tmp_path, cli):
    result = cli("diff", tiny_release, nano_release)
    assert result.exit_code == 1
    assert "language" in result.stdout
    shorter = Path(shutil.copytree(tiny_release, tmp_path / "shorter"))
    path = shorter / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    gone = manifest["configs"].pop("comp_conflict")["test"][0]
    del manifest["files"][gone]
    path.write_text(json.dumps(manifest), encoding="utf-8")
    part = compare(Release(tiny_release), Release(shorter))["parts"]["comp/conflict/test"]
    assert part["rows"] == [20, None]
    assert not part["same"]


def test_releases_of_other_families_have_no_relations_to_compare(tiny_release, tmp_path, cli):
    for seed in (1, 2):
        settings = load_settings("strings_tiny", seed).override({"depth": "8"})
        generate(settings, tmp_path / str(seed), workers=1)
    one, other = Release(tmp_path / "1"), Release(tmp_path / "2")
    assert compare(one, one)["same"]
    found = compare(one, other)
    assert not found["same"] and found["settings"] == {"seed": [1, 2]}
    assert found["parts"]["strings/depth/test"]["rows"] == [8, 8]
    assert not any(found["relations"].values())
    mixed = cli("diff", tmp_path / "1", tiny_release)
    assert mixed.exit_code == 1
    assert "relations of B only" in mixed.stdout and not mixed.stderr


def test_a_folder_that_is_no_release_is_told(tiny_release, tmp_path, cli):
    result = cli("diff", tiny_release, tmp_path / "none")
    assert result.exit_code == 2
    assert "there is no folder" in result.stderr
    result = cli("diff", tiny_release, tmp_path)
    assert result.exit_code == 1
    assert "not a complete release" in result.stderr
