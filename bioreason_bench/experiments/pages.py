"""A page as a list of blocks, written as Markdown or as one HTML file."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem; color: #111; background: #fff }
table { border-collapse: collapse; display: block; overflow-x: auto; margin: 1rem 0 }
th, td { border-bottom: 1px solid #bbb; padding: .25rem .7rem; text-align: left; white-space: nowrap }
th { border-bottom: 2px solid #111 } figure { margin: 1.5rem 0 } img { max-width: 100% } figcaption { color: #444 }
code { background: #f2f2f2; padding: 0 .2rem; overflow-wrap: anywhere }
"""


@dataclass(frozen=True)
class Table:
    head: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Picture:
    file: str  # name of the PNG beside the page
    text: str


Block = str | Table | Picture  # a string is a heading ("# ..."), an item ("- ...") or a paragraph


def as_markdown(blocks: Sequence[Block]) -> str:
    parts: list[str] = []
    for block in blocks:
        if isinstance(block, Table):
            rule = "|".join("---" for _ in block.head)
            rows = [
                " | ".join(cell.replace("|", "\\|") for cell in row)
                for row in [block.head, *block.rows]
            ]
            parts.append(
                "\n".join([f"| {rows[0]} |", f"|{rule}|", *(f"| {row} |" for row in rows[1:])])
            )
        elif isinstance(block, Picture):
            parts.append(f"![{block.text}]({block.file})")
        elif block.startswith("- ") and parts and parts[-1].startswith("- "):
            parts[-1] += f"\n{block}"
        else:
            parts.append(block)
    return "\n\n".join(parts) + "\n"


def as_html(blocks: Sequence[Block], folder: Path) -> str:
    """Everything in one file, pictures included."""
    body: list[str] = []
    title = next(
        (
            block.lstrip("# ")
            for block in blocks
            if isinstance(block, str) and block.startswith("# ")
        ),
        "Results",
    )
    for block in blocks:
        if isinstance(block, Table):
            head = "".join(f"<th>{html.escape(cell)}</th>" for cell in block.head)
            rows = "".join(
                "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
                for row in block.rows
            )
            body.append(f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>")
        elif isinstance(block, Picture):
            data = base64.b64encode((folder / block.file).read_bytes()).decode()
            text = html.escape(block.text)
            body.append(
                f'<figure><img alt="{text}" src="data:image/png;base64,{data}"><figcaption>{text}</figcaption></figure>'
            )
        elif block.startswith("#"):
            level = len(block) - len(block.lstrip("#"))
            body.append(f"<h{level}>{html.escape(block.lstrip('# '))}</h{level}>")
        elif block.startswith("- "):
            body.append(f"<ul><li>{_inline(block[2:])}</li></ul>")
        else:
            body.append(f"<p>{_inline(block)}</p>")
    page = "\n".join(body).replace("</ul>\n<ul>", "\n")
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{page}\n</body></html>\n'


def _inline(text: str) -> str:
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", html.escape(text, quote=False))
