"""Maps of right answers: a column for each length of the context, a row for each depth.

The depth is that of the biographies which the question needs.  The row above the map is the mean at
all depths.  Each cell names its score and its 95 % interval, so that no colour is needed to read
the map.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioreason_bench.escaping import plot_text, shortened
from bioreason_bench.evaluation.answers import Answers, grouped
from bioreason_bench.evaluation.depths import (
    PARTS,
    at_depths,
    at_lengths,
    depth_name,
    has_long_contexts,
    length_name,
)
from bioreason_bench.evaluation.figures.panels import SKILL_TITLES
from bioreason_bench.evaluation.solver_scores import SolverScores
from bioreason_bench.evaluation.summary import estimate
from bioreason_bench.figure_style import INK
from bioreason_bench.taxonomy import LEVELS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_depths"]

CELL_WIDTH, ROW_HEIGHT = 0.62, 0.36  # inches
COLOURS = "Blues"
DARK = 0.6  # share of right answers from which text is white
ALL = -1.4  # the row of all depths, set off from the map


def draw_depths(figure: Figure, answers: Answers, _: SolverScores | None) -> bool:
    """Draw a map for each model and skill; False if no question has a long context."""
    answers = [answer for answer in answers if answer["level"] in LEVELS]
    if not has_long_contexts(answers):
        return False
    placed = at_lengths(answers)
    models = [model for (model,) in grouped(placed, "model")]
    skills = [skill for (skill,) in grouped(placed, "skill")]
    lengths = [length for (length,) in grouped(placed, "length")]
    width = len(skills) * (CELL_WIDTH * len(lengths) + 0.35) + 1.9
    figure.set_size_inches(max(width, 5.6), len(models) * (ROW_HEIGHT * (PARTS + 3) + 0.35) + 0.6)
    panels = figure.subplots(len(models), len(skills), squeeze=False, sharex=True, sharey=True)
    for (model, skill), part in grouped(placed, "model", "skill").items():
        panel = panels[models.index(model)][skills.index(skill)]
        panel.set_title(_title(model, skill, len(models)), fontsize=9, color=INK)
        _map(panel, part, lengths)
    for panel in panels[-1]:
        panel.set_xlabel("length of the context, tokens")
    for row in panels:
        row[0].set_ylabel("depth of what is read")
    variant = answers[0]["variant"]
    figure.suptitle(
        f"% right by length and depth{f', {variant}' if variant else ''} (small: 95 % interval)",
        fontsize=10.5,
        color=INK,
    )
    return True


def _title(model: str, skill: str, models: int) -> str:
    title = SKILL_TITLES[skill]
    return plot_text(f"{shortened(model, 40)}, {title}" if models > 1 else title)


def _map(panel: Axes, answers: Answers, lengths: list[int]) -> None:
    for (length,), part in grouped(answers, "length").items():
        _cell(panel, lengths.index(length), ALL, part)
    for (length, depth), part in grouped(at_depths(answers), "length", "depth").items():
        _cell(panel, lengths.index(length), depth, part)
    panel.set_xticks(range(len(lengths)), [length_name(length) for length in lengths])
    names = [depth_name(depth) for depth in range(PARTS)]
    panel.set_yticks([ALL, *range(PARTS)], ["any", *names])
    panel.set_xlim(-0.5, len(lengths) - 0.5)
    panel.set_ylim(PARTS - 0.5, ALL - 0.5)  # the beginning of the context on top
    panel.tick_params(length=0)
    for side in panel.spines.values():
        side.set_visible(False)


def _cell(panel: Axes, x: int, y: float, answers: Answers) -> None:
    """A coloured cell with its score."""
    from matplotlib import colormaps
    from matplotlib.patches import Rectangle

    score = estimate(answers)
    colour = colormaps[COLOURS](0.05 + 0.85 * score.value)
    panel.add_patch(Rectangle((x - 0.48, y - 0.47), 0.96, 0.94, facecolor=colour, edgecolor="none"))
    ink = "white" if score.value > DARK else INK
    panel.text(x, y - 0.05, f"{100 * score.value:.0f}", ha="center", va="center", color=ink, size=9)
    if score.low == score.low:  # not nan, of a single cluster
        ends = f"{100 * score.low:.0f}-{100 * score.high:.0f}"
        panel.text(x, y + 0.3, ends, ha="center", va="center", color=ink, size=5.5)
