"""The picture of one question's chain, as SVG: every entity a box, every hop an arrow that says where its fact is to be found.

Written by hand, in a few lines of SVG, so that a card needs no plotting library and has the same bytes everywhere.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from html import escape
from typing import Any

__all__ = ["draw_chain", "hop_sources"]

WIDTH, LINE, BOX, STEP, MARGIN = 760, 20, 34, 86, 24
COLOURS = {"P": "#2456a6", "C": "#b4560f"}  # recalled, read


def hop_sources(record: Mapping[str, Any]) -> list[str]:
    """For each hop of a question, in words, where its fact is to be found."""
    people = list(record["context_people"])
    places = []
    for subject, letter in zip(record["entities"], record["pattern"], strict=False):
        if letter == "P":
            places.append(f"recalled: {subject}'s parametric biography")
        elif subject in people:
            places.append(
                f"read: biography {people.index(subject) + 1} of {len(people)} in the context"
            )
        else:
            places.append("read: the context")
    return places


def draw_chain(record: Mapping[str, Any]) -> str:
    """An SVG document, 760 wide, on a white ground (so that it can be read on dark pages too)."""
    lines = textwrap.wrap(record["question"], 82)
    parts = [
        _text(MARGIN, MARGIN + LINE * (k + 1) - 4, line, size=16, weight="bold")
        for k, line in enumerate(lines)
    ]
    top = MARGIN + LINE * len(lines) + 18
    entities, sources = record["entities"], hop_sources(record)
    for k, entity in enumerate(entities):
        y, last = top + k * STEP, k == len(entities) - 1
        width = min(WIDTH - 2 * MARGIN, 9 * len(entity) + 28)
        fill, edge = ("#f3ecd8", "#8a6d1b") if last else ("#eef2f7", "#56657a")
        parts.append(
            f'<rect x="{MARGIN}" y="{y}" width="{width}" height="{BOX}" rx="7" fill="{fill}" stroke="{edge}"/>'
        )
        parts.append(
            _text(MARGIN + 14, y + 23, entity, size=15, weight="bold" if last else "normal")
        )
        if last:
            parts.append(
                _text(MARGIN + width + 12, y + 23, "the answer", size=13, colour="#8a6d1b")
            )
            continue
        colour, x = COLOURS[record["pattern"][k]], MARGIN + 30
        parts.append(
            f'<line x1="{x}" y1="{y + BOX + 3}" x2="{x}" y2="{y + STEP - 11}" stroke="{colour}" stroke-width="3"/>'
        )
        parts.append(f'<path d="M{x - 6} {y + STEP - 13} h12 l-6 10 z" fill="{colour}"/>')
        parts.append(
            _text(
                x + 18,
                y + BOX + 24,
                record["path"][k].replace("_", " "),
                size=15,
                colour=colour,
                weight="bold",
            )
        )
        parts.append(_text(x + 18, y + BOX + 42, sources[k], size=13, colour=colour))
    height = top + (len(entities) - 1) * STEP + BOX + MARGIN
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img">'
    ground = f'<title>{escape(record["question"])}</title><rect width="{WIDTH}" height="{height}" fill="#ffffff"/>'
    return "\n".join([head, ground, *parts, "</svg>"]) + "\n"


def _text(
    x: int, y: int, text: str, *, size: int, colour: str = "#1c2430", weight: str = "normal"
) -> str:
    font = f'font-family="Helvetica, Arial, sans-serif" font-size="{size}" font-weight="{weight}"'
    return f'<text x="{x}" y="{y}" {font} fill="{colour}">{escape(text)}</text>'
