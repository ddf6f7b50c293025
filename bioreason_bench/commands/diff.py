"""`bioreason diff`: what differs between two releases."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from bioreason_bench.commands.parameters import PATH
from bioreason_bench.commands.tables import table
from bioreason_bench.escaping import json_text, shortened, visible

LONGEST = 40  # characters of a value in a table


@click.command(name="diff")
@click.argument("one", metavar="A", type=PATH)
@click.argument("other", metavar="B", type=PATH)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def command(one: Path, other: Path, as_json: bool) -> None:
    """Print what differs between the releases A and B.

    Settings, versions, relations, and for each part (such as comp/zeroshot/test) how many rows
    there are and how many ids, texts or names both have.

    Exit code 0: the same relations and the same rows, whatever the files; 1: not.
    """
    from bioreason_bench.explore.difference import compare
    from bioreason_bench.release.read import Release

    found = compare(Release(one), Release(other))
    text = json_text(found, indent=1) if as_json else "\n".join(_lines(found, str(one), str(other)))
    click.echo(text)
    sys.exit(0 if found["same"] else 1)


def _lines(found: Mapping[str, Any], one: str, other: str) -> Iterator[str]:
    """A sentence, and a table for each kind of difference."""
    a, b = visible(one), visible(other)
    verdict = "hold the same rows" if found["same"] else "differ"
    yield f"{a} and {b} {verdict}."
    for kind in ("settings", "versions"):
        if found[kind]:
            rows = [[visible(name), *map(_value, pair)] for name, pair in found[kind].items()]
            yield from ("", *table([[kind, "A", "B"], *rows], left=3))
    yield from _relation_lines(found["relations"])
    parts = found["parts"]
    differing = {name: part for name, part in parts.items() if not part["same"]}
    if equal := len(parts) - len(differing):
        yield from ("", f"the same rows: {equal} of {len(parts)} parts")
    if differing:
        rows = [
            [name, *map(_count, part["rows"]), _shared(part)] for name, part in differing.items()
        ]
        yield from ("", *_part_table(rows))


def _part_table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Counts flush right; what both have, last, as it is."""
    counts = table([["other rows", "rows of A", "rows of B"], *(row[:3] for row in rows)])
    width = max(map(len, counts))
    shared = ["in both", *(row[3] for row in rows)]
    return [f"{line:<{width}}  {text}" for line, text in zip(counts, shared, strict=True)]


def _relation_lines(relations: Mapping[str, Any]) -> Iterator[str]:
    only = relations["only"] or [[], []]
    texts = {
        "relations of A only": only[0],
        "relations of B only": only[1],
        "relations that differ": relations["changed"],
        "values that differ": relations["pools"],
    }
    for text, names in texts.items():
        if names:
            yield from ("", f"{text}: {', '.join(map(visible, names))}")


def _value(value: Any) -> str:
    if value is None:
        return "-"
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    return shortened(visible(text), LONGEST)


def _count(rows: int | None) -> str:
    return "-" if rows is None else f"{rows:,}"


def _shared(part: Mapping[str, Any]) -> str:
    """How many values of each column both have: "12 ids, 3 texts"."""
    counts = part.get("shared", {}).items()
    return ", ".join(f"{count:,} {name}{'s' * (count != 1)}" for name, count in counts)
