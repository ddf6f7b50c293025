"""Templates cut at their slots: the pieces that the writer joins and the reader looks for."""

from __future__ import annotations

import re
from typing import NamedTuple

CAPITAL = (
    "A-Z\u00c0-\u00d6\u00d8-\u00de"  # a class of characters; every word of a name begins with one
)
POSSESSIVE = "'s "
_STATEMENT = re.compile(r"([^{}]*)\{subject\}([^{}]*)\{object(:a)?\}([^{}]*)\Z")
_PERSON = re.compile(r"([^{}]*)\{person\}([^{}]*)\Z")
_BEFORE_SUBJECT = re.compile(rf"(?:[A-Z][a-z]* [a-z](?:[^{CAPITAL}]* )?|)\Z")
_BEFORE_PERSON = re.compile(rf"[A-Z][a-z]+ (?:[^{CAPITAL}'?.]* )?\Z")
_AFTER_NAME = re.compile(r"(?:'s |,? )[a-z]")
_NOUN = re.compile(r"[a-z]+(?:[ -][a-z]+)*\Z")
_CLAUSE = re.compile(rf"who(?:se)? [a-z][^{CAPITAL}'?.]* \Z")
# How a word sounds that begins with a vowel as a consonant would, or the other way round.
_CONSONANT = (
    "eu",
    "ewe",
    "once",
    "one",
    "uga",
    "uk",
    "uni",
    "ura",
    "uri",
    "uro",
    "uru",
    "usa",
    "use",
    "usu",
    "uta",
    "ute",
    "uti",
    "uto",
    "uy",
)
_VOWEL = ("heir", "herb ", "honest", "honor", "hour", "unim", "unin")


class Statement(NamedTuple):
    """`before` subject `between` [a] object `after`."""

    before: str
    between: str
    article: bool
    after: str


class Ask(NamedTuple):
    """`before` person `after`; also a clause, of which `after` is empty."""

    before: str
    after: str

    @property
    def possessive(self) -> bool:
        """The ask turns its person into a possessive, so that "the boss of Ann Lee" would not do as one."""
        return self.after.startswith(POSSESSIVE)

    @property
    def final(self) -> bool:
        """The person ends the question, so that a long phrase reads well there."""
        return self.after == "?"


def cut_statement(template: str) -> Statement:
    """The pieces of a statement; ValueError says which law it breaks."""
    what = f"statement {template!r}"
    found = _STATEMENT.match(template)
    if not found:
        raise ValueError(
            f"{what} needs {{subject}} and then {{object}} (or {{object:a}}), each once, and no other slot"
        )
    before, between, article, after = found.groups()
    if not after.endswith(".") or "." in before + between + after[:-1]:
        raise ValueError(f"{what} must end in a full stop and hold no other")
    if not _BEFORE_SUBJECT.match(before):
        raise ValueError(
            f"{what} must begin with {{subject}}, or with words like 'The boss of' that have one capital letter, the first"
        )
    if not _AFTER_NAME.match(between) or not between.endswith(" "):
        raise ValueError(
            f"{what} needs a word in lower case, or 's and one, after {{subject}}, and a space before {{object}}"
        )
    if after != "." and after[0] not in " ,":
        raise ValueError(f"{what} needs a space, a comma or the full stop after {{object}}")
    return Statement(before, between, bool(article), after)


def cut_ask(template: str) -> Ask:
    """The pieces of a way to ask; ValueError says which law it breaks."""
    what = f"ask {template!r}"
    found = _PERSON.match(template)
    if not found:
        raise ValueError(
            f"{what} needs {{person}} once and no other slot (but {{noun}}, which stands for each noun)"
        )
    ask = Ask(*found.groups())
    if not ask.after.endswith("?") or "?" in ask.after[:-1]:
        raise ValueError(f"{what} must end in a question mark and hold no other")
    if not _BEFORE_PERSON.match(ask.before):
        raise ValueError(
            f"{what} must begin with a capital letter and have no other, no apostrophe and no full stop before {{person}}"
        )
    if not (ask.final or _AFTER_NAME.match(ask.after)) or "'" in ask.after[1:]:
        raise ValueError(
            f"{what} may have after {{person}} words that begin in lower case, or one 's and a noun"
        )
    return ask


def cut_clause(template: str) -> Ask:
    """The pieces of a relative clause; ValueError says which law it breaks."""
    found = _PERSON.match(template)
    if not found or found[2] or not _CLAUSE.match(found[1]):
        raise ValueError(
            f"clause {template!r} must begin with 'who' or 'whose', be in lower case, and end in {{person}}, its only slot"
        )
    return Ask(*found.groups())


def check_noun(noun: str) -> None:
    """ValueError unless it is a phrase of lower-case words."""
    if not _NOUN.match(noun):
        raise ValueError(f"noun {noun!r} must be words in lower case, without 's or slots")


def with_article(text: str) -> str:
    """The value with the article that its sound asks for: "an otter", "a university", "an hour"."""
    low = text.lower()
    vowel = low.startswith(_VOWEL) or (
        low.startswith(("a", "e", "i", "o", "u")) and not low.startswith(_CONSONANT)
    )
    return ("an " if vowel else "a ") + text


def without_article(text: str) -> str:
    """What `with_article` was given; text that begins with no article stays as it is."""
    begin = 2 if text.startswith("a ") else 3 if text.startswith("an ") else 0
    return text[begin:]
