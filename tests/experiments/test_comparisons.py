"""Which arm is ahead: decided by one paired, clustered difference."""

from __future__ import annotations

import numpy as np
import pytest
from result_lines import result_line, write_lines

from bioreason_bench.errors import UsageError
from bioreason_bench.experiments.comparisons import compare
from bioreason_bench.experiments.results import add_verdicts
from bioreason_bench.statistics import decide, seed_difference

ZEROSHOT = "comp_zeroshot"


def arm(name: str, shares: dict[int, float]) -> list[dict]:
    return [result_line(name, seed, ZEROSHOT, share, share) for seed, share in shares.items()]


def arm_with_verdicts(folder, name: str, verdicts: dict[int, list[tuple[str, bool]]]) -> list[dict]:
    """Result lines whose verdicts are on disk; `verdicts` maps a seed to (start person, right)."""
    lines = []
    for seed, rows in verdicts.items():
        share = sum(right for _, right in rows) / len(rows)
        line = result_line(name, seed, ZEROSHOT, share, share)
        run = folder / f"seed{seed}" / name
        write_lines(
            run / "1-sft" / "test" / f"{ZEROSHOT}.jsonl",
            [
                {"id": f"q{number}", "start": start, "exact_match": right}
                for number, (start, right) in enumerate(rows)
            ],
        )
        add_verdicts(line, run)
        lines.append(line)
    return lines


def test_the_interval_over_seeds_is_students_t():
    gap = seed_difference([0.1, 0.1, 0.1], [0.2, 0.3, 0.4])
    assert gap.value == pytest.approx(0.2)
    assert gap.high - gap.value == pytest.approx(4.303 * 0.1 / 3**0.5, rel=1e-3)
    assert decide(gap) == "level"
    assert decide(seed_difference([0.1] * 4, [0.2, 0.3, 0.4, 0.3])) == "ahead"
    assert decide(seed_difference([0.2, 0.3, 0.4, 0.3], [0.1] * 4)) == "behind"


@pytest.mark.parametrize("seeds", [3, 5, 40])
def test_the_interval_over_seeds_holds_the_truth_as_often_as_it_says(seeds):
    chance = np.random.default_rng(seeds)
    held = 0
    for _ in range(1000):
        gap = seed_difference(np.zeros(seeds), chance.normal(0.1, 0.05, seeds))
        held += gap.low <= 0.1 <= gap.high
    assert 0.93 <= held / 1000 <= 0.97


def test_fewer_than_three_seeds_decide_nothing():
    for seeds in (1, 2):
        gap = compare(
            arm("base", dict.fromkeys(range(seeds), 0.1)),
            arm("better", dict.fromkeys(range(seeds), 0.9)),
            ZEROSHOT,
        )
        assert gap.verdict == "level"
        assert "too few to decide" in str(gap)
    with pytest.raises(UsageError, match="same seeds"):
        seed_difference([0.1, 0.2], [0.1])


def test_only_the_seeds_of_both_arms_are_paired_and_the_order_sets_the_sign():
    base = arm("base", {1: 0.5, 2: 0.6, 3: 0.7, 4: 0.0})
    better = arm("better", {3: 0.9, 2: 0.81, 1: 0.7})
    gap, back = compare(base, better, ZEROSHOT), compare(better, base, ZEROSHOT)
    assert gap.seeds == 3
    assert gap.estimate.value == pytest.approx((0.2 + 0.21 + 0.2) / 3)
    assert (gap.verdict, back.verdict) == ("ahead", "behind")
    assert back.estimate.value == -gap.estimate.value
    assert compare(base, arm("other", {7: 0.1}), ZEROSHOT) is None


def test_with_verdicts_on_disk_questions_are_paired_and_one_seed_can_decide(tmp_path):
    people = [f"p{number}" for number in range(50)]
    base = arm_with_verdicts(tmp_path, "base", {1: [(start, False) for start in people]})
    better = arm_with_verdicts(
        tmp_path, "better", {1: [(start, number < 20) for number, start in enumerate(people)]}
    )
    gap = compare(base, better, ZEROSHOT)
    assert (gap.unit, gap.verdict, gap.estimate.questions) == ("questions", "ahead", 50)
    assert "50 questions of 1 seed" in str(gap)


def test_a_gain_on_the_questions_of_one_person_is_one_observation(tmp_path):
    people = ["p0"] * 20 + [f"p{number}" for number in range(1, 31)]
    base = arm_with_verdicts(tmp_path, "base", {1: [(start, False) for start in people]})
    better = arm_with_verdicts(
        tmp_path, "better", {1: [(start, start == "p0") for start in people]}
    )
    assert compare(base, better, ZEROSHOT).verdict == "level"


def test_the_same_person_in_two_worlds_is_two_clusters(tmp_path):
    rows = [("p1", True), ("p1", False), ("p2", True)]
    arms = [arm_with_verdicts(tmp_path, name, {1: rows, 2: rows}) for name in ("one", "two")]
    assert compare(*arms, ZEROSHOT).estimate.clusters == 4


def test_verdicts_of_another_run_are_not_used(tmp_path):
    rows = [(f"p{number}", number < 5) for number in range(10)]
    base = arm_with_verdicts(tmp_path, "base", {1: rows})
    better = arm_with_verdicts(tmp_path, "better", {1: rows})
    assert compare(base, better, ZEROSHOT).unit == "questions"
    better[0]["exact_match"] = 0.9
    assert compare(base, better, ZEROSHOT).unit == "seeds"
