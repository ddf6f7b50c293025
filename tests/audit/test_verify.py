"""The audit passes what the generator writes, and reports it in audit.json and on the screen."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import jsonschema
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from broken_release import ReleaseCopy
from few import few
from hypothesis import HealthCheck, Phase, given, reject, settings
from strategies import small_configs

from bioreason_bench.audit.catalogue import LAWS
from bioreason_bench.audit.laws.pairs import KIND_LAWS
from bioreason_bench.audit.reading.conform import nonconforming
from bioreason_bench.audit.reading.duplicates import duplicates
from bioreason_bench.audit.reading.questions import code_of, hash_texts, path_of
from bioreason_bench.audit.report import read_audit
from bioreason_bench.audit.solvers.scores import NAMES
from bioreason_bench.audit.solvers.solvers import SOLVERS
from bioreason_bench.audit.verify import verify
from bioreason_bench.build import generate
from bioreason_bench.commands.verify import COMPOSING
from bioreason_bench.config import WorldConfig
from bioreason_bench.errors import UsageError
from bioreason_bench.release.read import Release
from bioreason_bench.schema import load_schema, validator
from bioreason_bench.taxonomy import KIND_NAMES


def broken(folder: Path) -> dict[str, str]:
    """The broken laws of a release, each with its first violation."""
    entries = verify(folder, workers=1).ledger.entries
    return {law: str(entry.first) for law, entry in entries.items() if entry.broken}


# what the generator writes ------------------------------------------------------------------------


@pytest.mark.parametrize("examples", [6, pytest.param(200, marks=pytest.mark.deep)])
def test_every_release_that_can_be_generated_keeps_every_law(examples: int) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink one takes minutes
    )
    @given(small_configs())
    def one_keeps_every_law(config: WorldConfig) -> None:
        with TemporaryDirectory() as parent:
            folder = Path(parent) / "release"
            try:
                generate(config, folder, workers=1)
            except UsageError:
                reject()  # too few people for the questions asked for
            # of a handful of questions, luck decides whether a shortcut is better than chance
            assert broken(folder).keys() <= {"shortcuts"}

    one_keeps_every_law()


# conflicts of three hops and more, by two facts a person: more is asked for than is stated
NARROW = {
    "hops": "{3 = 0.6, 4 = 0.4}",
    "depth_hops": "{5 = 1.0}",
    "levels": '["composition"]',
    "comp.composition": "6",
    "distractors": "3",
    "known": "400",
    "novel": "200",
}


@pytest.mark.parametrize(("facts", "guards"), [(1, False), (2, True), (4, False)])
def test_a_question_may_ask_for_more_facts_than_a_biography_states(
    facts: int, guards: bool, tmp_path: Path
) -> None:
    words = {**NARROW, "context_facts": str(facts), "leak_guards": str(guards).lower()}
    generate(few().override(words), tmp_path / "release", workers=1)
    assert not broken(tmp_path / "release")


def test_every_law_checks_something_in_preset_tiny(tiny_release: Path) -> None:
    audit = verify(tiny_release, workers=2)
    assert audit.ok, audit.ledger.as_dict()
    checked = {law for law, entry in audit.ledger.entries.items() if entry.checked}
    # tiny holds no starts out and has no long contexts (test_long_laws.py); the others need an
    # audit.json, the official release, an option
    missing = {"held-out starts", "context tokens", "bystanders", "depths"}
    assert set(LAWS) - checked == missing | {"audit", "official", "against"}


def test_a_release_in_symbols_keeps_every_law(nano_release: Path) -> None:
    audit = verify(nano_release, workers=2)
    assert audit.ok, audit.ledger.as_dict()
    assert audit.ledger.entries["held-out starts"].checked


def test_the_audit_does_not_depend_on_the_number_of_processes(dozen_release: Path) -> None:
    one, two = (verify(dozen_release, workers=workers) for workers in (1, 2))
    assert one.as_dict() == two.as_dict()


def test_a_sample_solves_fewer_questions_and_checks_every_certificate(dozen_release: Path) -> None:
    whole, sample = verify(dozen_release, workers=1), verify(dozen_release, workers=1, sample=5)
    assert sample.ok
    assert sample.ledger.entries["solution"].checked < whole.ledger.entries["solution"].checked / 2
    assert sample.ledger.entries["people_in_train"] == whole.ledger.entries["people_in_train"]


def test_a_downloaded_folder_needs_only_data_manifest_and_card(
    dozen_release: Path, tmp_path: Path
) -> None:
    shutil.copytree(dozen_release / "data", tmp_path / "data")
    for name in ("manifest.json", "README.md"):
        shutil.copy(dozen_release / name, tmp_path / name)
    assert not broken(tmp_path)


def test_a_manifest_with_the_field_names_of_version_0_1_is_read(copy: ReleaseCopy) -> None:
    manifest = copy.manifest
    config = manifest["config"]
    config["guards"], config["renderings"] = config.pop("leak_guards"), config.pop("paraphrases")
    copy.set_manifest(manifest)
    assert not broken(copy.folder)


# the report ---------------------------------------------------------------------------------------


def test_audit_json_fits_its_schema_and_holds_every_law_and_solver(dozen_release: Path) -> None:
    audit = json.loads(json.dumps(verify(dozen_release, workers=1).as_dict()))
    jsonschema.validate(audit, load_schema("audit"))
    assert list(audit["laws"]) == list(LAWS)
    for config, scores in audit["solvers"].items():
        if config in COMPOSING:  # a solver that has no choice to make in any question is left out
            assert scores.keys() <= set(NAMES)
            assert {"associate", "skim", "last_hop"} <= scores.keys()
        else:
            assert "oracle" in scores and scores.keys() <= set(NAMES)
            if not config.endswith(("_openbook", "_unanswerable")):
                assert scores.keys() >= set(SOLVERS)
    assert "any_unseen" in audit["solvers"]["comp_zeroshot"]
    configs = Release(dozen_release).configs()
    tested = {name for name in configs if name.startswith(("mem_", "ctx_", "comp_"))} - {"comp_rl"}
    assert set(audit["solvers"]) == tested


def test_verify_writes_audit_json_if_asked_and_nothing_else(copy: ReleaseCopy, cli) -> None:
    def files() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in copy.folder.rglob("*") if path.is_file()}

    before = files()
    result = cli("verify", copy.folder, "--workers", 1)
    assert result.exit_code == 0
    assert result.stdout.rstrip().endswith(" 0 broken")
    assert files() == before
    words = ("--workers", 1, "--sample", 1, "--write", "--json", "-q")
    written = cli("verify", copy.folder, *words)
    assert json.loads(written.stdout) == read_audit(copy.folder)
    assert set(files()) - set(before) == {copy.folder / "audit.json"}


def test_verify_prints_a_line_for_each_shortcut_and_level_of_comp(dozen_release: Path, cli) -> None:
    lines = [line.split() for line in cli("verify", dozen_release).stdout.splitlines()]
    table = {tuple(line[:2]): line[2:] for line in lines if line and line[0] in COMPOSING}
    scores = verify(dozen_release, workers=1).scores
    for config in COMPOSING:
        for name, score in scores[config].items():
            if score["shortcut"]:
                shares = (score[key] for key in ("score", "chance", "low", "high"))
                assert table[config, name] == [
                    str(score["questions"]),
                    *(f"{100 * share:.1f}" for share in shares),
                ]


def test_verify_prints_the_first_violation_of_a_broken_law(copy: ReleaseCopy, cli) -> None:
    file, row = copy.update("comp/iid/test", 3, answer="NOBODY")
    result = cli("verify", copy.folder, "--workers", 1, "-q")
    assert result.exit_code == 1
    assert "BROKEN  solution" in result.stdout
    assert f"{file} row {row}: " in result.stdout


def changed_consistently(copy: ReleaseCopy) -> str:
    """Two questions change places, and the digest with them: every law of the text holds."""
    rows = copy.raw_rows("comp/iid/test")
    rows[0], rows[1] = rows[1], rows[0]
    return copy.write("comp/iid/test", rows)


def test_a_consistent_forgery_is_found_against_rows_made_again(copy: ReleaseCopy, cli) -> None:
    words = ("verify", copy.folder, "--workers", 1, "-q")
    sample = ("--sample", 1, "--against")
    assert cli(*words, *sample).exit_code == 0
    file = changed_consistently(copy)
    assert cli(*words).exit_code == 0
    result = cli(*words, *sample)
    assert result.exit_code == 1
    assert "BROKEN  against" in result.stdout
    assert file in result.stdout


def test_another_seed_is_found_against_the_one_asked_for(copy: ReleaseCopy) -> None:
    entry = verify(copy.folder, workers=1, sample=1, against=43).ledger.entries["against"]
    assert entry.broken > len(copy.manifest["files"]) / 2
    assert str(entry.first) == "manifest.json: the seed is 42, it must be 43"


def test_a_seed_that_is_no_number_is_refused(dozen_release: Path, cli) -> None:
    result = cli("verify", dozen_release, "--against", "x")
    assert result.exit_code == 2
    assert "'x' is no seed" in result.stderr


def test_a_forgery_is_found_against_the_official_digests(tiny_release: Path, tmp_path) -> None:
    copy = ReleaseCopy(tiny_release, tmp_path / "copy")
    known = {
        ("tiny", 42): {file: entry["digest"] for file, entry in copy.manifest["files"].items()}
    }
    audit = verify(copy.folder, workers=1, sample=1, known=known)
    assert audit.ok, audit.ledger.as_dict()
    assert audit.ledger.entries["official"].checked == 1 + len(copy.manifest["files"])
    file = changed_consistently(copy)
    entries = verify(copy.folder, workers=1, sample=1, known=known).ledger.entries
    assert str(entries["official"].first) == (
        f"{file}: the official release has {known['tiny', 42][file]} here, "
        f"this one has {copy.manifest['files'][file]['digest']}"
    )


def test_a_release_that_is_not_the_official_one_by_its_config(copy: ReleaseCopy) -> None:
    """The fixture has fewer questions than its preset."""
    known = {("tiny", 42): {"x": "y"}}
    entry = verify(copy.folder, workers=1, sample=1, known=known).ledger.entries["official"]
    assert "is not what it has there" in str(entry.first)


def test_an_audit_that_was_written_agrees_with_the_next_one(copy: ReleaseCopy, cli) -> None:
    words = ("verify", copy.folder, "--workers", 1, "--sample", 1, "-q")
    assert cli(*words, "--write").exit_code == 0
    assert cli(*words).exit_code == 0
    copy.set_manifest({**copy.manifest, "versions": {"bioreason_bench": "0.0"}})
    stale = cli(*words)
    assert "is the audit of another release" in stale.stdout
    assert cli(*words, "--write").exit_code == 0


def test_nothing_is_written_into_a_folder_that_is_no_release(tmp_path, cli) -> None:
    wrong = cli("verify", tmp_path, "--write", "-q")
    assert wrong.exit_code == 1 and "has no manifest.json" in wrong.stdout
    assert "audit.json was not written" in wrong.stderr and wrong.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_pipe_in_place_of_a_file_is_not_opened(copy: ReleaseCopy) -> None:
    for file in (copy.file("comp/iid/test"), "README.md"):
        (copy.folder / file).unlink()
        os.mkfifo(copy.folder / file)
    assert {"files", "card", "canary"} <= broken(copy.folder).keys()


def test_verify_needs_a_folder(tmp_path: Path, cli) -> None:
    result = cli("verify", tmp_path / "nowhere")
    assert result.exit_code == 2
    assert "there is no folder" in result.stderr


# parts --------------------------------------------------------------------------------------------


def test_every_kind_of_question_has_a_law_in_the_catalogue() -> None:
    assert set(KIND_LAWS) == set(KIND_NAMES)
    assert {law.law for law in KIND_LAWS.values()} <= set(LAWS)


def test_a_path_is_its_code() -> None:
    for path in ((), (0,), (38, 0, 5), (1, 2, 3, 4, 5, 6, 7, 38)):
        assert path_of(code_of(path, 39), 39) == path
    assert code_of((0, 5), 39) == 46


def test_duplicates_are_the_later_rows_each_with_the_first_row_of_its_key() -> None:
    rows, first = duplicates(np.array([7, 5, 7, 7, 5], np.uint64))
    assert rows.tolist() == [2, 3, 4]
    assert first.tolist() == [0, 0, 1]


def test_the_hash_of_a_text_is_the_same_in_every_process() -> None:
    assert hash_texts(["Ann Lee", "é"]).tolist() == [5989623240812686662, 3394012004367669963]
    assert len(hash_texts([])) == 0


def test_columns_are_checked_as_a_row_by_row_validator_would(dozen_release: Path) -> None:
    """The check by columns and jsonschema agree on the rows that are wrong."""
    file = next((dozen_release / "data/comp/iid").glob("test-*"))
    rows = pq.read_table(file).to_pylist()
    corrupted = {
        1: {"id": "Comp 1"},
        2: {"hops": 0},
        3: {"path": []},
        4: {"entities": ["Ann"]},
        5: {"entities": ["Ann", ""]},
        6: {"answer": ""},
        7: {"skill": "both"},
        8: {"portion": 11},
        9: {"unseen_relations": ["Boss"]},
    }
    for row, values in corrupted.items():
        rows[row].update(values)
    table = pa.Table.from_pylist(rows, schema=pq.read_schema(file))
    valid = [validator("question").is_valid(row) for row in table.to_pylist()]
    slow = [row for row, fits in enumerate(valid) if not fits]
    fast, problem = nonconforming(table, "question")
    assert fast == slow == list(corrupted)
    assert problem.startswith("id: ")
