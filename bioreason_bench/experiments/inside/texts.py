"""The texts that are measured: prompts with gold chains, and the place of each fact in them.

    p7 boss p9 . p9 spouse p4 . So, the answer is: p4
       ^    ^       ^      ^                       ^
       relation     relation                       copied
            recalled       read

A *spot* is what a model has to predict there.  The texts are tokenized as in training, and a spot
covers all tokens of a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from bioreason_bench.errors import UsageError
from bioreason_bench.training.data import Row, prompt_of

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

KINDS = ("relation", "recalled", "read", "copied")  # of spots
GROUPS = {"P": "recalled", "C": "read"}  # of the letters of a pattern
COPIED = -1  # in place of a hop: the answer at the end of the chain
Span = tuple[int, int]  # first character or token, and the one after the last


@dataclass(frozen=True)
class Spot:
    """Something that a text says and a model should predict.

    Attributes:
        kind: "relation": the first word after the subject of a hop; "recalled" or "read": the
            object of a parametric or a contextual hop; "copied": the answer at the end.
        tokens: Where it stands; token `tokens[0] - 1` predicts the first of them.
        hop: The hop, from 0; COPIED for the answer at the end.
        bridge: Whether it is a person from whom the chain goes on.
    """

    kind: str
    tokens: Span
    hop: int
    bridge: bool = False


@dataclass(frozen=True)
class Text:
    """A prompt with its gold chain.

    Attributes:
        ids: The tokens.
        types: The position type of each token; see `prompt_types` and `chain_types`.
        spots: What is predicted.
        start: The person from whom the question starts, the unit of the bootstrap.
        prompt: Number of tokens of the prompt.
    """

    ids: list[int]
    types: list[str]
    spots: list[Spot]
    start: str
    prompt: int


def make_texts(tokenizer: PreTrainedTokenizerBase, rows: Iterable[Row]) -> list[Text]:
    """The texts of questions; those whose chain does not name the people in order are left out."""
    texts = (make_text(tokenizer, row) for row in rows)
    return [text for text in texts if text is not None]


def make_text(tokenizer: PreTrainedTokenizerBase, row: Row) -> Text | None:
    """The text of a question; None if its chain does not name the people in order."""
    chain = f" {row['chain']}"
    hops = hop_spans(chain, row["entities"])
    answer = last_span(chain, row["answer"])
    if hops is None or answer is None:
        return None
    prompt_ids, prompt_spans = tokens_of(tokenizer, prompt_of(row))
    chain_ids, spans = tokens_of(tokenizer, chain)
    size = len(prompt_ids)
    spots, types = [], ["chain start"] * len(chain_ids)
    for hop, (subject, found) in enumerate(hops):
        first, last = covering(spans, subject)[1], covering(spans, found)[0]
        end = covering(spans, found)[1]
        _mark(types, covering(spans, subject), f"hop {hop} subject")
        _mark(types, (first, last), f"hop {hop} relation")
        _mark(types, (last, end), f"hop {hop} object")
        _mark(types, (end, len(types)), f"hop {hop} end")
        kind = GROUPS[row["pattern"][hop]]
        spots.append(Spot("relation", (size + first, size + first + 1), hop))
        spots.append(Spot(kind, (size + last, size + end), hop, hop + 1 < len(hops)))
    first, end = covering(spans, answer)
    _mark(types, (covering(spans, hops[-1][1])[1], first), "before the answer")
    _mark(types, (first, len(types)), "answer")
    spots.append(Spot("copied", (size + first, size + end), COPIED))
    start = row["entities"][0]
    all_types = prompt_types(prompt_of(row), prompt_spans) + types
    return Text(prompt_ids + chain_ids, all_types, spots, start, size)


def _mark(types: list[str], span: Span, name: str) -> None:
    """Name a stretch of tokens by the number of each in it, up to 8."""
    for offset, index in enumerate(range(*span)):
        types[index] = f"{name} {min(offset, 8)}"


def tokens_of(tokenizer: PreTrainedTokenizerBase, text: str) -> tuple[list[int], list[Span]]:
    """The tokens of a text and the characters that each covers.

    Raises:
        UsageError: The tokenizer cannot tell which characters a token covers.
    """
    if not tokenizer.is_fast:
        raise UsageError(
            "the tokenizer of this model does not say which characters a token covers; "
            "save the model with a fast tokenizer (tokenizer.json)"
        )
    made: Any = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    return made["input_ids"], made["offset_mapping"]


def covering(spans: Sequence[Span], span: Span) -> Span:
    """The tokens that cover characters of `span`, as (first, one after the last)."""
    inside = [
        index for index, (begin, end) in enumerate(spans) if end > span[0] and begin < span[1]
    ]
    return inside[0], inside[-1] + 1


def hop_spans(chain: str, entities: Sequence[str]) -> list[tuple[Span, Span]] | None:
    """Where the subject and the object of each hop stand in the chain; None if one is missing."""
    spans, cursor = [], 0
    for subject, found in pairwise(entities):
        first = name_span(chain, subject, cursor)
        second = name_span(chain, found, first[1]) if first else None
        if first is None or second is None:
            return None
        spans.append((first, second))
        cursor = second[1]
    return spans


def name_span(text: str, name: str, start: int = 0) -> Span | None:
    """Where a name first stands from `start` on, as a word of its own."""
    found = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)").search(text, start)
    return found.span() if found else None


def last_span(text: str, name: str) -> Span | None:
    """Where a name last stands."""
    begin = text.rfind(name)
    return (begin, begin + len(name)) if begin >= 0 else None


def prompt_types(prompt: str, spans: Sequence[Span]) -> list[str]:
    """The position type of each token of a prompt.

    In the context it is the class of the token and of the one before (name, word or stop), which
    tells subject, relation, object and full stop from each other; in the question its class and
    its number.
    """
    begin = prompt.rfind("Question:")
    types, before, number = [], "stop", 0
    for first, end in spans:
        kind = word_class(prompt[first:end])
        if end > begin:
            types.append(f"question {number} {kind}")
            number += 1
        else:
            types.append(f"context {kind} after {before}")
        before = kind
    return types


def word_class(token: str) -> str:
    """The class of a token: name (with a capital or a digit), word, or stop (punctuation)."""
    token = token.strip()
    if not any(letter.isalnum() for letter in token) or token.endswith(":"):
        return "stop"
    return "name" if token[0].isupper() or any(map(str.isdigit, token)) else "word"
