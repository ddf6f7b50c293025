"""The tables of a report.  Each number is alone in its cell; shares are in percent."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from bioreason_bench.experiments.findings import ZEROSHOT, early_errors, percent
from bioreason_bench.experiments.pages import Table
from bioreason_bench.experiments.results import Line, Lines, Results

# arXiv 2512.01970 and its one independent replication: answers in percent
PAPER: tuple[tuple[str, dict[str, float]], ...] = (
    ("paper, Qwen2.5-1.5B: SFT(comp)", {"iid": 90.0, "composition": 76.0, "zeroshot": 18.0}),
    ("paper: SFT(mem+ctx) + RL on 12.8k comp", {"zeroshot": 50.0}),
    ("replication, 0.5B/1.5B: SFT(comp)", {"iid": 62.7, "composition": 47.6, "zeroshot": 29.1}),
    (
        "replication: SFT(mem+ctx) + RL on 36k comp",
        {"iid": 42.9, "composition": 38.5, "zeroshot": 29.2},
    ),
)
MISSING = "–"  # the cell of a number that was not measured
MEASURES = {"exact_match": "answers", "process_verified": "chains"}
PASSK_COLUMNS = (1, 8, 32, 128, 512)


def score_cells(lines: Lines, config: str) -> list[str]:
    """Cells of one arm on one test set: answers, chains, and the range of the answers.

    The range is the lowest and the highest seed, or the 95 % interval of a single seed.
    """
    chosen = [line for line in lines if line["config"] == config]
    if not chosen:
        return [MISSING] * 4
    answers = [100 * line["exact_match"] for line in chosen]
    chains = [100 * line["process_verified"] for line in chosen]
    ends: list[float | None] = [min(answers), max(answers)]
    if len(chosen) == 1:  # null if a single person was asked about
        interval = chosen[0]["exact_match_interval"]
        ends = [None if end is None else 100 * end for end in interval]
    span = [MISSING if end is None else f"{end:.0f}" for end in ends]
    return [_mean(answers), _mean(chains), *span]


def _mean(values: Sequence[float]) -> str:
    return f"{sum(values) / len(values):.1f}"


def score_table(results: Results, config: str) -> Table:
    """A row for each arm on one test set; on the comp levels also the published numbers."""
    rows = [[arm, *score_cells(results.of(arm), config)] for arm in results.arms]
    skill, _, level = config.partition("_")
    if skill == "comp":
        rows += [
            [name, f"{answers[level]:.1f}", *[MISSING] * 3]
            for name, answers in PAPER
            if level in answers
        ]
    return Table(["arm", "answers", "chains", "low", "high"], rows)


def seed_table(results: Results) -> Table:
    """A row for each comp level, arm and seed."""
    rows = []
    for config in results.configs("comp"):
        for arm in results.arms:
            for line in results.of(arm):
                if line["config"] == config:
                    cells = score_cells([line], config)
                    rows.append([level_of(config), arm, str(line["seed"]), *cells])
    return Table(["level", "arm", "seed", "answers", "chains", "low", "high"], rows)


def level_of(config: str) -> str:
    """The level of a test set: "zeroshot" of "comp_zeroshot"."""
    return config.partition("_")[2]


def gain_table(results: Results) -> Table | None:
    """Zeroshot before and after the last stage of each arm; None if no arm has a base."""
    rows = []
    for arm in results.arms:
        base = results.bases.get(arm, "")
        before = percent(results.of(base), ZEROSHOT)
        after = percent(results.of(arm), ZEROSHOT)
        if before is None or after is None:
            continue
        chains_before, chains_after = (
            percent(results.of(name), ZEROSHOT, "process_verified") or 0.0 for name in (base, arm)
        )
        numbers = [f"{before:.1f}", f"{after:.1f}"]
        gains = [f"{after - before:+.1f}", f"{chains_after - chains_before:+.1f}"]
        rows.append([base, arm.removeprefix(f"{base}_"), *numbers, *gains])
    head = ["starting point", "then", "zeroshot before", "after", "gain", "gain in whole chains"]
    return Table(head, rows) if rows else None


def part_table(results: Results, part: str, config: str) -> Table | None:
    """Answers and whole chains of each arm by a part of the questions, pooled over the seeds.

    Args:
        results: The runs.
        part: "unseen" (group of the unseen relation), "hops" or "pattern".
        config: Name of the test set.

    Returns:
        A column for each part, a row with the number of questions, then two rows for each arm;
        None if the lines do not have this part.
    """
    parts: dict[str, dict[str, list[Line]]] = defaultdict(lambda: defaultdict(list))
    for line in results.lines:
        if line["config"] == config:
            for key, values in line.get(f"by_{part}", {}).items():
                parts[line["arm"]][key].append(values)
    keys = sorted({key for by_key in parts.values() for key in by_key})
    if not keys:
        return None
    arms = [arm for arm in results.arms if arm in parts]
    first = next(iter(parts.values()))
    counts = [str(sum(value["questions"] for value in first.get(key, []))) for key in keys]
    rows = [["questions", "", *counts]]
    for arm in arms:
        for metric, measure in MEASURES.items():
            cells = [_pooled(parts[arm].get(key, []), metric) for key in keys]
            rows.append([arm, measure, *cells])
    return Table(["arm", "measure", *keys], rows)


def _pooled(values: Sequence[Line], metric: str) -> str:
    """Mean of a metric over parts of different sizes."""
    count = sum(value["questions"] for value in values)
    if not count:
        return MISSING
    return f"{100 * sum(value[metric] * value['questions'] for value in values) / count:.0f}"


def error_table(results: Results, config: str = ZEROSHOT) -> Table:
    """How many chains are wrong and where they go wrong first, for each arm with wrong chains."""
    rows = []
    for arm in results.arms:
        lines = [line for line in results.of(arm) if line["config"] == config]
        early = early_errors(lines, config)
        if early is None:
            continue
        wrong = _count(lines, "first_error").total()
        groups = _count(lines, "failed_group")
        recalled = groups["parametric"] / max(1, groups.total())
        rows.append([arm, str(wrong), f"{100 * early:.0f}", f"{100 * recalled:.0f}"])
    head = ["arm", "wrong chains", "first error in the first half, %", "at a recalled hop, %"]
    return Table(head, rows)


def error_kind_table(results: Results, config: str = ZEROSHOT) -> Table:
    """Kinds of first errors in percent of the wrong chains of each arm, commonest kinds first."""
    by_arm = {
        arm: _count([line for line in results.of(arm) if line["config"] == config], "error_kinds")
        for arm in results.arms
    }
    by_arm = {arm: counts for arm, counts in by_arm.items() if counts}
    totals = sum(by_arm.values(), Counter[str]())
    kinds = [kind for kind, _ in totals.most_common()]
    rows = [
        [arm, *(f"{100 * counts[kind] / counts.total():.0f}" for kind in kinds)]
        for arm, counts in by_arm.items()
    ]
    return Table(["arm", *kinds], rows)


def _count(lines: Lines, key: str) -> Counter[str]:
    """Sum of the counts that the lines hold under `key`."""
    counts = Counter[str]()
    for line in lines:
        counts.update(line.get(key, {}))
    return counts


def gated_table(results: Results) -> Table | None:
    """Answers to questions all of whose single hops the model answers; None if there are none."""
    configs = results.configs("comp")
    rows = []
    for arm in results.arms:
        lines = results.of(arm)
        cells = [cell for config in configs for cell in _gated_cells(lines, config)]
        rows.append([arm, *score_cells(lines, "probes")[:2], *cells])
    levels = [name for config in configs for name in (level_of(config), "questions")]
    head = ["arm", "single hops", "chains of single hops", *levels]
    return Table(head, rows) if any(cell != MISSING for row in rows for cell in row[3:]) else None


def _gated_cells(lines: Lines, config: str) -> list[str]:
    gated = [line["gated"] for line in lines if line["config"] == config and line.get("gated")]
    count = sum(value["questions"] for value in gated)
    if not count:
        return [MISSING, MISSING]
    mean = sum(value["exact_match"] * value["questions"] for value in gated) / count
    return [f"{100 * mean:.1f}", str(count)]


def passk_table(results: Results) -> Table:
    """pass@k of each arm and seed at a few k, for answers and for whole chains."""
    ks = sorted({int(k) for line in results.passk for k in line["answers"]})
    columns = [k for k in ks if k in PASSK_COLUMNS or k == ks[-1]]
    rows = []
    for line in results.passk:
        for measure in MEASURES.values():
            curve = line[measure]
            cells = [f"{100 * curve[str(k)]:.0f}" if str(k) in curve else MISSING for k in columns]
            rows.append([line["arm"], str(line["seed"]), measure, *cells])
    return Table(["arm", "seed", "measure", *(f"pass@{k}" for k in columns)], rows)


def passk_reading_table(results: Results) -> Table:
    """What each pass@k curve says in comparison with its base."""
    rows = []
    for line in results.passk:
        is_base = "base_unsolved_now_solved" not in line
        solved = MISSING if is_base else str(len(line["base_unsolved_now_solved"]))
        reading = "base" if is_base else line.get("reading", "")
        likelihood = str(line["gold_chain_log_likelihood"])
        rows.append([line["arm"], str(line["seed"]), likelihood, solved, reading])
    head = ["arm", "seed", "log-likelihood of the gold chain, nats", "solved, not by the base"]
    return Table([*head, "reading"], rows)


def run_table(results: Results) -> Table:
    """A row for each stage that was trained: where, how long, how fast."""
    rows = []
    for run in results.runs:
        world = [run["world"]["preset"], str(run["world"]["seed"])]
        for stage in run.get("stages") or [{}]:
            speed = [stage.get("kind", MISSING), *_speed_cells(stage)]
            minutes = str(run.get("minutes", MISSING))
            revision = run.get("revision", "")
            rows.append([run["arm"], str(run["seed"]), *world, minutes, *speed, revision])
    head = ["arm", "seed", "preset", "world seed", "minutes of the run"]
    return Table([*head, "stage", "seconds a step", "tokens a second", "revision"], rows)


def _speed_cells(stage: Line) -> list[str]:
    """Seconds a step, tokens a second; a resumed stage does not know its rate of tokens."""
    if not stage:
        return [MISSING, MISSING]
    seconds = stage.get("seconds", 0.0) / max(1, stage.get("steps", 1))
    tokens = stage.get("tokens_per_second")
    return [f"{seconds:.2f}", f"{tokens:,}" if tokens else MISSING]
