"""The order of a context's lines tells nothing: whoever is read about stands anywhere.

No single row can break this law. In a file, and in all training and all test files together, it
counts how often the person who is read about last stands first, second, ..., last, in an even place
or in the first half; the same for the one who is read about first, and for those between; and how
often one of them stands before, right before or right behind the one before on the chain. If all
orders are equally likely, each count is a sum of independent events of known chance, and Chernoff's
bound tells how likely it is by luck.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.reading.parser import ParsedRelease
from bioreason_bench.audit.reading.questions import File, ParsedQuestion
from bioreason_bench.statistics import luck_bound_of
from bioreason_bench.taxonomy import LEVELS

__all__ = ["Places", "check_places"]

LUCK = 1 / 30_000  # of any count of a release; a sound release breaks the law less often
PLACES = 8  # from the first line on, and from the last one back
Booleans = NDArray[np.bool_]
Event = tuple[str, int, int, float]  # what, how often it happened, in how many cases, its chance


@dataclass
class Places:
    """Where the people who are read about stand in the contexts of one file.

    Attributes:
        file: The file.
        single: How often (lines, place, kind); the kind is "last" read, "first" read or "other".
        steps: How often (lines, how much further down the next one on the chain stands).
    """

    file: File
    single: Counter[tuple[int, int, str]] = field(default_factory=Counter)
    steps: Counter[tuple[int, int]] = field(default_factory=Counter)

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
            self.single[len(people), place, kind] += 1
        for one, two in pairwise(places):
            self.steps[len(people), two - one] += 1


def check_places(files: Sequence[Places], ledger: Ledger) -> None:
    """Count how often each place is taken, and how likely that is by luck."""
    events = [(name, event) for name, group in _groups(files) for event in _events(group)]
    luck = LUCK / max(1, 2 * len(events))  # each is counted as too many, and as too few
    for name, (what, happened, cases, expected) in events:
        likely = min(
            luck_bound_of(happened, cases, expected),
            luck_bound_of(cases - happened, cases, 1 - expected),
        )
        share = happened / cases
        problem = f"{what} in {share:.1%} of {cases:,} cases, by chance {expected:.1%}"
        ledger.check_whole("places", name, None if likely >= luck else problem)


def _groups(files: Sequence[Places]) -> Iterator[tuple[str, Sequence[Places]]]:
    """Each file by itself, then all training files and all files of the levels together."""
    for places in files:
        yield places.file.name, [places]
    yield "data", [places for places in files if places.file.split == "train"]
    yield "data", [places for places in files if places.file.level in LEVELS]


def _events(group: Sequence[Places]) -> Iterator[Event]:
    """What happens how often in the files of a group."""
    single: Counter[tuple[int, int, str]] = Counter()
    steps: Counter[tuple[int, int]] = Counter()
    for places in group:
        single.update(places.single)
        steps.update(places.steps)
    kinds: Mapping[str, str] = {
        "last": "the person who is read about last",
        "first": "the person who is read about first",
        "other": "a person who is read about in between",
    }
    for kind, who in kinds.items():
        cases = [(*case[:2], count) for case, count in sorted(single.items()) if case[2] == kind]
        for where, happens in _PLACES.items():
            yield from _event(f"{who} stands {where}", cases, happens)
    who = "the next person on the chain stands"
    if steps:
        behind = sum(count for (_, step), count in steps.items() if step > 0)
        yield f"{who} behind", behind, steps.total(), 0.5
    more = {case: count for case, count in steps.items() if case[0] > 2}
    for where, distance in (("right behind", 1), ("right before", -1)) if more else ():
        happened = sum(count for (_, step), count in more.items() if step == distance)
        chance = sum(count / lines for (lines, _), count in more.items()) / sum(more.values())
        yield f"{who} {where}", happened, sum(more.values()), chance


def _event(
    what: str,
    cases: Sequence[tuple[int, int, int]],
    happens: Callable[[NDArray, NDArray], Booleans],
) -> Iterator[Event]:
    """The event in the cases (lines, place, how often) in which it can happen and can fail to."""
    if not cases:
        return
    lines, place, count = np.array(cases, np.int64).T
    chances = {
        size: float(happens(np.arange(size), np.full(size, size)).mean())
        for size in np.unique(lines).tolist()
    }
    chance = np.array([chances[size] for size in lines.tolist()])
    open_ = (chance > 0) & (chance < 1)
    if open_.any():
        total = int(count[open_].sum())
        happened = int(count[open_][happens(place[open_], lines[open_])].sum())
        yield what, happened, total, float((count * chance)[open_].sum() / total)


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
