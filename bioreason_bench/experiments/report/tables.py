"""The tables of a report.  Each number is alone in its cell; shares are in percent."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

from bioreason_bench.experiments import pass_curves, rewards
from bioreason_bench.experiments.claims import CHAINS, Finding
from bioreason_bench.experiments.evidence import Evidence
from bioreason_bench.experiments.report.budgets import budgets
from bioreason_bench.experiments.report.errors import first_errors
from bioreason_bench.experiments.report.findings import signed
from bioreason_bench.experiments.report.pages import Table
from bioreason_bench.experiments.report.standardised import standardised
from bioreason_bench.experiments.results import Line, Lines
from bioreason_bench.statistics import Estimate, mean_over_worlds
from bioreason_bench.taxonomy import LEVELS

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
MEASURES = {CHAINS: "chains", "exact_match": "answers"}
PASSK_COLUMNS = (1, 8, 32, 128, 512)


def cell(value: float | None, digits: int = 1) -> str:
    """A number, or MISSING for None and NaN."""
    return MISSING if value is None or math.isnan(value) else f"{value:.{digits}f}"


def p_cell(p: float) -> str:
    """A p in three digits; "< 0.001" for a smaller one."""
    return "< 0.001" if p < 0.001 else cell(p, 3)


def share(value: float | None, digits: int = 1) -> str:
    """A share in percent."""
    return cell(None if value is None else 100 * value, digits)


def points(value: float | None) -> str:
    """A difference of shares in points, with its sign."""
    return MISSING if value is None or math.isnan(value) else signed(100 * value)


def level_of(config: str) -> str:
    """The level of a test set: "zeroshot" of "comp_zeroshot"."""
    return config.partition("_")[2]


def estimate_of(evidence: Evidence, arm: str, config: str, metric: str) -> Estimate | None:
    """Mean over worlds with its interval; of a single run the interval over its questions."""
    scores = evidence.by_world(arm, config, metric)
    if not scores:
        return None
    lines = evidence.of(arm, config)
    if len(lines) > 1:
        return mean_over_worlds([*scores.values()])
    low, high = (math.nan if end is None else end for end in lines[0][f"{metric}_interval"])
    return Estimate(lines[0][metric], low, high, lines[0]["questions"], 1)


def overview_table(evidence: Evidence, configs: Sequence[str], metric: str) -> Table:
    """A row for each arm, a column for each test set: means over worlds."""
    rows = []
    for arm in evidence.arms:
        found = [estimate_of(evidence, arm, config, metric) for config in configs]
        rows.append([arm, *(share(mean.value if mean else None) for mean in found)])
    return Table(["arm", *configs], rows)


def score_table(evidence: Evidence, config: str) -> Table:
    """A row for each arm on one test set; on the comp levels also the published numbers."""
    rows = []
    for arm in evidence.arms:
        cells = [str(len(evidence.by_world(arm, config, CHAINS)))]
        for metric in MEASURES:
            mean = estimate_of(evidence, arm, config, metric)
            ends = (mean.value, mean.low, mean.high) if mean else (None, None, None)
            cells += map(share, ends)
        rows.append([arm, *cells])
    skill, _, level = config.partition("_")
    if skill == "comp":
        rows += [
            [name, *[MISSING] * 4, cell(answers[level]), *[MISSING] * 2]
            for name, answers in PAPER
            if level in answers
        ]
    head = [
        name
        for measure in MEASURES.values()
        for name in (measure, f"{measure} low", f"{measure} high")
    ]
    return Table(["arm", "worlds", *head], rows)


def world_table(evidence: Evidence) -> Table:
    """A row for each level, arm and run, with the intervals over its questions."""
    rows = []
    for config in evidence.composed:
        for arm in evidence.arms:
            for line in evidence.of(arm, config):
                cells = [str(evidence.world(line)[1]), str(line["seed"]), str(line["questions"])]
                for metric in MEASURES:
                    cells += map(share, (line[metric], *line[f"{metric}_interval"]))
                rows.append([level_of(config), arm, *cells])
    head = [
        name
        for measure in MEASURES.values()
        for name in (measure, f"{measure} low", f"{measure} high")
    ]
    return Table(["level", "arm", "world", "seed", "questions", *head], rows)


def claim_table(findings: Sequence[Finding]) -> Table:
    """A row for each claim: the test over worlds, and the interval over questions beside it."""
    rows = []
    for number, finding in enumerate(findings, 1):
        claim = finding.claim
        configs = " / ".join(dict.fromkeys(reversed(claim.configs)))
        names = [str(number), claim.second, claim.first, configs]
        decided = [p_cell(finding.p), p_cell(finding.p_equivalent), finding.verdict]
        tested = [*_test_cells(finding), *decided, *_pooled_cells(finding)]
        rows.append([*names, MEASURES[claim.metric], *tested])
    head = ["claim", "arm", "compared with", "test set", "measure"]
    head += ["worlds", "difference", "low", "high", "p", "p, Holm", "p of equivalence, Holm"]
    head += ["verdict", "questions", "pooled difference", "pooled low", "pooled high"]
    return Table(head, rows)


def _test_cells(finding: Finding) -> list[str]:
    """Worlds, difference, both ends of its interval, p."""
    test = finding.test
    if test is None:
        return ["0", *[MISSING] * 4]
    return [str(test.worlds), *map(points, (test.value, test.low, test.high)), p_cell(test.p)]


def _pooled_cells(finding: Finding) -> list[str]:
    """Questions, difference, both ends of its interval."""
    pooled = finding.pooled
    if pooled is None:
        return [MISSING] * 4
    return [f"{pooled.questions:,}", *map(points, (pooled.value, pooled.low, pooled.high))]


def budget_table(evidence: Evidence) -> Table:
    """What each arm was given on top of its base."""
    rows = []
    for arm, budget in budgets(evidence).items():
        amounts = (budget.steps, budget.tokens, budget.samples)
        rows.append(
            [arm, budget.base or MISSING, ", ".join(budget.stages)]
            + [MISSING if amount is None else f"{amount:,.0f}" for amount in amounts]
            + [f"{budget.minutes:.1f}"]
        )
    head = ["arm", "begins from", "stages", "optimizer steps", "tokens learnt", "samples drawn"]
    return Table([*head, "minutes"], rows)


def start_table(evidence: Evidence) -> Table | None:
    """The reward at the start of each arm of GRPO, and whether the arm counts."""
    rows = []
    for start in rewards.starts(evidence):
        rewarded = (start.reward, min(start.rewards), max(start.rewards))
        mixed = (start.mixed, start.mixed_overall)
        names = [start.arm, str(len(start.rewards)), str(start.steps)]
        numbers = [*(cell(value, 3) for value in rewarded), *(share(value, 0) for value in mixed)]
        rows.append([*names, *numbers, "counts" if start.counts else "does not count"])
    head = ["arm", "runs", "first steps", "mean reward", "lowest run", "highest run"]
    head += ["mixed groups, %", "mixed groups of all steps, %", "verdict"]
    return Table(head, rows) if rows else None


def part_table(evidence: Evidence, part: str, config: str) -> Table | None:
    """Whole chains and answers of each arm by a part of the questions, pooled over the runs.

    Args:
        evidence: The runs.
        part: "unseen" (group of the unseen relations), "hops" or "pattern".
        config: Name of the test set.

    Returns:
        A column for each part, a row with the number of questions, then two rows for each arm;
        None if the lines do not have this part, or no question has any of it.
    """
    parts: dict[str, dict[str, list[Line]]] = defaultdict(lambda: defaultdict(list))
    for line in evidence.lines:
        if line["config"] == config:
            for key, values in line.get(f"by_{part}", {}).items():
                parts[line["arm"]][key].append(values)
    keys = sorted({key for by_key in parts.values() for key in by_key})
    if not keys or keys == ["none"]:
        return None
    arms = [arm for arm in evidence.arms if arm in parts]
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


def standardised_table(evidence: Evidence) -> Table | None:
    """Whole chains on the levels as they are, and if all had the same patterns."""
    levels = [
        f"{evidence.skill}_{level}" for level in LEVELS if level != "depth"
    ]  # whose patterns are others
    configs = [config for config in levels if config in evidence.configs]
    rows = []
    for arm in evidence.arms:
        scores = standardised(evidence, arm, configs)
        raw = [estimate_of(evidence, arm, config, CHAINS) for config in configs]
        if scores:
            rows.append(
                [arm, "as they are", *(share(mean.value if mean else None) for mean in raw)]
            )
            rows.append([arm, "standardised", *(share(scores.get(config)) for config in configs)])
    return Table(["arm", "patterns", *map(level_of, configs)], rows) if rows else None


def error_table(evidence: Evidence) -> Table | None:
    """Where chains of hops go wrong first, beside what independent errors would give."""
    if not evidence.of_people:
        return None
    rows = []
    for arm in evidence.arms:
        found = first_errors([part for _, part in evidence.parts(arm, evidence.zeroshot)])
        if found is None or not found.wrong:
            continue
        early = (found.early, found.early_by_chance, found.early_unseen)
        shares = (*early, found.at_unseen, found.at_unseen_by_chance)
        rows.append([arm, str(found.wrong), *(share(value, 0) for value in shares)])
    head = ["arm", "wrong chains", "first error in the first half, %", "by chance, %"]
    head += ["first unseen relation in the first half, %"]
    head += ["first error at the first unseen relation, %", "of these by chance, %"]
    return Table(head, rows) if rows else None


def error_kind_table(evidence: Evidence) -> Table | None:
    """Kinds of first errors in percent of the wrong chains of each arm, commonest kinds first."""
    lines_of = {arm: evidence.of(arm, evidence.zeroshot) for arm in evidence.arms}
    counts_of = {arm: _count(lines, "error_kinds") for arm, lines in lines_of.items()}
    by_arm = {arm: counts for arm, counts in counts_of.items() if counts}
    totals = sum(by_arm.values(), Counter[str]())
    kinds = [kind for kind, _ in totals.most_common()]
    rows = [
        [arm, *(f"{100 * counts[kind] / counts.total():.0f}" for kind in kinds)]
        for arm, counts in by_arm.items()
    ]
    return Table(["arm", *kinds], rows) if rows else None


def _count(lines: Lines, key: str) -> Counter[str]:
    """Sum of the counts that the lines hold under `key`."""
    counts = Counter[str]()
    for line in lines:
        counts.update(line.get(key, {}))
    return counts


# The answer alone, and the first fact whatever follows it.
SINGLE_HOPS = {"exact_match": "single hops answered", "hop_accuracy": "single hops right"}


def gated_table(evidence: Evidence) -> Table | None:
    """Whole chains of questions all of whose single hops the model answers; None if none are."""
    configs = evidence.composed
    rows = []
    for arm in evidence.arms:
        hops = [share(single_hops(evidence, arm, metric)) for metric in SINGLE_HOPS]
        cells = [cell for config in configs for cell in _gated_cells(evidence.of(arm, config))]
        rows.append([arm, *hops, *cells])
    levels = [name for config in configs for name in (level_of(config), "questions")]
    head = ["arm", *SINGLE_HOPS.values(), *levels]
    return Table(head, rows) if any(cell != MISSING for row in rows for cell in row[3:]) else None


def single_hops(evidence: Evidence, arm: str, metric: str) -> float | None:
    """Mean over worlds of a score on the probes, None if the arm was not asked them."""
    scores = evidence.by_world(arm, "probes", metric)
    return sum(scores.values()) / len(scores) if scores else None


def _gated_cells(lines: Lines) -> list[str]:
    gated = [line["gated"] for line in lines if line.get("gated")]
    count = sum(value["questions"] for value in gated)
    if not count:
        return [MISSING, MISSING]
    return [share(sum(value[CHAINS] * value["questions"] for value in gated) / count), str(count)]


def passk_table(evidence: Evidence) -> Table:
    """pass@k of each arm over its worlds at a few k, each with its 95 % interval."""
    rows = []
    for measure in pass_curves.MEASURES:
        for curve in pass_curves.curves(evidence, measure):
            bands = curve.band()
            shown = [k for k in curve.ks if k in PASSK_COLUMNS or k == curve.ks[-1]]
            for k in shown:
                index = curve.ks.index(k)
                numbers = (curve.means[index], *bands[index])
                head = [curve.arm, measure, str(len(curve.points)), str(k)]
                rows.append([*head, *map(share, numbers)])
    return Table(["arm", "measure", "questions", "k", "pass@k", "low", "high"], rows)


def passk_reading_table(evidence: Evidence) -> Table:
    """What each curve of whole chains says in comparison with its base."""
    rows = []
    for found in pass_curves.comparisons(evidence):
        gains = (found.gain, *found.gain_interval, found.left, *found.left_interval)
        ratio = found.left / found.gain if found.gain else math.nan
        ratios = [cell(value, 2) for value in (ratio, *found.ratio_interval)]
        largest = str(found.curve.ks[-1])
        names = [found.curve.arm, found.base.arm, largest]
        rows.append([*names, *map(points, gains), *ratios, found.reading])
    head = ["arm", "base", "largest k"]
    head += [
        f"{name}{end}"
        for name in ("gain at 1", "gain at the largest", "ratio")
        for end in ("", ", low", ", high")
    ]
    return Table([*head, "reading"], rows)


def run_table(evidence: Evidence) -> Table:
    """A row for each stage that was trained: where, how long, how fast."""
    rows = []
    for run in evidence.runs:
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
