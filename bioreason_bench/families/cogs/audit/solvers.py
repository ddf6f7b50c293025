"""Solvers that take a shortcut, each scored on every test of a release.

| solver | answers with |
|---|---|
| nearest | the form of the training sentence with the most words in common |
| prefix | the form of the training sentence that shares the longest beginning |
| bag | each word in its most frequent role, without regard to the order of words |
| last_part | the form of the last clause |
| template | the form of a training sentence with the same small words in the same places, with the
words put in; knows the pasts of verbs |
| parser | the form that the grammar gives; no shortcut |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bioreason_bench.families.checks import longest_beginning
from bioreason_bench.families.cogs.audit.parser import NotASentence, Parser

__all__ = ["BLIND", "SHORTCUTS", "SOLVERS", "nearest", "solve"]

SOLVERS = {
    "nearest": "answers like the training sentence with the most words in common",
    "prefix": "answers like the training sentence that shares the longest beginning",
    "bag": "gives every noun and verb its form, and every verb the first noun as agent",
    "last_part": "answers the last clause only",
    "template": "puts the words into the form of a training sentence with the same small words in "
    "the same places; knows the pasts of verbs",
    "parser": "applies the grammar; no shortcut",
}
SHORTCUTS = tuple(SOLVERS)[:-1]
BLIND = ("nearest", "prefix", "bag", "last_part")  # that must not succeed
MOST_COMPARED = 400  # training sentences that share the rarest word of a test sentence


def solve(
    train: Mapping[str, str],
    tests: Sequence[str],
    answers: Sequence[str],
    definitions: Mapping[str, object],
) -> dict[str, list[bool]]:
    """Whether each solver answers each test sentence.

    Args:
        train: Training sentence → logical form.
        tests: Test sentences.
        answers: Their logical forms.
        definitions: The words of the release.
    """
    parser = Parser(definitions)
    lemma = parser.lemmas
    given = {
        "nearest": nearest(train, tests),
        "prefix": longest_beginning(train, tests),
        "bag": [_bag(text, parser) for text in tests],
        "last_part": [_last_part(text, parser) for text in tests],
        "template": _template(train, tests, lemma, parser),
        "parser": [_parse(text, parser) for text in tests],
    }
    return {
        name: [one == right for one, right in zip(texts, answers, strict=True)]
        for name, texts in given.items()
    }


def nearest(train: Mapping[str, str], tests: Sequence[str]) -> list[str]:
    """The answer to the training question with the most words in common with each test."""
    having: dict[str, list[str]] = {}
    for text in train:
        for word in set(text.split()):
            having.setdefault(word, []).append(text)
    found = []
    for text in tests:
        words = set(text.split())
        known = sorted((word for word in words if word in having), key=lambda w: len(having[w]))
        best, most = "", -1.0
        for other in having[known[0]][:MOST_COMPARED] if known else ():
            theirs = set(other.split())
            alike = len(words & theirs) / len(words | theirs)
            if alike > most:
                best, most = other, alike
        found.append(train.get(best, ""))
    return found


def _bag(text: str, parser: Parser) -> str:
    """Every noun stands for itself, every verb has the first noun or name as its agent."""
    tokens = text.split()
    parts, agent = [], ""
    for place, token in enumerate(tokens):
        if token in parser.nouns:
            parts.append(f"{token} ( x _ {place} )")
            agent = agent or f"x _ {place}"
        elif token in parser.names:
            agent = agent or token
        elif token in parser.lemmas:
            parts.append(f"{parser.lemmas[token]} . agent ( x _ {place} , {agent} )")
    return " AND ".join(parts)


def _last_part(text: str, parser: Parser) -> str:
    _, _, last = text.rpartition(" that ")
    return _parse(last[:1].upper() + last[1:], parser) if last != text else ""


def _parse(text: str, parser: Parser) -> str:
    try:
        return parser.parse(text).form
    except NotASentence:
        return ""


def _template(
    train: Mapping[str, str], tests: Sequence[str], lemma: Mapping[str, str], parser: Parser
) -> list[str]:
    """The first training sentence of the same skeleton lends its form."""
    first: dict[str, str] = {}
    for text in train:
        first.setdefault(_skeleton(text, lemma, parser), text)
    found = []
    for text in tests:
        like = first.get(_skeleton(text, lemma, parser))
        if like is None:
            found.append("")
            continue
        swap: dict[str, str] = {}
        for old, new in zip(like.split(), text.split(), strict=True):
            if old in lemma or old in parser.nouns or old in parser.names:
                swap[lemma.get(old, old)] = lemma.get(new, new)
        found.append(" ".join([swap.get(token, token) for token in train[like].split()]))
    return found


def _skeleton(text: str, lemma: Mapping[str, str], parser: Parser) -> str:
    kinds = []
    for token in text.split():
        if token in parser.names:
            kinds.append("NAME")
        elif token in lemma:
            kinds.append("VERB")
        elif token in parser.nouns:
            kinds.append("NOUN")
        else:
            kinds.append("BARE" if token in parser.kinds else token)
    return " ".join(kinds)
