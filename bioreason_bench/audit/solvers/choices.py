"""Solvers that know everything but one recalled hop, and choose who is meant behind it by a cue.

The hop is the last recalled one that is read on from.  The candidates are the people of the context
whom the biography of the person before names, and from whom the rest of the path leads to an
answer, so that nothing but the relation of that hop is missing:

    lawful     the one whose age fits the relation and is nearest to the middle of its window
    popular    the one who was most often meant, for each context that they appeared in, in training
    learned    the best by a conditional logit model (McFadden 1974) of all cues, fitted to training
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.audit.reading.ages import age_difference, fits_window
from bioreason_bench.audit.reading.questions import ParsedQuestion
from bioreason_bench.audit.solvers.blind import Candidate, Walks
from bioreason_bench.audit.solvers.knowledge import Guess, Knowledge
from bioreason_bench.audit.solvers.popularity import Popularity

__all__ = ["CHOOSERS", "ChoiceSample", "Choices", "choose", "fit_choices"]

RIDGE = 1.0  # of the weights of standardized cues
STEPS = 25  # of Newton's method


# choices of training questions --------------------------------------------------------------------


@dataclass
class Choices:
    """Choices of training questions.

    Attributes:
        cues: The cues of each candidate, without popularity; shape [candidates, cues].
        person: Shape [candidates].
        right: Whether the candidate is meant, shape [candidates].
        first: The first candidate of each question, shape [questions].
    """

    cues: NDArray[np.float64]
    person: NDArray[np.int64]
    right: NDArray[np.bool_]
    first: NDArray[np.int64]


class ChoiceSample:
    """Collects the choices of training questions while a file is read."""

    def __init__(self) -> None:
        self.cues: list[list[float]] = []
        self.person: list[int] = []
        self.right: list[bool] = []
        self.first: list[int] = []

    def add(self, question: ParsedQuestion, knowledge: Knowledge) -> None:
        walks = Walks(question, knowledge)
        hop, candidates = walks.candidates()
        if len(candidates) > 1:
            self.first.append(len(self.person))
            self.cues += cues_of(walks, candidates)
            self.person += [candidate.person for candidate in candidates]
            self.right += [candidate.person == question.walk[hop + 1] for candidate in candidates]

    def build(self) -> Choices:
        width = len(self.cues[0]) if self.cues else 0  # a small file may hold no choice
        return Choices(
            np.array(self.cues, np.float64).reshape(len(self.person), width),
            np.array(self.person, np.int64),
            np.array(self.right, bool),
            np.array(self.first, np.int64),
        )


# cues ---------------------------------------------------------------------------------------------


def cues_of(walks: Walks, candidates: list[Candidate]) -> list[list[float]]:
    """The cues of each candidate: place and form in the context, and mentions.

    What memory tells of the candidates is not among them: `associate` and `lawful` use that.
    """
    context = walks.question.context
    mentions: dict[int, int] = {}
    for target in context.facts.values():
        mentions[target] = mentions.get(target, 0) + 1
    start_line, size = walks.lines.get(walks.question.start, 0), len(context.people)
    rows = []
    for person, _ in candidates:
        line = walks.lines[person]
        cues = (line, abs(line - start_line))
        rows.append(
            [
                *(cue / size for cue in cues),
                float(context.sizes[line]),
                float(mentions.get(person, 0)),
            ]
        )
    return rows


def _with_popularity(
    cues: NDArray, popularity: Popularity, meant: NDArray, appeared: NDArray
) -> NDArray[np.float64]:
    """The cues with two more columns."""
    shares = popularity.share(meant, appeared)
    more = np.stack([np.log(shares + 1e-9), np.log1p(appeared)], axis=1)
    return np.concatenate([cues, more], axis=1)


def fit_choices(parts: Iterable[Choices], popularity: Popularity) -> NDArray[np.float64]:
    """The weights of a conditional logit model; no weights without training choices.

    The popularity of a candidate is that in all other training questions.
    """
    kept = [part for part in parts if len(part.first)]
    if not kept:
        return np.empty(0)
    person = np.concatenate([part.person for part in kept])
    right = np.concatenate([part.right for part in kept])
    sizes = np.cumsum([0, *(len(part.person) for part in kept)])
    first = np.concatenate([part.first + before for part, before in zip(kept, sizes, strict=False)])
    cues = _with_popularity(
        np.concatenate([part.cues for part in kept]),
        popularity,
        popularity.meant[person] - right,
        popularity.appeared[person] - 1,
    )
    group = np.repeat(np.arange(len(first)), np.diff([*first, len(person)]))
    counts = np.bincount(group)

    def mean_of_group(values: NDArray) -> NDArray[np.float64]:
        means: NDArray[np.float64] = np.add.reduceat(values, first, axis=0)
        return means

    cues = cues - (mean_of_group(cues) / counts[:, None])[group]
    scale = cues.std(axis=0)
    cues = cues / np.where(scale > 0, scale, 1.0)
    weights = np.zeros(cues.shape[1])
    for _ in range(STEPS):
        score = np.exp(cues @ weights)
        share = score / mean_of_group(score)[group]
        expected = mean_of_group(share[:, None] * cues)
        gradient = cues.T @ (right - share) - RIDGE * weights
        spread = (share[:, None] * cues).T @ cues - expected.T @ expected
        weights = weights + np.linalg.solve(spread + RIDGE * np.eye(len(weights)), gradient)
    return weights / np.where(scale > 0, scale, 1.0)


# solvers ------------------------------------------------------------------------------------------


def lawful(walks: Walks, hop: int, candidates: list[Candidate]) -> list[float] | None:
    """How near to the middle of the relation's window each age is; None if ages tell nothing."""
    release = walks.release
    older = release.table[walks.question.path[hop]].older
    subject = walks.question.walk[hop]
    years = [age_difference(release.births, subject, one.person) for one in candidates]
    if older is None or None in years:
        return None
    middle = sum(older) / 2
    return [
        -abs(years_older - middle) if fits_window(years_older, older) else -1000.0
        for years_older in years
        if years_older is not None
    ]


def popular(walks: Walks, hop: int, candidates: list[Candidate]) -> list[float] | None:  # noqa: ARG001 - one signature
    """How often each was meant in training, for each context that they appeared in."""
    popularity = walks.knowledge.popularity
    if popularity is None or not popularity.appearances:
        return None
    people = np.array([candidate.person for candidate in candidates])
    shares = popularity.share(popularity.meant[people], popularity.appeared[people])
    scores: list[float] = shares.tolist()
    return scores


def learned(walks: Walks, hop: int, candidates: list[Candidate]) -> list[float] | None:  # noqa: ARG001 - one signature
    """The scores of the fitted model."""
    weights, popularity = walks.knowledge.weights, walks.knowledge.popularity
    if popularity is None or not len(weights):
        return None
    people = np.array([candidate.person for candidate in candidates])
    cues = _with_popularity(
        np.array(cues_of(walks, candidates)),
        popularity,
        popularity.meant[people],
        popularity.appeared[people],
    )
    scores: list[float] = (cues @ weights).tolist()
    return scores


Chooser = Callable[[Walks, int, list[Candidate]], list[float] | None]
CHOOSERS: dict[str, Chooser] = {"lawful": lawful, "popular": popular, "learned": learned}


def choose(walks: Walks, chooser: Chooser) -> Guess | None:
    """The answer of the candidate with the highest score; None if there is no choice to make."""
    hop, candidates = walks.candidates()
    scores = chooser(walks, hop, candidates) if candidates else None
    if scores is None:
        return None
    ranked = (
        (score, walks.rank(one.answer, walks.lines[one.person]), one.answer)
        for score, one in zip(scores, candidates, strict=True)
    )
    return Guess(max(ranked)[2], walks.chance(hop))
