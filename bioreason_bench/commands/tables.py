"""Tables in plain text, as several commands print them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["score_table", "table"]


def table(rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """Lines with columns as wide as their widest cell: the first `left` columns flush left, figures flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            f"{cell:<{w}}" if k < left else f"{cell:>{w}}"
            for k, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def score_table(solvers: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[str]:
    """The solvers of an audit ({config: {solver: score}}): right answers in per cent, and chance where it is a shortcut."""
    rows = [["right answers, % (chance)", *next(iter(solvers.values()), {})]]
    for config, scores in solvers.items():
        cells = (
            f"{100 * score['score']:.1f}"
            + (f" ({100 * score['chance']:.1f})" if score["shortcut"] else "")
            for score in scores.values()
        )
        rows.append([config, *cells])
    return table(rows)
