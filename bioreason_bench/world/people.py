"""Who lives in a world: blocks of people, and when each was born."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.config import Config
from bioreason_bench.draw import Draw
from bioreason_bench.errors import UsageError

YEAR = 365.25  # days


@dataclass(frozen=True)
class People:
    """Arrays over person ids 0..P-1, the known first."""

    known: NDArray[np.bool_]  # has a parametric biography
    in_context: NDArray[
        np.bool_
    ]  # has a contextual biography: all novel people and a share of the known
    community: NDArray[np.bool_]  # belongs to the community whose relations stay inside it
    birth: NDArray[np.int64]  # proleptic Gregorian ordinal of the day of birth

    def __len__(self) -> int:
        return len(self.known)

    def circles(self) -> list[NDArray[np.int64]]:
        """The two closed circles, community and the others, as person ids; a circle without people is left out."""
        return [
            ids for member in (False, True) if len(ids := np.flatnonzero(self.community == member))
        ]

    def blocks(self) -> list[NDArray[np.int64]]:
        """Known and novel people of each circle apart: where a parametric relation or an inverse pair stays inside."""
        return [
            ids
            for circle in self.circles()
            for known in (True, False)
            if len(ids := circle[self.known[circle] == known])
        ]


def make_people(config: Config, draw: Draw) -> People:
    """Births are spread evenly over the years of each block, so that everybody finds partners of a plausible age.

    Raises UsageError where people cannot be paired up.
    """
    for name in ("known", "novel"):
        if getattr(config, name) % 2:
            raise UsageError(
                f"{name} is {getattr(config, name)}; it must be even, because symmetric relations pair up everybody"
            )
    known = np.arange(config.people) < config.known
    community = np.zeros(config.people, bool)
    in_context = ~known
    for ids in (np.arange(config.known), np.arange(config.known, config.people)):
        members = 2 * round(config.community * len(ids) / 2)
        community[ids[len(ids) - members :]] = True
    people = People(known, in_context, community, np.zeros(config.people, np.int64))
    first, last = (
        date(config.birth_years[0], 1, 1).toordinal(),
        date(config.birth_years[1], 12, 31).toordinal(),
    )
    for ids in people.blocks():
        key = int(ids[0])
        if known[ids[0]]:
            in_context[
                draw.at("in_context", key).permutation(ids)[: round(config.in_context * len(ids))]
            ] = True
        slots = np.arange(len(ids)) + draw.at("birth", key).uniform(len(ids))
        people.birth[draw.at("birth order", key).permutation(ids)] = first + (
            slots * (last - first) / len(ids)
        ).astype(np.int64)
    return people
