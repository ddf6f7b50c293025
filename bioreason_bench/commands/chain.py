"""The chain of one question as a small graph: who leads to whom, and whether the step is recalled or read.

Recalled hops are dashed and dark, read hops solid and light, so that a print in black and white says the same.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench.commands.hops import Hop
from bioreason_bench.errors import MissingExtra, UsageError

if TYPE_CHECKING:
    import networkx as nx
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["chain_graph", "draw_chain", "save_chain"]

RECALL, READ, INK, FAINT = "#1f3d7a", "#c8690a", "#1d232b", "#8b929b"
STEP, HALF, EDGE = (
    3.3,
    0.98,
    1.3,
)  # inches between two entities, half a box, and from the last entity to the edge
BELOW, ROW, CELL = (
    -1.35,
    0.68,
    1.78,
)  # inches down to the first row of the context, to the next, and between two of a row
FORMATS = (".png", ".svg", ".pdf")


def save_chain(record: Mapping[str, Any], hops: Sequence[Hop], path: Path) -> None:
    """Write the picture; raises UsageError for a file that is no .png, .svg or .pdf, MissingExtra without matplotlib."""
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"--plot {path} must end in {', '.join(FORMATS[:-1])} or {FORMATS[-1]}")
    try:
        import matplotlib  # noqa: F401, ICN001 - asked for by name, so that a missing one can say which extra brings it
    except ImportError:
        raise MissingExtra("matplotlib", "plot") from None
    path.parent.mkdir(parents=True, exist_ok=True)
    draw_chain(record, hops).savefig(path, dpi=150)


def chain_graph(record: Mapping[str, Any], hops: Sequence[Hop]) -> nx.DiGraph:
    """Nodes: the entities of the chain ("hop", k) and the context's biographies ("context", k).

    Edges: the hops (relation, recalled), and from a subject to the biography in which its hop is read.
    """
    import networkx as nx

    graph = nx.DiGraph()
    for number, entity in enumerate(record["entities"]):
        graph.add_node(
            ("hop", number), text=entity, answer=number == len(hops), at=(number * STEP, 0.0)
        )
    used, columns = {hop.biography for hop in hops}, int((len(hops) * STEP + 2 * EDGE) / CELL)
    left = (len(hops) * STEP - (min(columns, len(record["context_people"])) - 1) * CELL) / 2
    for number, person in enumerate(record["context_people"]):
        row, column = divmod(number, columns)
        graph.add_node(
            ("context", number + 1),
            text=f"{number + 1}  {person}",
            used=number + 1 in used,
            at=(left + column * CELL, BELOW - row * ROW),
        )
    for number, hop in enumerate(hops):
        graph.add_edge(
            ("hop", number),
            ("hop", number + 1),
            text=hop.relation.replace("_", " "),
            recalled=hop.recalled,
        )
        if hop.biography:
            graph.add_edge(("hop", number), ("context", hop.biography), sentence=hop.sentence)
    return graph


def draw_chain(record: Mapping[str, Any], hops: Sequence[Hop]) -> Figure:
    """A matplotlib figure, as wide as the chain is long."""
    from matplotlib.figure import Figure

    graph = chain_graph(record, hops)
    left, right = -EDGE, len(hops) * STEP + EDGE
    title = textwrap.wrap(record["question"], int((right - left) * 10))
    top = 0.95 + 0.27 * len(title)
    lowest = min(
        (data["at"][1] for node, data in graph.nodes(data=True) if node[0] == "context"), default=0
    )
    bottom = lowest - 0.75
    figure = Figure(figsize=(right - left, top - bottom))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(left, right), ylim=(bottom, top))
    axes.axis("off")
    axes.text(
        left + 0.25,
        top - 0.2,
        "\n".join(title),
        fontsize=13,
        weight="bold",
        color=INK,
        va="top",
        linespacing=1.35,
    )
    if record["context_people"]:
        middle, half = (BELOW + 0.4 + bottom + 0.1) / 2, (BELOW + 0.4 - bottom - 0.1) / 2
        _rectangle(
            axes,
            (left + right) / 2,
            middle,
            (right - left) / 2 - 0.15,
            half,
            facecolor="#faf5ee",
            edgecolor="#e3d5c0",
            zorder=0,
        )
        axes.text(
            left + 0.3,
            bottom + 0.2,
            "context: one biography of each of these",
            fontsize=9.5,
            style="italic",
            color="#7a6a52",
        )
    for node, data in graph.nodes(data=True):
        _box(axes, data, node[0])
    _arrows(axes, graph, hops)
    return figure


def _box(axes: Axes, data: Mapping[str, Any], kind: str) -> None:
    (x, y), text = data["at"], "\n".join(textwrap.wrap(data["text"], 19)[:3])
    if kind == "context":
        look = (
            dict(edgecolor=READ, linewidth=1.8)
            if data["used"]
            else dict(edgecolor="#cccccc", linewidth=1)
        )
        _rectangle(axes, x, y, 0.81, 0.27, facecolor="white", **look)
        axes.text(
            x, y, text, ha="center", va="center", fontsize=9, color=INK if data["used"] else FAINT
        )
        return
    look = (
        dict(facecolor="#fff3c9", linewidth=2.6)
        if data["answer"]
        else dict(facecolor="#eef1f6", linewidth=1.2)
    )
    _rectangle(axes, x, y, HALF, 0.34, edgecolor=INK, **look)
    axes.text(
        x,
        y,
        text,
        ha="center",
        va="center",
        fontsize=11.5,
        color=INK,
        weight="bold" if data["answer"] else "normal",
    )
    if data["answer"]:
        axes.text(x, y + 0.44, "answer", ha="center", fontsize=10, style="italic", color=INK)


def _rectangle(
    axes: Axes, x: float, y: float, half: float, height: float, zorder: int = 2, **look: Any
) -> None:
    from matplotlib.patches import FancyBboxPatch

    corners = "round,pad=0,rounding_size=0.1"
    axes.add_patch(
        FancyBboxPatch(
            (x - half, y - height), 2 * half, 2 * height, boxstyle=corners, zorder=zorder, **look
        )
    )


def _arrows(axes: Axes, graph: nx.DiGraph, hops: Sequence[Hop]) -> None:
    import networkx as nx

    at, margin = nx.get_node_attributes(graph, "at"), 72 * HALF + 3  # points
    for number, hop in enumerate(hops):
        a, b = ("hop", number), ("hop", number + 1)
        x, y = (at[a][0] + at[b][0]) / 2, at[a][1]
        word, colour, style = (
            ("recall", RECALL, (0, (3, 1.5))) if hop.recalled else ("read", READ, "solid")
        )
        place = (
            "from the weights"
            if hop.recalled
            else f"biography {hop.biography},\nsentence {hop.sentence}"
            if hop.biography
            else ""
        )
        look = dict(
            edge_color=colour,
            style=style,
            width=2.6,
            arrowsize=20,
            min_source_margin=margin,
            min_target_margin=margin,
        )
        nx.draw_networkx_edges(graph, at, edgelist=[(a, b)], ax=axes, node_size=0, **look)
        axes.text(
            x,
            y + 0.36,
            graph.edges[a, b]["text"],
            ha="center",
            fontsize=12,
            weight="bold",
            color=colour,
        )
        axes.text(x, y + 0.12, word, ha="center", fontsize=10, color=colour)
        axes.text(
            x, y - 0.14, place, ha="center", va="top", fontsize=8.5, color=colour, linespacing=1.25
        )
