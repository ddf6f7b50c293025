"""What differs between two releases: settings, relations, and rows, part by part.

A part is what the files of one folder and split hold together, such as comp/zeroshot/test.  How its
rows are distributed over files makes no difference.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bioreason_bench.explore.words import part_of
from bioreason_bench.release.digest import RowsDigest
from bioreason_bench.release.read import Release
from bioreason_bench.schema import arrow_schema, columns

__all__ = ["compare"]

Pair = Sequence[Release]
KEYS = ("id", "question", "text", "name")  # columns whose values tell rows apart


def compare(one: Release, other: Release) -> dict[str, Any]:
    """The differences between two releases.

    Returns:
        same: Whether both have the same relations and, in every part, the same rows in order;
        settings, versions: {field: [value in one, value in other]} where they differ, None for a
        field that a release lacks;
        relations: {only: [names in one, names in other], changed: names, pools: names};
        parts: {part: {rows: [count, count], same, digests: [those of its files, of its files],
        shared: {column: values in common}}}, where column is "row" for tables without an id, text
        or name; a part that one release lacks has None for its rows and no shared.

    Raises:
        ReleaseError: A file is missing or broken.
    """
    pair = (one, other)
    relations = _relations(*map(_relation_rows, pair))
    files = [_files(release) for release in pair]
    names = dict.fromkeys([*files[0], *files[1]])
    parts = {name: _part(pair, [of_part.get(name, []) for of_part in files]) for name in names}
    return {
        "same": not any(map(any, relations.values())) and all(p["same"] for p in parts.values()),
        "settings": _differing(*map(_settings, pair)),
        "versions": _differing(*(release.manifest["versions"] for release in pair)),
        "relations": relations,
        "parts": parts,
    }


def _settings(release: Release) -> dict[str, Any]:
    """Fields of the manifest and the configuration: {"seed": 42, "comp.train": 600, ...}."""
    manifest = release.manifest
    heads = {name: manifest.get(name) for name in ("format", "preset", "seed", "license")}
    return heads | dict(_flat(manifest["config"]))


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The fields whose values differ, with both values."""
    return {
        name: [one.get(name), other.get(name)]
        for name in dict.fromkeys([*one, *other])
        if one.get(name) != other.get(name)
    }


def _relation_rows(release: Release) -> tuple[dict[str, Any], dict[str, Any]]:
    """The relations and the pools of values of a release's table, by name; only people have any."""
    if "relations" not in release.manifest:
        return {}, {}
    table = release.relations  # refuses a broken table
    return {row.name: row for row in table.relations}, dict(table.pools)


def _relations(
    one: tuple[dict[str, Any], dict[str, Any]], other: tuple[dict[str, Any], dict[str, Any]]
) -> dict[str, list[Any]]:
    """The relations of one table only, and those and the pools that differ."""
    (rows, pools), (other_rows, other_pools) = one, other
    only = [[name for name in rows if name not in other_rows]]
    only.append([name for name in other_rows if name not in rows])
    return {
        "only": only if any(only) else [],
        "changed": [name for name in rows if name in other_rows and rows[name] != other_rows[name]],
        "pools": list(_differing(pools, other_pools)),
    }


# rows ---------------------------------------------------------------------------------------------


def _files(release: Release) -> dict[str, list[str]]:
    """The files of each part."""
    files: dict[str, list[str]] = {}
    for file in release.manifest["files"]:
        files.setdefault(part_of(file), []).append(file)
    return files


def _part(pair: Pair, files: Sequence[Sequence[str]]) -> dict[str, Any]:
    """How many rows of a part each release has, and how many values they have in common."""
    both = list(zip(pair, files, strict=True))
    part: dict[str, Any] = {
        "rows": [_count(*one) for one in both],
        "same": False,
        "digests": [_digests(*one) for one in both],
    }
    if not all(files):
        return part
    if part["rows"][0] == part["rows"][1] and _same_rows(pair, files, part["digests"]):
        return {**part, "same": True}
    names = _key_columns(pair, files)
    found = [_values(*one, names) for one in both]
    shared = {name: len(found[0][name] & found[1][name]) for name in names}
    return {**part, "shared": shared}


def _digests(release: Release, files: Sequence[str]) -> list[str]:
    return [release.manifest["files"][file]["digest"] for file in files]


def _count(release: Release, files: Sequence[str]) -> int | None:
    entries = [release.manifest["files"][file] for file in files]
    return sum(entry["rows"] for entry in entries) if entries else None


def _same_rows(
    pair: Pair, files: Sequence[Sequence[str]], digests: Sequence[Sequence[str]]
) -> bool:
    """Whether a part has the same rows in order: by the manifests' digests, else by the files."""
    if _schema(pair[0], files[0]) != _schema(pair[1], files[1]):
        return False
    if digests[0] == digests[1] or len(files[0]) == len(files[1]) == 1:
        return digests[0] == digests[1]
    whole = [_digest(*one) for one in zip(pair, files, strict=True)]
    return whole[0] == whole[1]


def _schema(release: Release, files: Sequence[str]) -> str:
    """The schema of a part."""
    return release.manifest["files"][files[0]]["schema"]


def _digest(release: Release, files: Sequence[str]) -> str:
    """The digest of the rows of several files, one after the other."""
    digest = RowsDigest(arrow_schema(_schema(release, files)))
    for file in files:
        digest.update(release.read(release.path / file))
    return digest.text()


def _key_columns(pair: Pair, files: Sequence[Sequence[str]]) -> list[str]:
    """The columns of both that tell rows apart, or "row"."""
    schemas = [columns(_schema(*one)) for one in zip(pair, files, strict=True)]
    return [name for name in KEYS if all(name in schema for schema in schemas)] or ["row"]


def _values(release: Release, files: Sequence[str], names: Sequence[str]) -> dict[str, set[str]]:
    """The values of these columns in several files; of "row", whole rows as JSON."""
    values: dict[str, set[str]] = {name: set() for name in names}
    for file in files:
        if names == ["row"]:
            rows = release.read(release.path / file).to_pylist()
            values["row"].update(json.dumps(row, sort_keys=True) for row in rows)
        else:
            table = release.read(release.path / file, names)
            for name in names:
                values[name].update(table[name].to_pylist())
    return values
