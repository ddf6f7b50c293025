r"""Text from outside as it may be shown: one function for each format that the package writes.

Names, values, wordings, models and runs come from a user's files or from somebody else's release.
They are data: no format may take a part of them for its own syntax.

    visible         plain text: the terminal, messages, logs
    markdown        words in Markdown
    markdown_code   the same as a code span
    xml_text        words in SVG and HTML
    json_text       JSON
    plot_text       a label of matplotlib
    without_token   a message without the token of the Hub

What cannot be seen (control characters, zero-width and direction marks) is written as an escape
such as \u202e in every format.  `validation.text_problem` refuses it in a user's own files.
"""

from __future__ import annotations

import html
import json
import os
import re
import sys
import unicodedata
from contextlib import suppress
from typing import Any

__all__ = [
    "hidden_at",
    "json_text",
    "markdown",
    "markdown_code",
    "plot_text",
    "shortened",
    "visible",
    "without_token",
    "xml_text",
]

HIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # control, format, surrogate, line, paragraph
# Letters, marks and signs without a glyph: joiners, fillers, variation selectors, tags.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164"
    "\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
# What Markdown may read as its own, wherever it stands.  An underscore within a word is none.
_MARKDOWN = re.compile(
    r"[\\`*\[\]|~$]|(?<![^\W_])_|_(?![^\W_])|:(?=//)|(?<=\bwww)\.|(?<=\w)@(?=[\w-]+\.)"
)
# A heading, an item or a rule, at the beginning of a line.
_BLOCK = re.compile(r"(?:#{1,6}|[+-]|\d+[.)])(?=\s|$)|(?:=+|-+)$")
_BACKTICKS = re.compile("`+")
LONGEST_LABEL = 60  # characters of a label in a picture
SHORTEST_TOKEN = 6  # shorter parts of a token are words of messages
TOKEN_VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_OIDC_ID_TOKEN")


def hidden_at(text: str) -> int:
    r"""The index of the first character that cannot be seen, -1 if there is none.

    >>> hidden_at("Ann Lee"), hidden_at("Ann\tLee"), hidden_at("Ann\u200bLee")
    (-1, 3, 3)
    """
    if text.isprintable() and not _BLANK.search(text):
        return -1
    return next((index for index, character in enumerate(text) if _is_hidden(character)), -1)


def _is_hidden(character: str) -> bool:
    no_character = ord(character) & 0xFFFE == 0xFFFE or "\ufdd0" <= character <= "\ufdef"
    category = unicodedata.category(character)
    return no_character or category in HIDDEN_CATEGORIES or bool(_BLANK.match(character))


def visible(text: str) -> str:
    r"""The text in one line, with an escape in place of every character that cannot be seen.

    >>> print(visible("red \x1b[31m"))
    red \x1b[31m
    """
    if hidden_at(text) < 0:
        return text
    return "".join(
        character.encode("unicode_escape").decode() if _is_hidden(character) else character
        for character in text
    )


def shortened(text: str, most: int) -> str:
    """The text, cut to `most` characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def markdown(text: str) -> str:
    r"""The text for a sentence, a heading or a cell of a table.

    >>> print(markdown("[a](b) <i> x_1 _y_"))
    \[a\](b) &lt;i&gt; x_1 \_y\_
    """
    plain = _MARKDOWN.sub(r"\\\g<0>", visible(text))
    plain = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if match := _BLOCK.match(plain):
        last = match.end() - 1
        plain = f"{plain[:last]}\\{plain[last:]}"
    return plain


def markdown_code(text: str) -> str:
    """The text as a code span, whatever backticks it holds.

    >>> print(markdown_code("a`b"))
    ``a`b``
    """
    text = visible(text)
    fence = "`" * (1 + max(map(len, _BACKTICKS.findall(text)), default=0))
    blank = " " if not text.strip(" ") or text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{blank}{text}{blank}{fence}"


def xml_text(text: str) -> str:
    """The text for an element or an attribute of SVG or HTML."""
    return html.escape(visible(text))


def json_text(value: Any, indent: int | None = None) -> str:
    r"""The value as JSON whose texts have no character that cannot be seen.

    >>> print(json_text(["\u202e", "é"]))
    ["\u202e", "é"]
    """
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    if hidden_at(text.replace("\n", "")) < 0:
        return text
    return "".join(
        json.dumps(character)[1:-1] if character != "\n" and _is_hidden(character) else character
        for character in text
    )


def plot_text(text: str, most: int = LONGEST_LABEL) -> str:
    """The text for matplotlib, which takes $...$ for a formula and hides a label such as "_x"."""
    label = "\n".join(visible(line) for line in shortened(text, most).split("\n"))
    return (" " if label.startswith("_") else "") + label.replace("$", r"\$")


def without_token(text: str) -> str:
    """The text without any token: errors of HTTP libraries quote headers and addresses."""
    tokens = [os.environ.get(name, "") for name in TOKEN_VARIABLES]
    if "huggingface_hub" in sys.modules:  # otherwise nobody has read the token that it stores
        from huggingface_hub import get_token

        with suppress(Exception):  # a trusted publisher that gives no token has none to hide
            tokens.append(get_token() or "")
    parts = {part for token in tokens for part in (token.strip(), *token.split())}
    for secret in sorted(parts, key=len, reverse=True):
        if len(secret) >= SHORTEST_TOKEN:
            text = text.replace(secret, "(token)")
    text = re.sub(r"\b(Bearer|Basic) [^\s'\"]+", r"\1 (token)", text)
    return re.sub(r"//[^/@\s]+@", "//(token)@", re.sub(r"\bhf_[A-Za-z0-9]{6,}", "(token)", text))
