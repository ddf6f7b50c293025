"""Pictures of answers: bars by skill and level, curves by hops and pattern, pass@k; beside what shortcuts and chance are worth.

Colours differ in lightness and every model has a hatch and a marker of its own, so that a print in black and white says the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench.config import LEVELS, SKILLS
from bioreason_bench.errors import MissingExtra, ReleaseError, UsageError
from bioreason_bench.evaluation.harness.names import BEYOND
from bioreason_bench.evaluation.results import by, estimate, pass_curve
from bioreason_bench.evaluation.source import OFFICIAL, official
from bioreason_bench.statistics import Estimate

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["lines_of", "plot_results", "read_lines"]

COLOURS = ("#1f3d7a", "#e08214", "#7fb2d8", "#8c2d04", "#b8c4a8", "#4d4d4d")
HATCHES = ("", "//", "..", "xx", "\\\\", "oo")
MARKERS = ("o", "s", "^", "D", "v", "P")
INK, FAINT = "#1d232b", "#9aa1a9"
SKILL_WORDS = {"mem": "recalled (mem)", "ctx": "read (ctx)", "comp": "recalled and read (comp)"}
VARIANT_WORDS = {
    "": "",
    "openbook": ", open book",
    "direct": ", answer without a chain",
    "probes": ", one-hop probes",
}
FEWEST, MOST_PATTERNS = (
    10,
    14,
)  # a pattern with fewer questions says nothing; the most frequent ones are drawn
Lines = Mapping[
    str, Mapping[str, Mapping[str, Any]]
]  # config -> solver -> score, chance, shortcut (`solvers` of audit.json)


def read_lines(path: Path) -> Lines:
    """The solvers' scores of an audit.json, or of the release in a folder."""
    path = path / "audit.json" if path.is_dir() else path
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["solvers"]
    except FileNotFoundError:
        raise UsageError(
            f"there is no {path}; make it with: bioreason verify {path.parent} --write"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        again = f"make it again with: bioreason verify {path.parent} --write"
        raise ReleaseError(f"{path} has no scores of solvers ({error!r}); {again}") from None
    return found


def lines_of(answers: pd.DataFrame) -> Lines | None:
    """The solvers' scores on the very questions that were asked, where their release has an audit; else None."""
    sources = set(answers["source"])
    if sources == {f"preset {OFFICIAL[0]}, seed {OFFICIAL[1]}"}:
        return official()["solvers"] or None
    place = Path(sources.pop()) / "audit.json" if len(sources) == 1 else None
    return read_lines(place) if place is not None and place.is_file() else None


def plot_results(
    answers: pd.DataFrame,
    out: Path,
    lines: Lines | None = None,
    formats: Sequence[str] = ("png", "svg"),
) -> list[Path]:
    """Write every picture that the answers allow into the folder `out`; returns the files.

    levels, hops and patterns for each variant of the tasks (levels.png, levels_openbook.png, ...), passk for the sampled ones.
    """
    try:
        import matplotlib as mpl
    except ImportError:
        raise MissingExtra("matplotlib", "plot") from None
    from matplotlib.figure import Figure  # no pyplot: nothing global, no screen

    written = []
    style = {
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "hatch.linewidth": 0.6,
        "svg.hashsalt": "bioreason",
    }
    with mpl.rc_context(style):
        for variant, part in answers.groupby("variant", sort=True):
            draws = (
                {"passk": _passk}
                if variant == "passk"
                else {"levels": _levels, "hops": _hops, "patterns": _patterns}
            )
            for name, draw in draws.items():
                figure = Figure(layout="constrained")
                if not draw(figure, part, lines if variant == "" else None):
                    continue
                for suffix in formats:
                    path = (
                        out
                        / f"{name}{f'_{variant}' if variant not in ('', 'passk') else ''}.{suffix}"
                    )
                    path.parent.mkdir(parents=True, exist_ok=True)
                    figure.savefig(
                        path, dpi=150, metadata={"Date": None} if suffix == "svg" else None
                    )
                    written.append(path)
    return written


def _levels(figure: Figure, answers: pd.DataFrame, lines: Lines | None) -> bool:
    """Bars of right answers by level, a panel a skill; the part with a right chain too is filled darker."""
    skills, models = _present(answers, "skill", SKILLS), sorted(answers["model"].unique())
    levels = {
        skill: _present(answers[answers["skill"] == skill], "level", (*LEVELS, *BEYOND))
        for skill in skills
    }
    bars = sum(map(len, levels.values())) * (len(models) + 1)
    figure.set_size_inches(
        1.6 + 0.4 * len(skills) + max(0.22 * bars, 0.62 * sum(map(len, levels.values()))), 3.4
    )
    panels = _panels(figure, skills, [len(levels[skill]) for skill in skills])
    width = 0.8 / len(models)
    chained = bool(answers["process_verified"].notna().all())
    for skill, panel in zip(skills, panels, strict=True):
        for number, model in enumerate(models):
            for place, level in enumerate(levels[skill]):
                part = answers[
                    (answers["skill"] == skill)
                    & (answers["level"] == level)
                    & (answers["model"] == model)
                ]
                if not len(part):
                    continue
                at = place + (number - (len(models) - 1) / 2) * width
                _bar(panel, at, width, part, COLOURS[number % 6], HATCHES[number % 6], chained)
        _solver_lines(panel, skill, levels[skill], lines)
        panel.set_xticks(
            range(len(levels[skill])),
            levels[skill],
            rotation=28,
            ha="right",
            rotation_mode="anchor",
        )
        panel.set_xlim(-0.6, len(levels[skill]) - 0.4)
    handles = [
        _patch(COLOURS[number % 6], HATCHES[number % 6], model)
        for number, model in enumerate(models)
    ]
    handles += [_patch("white", "", "answer right, chain not")] if chained else []
    _finish(figure, "Right answers by level" + _variant(answers), handles, lines is not None)
    return True


def _bar(
    panel: Axes, at: float, width: float, part: pd.DataFrame, colour: str, hatch: str, chained: bool
) -> None:
    found = estimate(part)
    style = {"width": width * 0.92, "edgecolor": colour, "linewidth": 1.0}
    panel.bar(at, 100 * found.value, color="white", zorder=2, **style)
    solid = 100 * (estimate(part, "process_verified").value if chained else found.value)
    panel.bar(
        at,
        solid,
        color=colour,
        zorder=3,
        **{**style, "edgecolor": "white" if hatch else colour},
        hatch=hatch,
    )
    panel.bar(at, 100 * found.value, color="none", zorder=4, **style)
    _interval(panel, at, found)


def _interval(panel: Axes, at: float, found: Estimate) -> None:
    if found.low == found.low:  # not nan
        for colour, width in (
            ("white", 3.2),
            (INK, 1.3),
        ):  # a halo, so that it is seen on a dark bar
            panel.plot(
                [at, at],
                [100 * found.low, 100 * found.high],
                color=colour,
                linewidth=width,
                zorder=5,
                solid_capstyle="butt",
            )


def _solver_lines(panel: Axes, skill: str, levels: Sequence[str], lines: Lines | None) -> None:
    """What the best shortcut scores on each level (solid), and what chance is there (dotted)."""
    for place, level in enumerate(levels):
        solvers = (lines or {}).get(f"{skill}_{level}", {})
        short = [score for score in solvers.values() if score.get("shortcut")]
        if short:
            best = max(short, key=lambda score: score["score"])
            for name, dash in (("score", "-"), ("chance", ":")):
                panel.hlines(
                    100 * best[name],
                    place - 0.46,
                    place + 0.46,
                    color="white",
                    linewidth=3.4,
                    zorder=6,
                )
                panel.hlines(
                    100 * best[name],
                    place - 0.46,
                    place + 0.46,
                    color=INK,
                    linewidth=1.6,
                    linestyle=dash,
                    zorder=7,
                )


def _hops(figure: Figure, answers: pd.DataFrame, lines: Lines | None) -> bool:  # noqa: ARG001 - all draws have one signature
    """Right answers by the number of hops, a panel a skill, a line for each model; dashed: right chains."""
    return _curves(figure, answers, "hops", "number of hops", "Right answers by number of hops")


def _patterns(figure: Figure, answers: pd.DataFrame, lines: Lines | None) -> bool:  # noqa: ARG001
    """Right answers by the order of recalled (P) and read (C) hops."""
    both = answers[answers["skill"] == "comp"]
    asked = both.drop_duplicates("id")["pattern"].value_counts()
    both = both[both["pattern"].isin(asked[asked >= FEWEST].index[:MOST_PATTERNS])]
    return (
        _curves(
            figure,
            both,
            "pattern",
            "order of the hops (P recalled, C read)",
            "Right answers by pattern",
        )
        if len(both)
        else False
    )


def _curves(figure: Figure, answers: pd.DataFrame, key: str, label: str, title: str) -> bool:
    answers = answers[answers["level"].isin(LEVELS)]
    if not len(answers):
        return False
    skills, models = _present(answers, "skill", SKILLS), sorted(answers["model"].unique())
    values = {
        skill: [record[key] for record in by(answers[answers["skill"] == skill], key)]
        for skill in skills
    }
    if max(map(len, values.values())) < 2:
        return False
    figure.set_size_inches(
        2.0 + sum(0.8 + 0.42 * max(3, len(values[skill])) for skill in skills), 3.4
    )
    panels = _panels(figure, skills, [max(3, len(values[skill])) for skill in skills])
    chained = bool(answers["process_verified"].notna().all())
    for skill, panel in zip(skills, panels, strict=True):
        for number, model in enumerate(models):
            part = answers[(answers["skill"] == skill) & (answers["model"] == model)]
            shift = 0.12 * (number - (len(models) - 1) / 2)
            style = {"color": COLOURS[number % 6], "marker": MARKERS[number % 6], "markersize": 4.5}
            for metric, dash in (("exact_match", "-"), ("process_verified", "--"))[: 1 + chained]:
                records = by(part, key, metric=metric) if len(part) else []
                places = [values[skill].index(record[key]) + shift for record in records]
                joined = "-" if key == "hops" else ""
                panel.plot(places, [100 * record["value"] for record in records], linestyle=dash if joined else "", **style, zorder=3,
                           markerfacecolor=style["color"] if dash == "-" else "white")  # fmt: skip
                if dash == "-":
                    for at, record in zip(places, records, strict=True):
                        if record["low"] is not None:
                            panel.plot(
                                [at, at],
                                [100 * record["low"], 100 * record["high"]],
                                color=style["color"],
                                linewidth=1,
                                zorder=2,
                            )
        panel.set_xticks(
            range(len(values[skill])),
            [str(value) for value in values[skill]],
            rotation=45 if key == "pattern" else 0,
        )
        panel.set_xlim(-0.5, len(values[skill]) - 0.5)
        panel.set_xlabel(label)
    handles = [
        _line(COLOURS[number % 6], MARKERS[number % 6], model)
        for number, model in enumerate(models)
    ]
    handles += [_line(FAINT, "o", "answer and chain right", hollow=True)] if chained else []
    _finish(figure, title + _variant(answers), handles, False)
    return True


def _passk(figure: Figure, answers: pd.DataFrame, lines: Lines | None) -> bool:  # noqa: ARG001
    """pass@k by skill and level: solid for the answer, dashed for answer and chain."""
    skills, models = _present(answers, "skill", SKILLS), sorted(answers["model"].unique())
    columns = [
        (skill, level)
        for skill in skills
        for level in _present(answers[answers["skill"] == skill], "level", (*LEVELS, *BEYOND))
    ]
    figure.set_size_inches(1.4 + 2.5 * len(columns), 3.4)
    panels = _panels(figure, [f"{skill} {level}" for skill, level in columns], [1] * len(columns))
    for (skill, level), panel in zip(columns, panels, strict=True):
        for number, model in enumerate(models):
            part = answers[
                (answers["skill"] == skill)
                & (answers["level"] == level)
                & (answers["model"] == model)
            ]
            if not len(part):
                continue
            for column, dash in (("right", "-"), ("process_right", "--")):
                curve = pass_curve(part, column)
                ks = list(curve)
                style = {
                    "color": COLOURS[number % 6],
                    "marker": MARKERS[number % 6],
                    "markersize": 4,
                }
                face = style["color"] if dash == "-" else "white"
                panel.plot(
                    ks,
                    [100 * point.value for point in curve.values()],
                    dash,
                    **style,
                    markerfacecolor=face,
                    zorder=3,
                )
                if dash == "-" and all(point.low == point.low for point in curve.values()):
                    low, high = (
                        [100 * point.low for point in curve.values()],
                        [100 * point.high for point in curve.values()],
                    )
                    panel.fill_between(ks, low, high, color=style["color"], alpha=0.18, linewidth=0)
        panel.set_xscale("log", base=2)
        panel.set_xlabel("samples k")
        ks = sorted({k for k in (1, 4, 16, 64, 256, 512) if k <= int(answers["samples"].min())})
        panel.set_xticks(ks, [str(k) for k in ks])
    handles = [
        _line(COLOURS[number % 6], MARKERS[number % 6], model)
        for number, model in enumerate(models)
    ]
    handles += [_line(FAINT, "o", "answer and chain right", hollow=True)]
    _finish(figure, "pass@k: at least one of k samples right", handles, False)
    return True


# --- parts ------------------------------------------------------------------------------------------------------------


def _present(answers: pd.DataFrame, column: str, order: Sequence[str]) -> list[str]:
    here = set(answers[column])
    return [value for value in order if value in here]


def _panels(figure: Figure, titles: Sequence[str], widths: Sequence[int]) -> list[Axes]:
    panels = figure.subplots(
        1, len(titles), sharey=True, squeeze=False, gridspec_kw={"width_ratios": widths}
    )[0]
    for title, panel in zip(titles, panels, strict=True):
        panel.set_title(SKILL_WORDS.get(title, title), fontsize=9, color=INK)
        panel.set_ylim(0, 104)
        panel.set_yticks(range(0, 101, 20))
        panel.grid(axis="y", color="#e3e6e9", linewidth=0.8, zorder=0)
        panel.set_axisbelow(True)
    panels[0].set_ylabel("% right, 95 % interval")
    return list(panels)


def _finish(figure: Figure, title: str, handles: list[Any], solvers: bool) -> None:
    from matplotlib.lines import Line2D

    if solvers:
        handles.append(Line2D([], [], color=INK, linewidth=1.6, label="best shortcut"))
        handles.append(Line2D([], [], color=INK, linestyle=":", label="its chance"))
    figure.suptitle(title, fontsize=10.5, color=INK)
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=min(6, len(handles)),
        frameon=False,
        fontsize=8.5,
    )


def _variant(answers: pd.DataFrame) -> str:
    return VARIANT_WORDS.get(answers["variant"].iloc[0], "")


def _patch(colour: str, hatch: str, label: str) -> Any:
    from matplotlib.patches import Patch

    return Patch(
        facecolor=colour,
        hatch=hatch,
        edgecolor="white" if hatch else INK,
        linewidth=0.8,
        label=label,
    )


def _line(colour: str, marker: str, label: str, hollow: bool = False) -> Any:
    from matplotlib.lines import Line2D

    face, dash = ("white", "--") if hollow else (colour, "-")
    return Line2D(
        [],
        [],
        color=colour,
        marker=marker,
        markersize=5,
        markerfacecolor=face,
        linestyle=dash,
        label=label,
    )
