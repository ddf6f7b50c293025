"""The chain of a question as a figure: entities in a row, an arrow for each hop, the context below.

A recalled hop is a dashed arrow and a read hop a solid one, so the figure also works in black and
white.  The axes are scaled in inches; the entities lie on y = 0.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench.errors import UsageError
from bioreason_bench.escaping import plot_text
from bioreason_bench.figure_style import (
    ANSWER,
    CONTEXT,
    ENTITY,
    FAINT,
    INK,
    READ,
    RECALLED,
    RECALLED_DASH,
    figure_context,
    require_matplotlib,
    save_figure,
)
from bioreason_bench.release.hops import Hop

if TYPE_CHECKING:
    import networkx as nx
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["chain_graph", "draw_chain_figure", "save_chain"]

FORMATS = (".png", ".svg", ".pdf")
# Lengths are in inches.
STEP, MARGIN = 3.5, 1.3  # between two entities; from the last entity to the edge
ENTITY_BOX = (1.96, 0.68)  # width, height
BIOGRAPHY_BOX = (1.66, 0.56)
LONGEST_QUESTION = 1_000  # characters of the title
ROW, COLUMN = 0.7, 1.8  # between two biographies of the context
PANEL_TOP, FIRST_ROW = -0.8, -1.5  # the panel of the context, and the centre of its first row


def save_chain(record: Mapping[str, Any], hops: Sequence[Hop], path: Path) -> None:
    """Write the figure of a question's chain.

    Raises UsageError unless the file ends in .png, .svg or .pdf, MissingExtra without matplotlib.
    """
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"--plot {path} must end in {', '.join(FORMATS[:-1])} or {FORMATS[-1]}")
    require_matplotlib()
    with figure_context():
        save_figure(draw_chain_figure(record, hops), path.with_suffix(""), [path.suffix[1:]])


def chain_graph(record: Mapping[str, Any], hops: Sequence[Hop]) -> nx.DiGraph:
    """The chain and its context as a graph.

    Nodes are ("hop", k) for the k-th entity of the chain, from 0, and ("context", k) for the k-th
    biography of the context, from 1; `at` is the position of a node in inches.  An edge between
    two entities is a hop (`text`: its relation, `recalled`); an edge from an entity to a biography
    says in which `sentence` of it the next hop is read.
    """
    import networkx as nx

    graph = nx.DiGraph()
    for number, entity in enumerate(record["entities"]):
        graph.add_node(
            ("hop", number), text=entity, answer=number == len(hops), at=(number * STEP, 0.0)
        )
    read = {hop.biography for hop in hops}
    people = record["context_people"]
    columns = min(len(people), int((len(hops) * STEP + 2 * MARGIN) / COLUMN))
    left = (len(hops) * STEP - (columns - 1) * COLUMN) / 2
    for index, person in enumerate(people):
        row, column = divmod(index, columns)
        graph.add_node(
            ("context", index + 1),
            text=f"{index + 1}  {person}",
            used=index + 1 in read,
            at=(left + column * COLUMN, FIRST_ROW - row * ROW),
        )
    for number, hop in enumerate(hops):
        relation = hop.relation.replace("_", " ")
        graph.add_edge(("hop", number), ("hop", number + 1), text=relation, recalled=hop.recalled)
        if hop.biography:
            graph.add_edge(("hop", number), ("context", hop.biography), sentence=hop.sentence)
    return graph


def draw_chain_figure(record: Mapping[str, Any], hops: Sequence[Hop]) -> Figure:
    """The figure, as wide as the chain is long."""
    from matplotlib.figure import Figure

    graph = chain_graph(record, hops)
    left, right = -MARGIN, len(hops) * STEP + MARGIN
    title = textwrap.wrap(record["question"], int((right - left) * 9))
    top = 0.95 + 0.27 * len(title)
    bottom = min(y for _, (_, y) in graph.nodes(data="at")) - 0.65
    figure = Figure(figsize=(right - left, top - bottom))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(left, right), ylim=(bottom, top))
    axes.axis("off")
    axes.text(
        left + 0.32,
        top - 0.2,
        plot_text("\n".join(title), LONGEST_QUESTION),
        fontsize=13,
        weight="bold",
        color=INK,
        va="top",
        linespacing=1.35,
    )
    if record["context_people"]:
        _draw_panel(axes, (left + 0.15, bottom + 0.15), (right - 0.15, PANEL_TOP))
    for (kind, number), data in graph.nodes(data=True):
        if kind == "hop":
            _draw_entity(axes, data)
        else:
            steps = [k for k, hop in enumerate(hops, 1) if hop.biography == number]
            _draw_biography(axes, data, steps)
    for number, hop in enumerate(hops, 1):
        _draw_hop(axes, graph, number, hop)
    return figure


def _draw_panel(axes: Axes, low: tuple[float, float], high: tuple[float, float]) -> None:
    """The background of the context, between two opposite corners."""
    fill, edge = CONTEXT
    centre = ((low[0] + high[0]) / 2, (low[1] + high[1]) / 2)
    size = (high[0] - low[0], high[1] - low[1])
    _draw_box(axes, centre, size, facecolor=fill, edgecolor=edge, zorder=0)
    label = "context: one biography of each of these people"
    axes.text(
        low[0] + 0.18,
        high[1] - 0.13,
        label,
        va="top",
        fontsize=9.5,
        style="italic",
        color="#7a6a52",
    )


def _draw_entity(axes: Axes, data: Mapping[str, Any]) -> None:
    x, y = data["at"]
    fill, edge = ANSWER if data["answer"] else ENTITY
    weight = "bold" if data["answer"] else "normal"
    width = 2.2 if data["answer"] else 1.2
    _draw_box(axes, (x, y), ENTITY_BOX, facecolor=fill, edgecolor=edge, linewidth=width)
    text = plot_text("\n".join(textwrap.wrap(data["text"], 19)[:3]))
    axes.text(x, y, text, ha="center", va="center", fontsize=11.5, color=INK, weight=weight)
    if data["answer"]:
        axes.text(x, y + 0.44, "answer", ha="center", fontsize=10, style="italic", color=edge)


def _draw_biography(axes: Axes, data: Mapping[str, Any], steps: Sequence[int]) -> None:
    """A biography of the context, with the numbers of the hops that are read in it."""
    x, y = data["at"]
    edge, width, colour = (READ, 1.8, INK) if steps else ("#cccccc", 1.0, FAINT)
    _draw_box(axes, (x, y), BIOGRAPHY_BOX, facecolor="white", edgecolor=edge, linewidth=width)
    name = plot_text("\n".join(textwrap.wrap(data["text"], 22)[:2]))
    raised = 0.1 if steps else 0.0
    axes.text(x, y + raised, name, ha="center", va="center", fontsize=9, color=colour)
    if steps:
        label = f"hop {', '.join(map(str, steps))}"
        axes.text(x, y - 0.13, label, ha="center", va="center", fontsize=8, color=READ)


def _draw_hop(axes: Axes, graph: nx.DiGraph, number: int, hop: Hop) -> None:
    """The arrow of hop `number` (from 1), with its relation and its source."""
    import networkx as nx

    edge = (("hop", number - 1), ("hop", number))
    at = nx.get_node_attributes(graph, "at")
    colour, style = (RECALLED, RECALLED_DASH) if hop.recalled else (READ, "solid")
    margin = 72 * ENTITY_BOX[0] / 2 + 3  # points from the centre of a box to the arrow
    nx.draw_networkx_edges(
        graph,
        at,
        edgelist=[edge],
        ax=axes,
        node_size=0,
        edge_color=colour,
        style=style,
        width=2.4,
        arrowsize=18,
        min_source_margin=margin,
        min_target_margin=margin,
    )
    x, y = (at[edge[0]][0] + at[edge[1]][0]) / 2, at[edge[0]][1]
    verb = "recall" if hop.recalled else "read"
    centred: dict[str, Any] = {"ha": "center", "color": colour}
    axes.text(
        x, y + 0.34, plot_text(graph.edges[edge]["text"]), fontsize=12, weight="bold", **centred
    )
    axes.text(x, y + 0.11, f"hop {number}: {verb}", fontsize=9.5, **centred)
    axes.text(x, y - 0.13, _short_source(hop), va="top", fontsize=8.5, linespacing=1.25, **centred)


def _short_source(hop: Hop) -> str:
    """Where the fact is stated, in two short lines."""
    if hop.recalled:
        return "from the weights"
    if hop.biography is None:
        return "not stated\nin the context"
    return f"biography {hop.biography},\nsentence {hop.sentence}"


def _draw_box(
    axes: Axes, centre: tuple[float, float], size: tuple[float, float], **options: Any
) -> None:
    """A rectangle with rounded corners; `options` are those of a matplotlib patch."""
    from matplotlib.patches import FancyBboxPatch

    (x, y), (width, height) = centre, size
    shape = FancyBboxPatch(
        (x - width / 2, y - height / 2),
        width,
        height,
        boxstyle="round,pad=0,rounding_size=0.1",
        **{"zorder": 2, **options},
    )
    axes.add_patch(shape)
