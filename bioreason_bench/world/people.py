"""The people of a world: who is known, who is in the community, and when each was born."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.config import WorldConfig
from bioreason_bench.draw import Draw
from bioreason_bench.errors import UsageError

YEAR = 365.25  # days


@dataclass(frozen=True)
class People:
    """Arrays over person ids 0..P-1, the known people first.

    Relations between people stay inside a *circle*: the community of the entity level, or everybody
    else.  A *block* is the known, or the novel, people of one circle.

    Attributes:
        known: Whether the person has a parametric biography.
        in_context: Whether the person has a contextual biography: all novel people and a share of
            the known.
        community: Whether the person belongs to the community.
        birth: Day of birth as a proleptic Gregorian ordinal (`date.toordinal`).
        heldout_wordings: Whether the parametric biographies keep two wordings of each relation out
            of every paraphrase.
    """

    known: NDArray[np.bool_]
    in_context: NDArray[np.bool_]
    community: NDArray[np.bool_]
    birth: NDArray[np.int64]
    heldout_wordings: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.known)

    def circles(self) -> list[NDArray[np.int64]]:
        """Return the person ids of everybody else, then of the community, without empty circles."""
        return [
            ids for member in (False, True) if len(ids := np.flatnonzero(self.community == member))
        ]

    def blocks(self) -> list[NDArray[np.int64]]:
        """Return the person ids of each block, without empty blocks."""
        return [
            ids
            for circle in self.circles()
            for known in (True, False)
            if len(ids := circle[self.known[circle] == known])
        ]


def make_people(config: WorldConfig, draw: Draw) -> People:
    """Make the people of a configuration.

    Births are spread evenly over the years within each block, so that everybody can have partners
    of a plausible age.

    Raises:
        UsageError: The number of people is odd, so they cannot be paired.
    """
    for name in ("known", "novel"):
        if getattr(config, name) % 2:
            raise UsageError(
                f"{name} is {getattr(config, name)}; it must be even, "
                "because symmetric relations pair up everybody"
            )
    known = np.arange(config.people) < config.known
    community = np.zeros(config.people, bool)
    for ids in (np.arange(config.known), np.arange(config.known, config.people)):
        members = 2 * round(config.community * len(ids) / 2)
        community[ids[len(ids) - members :]] = True
    withheld = draw.at("heldout_wordings").uniform(config.people) < config.heldout_wordings
    births = np.zeros(config.people, np.int64)
    people = People(known, ~known, community, births, known & withheld)
    for ids in people.blocks():
        if known[ids[0]]:
            _put_in_context(people, ids, config.in_context, draw)
        _draw_births(people, ids, config.birth_years, draw)
    return people


def _put_in_context(people: People, ids: NDArray, share: float, draw: Draw) -> None:
    """Give a share of the block's people a contextual biography."""
    chosen = draw.at("in_context", int(ids[0])).permutation(ids)[: round(share * len(ids))]
    people.in_context[chosen] = True


def _draw_births(people: People, ids: NDArray, years: tuple[int, int], draw: Draw) -> None:
    """Draw the births of a block: one in each of len(ids) equal slots of the years.

    Four people born from 1900 to 1939 get one birth in each decade, in random order.
    """
    block = int(ids[0])
    first, last = date(years[0], 1, 1).toordinal(), date(years[1], 12, 31).toordinal()
    slots = np.arange(len(ids)) + draw.at("birth", block).uniform(len(ids))
    days = first + (slots * (last - first) / len(ids)).astype(np.int64)
    people.birth[draw.at("birth order", block).permutation(ids)] = days
