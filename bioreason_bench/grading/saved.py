"""The grader of a release as one file, for machines that have the questions but not the release.

grader_file(relations, language, known)    the text of grader.json
load_grader("v1-trl")                      the grader that it describes
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from bioreason_bench.errors import ReleaseError
from bioreason_bench.family import ReadTable, family_of
from bioreason_bench.grading.grader import Grader, grader_for, make_grader
from bioreason_bench.world.table import read_table

__all__ = ["GRADER", "grader_file", "grader_of_release", "load_grader"]

GRADER = "grader.json"


def grader_of_release(manifest: Mapping[str, Any], table: ReadTable) -> Grader:
    """The grader that knows a release's relations, names and values; see `Family.grader`."""
    if not manifest:
        return grader_for()
    names = table("people")["name"].to_pylist()
    objects = table("facts")["object"].unique().to_pylist()
    language = manifest["config"].get("language", "english")
    return make_grader(read_table(manifest["relations"]), language, names, objects)


def grader_file(relations: Mapping[str, Any], language: str, known: Iterable[str]) -> str:
    """The text of a grader file.

    Args:
        relations: The relation table as data, as the manifest has it.
        language: "english" or "symbols".
        known: Every name and value of the world.
    """
    value = {"language": language, "relations": relations, "known": sorted(set(known))}
    return json.dumps(value, ensure_ascii=False) + "\n"


def family_grader_file(manifest: Mapping[str, Any]) -> str:
    """The text of a grader file of a family that needs nothing but the manifest."""
    value = {name: manifest[name] for name in ("family", "config", "definitions")}
    return json.dumps(value, ensure_ascii=False) + "\n"


def of_family(manifest: Mapping[str, Any]) -> Grader:
    """The grader of a family that needs nothing but the manifest."""

    def table(name: str) -> NoReturn:
        raise KeyError(name)

    grader: Grader = family_of(manifest).grader(manifest, table)
    return grader


@functools.lru_cache(maxsize=4)
def load_grader(path: str | Path) -> Grader:
    """The grader that a file holds.

    Args:
        path: The file, or the folder of an export that has one.

    Raises:
        ReleaseError: The file is missing or broken.
    """
    file = Path(path) / GRADER if Path(path).is_dir() else Path(path)
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
        if "family" in value:
            return of_family(value)
        table = read_table(value["relations"], file.name)
        return Grader(table, value["language"], frozenset(value["known"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReleaseError(
            f"{file} is no file of a grader ({type(error).__name__}); "
            "write it again with bioreason export"
        ) from None
