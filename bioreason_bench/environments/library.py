"""The world as a library: a question, and tools that look people up.

    library = make_library("comp_rl", data="releases/v1")
    episode = library.episode(library.questions.rows[0])
    episode.prompt
    episode.read_biography("Ann Lee")
    episode.answer("Ann Lee's boss was Bo Ray. So, the answer is: Bo Ray")
    episode.reward(), episode.log()

The same questions can be asked in three modes.

    closed    neither a context nor a library: the model knows every fact from training, or fails
    context   the question as it is published
    lookup    biographies are looked up with tools

What is on the shelf is not in the prompt.  `shelf="both"`: all biographies, so that any chat model
can answer.  `shelf="contextual"`: the contextual ones alone, so that recalled facts must still be
known from training; a sentence that names both ends of a recalled hop is left out, as it is in
published contexts.  `shelf="parametric"`: the context is shown, and recalled facts are looked up.

A call is useful if it reads, for the first time, the biography of a person on the gold chain about
whom a fact is to be looked up.  Every other call is useless: another person, the same person again,
a name that nobody has, and every search, because questions and biographies give names in full.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bioreason_bench.environments.questions import Questions, read_questions
from bioreason_bench.errors import UsageError, suggest
from bioreason_bench.evaluation.source import Source
from bioreason_bench.language.reader import Reader
from bioreason_bench.questions.prompts import UNANSWERABLE, library_prompt
from bioreason_bench.world.relations import CONTEXTUAL, PARAMETRIC

__all__ = ["MODES", "SHELVES", "Biographies", "Episode", "Library", "make_library"]

MODES = ("closed", "context", "lookup")
SHELVES = {
    "both": (PARAMETRIC, CONTEXTUAL),
    "contextual": (CONTEXTUAL,),
    "parametric": (PARAMETRIC,),
}
LETTERS = {PARAMETRIC: "P", CONTEXTUAL: "C"}  # of a hop, in the pattern of a question
MOST_CALLS = 20  # of an episode; the longest chains have six hops
MOST_FOUND = 5  # results of a search
ALTERED = ("altered", "conflicting")  # columns of questions whose context departs from the world
OVER = "The question has been answered."
CLOSED = "The library is closed for this question."
NO_CALLS = "No calls are left. Answer now."


class Biographies:
    """The first biography of each group of everybody in a world, by person.

    Attributes:
        texts: Group -> person -> text.
        reader: The reader of the world's language and relations.
    """

    def __init__(self, source: Source) -> None:
        self.reader = Reader(source.relations(), source.language)
        names = source.table("people", "train")["name"].to_pylist()
        self._name = {name.casefold(): name for name in names}
        self.texts: dict[str, dict[str, str]] = {}
        for group in (PARAMETRIC, CONTEXTUAL):
            rows = source.table("biographies", group).select(["person", "rendering", "text"])
            self.texts[group] = {
                row["person"]: row["text"] for row in rows.to_pylist() if row["rendering"] == 0
            }

    def name(self, text: str) -> str | None:
        """The person called so, in any case; None if there is nobody."""
        return self._name.get(" ".join(text.split()).casefold())

    def matches(self, text: str, groups: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """(person, sentence) of what contains the text, in any case.

        People whose name contains it come first, with an empty sentence; then sentences, in the
        order of people and groups.
        """
        wanted = " ".join(text.split()).casefold()
        if not wanted:
            return
        yield from ((name, "") for key, name in self._name.items() if wanted in key)
        for person in self._name.values():
            for group in groups:
                biography = self.texts[group].get(person, "")
                if wanted in biography.casefold():
                    for sentence in self.reader.biography_sentences(biography):
                        if wanted in sentence.casefold():
                            yield person, sentence


@functools.lru_cache(maxsize=4)
def biographies_of(source: Source) -> Biographies:
    """The biographies of a source, read once."""
    return Biographies(source)


@dataclass(frozen=True)
class Library:
    """Questions, the mode in which they are asked, and what calls cost.

    Attributes:
        questions: The questions.
        mode: One of MODES.
        shelf: One of SHELVES; it counts in mode lookup alone.
        cost: What each useless call takes from the reward of a right answer, at least 0.
        most_calls: After so many calls the tools look nothing up any more.
    """

    questions: Questions
    mode: str = "lookup"
    shelf: str = "both"
    cost: float = 0.0
    most_calls: int = MOST_CALLS

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UsageError(f"there is no mode={self.mode!r}: {suggest(self.mode, MODES)}")
        if self.shelf not in SHELVES:
            raise UsageError(f"there is no shelf={self.shelf!r}: {suggest(self.shelf, SHELVES)}")
        if not 0 <= self.cost <= 1:
            raise UsageError(f"cost={self.cost!r} must be between 0 and 1")
        if self.most_calls < 1:
            raise UsageError(f"most_calls={self.most_calls!r} must be at least 1")
        if self.mode == "lookup":
            self._check_questions()

    def _check_questions(self) -> None:
        """The library must hold what the questions ask for."""
        rows = self.questions.rows
        if any(row["level"] == UNANSWERABLE or set(ALTERED) & set(row) for row in rows):
            raise UsageError(
                "mode='lookup' cannot ask these questions: their contexts depart from the "
                "biographies on the shelf; choose mode='context', or the questions of a level"
            )
        letters = {LETTERS[group] for group in SHELVES[self.shelf]}
        if not any(letters & set(row["pattern"]) for row in rows):
            raise UsageError(
                f"shelf={self.shelf!r} holds nothing that these questions ask for; "
                "choose shelf='both'"
            )

    @property
    def biographies(self) -> Biographies:
        return biographies_of(self.questions.source)

    def asked(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row as it is asked: without its context unless the mode shows it."""
        shown = self.mode == "context" or (self.mode == "lookup" and self.shelf == PARAMETRIC)
        return dict(row) if shown else {**row, "context": "", "context_people": []}

    def prompt(self, row: Mapping[str, Any]) -> str:
        """What the model is sent."""
        asked = self.asked(row)
        if self.mode == "lookup":
            return library_prompt(asked, self.shelf)
        return self.questions.prompt(asked)

    def episode(self, row: Mapping[str, Any]) -> Episode:
        """One question, to be answered once."""
        return Episode(self, row)


@dataclass
class Episode:
    """One question: tools, the reward, and the log of calls.

    Attributes:
        library: The library.
        row: The question.
        calls: Reads and searches so far.
        searches: Searches among them.
        read: The people whose biographies were read, in order.
        answered: What was answered; None until then.
    """

    library: Library
    row: Mapping[str, Any]
    calls: int = 0
    searches: int = 0
    read: dict[str, None] = field(default_factory=dict)
    answered: str | None = None

    @property
    def prompt(self) -> str:
        return self.library.prompt(self.row)

    @property
    def needed(self) -> set[str]:
        """The people on the gold chain about whom a fact is to be looked up."""
        if self.library.mode != "lookup":
            return set()
        letters = {LETTERS[group] for group in SHELVES[self.library.shelf]}
        hops = zip(self.row["entities"], self.row["pattern"], strict=False)  # the answer is no hop
        return {person for person, letter in hops if letter in letters}

    def read_biography(self, name: str) -> str:
        """What the library has about a person: one biography a line."""
        if problem := self._refusal():
            return problem
        self.calls += 1
        person = self.library.biographies.name(name)
        texts = [self._text(person, group) for group in self._groups] if person else []
        if not person or not any(texts):
            return f"The library has nothing about {name}."
        self.read[person] = None
        return "\n".join(text for text in texts if text)

    def search(self, text: str) -> str:
        """At most MOST_FOUND people and sentences that contain the text."""
        if problem := self._refusal():
            return problem
        self.calls += 1
        self.searches += 1
        found: list[str] = []
        for person, sentence in self.library.biographies.matches(text, self._groups):
            if len(found) == MOST_FOUND:
                break
            if not sentence:
                found.append(person)
            elif not self._gives_away(person, sentence):
                found.append(f"{person}: {sentence}")
        return "\n".join(found) or f"Nothing in the library contains {text}."

    def answer(self, text: str) -> str:
        """Answer the question; the first answer counts."""
        if self.answered is not None:
            return OVER
        self.answered = text
        return "Thank you."

    @property
    def useful_calls(self) -> int:
        """Number of needed people whose biographies were read."""
        return len(self.needed & set(self.read))

    @property
    def useless_calls(self) -> int:
        """Number of all other calls."""
        return self.calls - self.useful_calls

    def reward(self) -> float:
        """The reward of the answer less the cost of useless calls, at least 0; 0 without one."""
        if self.answered is None:
            return 0.0
        reward = self.library.questions.score(self.answered, self.row).reward
        return max(0.0, reward - self.library.cost * self.useless_calls)

    def log(self) -> dict[str, float]:
        """The metrics of the answer, and the number of calls of each kind.

        `useful_share` is the share of calls that were useful, and `found_share` the share of needed
        people who were read; each is 1 if there is nothing to divide by.
        """
        needed = len(self.needed)
        return {
            **self.library.questions.score(self.answered or "", self.row).metrics,
            "answered": float(self.answered is not None),
            "calls": float(self.calls),
            "useful_calls": float(self.useful_calls),
            "useless_calls": float(self.useless_calls),
            "searches": float(self.searches),
            "useful_share": self.useful_calls / self.calls if self.calls else 1.0,
            "found_share": self.useful_calls / needed if needed else 1.0,
        }

    @property
    def _groups(self) -> tuple[str, ...]:
        return SHELVES[self.library.shelf]

    def _refusal(self) -> str:
        """Why nothing can be looked up now, "" if something can."""
        if self.answered is not None:
            return OVER
        if self.library.mode != "lookup":
            return CLOSED
        return NO_CALLS if self.calls >= self.library.most_calls else ""

    def _text(self, person: str, group: str) -> str:
        """A biography without the sentences that give a recalled hop away; "" if there is none."""
        text = self.library.biographies.texts[group].get(person, "")
        if not any(person in ends for ends in self._recalled):
            return text
        sentences = self.library.biographies.reader.biography_sentences(text)
        kept = [sentence for sentence in sentences if not self._gives_away(person, sentence)]
        return text if len(kept) == len(sentences) else " ".join(kept)

    @functools.cached_property
    def _recalled(self) -> list[tuple[str, str]]:
        """Both ends of each hop that must be known from training although others are looked up."""
        if PARAMETRIC in self._groups:
            return []
        entities = self.row["entities"]
        pattern = enumerate(self.row["pattern"])
        return [(entities[hop], entities[hop + 1]) for hop, letter in pattern if letter == "P"]

    def _gives_away(self, person: str, sentence: str) -> bool:
        """Whether a sentence about a person names both ends of a recalled hop."""
        if not self._recalled:
            return False
        fact = self.library.biographies.reader.sentence(sentence)
        named = {person} | ({fact[0], fact[2]} if fact else set())
        return any(named.issuperset(ends) for ends in self._recalled)


def make_library(
    config: str = "comp_rl",
    split: str | None = None,
    *,
    mode: str = "lookup",
    shelf: str = "both",
    cost: float = 0.0,
    most_calls: int = MOST_CALLS,
    **settings: Any,
) -> Library:
    """A library over the questions of a split.

    Args:
        config: See `read_questions`.
        split: See `read_questions`.
        mode: See `Library`.
        shelf: See `Library`.
        cost: See `Library`.
        most_calls: See `Library`.
        **settings: The other arguments of `read_questions`: reward, first, data, revision, preset,
            seed, and prompt for modes closed and context.

    Raises:
        UsageError: A setting is wrong.
        ReleaseError: The source cannot be read.
    """
    questions = read_questions(config, split, **settings)
    return Library(questions, mode, shelf, cost, most_calls)
