"""The pictures of a report, as PNG and SVG.

They are readable in black and white: hatches, markers and line styles carry what colour carries.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from bioreason_bench.escaping import plot_text
from bioreason_bench.experiments import pass_curves
from bioreason_bench.experiments.claims import CHAINS, MARGIN, findings_of
from bioreason_bench.experiments.evidence import Evidence
from bioreason_bench.experiments.report.tables import estimate_of, level_of
from bioreason_bench.experiments.results import Line, sweep_number
from bioreason_bench.figure_style import DASHES, FAINT, GREYS, INK, MARKERS, pyplot, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HATCHES = ("", "//", "..", "xx", "--", "oo")
PARTS = {  # part of an arm's name -> its name in a picture
    "sft": "SFT",
    "sft_comp": "SFT(comp)",
    "sft_comp_atoms": "SFT(comp + 1-hop)",
    "sft_mem": "SFT(mem)",
    "sft_ctx": "SFT(ctx)",
    "sft_mem_ctx": "SFT(mem+ctx)",
    "sft_mem_ctx_beside": "SFT(mem+ctx, beside)",
    "sft_mem_ctx_comp": "SFT(mem+ctx+comp)",
    "grpo": "GRPO",
    "grpo_atoms": "GRPO(atoms)",
    "grpo_nested": "GRPO(nested)",
    "grpo_overlapping": "GRPO(overlapping)",
    "grpo_disjoint": "GRPO(disjoint)",
    "grpo_composite": "GRPO(composite reward)",
    "grpo_process": "GRPO(process reward)",
    "gold": "gold chains",
    "skills": "both skills",
    "rft": "RFT",
}
StepValues = defaultdict[int, list[float]]  # step -> a value of each run
LOGARITHMIC = 8  # the ratio of values of a setting above which its axis is
SHOWN_LEVELS = 4  # panels of the picture of levels


def draw_all(evidence: Evidence, out: Path) -> dict[str, str]:
    """Draw what the results allow into `out`; returns name of the picture -> file of its PNG."""
    files = {}
    for draw in (levels, claims, patterns, errors, passk, sweep, curves):
        name, figure = draw.__name__, draw(evidence)
        if figure is not None:
            figure.tight_layout()
            save_figure(figure, out / name)
            pyplot().close(figure)
            files[name] = f"{name}.png"
    return files


def arm_label(arm: str) -> str:
    """The name of an arm in a picture: "SFT(mem+ctx), then GRPO"."""
    name, sign, value = arm.partition("=")
    parts = [PARTS.get(part) or plot_text(part) for part in name.split("+")]
    return ", then ".join(parts) + (f" = {plot_text(value)}" if sign else "")


def line_style(number: int, *, marked: bool = True) -> dict[str, Any]:
    """How the number-th line of a picture is drawn."""
    style: dict[str, Any] = {
        "color": INK,
        "linestyle": DASHES[number % len(DASHES)],
        "linewidth": 1,
    }
    if marked:
        marker = MARKERS[number % len(MARKERS)]
        style |= {"marker": marker, "markerfacecolor": "white", "markersize": 5}
    return style


def legend_on_the_right(axes: Axes) -> None:
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))


def legend_above(axes: Axes, columns: int) -> None:
    axes.legend(frameon=False, ncols=columns, loc="lower center", bbox_to_anchor=(0.5, 1.0))


def levels(evidence: Evidence) -> Figure | None:
    """A panel for each level, a row for each arm: whole chains filled, answers hollow."""
    configs, arms = evidence.composed[:SHOWN_LEVELS], evidence.arms
    if not configs or not arms:
        return None
    size = (2.4 * len(configs) + 2.6, 0.34 * len(arms) + 1.3)
    figure, panels = pyplot().subplots(1, len(configs), figsize=size, squeeze=False, sharey=True)
    for axes, config in zip(panels[0], configs, strict=True):
        for row, arm in enumerate(arms):
            _level_row(axes, row, evidence, arm, config)
        axes.set_title(level_of(config), fontsize=10)
        axes.set_xlim(-3, 103)
        axes.set_xticks(range(0, 101, 25))
        axes.grid(axis="x", color=FAINT, linewidth=0.3)
    panels[0][0].set_yticks(range(len(arms)), [arm_label(arm) for arm in arms], fontsize=8)
    panels[0][0].set_ylim(len(arms) - 0.5, -0.5)
    figure.supxlabel("questions, %: whole chains (filled), answers (hollow)", fontsize=9)
    return figure


def _level_row(axes: Axes, row: int, evidence: Evidence, arm: str, config: str) -> None:
    """One arm on one level: the interval and mean of whole chains, and the mean of answers."""
    chains = estimate_of(evidence, arm, config, CHAINS)
    answers = estimate_of(evidence, arm, config, "exact_match")
    if chains is None or answers is None:
        return
    if not math.isnan(chains.low):
        axes.plot([100 * chains.low, 100 * chains.high], [row, row], color=INK, linewidth=1.4)
    axes.plot([100 * answers.value], [row], "o", color=INK, markerfacecolor="white", markersize=6)
    axes.plot([100 * chains.value], [row], "o", color=INK, markersize=4.5)


def claims(evidence: Evidence) -> Figure | None:
    """A row for each claim: the difference over worlds, its interval, and the margin shaded."""
    found = [
        (finding, finding.test) for finding in findings_of(evidence) if finding.test is not None
    ]
    if not found:
        return None
    figure, axes = pyplot().subplots(figsize=(9.0, 0.4 * len(found) + 1.1))
    axes.axvspan(-100 * MARGIN, 100 * MARGIN, color=GREYS[3], linewidth=0)
    axes.axvline(0, color=INK, linewidth=0.8)
    labels = []
    for row, (finding, test) in enumerate(found):
        if not math.isnan(test.low):
            axes.plot([100 * test.low, 100 * test.high], [row, row], color=INK, linewidth=1.4)
        decided = finding.verdict in ("ahead", "behind")
        axes.plot(
            [100 * test.value], [row], "o", color=INK, markerfacecolor=INK if decided else "white"
        )
        names = f"{arm_label(finding.claim.second)} − {arm_label(finding.claim.first)}"
        level = " / ".join(dict.fromkeys(map(level_of, reversed(finding.claim.configs))))
        labels.append(f"{names}\n{plot_text(level)}: {finding.verdict}")
    axes.set_yticks(range(len(found)), labels, fontsize=7)
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.set_xlabel("difference, points (95 % interval over worlds)")
    return figure


def patterns(evidence: Evidence) -> Figure | None:
    """Whole chains on zeroshot: a cell for each arm and pattern, darker for more."""
    parts: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in evidence.lines:
        if line["config"] == evidence.zeroshot:
            for pattern, part in line.get("by_pattern", {}).items():
                parts[line["arm"], pattern].append(part)
    columns = sorted({pattern for _, pattern in parts}, key=lambda name: (len(name), name))
    arms = [arm for arm in evidence.arms if any((arm, pattern) in parts for pattern in columns)]
    if len(columns) < 2:
        return None
    shares = [[_pooled_chains(parts.get((arm, name), [])) for name in columns] for arm in arms]
    size = (0.62 * len(columns) + 3.0, 0.42 * len(arms) + 1.0)
    figure, axes = pyplot().subplots(figsize=size)
    axes.imshow(
        shares, cmap="Greys", vmin=0, vmax=140, aspect="auto"
    )  # 140: the text stays legible
    for row, values in enumerate(shares):
        for column, value in enumerate(values):
            if not math.isnan(value):
                color = "white" if value > 75 else INK
                axes.text(column, row, f"{value:.0f}", ha="center", va="center", color=color)
    axes.set_xticks(range(len(columns)), list(map(plot_text, columns)))
    axes.set_yticks(range(len(arms)), [arm_label(arm) for arm in arms])
    axes.tick_params(length=0)
    axes.xaxis.tick_top()
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    return figure


def _pooled_chains(parts: Sequence[Line]) -> float:
    """Whole chains in percent over parts of different sizes; NaN without questions."""
    count = sum(part["questions"] for part in parts)
    right = sum(part["process_verified"] * part["questions"] for part in parts)
    return 100 * right / count if count else float("nan")


def errors(evidence: Evidence) -> Figure | None:
    """Stacked bars: at which hop the chains on zeroshot go wrong first, in percent of questions."""
    counts: dict[str, Counter[int]] = defaultdict(Counter)
    asked: Counter[str] = Counter()
    for line in evidence.lines:
        if line["config"] == evidence.zeroshot:
            asked[line["arm"]] += line["questions"]
            for position, count in line.get("first_error", {}).items():  # "0/3"
                counts[line["arm"]][int(position.partition("/")[0]) + 1] += count
    arms = [arm for arm in evidence.arms if counts[arm].total()]
    if not arms:
        return None
    hops = sorted({hop for arm in arms for hop in counts[arm]})
    figure, axes = pyplot().subplots(figsize=(8.0, 0.34 * len(arms) + 1.3))
    floor = [0.0] * len(arms)
    step = "hop" if evidence.of_people else "step"
    for number, hop in enumerate(hops):
        heights = [100 * counts[arm][hop] / asked[arm] for arm in arms]
        style = {
            "color": GREYS[min(number + 1, len(GREYS) - 1)],
            "edgecolor": INK,
            "hatch": HATCHES[number % len(HATCHES)],
        }
        axes.barh(range(len(arms)), heights, 0.6, left=floor, label=f"{step} {hop}", **style)
        floor = [low + height for low, height in zip(floor, heights, strict=True)]
    axes.set_yticks(range(len(arms)), [arm_label(arm) for arm in arms], fontsize=8)
    axes.set_ylim(len(arms) - 0.5, -0.5)
    axes.set_xlim(0, 103)
    axes.set_xlabel("first error at, % of questions")
    legend_above(axes, len(hops))
    return figure


def passk(evidence: Evidence) -> Figure | None:
    """pass@k of whole chains and of answers with 95 % bands, a line for each arm."""
    if not evidence.passk:
        return None
    figure, panels = pyplot().subplots(1, 2, figsize=(12.5, 4.0), sharey=True)
    titles = {"chains": "whole chains", "answers": "answers"}
    for axes, (measure, title) in zip(panels, titles.items(), strict=True):
        for number, curve in enumerate(pass_curves.curves(evidence, measure)):
            means = [100 * mean for mean in curve.means]
            axes.plot(curve.ks, means, label=arm_label(curve.arm), **line_style(number))
            low, high = ([100 * end for end in ends] for ends in zip(*curve.band(), strict=True))
            axes.fill_between(curve.ks, low, high, color=INK, alpha=0.1, linewidth=0)
        _log2_axis(axes)
        axes.set_ylim(-3, 103)
        axes.set_xlabel("k")
        axes.set_title(title, fontsize=10)
    panels[0].set_ylabel(f"pass@k, % of {plot_text(_asked(evidence))} questions")
    legend_on_the_right(panels[1])
    return figure


def _asked(evidence: Evidence) -> str:
    """The test sets of the pass@k curves."""
    return ", ".join(
        dict.fromkeys(level_of(line.get("config", evidence.zeroshot)) for line in evidence.passk)
    )


def _log2_axis(axes: Axes) -> None:
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")


Point = tuple[float, str]  # value of the setting, arm


def sweep(evidence: Evidence) -> Figure | None:
    """Whole chains on each level along each sweep; sweeps of the same values also together."""
    points: dict[str, list[Point]] = defaultdict(list)
    for arm in evidence.arms:
        name, _, value = arm.partition("=")
        if (number := sweep_number(value)) is not None:
            points[name].append((number, arm))
    configs = evidence.composed
    panels = [
        (name, {config.partition("_")[2]: (points[name], config) for config in configs})
        for name in points
    ]
    same_values: dict[tuple[float, ...], list[str]] = defaultdict(list)
    for name, sweep_points in points.items():
        same_values[tuple(sorted(value for value, _ in sweep_points))].append(name)
    panels += [
        ("zeroshot", {name: (points[name], evidence.zeroshot) for name in names})
        for names in same_values.values()
        if len(names) > 1
    ]
    if not panels:
        return None
    size = (4.2 * len(panels), 3.8)
    figure, grid = pyplot().subplots(1, len(panels), figsize=size, squeeze=False, sharey=True)
    for number, (axes, (title, lines)) in enumerate(zip(grid[0], panels, strict=True), 1):
        _sweep_panel(evidence, axes, lines)
        axes.set_title(plot_text(title), fontsize=10)
        if number >= len(points):  # the panels of single sweeps share their labels
            legend_on_the_right(axes)
    grid[0][0].set_ylabel(f"{evidence.skill}, whole chains, %")
    return figure


def _sweep_panel(evidence: Evidence, axes: Axes, lines: dict[str, tuple[list[Point], str]]) -> None:
    """One panel; `lines` maps the label of a line to its points and its test set."""
    for number, (label, (points, config)) in enumerate(lines.items()):
        style = {"label": plot_text(label), **line_style(number)}
        known = [
            (value, mean)
            for value, arm in sorted(points)
            if (mean := estimate_of(evidence, arm, config, CHAINS)) is not None
        ]
        axes.plot([value for value, _ in known], [100 * mean.value for _, mean in known], **style)
        for value, mean in known:
            axes.plot([value] * 2, [100 * mean.low, 100 * mean.high], color=INK, linewidth=0.8)
    values = sorted({value for points, _ in lines.values() for value, _ in points})
    if values[0] > 0 and values[-1] / values[0] > LOGARITHMIC:
        axes.set_xscale("log")
        axes.set_xticks(values, [f"{value:g}" for value in values])
        axes.minorticks_off()
    axes.set_xlabel("value of the setting")
    axes.set_ylim(-3, 103)


def curves(evidence: Evidence) -> Figure | None:
    """Loss of the SFT stage and reward of the GRPO stage that an arm ends with, mean over runs."""
    losses: dict[str, StepValues] = {}
    rewards: dict[str, StepValues] = {}
    for run in evidence.runs:
        rows = run.get("curve") or []
        if not rows or "=" in run["arm"]:
            continue
        last = [row for row in rows if row.get("stage") == rows[-1].get("stage")]
        of_reward = any("reward" in row for row in last)
        if not of_reward and "+" in run["arm"]:
            continue
        lines, key = (rewards, "reward") if of_reward else (losses, "loss")
        for row in last:
            if key in row:
                points = lines.setdefault(arm_label(run["arm"]), defaultdict(list))
                points[row["step"]].append(row[key])
    panels = {"loss": losses, "reward (share of right answers)": rewards}
    drawn = {title: lines for title, lines in panels.items() if lines}
    if not drawn:
        return None
    size = (4.8 * len(drawn), 4.4)
    figure, grid = pyplot().subplots(1, len(drawn), figsize=size, squeeze=False)
    for axes, (title, lines) in zip(grid[0], drawn.items(), strict=True):
        for label, points in lines.items():
            style = line_style(len(axes.lines), marked=lines is rewards)
            runs = max(map(len, points.values()))  # a run that was interrupted has further steps
            steps = sorted(step for step, values in points.items() if len(values) == runs)
            means = [fmean(points[step]) for step in steps]
            axes.plot(steps, means, label=label, **style)
        if lines is losses:
            axes.set_yscale("log")
        else:
            axes.set_ylim(-0.03, 1.03)
        axes.set_ylabel(title)
        axes.set_xlabel("step of the last stage")
        axes.set_xlim(left=0)
        axes.legend(frameon=False, fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return figure
