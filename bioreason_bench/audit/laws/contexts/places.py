"""The order of a context's lines tells nothing: whoever is read about stands anywhere.

No single row can break this law. In a file, and in all training and all test files together, it
counts how often the person who is read about last stands first, second, ..., last, in an even place
or in the first half; the same for the one who is read about first, and for those between; and how
often one of them stands before, right before or right behind the one before on the chain. If all
orders are equally likely, each count is a sum of independent events of known chance, and Chernoff's
bound tells how likely it is by luck.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.reading.parser import ParsedRelease
from bioreason_bench.audit.reading.questions import File, ParsedQuestion
from bioreason_bench.statistics import luck_bound
from bioreason_bench.taxonomy import LEVELS

__all__ = ["Places", "check_places"]

LUCK = 1 / 30_000  # of any count of a release; a sound release breaks the law less often
PLACES = 8  # from the first line on, and from the last one back
Booleans = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass
class Places:
    """Where the people who are read about stand in the contexts of one file.

    Attributes:
        file: The file.
        single: (lines, place, kind) of each; the kind is "last" read, "first" read or "other".
        pairs: (lines, place of one, place of the next one on the chain).
    """

    file: File
    single: list[tuple[int, int, str]] = field(default_factory=list)
    pairs: list[tuple[int, int, int]] = field(default_factory=list)

    def add(self, release: ParsedRelease, question: ParsedQuestion) -> None:
        """Count the people of one question; of a pair of contexts the first one only."""
        people = question.context.people
        record = question.record
        if len(people) < 2 or record.get("altered") or record.get("answerable") is False:
            return  # the second of a pair
        if self.file.open_book or "answerable" in record:
            places = record["support"]
        else:
            read = [
                person
                for relation, person in zip(question.path, question.walk, strict=False)
                if not release.parametric[relation]
            ]
            places = [people.index(person) for person in read if person in people]
        for number, place in enumerate(places):
            kind = "last" if number == len(places) - 1 else "other" if number else "first"
            self.single.append((len(people), place, kind))
        self.pairs += [(len(people), one, two) for one, two in pairwise(places)]


def check_places(files: Sequence[Places], ledger: Ledger) -> None:
    """Count how often each place is taken, and how likely that is by luck."""
    counts = [
        (name, what, happened, chance)
        for name, group in _groups(files)
        for what, happened, chance in _events(group)
    ]
    luck = LUCK / max(1, 2 * len(counts))  # each is counted as too many, and as too few
    for name, what, happened, chance in counts:
        share, expected = float(happened.mean()), float(chance.mean())
        rows = np.arange(len(happened))
        likely = min(
            luck_bound(happened, rows, expected), luck_bound(~happened, rows, 1 - expected)
        )
        problem = f"{what} in {share:.1%} of {len(happened):,} cases, by chance {expected:.1%}"
        ledger.check_whole("places", name, None if likely >= luck else problem)


def _groups(files: Sequence[Places]) -> Iterator[tuple[str, Sequence[Places]]]:
    """Each file by itself, then all training files and all files of the levels together."""
    for places in files:
        yield places.file.name, [places]
    yield "data", [places for places in files if places.file.split == "train"]
    yield "data", [places for places in files if places.file.level in LEVELS]


def _events(group: Sequence[Places]) -> Iterator[tuple[str, Booleans, Floats]]:
    """(what, whether it happens in each case, how likely it is in each case)."""
    single = [case for places in group for case in places.single]
    kinds: Mapping[str, str] = {
        "last": "the person who is read about last",
        "first": "the person who is read about first",
        "other": "a person who is read about in between",
    }
    for kind, who in kinds.items():
        cases = np.array([case[:2] for case in single if case[2] == kind], np.int64).reshape(-1, 2)
        for where, happens in _PLACES.items():
            yield from _event(f"{who} stands {where}", cases, happens)
    pairs = np.array([case for places in group for case in places.pairs], np.int64).reshape(-1, 3)
    lines, step = pairs[:, 0], pairs[:, 2] - pairs[:, 1]
    if len(pairs):
        who = "the next person on the chain stands"
        yield f"{who} behind", step > 0, np.full(len(pairs), 0.5)
        for where, distance in (("right behind", 1), ("right before", -1)):
            if (lines > 2).any():
                rows = lines > 2
                yield f"{who} {where}", step[rows] == distance, 1 / lines[rows]


def _event(
    what: str, cases: NDArray[np.int64], happens: Callable[[NDArray, NDArray], Booleans]
) -> Iterator[tuple[str, Booleans, Floats]]:
    """The event in the cases in which it can happen and can fail to."""
    if not len(cases):
        return
    chances = {
        lines: float(happens(np.arange(lines), np.full(lines, lines)).mean())
        for lines in np.unique(cases[:, 0]).tolist()
    }
    chance = np.array([chances[lines] for lines in cases[:, 0].tolist()])
    open_ = (chance > 0) & (chance < 1)
    if open_.any():
        yield what, happens(cases[open_, 1], cases[open_, 0]), chance[open_]


def _in_line(number: int, place: NDArray[np.int64], lines: NDArray[np.int64]) -> Booleans:  # noqa: ARG001
    return place == number


def _from_the_end(number: int, place: NDArray[np.int64], lines: NDArray[np.int64]) -> Booleans:
    return place == lines - 1 - number


_PLACES: dict[str, Callable[[NDArray[np.int64], NDArray[np.int64]], Booleans]] = {
    "in an odd line": lambda place, lines: place % 2 == 0,
    "in the first half": lambda place, lines: 2 * place < lines,
    **{f"in line {number + 1}": partial(_in_line, number) for number in range(PLACES)},
    **{
        f"in line {number + 1} from the end": partial(_from_the_end, number)
        for number in range(PLACES)
    },
}
