"""Relation paths of a skill: which are valid, and which of them are drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations

import numpy as np

from bioreason_bench.draw import Draw
from bioreason_bench.splits.shares import apportion_up_to
from bioreason_bench.world.relations import RelationTable

__all__ = ["PathRules", "RelationPath", "can_conflict", "draw_paths"]

RelationPath = tuple[int, ...]  # relation numbers, first hop first
MAX_LISTED = 100_000  # candidates that are enumerated; of more than that a sample is drawn
TRIES = 200  # sequences tried for each path that is wanted


@dataclass(frozen=True)
class PathRules:
    """What makes a sequence of relations a path of a skill.

    Attributes:
        table: The relation table.
        skill: `comp` paths mix the groups.
        leak_guards: With leak guards a comp path holds no inverse pair: the sentence that gives
            away the recalled hop would be the very one that another hop asks for.
        distractors: With relational distractors, behind a recalled hop of a comp path one fact is
            read before the next recall (no `PCC`), and at most two are read in a row (no `CCC`):
            otherwise the biography of the gold person alone would name several people of the
            context.
    """

    table: RelationTable
    skill: str
    leak_guards: bool
    distractors: bool = False

    def allow(self, path: RelationPath) -> bool:
        """Whether `path` is valid: no relation twice, and every pair of neighbours is allowed."""
        if len(set(path)) < len(path):
            return False
        if not all(self.allow_pair(first, second) for first, second in pairwise(path)):
            return False
        if self.skill != "comp":
            return True
        relations = [self.table[number] for number in path]
        if len({relation.group for relation in relations}) < 2:
            return False
        pattern = self.table.pattern(path)
        if self.distractors and ("PCC" in pattern or "CCC" in pattern):
            return False
        names = {relation.name for relation in relations}
        return not self.leak_guards or not any(
            relation.inverse in names and not relation.symmetric for relation in relations
        )

    def allow_pair(self, first: int, second: int) -> bool:
        """Whether `second` may follow `first`.

        `first` leads to a person, the step does not lead straight back, and common sense does not
        decide it (`never_next` of the relation table, such as parent after sibling).
        """
        before, after = self.table[first], self.table[second]
        return (
            before.to_person
            and first != second
            and after.name != before.inverse
            and after.name not in before.never_next
        )


def can_conflict(table: RelationTable, path: RelationPath) -> bool:
    """Whether a context can contradict the last hop: recalled behind a read one, and exclusive."""
    return table.pattern(path).endswith("CP") and table[path[-1]].exclusive


def draw_paths(
    rules: PathRules,
    relations: Sequence[int],
    shares: Mapping[int, float],
    total: int,
    draw: Draw,
    accept: Callable[[RelationPath], bool] = lambda path: True,
) -> list[RelationPath]:
    """At most `total` distinct paths over `relations` that `accept` takes, hops in given shares.

    Where there are too few short paths, longer ones take their share (there are about 300
    two-hop comp paths in all).
    """
    candidates = {}
    for hops in shares:
        sequences = _candidates(rules, relations, hops, total, draw.at(hops))
        allowed = (path for path in sequences if rules.allow(path) and accept(path))
        candidates[hops] = [path for path, _ in zip(allowed, range(total), strict=False)]
    parts = apportion_up_to(
        total, list(shares.values()), [len(candidates[hops]) for hops in shares]
    )
    return [
        path for hops, part in zip(shares, parts, strict=True) for path in candidates[hops][:part]
    ]


def _candidates(
    rules: PathRules, relations: Sequence[int], hops: int, total: int, draw: Draw
) -> Iterator[RelationPath]:
    """Sequences of `hops` relations in drawn order: all, or a sample of those that are many."""
    to_people = [number for number in relations if rules.table[number].to_person]
    if not to_people:
        return
    sequences: Iterable[RelationPath]
    if len(to_people) ** (hops - 1) * len(relations) <= MAX_LISTED:
        listed = [(*way, last) for way in permutations(to_people, hops - 1) for last in relations]
        sequences = (listed[index] for index in draw.permutation(len(listed)))
    else:
        tries = np.arange(TRIES * total + 1000)
        columns = [
            np.asarray(to_people)[draw.at(hop).integers(tries, len(to_people))]
            for hop in range(hops - 1)
        ]
        columns.append(np.asarray(relations)[draw.at("last").integers(tries, len(relations))])
        sequences = dict.fromkeys(zip(*(column.tolist() for column in columns), strict=True))
    yield from sequences
