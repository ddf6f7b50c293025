"""The report says what the numbers say, by its stated rules, on one page that needs nothing else."""

from __future__ import annotations

import json
import re

import pytest

from bioreason_bench.errors import UsageError
from bioreason_bench.experiments.findings import control_sentence, early_errors, signatures
from bioreason_bench.experiments.passk import reading
from bioreason_bench.experiments.report import make_report
from bioreason_bench.experiments.results import bases_of, read_lines
from bioreason_bench.grading.rewards import (
    composite,
    compute_score,
    form,
    make_rewards,
    outcome,
    process,
)


def part(answers: float, chains: float, questions: int = 100) -> dict:
    return {"questions": questions, "exact_match": answers, "process_verified": chains}


def line(arm: str, seed: int, config: str, answers: float, chains: float, **more) -> dict:
    return {
        "type": "result", "arm": arm, "seed": seed, "stage": 1, "kind": "sft", "config": config, "split": "test", "questions": 200,
        "exact_match": answers, "exact_match_interval": [answers - 0.02, answers + 0.02], "process_verified": chains,
        "process_verified_interval": [chains - 0.02, chains + 0.02], "hop_accuracy": chains, "format_ok": 1.0,
        "by_hops": {"2": part(answers, chains), "3": part(answers, chains)},
        "by_pattern": {"PC": part(answers, chains), "CP": part(answers, chains)},
        "by_unseen": {"parametric": part(answers, chains, 200)},
        "first_error": {"0/2": 30, "1/3": 10}, "error_kinds": {"wrong person": 40}, "failed_group": {"parametric": 40},
        "gated": part(answers, chains, 150), **more,
    }  # fmt: skip


def run_line(arm: str, seed: int) -> dict:
    return {
        "type": "run", "arm": arm, "seed": seed, "minutes": 4.2,
        "stages": [{"kind": "sft", "tokens_per_second": 12000, "seconds_per_step": 0.3}],
        "curve": [{"stage": "1-sft", "step": 25, "loss": 2.0}, {"stage": "1-sft", "step": 50, "loss": 1.0}],
        "recipe": {"name": arm, "model": {"from_scratch": {}}, "stages": STAGES[arm]}, "command": "bioreason-baseline reproduce",
        "world": {"preset": "nano", "seed": 42}, "versions": {"torch": "2"},
        "revision": "abc", "machine": {"processor": "x", "threads": 1},
    }  # fmt: skip


STAGES = {
    arm: [{"kind": "sft", "steps": 5, "batch": {first: 1}}, *([{"kind": last, "steps": 3}] if last else [])]
    for arm, first, last in [
        ("sft_comp", "comp", ""), ("sft_comp_grpo", "comp", "grpo"), ("sft_mem_ctx", "mem", ""),
        ("sft_mem_ctx_grpo", "mem", "grpo"), ("sft_mem_ctx_sft", "mem", "sft"),
    ]
}  # fmt: skip
NUMBERS = {  # arm -> iid, composition, zeroshot answers; zeroshot chains; mem, ctx
    "sft_comp": (0.97, 0.98, 0.20, 0.0, 0.3, 0.1),
    "sft_comp_grpo": (0.97, 0.98, 0.21, 0.0, 0.3, 0.1),
    "sft_mem_ctx": (0.60, 0.60, 0.57, 0.5, 1.0, 0.97),
    "sft_mem_ctx_grpo": (0.97, 0.97, 0.90, 0.88, 0.7, 0.96),
    "sft_mem_ctx_sft": (0.97, 0.97, 0.92, 0.9, 0.99, 0.96),
}


@pytest.fixture
def lines():
    made = []
    for arm, (iid, composition, zeroshot, chains, mem, ctx) in NUMBERS.items():
        for seed in (1, 2):
            made.append(run_line(arm, seed))
            made += [
                line(arm, seed, "comp_iid", iid, iid),
                line(arm, seed, "comp_composition", composition, composition),
                line(arm, seed, "comp_zeroshot", zeroshot, chains),
            ]
            made += [line(arm, seed, "mem_iid", mem, mem), line(arm, seed, "ctx_iid", ctx, ctx)]
        made.append({
            "type": "passk", "arm": arm, "seed": 1, "model": arm, "answers": {"1": zeroshot, "2": 0.9}, "chains": {"1": chains, "2": 0.9},
            "gold_chain_log_likelihood": -3.0, "base_unsolved_now_solved": ["a"], "reading": "amplification",
        })  # fmt: skip
    return made


def by_arm(lines):
    return {
        arm: [row for row in lines if row["type"] == "result" and row["arm"] == arm]
        for arm in NUMBERS
    }


def test_failure_signatures_are_spelled_out_when_met_and_only_then(lines):
    found = signatures(by_arm(lines), bases_of([row for row in lines if row["type"] == "run"]))
    assert "memorisation trap: sft_comp, I.I.D. 97, zero-shot 20" in found
    assert any(
        sentence.startswith(
            "RL adds +1 points of zero-shot to sft_comp: an atomic skill is missing (mem 30, ctx 10)"
        )
        for sentence in found
    )
    assert "right answers by wrong chains: sft_comp, zero-shot answers 20, whole chains 0" in found
    assert "forgetting: sft_mem_ctx_grpo has mem 70, before 100" in found
    assert not any("sft_mem_ctx_sft" in sentence for sentence in found)
    assert early_errors(by_arm(lines)["sft_comp"]) == 1.0


def test_the_control_stands_beside_grpo_whatever_it_says(lines):
    assert "in all 2 seeds plain SFT reaches as much" in control_sentence(by_arm(lines))
    worse = [
        {**row, "exact_match": 0.5} if row.get("arm") == "sft_mem_ctx_sft" else row for row in lines
    ]
    assert "in all 2 seeds plain SFT reaches less" in control_sentence(by_arm(worse))
    mixed = [
        {**row, "exact_match": 0.5}
        if (row.get("arm"), row.get("seed")) == ("sft_mem_ctx_sft", 1)
        else row
        for row in lines
    ]
    assert "in 1 of 2 seeds and less in the others" in control_sentence(by_arm(mixed))


def test_the_page_holds_every_arm_and_seed_and_its_pictures_in_one_file(lines, tmp_path):
    pytest.importorskip("matplotlib")
    source = tmp_path / "results.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in lines))
    page = make_report([source], tmp_path / "out", say=lambda _: None)
    text, markdown = page.read_text(), (tmp_path / "out" / "report.md").read_text()
    assert not re.search(r'(src|href)="(?!data:)', text)
    for arm in NUMBERS:
        assert text.count(f"<td>{arm}</td>") >= 4
        assert f"| {arm} |" in markdown
    assert "memorisation trap" in text
    assert "bioreason-baseline reproduce" in text
    assert "18.0" in markdown  # the paper's zero-shot beside ours
    for name in ("levels", "gain", "patterns", "errors", "passk", "curves"):
        assert (tmp_path / "out" / f"{name}.png").stat().st_size > 5000
        assert (tmp_path / "out" / f"{name}.svg").is_file()
    assert markdown.count("![") == text.count("<img ")


def test_rungs_of_a_ladder_stand_in_their_order_and_get_a_picture_of_their_own(tmp_path):
    pytest.importorskip("matplotlib")
    made = []
    for ladder in ("few_shot", "few_shot_grpo"):
        for rung in (16, 8, 128):
            STAGES[f"{ladder}={rung}"] = STAGES["sft_mem_ctx_sft"]
            made.append(run_line(f"{ladder}={rung}", 1))
            made += [
                line(f"{ladder}={rung}", 1, f"comp_{level}", rung / 200, rung / 200)
                for level in ("iid", "composition", "zeroshot")
            ]
    (tmp_path / "results.jsonl").write_text("".join(json.dumps(row) + "\n" for row in made))
    make_report([tmp_path / "results.jsonl"], tmp_path / "out", say=lambda _: None)
    markdown = (tmp_path / "out" / "report.md").read_text()
    places = [
        markdown.index(f"| {ladder}={rung} |")
        for ladder in ("few_shot", "few_shot_grpo")
        for rung in (8, 16, 128)
    ]
    assert places == sorted(places)
    drawn = (tmp_path / "out" / "ladder.svg").read_text()
    assert drawn.count("<!-- few_shot_grpo -->") == 2, (
        "a panel of its own, and a line beside few_shot"
    )


def test_a_folder_without_results_or_a_file_that_is_none_gets_a_sentence(tmp_path):
    with pytest.raises(UsageError, match="no results"):
        read_lines([tmp_path])
    (tmp_path / "x.jsonl").write_text("not json\n")
    with pytest.raises(UsageError, match="no file of results"):
        read_lines([tmp_path / "x.jsonl"])


@pytest.mark.parametrize(
    ("base", "trained", "word"),
    [
        ({"1": 0.2, "512": 0.9}, {"1": 0.22, "512": 0.95}, "no gain"),
        ({"1": 0.2, "512": 0.9}, {"1": 0.8, "512": 0.92}, "amplification"),
        ({"1": 0.2, "512": 0.3}, {"1": 0.8, "512": 0.9}, "synthesis"),
        ({"1": 0.2, "512": 0.6}, {"1": 0.8, "512": 0.85}, "between"),
        ({"1": 0.2, "512": 0.99}, {"1": 0.8, "512": 1.0}, "saturated"),
    ],
)
def test_curves_that_merge_are_amplification_and_curves_that_stay_apart_synthesis(
    base, trained, word
):
    assert reading(base, trained) == word


ROW = {
    "question": "p1 boss spouse ?", "context": "p2 spouse p3 .", "entities": ["p1", "p2", "p3"], "path": ["boss", "spouse"],
    "chain": "p1 boss p2 . p2 spouse p3 . So, the answer is: p3", "answer": "p3",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (ROW["chain"], (1.0, 1.0, 1.0, 1.0)),
        ("p1 boss p2 . p2 spouse p4 . So, the answer is: p4", (0.0, 0.5, 1.0, 0.25 + 0.125)),
        ("p1 boss p9 . p9 spouse p3 . So, the answer is: p3", (1.0, 0.0, 1.0, 0.25 + 0.5)),
        ("So, the answer is: p3", (1.0, 0.0, 0.0, 0.5)),
        ("p3 p3 p3", (0.0, 0.0, 0.0, 0.0)),
    ],
)
def test_each_reward_pays_for_what_its_formula_says(text, values):
    columns = {name: [value] for name, value in ROW.items()}
    assert (
        outcome([text], **columns)[0],
        process([text], **columns)[0],
        form([text], **columns)[0],
    ) == values[:3]
    assert composite([text], **columns)[0] == pytest.approx(values[3])
    assert compute_score("bioreason", text, "p3", ROW) == values[0]


def test_a_completion_that_never_ended_earns_nothing():
    columns = {name: [value] * 2 for name, value in ROW.items()}
    (reward,) = make_rewards({"outcome": 1.0}, end=[1])
    assert reward(
        prompts=["", ""], completions=[ROW["chain"]] * 2, completion_ids=[[5, 1], [5, 6]], **columns
    ) == [1.0, 0.0]
    with pytest.raises(UsageError, match="there is no reward"):
        make_rewards({"kindness": 1.0})
    with pytest.raises(UsageError, match="needs the column"):
        outcome(["x"], question=["y"])
