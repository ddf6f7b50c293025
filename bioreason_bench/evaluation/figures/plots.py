"""Pictures of answers: bars by skill and level, curves by hops and pattern, pass@k, depths.

The bars are drawn with the best shortcut and its chance, if the release has an audit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench.escaping import plot_text
from bioreason_bench.evaluation.answers import Answers, grouped, select
from bioreason_bench.evaluation.figures.depth_maps import draw_depths
from bioreason_bench.evaluation.figures.panels import (
    bar_handle,
    curve,
    finish,
    interval,
    line_handle,
    look_of,
    make_panels,
    solver_handles,
    solver_lines,
)
from bioreason_bench.evaluation.solver_scores import SolverScores
from bioreason_bench.evaluation.summary import estimate, pass_curve
from bioreason_bench.figure_style import figure_context, require_matplotlib, save_figure
from bioreason_bench.statistics import Estimate
from bioreason_bench.taxonomy import KIND_NAMES, LEVELS, SKILLS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_results"]

VARIANT_TITLES = {
    "openbook": ", open book",
    "chat": ", chat",
    "openbook_chat": ", open book, chat",
    "direct": ", answer without a chain",
    "probes": ", one-hop probes",
}
FEWEST = 10  # questions of a pattern, below which it is not drawn
MOST_PATTERNS = 14  # the most frequent ones
TICKS = (1, 4, 16, 64, 256, 512)  # of pass@k
Draw = Callable[["Figure", Answers, SolverScores | None], bool]


def plot_results(
    answers: Answers,
    out: Path,
    solvers: SolverScores | None = None,
    formats: Sequence[str] = ("png", "svg"),
) -> list[Path]:
    """Draw every picture that the answers allow.

    Args:
        answers: Records of `read_results`.
        out: The folder; it is made if necessary.
        solvers: Scores to draw on the bars of the chain tasks.
        formats: Formats of each picture.

    Returns:
        The files: levels, hops, patterns and, of long contexts, depths per variant (levels.png,
        levels_openbook.png), passk.
    """
    require_matplotlib()
    from matplotlib.figure import Figure  # not pyplot: no global state, no screen

    written = []
    with figure_context():
        for (variant,), part in grouped(answers, "variant").items():
            for name, draw in (SAMPLED if variant == "passk" else SCORED).items():
                figure = Figure(layout="constrained")
                if draw(figure, part, solvers if variant == "" else None):
                    stem = name if variant in ("", "passk") else f"{name}_{variant}"
                    written += save_figure(figure, out / stem, formats)
    return written


def _levels(figure: Figure, answers: Answers, solvers: SolverScores | None) -> bool:
    """Bars of right answers by level, a panel per skill; filled where the chain is right too."""
    levels = {
        skill: _present(part, "level", (*LEVELS, *KIND_NAMES))
        for skill, part in _by_skill(answers).items()
    }
    models = _models(answers)
    columns = sum(map(len, levels.values()))
    inches = 1.6 + 0.4 * len(levels) + columns * max(0.22 * (len(models) + 1), 0.62)
    widths = [len(names) for names in levels.values()]
    panels = make_panels(figure, list(levels), widths, inches)
    for (skill, names), panel in zip(levels.items(), panels, strict=True):
        for column, level in enumerate(names):
            for number, model in enumerate(models):
                part = select(answers, skill=skill, level=level, model=model)
                if part:
                    x = column + 0.8 * ((number + 0.5) / len(models) - 0.5)
                    _bar(panel, x, 0.736 / len(models), number, part)
            solver_lines(panel, column, (solvers or {}).get(f"{skill}_{level}", {}))
        panel.set_xticks(range(len(names)), names, rotation=28, ha="right", rotation_mode="anchor")
        panel.set_xlim(-0.6, len(names) - 0.4)
    handles = [
        bar_handle(look_of(number).colour, look_of(number).hatch, model)
        for number, model in enumerate(models)
    ]
    if _has_chains(answers):
        handles.append(bar_handle("white", "", "answer right, chain not"))
    if solvers is not None:
        handles += solver_handles()
    finish(figure, f"Right answers by level{_variant(answers)}", handles)
    return True


def _bar(panel: Axes, x: float, width: float, number: int, answers: Answers) -> None:
    look, right = look_of(number), estimate(answers)
    chain = estimate(answers, "process_verified") if _has_chains(answers) else right
    fill_edge = "white" if look.hatch else look.colour
    for height, fill, edge, hatch in (
        (right.value, "white", look.colour, ""),
        (chain.value, look.colour, fill_edge, look.hatch),
        (right.value, "none", look.colour, ""),
    ):
        panel.bar(
            x, 100 * height, width, color=fill, edgecolor=edge, hatch=hatch, linewidth=1, zorder=3
        )
    interval(panel, x, right)


def _hops(figure: Figure, answers: Answers, _: SolverScores | None) -> bool:
    """Right answers by number of hops."""
    return _curves(figure, answers, "hops", "number of hops", "Right answers by number of hops")


def _patterns(figure: Figure, answers: Answers, _: SolverScores | None) -> bool:
    """Right answers by the order of recalled (P) and read (C) hops."""
    comp = select(answers, skill="comp")
    asked = Counter({answer["id"]: answer["pattern"] for answer in comp}.values())
    common = {pattern for pattern, count in asked.most_common(MOST_PATTERNS) if count >= FEWEST}
    part = [answer for answer in comp if answer["pattern"] in common]
    label = "order of the hops (P recalled, C read)"
    return _curves(figure, part, "pattern", label, "Right answers by pattern")


def _curves(figure: Figure, answers: Answers, key: str, label: str, title: str) -> bool:
    """Right answers by a column, a panel per skill, a line per model; dashed for right chains."""
    answers = [answer for answer in answers if answer["level"] in LEVELS]
    values = {
        skill: [value for (value,) in grouped(part, key)]
        for skill, part in _by_skill(answers).items()
    }
    if max(map(len, values.values()), default=0) < 2:
        return False
    widths = [max(3, len(present)) for present in values.values()]
    inches = 2.0 + sum(0.8 + 0.42 * width for width in widths)
    panels = make_panels(figure, list(values), widths, inches)
    models = _models(answers)
    for panel, (skill, present) in zip(panels, values.items(), strict=True):
        for number, model in enumerate(models):
            shift = 0.12 * (number - (len(models) - 1) / 2)
            parts = grouped(select(answers, skill=skill, model=model), key)
            points = {present.index(value) + shift: part for (value,), part in parts.items()}
            _model_curve(panel, points, number, joined=key == "hops")
        texts = [plot_text(str(value)) for value in present]
        panel.set_xticks(range(len(present)), texts, rotation=45 if key == "pattern" else 0)
        panel.set_xlim(-0.5, len(present) - 0.5)
        panel.set_xlabel(label)
    finish(figure, title + _variant(answers), _line_handles(models, _has_chains(answers)))
    return True


def _model_curve(panel: Axes, points: Mapping[float, Answers], number: int, joined: bool) -> None:
    """The line of one model through points (x -> answers), with intervals."""
    metrics = {"exact_match": "-"}
    if all(_has_chains(part) for part in points.values()):
        metrics["process_verified"] = "--"
    for metric, dash in metrics.items():
        scores = {x: estimate(part, metric) for x, part in points.items()}
        curve(panel, list(scores), _heights(scores.values()), number, dash, joined)
        if dash == "-":
            low = [100 * score.low for score in scores.values()]
            high = [100 * score.high for score in scores.values()]
            panel.vlines(list(scores), low, high, color=look_of(number).colour, linewidth=1)


def _passk(figure: Figure, answers: Answers, _: SolverScores | None) -> bool:
    """pass@k by skill and level: solid for the answer, dashed for answer and chain."""
    groups = grouped(answers, "skill", "level")
    titles = [f"{skill} {level}" for skill, level in groups]
    models = _models(answers)
    ticks = [k for k in TICKS if k <= min(answer["samples"] for answer in answers)]
    panels = make_panels(figure, titles, [1] * len(groups), 1.4 + 2.5 * len(groups))
    for panel, part in zip(panels, groups.values(), strict=True):
        for number, model in enumerate(models):
            if own := select(part, model=model):
                _pass_curves(panel, own, number)
        panel.set_xscale("log", base=2)
        panel.set_xlabel("samples k")
        panel.set_xticks(ticks, [str(k) for k in ticks])
    handles = _line_handles(models, chains=True)
    finish(figure, "pass@k: at least one of k samples right", handles)
    return True


def _pass_curves(panel: Axes, answers: Answers, number: int) -> None:
    for column, dash in (("right", "-"), ("process_right", "--")):
        points = pass_curve(answers, column)
        curve(panel, list(points), _heights(points.values()), number, dash, joined=True)
        if dash == "-":
            low = [100 * point.low for point in points.values()]
            high = [100 * point.high for point in points.values()]
            colour = look_of(number).colour
            panel.fill_between(list(points), low, high, color=colour, alpha=0.18, linewidth=0)


SCORED: dict[str, Draw] = {
    "levels": _levels,
    "hops": _hops,
    "patterns": _patterns,
    "depths": draw_depths,
}
SAMPLED: dict[str, Draw] = {"passk": _passk}


# --- what the answers hold ------------------------------------------------------------------------


def _present(answers: Answers, column: str, order: Sequence[str]) -> list[str]:
    values = {answer[column] for answer in answers}
    return [value for value in order if value in values]


def _by_skill(answers: Answers) -> dict[str, Answers]:
    return {skill: select(answers, skill=skill) for skill in _present(answers, "skill", SKILLS)}


def _models(answers: Answers) -> list[str]:
    return sorted({answer["model"] for answer in answers})


def _has_chains(answers: Answers) -> bool:
    return all(answer["process_verified"] is not None for answer in answers)


def _variant(answers: Answers) -> str:
    return VARIANT_TITLES.get(answers[0]["variant"], "")


def _heights(scores: Iterable[Estimate]) -> list[float]:
    return [100 * score.value for score in scores]


def _line_handles(models: Sequence[str], chains: bool) -> list[Any]:
    handles = [line_handle(model, look_of(number)) for number, model in enumerate(models)]
    return [*handles, line_handle("answer and chain right")] if chains else handles
