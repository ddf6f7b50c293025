"""One page of runs: what each arm reaches on each level, beside the paper's numbers, and what that says.

The page is a list of blocks (headings, sentences, tables, pictures), written once as Markdown and once as HTML in a single file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bioreason_bench.experiments.findings import (
    RL_GAIN,
    TRAP_IID,
    TRAP_ZEROSHOT,
    control_sentence,
    percent,
    signatures,
)
from bioreason_bench.experiments.pages import Block, Picture, Table, as_html, as_markdown
from bioreason_bench.experiments.results import (
    Results,
    read_lines,
)

PAPER = (  # arXiv 2512.01970 and its one independent replication, answers in percent: iid, composition, zeroshot
    ("paper, Qwen2.5-1.5B: SFT(comp)", 90.0, 76.0, 18.0),
    ("paper: SFT(mem+ctx) + RL on 12.8k comp", None, None, 50.0),
    ("replication, 0.5B/1.5B: SFT(comp)", 62.7, 47.6, 29.1),
    ("replication: SFT(mem+ctx) + RL on 36k comp", 42.9, 38.5, 29.2),
)


def make_report(paths: Sequence[Path], out: Path, say: Callable[[str], None] = print) -> Path:
    """Writes report.md, report.html and the pictures (PNG and SVG) into `out`; returns the path of the HTML page."""
    from bioreason_bench.experiments import figures as pictures

    results = Results(read_lines(paths))
    out.mkdir(parents=True, exist_ok=True)
    drawn = pictures.draw_all(results, out)
    blocks = make_blocks(results, drawn)
    (out / "report.md").write_text(as_markdown(blocks), encoding="utf-8")
    page = out / "report.html"
    page.write_text(as_html(blocks, out), encoding="utf-8")
    say(f"report of {len(results.arms)} arms, {len(results.seeds)} seeds: {page}")
    return page


def make_blocks(results: Results, drawn: Mapping[str, str]) -> list[Block]:
    worlds = {(run["world"]["preset"], run["world"]["seed"]) for run in results.runs}
    presets = ", ".join(sorted({preset for preset, _ in worlds})) or "?"
    blocks: list[Block] = [
        "# Do language models compose what they know? Results",
        f"World: preset {presets}. Seeds: {', '.join(map(str, results.seeds))}.",
    ]
    blocks += [
        "Answers are exact matches by the package's grader; in parentheses the share whose whole chain is right as well (process-verified)."
    ]

    def picture(name: str, text: str) -> None:
        if name in drawn:
            blocks.append(Picture(drawn[name], text))

    found = signatures(results.by_arm(), results.bases)
    control = control_sentence(results.by_arm())
    blocks += [
        "## What came out",
        *([control] if control else []),
        *(f"- {sentence}" for sentence in found),
    ]
    picture("levels", "Answers (bars) and whole chains (hatched) by arm and level; dots are seeds.")
    blocks += [
        "## Arm by level",
        level_table(results),
        "Mean over seeds; in brackets the smallest and largest seed, or for a single seed the 95 % interval (bootstrap over people).",
    ]
    if len(results.seeds) > 1:
        blocks += ["### Every seed", seed_table(results)]
    blocks += ["### The atomic skills", skill_table(results)]
    if gain := gain_table(results):
        blocks += ["## Is the gain from RL conditional on where it starts?", gain]
        picture("gain", "Zero-shot answers before and after, by starting point.")
    if groups := part_table(results, "unseen", "comp_zeroshot"):
        blocks += ["## Zero-shot by group of the unseen relation", groups]
    for part, title in (("hops", "by number of hops"), ("pattern", "by pattern")):
        if table := part_table(results, part, "comp_zeroshot"):
            blocks += [f"## Zero-shot {title}", table]
    picture("patterns", "Whole chains on zero-shot by pattern (P recalled, C read).")
    blocks += ["## Where the first error falls (zero-shot)", error_table(results)]
    picture("errors", "Hop of the first error, zero-shot questions.")
    if gated := gated_table(results):
        blocks += ["## Gated: questions all of whose single hops the same model answers", gated]
        if (percent(results.lines, "probes") or 100) < 50:
            blocks.append(
                "Most single hops go wrong here although longer chains of the same hops go right: no one-hop question stands in this "
                "training, and its form is new to the model. So these probes do not tell what it knows; the chains of mem and ctx do."
            )
    if results.passk:
        blocks += ["## pass@k", passk_table(results), passk_rule()]
        picture("passk", "pass@k on zero-shot, the same number of samples for every arm.")
    picture("ladder", "Along the ladder: comp answers by setting.")
    picture("curves", "Learning curves: loss of supervised stages, reward of GRPO.")
    blocks += ["## How it was run", run_table(results), *commands(results), rules()]
    return blocks


def show(lines: Sequence[Mapping[str, Any]], config: str) -> str:
    """ "97.1 (95.0) [96.0, 98.0]" """
    chosen = [line for line in lines if line["config"] == config]
    if not chosen:
        return "–"
    values = [100 * line["exact_match"] for line in chosen]
    chains = 100 * sum(line["process_verified"] for line in chosen) / len(chosen)
    low, high = (
        (min(values), max(values))
        if len(values) > 1
        else (100 * end for end in chosen[0]["exact_match_interval"])
    )
    return f"{sum(values) / len(values):.1f} ({chains:.1f}) [{low:.0f}, {high:.0f}]"


def level_table(results: Results) -> Table:
    configs = results.configs("comp")
    rows = [[arm, *(show(results.of(arm), config) for config in configs)] for arm in results.arms]
    for name, *values in PAPER:
        known = dict(zip(("iid", "composition", "zeroshot"), values, strict=True))
        levels = [config.partition("_")[2] for config in configs]
        rows.append(
            [
                name,
                *("–" if known.get(level) is None else f"{known[level]:.1f}" for level in levels),
            ]
        )
    return Table(["arm", *(config.partition("_")[2] for config in configs)], rows)


def seed_table(results: Results) -> Table:
    configs = results.configs("comp")
    rows = []
    for arm in results.arms:
        for seed in results.seeds:
            lines = [line for line in results.of(arm) if line["seed"] == seed]
            if lines:
                rows.append([arm, str(seed), *(show(lines, config) for config in configs)])
    return Table(["arm", "seed", *(config.partition("_")[2] for config in configs)], rows)


def skill_table(results: Results) -> Table:
    configs = results.configs("mem") + results.configs("ctx")
    return Table(
        ["arm", *configs],
        [[arm, *(show(results.of(arm), config) for config in configs)] for arm in results.arms],
    )


def gain_table(results: Results) -> Table | None:
    rows = []
    for arm in results.arms:
        base = results.bases.get(arm, "")
        before, after = (
            percent(results.of(base), "comp_zeroshot"),
            percent(results.of(arm), "comp_zeroshot"),
        )
        if before is None or after is None:
            continue
        chains = [
            percent(results.of(name), "comp_zeroshot", "process_verified") or 0.0
            for name in (base, arm)
        ]
        rows.append(
            [
                base,
                arm.removeprefix(f"{base}_"),
                f"{before:.1f}",
                f"{after:.1f}",
                f"{after - before:+.1f}",
                f"{chains[1] - chains[0]:+.1f}",
            ]
        )
    return (
        Table(
            ["starting point", "then", "zero-shot before", "after", "gain", "gain in whole chains"],
            rows,
        )
        if rows
        else None
    )


def part_table(results: Results, part: str, config: str) -> Table | None:
    """A row an arm, a column for each group, hops or pattern: answers (chains), pooled over seeds."""
    parts: dict[str, dict[str, list[Mapping[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for line in results.lines:
        for key, values in line.get(f"by_{part}", {}).items():
            if line["config"] == config:
                parts[line["arm"]][key].append(values)
    keys = sorted({key for arm in parts.values() for key in arm})
    if not keys:
        return None

    def cell(values: list[Mapping[str, Any]]) -> str:
        count = sum(value["questions"] for value in values)
        if not count:
            return "–"
        mean = [
            100 * sum(value[m] * value["questions"] for value in values) / count
            for m in ("exact_match", "process_verified")
        ]
        return f"{mean[0]:.0f} ({mean[1]:.0f})"

    counts = {
        key: sum(value["questions"] for value in next(iter(parts.values())).get(key, []))
        for key in keys
    }
    return Table(
        ["arm", *(f"{key} (n={counts[key]})" for key in keys)],
        [
            [arm, *(cell(parts[arm].get(key, [])) for key in keys)]
            for arm in results.arms
            if arm in parts
        ],
    )


def error_table(results: Results, config: str = "comp_zeroshot") -> Table:
    rows = []
    for arm in results.arms:
        groups: dict[str, int] = defaultdict(int)
        kinds: dict[str, int] = defaultdict(int)
        early = total = 0
        for line in results.of(arm):
            if line["config"] != config:
                continue
            for place, count in line.get("first_error", {}).items():
                hop, hops = (int(number) for number in place.split("/"))
                early, total = early + count * (hop < hops / 2), total + count
            for group, count in line.get("failed_group", {}).items():
                groups[group] += count
            for kind, count in line.get("error_kinds", {}).items():
                kinds[kind] += count
        if total:
            common = ", ".join(
                f"{kind} {100 * count / sum(kinds.values()):.0f} %"
                for kind, count in sorted(kinds.items(), key=lambda item: -item[1])[:3]
            )
            half = f"{100 * early / total:.0f} %"
            rows.append(
                [
                    arm,
                    str(total),
                    half,
                    f"{100 * groups['parametric'] / max(1, sum(groups.values())):.0f} %",
                    common,
                ]
            )
    return Table(
        [
            "arm",
            "wrong chains",
            "first error in the first half",
            "at a recalled hop",
            "commonest kinds",
        ],
        rows,
    )


def gated_table(results: Results) -> Table | None:
    configs = results.configs("comp")
    rows = []
    for arm in results.arms:
        cells = []
        for config in configs:
            gated = [
                line["gated"]
                for line in results.of(arm)
                if line["config"] == config and line.get("gated", {}).get("questions")
            ]
            count = sum(value["questions"] for value in gated)
            mean = (
                sum(value["exact_match"] * value["questions"] for value in gated) / count
                if count
                else 0.0
            )
            cells.append(f"{100 * mean:.1f} (n={count})" if count else "–")
        rows.append([arm, show(results.of(arm), "probes").partition(" [")[0], *cells])
    head = ["arm", "single hops (probes)", *(config.partition("_")[2] for config in configs)]
    return Table(head, rows) if any(cell != "–" for row in rows for cell in row[2:]) else None


def passk_table(results: Results) -> Table:
    ks = sorted({int(k) for line in results.passk for k in line["answers"]})
    chosen = [k for k in ks if k in (1, 8, 32, 128, 512) or k == ks[-1]]
    rows = []
    for line in results.passk:
        cells = [
            f"{100 * line['answers'][str(k)]:.0f} ({100 * line['chains'][str(k)]:.0f})"
            if str(k) in line["answers"]
            else "–"
            for k in chosen
        ]
        solved = (
            str(len(line["base_unsolved_now_solved"]))
            if "base_unsolved_now_solved" in line
            else "base"
        )
        rows.append(
            [
                line["arm"],
                str(line["seed"]),
                *cells,
                str(line["gold_chain_log_likelihood"]),
                solved,
                line.get("reading", ""),
            ]
        )
    return Table(
        [
            "arm",
            "seed",
            *(f"pass@{k}" for k in chosen),
            "log-likelihood of the gold chain",
            "solved, base never",
            "reading",
        ],
        rows,
    )


def passk_rule() -> str:
    return (
        f"Reading: of the gain at k = 1 (at least {RL_GAIN:.0f} points, else no gain), less than a quarter left at the largest k is "
        "amplification (the curves merge), more than half is synthesis (they stay apart); "
        "saturated: the base solves nearly everything at the largest k."
    )


def run_table(results: Results) -> Table:
    rows = []
    for run in results.runs:
        speed = ", ".join(stage_speed(stage) for stage in run.get("stages", []))
        world = run["world"]
        rows.append(
            [
                run["arm"],
                str(run["seed"]),
                f"{world['preset']}, seed {world['seed']}",
                str(run.get("minutes", "")),
                speed,
                run.get("revision", ""),
            ]
        )
    return Table(["arm", "seed", "world", "minutes", "speed", "revision"], rows)


def stage_speed(stage: Mapping[str, Any]) -> str:
    """ "sft 0.45 s a step, 9,000 tokens/s"; a resumed stage knows no rate of tokens."""
    seconds = stage.get("seconds", 0.0) / max(1, stage.get("steps", 1))
    rate = f", {stage['tokens_per_second']:,} tokens/s" if stage.get("tokens_per_second") else ""
    return f"{stage['kind']} {seconds:.2f} s a step{rate}"


def commands(results: Results) -> list[Block]:
    found = dict.fromkeys(run["command"] for run in results.runs)
    versions = results.runs[0]["versions"] if results.runs else {}
    lines: list[Block] = [f"Command: `{command}`" for command in found]
    if versions:
        machine = results.runs[0].get("machine", {})
        lines.append(
            f"{', '.join(f'{name} {number}' for name, number in versions.items())}; "
            f"{machine.get('processor', '')}, {machine.get('threads', '?')} thread(s) a run."
        )
    return lines


def rules() -> str:
    return (
        f"Rules behind the sentences above: memorisation trap, I.I.D. over {TRAP_IID:.0f} and zero-shot under {TRAP_ZEROSHOT:.0f}; "
        f"RL adds nothing, under {RL_GAIN:.0f} points; wrong chains, answers 15 points above chains; "
        "no bridge, over 60 % of first errors in the first half of the chain and zero-shot under 50."
    )
