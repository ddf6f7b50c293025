"""Text without what carries no meaning: invisible characters, markup, quotes, case, articles."""

from __future__ import annotations

import functools
import re
import unicodedata

__all__ = ["EDGES", "normalise", "normalised_answer", "plain_quotes", "tidy", "visible"]

# Control characters, zero-width and direction marks, variation selectors and tag characters.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x9f\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef]"
)
_CONTROL = bytes([*range(9), *range(14, 28), 127])  # the invisible characters of ASCII
_STRUCK = re.compile(
    r"~~[^~\n]{1,400}~~|<(del|strike)>[^<\n]{1,400}</(?:del|strike)>", re.IGNORECASE
)
_SYMBOLS = re.compile("[\u2190-\u23ff\u25a0-\u27bf\u2900-\u2bff\U0001f000-\U0001faff]+")
_TAGS = re.compile(
    r"<\|[^|<>\s]{1,40}\|>|</?(?:s|b|i|u|em|p|br|div|span|strong|eos|bos|pad|unk|code|mark"
    r"|end_of_turn|think|answer|final|final_answer|solution|result|output)/?>"
    r"|\[/?(?:EOS|BOS|PAD|SEP|CLS|INST|ANSWER)\]",
    re.IGNORECASE,
)
_TEX = re.compile(
    r"\\(?:boxed|fbox|text|textbf|textit|mathrm|mathbf)\s?\{([^{}\\]{0,400})(?:\}|\Z)"
)
_TEX_BRACKET = re.compile(r"\\[()\[\]]")
_PUNCTUATION = str.maketrans(
    dict.fromkeys("\u2018\u2019\u201b\u02bc\uff07", "'")
    | dict.fromkeys("\u201c\u201d\u201f\u201e\u00ab\u00bb", '"')
    | dict.fromkeys("\u00a0\u202f\u2009", " ")
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-")
)
_TYPOGRAPHIC = re.compile(f"[{''.join(map(chr, _PUNCTUATION))}]")
_MARKUP = str.maketrans("", "", "*`")
EDGES = " \t\n\r\f\v\"'`*_~#$()[]{}<>.,;:!?-\u2022"
_LEADING = re.compile(r"(?:[\s\"'_~#$()\[\]{}<>.,;:!?\u2022-]|(?:an?|the)\s+(?=\S))+")
_SPACE = re.compile(r"\s+")


def visible(text: str) -> str:
    """The text without characters that nobody sees, and without what is struck out."""
    if not text.isascii():
        text = _INVISIBLE.sub("", text)
    elif not text.isprintable():
        text = text.encode("ascii").translate(None, _CONTROL).decode("ascii")
    if "~~" in text or "</" in text:
        text = _STRUCK.sub(" ", text)
    return text


def plain_quotes(text: str) -> str:
    """The text with ASCII quotes, blanks and hyphens instead of the typographic ones."""
    return text.translate(_PUNCTUATION) if _TYPOGRAPHIC.search(text) else text


def tidy(text: str) -> str:
    """The text on one line without markup, tags, emoji and invisible characters; case is kept."""
    text = visible(text)
    if not text.isascii():
        text = _SYMBOLS.sub(" ", plain_quotes(unicodedata.normalize("NFKC", text)))
    if "\\" in text:
        text = _TEX.sub(r"\1", _TEX.sub(r"\1", text))
        text = _TEX_BRACKET.sub(" ", text)
    if "<" in text or "[" in text:
        text = _TAGS.sub(" ", text)
    return _SPACE.sub(" ", text.translate(_MARKUP)).strip()


def normalise(text: str) -> str:
    """The text in the form in which answers are compared.

    Unicode form (NFKC), case, spaces, quotes, hyphens, markup, emoji, invisible characters, final
    punctuation and a leading article are ignored.
    """
    text = tidy(text).casefold().strip(EDGES)
    if leading := _LEADING.match(text):
        text = text[leading.end() :].strip(EDGES)
    return text


@functools.lru_cache(maxsize=100_000)
def normalised_answer(answer: str) -> str:
    """`normalise`, remembered: the answers and entities of a release come again and again."""
    return normalise(answer)
