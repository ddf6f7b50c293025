"""Files and columns in words: what training has seen of a question, and what its kind adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bioreason_bench.schema import columns

__all__ = ["certificate_in_words", "exercise_in_words", "other_columns", "part_of", "plain"]

# Columns that hold a fact and another object for it: subject, relation, object, other object.
CHANGED_FACTS = ("changed", "conflicting")


def certificate_in_words(row: Mapping[str, Any]) -> str:
    """What training has and has not seen of a question."""
    if row["level"] == "probe":
        return f"probe of {', '.join(row['probe_of'])}"
    parts = ["path seen" if row["path_in_train"] else "path never seen"]
    if row["unseen_relations"]:
        parts.append(f"unseen relations: {', '.join(row['unseen_relations'])}")
    else:
        parts.append("every relation seen")
    if row["hops_beyond_train"]:
        parts.append(f"longer than any trained path by {row['hops_beyond_train']}")
    seen = "seen" if row["start_in_train"] else "never seen"
    parts.append(f"this start on this path {seen}")
    if not row["direction_seen"]:
        parts.append("a recalled fact is stated from the other end only")
    return "; ".join([*parts, f"{row['people_in_train']} of its people seen"])


def exercise_in_words(row: Mapping[str, Any]) -> str:
    """What training has and has not seen of a question of a family other than people."""
    parts = ["path seen" if row["path_in_train"] else "path never seen"]
    if row["unseen_primitives"]:
        parts.append(f"unseen: {', '.join(row['unseen_primitives'])}")
    if row["pairs_unseen"]:
        parts.append(f"{row['pairs_unseen']} pairs never joined")
    if row["hops_beyond_train"]:
        parts.append(f"longer than any trained path by {row['hops_beyond_train']}")
    return "; ".join(parts)


def other_columns(row: Mapping[str, Any]) -> dict[str, str]:
    """The columns that only this kind of question has, each as text."""
    common = (*columns("question"), "probe_of")
    return {
        name: _changed_fact(value) if name in CHANGED_FACTS else plain(value)
        for name, value in row.items()
        if name not in common
    }


def part_of(file: str) -> str:
    """The part of a release that a file belongs to.

    >>> part_of("data/comp/zeroshot/test-00000-of-00001.parquet")
    'comp/zeroshot/test'
    """
    return file.removeprefix("data/").rpartition("-of-")[0].rpartition("-")[0]


def plain(value: object) -> str:
    """A value of a row as text."""
    if isinstance(value, list):
        return " > ".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _changed_fact(values: Sequence[str]) -> str:
    subject, relation, stated, other = values
    return f"{subject}'s {relation.replace('_', ' ')}: {stated} → {other}"
