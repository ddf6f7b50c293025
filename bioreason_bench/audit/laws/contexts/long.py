"""Long contexts (`context_tokens`): their lengths, who fills them, and at which depth gold stands.

A row breaks the laws by a length that was not asked for, or by a bystander on its chain. That each
length is drawn as often as any other, and that the people who are read about stand in every tenth
of the lines as often, no single row can break: in all test files together each count is a sum of
independent events of known chance, and Chernoff's bound tells how likely it is by luck.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.audit.ledger import Ledger, RowViolations
from bioreason_bench.audit.reading.parser import ParsedRelease
from bioreason_bench.audit.reading.questions import File, ParsedQuestion
from bioreason_bench.lengths import parse_lengths, tokens_in
from bioreason_bench.statistics import luck_bound
from bioreason_bench.taxonomy import LEVELS

__all__ = ["LongContexts", "check_long_contexts", "lengths_in"]

TOLERANCE = 0.05  # of a length
LINE = 150  # tokens; so much may be missing at the end, where no further biography fits
LUCK = 1 / 30_000  # of any count of a release; a sound release breaks a law less often
DEPTHS = 10
MOST_LENGTHS = 20  # in a list; of those in a range single ones are too rare to count


def lengths_in(file: File, config: Mapping[str, Any]) -> tuple[int, ...]:
    """The lengths in tokens of the contexts of a file; none if they are not filled up."""
    if file.level not in LEVELS or file.skill == "mem":
        return ()
    return parse_lengths(str(config.get("context_tokens", "")))


@dataclass
class LongContexts:
    """The long contexts of one file.

    Attributes:
        file: The file.
        lengths: What `context_tokens` asks for, ascending.
        drawn: The length of each context, as an index into `lengths`.
        places: (lines, line) of each person who is read about.
    """

    file: File
    lengths: tuple[int, ...]
    drawn: list[int] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)

    def add(
        self, release: ParsedRelease, question: ParsedQuestion, violations: RowViolations
    ) -> None:
        """Check a row with a context, and count it."""
        tokens = tokens_in(question.record["context"])
        nearest = min(range(len(self.lengths)), key=lambda one: abs(self.lengths[one] - tokens))
        # rounding down to whole biographies, a context of 3,900 may be one of 4,000
        asked = self.lengths[nearest]
        fits = asked - max(LINE, TOLERANCE * asked) <= tokens <= asked * (1 + TOLERANCE)
        violations.check(
            "context tokens",
            question.row,
            fits,
            lambda: (
                f"the context has about {tokens:,} tokens, the nearest length of context_tokens is "
                f"{asked:,}"
            ),
        )
        read = {
            person
            for person, relation in zip(question.walk, question.path, strict=False)
            if not release.parametric[relation]
        }
        people = question.context.people
        others = {one for one in question.walk if 0 <= one < release.people} - read
        there = sorted(others.intersection(people))
        violations.check(
            "bystanders",
            question.row,
            not there,
            lambda: (
                f"line {people.index(there[0]) + 1} is about {release.text(there[0])}, who is on "
                "the chain and is not read about"
            ),
        )
        self.drawn.append(nearest)
        self.places += [(len(people), people.index(person)) for person in read if person in people]


def check_long_contexts(files: Sequence[LongContexts], ledger: Ledger) -> None:
    """Check that lengths and depths are drawn evenly, over all files together."""
    counts = [*_lengths(files), *_depths(files)]
    luck = LUCK / max(1, 2 * len(counts))  # each is counted as too many, and as too few
    for law, what, happened, chance in counts:
        rows = np.arange(len(happened))
        likely = min(luck_bound(happened, rows, chance), luck_bound(~happened, rows, 1 - chance))
        share = float(happened.mean())
        problem = f"{what} in {share:.1%} of {len(happened):,} cases, by chance {chance:.1%}"
        ledger.check_whole(law, "data", None if likely >= luck else problem)


Count = tuple[str, str, NDArray[np.bool_], float]  # law, what happens, whether, how likely


def _lengths(files: Sequence[LongContexts]) -> Iterator[Count]:
    drawn = np.array([one for file in files for one in file.drawn], np.int64)
    lengths = files[0].lengths if files else ()
    if len(drawn) and 1 < len(lengths) <= MOST_LENGTHS:
        for index, length in enumerate(lengths):
            what = f"a context of {length:,} tokens"
            yield "context tokens", what, drawn == index, 1 / len(lengths)
    elif len(drawn) and len(lengths) > 1:
        half = len(lengths) // 2
        what = f"a context of less than {lengths[half]:,} tokens"
        yield "context tokens", what, drawn < half, half / len(lengths)


def _depths(files: Sequence[LongContexts]) -> Iterator[Count]:
    places = np.array([place for file in files for place in file.places], np.int64).reshape(-1, 2)
    lines, line = places[places[:, 0] >= DEPTHS].T
    # the middle of a line decides: with 20 lines, each tenth has two
    tenth = (2 * line + 1) * DEPTHS // (2 * lines)
    for depth in range(DEPTHS if len(lines) else 0):
        chance = _share_of_tenth(lines, depth)
        what = f"someone who is read about stands in tenth {depth + 1} of the context"
        yield "depths", what, tenth == depth, chance


def _share_of_tenth(lines: NDArray[np.int64], depth: int) -> float:
    """The mean share of lines whose middle lies in a tenth of their context."""
    shares = {
        count: float(((2 * np.arange(count) + 1) * DEPTHS // (2 * count) == depth).mean())
        for count in np.unique(lines).tolist()
    }
    return float(np.mean([shares[count] for count in lines.tolist()]))
