"""The page about a study: what each arm reaches on each test set, and what that says.

A page is a list of blocks (headings, sentences, tables, pictures).  It is written as Markdown and
as HTML in a single file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bioreason_bench.escaping import markdown_code
from bioreason_bench.experiments import pass_curves
from bioreason_bench.experiments.claims import CHAINS, findings_of
from bioreason_bench.experiments.evidence import Evidence, read_evidence, write_evidence
from bioreason_bench.experiments.report import figures, tables
from bioreason_bench.experiments.report.budgets import budgets
from bioreason_bench.experiments.report.findings import (
    claim_sentence,
    doubts,
    percent,
    planned_worlds,
    rules,
    smoke_reasons,
    wrong_chains,
)
from bioreason_bench.experiments.report.pages import Block, Picture, as_html, as_markdown
from bioreason_bench.release.disk import plain_errors, write_whole
from bioreason_bench.statistics import LEAST_WORLDS

CAPTIONS = {
    "levels": "Whole chains (filled, with 95 % intervals over worlds) and answers (hollow) by arm "
    "and level.",
    "claims": "The claims: mean difference over worlds with its 95 % interval; the margin of "
    "equivalence is shaded.",
    "patterns": "Whole chains on zeroshot by pattern (P recalled, C read).",
    "errors": "Hop of the first error, zeroshot questions.",
    "passk": "pass@k with 95 % bands (bootstrap over start persons), the same number of samples "
    "for every arm.",
    "sweep": "Whole chains on each level along each sweep of a setting.",
    "curves": "Learning curves, means over the runs: loss of supervised stages, reward of GRPO.",
}
GOES_ON = 0.05  # share of probes whose fact is right and whose answer is not
PROBES_UNUSABLE = 50.0  # percent of single hops below which the gate says little
SMOKE = "Smoke run: nothing can be concluded"


def make_report(paths: Sequence[Path], out: Path, log: Callable[[str], None] = print) -> Path:
    """Write report.md, report.html, the pictures (PNG and SVG) and the evidence into `out`.

    The evidence is results.jsonl and verdicts.parquet, from which the same report can be made.

    Args:
        paths: Run folders, folders of them, or files of result lines with the verdicts beside.
        out: The folder of the report; made if it is not there.
        log: Called with one line when the report is written.

    Returns:
        The path of the HTML page.
    """
    evidence = read_evidence(paths)
    write_evidence(evidence, out)
    pictures = figures.draw_all(evidence, out)
    blocks = make_blocks(evidence, pictures)
    page = out / "report.html"
    with plain_errors(out):
        write_whole(out / "report.md", as_markdown(blocks))
        write_whole(page, as_html(blocks, out))
    log(f"report of {len(evidence.arms)} arms, {len(evidence.worlds)} worlds: {page}")
    return page


def make_blocks(evidence: Evidence, pictures: Mapping[str, str]) -> list[Block]:
    """The page; `pictures` maps the name of each picture that was drawn to its file."""
    blocks: list[Block] = []
    sections = (head, findings, levels, skills, matching, parts, errors, gate)
    for section in (*sections, passk, sweeps, wrong, runs):
        for block in section(evidence):
            if not isinstance(block, Picture):
                blocks.append(block)
            elif block.file in pictures:
                blocks.append(Picture(pictures[block.file], block.text))
    return blocks


def picture(name: str) -> Picture:
    """A picture by its name; `make_blocks` puts its file in, or leaves it out."""
    return Picture(name, CAPTIONS[name])


def head(evidence: Evidence) -> Iterator[Block]:
    if reasons := smoke_reasons(evidence):
        yield f"# {SMOKE}"
        yield from (f"- {reason}" for reason in reasons)
    study = evidence.study
    yield f"# Study {study['name']}" if study else "# Do language models compose what they know?"
    for text in ("about", "question"):
        if study.get(text):
            yield str(study[text])
    presets = ", ".join(sorted({_preset(run["world"]) for run in evidence.runs})) or "?"
    worlds = ", ".join(str(seed) for _, seed in evidence.worlds)
    yield (
        f"World: preset {presets}. World seeds: {worlds}. "
        f"Seeds of training: {', '.join(map(str, evidence.seeds))}."
    )
    yield (
        "Chains are right answers whose whole chain is right as well (process-verified); they "
        "decide. Answers are exact matches by the package's grader. All shares are in percent."
    )


def _preset(world: Mapping[str, Any]) -> str:
    """The preset of a run's world and the settings that differ from it, but for the fold."""
    changed = ", ".join(
        f"{name}={json.dumps(value)}"
        for name, value in world.get("changed", {}).items()
        if name != "fold"  # each world has its own
    )
    return f"{world['preset']} with {markdown_code(changed)}" if changed else world["preset"]


def findings(evidence: Evidence) -> Iterator[Block]:
    yield "## Findings"
    if smoke_reasons(evidence):
        yield f"{SMOKE}."
    else:
        judged = findings_of(evidence)
        if planned := planned_worlds(evidence):
            yield planned
        spent = budgets(evidence)
        yield from (f"- {claim_sentence(finding, spent)}" for finding in judged)
        yield from (f"- {sentence}" for sentence in wrong_chains(evidence))
        if judged:
            yield tables.claim_table(judged)
            yield picture("claims")
    yield picture("levels")


def levels(evidence: Evidence) -> Iterator[Block]:
    configs = evidence.composed
    title = "Complementary reasoning (comp)" if evidence.of_people else evidence.skill
    yield f"## {title} by level"
    yield "Whole chains, means over worlds:"
    yield tables.overview_table(evidence, configs, CHAINS)
    yield "Answers, means over worlds:"
    yield tables.overview_table(evidence, configs, "exact_match")
    yield (
        "Low and high are the ends of the 95 % t-interval over worlds, which needs "
        f"{LEAST_WORLDS} of them; for a single run, of the interval over its questions (bootstrap "
        "over start persons)."
    )
    for config in configs:
        yield f"### {tables.level_of(config)}"
        yield tables.score_table(evidence, config)
    if standardised := tables.standardised_table(evidence):
        yield "### Levels with the same patterns"
        yield (
            "Levels differ in their patterns. Standardised: each pattern that all levels have "
            "weighs the same on all of them. Whole chains, pooled over the runs."
        )
        yield standardised
    if len(evidence.seeds) > 1:
        yield "### Every run"
        yield tables.world_table(evidence)


def skills(evidence: Evidence) -> Iterator[Block]:
    configs = [config for config in evidence.configs if config not in evidence.composed]
    if not configs:
        return
    yield "## The atomic skills (mem, ctx)"
    yield "Whole chains, means over worlds:"
    yield tables.overview_table(evidence, configs, CHAINS)
    for config in configs:
        yield f"### {config}"
        yield tables.score_table(evidence, config)


def matching(evidence: Evidence) -> Iterator[Block]:
    yield "## Are the arms matched?"
    yield (
        "What each arm was given on top of the arm that it begins from (–: of the stages that all "
        "arms share), mean over its runs. Tokens learnt are those of the texts, and in GRPO those "
        "of all samples, also of groups with equal rewards, which carry no gradient:"
    )
    yield tables.budget_table(evidence)
    if starts := tables.start_table(evidence):
        yield (
            "GRPO learns only from groups whose samples differ in reward. An arm counts if its "
            "mean reward over the first steps lies between 0.1 and 0.9."
        )
        yield starts


def parts(evidence: Evidence) -> Iterator[Block]:
    titles = {
        "unseen": "group of the unseen relations",
        "hops": "number of hops",
        "pattern": "pattern",
    }
    for part, title in titles.items():
        if table := tables.part_table(evidence, part, evidence.zeroshot):
            yield f"## Zeroshot by {title}"
            yield "Pooled over the runs."
            yield table
    if table := tables.part_table(evidence, "hops", f"{evidence.skill}_depth"):
        yield "## Depth by number of hops"
        yield "Pooled over the runs."
        yield table
    yield picture("patterns")


def errors(evidence: Evidence) -> Iterator[Block]:
    kinds = tables.error_kind_table(evidence)
    if kinds is None:
        return
    yield "## First errors (zeroshot)"
    if places := tables.error_table(evidence):
        yield (
            "By chance: what a model gives that fails every hop independently, as often as this "
            "arm does. Of three hops two are in the first half, and an early error hides later "
            "ones, so that most first errors are early in any model. Compare the places with those "
            "of the first unseen relation before you read a failure to compose into them."
        )
        yield places
    yield "Kinds of first errors, in percent of the wrong chains:"
    yield kinds
    yield picture("errors")


def _goes_on(evidence: Evidence, arm: str) -> bool:
    """Whether the model often states the fact that a probe asks for, and does not stop there."""
    answered, right = (tables.single_hops(evidence, arm, name) for name in tables.SINGLE_HOPS)
    return answered is not None and right is not None and right - answered > GOES_ON


def gate(evidence: Evidence) -> Iterator[Block]:
    gated = tables.gated_table(evidence)
    if gated is None:
        return
    yield "## Gated: whole chains of questions all of whose single hops the same model answers"
    yield gated
    if any(_goes_on(evidence, arm) for arm in evidence.arms):
        yield (
            "Where more single hops are right than answered, the model states the fact that is "
            "asked for and goes on to another, as questions of more hops have taught it. Then the "
            "gate does not tell what the model knows."
        )
    single_hops = percent(evidence.lines, "probes")
    if single_hops is not None and single_hops < PROBES_UNUSABLE:
        yield (
            "Most single hops fail here although longer chains of the same hops succeed, so the "
            "probes do not show what a model knows; its chains on mem and ctx do."
        )


def passk(evidence: Evidence) -> Iterator[Block]:
    if not evidence.passk:
        return
    yield "## pass@k"
    worlds = sorted({evidence.world(line) for line in evidence.passk})
    yield (
        f"Measured in {len(worlds)} of {len(evidence.worlds)} worlds (world seeds: "
        f"{', '.join(str(seed) for _, seed in worlds)})."
    )
    found = pass_curves.comparisons(evidence)
    if not smoke_reasons(evidence):
        yield from (f"- {passk_sentence(comparison)}" for comparison in found)
        yield from (f"- {control_sentence(*pair)}" for pair in pass_curves.with_controls(evidence))
    if found:
        yield tables.passk_reading_table(evidence)
        yield passk_rule()
    yield picture("passk")
    yield tables.passk_table(evidence)


def passk_sentence(found: pass_curves.Comparison) -> str:
    """What a curve of whole chains says in comparison with its base."""
    names = f"{markdown_code(found.curve.arm)} against {markdown_code(found.base.arm)}"
    largest = found.curve.ks[-1]
    says = {
        "too few questions": f"no reading with {len(found.curve.points)} questions",
        "no gain": "no gain in whole chains at k = 1 is shown",
        "synthesis": f"synthesis: more than half of the gain at k = 1 is left at k = {largest}",
        "amplification": f"amplification: less than a quarter of the gain is left at k = {largest}",
        "saturated": f"saturated: the base solves nearly everything at k = {largest}",
        "undecided": "undecided between synthesis and amplification",
    }
    return f"{names}: {says[found.reading]}."


def control_sentence(curve: pass_curves.Curve, control: pass_curves.Curve) -> str:
    """Whether the curve of an arm of RL can be told from that of its control."""
    arm, other = markdown_code(curve.arm), markdown_code(control.arm)
    if apart := pass_curves.differs_at(curve, control):
        where = ", ".join(map(str, apart))
        return f"{arm} and its control {other} differ in whole chains at k = {where}."
    return (
        f"The control {other} has the same curve of whole chains as {arm}, as far as "
        f"{len(curve.points)} questions tell: what the curve shows is not peculiar to RL."
    )


def passk_rule() -> str:
    """The rule behind the reading of a curve."""
    return (
        "Reading, by whole chains: the gain over the base at the largest k is divided by that at "
        "k = 1. Synthesis: the 95 % interval of the ratio (bootstrap over people) lies above "
        f"{pass_curves.SYNTHESIS}. Amplification: it lies below {pass_curves.AMPLIFICATION}. No "
        "gain: the interval of the gain at k = 1 includes 0. Saturated: the base solves more than "
        f"{100 * pass_curves.SATURATED:.0f} % at the largest k. Undecided: none of these. Answers "
        "saturate, since one guess of many is right; they decide nothing. Fewer than "
        f"{pass_curves.FEWEST} questions have no reading."
    )


def sweeps(_: Evidence) -> Iterator[Block]:
    yield picture("sweep")
    yield picture("curves")


def wrong(evidence: Evidence) -> Iterator[Block]:
    yield "## Why this might be wrong"
    yield from (f"- {line}" for line in doubts(evidence, findings_of(evidence)))


def runs(evidence: Evidence) -> Iterator[Block]:
    yield "## Runs"
    yield tables.run_table(evidence)
    for command in dict.fromkeys(run["command"] for run in evidence.runs):
        yield f"Command: {markdown_code(command)}"
    yield from dict.fromkeys(map(_software_and_machine, evidence.runs))
    yield rules()


def _software_and_machine(run: Mapping[str, Any]) -> str:
    """The versions and the machine of a run; older runs do not know their precision."""
    machine = run.get("machine", {})
    versions = ", ".join(f"{name} {number}" for name, number in run.get("versions", {}).items())
    threads = f"{machine.get('threads', '?')} thread(s) a run"
    where = [machine.get("processor", ""), threads, machine.get("precision", "")]
    return f"{versions}; {', '.join(filter(None, where))}."
