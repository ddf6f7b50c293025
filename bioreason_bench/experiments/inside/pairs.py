"""Pairs of questions that differ in one name, and so in the first bridge person.

    recalled, other start       p7 boss → p9      p5 boss → p3          from memory
    recalled, other relation    p7 boss → p9      p7 roommate → p6      from memory; both in context
    read, other start           p7 spouse → p4    p5 spouse → p8        both stated in the context
    read, other fact            p7 spouse → p4    p7 spouse → p2        the context states p2

Both texts of a pair end with the token that predicts the bridge person, have as many tokens, and
differ only in those of the word that was exchanged.  Another relation can be put in only where one
word stands for it (language `symbols`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bioreason_bench.draw import Draw
from bioreason_bench.experiments.inside.texts import (
    Span,
    covering,
    hop_spans,
    name_span,
    tokens_of,
)
from bioreason_bench.training.data import Corpus, Row, prompt_of

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

RECALLED, RELATION = "recalled, other start", "recalled, other relation"
READ_START, READ_FACT = "read, other start", "read, other fact"
FAMILIES = (RECALLED, RELATION, READ_START, READ_FACT)
ROLES = (  # of the tokens, in order of the text
    "context",
    "fact: subject",
    "fact: relation",
    "fact: bridge",
    "fact: stop",
    "question: start",
    "question: rest",
    "chain: start",
    "chain: relation",
)
EXCHANGED = {  # the tokens that may differ
    RECALLED: {"question: start", "chain: start"},
    RELATION: {"question: rest", "chain: relation"},
    READ_START: {"question: start", "chain: start"},
    READ_FACT: {"fact: bridge"},
}


@dataclass(frozen=True)
class Pair:
    """Two texts up to the token that predicts the bridge person.

    Attributes:
        clean: Tokens of the original question.
        corrupted: Tokens of the other one.
        gold: The first token of the bridge person of the original.
        other: The first token of that of the other one.
        roles: The role of each token, see ROLES.
        start: The person from whom the original starts.
    """

    clean: list[int]
    corrupted: list[int]
    gold: int
    other: int
    roles: list[str]
    start: str


def make_pairs(
    tokenizer: PreTrainedTokenizerBase, corpus: Corpus, rows: Sequence[Row], most: int = 0
) -> dict[str, list[Pair]]:
    """The pairs of each family that questions give, at most `most` of each (0: all)."""
    facts = {(fact["subject"], fact["relation"]): fact["object"] for fact in corpus.source("facts")}
    starts = sorted({row["entities"][0] for row in rows})
    people = sorted(row["name"] for row in corpus.source("people"))
    set_of_people = set(people)
    memory: dict[str, list[tuple[str, str]]] = {}  # person -> (relation, object), parametric
    for fact in corpus.source("facts"):
        if fact["group"] == "parametric" and fact["object"] in set_of_people:
            memory.setdefault(fact["subject"], []).append((fact["relation"], fact["object"]))
    pairs: dict[str, list[Pair]] = {family: [] for family in FAMILIES}
    for row in rows:
        draw = Draw(0, ("inside", row["id"]))
        for family, other in (
            (RECALLED, other_start(row, facts, starts, draw)),
            (RELATION, other_relation(row, memory, draw)),
            (READ_START, other_in_context(row, facts, draw)),
            (READ_FACT, other_fact(row, people, draw)),
        ):
            if other is not None and not (most and len(pairs[family]) >= most):
                pair = make_pair(tokenizer, row, other, EXCHANGED[family])
                if pair is not None:
                    pairs[family].append(pair)
    return {family: found for family, found in pairs.items() if found}


def other_start(
    row: Row, facts: dict[tuple[str, str], str], starts: Sequence[str], draw: Draw
) -> Row | None:
    """The question about another start whose first hop is recalled too, if this one's is."""
    if row["pattern"][0] != "P":
        return None
    prompt = prompt_of(row)
    able = [
        name
        for name in starts
        if (found := facts.get((name, row["path"][0])))
        and found != row["entities"][1]
        and not name_span(prompt, name)
        and not name_span(prompt, found)
    ]
    return _from_start(row, facts, able, draw)


def other_in_context(row: Row, facts: dict[tuple[str, str], str], draw: Draw) -> Row | None:
    """The question about another person of whom the same context states the first hop."""
    if row["pattern"][0] != "C":
        return None
    paragraphs = row["context"].split("\n")
    able = [
        name
        for name, paragraph in zip(row["context_people"], paragraphs, strict=True)
        if name != row["entities"][0]
        and (found := facts.get((name, row["path"][0])))
        and found not in row["entities"][:2]
        and name_span(paragraph, found)
    ]
    return _from_start(row, facts, able, draw)


def _from_start(
    row: Row, facts: dict[tuple[str, str], str], able: Sequence[str], draw: Draw
) -> Row | None:
    """The question with one of the able people as its start."""
    if not able:
        return None
    start = row["entities"][0]
    name = able[int(draw.permutation(len(able))[0])]
    bridge = facts[name, row["path"][0]]
    chain = exchange(exchange(row["chain"], row["entities"][1], bridge), start, name)
    return {
        **row,
        "question": exchange(row["question"], start, name),
        "entities": [name, bridge],
        "chain": chain,
    }


def other_relation(row: Row, memory: dict[str, list[tuple[str, str]]], draw: Draw) -> Row | None:
    """The question for another relation of the start, to someone else in the context, if any."""
    (start, bridge), relation = row["entities"][:2], row["path"][0]
    if row["pattern"][0] != "P":
        return None
    able = [
        (other, name)
        for other, name in memory.get(start, [])
        if other not in row["path"]
        and name != bridge
        and (name in row["context_people"] or not row["context"])
    ]
    if not able or not name_span(row["question"], relation):
        return None
    other, name = able[int(draw.at("relation").permutation(len(able))[0])]
    return {
        **row,
        "question": exchange(row["question"], relation, other),
        "entities": [start, name],
        "chain": exchange(exchange(row["chain"], bridge, name), relation, other),
    }


def other_fact(row: Row, people: Sequence[str], draw: Draw) -> Row | None:
    """The question with another person in the sentence that states the first hop."""
    if row["pattern"][0] != "C":
        return None
    start, bridge = row["entities"][:2]
    paragraphs = row["context"].split("\n")
    prompt = prompt_of(row)
    order = (people[index] for index in draw.at("fact").permutation(len(people)).tolist())
    name = next((name for name in order if not name_span(prompt, name)), None)
    if name is None or not name_span(paragraphs[row["support"][0]], bridge):
        return None
    paragraphs[row["support"][0]] = exchange(paragraphs[row["support"][0]], bridge, name)
    return {
        **row,
        "context": "\n".join(paragraphs),
        "entities": [start, name],
        "chain": exchange(row["chain"], bridge, name),
    }


def exchange(text: str, name: str, other: str) -> str:
    """The text with another name wherever the name stands as a word of its own."""
    return re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", lambda _: other, text)


@dataclass(frozen=True)
class _Side:
    """One text of a pair: its tokens, their roles, and what comes next."""

    ids: list[int]
    roles: list[str]
    target: int


def make_pair(
    tokenizer: PreTrainedTokenizerBase, row: Row, other: Row, exchanged: set[str]
) -> Pair | None:
    """The pair of two questions; None if their tokens do not stand side by side."""
    clean, corrupted = _side(tokenizer, row), _side(tokenizer, other)
    if clean is None or corrupted is None or len(clean.ids) != len(corrupted.ids):
        return None
    tokens = zip(clean.ids, corrupted.ids, clean.roles, strict=True)
    differ = {role for first, second, role in tokens if first != second}
    if clean.target == corrupted.target or not differ or not differ <= exchanged:
        return None
    return Pair(
        clean.ids,
        corrupted.ids,
        clean.target,
        corrupted.target,
        clean.roles,
        row["entities"][0],
    )


def _side(tokenizer: PreTrainedTokenizerBase, row: Row) -> _Side | None:
    chain = f" {row['chain']}"
    spans = hop_spans(chain, row["entities"][:2])
    if spans is None:
        return None
    subject, bridge = spans[0]
    prompt_ids, prompt_spans = tokens_of(tokenizer, prompt_of(row))
    chain_ids, chain_spans = tokens_of(tokenizer, chain)
    end = covering(chain_spans, bridge)[0]
    roles = ["chain: relation"] * end
    roles[: covering(chain_spans, subject)[1]] = ["chain: start"] * covering(chain_spans, subject)[
        1
    ]
    return _Side(
        prompt_ids + chain_ids[:end], _prompt_roles(row, prompt_spans) + roles, chain_ids[end]
    )


def _prompt_roles(row: Row, spans: Sequence[Span]) -> list[str]:
    """The role of each token of the prompt."""
    prompt = prompt_of(row)
    begin = prompt.rfind("Question:")
    roles = ["context" if end <= begin else "question: rest" for _, end in spans]
    start = name_span(prompt, row["entities"][0], begin)
    if start:
        _mark(roles, covering(spans, start), "question: start")
    if row["support"][0] >= 0:
        _mark_fact(roles, row, prompt, spans)
    return roles


def _mark_fact(roles: list[str], row: Row, prompt: str, spans: Sequence[Span]) -> None:
    """Mark the sentence of the context that states the first hop."""
    paragraphs = row["context"].split("\n")
    at = sum(len(paragraph) + 1 for paragraph in paragraphs[: row["support"][0]])
    bridge = name_span(prompt, row["entities"][1], at)
    if bridge is None:
        return
    before = re.compile(r"[.?] ").finditer(prompt, at, bridge[0])
    begin = max((found.end() for found in before), default=at)
    stop = prompt.index(".", bridge[1])
    _mark(roles, covering(spans, (begin, stop)), "fact: relation")
    subject = name_span(prompt, row["entities"][0], begin)
    if subject and subject[1] <= stop:
        _mark(roles, covering(spans, subject), "fact: subject")
    _mark(roles, covering(spans, bridge), "fact: bridge")
    _mark(roles, covering(spans, (stop, stop + 1)), "fact: stop")


def _mark(roles: list[str], span: Span, role: str) -> None:
    roles[slice(*span)] = [role] * (span[1] - span[0])
