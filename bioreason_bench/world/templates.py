"""Templates split at their slots: the pieces that writers join and readers look for."""

from __future__ import annotations

import re
from typing import NamedTuple

CAPITAL = "A-Z\u00c0-\u00d6\u00d8-\u00de"  # for use in [...]; every word of a name begins with one
POSSESSIVE = "'s "
_STATEMENT = re.compile(r"([^{}]*)\{subject\}([^{}]*)\{object(:a)?\}([^{}]*)\Z")
_PERSON = re.compile(r"([^{}]*)\{person\}([^{}]*)\Z")
_BEFORE_SUBJECT = re.compile(rf"(?:[A-Z][a-z]* [a-z](?:[^{CAPITAL}]* )?|)\Z")
_BEFORE_PERSON = re.compile(rf"[A-Z][a-z]+ (?:[^{CAPITAL}'?.]* )?\Z")
_AFTER_NAME = re.compile(r"(?:'s |,? )[a-z]")
_NOUN = re.compile(r"[a-z]+(?:[ -][a-z]+)*\Z")
_CLAUSE = re.compile(rf"who(?:se)? [a-z][^{CAPITAL}'?.]* \Z")
# Beginnings of words that are spelled with a vowel but pronounced with a consonant, and vice versa.
_CONSONANT_SOUND = (
    *("eu", "ewe", "once", "one"),
    *("uga", "uk", "uni", "ura", "uri", "uro", "uru", "usa", "use", "usu"),
    *("uta", "ute", "uti", "uto", "uy"),
)
_VOWEL_SOUND = ("heir", "herb ", "honest", "honor", "hour", "unim", "unin")


class Statement(NamedTuple):
    """A statement, "{before}{subject}{between}{object}{after}".

    Attributes:
        before: The words before the subject, often none.
        between: The words between subject and object.
        article: Whether "a" or "an" precedes the object.
        after: The words after the object, and the full stop.
    """

    before: str
    between: str
    article: bool
    after: str


class Ask(NamedTuple):
    """A question, "{before}{person}{after}"; also a relative clause, whose `after` is empty."""

    before: str
    after: str

    @property
    def possessive(self) -> bool:
        """Whether the question makes its person a possessive.

        "Who was {person}'s boss?" does; "the boss of Ann Lee" cannot be its person.
        """
        return self.after.startswith(POSSESSIVE)

    @property
    def final(self) -> bool:
        """Whether the person ends the question, so that a long phrase reads well there."""
        return self.after == "?"


def cut_statement(template: str) -> Statement:
    """Split a statement at its slots; raise ValueError with the rule that it breaks."""
    where = f"statement {template!r}"
    match = _STATEMENT.match(template)
    if not match:
        raise ValueError(
            f"{where} needs {{subject}} and then {{object}} (or {{object:a}}), each once, "
            "and no other slot"
        )
    before, between, article, after = match.groups()
    if not after.endswith(".") or "." in before + between + after[:-1]:
        raise ValueError(f"{where} must end in a full stop and hold no other")
    if not _BEFORE_SUBJECT.match(before):
        raise ValueError(
            f"{where} must begin with {{subject}}, or with words like 'The boss of' "
            "that have one capital letter, the first"
        )
    if not _AFTER_NAME.match(between) or not between.endswith(" "):
        raise ValueError(
            f"{where} needs a word in lower case, or 's and one, after {{subject}}, "
            "and a space before {object}"
        )
    if after != "." and after[0] not in " ,":
        raise ValueError(f"{where} needs a space, a comma or the full stop after {{object}}")
    return Statement(before, between, bool(article), after)


def cut_ask(template: str) -> Ask:
    """Split a question at its slot; raise ValueError with the rule that it breaks."""
    where = f"ask {template!r}"
    match = _PERSON.match(template)
    if not match:
        raise ValueError(f"{where} needs {{person}} once and no other slot (except {{noun}})")
    ask = Ask(match[1], match[2])
    if not ask.after.endswith("?") or "?" in ask.after[:-1]:
        raise ValueError(f"{where} must end in a question mark and hold no other")
    if not _BEFORE_PERSON.match(ask.before):
        raise ValueError(
            f"{where} must begin with a capital letter and have no other, no apostrophe "
            "and no full stop before {person}"
        )
    if not (ask.final or _AFTER_NAME.match(ask.after)) or "'" in ask.after[1:]:
        raise ValueError(
            f"{where} may have after {{person}} words that begin in lower case, "
            "or one 's and a noun"
        )
    return ask


def cut_clause(template: str) -> Ask:
    """Split a relative clause at its slot; raise ValueError with the rule that it breaks."""
    match = _PERSON.match(template)
    if not match or match[2] or not _CLAUSE.match(match[1]):
        raise ValueError(
            f"clause {template!r} must begin with 'who' or 'whose', be in lower case, "
            "and end in {person}, its only slot"
        )
    return Ask(match[1], match[2])


def check_noun(noun: str) -> None:
    """Raise ValueError unless the noun is a phrase of lower-case words."""
    if not _NOUN.match(noun):
        raise ValueError(f"noun {noun!r} must be words in lower case, without 's or slots")


def with_article(text: str) -> str:
    """Put "a" or "an" before the text, by its sound.

    >>> with_article("otter"), with_article("university"), with_article("hour")
    ('an otter', 'a university', 'an hour')
    """
    lower = text.lower()
    if lower.startswith(_VOWEL_SOUND):
        return "an " + text
    if lower.startswith(_CONSONANT_SOUND):
        return "a " + text
    return ("an " if lower.startswith(tuple("aeiou")) else "a ") + text


def without_article(text: str) -> str:
    """Undo `with_article`; text without an article stays unchanged."""
    for article in ("a ", "an "):
        if text.startswith(article):
            return text.removeprefix(article)
    return text
