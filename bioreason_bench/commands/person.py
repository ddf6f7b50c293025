"""What `bioreason show --person` prints."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import click

from bioreason_bench.commands.tables import table
from bioreason_bench.escaping import visible

__all__ = ["person_text"]

IDS = 2  # ids of a row that are printed; --json has all of them


def person_text(about: Mapping[str, Any]) -> str:
    """Everything about a person (`explore.person.about_person`) as text."""
    width = min(110, shutil.get_terminal_size().columns)
    known = "parametric biography" if about["known"] else "no parametric biography"
    context = "occurs in contexts" if about["in_context"] else "occurs in no context"
    lines = ["", f"{click.style(visible(about['name']), bold=True)}   {known}, {context}"]
    lines += ["", "facts", *_indented(_facts(about["facts"], "object"))]
    if about["named_by"]:
        lines += ["", "facts of others", *_indented(_facts(about["named_by"], "subject"))]
    for biography in about["biographies"]:
        head = f"{biography['group']} biography, rendering {biography['rendering']}"
        lines += ["", f"{head}   {visible(biography['id'])}"]
        lines += _wrapped(biography["text"], width)
    lines += ["", "questions", *_indented(_questions(about["questions"]))]
    return "\n".join(lines)


def _facts(facts: Sequence[Mapping[str, str]], other: str) -> list[str]:
    """A table of facts: the relation, the other end, the group."""
    columns = ("relation", other, "group") if other == "object" else (other, "relation", "group")
    return table([[visible(fact[name]) for name in columns] for fact in facts], left=3)


def _questions(questions: Mapping[str, Mapping[str, list[str]]]) -> list[str]:
    """A table: files, place, how many questions, the first ids."""
    rows = [
        [files, place.replace("_", " "), f"{len(ids):,}", _first(ids)]
        for files, places in questions.items()
        for place, ids in places.items()
    ]
    return table(rows, left=4) if rows else ["none"]


def _first(ids: Sequence[str]) -> str:
    shown = ", ".join(map(visible, ids[:IDS]))
    return f"{shown}, ..." if len(ids) > IDS else shown


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(
        visible(text), width, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
    )
