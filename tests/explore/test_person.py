"""bioreason show --person: everything that a release says of a person."""

from __future__ import annotations

import json

import pytest

from bioreason_bench.release.read import Release
from bioreason_bench.schema import columns


@pytest.fixture(scope="module", params=["tiny_release", "nano_release"])
def release(request) -> Release:
    return Release(request.getfixturevalue(request.param))


@pytest.fixture
def about(release, cli) -> dict:
    """What --json prints of the third person."""
    name = release.table("people")["name"][2].as_py()
    return json.loads(cli("show", release.path, "--person", name, "--json").stdout)


def test_the_facts_are_those_of_the_person_and_those_that_lead_to_the_person(release, about):
    facts, name = list(release.rows("facts")), about["name"]
    own = [(row["relation"], row["object"]) for row in facts if row["subject"] == name]
    others = [(row["subject"], row["relation"]) for row in facts if row["object"] == name]
    assert [(fact["relation"], fact["object"]) for fact in about["facts"]] == own
    assert [(fact["subject"], fact["relation"]) for fact in about["named_by"]] == others
    assert own
    assert others


def test_every_rendering_of_every_biography_is_there(release, about):
    expected = {
        row["id"]: row["text"]
        for split in release.splits("biographies")
        for row in release.rows("biographies", split)
        if row["person"] == about["name"]
    }
    assert {row["id"]: row["text"] for row in about["biographies"]} == expected
    assert len(expected) == about["in_context"] + about["known"] * release.config.paraphrases


def test_the_questions_are_all_that_have_the_person_on_the_path_or_in_the_context(release, about):
    """Each file is counted once, though the levels of a skill share their training questions."""
    found = {(part, place, row)
             for part, places in about["questions"].items()
             for place, ids in places.items() for row in ids}  # fmt: skip
    expected = set()
    for file, entry in release.manifest["files"].items():
        if "question" in columns(entry["schema"]):
            part = file.removeprefix("data/").split("-0")[0]
            for row in release.read(release.path / file).to_pylist():
                if about["name"] in row["entities"]:
                    expected.add((part, "on_the_path", row["id"]))
                elif about["name"] in row["context_people"]:
                    expected.add((part, "in_the_context", row["id"]))
    assert found == expected
    assert {"comp/train", "probes/test"} <= set(about["questions"])


def test_the_text_says_the_same_in_short(release, about, cli):
    text = cli("show", release.path, "--person", about["name"]).stdout
    flat = " ".join(text.split())
    for fact in about["facts"]:
        assert f"{fact['relation']} {fact['object']} {fact['group']}" in flat
    for biography in about["biographies"]:
        assert biography["id"] in text
        assert " ".join(biography["text"].split()) in flat
    train = about["questions"]["comp/train"]["on_the_path"]
    assert f"comp/train on the path {len(train)} {train[0]}" in flat


@pytest.mark.parametrize("change", [str.lower, str.upper, lambda name: name[:-1] + "x"])
def test_a_name_that_is_nearly_right_gets_a_hint(tiny_release, cli, change):
    name = Release(tiny_release).table("people")["name"][2].as_py()
    result = cli("show", tiny_release, "--person", change(name))
    assert result.exit_code == 2
    assert f"did you mean {name!r}?" in result.stderr


def test_nobody_is_called_so_and_a_person_is_no_question(tiny_release, cli):
    result = cli("show", tiny_release, "--person", "42")
    assert result.exit_code == 2
    assert "nobody in" in result.stderr
    result = cli("show", tiny_release, "comp_iid", "--person", "42")
    assert result.exit_code == 2
    assert "exclude each other" in result.stderr
