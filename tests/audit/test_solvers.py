"""Shortcut solvers find the shortcuts of a release without leak guards, and none with them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from broken_release import ReleaseCopy

from bioreason_bench.audit.report import Audit
from bioreason_bench.audit.solvers import scores as scoring
from bioreason_bench.audit.solvers import solvers
from bioreason_bench.audit.verify import verify
from bioreason_bench.build import generate
from bioreason_bench.config import load_preset

SIZES = {
    "known": "400",
    "novel": "200",
    "paraphrases": "1",
    "levels": '["iid"]',
    "mem.train": "200",
    "mem.iid": "20",
    "ctx.train": "300",
    "ctx.iid": "150",
    "comp.train": "1500",
    "comp.iid": "600",
    "comp.rl": "0",
    "comp.counterfactual": "0",
    "comp.conflict": "0",
    "mem.direction": "0",
    "hops": "{ 2 = 1.0 }",
    "depth_hops": "{}",
}


def release(folder: Path, **settings: str) -> Path:
    generate(load_preset("tiny").override({**SIZES, **settings}), folder, workers=2)
    return folder


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two-hop questions with leak guards and three distractors each."""
    return release(tmp_path_factory.mktemp("solvers") / "guarded")


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with neither, and whole gold biographies as context, as in the paper."""
    return release(
        tmp_path_factory.mktemp("solvers") / "bare",
        leak_guards="false",
        distractors="0",
        context_facts="0",
    )


@pytest.fixture(scope="module")
def audits(guarded: Path, bare: Path) -> dict[str, Audit]:
    return {"guarded": verify(guarded, workers=2), "bare": verify(bare, workers=2)}


def test_the_oracle_answers_every_question(audits: dict[str, Audit]) -> None:
    assert all(
        scores["oracle"]["score"] == 1
        for audit in audits.values()
        for scores in audit.scores.values()
    )


def test_with_leak_guards_and_distractors_no_shortcut_is_three_points_above_chance(
    audits: dict[str, Audit],
) -> None:
    assert audits["guarded"].ok, [
        entry for entry in audits["guarded"].ledger.as_dict().values() if entry["broken"]
    ]
    for config, scores in audits["guarded"].scores.items():
        for solver, score in scores.items():
            assert not score["shortcut"] or score["low"] - score["chance"] < 0.03, (
                config,
                solver,
                score,
            )


def test_a_context_of_gold_biographies_answers_every_question_that_ends_in_reading(
    bare: Path, audits: dict[str, Audit]
) -> None:
    """PC needs no recall; in CP nothing that is read is an answer, and it does not count."""
    rows = ReleaseCopy(bare, bare.parent / "copy").rows("comp/iid/test")
    score = audits["bare"].scores["comp_iid"]["context_only"]
    assert score["questions"] == [row["pattern"] for row in rows].count("PC")
    assert score["score"] > 0.97


def test_memory_only_recalls_mirrors_of_contextual_hops(audits: dict[str, Audit]) -> None:
    """Without leak guards a contextual hop may be the mirror of a recalled one."""
    bare, guarded = (audits[name].scores["comp_iid"]["memory_only"] for name in ("bare", "guarded"))
    assert bare["low"] - bare["chance"] > 0.03
    assert guarded["score"] - guarded["chance"] < 0.03


def test_a_solver_that_has_the_skill_is_no_shortcut(audits: dict[str, Audit]) -> None:
    scores = audits["guarded"].scores
    assert (
        scores["mem_iid"]["memory_only"]["score"] == scores["ctx_iid"]["context_only"]["score"] == 1
    )
    assert not scores["mem_iid"]["memory_only"]["shortcut"]
    assert not scores["ctx_iid"]["context_only"]["shortcut"]
    assert not scores["ctx_iid"]["linked"]["shortcut"] and scores["comp_iid"]["linked"]["shortcut"]


def gold_first(row: dict) -> None:
    """Put the biographies of the people on the chain before the others."""
    lines = dict(zip(row["context_people"], row["context"].split("\n"), strict=True))
    order = sorted(lines, key=lambda person: person not in row["entities"])
    people = row["context_people"]
    row.update(
        context="\n".join(lines[person] for person in order),
        context_people=order,
        support=[line if line < 0 else order.index(people[line]) for line in row["support"]],
    )


def test_a_trace_of_the_sampling_shows_as_a_score(guarded: Path, tmp_path: Path) -> None:
    """If the people on the chain always come first, a solver that learns this breaks the law."""
    copy = ReleaseCopy(guarded, tmp_path / "copy")
    for split in ("comp/train", "comp/iid/test"):
        rows = copy.raw_rows(split)
        for row in rows:
            gold_first(row)
        copy.write(split, rows)
    audit = verify(copy.folder, workers=1)
    assert {law for law, entry in audit.ledger.entries.items() if entry.broken} == {
        "shortcuts",
        "places",
    }
    first = audit.ledger.entries["shortcuts"].first
    assert first.file == "data/comp/iid"
    assert first.expected.startswith("context_only answers")
    assert audit.scores["comp_iid"]["learned"]["score"] > 0.9


def strangers(row: dict, biographies: dict[str, str], relation: str, copy: ReleaseCopy) -> None:
    """Keep those on the chain in the context; the others are people drawn at random."""
    drawn = (person for person in biographies if person not in row["entities"])
    lines = dict(zip(row["context_people"], row["context"].split("\n"), strict=True))
    context = {
        person if person in row["entities"] else next(drawn): line for person, line in lines.items()
    }
    for person in context:
        if person not in lines:
            context[person] = copy.sentence(biographies[person], person, relation)
    row.update(context="\n".join(context.values()), context_people=list(context))


def test_names_that_share_a_biography_answer_among_random_people(
    guarded: Path, tmp_path: Path
) -> None:
    """As in data 0.1: to know whose biography names whom is to know who is meant."""
    copy = ReleaseCopy(guarded, tmp_path / "copy")
    biographies = copy.biographies("contextual")
    rows = copy.rows("comp/iid/test")
    for row in rows:
        if row["pattern"] == "PC":
            strangers(row, biographies, row["path"][1], copy)
    copy.write("comp/iid/test", rows)
    audit = verify(copy.folder, workers=1)
    assert audit.scores["comp_iid"]["associate"]["score"] > 0.9
    assert audit.scores["comp_iid"]["associate"]["chance"] == pytest.approx(0.25)
    assert audit.scores["comp_iid"]["context_only"]["score"] < 0.4
    assert audit.ledger.entries["shortcuts"].broken


def test_the_solver_that_the_docs_add_is_scored(guarded, monkeypatch):
    page = Path(__file__).resolve().parents[2] / "docs" / "extending.md"
    if not page.is_file():
        pytest.skip("the wheel has no docs")
    code = re.findall(
        r"```python\n(# bioreason_bench/audit/solvers/solvers.py\n.*?)```",
        page.read_text("utf-8"),
        re.DOTALL,
    )[0]
    exec(compile(code, str(page), "exec"), vars(solvers))
    monkeypatch.setitem(solvers.SOLVERS, "connected", solvers.connected)
    monkeypatch.setattr(scoring, "NAMES", (*scoring.NAMES, "connected"))
    monkeypatch.setattr(scoring, "READERS", (*scoring.READERS, "connected"))
    score = verify(guarded, workers=1).scores["comp_iid"]["connected"]
    assert abs(score["score"] - score["chance"]) < 0.1
