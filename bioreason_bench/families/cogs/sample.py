"""Sentences drawn from the grammar: what training shows, and what each kind tests.

A sentence is a function of (seed, name of its set, its number, the attempt); attempts go on until
it is new and has, beside the use that its kind tests, only uses that training shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bioreason_bench.draw import Draw
from bioreason_bench.families.cogs.grammar import FRAMES, Clause, NounPhrase
from bioreason_bench.families.cogs.kinds import LEXICAL, Use
from bioreason_bench.families.cogs.lexicon import CLASSES, Lexicon

__all__ = [
    "DEEPEST",
    "Numbers",
    "Pools",
    "Sampler",
    "make_pools",
    "nesting_of",
    "uses_of",
    "words_of",
]

DEEPEST = 12  # clauses or prepositions in each other, in the tests of depth
NUMBERS = 160  # that are drawn for a sentence; the deepest needs about 100

WEIGHTS: Mapping[str, float] = {  # of frames, in sentences like those of training
    "unergative": 7,
    "unaccusative": 7,
    "omitted": 7,
    "causative": 7,
    "optional": 8,
    "transitive": 12,
    "passive": 5,
    "passive_by": 5,
    "optional_passive": 3,
    "optional_passive_by": 3,
    "causative_passive": 3,
    "causative_passive_by": 3,
    "dative_to": 7,
    "dative_double": 7,
    "dative_to_passive": 3,
    "dative_to_passive_by": 3,
    "dative_double_passive": 3,
    "dative_double_passive_by": 3,
    "clausal": 8,
    "infinitival": 5,
}
FRAME_NAMES = tuple(WEIGHTS)
TOTAL = sum(WEIGHTS.values())
MODIFIED = 0.3  # share of objects with a preposition
NAMED = 0.3  # share of names among those who can act
THING = 0.6  # share of things among themes
# Sentences that show a word by themselves; further ones stand inside another clause, because "The
# monk vanished" can be said in 34 ways only.
PLAIN = 20
EMBEDDED = 0.2  # share of test sentences inside another clause


@dataclass(frozen=True)
class Pools:
    """Words by their place in the data set.

    Attributes:
        general: Class → words that training has in every use.
        held: Lexical kind → its words.
        prepositions: The prepositions.
    """

    general: Mapping[str, Sequence[str]]
    held: Mapping[str, Sequence[str]]
    prepositions: Sequence[str]


def make_pools(lexicon: Lexicon, held_words: int, draw: Draw) -> Pools:
    """Give each lexical kind words of its own."""
    left = {
        name: [lexicon.classes[name][i] for i in draw.at("words", name).permutation(len(words))]
        for name, words in lexicon.classes.items()
    }
    held = {}
    for name, kind in LEXICAL.items():
        held[name] = left[kind.words][:held_words]
        left[kind.words] = left[kind.words][held_words:]
    return Pools({name: left[name] for name in CLASSES}, held, lexicon.prepositions)


class Numbers:
    """The numbers drawn for one attempt at a sentence."""

    def __init__(self, draw: Draw) -> None:
        self._left = iter(draw.uniform(NUMBERS).tolist())

    def below(self, share: float) -> bool:
        return float(next(self._left)) < share

    def choose(self, items: Sequence[str]) -> str:
        return items[int(next(self._left) * len(items))]

    def between(self, low: int, high: int) -> int:
        return low + int(next(self._left) * (high - low + 1))

    def frame(self) -> str:
        left = float(next(self._left)) * TOTAL
        for name in FRAME_NAMES:
            left -= WEIGHTS[name]
            if left < 0:
                return name
        return FRAME_NAMES[-1]


@dataclass(frozen=True)
class Sampler:
    """Draws sentences.

    Attributes:
        pools: The words.
        deepest: Clauses or prepositions in each other, at most, in training.
    """

    pools: Pools
    deepest: int

    def general(self, numbers: Numbers) -> Clause:
        """A sentence like those of training."""
        return self._clause(numbers, numbers.frame(), self.deepest)

    def exposure(self, numbers: Numbers, kind: str, word: str, number: int) -> Clause:
        """A sentence that shows a word of a lexical kind, the number-th time from 0."""
        clause = self._with(numbers, LEXICAL[kind].shown, word)
        return self._embed(numbers, clause, 1) if number >= PLAIN else clause

    def lexical(self, numbers: Numbers, kind: str) -> Clause:
        """A test sentence of a lexical kind."""
        word = numbers.choose(self.pools.held[kind])
        clause = self._with(numbers, LEXICAL[kind].tested, word)
        return self._embed(numbers, clause, 1) if numbers.below(EMBEDDED) else clause

    def obj_pp_to_subj_pp(self, numbers: Numbers) -> Clause:
        """A test sentence with a preposition in the subject, and nowhere else."""
        while True:
            frame = numbers.frame()
            if FRAMES[frame].verbs not in ("clausal", "infinitival"):
                break
        clause = self._plain(numbers, frame)
        subject = clause.phrases[0]
        noun = subject if subject.article else self._noun(numbers, "animate")
        subject = replace(
            noun,
            preposition=numbers.choose(self.pools.prepositions),
            inner=self._noun(numbers, "inanimate"),
        )
        return replace(clause, phrases=(subject, *clause.phrases[1:]))

    def cp_recursion(self, numbers: Numbers) -> Clause:
        """A test sentence with more clauses in each other than training has."""
        inner = self._plain(numbers, numbers.choose(("unergative", "unaccusative", "transitive")))
        return self._embed(numbers, inner, numbers.between(self.deepest + 1, DEEPEST))

    def pp_recursion(self, numbers: Numbers) -> Clause:
        """A test sentence with more prepositions in each other than training has."""
        clause = self._plain(numbers, numbers.choose(("transitive", "optional", "causative")))
        theme = clause.phrases[1]
        if not theme.article:
            theme = self._noun(numbers, "inanimate")
        depth = numbers.between(self.deepest + 1, DEEPEST)
        return replace(clause, phrases=(clause.phrases[0], self._nested(numbers, theme, depth)))

    # parts of sentences ---------------------------------------------------------------------------

    def _clause(self, numbers: Numbers, frame: str, depth: int) -> Clause:
        if frame == "clausal":
            while depth == 1 and (inner := numbers.frame()) == "clausal":
                pass  # the innermost clause has no further one
            if depth > 1:
                inner = numbers.frame()
            return Clause(
                frame,
                self._verb(numbers, frame),
                (self._actor(numbers),),
                self._clause(numbers, inner, depth - 1),
            )
        clause = self._plain(numbers, frame)
        roles = FRAMES[frame].roles
        if "theme" in roles[1:]:
            place = roles.index("theme")
            if clause.phrases[place].article and numbers.below(MODIFIED):
                phrases = list(clause.phrases)
                depth = numbers.between(1, self.deepest)
                phrases[place] = self._nested(numbers, phrases[place], depth)
                return replace(clause, phrases=tuple(phrases))
        return clause

    def _plain(self, numbers: Numbers, frame: str) -> Clause:
        """A clause of any frame but "clausal", without prepositions."""
        phrases = [
            self._theme(numbers) if role == "theme" else self._actor(numbers)
            for role in FRAMES[frame].roles
        ]
        bare = ""
        if frame == "infinitival":
            classes = ("unergative", "omissible")
            bare = numbers.choose(self.pools.general[numbers.choose(classes)])
        return Clause(frame, self._verb(numbers, frame), tuple(phrases), bare=bare)

    def _with(self, numbers: Numbers, use: Use, word: str) -> Clause:
        """A clause in which a word has a use."""
        frame = numbers.choose(use.frames)
        clause = self._plain(numbers, frame)
        if use.role == "bare":
            return replace(clause, bare=word)
        if not use.role:
            return replace(clause, verb=word)
        place = FRAMES[frame].roles.index(use.role)
        article = "" if word in self.names else numbers.choose(("a", "the"))
        phrases = list(clause.phrases)
        phrases[place] = NounPhrase(word, article)
        return replace(clause, phrases=tuple(phrases))

    def _embed(self, numbers: Numbers, clause: Clause, depth: int) -> Clause:
        for _ in range(depth):
            verb = self._verb(numbers, "clausal")
            clause = Clause("clausal", verb, (self._actor(numbers),), clause)
        return clause

    def _nested(self, numbers: Numbers, phrase: NounPhrase, depth: int) -> NounPhrase:
        if depth == 0:
            return phrase
        preposition = numbers.choose(self.pools.prepositions)
        inner = self._nested(numbers, self._noun(numbers, "inanimate"), depth - 1)
        return replace(phrase, preposition=preposition, inner=inner)

    def _verb(self, numbers: Numbers, frame: str) -> str:
        return numbers.choose(self.pools.general[FRAMES[frame].verbs])

    def _actor(self, numbers: Numbers) -> NounPhrase:
        if numbers.below(NAMED):
            return NounPhrase(numbers.choose(self.pools.general["names"]))
        return self._noun(numbers, "animate")

    def _theme(self, numbers: Numbers) -> NounPhrase:
        return self._noun(numbers, "inanimate") if numbers.below(THING) else self._actor(numbers)

    def _noun(self, numbers: Numbers, kind: str) -> NounPhrase:
        article = numbers.choose(("a", "the"))
        return NounPhrase(numbers.choose(self.pools.general[kind]), article)

    @property
    def names(self) -> frozenset[str]:
        return _names(self.pools)


def _names(pools: Pools) -> frozenset[str]:
    held = [word for kind, words in pools.held.items() if "proper" in kind for word in words]
    return frozenset([*pools.general["names"], *held])


def uses_of(clause: Clause) -> Iterator[tuple[str, str]]:
    """What each word of a sentence is used as: (word, use), and ("nmod", side)."""
    for one in clause.clauses():
        frame = FRAMES[one.frame]
        yield one.verb, frame.use
        if one.bare:
            yield one.bare, "bare"
        for place, (role, phrase) in enumerate(zip(frame.roles, one.phrases, strict=True)):
            yield phrase.word, role
            inner = phrase.inner
            while inner is not None:
                yield "nmod", "object" if place else "subject"
                yield inner.word, "nmod"
                inner = inner.inner


def words_of(clause: Clause) -> Iterator[str]:
    """The names, nouns and verbs of a sentence, in its order."""
    frame = FRAMES[clause.frame]
    phrases = iter(clause.phrases)
    for item in frame.order:
        if item in frame.roles:
            phrase: NounPhrase | None = next(phrases)
            while phrase is not None:
                yield phrase.word
                phrase = phrase.inner
        elif item == "V":
            yield clause.verb
        elif item == "+verb":
            yield clause.bare
        elif item == "+clause" and clause.clause is not None:
            yield from words_of(clause.clause)


def nesting_of(clause: Clause) -> int:
    """The number of clauses or prepositions in each other, whichever is larger."""
    phrases = [phrase for one in clause.clauses() for phrase in one.phrases]
    return max(clause.nested(), *(phrase.nested() for phrase in phrases))
