"""Whether the config in the manifest is the one of the data: nobody can edit it alone.

`check_config` needs the manifest only, `check_people_of` the tables, `check_hops` the questions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.reading.parser import ParsedRelease
from bioreason_bench.audit.reading.questions import QuestionTable
from bioreason_bench.config import WorldConfig, from_dict
from bioreason_bench.errors import UsageError
from bioreason_bench.release.manifest import MANIFEST
from bioreason_bench.taxonomy import LEVELS
from bioreason_bench.world.pools import DATE_ORIGIN
from bioreason_bench.world.table import load_table, table_as_dict

__all__ = ["check_config", "check_hops", "check_people_of"]

EXPECTED = 20  # training questions of a number of hops; with fewer expected, none is no surprise
Problems = Iterator[str]


def check_config(manifest: Mapping[str, Any], ledger: Ledger) -> WorldConfig | None:
    """Check that the config can be made again, that it is complete, and agrees with the head.

    Returns:
        The configuration, None if it is broken.
    """
    try:
        config = from_dict(manifest["config"])
    except UsageError as error:
        ledger.check_whole("config", MANIFEST, str(error))
        return None
    values = config.as_dict()
    different = [name for name in values if manifest["config"].get(name) != values[name]]
    problem = f"{different[0]} must be given in full" if different else None
    ledger.check_whole("config", MANIFEST, problem)
    for name in ("preset", "seed"):
        head = manifest[name]
        problem = f"{name} is {values[name]!r}, and {head!r} at the head of the manifest"
        same = head == values[name] and type(head) is type(values[name])
        ledger.check_whole("config", MANIFEST, None if same else problem)
    ledger.check_whole("relations", MANIFEST, _table_problem(config, manifest["relations"]))
    return None if different else config


def _table_problem(config: WorldConfig, relations: Mapping[str, Any]) -> str | None:
    """What is wrong with the relation table: it is the package's unless the config names another.

    A table of a user's own cannot be compared with anything.
    """
    try:
        own = table_as_dict(load_table("", config.keep))
    except UsageError as error:
        return None if config.relations or config.facts else str(error)
    if config.relations:
        return "the config names a table of its own" if relations == own else None
    if config.facts or relations == own:
        return None
    if relations["pools"] != own["pools"]:
        kind = next(
            (
                kind
                for kind, values in own["pools"].items()
                if relations["pools"].get(kind) != values
            ),
            "another",
        )
        return f"the values of {kind} are not those of this package"
    theirs, ours = relations["relation"], own["relation"]
    if [row["name"] for row in theirs] != [row["name"] for row in ours]:
        return "its relations are not those of this package that the config keeps"
    changed = next(row["name"] for row, mine in zip(theirs, ours, strict=True) if row != mine)
    return f"relation {changed} is not that of this package"


# people -------------------------------------------------------------------------------------------


def check_people_of(release: ParsedRelease, config: WorldConfig, ledger: Ledger) -> None:
    """Check that the people are as many, and as old, as the config says, and keep to a circle."""
    problems = list(_count_problems(release, config))
    if not problems and not config.facts:
        problems = [*_circle_problems(release, config), *_birth_problems(release, config)]
    ledger.check_whole("config", "data/people", problems[0] if problems else None)


def _count_problems(release: ParsedRelease, config: WorldConfig) -> Problems:
    known, both = int(release.known.sum()), int((release.known & release.in_context).sum())
    counts = {"known": known, "novel": release.people - known}
    for name, count in counts.items():
        if getattr(config, name) != count:
            yield f"there are {count:,} {name} people, the config says {getattr(config, name):,}"
    if config.facts:
        share = round(both / known, 4) if known else 0.0
        if share != config.in_context:
            yield f"in_context is {share} of the known people, the config says {config.in_context}"
        return
    sizes = [len(block) for block in _blocks(config) if len(block) and block[0] < config.known]
    wanted = sum(round(config.in_context * size) for size in sizes)
    if both != wanted:
        yield (
            f"{both:,} of the known people have a contextual biography, "
            f"in_context {config.in_context} makes it {wanted:,}"
        )


def _community(config: WorldConfig) -> NDArray[np.bool_]:
    """Whether each person belongs to the community: the last of the known, and of the novel."""
    community = np.zeros(config.people, bool)
    for ids in (np.arange(config.known), np.arange(config.known, config.people)):
        members = 2 * round(config.community * len(ids) / 2)
        community[ids[len(ids) - members :]] = True
    return community


def _blocks(config: WorldConfig) -> list[NDArray[np.int64]]:
    """The known and the novel people, in the community or not."""
    known, community = np.arange(config.people) < config.known, _community(config)
    return [np.flatnonzero((known == a) & (community == b)) for a in (True, False) for b in (0, 1)]


def _circle_problems(release: ParsedRelease, config: WorldConfig) -> Problems:
    """Relations between people stay in the community, or outside it."""
    community = _community(config)
    for number, relation in enumerate(release.table.relations):
        targets = release.facts[number]
        subjects = np.flatnonzero((targets >= 0) & (targets < release.people))
        crossing = subjects[community[subjects] != community[targets[subjects]]]
        if relation.to_person and len(crossing):
            person = int(crossing[0])
            yield (
                f"by community {config.community}, {release.text(person)} and "
                f"{release.text(targets[person])} are in different circles, and {relation.name} "
                "leads from one to the other"
            )


def _birth_problems(release: ParsedRelease, config: WorldConfig) -> Problems:
    """The known people of a circle are born in as many equal parts of the years, one in each."""
    births = np.array(release.births, np.int64)
    if config.language == "symbols":  # which number the days from the first one of the calendar
        births += np.where(births > 0, DATE_ORIGIN - 1, 0)
    first, last = (
        date(year, *day).toordinal()
        for year, day in zip(config.birth_years, ((1, 1), (12, 31)), strict=True)
    )
    for block in _blocks(config):
        days = np.sort(births[block])
        if not len(days) or block[0] >= config.known or days[0] == 0:
            continue  # nobody there, or no dates
        slots = first + np.arange(len(days) + 1) * (last - first) // len(days)
        if ((days < slots[:-1]) | (days > slots[1:] + 1)).any():
            years = f"{config.birth_years[0]} to {config.birth_years[1]}"
            yield f"births are not spread evenly over {years}, the birth_years of the config"


# questions ----------------------------------------------------------------------------------------


def check_hops(tables: Sequence[QuestionTable], config: WorldConfig, ledger: Ledger) -> None:
    """Check that questions have the numbers of hops that the config says."""
    for table in tables:
        if table.file.level not in (*LEVELS, "train"):
            continue
        shares = config.depth_hops if table.file.level == "depth" else config.hops
        problem = _hops_problem(table, {hops: share for hops, share in shares.items() if share > 0})
        if table.file.split == "train" and not problem and not config.facts:
            problem = _missing_problem(table, shares)
        ledger.check_whole("config", table.file.name, problem)


def _hops_problem(table: QuestionTable, allowed: Iterable[int]) -> str | None:
    found = set(np.unique(table.hops[table.path >= 0]).tolist()) - set(allowed)
    return f"a question has {min(found)} hops, the config says {list(allowed)}" if found else None


def _missing_problem(table: QuestionTable, shares: Mapping[int, float]) -> str | None:
    total = sum(shares.values())
    for hops, share in shares.items():
        if share / total * len(table) >= EXPECTED and not (table.hops == hops).any():
            return f"no question has {hops} hops, the config says {share / total:.0%} of them"
    return None
