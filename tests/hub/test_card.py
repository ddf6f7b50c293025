"""The data card: what the Hub, `datasets` and Croissant read there is what the manifest, the audit and the files say."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import datasets
import numpy as np
import pytest
import yaml

from bioreason_bench.audit.report import read_audit
from bioreason_bench.config import load_preset
from bioreason_bench.hub.card import card_files, write_card
from bioreason_bench.hub.chain_svg import draw_chain, hop_sources
from bioreason_bench.release.read import Release
from bioreason_bench.resources import folder as resource
from bioreason_bench.schema import arrow_schema

NO_EXTRAS = {"comp.counterfactual": "0", "comp.conflict": "0", "mem.direction": "0"}


@pytest.fixture(scope="module")
def front(tiny_release: Path) -> dict:
    """The YAML at the head of the card."""
    return yaml.safe_load((tiny_release / "README.md").read_text().split("---\n")[1])


@pytest.fixture(scope="module")
def audited(tiny_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from click.testing import CliRunner

    from bioreason_bench.commands.main import main

    folder = shutil.copytree(tiny_release, tmp_path_factory.mktemp("audited") / "tiny")
    assert CliRunner().invoke(main, ["verify", str(folder), "--write", "-q"]).exit_code == 0
    return folder


# --- the YAML ---------------------------------------------------------------------------------------------------------


def test_the_patterns_of_a_config_name_its_files_and_no_others(tiny_release, front):
    manifest = Release(tiny_release).manifest
    assert [entry["config_name"] for entry in front["configs"]] == list(manifest["configs"])
    for entry in front["configs"]:
        for part in entry["data_files"]:
            found = sorted(
                path.relative_to(tiny_release).as_posix()
                for path in tiny_release.glob(part["path"])
            )
            assert found == manifest["configs"][entry["config_name"]][part["split"]]


def test_training_files_are_shared_not_copied(tiny_release, front):
    paths = {entry["config_name"]: entry["data_files"][0]["path"] for entry in front["configs"]}
    assert (
        len(
            {
                paths[f"comp_{level}"]
                for level in ("iid", "composition", "zeroshot", "entity", "depth")
            }
        )
        == 1
    )
    assert not list(tiny_release.glob("data/*/*/train-*"))


def test_features_and_sizes_are_those_of_the_files(tiny_release, front):
    release = Release(tiny_release)
    for info in front["dataset_info"]:
        config = info["config_name"]
        assert {part["name"]: part["num_examples"] for part in info["splits"]} == {
            name: release.count(config, name) for name in release.splits(config)
        }
        files = [file for split in release.splits(config) for file in release.files(config, split)]
        assert (
            info["download_size"] == sum(file.stat().st_size for file in files)
            and info["dataset_size"] > 0
        )
        kind = release.manifest["files"][files[0].relative_to(tiny_release).as_posix()]["schema"]
        assert datasets.Features._from_yaml_list(info["features"]).arrow_schema.equals(
            arrow_schema(kind)
        )


def test_the_metadata_says_what_the_hub_asks_for(front):
    assert front["license"] == "cc-by-4.0" and front["language"] == ["en"]
    assert front["annotations_creators"] == ["machine-generated"] and front["size_categories"] == [
        "1K<n<10K"
    ]
    assert {"task_categories", "tags", "pretty_name"} <= set(front) and "biology" not in front[
        "tags"
    ]


def test_a_card_in_symbols_claims_no_human_language(nano_release):
    head = yaml.safe_load((nano_release / "README.md").read_text().split("---\n")[1])
    assert "language" not in head and "num_examples" in str(head)


# --- the text ---------------------------------------------------------------------------------------------------------


def test_the_text_begins_by_saying_what_it_is_not_and_leaves_no_field_open(tiny_release):
    text = (tiny_release / "README.md").read_text().split("---\n", 2)[2]
    assert text.startswith("\n# bioreason\n\n**Synthetic biographies, not biology.**")
    assert not re.search(r"\$[a-z_]+", text)
    assert Release(tiny_release).manifest["canary"] in text and "arXiv" in text


def test_numbers_in_the_text_follow_the_manifest(tiny_release):
    release = Release(tiny_release)
    files = {
        file: {**entry, "rows": entry["rows"] + 1000 * (file.startswith("data/comp/zeroshot/test"))}
        for file, entry in release.manifest["files"].items()
    }
    text = card_files(tiny_release, {**release.manifest, "files": files})["README.md"]
    assert (
        "| `comp_zeroshot` | train 600, validation 4, test 1,040 |" in text
        and "1,600 test questions" in text
    )
    assert "180 people (120 with a parametric biography)" in text and "of 39 relations" in text


def test_only_the_levels_of_the_release_are_explained(tiny_release, tmp_path):
    from bioreason_bench.build import generate

    generate(load_preset("tiny").override({"levels": '["composition"]'}), tmp_path / "one")
    text, all_levels = (
        (folder / "README.md").read_text() for folder in (tmp_path / "one", tiny_release)
    )
    assert (
        "\n| composition |" in text
        and "\n| zeroshot |" not in text
        and "\n| zeroshot |" in all_levels
    )  # rows that begin so


def test_a_release_without_tests_has_a_card_without_a_picture(tmp_path):
    from bioreason_bench.build import generate

    generate(load_preset("tiny").override({"levels": "[]", **NO_EXTRAS}), tmp_path / "none")
    assert "holds no test questions" in (tmp_path / "none" / "README.md").read_text()
    assert not (tmp_path / "none" / "chain.svg").exists()


def test_the_audit_stands_on_the_card_law_by_law_and_score_by_score(tiny_release, audited):
    before = (tiny_release / "README.md").read_text()
    assert "Not audited" in before and "Not scored" in before
    audit = read_audit(audited)
    write_card(audited)
    text = (audited / "README.md").read_text()
    for law, entry in audit["laws"].items():
        assert (f"| {law} | {entry['text']} | {entry['checked']:,} | 0 |" in text) == (
            entry["checked"] > 0
        )
    [row] = [
        line
        for line in text.splitlines()
        if line.startswith("| `comp_zeroshot` |") and "train" not in line
    ]
    scores = audit["solvers"]["comp_zeroshot"]
    assert row.split("|")[2].strip() == "100.0", "the oracle"
    assert (
        f"{100 * scores['context_only']['score']:.1f} ({100 * scores['context_only']['chance']:.1f})"
        in row
    )


def test_every_version_whose_rows_changed_is_named_on_the_card(tiny_release):
    log = (Path(__file__).parents[2] / "CHANGELOG.md").read_text()
    versions = [part.split("]")[0] for part in log.split("\n## [")[1:] if "\n### Data" in part]
    text = (tiny_release / "README.md").read_text().split("## Changes of the data")[1]
    assert versions and all(version in text or version == "Unreleased" for version in versions), (
        "add it to cards/changes.md"
    )


# --- the picture ------------------------------------------------------------------------------------------------------


def test_the_picture_shows_every_entity_relation_and_source_of_its_question(tiny_release):
    text = (tiny_release / "README.md").read_text()
    picture = ET.parse(tiny_release / "chain.svg")
    said = [element.text for element in picture.iter() if element.text]
    shown = re.search(r"^> (.+)$", text, re.MULTILINE)[1]
    [record] = [
        row
        for row in Release(tiny_release).rows("comp_zeroshot", "test")
        if row["question"] == shown
    ]
    assert "](chain.svg)" in text
    for word in (
        *record["entities"],
        *(name.replace("_", " ") for name in record["path"]),
        *hop_sources(record),
    ):
        assert word in said
    assert set(record["pattern"]) == {"P", "C"}, "a question that shows both recalling and reading"


def test_a_picture_survives_any_name():
    record = {
        "question": 'Who is <A & "B">\'s boss?',
        "entities": ['<A & "B">', "Ōé]]>"],
        "path": ["boss"],
        "pattern": "P",
        "context_people": [],
    }
    assert '<A & "B">' in [element.text for element in ET.fromstring(draw_chain(record)).iter()]


# --- Croissant --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def croissant(tiny_release: Path):
    mlcroissant = pytest.importorskip("mlcroissant")
    return mlcroissant.Dataset(
        jsonld=tiny_release / "croissant.json", mapping={"repo": tiny_release}
    )


def test_croissant_is_valid_without_a_warning(croissant):
    assert not croissant.metadata.ctx.issues.errors and not croissant.metadata.ctx.issues.warnings
    assert croissant.metadata.name == "bioreason" and croissant.metadata.license == [
        "https://creativecommons.org/licenses/by/4.0/"
    ]


def test_croissant_knows_every_config_and_column(tiny_release, croissant):
    release = Release(tiny_release)
    sets = {record_set.id: record_set for record_set in croissant.metadata.record_sets}
    assert set(release.configs()) == {name for name in sets if not name.endswith("_splits")}
    fields = {field.name for field in sets["probes"].fields}
    assert fields == {"split", *arrow_schema("probe").names}


@pytest.mark.parametrize("config", ["comp_depth", "comp_rl", "biographies", "facts"])
def test_croissant_reads_the_rows_of_the_release(tiny_release, croissant, config):
    def plain(value: Any) -> Any:
        """A value as Python has it; mlcroissant gives bytes and numpy's numbers."""
        if isinstance(value, bytes):
            return value.decode()
        if isinstance(value, (list, np.ndarray)):
            return [plain(item) for item in value]
        return value.item() if isinstance(value, np.generic) else value

    release = Release(tiny_release)
    kept = list(next(release.rows(config, release.splits(config)[0])))
    got = [[plain(row[f"{config}/{name}"]) for name in kept] for row in croissant.records(config)]
    expected = [
        [row[name] for name in kept]
        for split in release.splits(config)
        for row in release.rows(config, split)
    ]
    assert sorted(got, key=str) == sorted(expected, key=str)


def test_the_card_tells_the_results_of_the_result_files_with_their_commands(tiny_release):
    card = (tiny_release / "README.md").read_text(encoding="utf-8")
    section = card.split("## Results so far")[1].split("## Intended use")[0]
    folder_ = resource("cards") / "results"
    lines = [
        json.loads(line)
        for line in (folder_ / "nano.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    runs = [line for line in lines if line["type"] == "run"]
    assert runs and all(
        f"`{run['command']}`" in section and f"`{run['arm']}`" in section for run in runs
    )
    zeroshot = [
        line["exact_match"]
        for line in lines
        if line.get("config") == "comp_zeroshot" and line["arm"] == "sft_mem_ctx_grpo"
    ]
    assert f"{100 * sum(zeroshot) / len(zeroshot):.1f} (" in section
    for path in folder_.glob("*.json"):
        assert json.loads(path.read_text(encoding="utf-8"))["command"] in section
