"""The parts of the pictures of answers: panels, legends, and the look of each model.

Models differ in grey, hatch and marker, so that a print in black and white shows the same.  A solid
line or filled area is the right answer, a dashed line or hollow marker answer and chain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from bioreason_bench.escaping import plot_text
from bioreason_bench.figure_style import FAINT, GREYS, INK, MARKERS
from bioreason_bench.statistics import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "Look",
    "bar_handle",
    "curve",
    "finish",
    "interval",
    "line_handle",
    "look_of",
    "make_panels",
    "solver_handles",
    "solver_lines",
]

HATCHES = ("", "//", "..", "xx", "\\\\", "oo")
SHADES = GREYS[:3]  # dark enough for lines
SKILL_TITLES = {"mem": "recalled (mem)", "ctx": "read (ctx)", "comp": "recalled and read (comp)"}
GRID = "#e3e6e9"
HEIGHT, NARROWEST = 3.4, 5.6  # inches


class Look(NamedTuple):
    """The look of a model in every picture."""

    colour: str
    hatch: str
    marker: str


def look_of(number: int) -> Look:
    """The look of the model with this number."""
    return Look(
        SHADES[number % len(SHADES)],
        HATCHES[number % len(HATCHES)],
        MARKERS[number % len(MARKERS)],
    )


def make_panels(
    figure: Figure, titles: Sequence[str], widths: Sequence[int], inches: float
) -> list[Axes]:
    """Make a row of panels with a common axis in percent.

    Args:
        figure: The figure; its size is set.
        titles: The panels' titles; skills are written out.
        widths: The panels' relative widths.
        inches: Width of the figure; narrow ones are widened for title and legend.
    """
    figure.set_size_inches(max(inches, NARROWEST), HEIGHT)
    panels = figure.subplots(
        1, len(titles), sharey=True, squeeze=False, gridspec_kw={"width_ratios": widths}
    )[0]
    for title, panel in zip(titles, panels, strict=True):
        panel.set_title(SKILL_TITLES.get(title, title), fontsize=9, color=INK)
        panel.set_ylim(0, 104)
        panel.set_yticks(range(0, 101, 20))
        panel.grid(axis="y", color=GRID, linewidth=0.8, zorder=0)
        panel.set_axisbelow(True)
    panels[0].set_ylabel("% right, 95 % interval")
    return list(panels)


def interval(panel: Axes, x: float, score: Estimate) -> None:
    """A vertical line for the interval, with a white halo so that it is seen on a dark bar."""
    ends = [100 * score.low, 100 * score.high]
    for colour, width in (("white", 3.2), (INK, 1.3)):
        panel.plot([x, x], ends, color=colour, linewidth=width, zorder=5, solid_capstyle="butt")


def curve(
    panel: Axes, x: Sequence[float], y: Sequence[float], number: int, dash: str, joined: bool
) -> None:
    """The line of one model: solid for right answers, dashed for right chains."""
    look = look_of(number)
    panel.plot(
        x,
        y,
        color=look.colour,
        linestyle=dash if joined else "",
        marker=look.marker,
        markersize=4.5,
        markerfacecolor=look.colour if dash == "-" else "white",
        zorder=6,
    )


def solver_lines(panel: Axes, x: float, scores: Mapping[str, Mapping[str, Any]]) -> None:
    """The score of the best shortcut on a level (solid), and the chance of it there (dotted)."""
    shortcuts = [score for score in scores.values() if score.get("shortcut")]
    if not shortcuts:
        return
    best = max(shortcuts, key=lambda score: score["score"])
    for name, dash in (("score", "-"), ("chance", ":")):
        y = 100 * best[name]
        panel.hlines(y, x - 0.46, x + 0.46, color="white", linewidth=3.4, zorder=6)
        panel.hlines(y, x - 0.46, x + 0.46, color=INK, linewidth=1.6, linestyle=dash, zorder=7)


def solver_handles() -> list[Any]:
    """The lines of the solvers for the legend."""
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], color=INK, linewidth=1.6, label="best shortcut"),
        Line2D([], [], color=INK, linestyle=":", label="its chance"),
    ]


def finish(figure: Figure, title: str, handles: Sequence[Any]) -> None:
    """Add the title, and a legend below the panels."""
    figure.suptitle(title, fontsize=10.5, color=INK)
    figure.legend(
        handles=list(handles),
        loc="outside lower center",
        ncols=max(1, min(len(handles), int(figure.get_figwidth() / 1.4))),
        frameon=False,
        fontsize=8.5,
    )


def bar_handle(colour: str, hatch: str, label: str) -> Any:
    """A bar for the legend."""
    from matplotlib.patches import Patch

    edge = "white" if hatch else INK
    return Patch(
        facecolor=colour, hatch=hatch, edgecolor=edge, linewidth=0.8, label=plot_text(label)
    )


def line_handle(label: str, look: Look | None = None) -> Any:
    """A line for the legend: a model's, or the dashed one of answer and chain."""
    from matplotlib.lines import Line2D

    if look is not None:
        return Line2D(
            [], [], color=look.colour, marker=look.marker, markersize=5, label=plot_text(label)
        )
    line = Line2D(
        [], [], color=FAINT, marker="o", markersize=5, linestyle="--", label=plot_text(label)
    )
    line.set_markerfacecolor("white")
    return line
