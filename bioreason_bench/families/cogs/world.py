"""Which sentences a release has: drawn, told apart, and certified.

Training is drawn first.  A test sentence is drawn again until it is new, and until all that
training has not shown of it is what its kind tests.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from bioreason_bench.draw import Draw
from bioreason_bench.errors import UsageError
from bioreason_bench.families.cogs.grammar import (
    Clause,
    Part,
    alone_form,
    logical_form,
    meaning,
)
from bioreason_bench.families.cogs.kinds import ALONE, IN_DISTRIBUTION, KINDS, LEXICAL
from bioreason_bench.families.cogs.lexicon import Lexicon, make_lexicon
from bioreason_bench.families.cogs.sample import (
    Numbers,
    Sampler,
    make_pools,
    nesting_of,
    uses_of,
    words_of,
)
from bioreason_bench.families.cogs.settings import CogsSettings

__all__ = ["CogsWorld", "Sentence", "make_world"]

ATTEMPTS = 400  # at a sentence; with enough training sentences, few need more than five
ALONE_CLASSES = ("names", "animate", "inanimate", "unergative", "unaccusative", "transitive")
Use = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, or a word alone.

    Attributes:
        text: The sentence.
        form: Its logical form.
        parts: What its words contribute; none of a word alone.
        words: Its names, nouns and verbs in their order.
        pattern: The frame of its main clause, "alone" for a word.
        kind: The kind of generalisation that it is of, or shows.
        nesting: Clauses or prepositions in each other.
        uses: What its words are used as.
    """

    text: str
    form: str
    parts: tuple[Part, ...]
    words: tuple[str, ...]
    pattern: str
    kind: str
    nesting: int
    uses: frozenset[Use]


@dataclass(frozen=True)
class CogsWorld:
    """The sentences of a release.

    Attributes:
        lexicon: Its words.
        held: Lexical kind → its words.
        train: The training questions, in drawn order.
        alone: Those of them that are a word alone.
        rl: New sentences like those of training.
        tests: (level, split) → test sentences.
        shown: What training shows.
    """

    lexicon: Lexicon
    held: Mapping[str, tuple[str, ...]]
    train: list[Sentence]
    alone: list[Sentence]
    rl: list[Sentence]
    tests: Mapping[tuple[str, str], list[Sentence]]
    shown: Shown


@dataclass(frozen=True)
class Shown:
    """What training sentences show; a word alone shows nothing."""

    words: frozenset[str]
    uses: frozenset[Use]
    paths: frozenset[tuple[str, tuple[str, ...]]]
    most_words: int
    nesting: int

    def unseen_words(self, sentence: Sentence) -> list[str]:
        return [word for word in dict.fromkeys(sentence.words) if word not in self.words]

    def unseen_uses(self, sentence: Sentence) -> set[Use]:
        """New uses of known words."""
        return {
            use for use in sentence.uses - self.uses if use[0] == "nmod" or use[0] in self.words
        }


def make_world(settings: CogsSettings) -> CogsWorld:
    """Draw the sentences of a release.

    Raises:
        UsageError: Training is too small to show what the tests need, or there are too few words.
    """
    draw = Draw(settings.seed).at("cogs")
    lexicon = make_lexicon(settings.vocabulary, draw)
    pools = make_pools(lexicon, settings.held_words, draw)
    maker = _Maker(Sampler(pools, settings.deepest), lexicon, draw)
    train = [
        maker.new(f"train {number}", IN_DISTRIBUTION, maker.sampler.general)
        for number in range(settings.train)
    ]
    for kind, words in pools.held.items():
        train += maker.exposures(kind, words, settings.exposures)
    others = [(name, word) for name in ALONE_CLASSES for word in pools.general[name]]
    order = draw.at("alone").permutation(len(others)).tolist()
    for index in order[: settings.alone]:
        train.append(maker.alone(others[index][0], others[index][1], "alone"))
    shown = _shown(train)
    order = draw.at("order").permutation(len(train)).tolist()
    train = [train[index] for index in order]
    nothing = _Needs(frozenset())
    rl = [
        maker.new(f"rl {number}", IN_DISTRIBUTION, maker.sampler.general, shown, nothing)
        for number in range(settings.rl)
    ]
    tests = {key: list(rows) for key, rows in maker.tests(settings, shown)}
    held = {kind: tuple(words) for kind, words in pools.held.items()}
    alone = [sentence for sentence in train if sentence.pattern == "alone"]
    return CogsWorld(lexicon, held, train, alone, rl, tests, shown)


def _shown(train: Iterable[Sentence]) -> Shown:
    compound = [sentence for sentence in train if sentence.pattern != "alone"]
    return Shown(
        frozenset(word for sentence in compound for word in sentence.words),
        frozenset(use for sentence in compound for use in sentence.uses),
        frozenset((sentence.pattern, sentence.words) for sentence in compound),
        max(len(sentence.words) for sentence in compound),
        max(sentence.nesting for sentence in compound),
    )


@dataclass(frozen=True)
class _Needs:
    """What training must not have shown of a test sentence; it must have shown all else.

    Attributes:
        new: Words, one of which is new in its use; "nmod" for prepositions.
        unknown: Whether the word itself is new.
    """

    new: Collection[str]
    unknown: bool = False

    def met(self, sentence: Sentence, shown: Shown) -> bool:
        words = {*shown.unseen_words(sentence)}
        uses = {word for word, _ in shown.unseen_uses(sentence)}
        if not self.new:
            return not words and not uses
        found, other = (words, uses) if self.unknown else (uses, words)
        return not other and len(found) == 1 and found <= {*self.new}


@dataclass
class _Maker:
    """Draws sentences that are all different."""

    sampler: Sampler
    lexicon: Lexicon
    draw: Draw
    texts: set[str] = field(default_factory=set)

    def new(
        self,
        name: str,
        kind: str,
        sample: Callable[[Numbers], Clause],
        shown: Shown | None = None,
        needs: _Needs | None = None,
    ) -> Sentence:
        """A sentence that is in the release once."""
        for attempt in range(ATTEMPTS):
            clause = sample(Numbers(self.draw.at("sentence", name, attempt)))
            sentence = self._sentence(clause, kind)
            if sentence.text in self.texts:
                continue
            if shown is None or needs is None or needs.met(sentence, shown):
                self.texts.add(sentence.text)
                return sentence
        raise UsageError(
            f"no sentence was found for {name} in {ATTEMPTS} attempts; raise train, so that it "
            "shows every word in every use, or ask for fewer questions"
        )

    def exposures(self, kind: str, words: Iterable[str], times: int) -> Iterator[Sentence]:
        """What training shows of the words of a lexical kind."""
        for word in words:
            if LEXICAL[kind].shown == ALONE:
                yield from [self.alone(LEXICAL[kind].words, word, kind)] * times
                continue
            for number in range(times):
                yield self.new(
                    f"{kind} {word} {number}",
                    kind,
                    lambda numbers, kind=kind, word=word, number=number: (  # type: ignore[misc]
                        self.sampler.exposure(numbers, kind, word, number)
                    ),
                )

    def alone(self, word_class: str, word: str, kind: str) -> Sentence:
        """A word alone."""
        return Sentence(
            word, alone_form(word_class, word), (), (word,), "alone", kind, 0, frozenset()
        )

    def tests(
        self, settings: CogsSettings, shown: Shown
    ) -> Iterator[tuple[tuple[str, str], list[Sentence]]]:
        """The test sentences of each level and split."""
        general = self.sampler.general
        for split, share in (("validation", 10), ("test", 1)):
            count = -(-settings.iid // share)
            yield (
                ("iid", split),
                [
                    self.new(f"iid {split} {i}", IN_DISTRIBUTION, general, shown, _Needs(()))
                    for i in range(count)
                ],
            )
            count = -(-settings.per_kind // share)
            for level in ("composition", "zeroshot", "depth"):
                kinds = [name for name, kind in KINDS.items() if kind.level == level]
                yield (
                    (level, split),
                    [
                        self._test(kind, f"{kind} {split} {i}", shown)
                        for kind in kinds
                        for i in range(count)
                    ],
                )

    def _test(self, kind: str, name: str, shown: Shown) -> Sentence:
        if kind in LEXICAL:
            needs = _Needs(self.sampler.pools.held[kind], LEXICAL[kind].level == "zeroshot")
            return self.new(
                name, kind, lambda numbers: self.sampler.lexical(numbers, kind), shown, needs
            )
        needs = _Needs(("nmod",) if kind == "obj_pp_to_subj_pp" else ())
        return self.new(name, kind, getattr(self.sampler, kind), shown, needs)

    def _sentence(self, clause: Clause, kind: str) -> Sentence:
        found = meaning(clause, self.lexicon.past)
        return Sentence(
            " ".join(found.tokens),
            logical_form(found),
            tuple(found.parts),
            tuple(words_of(clause)),
            clause.frame,
            kind,
            nesting_of(clause),
            frozenset(uses_of(clause)),
        )
