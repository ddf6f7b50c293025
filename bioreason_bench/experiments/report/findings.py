"""The sentences of a report: worded by code from tests, never by hand.

A sentence that one arm is ahead comes from `claims.judge` alone.  The other sentences describe a
run and say why it might mislead.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Mapping

from bioreason_bench.escaping import markdown_code
from bioreason_bench.experiments.claims import CHAINS, MARGIN, Finding
from bioreason_bench.experiments.evidence import Evidence
from bioreason_bench.experiments.report.budgets import Budget, unmatched
from bioreason_bench.experiments.results import Line, Lines
from bioreason_bench.experiments.rewards import HIGHEST, LOWEST, does_not_count
from bioreason_bench.statistics import LEAST_WORLDS, mean_over_worlds

FLOOR = 20.0  # percent of whole chains that the best arm must reach in distribution
FEWEST = 50  # questions of a test set
CUTS = ("steps", "limit", "rows", "samples", "portion")  # settings that make a recipe smaller
WIDE = 10.0  # points: half of an interval that leaves the size of a difference open
CHAIN_GAP = 15.0  # points by which answers exceed whole chains if the chains are wrong
TUNED_IN = 42  # seed of the world in which all settings were chosen
MEASURES = {CHAINS: "whole chains", "exact_match": "answers"}


def percent(lines: Lines, config: str, metric: str = "exact_match") -> float | None:
    """Mean over runs of a metric on a test set, in percent; None if it was not measured."""
    values = [line[metric] for line in lines if line["config"] == config]
    return 100 * sum(values) / len(values) if values else None


def signed(points: float) -> str:
    """Points with their sign, never "-0.0"."""
    return f"{round(points, 1) + 0.0:+.1f}"


def p_value(p: float) -> str:
    """In the form "p = 0.012"."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


# claims -------------------------------------------------------------------------------------------


def claim_sentence(finding: Finding, budgets: Mapping[str, Budget]) -> str:
    """What the evidence says about a claim, with its test, and how far to trust it."""
    claim = finding.claim
    where = " against ".join(dict.fromkeys(reversed(claim.configs)))
    names = f"{markdown_code(claim.second)} against {markdown_code(claim.first)}"
    subject = f"“{claim.text}” ({names})" if claim.text else names
    sentences = [f"{subject}, {MEASURES[claim.metric]} on {where}: {_verdict(finding)}."]
    sentences += _hedges(finding)
    given = [budgets[arm] for arm in (claim.second, claim.first) if arm in budgets]
    if len(given) == 2 and (gaps := unmatched(*given)):
        sentences.append(f"The two are not matched: {'; '.join(gaps)}.")
    return " ".join(sentences)


def _verdict(finding: Finding) -> str:
    test = finding.test
    if test is None:
        return "not measured in the same worlds"
    gap, worlds = f"{signed(100 * test.value)} points", _worlds(test.worlds)
    if test.worlds < LEAST_WORLDS:
        return f"no claim; {gap} in {worlds}, and fewer than {LEAST_WORLDS} decide nothing"
    numbers = (
        f"{gap}, 95 % interval {signed(100 * test.low)} to {signed(100 * test.high)}, {worlds}"
    )
    if finding.excluded:
        return f"no claim ({finding.excluded}); {numbers}"
    p = f"{p_value(finding.p)} after Holm's correction"
    if finding.verdict in ("ahead", "behind"):
        return f"{finding.verdict} ({numbers}, {p})"
    if finding.verdict == "undecided":
        return f"undecided ({numbers}, {p}): neither a difference nor equivalence is shown"
    equivalence = f"equivalence {p_value(finding.p_equivalent)} after Holm's correction"
    return f"equivalent within {100 * MARGIN:.0f} points ({numbers}, {equivalence})"


def _hedges(finding: Finding) -> Iterator[str]:
    """Why a difference that was found should be held loosely."""
    test = finding.test
    if test is None or finding.verdict not in ("ahead", "behind"):
        return
    if 100 * (test.high - test.low) / 2 > WIDE:
        yield f"How large the difference is, {_worlds(test.worlds)} leave open."
    pooled = finding.pooled
    if pooled is not None and pooled.low <= 0 <= pooled.high:
        yield (
            "The interval over questions, clustered by person and unseen relation, "
            f"includes 0 ({signed(100 * pooled.low)} to {signed(100 * pooled.high)})."
        )


def _worlds(number: int) -> str:
    return f"{number} world{'' if number == 1 else 's'}"


def planned_worlds(evidence: Evidence) -> str:
    """A sentence if the study was run in fewer worlds than were planned, else ""."""
    planned, run = evidence.study.get("worlds", 0), len(evidence.worlds)
    return f"{_worlds(planned)} were planned, {run} are reported." if run < planned else ""


# descriptions -------------------------------------------------------------------------------------


def wrong_chains(evidence: Evidence) -> list[str]:
    """A sentence for each arm many of whose right answers on zeroshot come with wrong chains."""
    sentences = []
    for arm in evidence.arms:
        lines = evidence.of(arm)
        answers, chains = (
            percent(lines, evidence.zeroshot),
            percent(lines, evidence.zeroshot, CHAINS),
        )
        if answers is not None and chains is not None and answers - chains > CHAIN_GAP:
            sentences.append(
                f"Right answers with wrong chains: {markdown_code(arm)} has {answers:.0f} % of the "
                f"answers and {chains:.0f} % of the whole chains on zeroshot."
            )
    return sentences


# smoke runs ---------------------------------------------------------------------------------------


def smoke_reasons(evidence: Evidence) -> list[str]:
    """Why nothing can be concluded from these runs; empty if they pass every floor."""
    return [*_below_floor(evidence), *_few_questions(evidence), *_cut_recipes(evidence)]


def _below_floor(evidence: Evidence) -> Iterator[str]:
    for config in (f"{evidence.skill}_iid", "mem_iid", "ctx_iid"):
        scores = [percent(evidence.of(arm), config, CHAINS) for arm in evidence.arms]
        best = max((score for score in scores if score is not None), default=None)
        if best is not None and best < FLOOR:
            yield (
                f"No arm gets {FLOOR:.0f} % of the whole chains on {config}; "
                f"the best has {best:.0f} %."
            )


def _few_questions(evidence: Evidence) -> Iterator[str]:
    fewest = min((line["questions"] for line in evidence.lines), default=FEWEST)
    if fewest < FEWEST:
        yield f"A test set has {fewest} questions; at least {FEWEST} are needed."


def _cut_recipes(evidence: Evidence) -> Iterator[str]:
    for command in dict.fromkeys(run["command"] for run in evidence.runs):
        cuts = [
            key
            for key in settings_of(command)
            if key.rpartition(".")[2] in CUTS or ".batch." in key
        ]
        if cuts:
            yield f"Recipes were changed by --set {markdown_code(', '.join(cuts))}."


def settings_of(command: str) -> list[str]:
    """The keys that a command line sets: "--set sft.steps=20" gives ["sft.steps"]."""
    try:
        words = shlex.split(command)
    except ValueError:  # a quotation mark without its partner
        words = command.split()
    keys = []
    for word, after in zip(words, [*words[1:], ""], strict=True):
        if word == "--set":
            keys.append(after.partition("=")[0])
        elif word.startswith("--set="):
            keys.append(word.removeprefix("--set=").partition("=")[0])
    return keys


# doubts -------------------------------------------------------------------------------------------


def doubts(evidence: Evidence, findings: list[Finding]) -> list[str]:
    """Why the report might be wrong, in five lines."""
    return [
        _doubt_worlds(evidence),
        _doubt_model(evidence),
        _doubt_intervals(evidence, findings),
        _doubt_arms(evidence, findings),
        _doubt_settings(evidence),
    ]


def _doubt_worlds(evidence: Evidence) -> str:
    worlds = evidence.worlds
    presets = ", ".join(sorted({preset for preset, _ in worlds if preset})) or "?"
    return (
        f"Worlds: {len(worlds)} of preset {markdown_code(presets)}. All are made by one program; "
        "what holds in them need not hold for facts about the real world."
    )


def _doubt_model(evidence: Evidence) -> str:
    sizes = sorted(
        {
            int(stage["parameters"])
            for run in evidence.runs
            for stage in run.get("stages", [])
            if isinstance(stage.get("parameters"), int | float)
        }
    )
    models = sorted({model_of(run["recipe"]) for run in evidence.runs})
    size = " to ".join(
        f"{number / 1e6:.1f}M" for number in dict.fromkeys((*sizes[:1], *sizes[-1:]))
    )
    return (
        f"Model: {', '.join(models) or '?'}; {size or 'an unknown number of'} parameters. "
        "One small architecture is not language models in general."
    )


def model_of(recipe: Line) -> str:
    """What a recipe trains: an architecture from random weights, or a model by its name."""
    model = recipe.get("model", {})
    scratch = model.get("from_scratch")
    if not isinstance(scratch, Mapping):
        return f"the pretrained model {markdown_code(str(model.get('name', '?')))}"
    kind = scratch.get("model_type", "bioreason_nano")
    own = ", the package's own architecture (attention after a short convolution)"
    name = f"{markdown_code(str(kind))} from random weights"
    return name + own if kind == "bioreason_nano" else name


def _doubt_intervals(evidence: Evidence, findings: list[Finding]) -> str:
    means = {
        arm: mean_over_worlds([*scores.values()])
        for arm in evidence.arms
        if (scores := evidence.by_world(arm, evidence.zeroshot, CHAINS))
    }
    widths = {arm: 100 * (mean.high - mean.low) for arm, mean in means.items()}
    known = {arm: width for arm, width in widths.items() if not math.isnan(width)}
    if not known:
        return (
            f"Intervals: fewer than {LEAST_WORLDS} worlds give none over worlds; "
            "those over questions leave out how much worlds differ."
        )
    widest = max(known, key=lambda arm: known[arm])
    undecided = sum(finding.verdict == "undecided" for finding in findings)
    return (
        f"Intervals: the widest of an arm's zero-shot chains spans {known[widest]:.0f} points "
        f"({markdown_code(widest)}); {undecided} of {len(findings)} claims are undecided."
    )


def _doubt_arms(evidence: Evidence, findings: list[Finding]) -> str:
    excluded = does_not_count(evidence)
    if excluded:
        names = ", ".join(f"{markdown_code(arm)}" for arm in excluded)
        return (
            f"Arms that do not count, since their reward begins outside {LOWEST} to {HIGHEST}: "
            f"{names}. They say nothing about RL."
        )
    none = sum(finding.verdict == "no claim" for finding in findings)
    return (
        f"Arms: none is left out for its reward; {none} of {len(findings)} claims could not be "
        "tested."
    )


def _doubt_settings(evidence: Evidence) -> str:
    tuned = any(seed == TUNED_IN for _, seed in evidence.worlds)
    among = (
        f"World {TUNED_IN}, in which they were chosen, is among those reported."
        if tuned
        else f"They were chosen in world {TUNED_IN}, which is not among those reported."
    )
    return (
        f"Settings: each arm has one set of them; another might change the order of arms. {among}"
    )


def rules() -> str:
    """The rules behind the sentences of a report."""
    return (
        "Rules behind the sentences. The unit of replication is the world: seeds in the same world "
        "are averaged. A claim is tested by a paired t-test over worlds, corrected over all claims "
        f"of the study by Holm's method; with fewer than {LEAST_WORLDS} worlds there is none. "
        f"Ahead, behind: p below 0.05. Equivalent: two one-sided t-tests reject a difference of "
        f"{100 * MARGIN:.0f} points or more, corrected likewise. Undecided: neither. Beside it "
        "stands the interval over the questions of all worlds, clustered by start person and by "
        "unseen relation (Cameron, Gelbach and Miller 2011). An arm of GRPO counts if its mean "
        f"reward over the first steps lies between {LOWEST} and {HIGHEST}. Wrong chains: answers "
        f"more than {CHAIN_GAP:.0f} points above whole chains."
    )
