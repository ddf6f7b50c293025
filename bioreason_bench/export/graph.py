"""The world of a release as a networkx graph: people and values, and an edge for every fact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioreason_bench.errors import ReleaseError, UsageError, quoted
from bioreason_bench.escaping import hidden_at
from bioreason_bench.release.read import Release

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["check_texts", "make_graph"]

PERSON = "person"
TABLES = ("relations", "people", "facts", "biographies")


def make_graph(release: Release, biographies: bool = True) -> nx.MultiDiGraph:
    """Nodes and edges as described in `bioreason_bench.graph`.

    Attributes are texts and booleans, so that GraphML can hold them.

    Args:
        release: The release.
        biographies: Whether people have their biographies as attributes.

    Raises:
        UsageError: The release is of a family that has no people.
        ReleaseError: The release lacks a table that a graph needs.
    """
    import networkx as nx

    if "people" not in release.configs():
        raise UsageError(f"a graph shows a world of people, and {release.path} has none")
    if lacking := [name for name in TABLES if name not in release.configs()]:
        raise ReleaseError(
            f"{release.path} lacks data/{lacking[0]}, and a graph needs it; "
            "generate or download the release again"
        )
    manifest = release.manifest
    graph = nx.MultiDiGraph(
        preset=manifest["preset"], seed=manifest["seed"], canary=manifest["canary"]
    )
    for row in release.rows("people", "train"):
        graph.add_node(
            row["name"],
            kind=PERSON,
            label=row["name"],
            known=row["known"],
            in_context=row["in_context"],
        )
    stating = _add_biographies(graph, release, texts=biographies)
    object_kinds = {row["name"]: row["object"] for row in release.rows("relations", "train")}
    for row in release.rows("facts", "train"):
        kind = object_kinds[row["relation"]]
        target = row["object"] if kind == PERSON else f"{kind}: {row['object']}"
        if target not in graph:
            graph.add_node(target, kind=kind, label=row["object"])
        graph.add_edge(
            row["subject"],
            target,
            key=row["relation"],
            relation=row["relation"],
            group=row["group"],
            biography=stating[row["subject"], row["group"]],
        )
    return graph


def _add_biographies(
    graph: nx.MultiDiGraph, release: Release, texts: bool
) -> dict[tuple[str, str], str]:
    """The id of the first biography of each (person, group); adds its text to the person's node."""
    first_ids: dict[tuple[str, str], str] = {}
    for group in release.splits("biographies"):
        for row in release.rows("biographies", group):
            if row["rendering"] == 0:
                first_ids[row["person"], row["group"]] = row["id"]
                if texts:
                    graph.nodes[row["person"]][row["group"]] = row["text"]
    return first_ids


def check_texts(graph: nx.MultiDiGraph) -> None:
    """Raise ReleaseError if a text of the graph holds a character that XML has no place for."""
    edges = (values for *_, values in graph.edges(data=True))
    nodes = ({"name": node, **values} for node, values in graph.nodes(data=True))
    for values in (*nodes, *edges):
        for name, text in values.items():
            if isinstance(text, str) and (index := hidden_at(text)) >= 0:
                raise ReleaseError(
                    f"the {name} {quoted(text)} holds U+{ord(text[index]):04X}, which cannot stand "
                    "in a graph; check the release with bioreason verify, or generate it again"
                )
