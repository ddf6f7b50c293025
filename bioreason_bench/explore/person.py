"""Everything about a person: facts, biographies, who names them, and the questions about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bioreason_bench.errors import UsageError, suggest
from bioreason_bench.explore.words import part_of
from bioreason_bench.release.read import Release
from bioreason_bench.schema import columns

__all__ = ["about_person"]


def about_person(release: Release, name: str) -> dict[str, Any]:
    """What a release says of a person.

    Returns:
        The columns of the person's row (name, known, in_context, ...);
        facts: [{relation, object, group}];
        named_by: the facts of others that lead to the person, [{subject, relation, group}];
        biographies: every rendering, [{id, group, rendering, text}];
        questions: {part: {place: ids}}, where part is such as "comp/zeroshot/test", and place is
        on_the_path if a hop starts or ends at the person, in_the_context if only the context has a
        biography of the person.

    Raises:
        UsageError: There is no such person.
        ReleaseError: A file is missing or broken.
    """
    facts = release.table("facts").to_pylist()
    to_person = {row["name"] for row in release.rows("relations") if row["object"] == "person"}
    named_by = [fact for fact in facts if fact["object"] == name and fact["relation"] in to_person]
    return {
        **_row(release, name),
        "facts": _without("subject", [fact for fact in facts if fact["subject"] == name]),
        "named_by": _without("object", named_by),
        "biographies": list(_biographies(release, name)),
        "questions": _questions(release, name),
    }


def _row(release: Release, name: str) -> dict[str, Any]:
    """The row of the person."""
    import pyarrow.compute as pc

    people = release.table("people")
    index = pc.index(people["name"], name).as_py()
    if index >= 0:
        return people.slice(index, 1).to_pylist()[0]
    names = people["name"].to_pylist()
    folded = {known.casefold(): known for known in names}
    if name.casefold() in folded:
        hint = f"did you mean {folded[name.casefold()]!r}?"
    else:
        hint = suggest(name, names, f"bioreason show {release.path} people prints some names")
    raise UsageError(f"nobody in {release.path} is called {name!r}: {hint}")


def _without(column: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != column} for row in rows]


def _biographies(release: Release, name: str) -> Iterator[dict[str, Any]]:
    import pyarrow.compute as pc

    for split in release.splits("biographies"):
        for batch in release.batches("biographies", split, rows=8192):
            found = batch.filter(pc.equal(batch["person"], name))
            yield from found.drop_columns(["person"]).to_pylist()


def _questions(release: Release, name: str) -> dict[str, dict[str, list[str]]]:
    """Ids of the questions about the person, by part and place."""
    questions: dict[str, dict[str, list[str]]] = {}
    for file, entry in release.manifest["files"].items():
        if "question" not in columns(entry["schema"]):
            continue
        for place, ids in _in_file(release, file, name).items():
            if ids:
                of_place = questions.setdefault(part_of(file), {}).setdefault(place, [])
                of_place += ids
    return questions


def _in_file(release: Release, file: str, name: str) -> dict[str, list[str]]:
    """Ids of the questions of one file by where they have the person."""
    table = release.read(release.path / file, ["id", "entities", "context_people"])
    ids = table["id"].to_pylist()
    on_the_path = _rows_with(table["entities"], name)
    in_the_context = _rows_with(table["context_people"], name) - on_the_path
    return {
        "on_the_path": [ids[row] for row in sorted(on_the_path)],
        "in_the_context": [ids[row] for row in sorted(in_the_context)],
    }


def _rows_with(lists: Any, name: str) -> set[int]:
    """Numbers of the rows whose list holds the name."""
    import pyarrow.compute as pc

    rows = pc.list_parent_indices(lists.combine_chunks())
    found = pc.equal(pc.list_flatten(lists.combine_chunks()), name)
    return set(rows.filter(found).to_pylist())
