"""`bioreason generate --facts`: from a user's graph to questions, on the countries of examples/."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from pathlib import Path

import pytest

from bioreason_bench.audit.verify import verify
from bioreason_bench.release.manifest import read_manifest
from bioreason_bench.release.read import Release
from bioreason_bench.taxonomy import LEVELS, SKILLS

COUNTRIES = Path(__file__).parents[2] / "examples" / "countries"
FILES = {name: COUNTRIES / f"{name}.csv" for name in ("facts", "names")}
FEW = {"mem.train": 700, "ctx.train": 700, "comp.train": 900}
FEW |= {"mem.paths": 80, "ctx.paths": 80, "comp.paths": 160}
FEW |= {f"{skill}.{level}": 25 for skill in SKILLS for level in LEVELS}
FEW |= {"mem.direction": 20, "comp.rl": 50, "comp.counterfactual": 20, "comp.conflict": 20}


def arguments(folder: Path, out: Path, *more: object) -> list[object]:
    """The words of the example's command."""
    files = [f"--{name}={folder / path.name}" for name, path in FILES.items()]
    table = f"--relations={folder / 'relations.toml'}"
    return ["generate", *files, table, "--out", out, "--workers", "1", *more]


def settings(values: dict[str, int]) -> list[str]:
    return [f"--set={key}={value}" for key, value in values.items()]


@pytest.fixture(scope="module")
def countries(tmp_path_factory) -> Path:
    """The release of the countries, small; shared, so never write into it."""
    from click.testing import CliRunner

    from bioreason_bench.commands.main import main

    out = tmp_path_factory.mktemp("releases") / "countries"
    words = arguments(COUNTRIES, out, "-q", *settings(FEW))
    result = CliRunner().invoke(main, list(map(str, words)))
    assert result.exit_code == 0, result.output
    return out


@pytest.fixture
def folder(tmp_path) -> Path:
    """A copy of the example that a test may change."""
    return Path(shutil.copytree(COUNTRIES, tmp_path / "example"))


def test_the_audit_finds_nothing_broken(countries):
    audit = verify(countries, workers=1)
    assert audit.ok, audit.ledger.as_dict()
    laws = audit.ledger.as_dict()
    assert laws["inverses"]["checked"] == 220 and laws["facts told"]["checked"] > 3_000
    for law in ("known circle", "long lists", "related once", "shortcuts", "ages", "lives"):
        assert laws[law]["checked"] == 0, law


def test_every_skill_has_every_level_and_every_kind_of_questions(countries):
    release = Release(countries)
    kinds = (("comp_counterfactual", 40), ("comp_conflict", 20), ("mem_direction", 40))
    assert all(release.count(config, "test") == rows for config, rows in kinds)
    for skill in SKILLS:
        for level in LEVELS:
            assert release.count(f"{skill}_{level}", "test") == 25
    for row in release.rows("comp_entity", "test"):
        assert row["people_in_train"] == 0


def test_the_mirrors_that_the_file_lacks_are_added(countries):
    facts = {tuple(row.values()) for row in Release(countries).table("facts").to_pylist()}
    assert ("Portugal", "next_larger", "Hungary", "parametric") in facts
    assert ("Hungary", "next_smaller", "Portugal", "contextual") in facts
    assert "next_smaller" not in FILES["facts"].read_text(encoding="utf-8")


def test_the_manifest_describes_the_files(countries):
    config = read_manifest(countries)["config"]
    for name, path in FILES.items():
        assert config[f"{name}_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (config["known"], config["novel"], config["preset"]) == (113, 0, "graph")


def test_an_oracle_scores_everything_and_whoever_guesses_does_not(countries):
    pytest.importorskip("lm_eval")
    from eval_models import Oracle
    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager

    from bioreason_bench.resources import folder as installed

    tasks = TaskManager(
        include_path=str(installed("tasks")),
        include_defaults=False,
        metadata={"data": str(countries)},
    )
    wanted = ["bioreason_comp_zeroshot", "bioreason_mem_iid", "bioreason_ctx_depth"]
    for slips, low, high in ((0.0, 1.0, 1.0), (1.0, 0.0, 0.3)):
        results = simple_evaluate(
            model=Oracle(countries, slips), tasks=wanted, task_manager=tasks, bootstrap_iters=0
        )["results"]
        for task in wanted:
            assert low <= results[task]["exact_match,none"] <= high
            assert low <= results[task]["process_verified,none"] <= high


def test_the_gold_chains_are_right_and_other_answers_wrong(countries):
    release = Release(countries)
    grader = release.grader()
    for config in ("comp_zeroshot", "comp_depth", "mem_direction"):
        for row in release.rows(config, "test"):
            assert grader.grade(f" {row['chain']}", row).process_verified
            assert not grader.grade(" So, the answer is: Atlantis", row).exact_match


def test_the_same_command_makes_the_same_rows(cli, countries, tmp_path):
    done = cli(*arguments(COUNTRIES, tmp_path / "again", "-q", *settings(FEW)))
    assert done.exit_code == 0
    assert read_manifest(tmp_path / "again")["files"] == read_manifest(countries)["files"]


def test_sizes_out_of_reach_are_reduced_with_one_line(cli, tmp_path):
    few = {key: value for key, value in FEW.items() if key != "comp.train"}
    done = cli(*arguments(COUNTRIES, tmp_path / "out", *settings(few)))
    assert done.exit_code == 0
    lines = [line for line in done.stderr.splitlines() if "fewer questions" in line]
    assert len(lines) == 1 and lines[0].startswith("bioreason: facts.csv has fewer questions than")
    config = Release(tmp_path / "out").config
    assert f"comp.train to {config.comp.train:,} of 6,000" in lines[0]
    assert "mem.train" not in lines[0]


def test_a_size_of_ones_own_that_is_out_of_reach_is_an_error(cli, tmp_path):
    done = cli(*arguments(COUNTRIES, tmp_path / "out", "--set=comp.train=90000"))
    assert done.exit_code == 2 and list(tmp_path.iterdir()) == []
    assert "comp.train: 90,000 train questions are asked for and this world has" in done.stderr
    assert "lower comp.train or distractors, or add facts" in done.stderr


def test_a_size_in_a_preset_of_ones_own_is_a_size_of_ones_own(cli, tmp_path):
    preset = tmp_path / "mine.toml"
    preset.write_text('like = "graph"\n[comp]\ntrain = 90_000\n', encoding="utf-8")
    done = cli(*arguments(COUNTRIES, tmp_path / "out", "--preset", preset))
    assert done.exit_code == 2 and "comp.train: 90,000" in done.stderr


def test_distractors_are_fewer_where_no_question_would_be_left(cli, folder):
    """With two relations between countries in each group, a hop has one alternative at most."""
    few = ("largest_neighbor", "nearest_capital", "easternmost_neighbor", "farthest_capital")
    keep = json.dumps([*few, "capital", "currency"])
    done = cli(*arguments(folder, folder / "out", f"--set=keep={keep}"))
    assert done.exit_code == 0 and "distractors to 1 of 2" in done.stderr
    assert Release(folder / "out").config.comp.train > 0
    fixed = cli(*arguments(folder, folder / "more", f"--set=keep={keep}", "--set=distractors=2"))
    assert fixed.exit_code == 0 and "comp.train to 0 of 6,000" in fixed.stderr


@pytest.mark.parametrize(
    ("more", "fragment"),
    [
        (["--set=known=50"], "--set known does not go with facts of your own"),
        (["--facts=nowhere.csv"], "nowhere.csv cannot be read"),
        (["--facts=facts.txt"], "facts.txt is no .csv or .parquet file"),
        (["--relations=nowhere.toml"], "the relation table nowhere.toml cannot be read"),
        (["--names=nowhere.csv"], "nowhere.csv cannot be read"),
        (["--set=paraphrases=9"], "paraphrases is 9, but relation"),
    ],
)
def test_what_does_not_go_is_one_sentence_and_nothing_is_written(cli, tmp_path, more, fragment):
    done = cli(*arguments(COUNTRIES, tmp_path / "out", *more))
    assert done.exit_code == 2 and done.stdout == "" and list(tmp_path.iterdir()) == []
    assert done.stderr.startswith("bioreason: ") and fragment in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_wrong_row_is_named_with_its_line(cli, folder):
    with (folder / "facts.csv").open("a", encoding="utf-8") as file:
        file.write("FRA,capital,Lyon\n")
    done = cli(*arguments(folder, folder / "out"))
    assert done.exit_code == 2 and not (folder / "out").exists()
    assert "line 1575: 'FRA' has the capital 'Lyon', and in line" in done.stderr


def test_a_graph_without_paths_is_refused(cli, folder):
    rows = ["subject,relation,object", "FRA,nearest_capital,BEL", "BEL,nearest_capital,FRA"]
    (folder / "facts.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    done = cli(*arguments(folder, folder / "out"))
    assert done.exit_code == 2 and not (folder / "out").exists()
    assert "has no path of 2 or 3 hops whose people are all different; add facts" in done.stderr


# random graphs ------------------------------------------------------------------------------------


def write_random_graph(folder: Path, seed: int) -> None:
    """Sixty entities; some names are inside other names, and many facts are missing."""
    chance = random.Random(seed)
    rows, table = [], []
    for number in range(8):
        group, noun = ("parametric", "contextual")[number % 2], f"{'abcdefgh'[number]}-mate"
        symmetric = f'inverse = "r{noun[0]}"\n' if number == seed % 8 else ""
        table.append(
            f'[[relation]]\nname = "r{noun[0]}"\nobject = "person"\ngroup = "{group}"\n{symmetric}'
            f'statements = ["{{subject}}\'s {noun} is {{object}}."]\nnouns = ["{noun}"]\n'
            'asks = ["Who is {person}\'s {noun}?", "Who is the {noun} of {person}?"]\n'
        )
        for entity in range(60):
            target = chance.randrange(60)
            if symmetric and entity % 2 == 0:
                rows.append((f"e{entity}", f"r{noun[0]}", f"e{entity + 1}"))
            elif not symmetric and target != entity and chance.random() < 0.9:
                rows.append((f"e{entity}", f"r{noun[0]}", f"e{target}"))
    for group, kind in (("parametric", "date"), ("contextual", "thing")):
        table.append(
            f'[[relation]]\nname = "{kind}_of"\nobject = "{kind}"\ngroup = "{group}"\n'
            f'exclusive = true\nstatements = ["{{subject}} has the {kind} {{object}}."]\n'
            f'asks = ["What is the {kind} of {{person}}?"]\n'
        )
        values = [(f"e{entity}", f"{kind}_of", f"no {chance.randrange(9)}") for entity in range(60)]
        rows += values[: chance.randrange(50, 61)]
    chance.shuffle(rows)
    words = [f"{one}{two}" for one in ("Al", "Bo", "Cy") for two in ("", "a", "en", "i")]
    names = [*words, *(f"{one} {two}" for one in words for two in words if one != two)]
    for name, header, lines in (
        ("facts", "subject,relation,object", [",".join(row) for row in rows]),
        ("names", "id,name", [f"e{entity},{names[entity]}" for entity in range(60)]),
    ):
        (folder / f"{name}.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    (folder / "relations.toml").write_text("\n".join(table), encoding="utf-8")


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.deep), 2])
def test_the_audit_finds_nothing_broken_in_a_random_graph(cli, tmp_path, seed):
    write_random_graph(tmp_path, seed)
    language = "--set=language=" + ("symbols" if seed == 2 else "english")
    done = cli(*arguments(tmp_path, tmp_path / "out", "--seed", seed, language))
    assert done.exit_code == 0, done.stderr
    audit = verify(tmp_path / "out", workers=1)
    assert audit.ok, audit.ledger.as_dict()
    assert Release(tmp_path / "out").config.comp.train > 0
