"""The pictures of an analysis, as PNG and SVG; readable in black and white."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bioreason_bench.escaping import plot_text
from bioreason_bench.experiments.inside.pairs import EXCHANGED, READ_FACT, ROLES
from bioreason_bench.experiments.inside.patch import EVERYWHERE, LAST, LOGITS
from bioreason_bench.experiments.inside.pca import States, common_axes
from bioreason_bench.experiments.inside.texts import KINDS
from bioreason_bench.figure_style import DASHES, INK, MARKERS, pyplot, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Line = dict[str, Any]
FILLS = ("white", "#8a8a8a", INK)  # of the points of a skill or a model
MOST_LAYERS = 6  # columns of the picture of hidden states
QUESTION_ROLES = [role for role in ROLES if role.startswith(("question", "chain"))]


def save(figure: Figure, stem: Path) -> str:
    """Write a picture and close it; returns the name of its PNG."""
    figure.tight_layout()
    save_figure(figure, stem)
    pyplot().close(figure)
    return f"{stem.name}.png"


def chosen(lines: Iterable[Line], **fields: Any) -> list[Line]:
    """The lines in which all fields have these values."""
    return [
        line for line in lines if all(line.get(name) == value for name, value in fields.items())
    ]


def distinct(lines: Iterable[Line], *names: str) -> list[Any]:
    """The values of a field (or tuples of several), each once, in order."""
    values = (tuple(line[name] for name in names) for line in lines)
    found = dict.fromkeys(values)
    return [value[0] if len(names) == 1 else value for value in found]


def _grid(rows: int, columns: int, width: float, height: float, **options: Any) -> Any:
    """A figure and its axes [rows, columns]; width and height are those of a panel."""
    size = (columns * width + 0.6, rows * height + 0.6)
    return pyplot().subplots(rows, columns, figsize=size, squeeze=False, **options)


def hidden_states(
    states: Mapping[str, Mapping[str, States]], labels: Sequence[str], stem: Path
) -> str:
    """Hidden states on common axes: a row for each model, a column for each layer.

    Args:
        states: model -> config -> layer -> [questions, size].
        labels: The name of each model in the picture.
        stem: Path without suffix.
    """
    models = list(states)
    configs = list(states[models[0]])
    layers = list(states[models[0]][configs[0]])
    if len(layers) > MOST_LAYERS:
        places = np.linspace(0, len(layers) - 1, MOST_LAYERS).round().astype(int)
        layers = [layers[place] for place in places]
    figure, grid = _grid(len(models), len(layers), 2.3, 2.2, sharex="col", sharey="col")
    for column, layer in enumerate(layers):
        keys = [(row, config) for row in range(len(models)) for config in configs]
        groups, shares = common_axes([states[models[row]][config][layer] for row, config in keys])
        for (row, config), points in zip(keys, groups, strict=True):
            number = configs.index(config)
            grid[row, column].scatter(
                *points.T,
                s=10,
                marker=MARKERS[number],
                facecolors=FILLS[number % len(FILLS)],
                edgecolors=INK,
                linewidths=0.5,
                label=config,
            )
            grid[row, column].tick_params(labelsize=6)
        kind, _, number_of_layer = layer.partition(" ")
        name = f"after layer {number_of_layer}" if kind == "residual" else layer
        grid[0, column].set_title(
            f"{name}\n{100 * shares[0]:.0f} + {100 * shares[1]:.0f} %", size=8
        )
    for row, label in enumerate(labels):
        grid[row, 0].set_ylabel(plot_text(label), size=8)
    handles, names = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, frameon=False, ncols=3, loc="upper center", fontsize=8)
    figure.tight_layout(rect=(0, 0, 1, 0.94))
    save_figure(figure, stem)
    pyplot().close(figure)
    return f"{stem.name}.png"


def distances(lines: Sequence[Line], labels: Mapping[str, str], stem: Path) -> str:
    """Distance between skills by layer: a panel for each two skills, a line for each model."""
    pairs = [list(pair) for pair in dict.fromkeys(tuple(line["configs"]) for line in lines)]
    figure, grid = _grid(1, len(pairs), 3.0, 2.6, sharey=True)
    for axes, pair in zip(grid[0], pairs, strict=True):
        for number, model in enumerate(labels):
            part = chosen(lines, configs=pair, model=model)
            axes.plot(
                range(len(part)),
                [line["distance"] for line in part],
                color=INK,
                linewidth=1,
                linestyle=DASHES[number % len(DASHES)],
                marker=MARKERS[number % len(MARKERS)],
                markerfacecolor=FILLS[number % len(FILLS)],
                label=plot_text(labels[model]),
            )
        layers = [line["layer"].replace("residual ", "") for line in part]
        axes.set_xticks(range(len(layers)), layers)
        axes.set_title(f"{pair[0]} to {pair[1]}", size=9)
        axes.set_xlabel("after layer")
    grid[0, 0].set_ylabel("distance of centroids / spread")
    grid[0, 0].legend(frameon=False, fontsize=8)
    return save(figure, stem)


def intervals(
    axes: Axes, values: Sequence[Sequence[float]], number: int, models: int, label: str
) -> None:
    """Means with their intervals, [mean, low, high] each, beside those of the other models."""
    offset = 0.16 * (number - (models - 1) / 2)
    mean, low, high = np.array(values, dtype=float).T
    axes.errorbar(
        np.arange(len(mean)) + offset,
        mean,
        [np.maximum(mean - low, 0), np.maximum(high - mean, 0)],
        fmt=MARKERS[number % len(MARKERS)],
        color=INK,
        markerfacecolor=FILLS[number % len(FILLS)],
        markersize=4,
        linewidth=0.8,
        label=plot_text(label),
    )


def entropy(lines: Sequence[Line], labels: Mapping[str, str], stem: Path) -> str:
    """Entropy by what the token says: a panel for each test set."""
    configs = distinct(lines, "config")
    figure, grid = _grid(1, len(configs), 3.2, 2.8, sharey=True)
    for axes, config in zip(grid[0], configs, strict=True):
        kinds = distinct(chosen(lines, config=config), "kind")
        for number, model in enumerate(labels):
            values = [
                line["entropy"] or [float("nan")] * 3
                for line in chosen(lines, config=config, model=model)
            ]
            intervals(axes, values, number, len(labels), labels[model])
        axes.set_xticks(range(len(kinds)), kinds, rotation=30, ha="right", size=8)
        axes.set_title(config, size=9)
    grid[0, 0].set_ylabel("entropy of a token, nats")
    grid[0, 0].set_ylim(bottom=0)
    grid[0, -1].legend(frameon=False, fontsize=8)
    return save(figure, stem)


def ablation(lines: Sequence[Line], labels: Mapping[str, str], stem: Path) -> str:
    """What each part's removal costs: a row for each kind of spots, two columns of scores."""
    kinds = [kind for kind in KINDS if chosen(lines, kind=kind)]
    parts = distinct(lines, "part")
    width = max(4.0, 0.24 * len(parts))
    figure, grid = _grid(len(kinds), 2, width, 1.9, sharex=True)
    columns = (
        ("accuracy_drop", 100.0, "accuracy lost, points"),
        ("log_probability_drop", 1.0, "log-probability lost, nats"),
    )
    for row, kind in enumerate(kinds):
        for column, (name, unit, title) in enumerate(columns):
            axes = grid[row, column]
            axes.axhline(0, color=INK, linewidth=0.5)
            for number, model in enumerate(labels):
                found = chosen(lines, kind=kind, model=model)
                values = [[unit * value for value in line[name]] for line in found]
                if values:
                    intervals(axes, values, number, len(labels), labels[model])
            axes.set_title(f"{kind}: {title}", size=8, loc="left")
            axes.set_xticks(range(len(parts)), parts, rotation=90, size=7)
            axes.tick_params(axis="y", labelsize=7)
    grid[0, 1].legend(frameon=False, fontsize=8)
    return save(figure, stem)


def _heat(axes: Axes, values: Any, rows: Sequence[str], columns: Sequence[str]) -> None:
    """A table of shares as shades of grey, with the percent in each cell."""
    values = np.array(values, dtype=float)
    axes.imshow(np.clip(values, 0, 1), cmap="Greys", vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            shade = "white" if value > 0.5 else INK
            text = f"{round(100 * value)}"
            axes.text(column, row, text, ha="center", va="center", size=7, color=shade)
    turned = 90 if max(map(len, columns)) > 2 else 0
    axes.set_xticks(range(len(columns)), columns, rotation=turned, size=7)
    axes.set_yticks(range(len(rows)), rows, size=7)
    axes.tick_params(length=0)


def _restored(lines: Sequence[Line], **fields: str) -> float:
    found = chosen(lines, **fields)
    return found[0]["restored"][0] if found else float("nan")


def _title(config: str, family: str, label: str, lines: Sequence[Line]) -> str:
    pairs = lines[0]["pairs_right"] if lines else 0
    return f"{config}: {family}\n{plot_text(label)}, {pairs} pairs"


def patching(lines: Sequence[Line], labels: Mapping[str, str], stem: Path) -> str:
    """Share restored by the residual stream, layer by place: a row for each family of pairs."""
    families = distinct(lines, "config", "family")
    figure, grid = _grid(len(families), len(labels), 3.6, 2.2)
    for row, (config, family) in enumerate(families):
        roles = list(ROLES) if EXCHANGED[family] == EXCHANGED[READ_FACT] else QUESTION_ROLES
        for column, model in enumerate(labels):
            found = chosen(lines, config=config, family=family, model=model)
            streams = [
                part
                for part in distinct(lines, "part")
                if part == "embedding" or part.startswith("residual")
            ]
            values = [
                [_restored(found, part=part, position=role) for role in roles] for part in streams
            ]
            names = [part.replace("residual", "after layer") for part in streams]
            _heat(grid[row, column], values, names, roles)
            grid[row, column].set_title(_title(config, family, labels[model], found), size=7)
    return save(figure, stem)


def heads(
    patched: Sequence[Line], paths: Sequence[Line], labels: Mapping[str, str], stem: Path
) -> str:
    """Share restored by single heads: patched everywhere, where it predicts, straight to logits."""
    families = distinct(patched, "config", "family")
    names = [part for part in distinct(patched, "part") if part.startswith("head")]
    places = [name.removeprefix("head ").split(".") for name in names]
    layers, numbers = (list(dict.fromkeys(column)) for column in zip(*places, strict=True))
    views = ((EVERYWHERE, "everywhere"), (LAST, "where it predicts"), (LOGITS, "path to logits"))
    figure, grid = _grid(len(families), len(labels) * len(views), 1.7, 1.6)
    for row, (config, family) in enumerate(families):
        for column, (model, (view, words)) in enumerate(
            (model, view) for model in labels for view in views
        ):
            fields = {"config": config, "family": family, "model": model}
            found = chosen(patched, **fields)
            values = [
                [
                    _restored(paths, **fields, **{"from": f"head {layer}.{head}"}, to=LOGITS)
                    if view == LOGITS
                    else _restored(found, part=f"head {layer}.{head}", position=view)
                    for head in numbers
                ]
                for layer in layers
            ]
            _heat(grid[row, column], values, layers, numbers)
            title = _title(config, family, labels[model], found)
            grid[row, column].set_title(f"{title}\n{words}", size=6)
    return save(figure, stem)


def paths(lines: Sequence[Line], labels: Mapping[str, str], stem: Path) -> str:
    """Share restored along each path from a head to a head of a later layer."""
    lines = [line for line in lines if line["to"] != LOGITS]
    families = distinct(lines, "config", "family")
    senders, receivers = distinct(lines, "from"), sorted(distinct(lines, "to"))
    figure, grid = _grid(len(families), len(labels), 3.4, 3.0)
    for row, (config, family) in enumerate(families):
        for column, model in enumerate(labels):
            fields = {"config": config, "family": family, "model": model}
            found = chosen(lines, **fields)
            values = [
                [_restored(found, **{"from": sender}, to=receiver) for receiver in receivers]
                for sender in senders
            ]
            _heat(grid[row, column], values, senders, receivers)
            grid[row, column].set_title(_title(config, family, labels[model], found), size=7)
    return save(figure, stem)
