"""What the training of a skill never uses, and the level that this gives each path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

from bioreason_bench.config import WorldConfig
from bioreason_bench.draw import Draw
from bioreason_bench.splits.paths import PathRules, RelationPath, can_conflict, draw_paths
from bioreason_bench.splits.roles import FOLDS, Pair, draw_roles, hold_out_pairs, pairs_of
from bioreason_bench.world.relations import RelationTable

__all__ = ["TRAIN", "Leveled", "draw_by_folds", "draw_by_roles", "draw_deeper", "shape"]

TRAIN = "train"
SHARES = {"iid": 0.6, "composition": 0.2, "zeroshot": 0.2}  # of the paths of a skill


@dataclass(frozen=True)
class Leveled:
    """A path and its level.

    Attributes:
        path: Relation numbers.
        level: "iid" (trained, and tested with other starts), "train" (trained only),
            "composition", "zeroshot" or "depth".
        unseen: The zero-shot relations on it.
    """

    path: RelationPath
    level: str
    unseen: tuple[int, ...] = ()


def draw_by_folds(
    config: WorldConfig,
    rules: PathRules,
    relations: Sequence[int],
    folds: Mapping[int, int],
    draw: Draw,
    *,
    share: float = 1.0,
    conflicting: int = 0,
) -> list[Leveled]:
    """The paths of a skill in the scheme `folds`.

    A fifth of `relations` is zero-shot, and ordered pairs of the others are held out.  Trained
    paths hold neither; composition paths hold a held-out pair; zero-shot paths hold one unseen
    relation, or one of each group, and no held-out pair, so that each level changes one thing.

    Args:
        config: Sizes, and the fold.
        rules: What a path of the skill is.
        relations: The relations that the skill may use.
        folds: Relation -> the fold in which it is zero-shot in its own skill.
        draw: Named randomness.
        share: Of the pairs that the config holds out; less in a world with few paths.
        conflicting: Trained paths to add that can have knowledge conflicts.
    """
    sizes = config.skill(rules.skill)
    # comp holds out what mem and ctx train in this fold
    turn = (config.fold - int(rules.skill == "comp")) % FOLDS
    unseen = [n for n in relations if folds[n] == turn] if sizes.zeroshot else []
    seen = [number for number in relations if number not in unseen]
    pairs = hold_out_pairs(rules, seen, share * config.heldout_pairs, draw.at("pairs"))
    counts = {level: round(share * sizes.paths) for level, share in SHARES.items()}

    def without_held(path: RelationPath) -> bool:
        return not pairs & pairs_of([path])

    def with_held(path: RelationPath) -> bool:
        return bool(pairs & pairs_of([path]))

    def of_shape(pattern: str, to_person: bool, path: RelationPath) -> bool:
        return with_held(path) and shape(path, rules.table) == (pattern, to_person)

    def with_unseen(wanted: tuple[int, ...], path: RelationPath) -> bool:
        return set(wanted) <= set(path) and without_held(path)

    trained = draw_paths(
        rules, seen, config.hops, counts["iid"], draw.at("iid"), accept=without_held
    )
    trained += draw_paths(
        rules,
        seen,
        config.hops,
        conflicting,
        draw.at("conflict"),
        accept=lambda path: (
            path not in trained and without_held(path) and can_conflict(rules.table, path)
        ),
    )
    leveled = [Leveled(path, "iid") for path in trained]
    if sizes.composition and "composition" in config.levels:
        for (hops, pattern, to_person), total in shapes_of(
            trained, config, rules, counts["composition"]
        ).items():
            paths = draw_paths(
                rules,
                seen,
                {hops: 1.0},
                total,
                draw.at("composition", pattern, to_person),
                accept=partial(of_shape, pattern, to_person),
            )
            leveled += [Leveled(path, "composition") for path in paths]
    if unseen and "zeroshot" in config.levels:
        sets = list(_unseen_sets(rules, unseen))
        each = max(8, 2 * counts["zeroshot"] // len(sets))
        for wanted in sets:
            names = rules.table.path_names(wanted)
            paths = draw_paths(
                rules,
                sorted((*seen, *wanted)),
                config.hops,
                each,
                draw.at("zeroshot", *names),
                accept=partial(with_unseen, wanted),
            )
            leveled += [Leveled(path, "zeroshot", wanted) for path in paths]
    return leveled


def shape(path: RelationPath, table: RelationTable) -> tuple[str, bool]:
    """What levels are matched in: the pattern, and whether the answer is a person."""
    return table.pattern(path), table[path[-1]].to_person


def shapes_of(
    paths: Sequence[RelationPath], config: WorldConfig, rules: PathRules, total: int
) -> dict[tuple[int, str, bool], int]:
    """(hops, *shape) of trained paths -> paths to draw: `total` by hops, evenly by shape."""
    shapes = sorted({(len(path), *shape(path, rules.table)) for path in paths})
    of_hops = Counter(hops for hops, _, _ in shapes)
    whole = sum(config.hops.values())
    return {
        key: max(3, round(total * config.hops[key[0]] / whole / of_hops[key[0]])) for key in shapes
    }


def _unseen_sets(rules: PathRules, unseen: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Each unseen relation alone; in comp also each pair of a parametric and a contextual one."""
    yield from ((number,) for number in unseen)
    if rules.skill == "comp":
        groups = [[n for n in unseen if rules.table[n].letter == letter] for letter in "PC"]
        for one, two in product(*groups):
            if rules.table[one].to_person or rules.table[two].to_person:
                yield (one, two)


def draw_by_roles(
    config: WorldConfig, rules: PathRules, relations: Sequence[int], draw: Draw
) -> list[Leveled]:
    """The paths of a skill in the paper's scheme `roles`.

    A path with a zero-shot relation is zero-shot, one with an iid relation is trained and tested;
    half of the others are trained only, the other half are compositions.
    """
    sizes = config.skill(rules.skill)
    roles = draw_roles(rules.table, relations, sizes.roles, draw.at("roles"))
    drawn = draw_paths(rules, relations, config.hops, sizes.paths, draw.at("paths"))
    leveled = []
    for path in drawn:
        unseen = tuple(number for number in path if roles[number] == "zeroshot")
        if unseen:
            leveled.append(Leveled(path, "zeroshot", unseen))
        else:
            trained = any(roles[number] == "iid" for number in path)
            leveled.append(Leveled(path, "iid" if trained else TRAIN))
    for hops in config.hops:
        others = [
            index
            for index, one in enumerate(leveled)
            if one.level == TRAIN and len(one.path) == hops
        ]
        order = draw.at("composition", hops).permutation(len(others))[: len(others) // 2]
        for index in order.tolist():
            leveled[others[index]] = Leveled(leveled[others[index]].path, "composition")
    return leveled


def draw_deeper(
    config: WorldConfig,
    rules: PathRules,
    trained: Sequence[RelationPath],
    total: int,
    draw: Draw,
) -> list[Leveled]:
    """At most `total` longer paths than training has, of trained relations and, by folds, pairs."""
    relations = sorted({number for path in trained for number in path})
    pairs: set[Pair] = pairs_of(trained)

    def known(path: RelationPath) -> bool:
        return config.scheme == "roles" or pairs_of([path]) <= pairs

    drawn = draw_paths(rules, relations, config.depth_hops, total, draw, accept=known)
    return [Leveled(path, "depth") for path in drawn]
