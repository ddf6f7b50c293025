"""Published files of SCAN, COGS, CFQ and GeoQuery, small ones of the same form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from grammar_copy import Breach

from bioreason_bench.audit.verify import verify
from bioreason_bench.build import generate
from bioreason_bench.errors import UsageError
from bioreason_bench.families.published.audit import LAWS
from bioreason_bench.families.published.forms import read_folder
from bioreason_bench.families.published.meaning import same_meaning
from bioreason_bench.families.published.settings import PublishedSettings
from bioreason_bench.release.read import Release

SCAN_TRAIN = "IN: jump OUT: I_JUMP\nIN: walk left OUT: I_TURN_LEFT I_WALK\n"
SCAN_TEST = "IN: jump left OUT: I_TURN_LEFT I_JUMP\n"
COGS_TRAIN = "A dog ran .\tdog ( x _ 1 ) AND run . agent ( x _ 2 , x _ 1 )\tin_distribution\n"
COGS_GEN = "Emma ran .\trun . agent ( x _ 1 , Emma )\tprim_to_subj_proper\n"
QUERY = "SELECT count(*) WHERE { ?x0 a M1 . ?x0 film.film.directed_by M0 }"
CFQ = [
    {"questionPatternModEntities": "Was M0 a film", "sparqlPatternModEntities": QUERY},
    {"questionPatternModEntities": "Did M1 direct M0", "sparqlPatternModEntities": QUERY},
]
GEO = "what is the capital of texas\tanswer ( capital ( loc_2 ( stateid ( 'texas' ) ) ) )\n"


def scan(folder: Path) -> None:
    (folder / "length_split").mkdir()
    (folder / "length_split/tasks_train_length.txt").write_text(SCAN_TRAIN)
    (folder / "length_split/tasks_test_length.txt").write_text(SCAN_TEST)
    (folder / "tasks.txt").write_text(SCAN_TRAIN + SCAN_TEST)
    (folder / "mcd1.json").write_text(json.dumps({"trainIdxs": [0, 1], "testIdxs": [2]}))


def cogs(folder: Path) -> None:
    for name in ("train", "dev", "test"):
        (folder / f"{name}.tsv").write_text(COGS_TRAIN)
    (folder / "gen.tsv").write_text(COGS_GEN)


def cfq(folder: Path) -> None:
    (folder / "splits").mkdir()
    (folder / "dataset.json").write_text(json.dumps(CFQ))
    lists = {"trainIdxs": [0], "devIdxs": [], "testIdxs": [1]}
    (folder / "splits/mcd1.json").write_text(json.dumps(lists))


def geoquery(folder: Path) -> None:
    for name in ("train", "test"):
        (folder / f"{name}.tsv").write_text(GEO)


FORMS = {"scan": scan, "cogs": cogs, "cfq": cfq, "geoquery": geoquery}
CONFIGS = {
    "scan": {"published_length_depth", "published_mcd1_composition"},
    "cogs": {"published_cogs_iid", "published_cogs_zeroshot"},
    "cfq": {"published_mcd1_composition"},
    "geoquery": {"published_given_iid"},
}


@pytest.mark.parametrize("dataset", FORMS)
def test_published_files_become_a_release_that_passes_its_audit(dataset, tmp_path):
    source = tmp_path / "files"
    source.mkdir()
    FORMS[dataset](source)
    manifest = generate(PublishedSettings(source=str(source)), tmp_path / "out", workers=1)
    assert {*manifest["configs"]} == CONFIGS[dataset]
    assert manifest["definitions"]["dataset"] == dataset
    assert manifest["definitions"]["sources"]
    assert manifest["license"] == "other"
    audit = verify(tmp_path / "out", workers=1)
    assert audit.ok, {law: str(entry.first) for law, entry in audit.ledger.entries.items()}


@pytest.fixture(scope="module")
def published_scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = tmp_path_factory.mktemp("scan")
    scan(source)
    folder = tmp_path_factory.mktemp("published") / "scan"
    generate(PublishedSettings(source=str(source)), folder, workers=1)
    return folder


TRAIN, TEST = "published_length/train", "published_length/depth/test"
BREACHES = [
    Breach("config", TEST, lambda _, copy: copy.manifest(lambda m: m["config"].pop("source"))),
    Breach("unique ids", TRAIN, lambda rows, _: rows[1].update(id=rows[0]["id"])),
    Breach("placed", TEST, lambda rows, _: rows[0].update(level="iid")),
    Breach("answer", TEST, lambda rows, _: rows[0].update(answer="I_JUMP")),
    Breach("words", TEST, lambda rows, _: rows[0].update(path=["jump"])),
    Breach("words", TEST, lambda rows, _: rows[0].update(context="jump = I_JUMP")),
    Breach("actions", TEST, lambda rows, _: wrong_action(rows[0])),
    Breach("certificates", TEST, lambda rows, _: rows[0].update(pairs_unseen=0)),
    Breach("certificates", TEST, lambda rows, _: rows[0].update(path_in_train=True)),
]


def wrong_action(row: dict[str, Any]) -> None:
    """The other order of the actions, wherever the row says it."""
    row["answer"] = "I_JUMP I_TURN_LEFT"
    row["entities"] = [row["question"], row["answer"]]
    row["chain"] = row["chain"].replace("I_TURN_LEFT I_JUMP", row["answer"])


@pytest.mark.parametrize("breach", BREACHES, ids=str)
def test_a_corruption_is_found_by_its_law(breach, published_scan, tmp_path):
    ledger = breach.audited(published_scan, tmp_path / "copy")
    assert ledger.broken_in(breach.law), {k: str(v.first) for k, v in ledger.entries.items()}


def test_every_law_of_published_files_has_been_seen_to_fail():
    assert {breach.law for breach in BREACHES} == set(LAWS)


@pytest.mark.parametrize(
    ("dataset", "file", "text", "says"),
    [
        ("scan", "length_split/tasks_test_length.txt", "jump => I_JUMP\n", "row 1: it must be IN:"),
        ("scan", "mcd1.json", '{"trainIdxs": [7], "testIdxs": []}', "places from 0 to 2"),
        ("scan", "mcd1.json", "[1]", "trainIdxs"),
        ("cogs", "dev.tsv", "A dog ran .\n", "row 1: it must be a sentence, its form, its kind"),
        ("cogs", "gen.tsv", COGS_TRAIN, "a kind of COGS"),
        ("cogs", "train.tsv", "", "is empty"),
        ("cfq", "dataset.json", "{}", "a list of questions"),
        ("cfq", "dataset.json", '[{"question": "Was M0 a film"}]', "an object with"),
        ("cfq", "dataset.json", "[", "cannot be read"),
        ("geoquery", "test.tsv", "what is the capital of texas\n", "a sentence, its form"),
    ],
)
def test_a_file_of_another_form_ends_in_one_sentence_and_writes_nothing(
    dataset, file, text, says, tmp_path
):
    source = tmp_path / "files"
    source.mkdir()
    FORMS[dataset](source)
    (source / file).write_text(text)
    with pytest.raises(UsageError, match=says):
        generate(PublishedSettings(source=str(source)), tmp_path / "out", workers=1)
    assert [path.name for path in tmp_path.iterdir()] == ["files"]


def test_a_folder_without_published_files_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(UsageError, match="has none of tasks_train"):
        read_folder(str(tmp_path), ())
    with pytest.raises(UsageError, match="there is no such folder"):
        read_folder(str(tmp_path / "none"), ())
    with pytest.raises(UsageError, match="give --from FOLDER"):
        read_folder("", ())
    scan(tmp_path)
    with pytest.raises(UsageError, match="did you mean 'length'"):
        read_folder(str(tmp_path), ("lenght",))


@pytest.mark.parametrize(
    ("dataset", "one", "other"),
    [
        ("cogs", COGS_TRAIN.split("\t")[1], "run . agent ( x _ 2 , x _ 1 ) AND dog ( x _ 1 )"),
        ("cfq", QUERY, "SELECT count(*) WHERE { ?x0 film.film.directed_by M0 . ?x0 a M1 }"),
        (
            "geoquery",
            "answer ( intersection ( state , next_to_2 ( stateid ( 'texas' ) ) ) )",
            "answer(intersection(next_to_2(stateid('texas')), state))",
        ),
    ],
)
def test_answers_that_say_the_same_in_another_order_are_equal_in_meaning(dataset, one, other):
    assert one != other
    assert same_meaning(dataset, one, other)
    assert not same_meaning(
        dataset, one, other.replace("x _ 1", "x _ 3").replace("state", "river").replace("M0", "M9")
    )


def test_answers_are_graded_by_their_text_or_by_what_they_say(tmp_path):
    cogs(tmp_path)
    same = "So, the answer is: run . agent ( x _ 2 , x _ 1 ) AND dog ( x _ 1 )"
    for grading, right in (("exact", False), ("meaning", True)):
        out = tmp_path / grading
        settings = PublishedSettings(source=str(tmp_path), grading=grading)
        generate(settings, out, workers=1)
        release = Release(out)
        row = {
            "chain": "So, the answer is: " + COGS_TRAIN.split("\t")[1],
            "answer": COGS_TRAIN.split("\t")[1],
        }
        assert release.grader().grade(same, row).exact_match is right
        assert release.grader().grade(row["chain"] + "\n", row).exact_match
        assert not release.grader().grade("So, the answer is: dog ( x _ 1 )", row).exact_match
