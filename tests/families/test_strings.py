"""Programs over strings: rows, levels, grading, rewards, commands."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import string_outsider

import bioreason_bench as bb
from bioreason_bench.build import generate
from bioreason_bench.errors import UsageError
from bioreason_bench.families.strings.settings import StringSettings
from bioreason_bench.families.strings.write import make_dataset
from bioreason_bench.family import family_of_row, load_settings
from bioreason_bench.grading.rewards import REWARDS
from bioreason_bench.release.digest import digest_rows
from bioreason_bench.release.read import Release
from bioreason_bench.release.shards import make_table

SMALL = {"train": 1_000, "rl": 100, "iid": 30, "composition": 30, "zeroshot": 30, "depth": 30}
GOLDEN = "sha256:332e3d77b6a7a2fba1dabf06c6e7f6969fe2f66e430ba6bff6d7fe3166c00d2a"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    folder = tmp_path_factory.mktemp("strings") / "release"
    generate(StringSettings(preset="strings_small", **SMALL), folder, workers=1)
    return Release(folder)


def questions(release: Release) -> list[dict]:
    rows = []
    for file in release.manifest["files"]:
        rows += release.read(release.path / file).to_pylist()
    return rows


def test_an_outsiders_interpreter_finds_every_answer(release: Release) -> None:
    definitions = release.manifest["definitions"]
    rows = questions(release)
    assert len(rows) > 3_000
    for row in rows:
        assert string_outsider.answer(definitions, row["question"]) == row["answer"], row


def test_the_levels_are_what_training_lacks(release: Release) -> None:
    train = list(release.rows("strings_iid", "train"))
    programs = {(row["pattern"], *row["path"]) for row in train}
    pairs = {(row["pattern"], skill) for row in train for skill in row["path"]}
    parts = {name for pair in pairs for name in pair}
    for level, holds in {
        "iid": lambda p: p in programs,
        "composition": lambda p: {*p} <= parts and {(p[0], s) for s in p[1:]} - pairs,
        "zeroshot": lambda p: {*p} - parts,
        "depth": lambda p: len(p) > 4 and {(p[0], s) for s in p[1:]} <= pairs,
    }.items():
        rows = list(release.rows(f"strings_{level}", "test"))
        assert len(rows) == 30
        assert all(holds((row["pattern"], *row["path"])) for row in rows), level


def test_atoms_have_the_tokens_of_the_compounds(release: Release) -> None:
    def tokens(config: str) -> int:
        return sum(len(f"{r['question']} {r['chain']}".split()) for r in release.rows(config))

    assert tokens("strings_atoms") == pytest.approx(tokens("strings_iid"), rel=0.03)
    words = Counter(row["path"][0] for row in release.rows("strings_atoms"))
    assert set(release.manifest["definitions"]["skills"]) <= set(words)


def test_supports_of_reinforcement_learning(release: Release) -> None:
    train = {(r["pattern"], *r["path"]) for r in release.rows("strings_iid", "train")}
    shares = {}
    for name in ("nested", "overlapping", "disjoint"):
        rows = list(release.rows(f"strings_rl_{name}"))
        shares[name] = sum((r["pattern"], *r["path"]) in train for r in rows) / len(rows)
    assert (shares["nested"], shares["disjoint"]) == (1, 0)
    assert 0.3 < shares["overlapping"] < 0.7


def test_rows_do_not_depend_on_the_number_of_files() -> None:
    dataset = make_dataset(StringSettings(**SMALL))
    for part in dataset.parts:
        whole = part.write(0, part.rows)
        half = part.rows // 2
        cut = [part.write(0, half), part.write(half, part.rows)]
        assert whole == {name: cut[0][name] + cut[1][name] for name in whole}, part.folder


def test_rows_do_not_change_between_versions() -> None:
    dataset = make_dataset(load_settings("strings_tiny"))
    part = next(p for p in dataset.parts if p.folder == "strings/composition_openbook")
    assert digest_rows(make_table(part.schema, part.write(0, part.rows))) == GOLDEN


def test_another_seed_has_other_names_and_the_read_preset_shows_definitions() -> None:
    first, second = (make_dataset(StringSettings(**SMALL, seed=seed)) for seed in (1, 2))
    names = [set(dataset.head["definitions"]["skills"]) for dataset in (first, second)]
    assert not names[0] & names[1] or len(names[0] & names[1]) < 12
    read = make_dataset(replace(load_settings("strings_read"), train=1_000, rl=0, unknown_skills=2))
    zeroshot = next(p for p in read.parts if (p.folder, p.split) == ("strings/zeroshot", "test"))
    columns = zeroshot.write(0, 200)
    assert all(columns["context"])
    assert 0 < sum(columns["known_from_atoms"]) < 200


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"heldout_pairs": 500}, "at most 84 pairs can be held out"),
        ({"maps": ["bcde"]}, "is not total"),
        ({"maps": ["bcdefghijklz"]}, "is not total"),
        ({"letters": [2, 3]}, "too few for"),
        ({"train": 100}, "raise train"),
        ({"hops": [3, 2]}, "the first number must not be the larger one"),
        ({"depth_hops": [3, 8]}, "it must exceed hops"),
        ({"trian": 100}, "did you mean 'train'"),
        ({"definitions": "guessed"}, "'recalled' or 'read'"),
        ({"zeroshot_skills": 0, "zeroshot_routings": 0}, "no skill and no routing is held out"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_cannot_be_made_is_refused_in_a_sentence(settings, says, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=says) as error:
        generate(StringSettings.from_dict({**SMALL, **settings}), tmp_path / "out", workers=1)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_an_own_map_is_a_skill_that_the_audit_understands(tmp_path: Path) -> None:
    from bioreason_bench.audit.verify import verify

    settings = StringSettings(**{**SMALL, "maps": ["bbcdefghijka"]})
    generate(settings, tmp_path / "own", workers=1)
    audit = verify(tmp_path / "own", workers=1)
    assert audit.ok
    assert len(Release(tmp_path / "own").manifest["definitions"]["skills"]) == 25


# grading ------------------------------------------------------------------------------------------


def test_verdicts_on_traces(release: Release) -> None:
    row = next(r for r in release.rows("strings_depth", "test") if len(r["entities"]) > 4)
    steps = row["chain"].split(" . ")[:-1]
    last = f"So, the answer is: {row['answer']}"

    def verdict(*sentences: str) -> tuple[bool, bool, int, str | None]:
        grade = bb.grade(" " + " . ".join([*sentences, last]), row)
        return grade.exact_match, grade.process_verified, grade.hops_right, grade.error_kind

    n = len(steps)
    assert verdict(*steps) == (True, True, n, None)
    assert verdict(*steps[:2]) == (True, False, 2, "missing")
    assert verdict(steps[0], "y2 is easy", *steps[2:]) == (True, False, 1, "unreadable")
    assert verdict(steps[1], steps[0], *steps[2:])[1:3] == (False, 0)
    assert verdict(*steps, steps[0]) == (True, False, n, "extra step")
    wrong = bb.grade(row["chain"].replace(last, "So, the answer is: a b c d"), row)
    assert (wrong.exact_match, wrong.error_kind) == (False, "wrong answer")
    for text in ("", " ", "the answer is:", "y1 = = =", "é" * 1000, "y1 = a x = b . " * 9999):
        assert not bb.grade(text, row).exact_match
    spaced = row["chain"].replace(last, f"So, the answer is:  {row['answer']}.")
    assert bb.grade(spaced, row).exact_match
    glued = row["chain"].replace(last, f"So, the answer is: {row['answer']} a")
    assert not bb.grade(glued, row).exact_match


def test_no_reward_pays_for_the_prompt_and_a_bag_of_steps_earns_a_quarter(release: Release) -> None:
    row = next(r for r in release.rows("strings_depth", "test") if len(r["entities"]) > 4)
    columns = {name: [value] for name, value in row.items()}
    steps = row["chain"].split(" . ")[:-1]
    bag = " . ".join(reversed(steps)) + " . So, the answer is: a"
    opened = next(release.rows("strings_depth_openbook", "test"))
    for name, reward in REWARDS.items():
        assert reward([f" {row['chain']}"], **columns) == [1.0], name
        assert reward([bb.make_prompt(row)], **columns) == [0.0], name
        assert reward([opened["context"]], **columns) == [0.0], name
    assert REWARDS["composite"]([bag], **columns) == [0.25]
    assert REWARDS["process"]([bag], **columns) == [0.0]
    assert REWARDS["outcome"]([bag], **columns) == [0.0]


def test_a_question_knows_its_family(release: Release) -> None:
    row = next(release.rows("strings_rl_disjoint"))
    assert family_of_row(row).name == "strings"
    assert family_of_row({"skill": "comp"}).name == "people"
    assert "a program for a string of letters" in bb.chat_prompt(row)


# commands -----------------------------------------------------------------------------------------


def test_the_commands_take_a_release_of_strings(cli, release: Release, tmp_path: Path) -> None:
    def run(*arguments: object) -> str:
        result = cli(*map(str, arguments))
        assert result.exit_code == 0, result.output
        return result.stdout

    shown = run("show", release.path, "-n", 1)
    assert "y1 = " in shown
    assert "never joined" in shown
    steps = json.loads(run("show", release.path, "strings_iid", "-n", 1, "--json"))
    assert steps["steps"][0]["name"] == "y1"
    assert "strings/depth/test" in run("stats", release.path)
    assert "last_skill" in run("verify", release.path, "--workers", 1, "--sample", 5)
    run("export", release.path, "--to", "trl", "--out", tmp_path / "trl")
    for command, *arguments in (
        ("show", "--person", "Ann"),
        ("show", "--plot", tmp_path / "a.png"),
        ("export", "--to", "graphml", "--out", tmp_path / "graph"),
    ):
        refused = cli(command, release.path, *map(str, arguments))
        assert refused.exit_code == 2
        assert "people" in refused.stderr
    assert not (tmp_path / "graph").exists()
    from bioreason_bench.grading.saved import load_grader

    row = next(release.rows("strings_iid", "test"))
    assert load_grader(tmp_path / "trl").grade(row["chain"], row).process_verified


def test_load_gives_the_rows_of_the_release(tmp_path: Path) -> None:
    few = {"train": 1_000, "rl": 0, "depth": 20}
    rows = bb.load(
        "strings_tiny", "strings_depth", seed=3, cache_dir=tmp_path, overrides=few, splits="test"
    )
    dataset = make_dataset(
        load_settings("strings_tiny", 3).override({k: str(v) for k, v in few.items()})
    )
    part = next(p for p in dataset.parts if (p.folder, p.split) == ("strings/depth", "test"))
    assert rows["test"]["question"] == part.write(0, 20)["question"]


def test_the_first_examples_of_a_task_hold_every_primitive(release: Release) -> None:
    from bioreason_bench.evaluation.harness import functions

    documents = functions.documents("strings_zeroshot", data=str(release.path))
    definitions = release.manifest["definitions"]
    first = [{row["pattern"], *row["path"]} for row in documents["fewshot"]][:16]
    assert {*definitions["skills"], *definitions["routings"]} <= set().union(*first)
    document = documents["test"][0]
    assert functions.score(document, [functions.target(document)])["process_verified"] == 1
    assert functions.score_direct(document, [document["answer"]])["exact_match"] == 1
    opened = functions.documents("strings_zeroshot", "openbook", data=str(release.path))
    assert opened["test"][0]["context"].startswith("A string has at most 16 letters")


def test_task_names_of_families_are_read() -> None:
    from bioreason_bench.evaluation.harness.names import all_names, parse

    assert parse("bioreason_strings_depth_openbook_chat") == ("strings", "depth", "openbook_chat")
    assert parse("bioreason_strings_direct") == ("strings", "", "direct")
    assert parse("bioreason_strings") == ("strings", "", "")
    assert parse("bioreason_comp_iid_chat") == ("comp", "iid", "chat")
    assert parse("bioreason_people") is None
    assert {"bioreason_strings", "bioreason_strings_depth_direct"} <= set(all_names())
