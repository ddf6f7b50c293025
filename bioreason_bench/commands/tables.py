"""Tables in plain text, as several commands print them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["score_table", "table"]


def table(rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """The lines of a table.  The first `left` columns are flush left, the others flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def score_table(solvers: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[str]:
    """The scores of an audit as a table: right answers in per cent, with chance for a shortcut.

    Args:
        solvers: {config: {solver: {score, chance, shortcut, ...}}}, as in audit.json.
    """
    names = list(dict.fromkeys(name for scores in solvers.values() for name in scores))
    rows = [["right answers, % (chance)", *names]]
    rows += [
        [config, *(_score(scores.get(name)) for name in names)]
        for config, scores in solvers.items()
    ]
    return table(rows)


def _score(score: Mapping[str, Any] | None) -> str:
    if score is None:
        return ""
    chance = f" ({100 * score['chance']:.1f})" if score["shortcut"] else ""
    return f"{100 * score['score']:.1f}{chance}"
