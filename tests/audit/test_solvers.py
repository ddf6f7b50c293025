"""Shortcut solvers find what they are there to find, and nothing where there is nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from broken_release import Copy

from bioreason_bench.audit.solvers.scores import interval
from bioreason_bench.audit.verify import Audit, verify
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
    """Two-hop questions with guards and three distractors each."""
    return release(tmp_path_factory.mktemp("solvers") / "guarded")


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with neither, whole gold biographies as context, as the paper has it."""
    return release(
        tmp_path_factory.mktemp("solvers") / "bare",
        leak_guards="false",
        distractors="0",
        context_facts="0",
    )


@pytest.fixture(scope="module")
def audits(guarded: Path, bare: Path) -> dict[str, Audit]:
    return {"guarded": verify(guarded, workers=2), "bare": verify(bare, workers=2)}


def test_the_oracle_answers_everything(audits: dict[str, Audit]) -> None:
    assert all(
        scores["oracle"]["score"] == 1
        for audit in audits.values()
        for scores in audit.scores.values()
    )


def test_with_guards_and_distractors_no_shortcut_beats_chance_by_more_than_three_points(
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
    """The paper's contexts: PC needs no recall at all, CP still does; so context_only scores the share of PC."""
    patterns = [row["pattern"] for row in Copy(bare, bare.parent / "copy").rows("comp/iid/test")]
    assert audits["bare"].scores["comp_iid"]["context_only"]["score"] == pytest.approx(
        patterns.count("PC") / len(patterns), abs=0.03
    )


def test_memory_alone_answers_what_it_can_turn_round(audits: dict[str, Audit]) -> None:
    """Without guards a contextual hop may be the mirror of a recalled one; memory_only notices, and with guards there is none."""
    bare, guarded = (audits[name].scores["comp_iid"]["memory_only"] for name in ("bare", "guarded"))
    assert bare["low"] - bare["chance"] > 0.03
    assert guarded["score"] - guarded["chance"] < 0.03


def test_the_skill_itself_is_no_shortcut(audits: dict[str, Audit]) -> None:
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
    row.update(context="\n".join(lines[person] for person in order), context_people=order)


def test_a_trace_of_the_sampling_shows_as_a_score(guarded: Path, tmp_path: Path) -> None:
    """Were the person meant always the first of the context, a solver that learns this from training would be caught by the law."""
    copy = Copy(guarded, tmp_path / "copy")
    for place in ("comp/train", "comp/iid/test"):
        copy.edit(place, lambda rows: [gold_first(row) for row in rows] and None)
    audit = verify(copy.folder, workers=1)
    assert {law for law, entry in audit.ledger.entries.items() if entry.broken} == {"shortcuts"}
    first = audit.ledger.entries["shortcuts"].first
    assert first.file == "data/comp/iid"
    assert first.expected.startswith("context_only answers")


@pytest.mark.parametrize(
    ("right", "size", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_wilsons_where_questions_are_apart(
    right: int, size: int, low: float, high: float
) -> None:
    """Reference: Newcombe (1998), Statistics in Medicine 17, table I, method 3."""
    assert interval(np.arange(size) < right, np.arange(size)) == pytest.approx(
        (low, high), abs=6e-5
    )


def test_questions_that_stand_or_fall_together_count_as_one() -> None:
    """Ten copies of each of 148 questions say no more than the 148."""
    right = np.arange(148) < 15
    one = interval(right, np.arange(148))
    assert interval(np.repeat(right, 10), np.repeat(np.arange(148), 10)) == pytest.approx(
        one, abs=1e-9
    )


def test_the_interval_ends_at_nought_and_one() -> None:
    low, high = interval(np.zeros(50, bool), np.arange(50))
    assert low == 0 < high < 0.1
    assert interval(np.ones(50, bool), np.arange(50)) == pytest.approx((1 - high, 1))
