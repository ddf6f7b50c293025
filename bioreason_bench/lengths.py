"""Lengths of contexts in tokens: how a preset asks for them, and how they are estimated.

No tokenizer is needed to make or to audit a release, so that its rows depend on none.  A token is
3.5 characters of English text.  Real tokenizers make from 7 % fewer to 14 % more of it
(docs/long.md).  In language symbols a word is a token, as in the vocabulary of nano models.
"""

from __future__ import annotations

import re

__all__ = ["CHARACTERS_PER_TOKEN", "LONGEST", "SHORTEST", "parse_lengths", "tokens_in"]

CHARACTERS_PER_TOKEN = 3.5
SHORTEST, LONGEST = 1_000, 200_000  # readers refuse Parquet rows of more than a megabyte
MOST = 100  # lengths in a list
K = 1_000  # a context of 128k tokens leaves room for the question in a window of 131,072
SMOOTH = 32  # lengths in a range grow by a 32nd


def tokens_in(text: str) -> int:
    """The estimated number of tokens of a biography or a context.

    >>> tokens_in("Ann Lee was born on March 3, 1931.")
    10
    >>> tokens_in("p7 neighbor p9 .")
    4
    """
    if text.endswith(" ."):  # in symbols the full stop is a word of its own
        return len(text.split())
    return round(len(text) / CHARACTERS_PER_TOKEN)


def parse_lengths(text: str) -> tuple[int, ...]:
    """The lengths among which each question draws one, ascending; none for an empty text.

    A range stands for lengths that grow by a 32nd, so that there are as many from 4k to 8k as from
    8k to 16k.

    >>> parse_lengths("4k, 8k, 16k")
    (4000, 8000, 16000)
    >>> parse_lengths("4000..4500")
    (4000, 4125, 4253, 4385, 4500)

    Raises:
        ValueError: The text is none of a length, a list of lengths, and a range.
    """
    if not text.strip():
        return ()
    first, dots, last = text.partition("..")
    if dots:
        return _range(_length(first), _length(last))
    lengths = sorted({_length(part) for part in text.split(",")})
    if len(lengths) > MOST:
        raise ValueError(f"has {len(lengths)} lengths; name at most {MOST}")
    return tuple(lengths)


def _length(text: str) -> int:
    match = re.fullmatch(r"\s*([0-9]{1,7})(k?)\s*", text)
    if not match:
        raise ValueError("must be lengths in tokens, such as 16k, 4k,8k,16k or 4k..128k")
    length = int(match[1]) * (K if match[2] else 1)
    if not SHORTEST <= length <= LONGEST:
        raise ValueError(f"has {length:,}; a length is {SHORTEST:,} to {LONGEST:,} tokens")
    return length


def _range(first: int, last: int) -> tuple[int, ...]:
    if first >= last:
        raise ValueError("must be a range from a shorter to a longer length, such as 4k..128k")
    lengths = []
    while first < last:
        lengths.append(first)
        first += first // SMOOTH
    return (*lengths, last)
