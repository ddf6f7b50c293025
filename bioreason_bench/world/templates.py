"""Templates split at their slots: the pieces that writers join and readers look for."""

from __future__ import annotations

import re
from typing import NamedTuple

CAPITAL = "A-Z\u00c0-\u00d6\u00d8-\u00de"  # for use in [...]; every word of a name begins with one
NAME_WORD = rf"[{CAPITAL}][\w-]*"  # a name is one or more of these, separated by blanks
POSSESSIVE = "'s "
QUOTE = '"'
PRONOUN = re.compile(r"\b(?:they|them|their)\b", re.IGNORECASE)
_WRITTEN = re.compile(r"\b(?:[Tt]hey|them|[Tt]heir)\b")
_SLOTS = re.compile(
    r"([^{}]*)\{(subject|object(?::a)?)\}([^{}]*)\{(subject|object(?::a)?)\}([^{}]*)\Z"
)
_PERSON = re.compile(r"([^{}]*)\{person\}([^{}]*)\Z")
_BEFORE_NAME = re.compile(rf"(?:[A-Z][a-z]* [a-z](?:[^{CAPITAL}]* )?|)\Z")
_BEFORE_VALUE = re.compile(rf'(?:[A-Z][a-z]* (?:[^{CAPITAL}]* )?"?|")\Z')
_BEFORE_PERSON = re.compile(rf"[A-Z][a-z]+ (?:[^{CAPITAL}'?.]* )?\Z")
_AFTER_NAME = re.compile(r"(?:'s |,? )[a-z]")
_BETWEEN_VALUE_AND_NAME = re.compile(rf'(?:[",]{{1,2}}|[",]{{0,2}} [^{CAPITAL}]*[a-z,]) \Z')
_END_AFTER_NAME = re.compile(rf"(?:(?:'s|,)? [a-z][^{CAPITAL}]*)?\.\Z")
_NOUN = re.compile(r"[a-z\u00df-\u00ff]+(?:[ -][a-z\u00df-\u00ff]+)*\Z")
_CLAUSE = re.compile(rf"who(?:se)? [a-z][^{CAPITAL}'?.]* \Z")
# After these words, "they" is the subject of a verb: "the day that they died".
_BEFORE_THEY = ("that ", ", ", "how ", "what ", "where ", "which ")
# After these words, "them" is poor English: "the boss of them", "the leader was them".
_NEVER_BEFORE_THEM = ("of ", "was ", "were ", "included ")
# Beginnings of words that are spelled with a vowel but pronounced with a consonant, and vice versa.
_CONSONANT_SOUND = (
    *("eu", "ewe", "once", "one"),
    *("uga", "uk", "uni", "ura", "uri", "uro", "uru", "usa", "use", "usu"),
    *("uta", "ute", "uti", "uto", "uy"),
)
_VOWEL_SOUND = ("heir", "herb ", "honest", "honor", "hour", "unim", "unin")


class Statement(NamedTuple):
    """A statement, "{before}{subject}{between}{object}{after}", or with the object first.

    Attributes:
        before: The words before the first slot, often none.
        between: The words between subject and object.
        after: The words after the second slot, and the full stop.
        article: Whether "a" or "an" precedes the object.
        object_first: Whether the object precedes the subject.
    """

    before: str
    between: str
    after: str
    article: bool = False
    object_first: bool = False

    def fill(self, subject: str, text: str) -> str:
        """Return the sentence; `text` is the object, with its article if it takes one."""
        first, second = (text, subject) if self.object_first else (subject, text)
        return f"{self.before}{first}{self.between}{second}{self.after}"


class PronounForm(NamedTuple):
    """A statement with a pronoun for its subject, "{before}{object}{after}"."""

    before: str
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


def cut_statement(template: str, to_person: bool) -> Statement:
    """Split a statement at its slots.

    Args:
        template: The statement.
        to_person: Whether the object is a person, whose name can be told from other words.

    Raises:
        ValueError: Names the rule that the statement breaks.
    """
    where = f"statement {template!r}"
    match = _SLOTS.match(template)
    if not match or (match[2] == "subject") == (match[4] == "subject"):
        raise ValueError(
            f"{where} needs {{subject}} and {{object}} (or {{object:a}}), each once, "
            "and no other slot"
        )
    before, first, between, second, after = match.groups()
    cut = Statement(before, between, after, "object:a" in {first, second}, second == "subject")
    if not after.endswith((".", '."')) or "." in before + between + after.rstrip(QUOTE)[:-1]:
        raise ValueError(f"{where} must end in a full stop and hold no other")
    if PRONOUN.search(before + between + after):
        raise ValueError(
            f"{where} must not hold 'they', 'them' or 'their', "
            "because biographies use these words for their subject"
        )
    if cut.object_first and not to_person:
        _check_value_first(cut, where)
    else:
        _check_name_first(cut, where, to_person)
    return cut


def _check_name_first(cut: Statement, where: str, to_person: bool) -> None:
    """The first slot is a name; the second one is a name or a value."""
    if not _BEFORE_NAME.match(cut.before):
        raise ValueError(
            f"{where} must begin with a person's slot, or with words like 'The boss of' "
            "that have one capital letter, the first"
        )
    if not _AFTER_NAME.match(cut.between) or not cut.between.endswith((" ", ' "')):
        raise ValueError(
            f"{where} needs a word in lower case, or 's and one, after the first slot, "
            "and a space before the second"
        )
    if to_person and cut.after != "." and not _AFTER_NAME.match(cut.after):
        raise ValueError(
            f"{where} needs a word in lower case, 's and one, or the full stop "
            "after the second slot"
        )
    if not to_person and cut.after not in {".", '."'} and cut.after[0] not in ' ,"':
        raise ValueError(f"{where} needs a space, a comma or the full stop after {{object}}")


def _check_value_first(cut: Statement, where: str) -> None:
    """The first slot is a value, which may be any text; the second one is the subject's name."""
    if not _BEFORE_VALUE.match(cut.before):
        raise ValueError(
            f"{where} needs words like 'Born in', or a quotation mark, before {{object}}; "
            "they have one capital letter, the first"
        )
    if not _BETWEEN_VALUE_AND_NAME.match(cut.between):
        raise ValueError(
            f"{where} needs words in lower case, or a comma, between {{object}} and {{subject}}"
        )
    if not _END_AFTER_NAME.match(cut.after):
        raise ValueError(
            f"{where} needs words in lower case, 's and one, or the full stop after {{subject}}"
        )


def pronoun_form(cut: Statement) -> PronounForm | None:
    """Return the statement with singular they for its subject; None if that is poor English.

    >>> pronoun_form(cut_statement("{subject} was born in {object}.", False))
    PronounForm(before='They were born in ', after='.')
    >>> pronoun_form(cut_statement("{object} was {subject}'s boss.", True))
    PronounForm(before='', after=' was their boss.')
    >>> pronoun_form(cut_statement("The boss of {subject} was {object}.", True))
    """
    before, between, after = cut.before, cut.between, cut.after
    if not cut.object_first:
        if before or between.startswith(" and "):
            return None
        if between.startswith(POSSESSIVE):
            return PronounForm("Their " + between.removeprefix(POSSESSIVE), after)
        return PronounForm("They" + _plural(between), after)
    if after.startswith(POSSESSIVE):
        return PronounForm(before, f"{between}their {after.removeprefix(POSSESSIVE)}")
    if between.endswith(_BEFORE_THEY):
        return None if after == "." else PronounForm(before, f"{between}they{_plural(after)}")
    if after == "." and not between.endswith(_NEVER_BEFORE_THEM):
        return PronounForm(before, f"{between}them.")
    return None


def _plural(text: str) -> str:
    """Make the verb that begins the text agree with "they"; of verbs in the past, only "was"."""
    return " were " + text.removeprefix(" was ") if text.startswith(" was ") else text


def with_name(sentence: str, name: str) -> str:
    """Undo `pronoun_form`: put the name for the pronoun that begins the sentence, or for the last.

    >>> with_name("It was in Lima that they were born.", "Ann Lee")
    'It was in Lima that Ann Lee was born.'
    """
    opening = _WRITTEN.match(sentence)
    matches = [opening] if opening else list(_WRITTEN.finditer(sentence))
    if not matches:
        return sentence
    match = matches[-1]
    before, after = sentence[: match.start()], sentence[match.end() :]
    if match[0].lower() == "their":
        return f"{before}{name}'s{after}"
    if after.startswith(" were "):
        return f"{before}{name} was {after.removeprefix(' were ')}"
    return f"{before}{name}{after}"


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
