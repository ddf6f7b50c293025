"""Sentences and their logical forms, in the notation of COGS (Kim & Linzen, EMNLP 2020).

A clause follows one of FRAMES: what stands where, and which role it has.  Its logical form names
every noun and verb by the position of its word:

    A rose was helped by the dog .
    * dog ( x _ 6 ) ; rose ( x _ 1 ) AND help . theme ( x _ 3 , x _ 1 )
    AND help . agent ( x _ 3 , x _ 6 )

Definite nouns come first, then all conjuncts in the order of the position that they begin with.
The audit's parser (`families/cogs/audit/parser.py`) reads sentences with code of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

__all__ = [
    "FRAMES",
    "Clause",
    "Frame",
    "Meaning",
    "NounPhrase",
    "Part",
    "alone_form",
    "logical_form",
    "meaning",
]


@dataclass(frozen=True)
class Frame:
    """A construction.

    Attributes:
        verbs: Class of its verb.
        use: What its verb is used as; frames that differ in "by" share it.
        order: Roles and small words, in the order of the sentence; "V" is the verb, "+clause" a
            clause, "+verb" a bare verb.  A role is what the noun phrase there is to the verb.
    """

    verbs: str
    use: str
    order: tuple[str, ...]

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(item for item in self.order if item in ROLES)


ROLES = ("agent", "theme", "recipient")
PASSIVE = ("was", "V")
FRAMES: Mapping[str, Frame] = {
    "unergative": Frame("unergative", "intransitive", ("agent", "V")),
    "unaccusative": Frame("unaccusative", "intransitive", ("theme", "V")),
    "causative": Frame("unaccusative", "transitive", ("agent", "V", "theme")),
    "omitted": Frame("omissible", "intransitive", ("agent", "V")),
    "optional": Frame("omissible", "transitive", ("agent", "V", "theme")),
    "transitive": Frame("transitive", "transitive", ("agent", "V", "theme")),
    "passive": Frame("transitive", "passive", ("theme", *PASSIVE)),
    "passive_by": Frame("transitive", "passive", ("theme", *PASSIVE, "by", "agent")),
    "optional_passive": Frame("omissible", "passive", ("theme", *PASSIVE)),
    "optional_passive_by": Frame("omissible", "passive", ("theme", *PASSIVE, "by", "agent")),
    "causative_passive": Frame("unaccusative", "passive", ("theme", *PASSIVE)),
    "causative_passive_by": Frame("unaccusative", "passive", ("theme", *PASSIVE, "by", "agent")),
    "dative_to": Frame("dative", "dative_to", ("agent", "V", "theme", "to", "recipient")),
    "dative_double": Frame("dative", "dative_double", ("agent", "V", "recipient", "theme")),
    "dative_to_passive": Frame(
        "dative", "dative_to_passive", ("theme", *PASSIVE, "to", "recipient")
    ),
    "dative_to_passive_by": Frame(
        "dative", "dative_to_passive", ("theme", *PASSIVE, "to", "recipient", "by", "agent")
    ),
    "dative_double_passive": Frame(
        "dative", "dative_double_passive", ("recipient", *PASSIVE, "theme")
    ),
    "dative_double_passive_by": Frame(
        "dative", "dative_double_passive", ("recipient", *PASSIVE, "theme", "by", "agent")
    ),
    "clausal": Frame("clausal", "clausal", ("agent", "V", "that", "+clause")),
    "infinitival": Frame("infinitival", "infinitival", ("agent", "V", "to", "+verb")),
}


@dataclass(frozen=True, slots=True)
class NounPhrase:
    """A name, or an article with a noun and perhaps a preposition with another noun phrase."""

    word: str
    article: str = ""  # "" for a name
    preposition: str = ""
    inner: NounPhrase | None = None

    def nested(self) -> int:
        """The number of prepositions."""
        return 0 if self.inner is None else 1 + self.inner.nested()


@dataclass(frozen=True, slots=True)
class Clause:
    """A frame with a verb and what fills its roles.

    Attributes:
        frame: One of FRAMES.
        verb: The verb.
        phrases: The noun phrases, in the order of the frame's roles in the sentence.
        clause: What "that" introduces.
        bare: The verb that "to" introduces.
    """

    frame: str
    verb: str
    phrases: tuple[NounPhrase, ...]
    clause: Clause | None = None
    bare: str = ""

    def nested(self) -> int:
        """The number of clauses inside it."""
        return 0 if self.clause is None else 1 + self.clause.nested()

    def clauses(self) -> Iterator[Clause]:
        """This clause and those inside it."""
        yield self
        if self.clause is not None:
            yield from self.clause.clauses()


@dataclass(frozen=True, slots=True)
class Part:
    """What one noun phrase, preposition or verb contributes.

    Attributes:
        text: Its words in the sentence, without those of other parts.
        position: Of the word that names it.
        definite: Whether it is a noun with "the".
        conjuncts: Its part of the logical form.
        kind: noun, nmod or verb.
    """

    text: str
    position: int
    definite: bool
    conjuncts: tuple[str, ...]
    kind: str

    def form(self) -> str:
        return " AND ".join(self.conjuncts)


@dataclass
class Meaning:
    """A sentence that was written, with its parts in the order of their positions."""

    tokens: list[str]
    parts: list[Part]


def meaning(clause: Clause, past: Mapping[str, str]) -> Meaning:
    """The tokens of a sentence, with a capital and a full stop, and its parts."""
    found = Meaning([], [])
    _write_clause(clause, past, found)
    found.tokens[0] = found.tokens[0][0].upper() + found.tokens[0][1:]
    found.tokens.append(".")
    found.parts.sort(key=lambda part: part.position)  # stable: a noun before its preposition
    return found


def logical_form(found: Meaning) -> str:
    """The logical form of a sentence."""
    definite = "".join(f"{part.form()} ; " for part in found.parts if part.definite)
    return definite + " AND ".join(part.form() for part in found.parts if not part.definite)


def _write_clause(clause: Clause, past: Mapping[str, str], found: Meaning) -> tuple[int, str]:
    """Write a clause.

    Returns:
        The position of the verb, and the term of the first noun phrase.
    """
    frame = FRAMES[clause.frame]
    phrases = iter(clause.phrases)
    verb_at = 0
    arguments: list[tuple[str, str]] = []  # role, term
    words: list[str] = []
    inner: list[Part] = []
    for item in frame.order:
        if item in ROLES:
            arguments.append((item, _write_phrase(next(phrases), found)))
        elif item == "V":
            verb_at = len(found.tokens)
            found.tokens.append(past[clause.verb])
            words.append(past[clause.verb])
        elif item == "+clause" and clause.clause is not None:
            position, _ = _write_clause(clause.clause, past, found)
            arguments.append(("ccomp", variable(position)))
        elif item == "+verb":
            position = len(found.tokens)
            found.tokens.append(clause.bare)
            arguments.append(("xcomp", variable(position)))
            acts = f"{clause.bare} . agent ( {variable(position)} , {arguments[0][1]} )"
            inner.append(Part(clause.bare, position, False, (acts,), "verb"))
        else:
            found.tokens.append(item)
            words += [item] if item == "was" else []
    conjuncts = tuple(
        f"{clause.verb} . {role} ( {variable(verb_at)} , {term} )" for role, term in arguments
    )
    found.parts += [Part(" ".join(words), verb_at, False, conjuncts, "verb"), *inner]
    return verb_at, arguments[0][1]


def _write_phrase(phrase: NounPhrase, found: Meaning) -> str:
    """Write a noun phrase; returns the term that stands for it."""
    if not phrase.article:
        found.tokens.append(phrase.word)
        return phrase.word
    position = len(found.tokens) + 1
    definite = phrase.article == "the"
    found.tokens += [phrase.article, phrase.word]
    star = "* " if definite else ""
    form = f"{star}{phrase.word} ( {variable(position)} )"
    text = f"{phrase.article} {phrase.word}"
    found.parts.append(Part(text, position, definite, (form,), "noun"))
    if phrase.inner is not None:
        found.tokens.append(phrase.preposition)
        place = len(found.parts)
        term = _write_phrase(phrase.inner, found)
        relation = f"{phrase.word} . nmod . {phrase.preposition} ( {variable(position)} , {term} )"
        part = Part(f"{phrase.word} {phrase.preposition}", position, False, (relation,), "nmod")
        found.parts.insert(place, part)
    return variable(position)


def alone_form(word_class: str, word: str) -> str:
    """The logical form of a word alone, by its class."""
    forms = {
        "names": "{0}",
        "animate": "LAMBDA a . {0} ( a )",
        "inanimate": "LAMBDA a . {0} ( a )",
        "unergative": "LAMBDA a . LAMBDA e . {0} . agent ( e , a )",
        "unaccusative": "LAMBDA a . LAMBDA e . {0} . theme ( e , a )",
        "transitive": "LAMBDA a . LAMBDA b . LAMBDA e . "
        "{0} . agent ( e , b ) AND {0} . theme ( e , a )",
    }
    return forms[word_class].format(word)


def variable(position: int) -> str:
    """The variable of the word at a position, counted from 0.

    >>> variable(3)
    'x _ 3'
    """
    return f"x _ {position}"
