"""The chain of a question as SVG: a box for each entity, an arrow and the source for each hop.

The SVG is written directly, so that a card needs no plotting library and has the same bytes on
every machine.  Lengths are in pixels.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from bioreason_bench.escaping import xml_text
from bioreason_bench.figure_style import ANSWER, ENTITY, INK, READ, RECALLED, RECALLED_DASH
from bioreason_bench.release.hops import Hop, source_in_words

__all__ = ["chain_svg"]

WIDTH, MARGIN = 760, 24
LINE = 22  # between two lines of the question
BOX = 34  # height of an entity
STEP = 106  # from one entity to the next
STROKE = 3  # width of an arrow
LETTER = 10  # width of a bold letter of 15 pixels, about: fonts differ


def chain_svg(record: Mapping[str, Any], hops: Sequence[Hop]) -> str:
    """An SVG document on a white background, which can be read on dark pages too."""
    question = textwrap.wrap(record["question"], 80)
    parts = [
        _text(MARGIN, MARGIN + LINE * number - 6, line, size=16, weight="bold")
        for number, line in enumerate(question, 1)
    ]
    top = MARGIN + LINE * len(question) + 12
    entities = record["entities"]
    width = min(WIDTH - 2 * MARGIN, LETTER * max(map(len, entities)) + 32)
    biographies = len(record["context_people"])
    for number, hop in enumerate(hops):
        y = top + number * STEP
        parts += _entity(entities[number], y, width)
        parts += _hop(hop, y + BOX, biographies)
    last = top + len(hops) * STEP
    parts += _entity(entities[-1], last, width, answer=True)
    height = last + BOX + MARGIN
    size = f'width="{WIDTH}" height="{height}"'
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {WIDTH} {height}" role="img">'
    )
    background = f'<title>{xml_text(record["question"])}</title><rect {size} fill="#ffffff"/>'
    return "\n".join([head, background, *parts, "</svg>"]) + "\n"


def _entity(text: str, y: int, width: int, answer: bool = False) -> list[str]:
    fill, edge = ANSWER if answer else ENTITY
    box = f'x="{MARGIN}" y="{y}" width="{width}" height="{BOX}" rx="7"'
    stroke = f'stroke="{edge}" stroke-width="{2 if answer else 1}"'
    weight = "bold" if answer else "normal"
    parts = [
        f'<rect {box} fill="{fill}" {stroke}/>',
        _text(MARGIN + 16, y + 23, text, size=15, weight=weight),
    ]
    if answer:
        parts.append(_text(MARGIN + width + 12, y + 23, "the answer", size=13, colour=edge))
    return parts


def _hop(hop: Hop, y: int, biographies: int) -> list[str]:
    """The arrow of a hop, from `y` down, with its relation, source and sentence."""
    colour, x, end = (RECALLED if hop.recalled else READ), MARGIN + 30, y + STEP - BOX
    dashes = " ".join(str(STROKE * length) for length in RECALLED_DASH[1])
    dashed = f' stroke-dasharray="{dashes}"' if hop.recalled else ""
    line = f'x1="{x}" y1="{y + 3}" x2="{x}" y2="{end - 13}"'
    parts = [
        f'<line {line} stroke="{colour}" stroke-width="{STROKE}"{dashed}/>',
        f'<path d="M{x - 6} {end - 13} h12 l-6 10 z" fill="{colour}"/>',
    ]
    relation, source = hop.relation.replace("_", " "), source_in_words(hop, biographies)
    parts.append(_text(x + 20, y + 22, relation, size=15, colour=colour, weight="bold"))
    parts.append(_text(x + 20, y + 40, source, size=13, colour=colour))
    if hop.text:
        quote = textwrap.shorten(f"“{hop.text}”", 96, placeholder=" …”")
        parts.append(_text(x + 20, y + 58, quote, size=13))
    return parts


def _text(
    x: int, y: int, text: str, *, size: int, colour: str = INK, weight: str = "normal"
) -> str:
    font = f'font-family="Helvetica, Arial, sans-serif" font-size="{size}" font-weight="{weight}"'
    return f'<text x="{x}" y="{y}" {font} fill="{colour}">{xml_text(text)}</text>'
