"""Questions that cross: one fact of a question is given the object that another question of the same path has there.

    counterfactual   the context says so: two rows, whose contexts differ in that sentence and whose answers differ.  Whoever
                     recalls what should be read, or reads what should be recalled, gets one of the two wrong.
    conflict         the context contradicts a fact that is to be recalled: one row, with the answer that memory leads to and
                     the one that the context leads to.

From the crossing on, the chain goes on as the other question's does; so it is as long and as readable, and leads to an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import Draw
from bioreason_bench.errors import UsageError
from bioreason_bench.questions.records import Columns, Writer
from bioreason_bench.splits.levels import PathPlan
from bioreason_bench.splits.paths import Path, fill
from bioreason_bench.splits.roles import split_evenly
from bioreason_bench.splits.starts import Starts
from bioreason_bench.world.relations import CONTEXTUAL, PARAMETRIC, RelationTable

__all__ = [
    "CONFLICT",
    "COUNTERFACTUAL",
    "Crossed",
    "draw_crossed",
    "write_conflicts",
    "write_twins",
]

COUNTERFACTUAL, CONFLICT = "counterfactual", "conflict"
PATHS = 40  # paths of each number of hops, at most, unless these have too few questions
TRIES = 40  # other questions that are tried for each

Certify = Callable[[Path, NDArray], Columns]  # path, walks -> certificate


@dataclass(frozen=True)
class Crossed:
    """Questions of one path and, for each, the question that it crosses with."""

    plan: PathPlan
    hop: int  # whose object is exchanged
    starts: NDArray[np.int32]
    others: NDArray[np.int32]  # where the other questions start


def draw_crossed(
    kind: str,
    starts: Starts,
    plans: Sequence[PathPlan],
    total: int,
    shares: Mapping[int, float],
    pool: str,
    taken: Sequence[Crossed],
    draw: Draw,
) -> list[Crossed]:
    """`total` questions of `kind` on the trained paths among `plans`, hops in their shares, from starts of `pool` that no split has and
    `taken` has not.  Raises UsageError where there are too few.
    """
    used = {crossed.plan.number: crossed.starts for crossed in taken}
    found: list[Crossed] = []
    left = 0
    for (hops, _), part in zip(
        shares.items(), split_evenly(total, list(shares.values())), strict=True
    ):
        left += part
        members = [plan for plan in plans if plan.trained and len(plan.path) == hops]
        chosen = [
            members[place]
            for place in draw.at("paths", kind, hops).permutation(len(members))[:PATHS].tolist()
        ]
        most = 16 + 4 * left // max(1, len(chosen))
        crossed = [
            _cross(kind, starts, plan, pool, used.get(plan.number, ()), most, draw)
            for plan in chosen
        ]
        counts = fill(left, [1.0] * len(crossed), [len(one.starts) for one in crossed])
        found += [
            replace(one, starts=one.starts[:count], others=one.others[:count])
            for one, count in zip(crossed, counts, strict=True)
            if count
        ]
        left -= sum(counts)
    if left:
        hint = f"lower comp.{kind}, or raise known or comp.paths"
        raise UsageError(
            f"comp.{kind}: {total:,} questions are asked for and this world has {total - left:,}; {hint}"
        )
    return found


def _cross(
    kind: str,
    starts: Starts,
    plan: PathPlan,
    pool: str,
    taken: Sequence[int],
    most: int,
    draw: Draw,
) -> Crossed:
    """At most `most` questions of the path that cross with another one, in the order in which its starts are drawn."""
    world, path = starts.world, plan.path
    table = world.table
    stream = draw.at(kind, *table.path_names(path))
    hops = [
        hop
        for hop in range(len(path))
        if (
            _ends_run(table, path, hop)
            if kind == COUNTERFACTUAL
            else table[path[hop]].group == PARAMETRIC
        )
    ]
    hop = hops[int(stream.at("hop").integers([0], len(hops))[0])]
    mine = starts.first(path, pool, plan.capacity[pool])[plan.used(pool) :]
    mine = mine[~np.isin(mine, np.asarray(taken, np.int64))][:most]
    everybody = np.sort(np.concatenate(list(starts.members(path).values())))
    walk, others = world.walk(path, mine), np.full(len(mine), -1, np.int32)
    able = _able(kind, starts, path, hop, walk)
    for turn in range(TRIES):
        rows = np.flatnonzero(able & (others < 0))
        if rows.size:
            other = everybody[stream.at(turn).integers(mine[rows], len(everybody))]
            good = _fit(kind, starts, path, hop, walk[rows], world.walk(path, other))
            others[rows[good]] = other[good]
    return Crossed(plan, hop, mine[others >= 0], others[others >= 0])


def _ends_run(table: RelationTable, path: Path, hop: int) -> bool:
    """Whether the hop is read and what it leads to is not read on from: so nothing else in the context speaks of the old object."""
    return table[path[hop]].group == CONTEXTUAL and (
        hop + 1 == len(path) or table[path[hop + 1]].group == PARAMETRIC
    )


def _able(kind: str, starts: Starts, path: Path, hop: int, walk: NDArray) -> NDArray[np.bool_]:
    """Which questions can cross with any: enough distractors beside two chains; nothing else that gives away or contradicts the hop."""
    world = starts.world
    able = np.ones(len(walk), bool)
    if world.config.distractors:
        runs = starts.runs(path)
        size = runs.length
        needed = 1 + (world.config.distractors - 1) * size * size + 2 * (len(path) + 1) * size
        able &= (np.bincount(runs.kind[runs.heads], minlength=4) >= needed)[
            runs.kind[walk[:, runs.begin]]
        ]
    if kind == CONFLICT:  # the sentence stands in a biography like the others
        return able & starts.ready(path)[walk[:, hop]]
    return able & ~starts.implied(path[hop], walk[:, hop], walk[:, hop + 1])


def _fit(
    kind: str, starts: Starts, path: Path, hop: int, walk: NDArray, other: NDArray
) -> NDArray[np.bool_]:
    """[rows] whether the other question can be crossed with: nobody on both chains, another answer, an object of the same kind."""
    world = starts.world
    people = world.table.people_on(path)
    fit = walk[:, -1] != other[:, -1]
    for one in range(people):
        fit &= (walk[:, one, None] != other[:, :people]).all(axis=1)
    if world.table[path[hop]].to_person:
        old, new = walk[:, hop + 1], other[:, hop + 1]
        fit &= (world.community[old] == world.community[new]) & (
            world.known[old] == world.known[new]
        )
        to_people = [number for number, row in enumerate(world.table.relations) if row.to_person]
        fit &= (world.objects[to_people][:, walk[:, hop]] != new).all(
            axis=0
        )  # nobody becomes both spouse and sibling
    if kind == COUNTERFACTUAL:
        fit &= ~starts.implied(path[hop], other[:, hop], other[:, hop + 1])
    return fit


def write_twins(writer: Writer, crossed: Crossed, rows: NDArray, certify: Certify) -> Columns:
    """The columns of these questions of `crossed`: each is two rows, as the biographies say and as the altered context says."""
    path, hop, number = crossed.plan.path, crossed.hop, crossed.plan.number
    walk, other, altered = _walks(writer, crossed, rows)
    people = writer.contexts.people(path, walk, other, hop)
    contexts = writer.contexts.texts(path, people)
    old, new = (
        writer.contexts.sentence(path[hop], walk[:, hop], None),
        writer.contexts.sentence(path[hop], walk[:, hop], other[:, hop + 1]),
    )
    assert all(text.count(sentence) == 1 for text, sentence in zip(contexts, old, strict=True))
    changed = [
        text.replace(before, after) for text, before, after in zip(contexts, old, new, strict=True)
    ]
    names = [f"comp-{COUNTERFACTUAL}-{number:04d}-{start:06d}" for start in walk[:, 0].tolist()]
    fact = _fact(writer, path[hop], walk[:, hop], walk[:, hop + 1], other[:, hop + 1])
    both = []
    for version, chain, texts in (("original", walk, contexts), ("altered", altered, changed)):
        columns: Columns = {
            "id": [
                f"comp-{COUNTERFACTUAL}-{version}-{number:04d}-{start:06d}"
                for start in walk[:, 0].tolist()
            ],
            "skill": ["comp"] * len(rows),
            "level": [COUNTERFACTUAL] * len(rows),
        }
        columns |= (
            writer.rows(path, chain, people, texts)
            | certify(path, chain)
            | {"portion": [0] * len(rows)}
        )
        columns |= {"pair": names, "altered": [version == "altered"] * len(rows), "changed": fact}
        both.append(columns)
    return {
        name: [value for pair in zip(both[0][name], both[1][name], strict=True) for value in pair]
        for name in both[0]
    }


def write_conflicts(writer: Writer, crossed: Crossed, rows: NDArray, certify: Certify) -> Columns:
    """The columns of these questions of `crossed`: answered as memory says, with what the context says beside it."""
    path, hop, number = crossed.plan.path, crossed.hop, crossed.plan.number
    walk, other, stated = _walks(writer, crossed, rows)
    people = writer.contexts.people(path, walk, other, hop, also=walk[:, hop])
    contexts = writer.contexts.texts(path, people)
    asked = next(
        relation for relation in path if writer.starts.world.table[relation].group == CONTEXTUAL
    )
    beside = writer.contexts.sentence(asked, walk[:, hop], None)
    false = writer.contexts.sentence(path[hop], walk[:, hop], other[:, hop + 1])
    assert all(text.count(sentence) == 1 for text, sentence in zip(contexts, beside, strict=True))
    contexts = [
        text.replace(here, f"{here} {more}")
        for text, here, more in zip(contexts, beside, false, strict=True)
    ]
    columns: Columns = {
        "id": [f"comp-{CONFLICT}-{number:04d}-{start:06d}" for start in walk[:, 0].tolist()],
        "skill": ["comp"] * len(rows),
        "level": [CONFLICT] * len(rows),
    }
    columns |= (
        writer.rows(path, walk, people, contexts)
        | certify(path, walk)
        | {"portion": [0] * len(rows)}
    )
    columns["conflicting"] = _fact(
        writer, path[hop], walk[:, hop], walk[:, hop + 1], other[:, hop + 1]
    )
    columns["answer_memory"] = columns["answer"]
    columns["entities_context"] = writer.entities(path, stated)
    columns["answer_context"] = [row[-1] for row in columns["entities_context"]]
    return columns


def _walks(writer: Writer, crossed: Crossed, rows: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """The questions' walks, those of the others, and the walks that cross from the first to the second: [rows, hops + 1] each."""
    world, path, hop = writer.starts.world, crossed.plan.path, crossed.hop
    walk, other = world.walk(path, crossed.starts[rows]), world.walk(path, crossed.others[rows])
    return walk, other, np.concatenate([walk[:, : hop + 1], other[:, hop + 1 :]], axis=1)


def _fact(
    writer: Writer, relation: int, subjects: NDArray, true: NDArray, false: NDArray
) -> list[list[str]]:
    """[subject, relation, object that the biographies state, object that the context states instead] of each row."""
    world = writer.starts.world
    row = world.table[relation]
    texts, names = world.texts[row.object], world.names
    return [
        [names[s], row.name, texts[t], texts[f]]
        for s, t, f in zip(subjects.tolist(), true.tolist(), false.tolist(), strict=True)
    ]
