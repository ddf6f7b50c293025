"""A page as a list of blocks, written as Markdown or as one HTML file.

Blocks hold plain text, with code spans (`escaping.markdown_code`) as the only markup; everything
else in them appears as it is, whatever the names of models and runs hold.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bioreason_bench.escaping import markdown, xml_text

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem;
       color: #111; background: #fff }
table { border-collapse: collapse; display: block; overflow-x: auto; margin: 1rem 0 }
th, td { border-bottom: 1px solid #bbb; padding: .25rem .7rem; text-align: left;
         white-space: nowrap }
th { border-bottom: 2px solid #111 }
figure { margin: 1.5rem 0 } img { max-width: 100% } figcaption { color: #444 }
code { background: #f2f2f2; padding: 0 .2rem; overflow-wrap: anywhere }
"""


@dataclass(frozen=True)
class Table:
    """A table; each row has as many cells as the head."""

    head: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Picture:
    """A picture with its caption.

    Attributes:
        file: Name of the PNG, in the folder of the page.
        text: The caption.
    """

    file: str
    text: str


CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
HEAD = re.compile(r"#+ |- |")  # of a string: heading, item or neither
Block = str | Table | Picture  # a string is a heading ("# ..."), an item ("- ...") or a paragraph


def as_markdown(blocks: Sequence[Block]) -> str:
    parts: list[str] = []
    for block in blocks:
        if isinstance(block, Table):
            parts.append(_markdown_table(block))
        elif isinstance(block, Picture):
            parts.append(f"![{markdown(block.text)}]({block.file})")
        elif block.startswith("- ") and parts and parts[-1].startswith("- "):
            # items of one list follow each other without a blank line
            parts[-1] += f"\n{_markdown_line(block)}"
        else:
            parts.append(_markdown_line(block))
    return "\n\n".join(parts) + "\n"


def _markdown_line(block: str) -> str:
    """A heading, item or paragraph; only its code spans are markup."""
    begin = HEAD.match(block)
    first = begin.end() if begin else 0
    parts = [block[:first]]
    for span in CODE.finditer(block, first):
        parts += [markdown(block[first : span.start()]), span[0]]
        first = span.end()
    return "".join([*parts, markdown(block[first:])])


def _markdown_table(table: Table) -> str:
    head, *rows = (" | ".join(map(markdown, row)) for row in [table.head, *table.rows])
    rule = "|".join("---" for _ in table.head)
    return "\n".join([f"| {head} |", f"|{rule}|", *(f"| {row} |" for row in rows)])


def as_html(blocks: Sequence[Block], folder: Path) -> str:
    """The page in one file, with the pictures of `folder` inside."""
    titles = [block for block in blocks if isinstance(block, str) and block.startswith("# ")]
    title = titles[0].lstrip("# ") if titles else "Results"
    body = "\n".join(_html_block(block, folder) for block in blocks).replace("</ul>\n<ul>", "\n")
    head = f'<meta charset="utf-8"><title>{xml_text(title)}</title><style>{STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'


def _html_block(block: Block, folder: Path) -> str:
    if isinstance(block, Table):
        head = _html_row(block.head, "th")
        rows = "".join(_html_row(row, "td") for row in block.rows)
        return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"
    if isinstance(block, Picture):
        data = base64.b64encode((folder / block.file).read_bytes()).decode()
        text = xml_text(block.text)
        image = f'<img alt="{text}" src="data:image/png;base64,{data}">'
        return f"<figure>{image}<figcaption>{text}</figcaption></figure>"
    if block.startswith("#"):
        level = len(block) - len(block.lstrip("#"))
        return f"<h{level}>{xml_text(block.lstrip('# '))}</h{level}>"
    if block.startswith("- "):
        return f"<ul><li>{_inline(block[2:])}</li></ul>"
    return f"<p>{_inline(block)}</p>"


def _html_row(cells: Sequence[str], tag: str) -> str:
    return f"<tr>{''.join(f'<{tag}>{xml_text(cell)}</{tag}>' for cell in cells)}</tr>"


def _inline(text: str) -> str:
    """HTML of a sentence, with its code spans marked."""
    first, parts = 0, []
    for span in CODE.finditer(text):
        code = span[2].strip(" ") or span[2]
        parts += [xml_text(text[first : span.start()]), f"<code>{xml_text(code)}</code>"]
        first = span.end()
    return "".join([*parts, xml_text(text[first:])])
