"""The report's pictures, PNG and SVG: readable in black and white (hatches, markers and line styles, not colour alone)."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench.errors import MissingExtra

if TYPE_CHECKING:
    from bioreason_bench.experiments.results import Results

GREYS = ("#1b1b1b", "#5f6f8f", "#a9b7cf", "#dfe5ee", "#ffffff")
STYLES = ("-", "--", "-.", ":", (0, (5, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


def plt() -> Any:
    try:
        import matplotlib as mpl
    except ModuleNotFoundError:
        raise MissingExtra("matplotlib", "plot") from None
    mpl.use("Agg")
    from matplotlib import pyplot  # noqa: ICN001 - plt is this function

    pyplot.rcParams.update(
        {
            "font.size": 10,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "figure.dpi": 110,
            "svg.hashsalt": "bioreason",
            "hatch.linewidth": 0.7,
        }
    )
    return pyplot


def arm_name(arm: str) -> str:
    """ "sft_mem_ctx_grpo" as a person writes it."""
    known = {
        "sft_comp": "SFT(comp)", "sft_mem": "SFT(mem)", "sft_ctx": "SFT(ctx)", "sft_mem_ctx": "SFT(mem+ctx)",
    }  # fmt: skip
    for base in sorted(known, key=len, reverse=True):
        if arm == base:
            return known[base]
        if arm.startswith(f"{base}_"):
            rest = arm[len(base) + 1 :]
            more = {
                "grpo": "GRPO",
                "rft": "RFT",
                "sft": "SFT(comp)",
                "sft_answers": "SFT(comp answers)",
                "answers": "answers only",
            }.get(rest, rest)
            return f"{known[base]}\n+ {more}"
    return arm


def draw_all(results: Results, out: Path) -> dict[str, str]:
    """Draws what the results allow; name of the picture -> file name of its PNG."""
    drawn = {}
    for draw in (levels, gain, patterns, errors, passk, ladder, curves):
        name, figure = draw.__name__, draw(results)
        if figure is not None:
            figure.tight_layout()
            figure.savefig(out / f"{name}.png", dpi=150)
            figure.savefig(out / f"{name}.svg", metadata={"Date": None})
            plt().close(figure)
            drawn[name] = f"{name}.png"
    return drawn


def line_style(number: int, arm: str) -> dict[str, Any]:
    """The look of the number-th line of a picture."""
    return {
        "color": "black",
        "linestyle": STYLES[number % len(STYLES)],
        "linewidth": 1,
        "marker": MARKERS[number % len(MARKERS)],
        "markerfacecolor": "white",
        "markersize": 5,
        "label": arm_name(arm).replace("\n", " "),
    }


def levels(results: Results) -> Any:
    """Grouped bars: arms, a bar a level; the part whose whole chain is right is hatched."""
    configs = results.configs("comp")
    arms = [arm for arm in results.arms if "=" not in arm]
    if not configs or not arms:
        return None
    figure, axes = plt().subplots(figsize=(max(7.0, 1.75 * len(arms)), 4.2))
    width = 0.8 / len(configs)
    for number, config in enumerate(configs):
        for place, arm in enumerate(arms):
            lines = [line for line in results.of(arm) if line["config"] == config]
            if not lines:
                continue
            x = place + (number - (len(configs) - 1) / 2) * width
            answers = [100 * line["exact_match"] for line in lines]
            chains = [100 * line["process_verified"] for line in lines]
            mean = sum(answers) / len(answers)
            label = config.partition("_")[2] if place == 0 else None
            axes.bar(
                x,
                mean,
                width * 0.92,
                color=GREYS[number + 1],
                edgecolor="black",
                linewidth=0.8,
                label=label,
            )
            axes.bar(
                x,
                sum(chains) / len(chains),
                width * 0.92,
                color="none",
                edgecolor="black",
                linewidth=0.0,
                hatch="////",
            )
            if len(answers) > 1:
                axes.plot([x] * len(answers), answers, "o", color="black", markersize=3, zorder=3)
            axes.text(x, max([mean, *answers]) + 1.5, f"{mean:.0f}", ha="center", fontsize=8)
    axes.bar([0], [0], color="white", edgecolor="black", hatch="////", label="whole chain right")
    axes.set_xticks(range(len(arms)), [arm_name(arm) for arm in arms])
    axes.set_ylim(0, 112)
    axes.set_yticks(range(0, 101, 20))
    axes.set_ylabel("questions answered, %")
    axes.legend(
        ncols=len(configs) + 1, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0)
    )
    return figure


def gain(results: Results) -> Any:
    """Zero-shot before and after, a line for each starting point."""
    from bioreason_bench.experiments.findings import percent

    pairs = [
        (results.bases[arm], arm)
        for arm in results.arms
        if results.bases.get(arm) in results.arms and arm.endswith("_grpo")
    ]
    if len(pairs) < 2:
        return None
    figure, axes = plt().subplots(figsize=(5.2, 3.8))
    for number, (base, arm) in enumerate(pairs):
        values = [percent(results.of(name), "comp_zeroshot") for name in (base, arm)]
        if None not in values:
            axes.plot(
                [0, 1],
                values,
                color="black",
                linestyle=STYLES[number % len(STYLES)],
                marker=MARKERS[number],
                markerfacecolor="white",
                label=arm_name(base),
            )
    axes.set_xticks([0, 1], ["before GRPO", "after GRPO"])
    axes.set_xlim(-0.2, 1.2)
    axes.set_ylim(0, 100)
    axes.set_ylabel("zero-shot answers, %")
    axes.legend(frameon=False)
    return figure


def patterns(results: Results) -> Any:
    """Whole chains on zero-shot by pattern, a line an arm."""
    values: dict[str, dict[str, list[tuple[float, int]]]] = defaultdict(lambda: defaultdict(list))
    for line in results.lines:
        if line["config"] == "comp_zeroshot" and "=" not in line["arm"]:
            for pattern, part in line.get("by_pattern", {}).items():
                values[line["arm"]][pattern].append(
                    (100 * part["process_verified"], part["questions"])
                )
    found = sorted(
        {pattern for arm in values.values() for pattern in arm},
        key=lambda pattern: (len(pattern), pattern),
    )
    if len(found) < 2:
        return None
    figure, axes = plt().subplots(figsize=(max(6.0, 0.8 * len(found) + 3), 4.0))
    for number, arm in enumerate(arm for arm in results.arms if arm in values):
        points = []
        for pattern in found:
            parts = values[arm].get(pattern, [])
            count = sum(size for _, size in parts)
            points.append(
                sum(value * size for value, size in parts) / count if count else float("nan")
            )
        axes.plot(range(len(found)), points, **line_style(number, arm))
    axes.set_xticks(range(len(found)), found)
    axes.set_ylim(-3, 103)
    axes.set_ylabel("whole chains right, %")
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def errors(results: Results) -> Any:
    """Stacked bars: of the wrong chains on zero-shot, at which hop they go wrong first."""
    counts: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for line in results.lines:
        if line["config"] == "comp_zeroshot" and "=" not in line["arm"]:
            for place, count in line.get("first_error", {}).items():
                counts[line["arm"]][int(place.partition("/")[0]) + 1] += count
    arms = [arm for arm in results.arms if sum(counts[arm].values())]
    if not arms:
        return None
    hops = sorted({hop for arm in arms for hop in counts[arm]})
    figure, axes = plt().subplots(figsize=(max(6.0, 1.4 * len(arms)), 3.8))
    asked = {
        arm: sum(line["questions"] for line in results.of(arm) if line["config"] == "comp_zeroshot")
        for arm in arms
    }
    floor = [0.0] * len(arms)
    for number, hop in enumerate(hops):
        heights = [100 * counts[arm][hop] / asked[arm] for arm in arms]
        hatch = ("", "//", "..", "xx", "--", "oo")[number % 6]
        axes.bar(
            range(len(arms)),
            heights,
            0.6,
            bottom=floor,
            color=GREYS[min(number + 1, 4)],
            edgecolor="black",
            hatch=hatch,
            label=f"hop {hop}",
        )
        floor = [low + height for low, height in zip(floor, heights, strict=True)]
    axes.set_xticks(range(len(arms)), [arm_name(arm) for arm in arms], fontsize=8)
    axes.set_ylabel("first error at, % of questions")
    axes.legend(frameon=False, ncols=len(hops), loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return figure


def passk(results: Results) -> Any:
    """pass@k, answers and whole chains side by side, mean over seeds."""
    if not results.passk:
        return None
    figure, both = plt().subplots(1, 2, figsize=(9.5, 3.8), sharey=True)
    arms = list(dict.fromkeys(line["arm"] for line in results.passk))
    for axes, metric in zip(both, ("answers", "chains"), strict=True):
        for number, arm in enumerate(arms):
            lines = [line for line in results.passk if line["arm"] == arm]
            ks = sorted(int(k) for k in lines[0][metric])
            values = [100 * sum(line[metric][str(k)] for line in lines) / len(lines) for k in ks]
            axes.plot(ks, values, **line_style(number, arm))
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter(lambda k, _: f"{k:g}")
        axes.set_ylim(0, 103)
        axes.set_xlabel("k")
        axes.set_title("answers" if metric == "answers" else "whole chains", fontsize=10)
    both[0].set_ylabel("pass@k, % of zero-shot questions")
    both[1].legend(frameon=False, fontsize=8)
    return figure


def ladder(results: Results) -> Any:
    """Comp levels along each ladder of settings (portions, few-shot, mixing); ladders of the same values also side by side on zero-shot."""
    rungs: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for arm in results.arms:
        name, sign, value = arm.partition("=")
        if sign:
            rungs[name].append((float(value), arm))
    panels = [
        (name, {config.partition("_")[2]: (found, config) for config in results.configs("comp")})
        for name, found in rungs.items()
    ]
    alike: dict[tuple[float, ...], list[str]] = defaultdict(list)
    for name, found in rungs.items():
        alike[tuple(sorted(value for value, _ in found))].append(name)
    panels += [
        ("zeroshot", {name: (rungs[name], "comp_zeroshot") for name in names})
        for names in alike.values()
        if len(names) > 1
    ]
    if not panels:
        return None
    figure, every = plt().subplots(
        1, len(panels), figsize=(4.2 * len(panels), 3.8), squeeze=False, sharey=True
    )
    for axes, (title, lines) in zip(every[0], panels, strict=True):
        for number, (label, (found, config)) in enumerate(lines.items()):
            points = []
            for value, arm in sorted(found):
                shares = [
                    line["exact_match"] for line in results.of(arm) if line["config"] == config
                ]
                points.append((value, 100 * sum(shares) / len(shares)))
            axes.plot(*zip(*points, strict=True), **line_style(number, label))
        values = [value for value, _ in found]
        if max(values) / max(min(values), 1) > 16:
            axes.set_xscale("log", base=2)
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.set_title(title, fontsize=10)
        axes.set_ylim(0, 103)
        axes.legend(frameon=False)
    every[0][0].set_ylabel("comp answers, %")
    return figure


def curves(results: Results) -> Any:
    """Loss of supervised stages and reward of GRPO by step, first seed."""
    runs = [
        run
        for run in results.runs
        if run.get("curve") and run["seed"] == results.seeds[0] and "=" not in run["arm"]
    ]
    if not runs:
        return None
    figure, (left, right) = plt().subplots(1, 2, figsize=(9.5, 3.6))
    for number, run in enumerate(runs):
        style = {
            "color": "black",
            "linestyle": STYLES[number % len(STYLES)],
            "linewidth": 1,
            "label": arm_name(run["arm"]).replace("\n", " "),
        }
        loss = [
            (point["step"], point["loss"])
            for point in run["curve"]
            if "reward" not in point and "loss" in point
        ]
        reward = [(point["step"], point["reward"]) for point in run["curve"] if "reward" in point]
        if loss and run["arm"] not in results.bases:
            left.plot(*zip(*loss, strict=True), **style)
        if reward:
            right.plot(*zip(*reward, strict=True), **style)
    left.set_yscale("log")
    left.set_ylabel("loss")
    right.set_ylabel("reward (share of right answers)")
    right.set_ylim(0, 1)
    for axes in (left, right):
        axes.set_xlabel("step")
        if axes.lines:
            axes.legend(frameon=False, fontsize=8)
    return figure
