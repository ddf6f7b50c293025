"""The pictures of a report, as PNG and SVG.

They are readable in black and white: hatches, markers and line styles carry what colour carries.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench.escaping import plot_text
from bioreason_bench.experiments.findings import ZEROSHOT, percent
from bioreason_bench.experiments.results import Line, Results, sweep_number
from bioreason_bench.figure_style import DASHES, GREYS, INK, MARKERS, pyplot, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HATCHES = ("", "//", "..", "xx", "--", "oo")
FIRST_STAGE = {  # arm -> its name in a picture; a longer arm adds a stage of SECOND_STAGE
    "sft_comp": "SFT(comp)",
    "sft_mem": "SFT(mem)",
    "sft_ctx": "SFT(ctx)",
    "sft_mem_ctx": "SFT(mem+ctx)",
    "sft_two_hop": "SFT(mem+ctx\n+ 2-hop comp)",
    "grpo_inside": "SFT(mem+ctx\n+ 2-hop comp)\n+ GRPO(2-hop)",
    "grpo_outside": "SFT(mem+ctx\n+ 2-hop comp)\n+ GRPO(3-hop)",
    "atoms": "SFT(1-hop)\n+ GRPO",
    "grpo_atoms": "SFT(mem+ctx)\n+ GRPO(1-hop)",
}
SECOND_STAGE = {
    "grpo": "GRPO",
    "rft": "RFT",
    "sft": "SFT(comp)",
    "sft_answers": "SFT(comp answers)",
    "answers": "answers only",
}


def draw_all(results: Results, out: Path) -> dict[str, str]:
    """Draw what the results allow into `out`; returns name of the picture -> file of its PNG."""
    files = {}
    for draw in (levels, gain, patterns, errors, passk, sweep, curves):
        name, figure = draw.__name__, draw(results)
        if figure is not None:
            figure.tight_layout()
            save_figure(figure, out / name)
            pyplot().close(figure)
            files[name] = f"{name}.png"
    return files


def arm_name(arm: str) -> str:
    """The name of an arm in a picture: its stages, one in a line."""
    if arm in FIRST_STAGE:
        return FIRST_STAGE[arm]
    for first in sorted(FIRST_STAGE, key=len, reverse=True):
        if arm.startswith(f"{first}_"):
            second = arm.removeprefix(f"{first}_")
            return f"{FIRST_STAGE[first]}\n+ {SECOND_STAGE.get(second) or plot_text(second)}"
    return plot_text(arm)


def arm_label(arm: str) -> str:
    """The name of an arm in one line, for a legend."""
    return arm_name(arm).replace("\n", " ")


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


def single_arms(results: Results) -> list[str]:
    """The arms that are no point of a sweep."""
    return [arm for arm in results.arms if "=" not in arm]


def legend_on_the_right(axes: Axes) -> None:
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))


def legend_above(axes: Axes, columns: int) -> None:
    axes.legend(frameon=False, ncols=columns, loc="lower center", bbox_to_anchor=(0.5, 1.0))


def levels(results: Results) -> Figure | None:
    """Grouped bars: a group for each arm, a bar for each level, the whole chains hatched."""
    configs, arms = results.configs("comp"), single_arms(results)
    if not configs or not arms:
        return None
    figure, axes = pyplot().subplots(figsize=(max(7.0, 1.75 * len(arms)), 4.2))
    width = 0.8 / len(configs)
    for number, config in enumerate(configs):
        level = config.partition("_")[2]
        axes.bar([0], [0], color=GREYS[number + 1], edgecolor=INK, linewidth=0.8, label=level)
        offset = (number - (len(configs) - 1) / 2) * width
        for index, arm in enumerate(arms):
            lines = [line for line in results.of(arm) if line["config"] == config]
            if lines:
                _level_bar(axes, index + offset, lines, 0.92 * width, GREYS[number + 1])
    axes.bar([0], [0], color="white", edgecolor=INK, hatch="////", label="whole chain right")
    axes.set_xticks(range(len(arms)), [arm_name(arm) for arm in arms])
    axes.set_ylim(0, 112)
    axes.set_yticks(range(0, 101, 20))
    axes.set_ylabel("questions answered, %")
    legend_above(axes, len(configs) + 1)
    return figure


def _level_bar(axes: Axes, x: float, lines: Sequence[Line], width: float, color: str) -> None:
    """One bar: mean answers, mean whole chains hatched, and a dot for each seed."""
    answers = [100 * line["exact_match"] for line in lines]
    chains = [100 * line["process_verified"] for line in lines]
    mean, mean_chains = sum(answers) / len(answers), sum(chains) / len(chains)
    axes.bar(x, mean, width, color=color, edgecolor=INK, linewidth=0.8)
    axes.bar(x, mean_chains, width, color="none", edgecolor=INK, linewidth=0.0, hatch="////")
    if len(answers) > 1:
        dots: dict[str, Any] = {
            "color": INK,
            "markersize": 4,
            "markeredgecolor": "white",
            "markeredgewidth": 0.6,
        }
        axes.plot([x] * len(answers), answers, "o", zorder=3, **dots)
    axes.text(x, max(answers) + 2.5, f"{mean:.0f}", ha="center", fontsize=8)


def gain(results: Results) -> Figure | None:
    """Zeroshot before and after GRPO, a line for each starting point."""
    pairs = [
        (results.bases[arm], arm)
        for arm in results.arms
        if results.bases.get(arm) in results.arms and arm.endswith("_grpo")
    ]
    if len(pairs) < 2:
        return None
    figure, axes = pyplot().subplots(figsize=(6.2, 3.8))
    for number, (base, arm) in enumerate(pairs):
        values = [percent(results.of(name), ZEROSHOT) for name in (base, arm)]
        if None not in values:
            axes.plot([0, 1], values, label=arm_label(base), **line_style(number))
    axes.set_xticks([0, 1], ["before GRPO", "after GRPO"])
    axes.set_xlim(-0.2, 1.2)
    axes.set_ylim(-3, 103)
    axes.set_ylabel("zeroshot answers, %")
    legend_on_the_right(axes)
    return figure


def patterns(results: Results) -> Figure | None:
    """Whole chains on zeroshot: a cell for each arm and pattern, darker for more."""
    parts: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in results.lines:
        if line["config"] == ZEROSHOT and "=" not in line["arm"]:
            for pattern, part in line.get("by_pattern", {}).items():
                parts[line["arm"], pattern].append(part)
    columns = sorted({pattern for _, pattern in parts}, key=lambda name: (len(name), name))
    arms = [arm for arm in results.arms if any((arm, pattern) in parts for pattern in columns)]
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


def errors(results: Results) -> Figure | None:
    """Stacked bars: at which hop the chains on zeroshot go wrong first, in percent of questions."""
    counts: dict[str, Counter[int]] = defaultdict(Counter)
    asked: Counter[str] = Counter()
    for line in results.lines:
        if line["config"] == ZEROSHOT and "=" not in line["arm"]:
            asked[line["arm"]] += line["questions"]
            for position, count in line.get("first_error", {}).items():  # "0/3"
                counts[line["arm"]][int(position.partition("/")[0]) + 1] += count
    arms = [arm for arm in results.arms if counts[arm].total()]
    if not arms:
        return None
    hops = sorted({hop for arm in arms for hop in counts[arm]})
    figure, axes = pyplot().subplots(figsize=(max(6.0, 1.5 * len(arms)), 3.8))
    floor = [0.0] * len(arms)
    for number, hop in enumerate(hops):
        heights = [100 * counts[arm][hop] / asked[arm] for arm in arms]
        style = {
            "color": GREYS[min(number + 1, len(GREYS) - 1)],
            "edgecolor": INK,
            "hatch": HATCHES[number % len(HATCHES)],
        }
        axes.bar(range(len(arms)), heights, 0.6, bottom=floor, label=f"hop {hop}", **style)
        floor = [low + height for low, height in zip(floor, heights, strict=True)]
    axes.set_xticks(range(len(arms)), [arm_name(arm) for arm in arms], fontsize=8)
    axes.set_ylim(0, 103)
    axes.set_ylabel("first error at, % of questions")
    legend_above(axes, len(hops))
    return figure


def passk(results: Results) -> Figure | None:
    """pass@k of answers and of whole chains, a line for each arm, mean over the seeds."""
    if not results.passk:
        return None
    figure, panels = pyplot().subplots(1, 2, figsize=(11.5, 3.8), sharey=True)
    arms = list(dict.fromkeys(line["arm"] for line in results.passk))
    for axes, (metric, title) in zip(
        panels, {"answers": "answers", "chains": "whole chains"}.items(), strict=True
    ):
        for number, arm in enumerate(arms):
            lines = [line for line in results.passk if line["arm"] == arm]
            ks = sorted(int(k) for k in lines[0][metric])
            values = [100 * sum(line[metric][str(k)] for line in lines) / len(lines) for k in ks]
            axes.plot(ks, values, label=arm_label(arm), **line_style(number))
        _log2_axis(axes)
        axes.set_ylim(-3, 103)
        axes.set_xlabel("k")
        axes.set_title(title, fontsize=10)
    panels[0].set_ylabel("pass@k, % of zeroshot questions")
    legend_on_the_right(panels[1])
    return figure


def _log2_axis(axes: Axes) -> None:
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")


Point = tuple[float, str]  # value of the setting, arm


def sweep(results: Results) -> Figure | None:
    """Answers on the comp levels along each sweep; sweeps of the same values also together."""
    points: dict[str, list[Point]] = defaultdict(list)
    for arm in results.arms:
        name, _, value = arm.partition("=")
        if (number := sweep_number(value)) is not None:
            points[name].append((number, arm))
    configs = results.configs("comp")
    panels = [
        (name, {config.partition("_")[2]: (points[name], config) for config in configs})
        for name in points
    ]
    same_values: dict[tuple[float, ...], list[str]] = defaultdict(list)
    for name, sweep_points in points.items():
        same_values[tuple(sorted(value for value, _ in sweep_points))].append(name)
    panels += [
        ("zeroshot", {name: (points[name], ZEROSHOT) for name in names})
        for names in same_values.values()
        if len(names) > 1
    ]
    if not panels:
        return None
    size = (4.2 * len(panels), 3.8)
    figure, grid = pyplot().subplots(1, len(panels), figsize=size, squeeze=False, sharey=True)
    for axes, (title, lines) in zip(grid[0], panels, strict=True):
        _sweep_panel(results, axes, lines)
        axes.set_title(plot_text(title), fontsize=10)
    grid[0][0].set_ylabel("comp answers, %")
    return figure


def _sweep_panel(results: Results, axes: Axes, lines: dict[str, tuple[list[Point], str]]) -> None:
    """One panel; `lines` maps the label of a line to its points and its test set."""
    for number, (label, (points, config)) in enumerate(lines.items()):
        curve = [(value, percent(results.of(arm), config)) for value, arm in sorted(points)]
        axes.plot(*zip(*curve, strict=True), label=plot_text(label), **line_style(number))
    values = [value for points, _ in lines.values() for value, _ in points]
    if max(values) / max(min(values), 1) > 16:
        _log2_axis(axes)
    axes.set_xlabel("value of the setting")
    axes.set_ylim(-3, 103)
    axes.legend(frameon=False, loc="lower left")


def curves(results: Results) -> Figure | None:
    """Loss of supervised stages and reward of GRPO by step, first seed."""
    runs = [
        run
        for run in results.runs
        if run.get("curve") and run["seed"] == results.seeds[0] and "=" not in run["arm"]
    ]
    if not runs:
        return None
    figure, (left, right) = pyplot().subplots(1, 2, figsize=(9.5, 4.4))
    for run in runs:
        label = arm_label(run["arm"])
        rewards = [(row["step"], row["reward"]) for row in run["curve"] if "reward" in row]
        losses = [
            (row["step"], row["loss"])
            for row in run["curve"]
            if "reward" not in row and "loss" in row
        ]
        if losses and run["arm"] not in results.bases:
            style = line_style(len(left.lines), marked=False)
            left.plot(*zip(*losses, strict=True), label=label, **style)
        if rewards:
            right.plot(*zip(*rewards, strict=True), label=label, **line_style(len(right.lines)))
    left.set_yscale("log")
    left.set_ylabel("loss")
    right.set_ylabel("reward (share of right answers)")
    right.set_ylim(-0.03, 1.03)
    for axes in (left, right):
        axes.set_xlabel("step")
        axes.set_xlim(left=0)
        if axes.lines:
            axes.legend(frameon=False, fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return figure
