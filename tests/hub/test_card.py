"""The data card: what the Hub, `datasets` and Croissant read there agrees with the release."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import datasets
import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from made_study import write_study

from bioreason_bench.audit.report import read_audit
from bioreason_bench.config import load_preset
from bioreason_bench.experiments.evidence import read_evidence, write_evidence
from bioreason_bench.figure_style import READ, RECALLED
from bioreason_bench.hub.card import card_files
from bioreason_bench.hub.card_results import results as card_results
from bioreason_bench.hub.chain_svg import chain_svg
from bioreason_bench.language.reader import Reader
from bioreason_bench.release.hops import WEIGHTS, Hop, find_hops, source_in_words
from bioreason_bench.release.read import Release
from bioreason_bench.resources import folder as resource
from bioreason_bench.schema import arrow_schema
from bioreason_bench.taxonomy import LEVELS, QUESTION_KINDS, SKILLS

NO_EXTRAS = {
    "comp.counterfactual": "0",
    "comp.conflict": "0",
    "mem.direction": "0",
    "ctx.unanswerable": "0",
    "comp.unanswerable": "0",
}


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


# the YAML


def test_the_patterns_of_a_config_name_its_files_and_no_others(tiny_release, front):
    manifest = Release(tiny_release).manifest
    assert [entry["config_name"] for entry in front["configs"]] == list(manifest["configs"])
    assert [entry["config_name"] for entry in front["configs"] if "default" in entry] == [
        "comp_zeroshot"
    ]
    for entry in front["configs"]:
        for part in entry["data_files"]:
            matching = sorted(
                path.relative_to(tiny_release).as_posix()
                for path in tiny_release.glob(part["path"])
            )
            assert matching == manifest["configs"][entry["config_name"]][part["split"]]


def test_training_files_are_shared_not_copied(tiny_release, front):
    paths = {entry["config_name"]: entry["data_files"][0]["path"] for entry in front["configs"]}
    assert len({paths[f"comp_{level}"] for level in LEVELS}) == 1
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
        "10K<n<100K"
    ]
    assert {"task_categories", "tags", "pretty_name"} <= set(front) and "biology" not in front[
        "tags"
    ]


def test_a_card_in_symbols_claims_no_human_language(nano_release):
    head = yaml.safe_load((nano_release / "README.md").read_text().split("---\n")[1])
    assert "language" not in head and "num_examples" in str(head)


# the benchmark


def test_a_release_whose_texts_are_symbols_is_no_benchmark(nano_release):
    from bioreason_bench.hub.benchmark import benchmark

    assert benchmark(Release(nano_release), {"description": "none"}) is None


# the text


def test_the_text_begins_with_the_tagline_and_has_no_open_field(tiny_release):
    text = (tiny_release / "README.md").read_text().split("---\n", 2)[2]
    assert text.startswith("\n# bioreason\n\n**Synthetic biographies, not biology.**")
    assert not re.search(r"\$[a-z_]+", text)
    assert (
        Release(tiny_release).manifest["canary"] in text
        and "](https://arxiv.org/abs/2512.01970)" in text
    )


def test_the_card_defines_its_words_before_it_uses_them(tiny_release):
    """A reader from the Hub knows none of them."""
    text = (tiny_release / "README.md").read_text().split("---\n", 2)[2]
    begin = text.index("## Terms")
    terms = text[begin : text.index("\n## ", begin + 1)]
    for word in (*(f"`{name}`" for name in (*SKILLS, *LEVELS)), "certificate", "probe"):
        assert word in terms and word not in text[:begin], word
    for word in ("pattern", "distractor", "leak guard"):
        assert f"| {word} |" in terms and word not in text[:begin], word


def test_every_level_and_config_has_its_words():
    words = tomllib.loads((resource("cards") / "card.toml").read_text(encoding="utf-8"))
    assert list(words["levels"]) == ["train", *LEVELS]
    assert not {kind.config for kind in QUESTION_KINDS} & set(words["configs"])


def test_numbers_in_the_text_follow_the_manifest(tiny_release):
    release = Release(tiny_release)
    files = {
        file: {**entry, "rows": entry["rows"] + 1000 * (file.startswith("data/comp/zeroshot/test"))}
        for file, entry in release.manifest["files"].items()
    }
    text = card_files(tiny_release, {**release.manifest, "files": files})["README.md"]
    assert "| `comp_zeroshot` | 600 | 4 | 1,040 |" in text
    assert "1,600 test questions" in text
    assert "180 people, 120 of them with a biography to train on" in text
    assert "of 39 relations" in text


def test_every_config_is_listed_once_and_said_what_it_holds(tiny_release):
    release = Release(tiny_release)
    text = (tiny_release / "README.md").read_text()
    section = text[text.index("## Configs") : text.index("### Levels")]
    rows = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("| `")]
    listed = [row[0].strip(" `") for row in rows]
    assert set(listed) == set(release.configs())
    for config, *cells in rows:
        name = config.strip(" `")
        if name.partition("_")[0] in SKILLS and name != "comp_rl":
            assert listed.count(name) == 1
        else:
            what, split, number = (cell.strip() for cell in cells)
            assert what and number == f"{release.count(name, split):,}"


def test_the_kinds_of_questions_are_those_of_the_release(tiny_release, tmp_path):
    from bioreason_bench.build import generate

    generate(load_preset("tiny").override({**NO_EXTRAS, "mem.direction": "5"}), tmp_path / "one")
    texts = [(path / "README.md").read_text() for path in (tiny_release, tmp_path / "one")]
    for kind in QUESTION_KINDS:
        line = f"\n- `{kind.config}`: {kind.summary}\n"
        assert [line in text for text in texts] == [True, kind.name == "direction"]


def test_only_the_levels_of_the_release_are_explained(tiny_release, tmp_path):
    from bioreason_bench.build import generate

    generate(load_preset("tiny").override({"levels": '["composition"]'}), tmp_path / "one")
    text, all_levels = (
        (folder / "README.md").read_text() for folder in (tmp_path / "one", tiny_release)
    )
    for level in LEVELS:  # a row of the table of levels
        assert f"\n| `{level}` |" in all_levels
        assert (f"\n| `{level}` |" in text) == (level == "composition")


def test_a_release_without_tests_has_a_card_without_a_picture(tmp_path):
    from bioreason_bench.build import generate

    generate(load_preset("tiny").override({"levels": "[]", **NO_EXTRAS}), tmp_path / "none")
    assert "holds no test questions" in (tmp_path / "none" / "README.md").read_text()
    assert not (tmp_path / "none" / "chain.svg").exists()


def test_the_card_has_the_audit_law_by_law_and_score_by_score(tiny_release, audited):
    before = (tiny_release / "README.md").read_text()
    assert "Not audited" in before and "Not scored" in before
    audit = read_audit(audited)
    text = (audited / "README.md").read_text()
    for law, entry in audit["laws"].items():
        assert (f"| {law} | {entry['text']} | {entry['checked']:,} | 0 |" in text) == (
            entry["checked"] > 0
        )
    shortcuts = text[text.index("### Shortcuts") : text.index("## Results so far")]
    [row] = [line for line in shortcuts.splitlines() if line.startswith("| `comp_zeroshot` |")]
    assert row.split("|")[2].strip() == "100.0", "the oracle"
    scores = audit["solvers"]["comp_zeroshot"]["context_only"]
    assert f"| {100 * scores['score']:.1f} ({100 * scores['chance']:.1f}) |" in row


def test_verify_leaves_an_edited_card_alone(audited, tmp_path):
    from click.testing import CliRunner

    from bioreason_bench.commands.main import main

    folder = shutil.copytree(audited, tmp_path / "tiny")
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8").replace("## Intended use", "## Our use")
    card.write_text(text, encoding="utf-8")
    (folder / "audit.json").unlink()
    done = CliRunner().invoke(main, ["verify", str(folder), "--write", "-q", "--sample", "2"])
    assert done.exit_code == 0 and card.read_text(encoding="utf-8") == text


def test_a_release_of_a_former_version_has_no_default_config_and_no_canary_in_its_files(
    tiny_release, tmp_path
):
    """Both came later; such a release must still pass."""
    from click.testing import CliRunner

    from bioreason_bench.commands.main import main

    folder = shutil.copytree(tiny_release, tmp_path / "tiny")
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8")
    assert text.count("  default: true\n") == 1
    card.write_text(text.replace("  default: true\n", ""), encoding="utf-8")
    for path in folder.glob("data/**/*.parquet"):
        table = pq.read_table(path).replace_schema_metadata(None)
        pq.write_table(table, path, compression="zstd", store_schema=False)
    done = CliRunner().invoke(main, ["verify", str(folder), "-q", "--sample", "2"])
    assert done.exit_code == 0, done.stdout


def test_every_version_whose_rows_changed_is_named_on_the_card(tiny_release):
    log = (Path(__file__).parents[2] / "CHANGELOG.md").read_text()
    versions = [part.split("]")[0] for part in log.split("\n## [")[1:] if "\n### Data" in part]
    text = (tiny_release / "README.md").read_text().split("## Changes of the data")[1]
    assert versions and all(version in text or version == "Unreleased" for version in versions), (
        "add it to cards/changes.md"
    )


# the picture


def test_the_picture_shows_every_entity_relation_and_source_of_its_question(tiny_release):
    text = (tiny_release / "README.md").read_text()
    picture = ET.parse(tiny_release / "chain.svg")
    texts = [element.text for element in picture.iter() if element.text]
    question = re.search(r"^> (.+)$", text, re.MULTILINE)[1]
    release = Release(tiny_release)
    [record] = [row for row in release.rows("comp_zeroshot", "test") if row["question"] == question]
    assert "](chain.svg)" in text
    hops = find_hops(record, Reader(release.relations))
    for hop in hops:
        source = source_in_words(hop, len(record["context_people"]))
        for word in (hop.subject, hop.object, hop.relation.replace("_", " "), source):
            assert word in texts
        assert source in text
        if not hop.recalled:
            assert f"“{hop.text}”" in texts
    assert {hop.recalled for hop in hops} == {True, False}, "the example has both kinds of hops"


def test_a_recalled_hop_is_quoted_from_a_parametric_biography(tiny_release):
    release, reader = Release(tiny_release), Reader(Release(tiny_release).relations)
    picture = ET.parse(tiny_release / "chain.svg")
    quotes = [e.text.strip("“”") for e in picture.iter() if (e.text or "").startswith("“")]
    training = " ".join(row["text"] for row in release.rows("biographies", "parametric", ["text"]))
    recalled = [quote for quote in quotes if quote in training]
    groups = {row["name"]: row["group"] for row in release.table("relations").to_pylist()}
    assert recalled
    assert all(groups[reader.sentence(quote)[1]] == "parametric" for quote in recalled)


def test_recalled_hops_are_dashed_and_read_hops_are_not(tiny_release):
    text = (tiny_release / "chain.svg").read_text()
    lines = re.findall(r'<line .*stroke="(#\w+)" stroke-width="3"( stroke-dasharray)?', text)
    assert {(colour == RECALLED, bool(dashed)) for colour, dashed in lines} == {
        (True, True),
        (False, False),
    }
    assert {colour for colour, _ in lines} == {RECALLED, READ}


def test_a_picture_survives_any_name():
    names = ['<A & "B">', "Ōé]]>"]
    record = {"question": 'Who is <A & "B">\'s boss?', "entities": names, "context_people": []}
    picture = ET.fromstring(chain_svg(record, [Hop("boss", *names, source=WEIGHTS)]))
    assert set(names) <= {element.text for element in picture.iter()}


# Croissant


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


def test_croissant_has_every_property_of_responsible_ai_that_applies(croissant, tiny_release):
    metadata = croissant.metadata
    for text in (
        *("data_collection", "data_collection_type", "data_collection_missing_data"),
        *("data_collection_raw_data", "data_preprocessing_protocol", "data_annotation_protocol"),
        *("data_annotation_platform", "annotations_per_item", "annotator_demographics"),
        *("machine_annotation_tools", "data_biases", "data_use_cases", "data_limitations"),
        *("data_social_impact", "personal_sensitive_information"),
        "data_release_maintenance_plan",
    ):
        assert getattr(metadata, text), text
    written = json.loads((tiny_release / "croissant.json").read_text(encoding="utf-8"))
    assert written["conformsTo"][0].endswith("/1.1") and written["rai:hasSyntheticData"] is True


def test_croissant_knows_every_config_and_column(tiny_release, croissant):
    release = Release(tiny_release)
    sets = {record_set.id: record_set for record_set in croissant.metadata.record_sets}
    assert set(release.configs()) == {name for name in sets if not name.endswith("_splits")}
    fields = {field.name for field in sets["probes"].fields}
    assert fields == {"split", *arrow_schema("probe").names}


@pytest.mark.parametrize("config", ["comp_depth", "comp_rl", "biographies", "facts"])
def test_croissant_reads_the_rows_of_the_release(tiny_release, croissant, config):
    def plain(value: Any) -> Any:
        """The value as Python's own type; mlcroissant returns bytes and numpy's numbers."""
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


def test_the_card_has_the_results_of_the_evaluated_models_with_their_commands(tiny_release):
    card = (tiny_release / "README.md").read_text(encoding="utf-8")
    section = card.split("## Results so far")[1].split("## Intended use")[0]
    folder = resource("cards") / "results"
    for path in folder.glob("*.json"):
        assert json.loads(path.read_text(encoding="utf-8"))["command"] in section


def test_a_score_without_an_interval_stands_alone(tmp_path):
    (file,) = (resource("cards") / "results").glob("smollm2*-0shot.json")
    run = json.loads(file.read_text(encoding="utf-8"))
    for record in run["results"]:
        record["exact_match"] |= {"value": 0.25, "low": None, "high": None}
    (tmp_path / "model.json").write_text(json.dumps(run), encoding="utf-8")
    assert card_results(tmp_path).count("| 25.0 |") == len(run["results"])


def test_the_card_has_the_main_studies_with_their_commands(tmp_path):
    write_study(tmp_path / "runs", seeds=(1, 2))
    lines = [
        json.loads(line)
        for path in (tmp_path / "runs").rglob("results.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    for name in ("main", "other"):
        (tmp_path / name).mkdir()
        write_evidence(read_evidence([tmp_path / "runs"]), tmp_path / name)
    text = card_results(tmp_path)
    assert text.count("Trained from scratch") == 1, "of main studies only"
    assert "preset `nano`, seeds 43, 44" in text and "`bioreason-baseline reproduce`" in text
    zeroshot = [
        line["process_verified"]
        for line in lines
        if line["config"] == "comp_zeroshot" and line["run"] == "base+sft_mem_ctx+grpo"
    ]
    assert f"{100 * sum(zeroshot) / len(zeroshot):.1f} (" in text
