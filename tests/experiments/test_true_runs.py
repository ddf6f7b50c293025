"""Models that were really trained, for seconds: their report is headed as what it is."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("torch")
pytest.importorskip("trl")
pytest.importorskip("matplotlib")

from bioreason_bench.build import generate
from bioreason_bench.commands.baseline import main
from bioreason_bench.config import load_preset
from bioreason_bench.errors import UsageError
from bioreason_bench.experiments.evidence import read_evidence, write_evidence
from bioreason_bench.experiments.jobs import Arm
from bioreason_bench.experiments.passk import Sampling, measure_passk
from bioreason_bench.experiments.reproduce import reproduce
from bioreason_bench.training.data import Corpus
from bioreason_bench.training.recipe import make_recipe
from bioreason_bench.training.run import train

SFT = {
    "kind": "sft",
    "steps": 8,
    "learning_rate": 4e-3,
    "warmup": 2,
    "batch": {"mem": 8, "ctx": 4, "biographies": 4},
}
GRPO = {
    "kind": "grpo",
    "steps": 3,
    "learning_rate": 1e-3,
    "max_completion": 16,
    "samples": 4,
    "prompts": {"comp_rl": 4},
    "batch": {"biographies": 4},
}
RECIPE = {
    "model": {"from_scratch": {"hidden_size": 32, "num_hidden_layers": 2, "intermediate_size": 64}},
    "bf16": False,
    "seed": 0,
    "max_length": 192,
    "evaluate": {"limit": 12, "configs": ["comp_iid", "comp_zeroshot", "mem_iid"]},
}
COMMAND = "bioreason-baseline reproduce --set sft.steps=8"


def silent(_: str) -> None:
    pass


@pytest.fixture(scope="module")
def runs(nano_release, tmp_path_factory) -> Path:
    """Two arms in one world, the second on the model of the first, with pass@k."""
    root = tmp_path_factory.mktemp("runs")
    corpus, folders = Corpus(nano_release), []
    for name, stages in (("base+sft_mem_ctx", [SFT]), ("base+sft_mem_ctx+grpo", [SFT, GRPO])):
        folder = root / "seed0" / name.removeprefix("base+")
        recipe = make_recipe({"name": name, **RECIPE, "stages": stages})
        base = folders[0] if folders else None
        train(recipe, corpus, folder, base=base, log=silent, bar=False, command=COMMAND)
        folders.append(folder)
    models = [str(folders[0] / "1-sft"), str(folders[1] / "2-grpo")]
    lines = measure_passk(
        models, corpus, "comp_zeroshot", limit=6, sampling=Sampling(8), log=silent
    )
    named = [
        {"type": "passk", "arm": folder.name, "seed": 0, **line}
        for folder, line in zip(folders, lines, strict=True)
    ]
    text = "".join(json.dumps(line) + "\n" for line in named)
    (root / "seed0" / "sft_mem_ctx.passk.jsonl").write_text(text)
    return root


def test_verdicts_of_true_runs_name_the_unseen_relations_of_their_questions(runs, nano_release):
    evidence = read_evidence([runs])
    assert evidence.arms == ["sft_mem_ctx", "sft_mem_ctx+grpo"]
    assert evidence.bases == {"sft_mem_ctx+grpo": "sft_mem_ctx"}
    part = evidence.verdicts.of("sft_mem_ctx+grpo", 0, "comp_zeroshot")
    rows = {row["id"]: row for row in Corpus(nano_release).source("comp_zeroshot")}
    for index, name in enumerate(part.questions.id):
        row = rows[name]
        assert part.questions.unseen[index] == tuple(row["unseen_relations"]) != ()
        assert row["path"][part.questions.first_unseen[index]] in row["unseen_relations"]
    start = evidence.runs[1]["stages"][0]["start"]
    assert 0 <= start["reward"] <= 1 and start["steps"] == 3


def test_a_smoke_run_is_headed_so_from_its_folders_and_from_its_two_files(runs, tmp_path):
    write_evidence(read_evidence([runs]), tmp_path / "files")
    pages = []
    for name, source in (("a", runs), ("b", tmp_path / "files")):
        answer = CliRunner().invoke(main, ["report", str(source), "--out", str(tmp_path / name)])
        assert answer.exit_code == 0, answer.output
        pages.append((tmp_path / name / "report.md").read_text(encoding="utf-8"))
    assert pages[0] == pages[1]
    assert pages[0].startswith("# Smoke run: nothing can be concluded")
    for reason in ("A test set has 12 questions", "`sft.steps`", "on comp_iid"):
        assert reason in pages[0]
    for word in ("ahead (", "synthesis:", "amplification:"):
        assert word not in pages[0]


def test_a_folder_that_cannot_be_written_gets_one_sentence(runs, tmp_path):
    (tmp_path / "file").write_text("x")
    answer = CliRunner().invoke(main, ["report", str(runs), "--out", str(tmp_path / "file")])
    assert answer.exit_code in (1, 2) and answer.stderr.count("\n") == 1
    broken = shutil.copytree(runs, tmp_path / "broken")
    for path in broken.rglob("comp_zeroshot.jsonl"):
        path.write_text('{"id": "a", "hops": "many"}\n')
    answer = CliRunner().invoke(main, ["report", str(broken), "--out", str(tmp_path / "page")])
    assert answer.exit_code == 1 and answer.stderr.count("\n") == 1


def test_a_finished_arm_of_other_settings_is_not_taken_for_this_one(runs, nano_release):
    recipe = str(runs / "seed0" / "sft_mem_ctx" / "recipe.yaml")
    corpora = {0: Corpus(nano_release)}
    other = Arm("sft_mem_ctx", recipe, {"sft.steps": "9"})
    with pytest.raises(UsageError, match=r"begun with another recipe.*choose another --out"):
        reproduce(corpora, runs, arms=[other], workers=1, log=silent)
    copy = shutil.copytree(runs, runs.parent / "same")
    text = Path(recipe).read_text(encoding="utf-8")
    recipe = str(copy / "reworded.yaml")  # what a recipe says about itself is no setting
    Path(recipe).write_text(re.sub("^about: .*$", "about: other words", text, flags=re.MULTILINE))
    page = reproduce(corpora, copy, arms=[Arm("sft_mem_ctx", recipe, {})], workers=1, log=silent)
    world = "World: preset nano with `mem.train=600, ctx.train=600, comp.train=1200, comp.rl=100`."
    assert world in page.with_suffix(".md").read_text(encoding="utf-8")


def test_a_release_of_the_same_preset_and_seed_with_other_settings_is_another(runs, tmp_path):
    generate(load_preset("nano").override({"comp.train": "1100"}), tmp_path / "other", workers=2)
    corpora = {0: Corpus(tmp_path / "other")}
    arm = Arm("sft_mem_ctx", str(runs / "seed0" / "sft_mem_ctx" / "recipe.yaml"), {})
    with pytest.raises(UsageError, match=r"begun on another release.*choose another --out"):
        reproduce(corpora, runs, arms=[arm], workers=1, log=silent)
    recipe = make_recipe({"name": "two", **RECIPE, "stages": [SFT, GRPO]})
    base = runs / "seed0" / "sft_mem_ctx"
    with pytest.raises(UsageError, match="that run was trained on another release"):
        train(recipe, corpora[0], tmp_path / "run", base=base, log=silent, bar=False)
    assert not (tmp_path / "run").exists()
