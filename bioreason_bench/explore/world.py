"""The world of a release as the page reads it: people and values by number, facts in columns.

    people      names, in the order of the release
    values      the objects that are not people
    relations   [{name, group, person: whether its objects are people}]
    facts       one [subjects, objects] a relation; numbers of people, or of values
    biographies {group: one text a person, null where there is none}

Two things make the page smaller.  A list of subjects holds the first number and then the distance
to the next, which is mostly 1.  In a biography, OWN_NAME stands for the name of its person.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from bioreason_bench.errors import ReleaseError
from bioreason_bench.escaping import visible
from bioreason_bench.release.read import Release

__all__ = ["GROUPS", "OWN_NAME", "world_of"]

GROUPS = ("parametric", "contextual")
OWN_NAME = "\n"  # in no text that `visible` returns


def world_of(release: Release) -> dict[str, Any]:
    """People, values, relations, facts and the first biography of each person and group.

    Raises:
        ReleaseError: A file is missing or broken, or a fact names a person or relation that the
            release does not have.
    """
    names = release.table("people", columns=["name"])["name"].to_pylist()
    number = {name: index for index, name in enumerate(names)}
    relations = release.table("relations", columns=["name", "group", "object"]).to_pylist()
    values, facts = _facts(release, number, relations)
    return {
        "people": [visible(name) for name in names],
        "values": [visible(value) for value in values],
        "relations": [
            {
                "name": visible(row["name"]),
                "group": visible(row["group"]),
                "person": row["object"] == "person",
            }
            for row in relations
        ],
        "facts": facts,
        "biographies": {group: _biographies(release, group, number) for group in GROUPS},
    }


def _facts(
    release: Release, people: dict[str, int], relations: list[dict[str, Any]]
) -> tuple[list[str], list[list[list[int]]]]:
    """The values, and the facts of each relation as [distances of subjects, objects]."""
    values: dict[str, int] = {}
    pairs: dict[str, list[tuple[int, int]]] = {row["name"]: [] for row in relations}
    to_person = {row["name"] for row in relations if row["object"] == "person"}
    columns = ["subject", "relation", "object"]
    for batch in release.batches("facts", "train", columns, rows=16_384):
        for subject, relation, object_ in zip(*batch.to_pydict().values(), strict=True):
            try:
                if relation in to_person:
                    reached = people[object_]
                else:
                    reached = values.setdefault(object_, len(values))
                pairs[relation].append((people[subject], reached))
            except KeyError as unknown:
                raise ReleaseError(
                    f"the facts of {release.path} name {unknown}, which is none of its people and "
                    "relations; generate or download the release again"
                ) from None
    columns_of = []
    for found in pairs.values():
        found.sort()
        subjects = [subject for subject, _ in found]
        distances = subjects[:1] + [after - before for before, after in pairwise(subjects)]
        columns_of.append([distances, [reached for _, reached in found]])
    return list(values), columns_of


def _biographies(release: Release, group: str, people: dict[str, int]) -> list[str | None]:
    """The first biography of each person."""
    texts: list[str | None] = [None] * len(people)
    if group not in release.splits("biographies"):
        return texts
    columns = ["person", "rendering", "text"]
    for batch in release.batches("biographies", group, columns, rows=4096):
        for person, rendering, text in zip(*batch.to_pydict().values(), strict=True):
            if rendering == 0 and person in people:
                texts[people[person]] = visible(text).replace(visible(person), OWN_NAME)
    return texts
