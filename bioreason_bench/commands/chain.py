"""The chain of one question as a small graph: who leads to whom, and whether the step is recalled or read.

Recalled hops are dashed and dark, read hops solid and light, so that a print in black and white says the same.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench.errors import MissingExtra, UsageError
from bioreason_bench.release.hops import Hop

if TYPE_CHECKING:
    import networkx as nx
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["chain_graph", "draw_chain", "save_chain"]

RECALL, READ, INK, FAINT = "#1f3d7a", "#c8690a", "#1d232b", "#8b929b"
STEP, ROW, HALF = 3.3, 1.7, 0.98  # inches between two entities, down to the context, and half a box
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
        graph.add_node(("hop", number), text=entity, answer=number == len(hops), at=(number * STEP, 0.0))
    used = {hop.biography for hop in hops}
    middle, gap = len(hops) * STEP / 2, min(STEP, max(1.75, (len(hops) + 0.6) * STEP / max(1, len(record["context_people"]))))
    for number, person in enumerate(record["context_people"], 1):
        place = middle + (number - (len(record["context_people"]) + 1) / 2) * gap
        graph.add_node(("context", number), text=person, used=number in used, at=(place, -ROW))
    for number, hop in enumerate(hops):
        graph.add_edge(("hop", number), ("hop", number + 1), text=hop.relation.replace("_", " "), recalled=hop.recalled)
        if hop.biography:
            graph.add_edge(("hop", number), ("context", hop.biography), text=f"sentence {hop.sentence}")
    return graph


def draw_chain(record: Mapping[str, Any], hops: Sequence[Hop]) -> Figure:
    """A matplotlib figure, as wide as the chain is long."""
    from matplotlib.figure import Figure

    graph = chain_graph(record, hops)
    at = {node: data["at"] for node, data in graph.nodes(data=True)}
    left, right = min(x for x, _ in at.values()) - 1.3, max(x for x, _ in at.values()) + 1.3
    title = textwrap.wrap(record["question"], int((right - left) * 10))
    top, bottom = 0.95 + 0.27 * len(title), -ROW - 0.75 if record["context_people"] else -0.6
    figure = Figure(figsize=(right - left, top - bottom))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(left, right), ylim=(bottom, top))
    axes.axis("off")
    axes.text(left + 0.25, top - 0.2, "\n".join(title), fontsize=13, weight="bold", color=INK, va="top", linespacing=1.35)
    if record["context_people"]:
        _context(axes, left, right)
    for kind in ("hop", "context"):
        for node, data in graph.nodes(data=True):
            if node[0] == kind:
                _box(axes, data, kind)
    _arrows(axes, graph, at)
    return figure


def _context(axes: Axes, left: float, right: float) -> None:
    _rectangle(axes, (left + right) / 2, -ROW - 0.08, (right - left) / 2 - 0.15, 0.55, facecolor="#faf5ee", edgecolor="#e3d5c0")
    axes.text(left + 0.3, -ROW - 0.52, "context: one biography of each of these", fontsize=9.5, style="italic", color="#7a6a52")


def _box(axes: Axes, data: Mapping[str, Any], kind: str) -> None:
    (x, y), text = data["at"], "\n".join(textwrap.wrap(data["text"], 19)[:3])
    if kind == "context":
        look = dict(edgecolor=READ, linewidth=1.8) if data["used"] else dict(edgecolor="#cccccc", linewidth=1)
        _rectangle(axes, x, y, 0.8, 0.27, facecolor="white", **look)
        axes.text(x, y, text, ha="center", va="center", fontsize=9, color=INK if data["used"] else FAINT)
        return
    look = dict(facecolor="#fff3c9", linewidth=2.6) if data["answer"] else dict(facecolor="#eef1f6", linewidth=1.2)
    _rectangle(axes, x, y, HALF, 0.34, edgecolor=INK, **look)
    axes.text(x, y, text, ha="center", va="center", fontsize=11.5, color=INK, weight="bold" if data["answer"] else "normal")
    if data["answer"]:
        axes.text(x, y + 0.44, "answer", ha="center", fontsize=10, style="italic", color=INK)


def _rectangle(axes: Axes, x: float, y: float, half: float, height: float, **look: Any) -> None:
    from matplotlib.patches import FancyBboxPatch

    round_corners = "round,pad=0,rounding_size=0.1"
    axes.add_patch(
        FancyBboxPatch((x - half, y - height), 2 * half, 2 * height, boxstyle=round_corners, zorder=2 if height < 0.5 else 0, **look)
    )


def _arrows(axes: Axes, graph: nx.DiGraph, at: Mapping[Any, tuple[float, float]]) -> None:
    import networkx as nx

    margin = 72 * HALF + 3  # points
    for a, b, data in graph.edges(data=True):
        (x, y), (x2, y2) = at[a], at[b]
        if "recalled" not in data:
            axes.plot([x, x2], [y - 0.34, y2 + 0.27], color=READ, linestyle=":", linewidth=1.4, zorder=1)
            white = dict(facecolor="white", edgecolor="none", pad=1.5)
            axes.text((x + x2) / 2, (y + y2) / 2 + 0.08, data["text"], ha="center", va="center", fontsize=9, color=READ, bbox=white)
            continue
        word, colour, style = ("recall", RECALL, (0, (3, 1.5))) if data["recalled"] else ("read", READ, "solid")
        look = dict(edge_color=colour, style=style, width=2.6, arrowsize=20, min_source_margin=margin, min_target_margin=margin)
        nx.draw_networkx_edges(graph, at, edgelist=[(a, b)], ax=axes, node_size=0, **look)
        axes.text((x + x2) / 2, y + 0.36, data["text"], ha="center", fontsize=12, weight="bold", color=colour)
        axes.text((x + x2) / 2, y + 0.12, word, ha="center", fontsize=10, color=colour)
