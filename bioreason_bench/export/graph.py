"""The world of a release as a networkx graph: people and values, and a fact on every edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bioreason_bench.errors import ReleaseError
from bioreason_bench.release.read import Release

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["make_graph"]

PERSON = "person"
TABLES = ("relations", "people", "facts", "biographies")


def make_graph(release: Release, biographies: bool = True) -> nx.MultiDiGraph:
    """Nodes and edges as `bioreason_bench.graph` says; attributes are texts and booleans, so that GraphML can hold them."""
    import networkx as nx

    if lacking := [name for name in TABLES if name not in release.configs()]:
        raise ReleaseError(
            f"{release.path} lacks data/{lacking[0]}, and a graph needs it; generate or download the release again"
        )
    made = nx.MultiDiGraph(
        preset=release.manifest["preset"],
        seed=release.manifest["seed"],
        canary=release.manifest["canary"],
    )
    for row in release.rows("people", "train"):
        made.add_node(
            row["name"],
            kind=PERSON,
            label=row["name"],
            known=row["known"],
            in_context=row["in_context"],
        )
    stated: dict[tuple[str, str], str] = {}  # (person, group) -> id of the biography
    for group in release.splits("biographies"):
        for row in release.rows("biographies", group):
            if row["rendering"] == 0:
                stated[row["person"], row["group"]] = row["id"]
                if biographies:
                    made.nodes[row["person"]][row["group"]] = row["text"]
    kinds = {row["name"]: row["object"] for row in release.rows("relations", "train")}
    for row in release.rows("facts", "train"):
        kind = kinds[row["relation"]]
        target = row["object"] if kind == PERSON else f"{kind}: {row['object']}"
        if kind != PERSON and target not in made:
            made.add_node(target, kind=kind, label=row["object"])
        source = {"biography": stated[row["subject"], row["group"]]}
        made.add_edge(
            row["subject"],
            target,
            key=row["relation"],
            relation=row["relation"],
            group=row["group"],
            **source,
        )
    return made
