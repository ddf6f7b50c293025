"""A parser of sentences for the audit; it shares no code with the generator.

    parser = Parser(manifest["definitions"])
    parser.parse("A rose was helped by the dog .").form
    '* dog ( x _ 6 ) ; rose ( x _ 1 ) AND help . theme ( x _ 3 , x _ 1 ) AND ...'

It goes through the words from left to right, decides from the word after the verb what is built,
and sorts what it found; the generator fills frames.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["NotASentence", "Parsed", "Parser", "same_form"]


class NotASentence(ValueError):
    """Words that the grammar does not derive."""


@dataclass
class Parsed:
    """What a sentence says.

    Attributes:
        form: Its logical form.
        words: Its names, nouns and verbs (as in logical forms), in the order of the sentence.
        uses: What each is used as: (word, role of a noun, or construction of a verb).
        nmods: For each preposition, the role of the noun phrase it is in, and whether that is the
            subject of its clause: "subject" or "object".
        clauses: Depth of clauses inside clauses.
        prepositions: Longest chain of prepositions in one noun phrase.
    """

    form: str = ""
    words: list[str] = field(default_factory=list)
    uses: list[tuple[str, str]] = field(default_factory=list)
    nmods: list[str] = field(default_factory=list)
    clauses: int = 0
    prepositions: int = 0


@dataclass
class _Noun:
    term: str
    word: str
    at: int


class Parser:
    """Reads sentences with the words of a release.  Make one and reuse it."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        """Make a parser.

        Args:
            definitions: Words by class, `past` and `prepositions`, as in the manifest.
        """
        self.names = {*definitions["names"]}
        self.nouns = {*definitions["animate"], *definitions["inanimate"]}
        self.prepositions = {*definitions["prepositions"]}
        kinds = ("unergative", "unaccusative", "omissible", "transitive", "dative")
        self.kinds = {
            verb: kind for kind in (*kinds, "clausal", "infinitival") for verb in definitions[kind]
        }
        self.lemmas = {written: verb for verb, written in definitions["past"].items()}

    def parse(self, text: str) -> Parsed:
        """What a sentence, or a word alone, says.

        Raises:
            NotASentence: The grammar does not derive the text.
        """
        tokens = text.split()
        if len(tokens) == 1:
            return self._alone(tokens[0])
        if len(tokens) < 3 or tokens[-1] != ".":
            raise NotASentence(text)
        tokens = tokens[:-1]
        if tokens[0] in ("A", "The"):
            tokens[0] = tokens[0].lower()
        reading = _Reading(self, tokens)
        end = reading.clause(0, 0)[1]
        if end != len(tokens):
            raise NotASentence(f"{text}: nothing follows {' '.join(tokens[:end])}")
        return reading.result()

    def _alone(self, word: str) -> Parsed:
        if word in self.names:
            form = word
        elif word in self.nouns:
            form = f"LAMBDA a . {word} ( a )"
        elif self.kinds.get(word) in ("unergative", "unaccusative"):
            role = "agent" if self.kinds[word] == "unergative" else "theme"
            form = f"LAMBDA a . LAMBDA e . {word} . {role} ( e , a )"
        elif self.kinds.get(word) in ("omissible", "transitive"):
            form = (
                f"LAMBDA a . LAMBDA b . LAMBDA e . {word} . agent ( e , b ) "
                f"AND {word} . theme ( e , a )"
            )
        else:
            raise NotASentence(word)
        return Parsed(form, [word], [(word, "alone")])


class _Reading:
    """The state of one parse."""

    def __init__(self, parser: Parser, tokens: Sequence[str]) -> None:
        self.parser, self.tokens = parser, tokens
        self.definite: list[str] = []
        self.conjuncts: list[tuple[int, str]] = []
        self.words: list[tuple[int, str]] = []
        self.uses: list[tuple[int, str, str]] = []
        self.nmods: list[str] = []
        self.clauses = self.prepositions = 0

    def result(self) -> Parsed:
        stable = sorted(self.conjuncts, key=lambda item: item[0])
        form = "".join(f"{text} ; " for text in self.definite)
        form += " AND ".join(text for _, text in stable)
        return Parsed(
            form,
            [word for _, word in sorted(self.words)],
            [(word, use) for _, word, use in sorted(self.uses)],
            self.nmods,
            self.clauses,
            self.prepositions,
        )

    def at(self, index: int) -> str:
        return self.tokens[index] if index < len(self.tokens) else ""

    def clause(self, index: int, depth: int) -> tuple[int, int]:
        """Read a clause; returns the position of its verb, and where it ends."""
        self.clauses = max(self.clauses, depth)
        subject, index = self.noun_phrase(index, "subject")
        if self.at(index) == "was":
            return self.passive(subject, index + 1)
        verb, kind = self.verb(index)
        at, index = index, index + 1
        if kind == "clausal" and self.at(index) == "that":
            self.role(at, verb, "agent", subject)
            place = len(self.conjuncts)
            inner, end = self.clause(index + 1, depth + 1)
            self.conjuncts.insert(place, (at, f"{verb} . ccomp ( x _ {at} , x _ {inner} )"))
            self.use(at, verb, "clausal")
            return at, end
        if kind == "infinitival" and self.at(index) == "to":
            return self.infinitive(subject, verb, at)
        return self.active(subject, verb, kind, at)

    def infinitive(self, subject: _Noun, verb: str, at: int) -> tuple[int, int]:
        bare = self.at(at + 2)
        if self.parser.kinds.get(bare) not in ("unergative", "omissible"):
            raise NotASentence(f"{bare!r} does not follow 'to'")
        self.role(at, verb, "agent", subject)
        self.conjuncts.append((at, f"{verb} . xcomp ( x _ {at} , x _ {at + 2} )"))
        self.conjuncts.append((at + 2, f"{bare} . agent ( x _ {at + 2} , {subject.term} )"))
        self.words.append((at + 2, bare))
        self.use(at, verb, "infinitival")
        self.use(at + 2, bare, "bare")
        return at, at + 3

    def active(self, subject: _Noun, verb: str, kind: str, at: int) -> tuple[int, int]:
        index = at + 1
        if not self.starts_noun(index):
            roles = {"unergative": "agent", "omissible": "agent", "unaccusative": "theme"}
            if kind not in roles:
                raise NotASentence(f"{verb!r} needs an object")
            self.role(at, verb, roles[kind], subject)
            self.use(at, verb, "intransitive")
            return at, index
        if kind not in ("unaccusative", "omissible", "transitive", "dative"):
            raise NotASentence(f"{verb!r} has no object")
        first, index = self.noun_phrase(index, "object")
        self.role(at, verb, "agent", subject)
        if kind != "dative":
            self.role(at, verb, "theme", first)
            self.use(at, verb, "transitive")
            return at, index
        if self.at(index) == "to":
            second, index = self.noun_phrase(index + 1, "object")
            self.role(at, verb, "theme", first)
            self.role(at, verb, "recipient", second)
            self.use(at, verb, "dative_to")
        else:
            second, index = self.noun_phrase(index, "object")
            self.role(at, verb, "recipient", first)
            self.role(at, verb, "theme", second)
            self.use(at, verb, "dative_double")
        return at, index

    def passive(self, subject: _Noun, at: int) -> tuple[int, int]:
        verb, kind = self.verb(at)
        index, use = at + 1, "passive"
        if kind not in ("unaccusative", "omissible", "transitive", "dative"):
            raise NotASentence(f"{verb!r} has no passive")
        if kind == "dative" and self.starts_noun(index):
            theme, index = self.noun_phrase(index, "object")
            self.role(at, verb, "recipient", subject)
            self.role(at, verb, "theme", theme)
            use = "dative_double_passive"
        else:
            self.role(at, verb, "theme", subject)
            if kind == "dative" and self.at(index) == "to":
                recipient, index = self.noun_phrase(index + 1, "object")
                self.role(at, verb, "recipient", recipient)
                use = "dative_to_passive"
        if self.at(index) == "by":
            agent, index = self.noun_phrase(index + 1, "object")
            self.role(at, verb, "agent", agent)
        self.use(at, verb, use)
        return at, index

    def verb(self, index: int) -> tuple[str, str]:
        lemma = self.parser.lemmas.get(self.at(index))
        if lemma is None:
            raise NotASentence(f"{self.at(index)!r} is no verb")
        self.words.append((index, lemma))
        return lemma, self.parser.kinds[lemma]

    def starts_noun(self, index: int) -> bool:
        return self.at(index) in ("a", "the") or self.at(index) in self.parser.names

    def noun_phrase(self, index: int, side: str, depth: int = 0) -> tuple[_Noun, int]:
        """Read a noun phrase; returns it, and where it ends."""
        self.prepositions = max(self.prepositions, depth)
        article = self.at(index)
        if article in self.parser.names:
            self.words.append((index, article))
            return _Noun(article, article, index), index + 1
        noun = self.at(index + 1)
        if article not in ("a", "the") or noun not in self.parser.nouns:
            raise NotASentence(f"{article!r} {noun!r} is no noun phrase")
        here = index + 1
        term = f"x _ {here}"
        self.words.append((here, noun))
        if article == "the":
            self.definite.append(f"* {noun} ( {term} )")
        else:
            self.conjuncts.append((here, f"{noun} ( {term} )"))
        index += 2
        if self.at(index) in self.parser.prepositions:
            preposition = self.at(index)
            self.nmods.append(side)
            inner, index = self.noun_phrase(index + 1, side, depth + 1)
            self.conjuncts.append(
                (here, f"{noun} . nmod . {preposition} ( {term} , {inner.term} )")
            )
            self.use(inner.at, inner.word, "nmod")
        return _Noun(term, noun, here), index

    def role(self, at: int, verb: str, role: str, noun: _Noun) -> None:
        self.conjuncts.append((at, f"{verb} . {role} ( x _ {at} , {noun.term} )"))
        self.use(noun.at, noun.word, role)

    def use(self, at: int, word: str, use: str) -> None:
        self.uses.append((at, word, use))


def same_form(one: str, other: str) -> bool:
    """Whether two logical forms say the same: the same conjuncts, in any order.

    Variables are positions of words, so the same thing has the same variable in both.
    """
    return _conjuncts(one) == _conjuncts(other)


def _conjuncts(form: str) -> list[str]:
    parts = [text for part in form.split(" ; ") for text in part.split(" AND ")]
    return sorted(" ".join(part.split()) for part in parts)
