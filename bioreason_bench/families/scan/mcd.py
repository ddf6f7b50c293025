"""Splits of maximum compound divergence (MCD), made by the algorithm of Keysers et al.

Keysers et al., Measuring Compositional Generalization (ICLR 2020, arXiv 1912.09713): train and test
shall have the same *atoms* and different *compounds*.

    atoms       the grammar's rules in the derivation of a command (19 rules)
    compounds   connected parts of a derivation, of 2 to 4 rules
    weight      1 - the largest P(larger compound | this compound) among the larger compounds of the
                same command, so that a part that hardly ever stands alone counts little
    divergence  1 - sum over k of p_k^a q_k^(1-a), with p of train, q of test, and a = 0.5 for
                atoms, 0.1 for compounds
    algorithm   from two empty sets, a command is added to one of them in turn so that their sizes
                keep the asked ratio: of 256 commands drawn, the one that leaves the largest
                compound divergence with an atom divergence of at most 0.02

These are splits of our own.  The files that the authors publish were drawn by them, have other
commands, and are read with `--from`.  Two choices are ours, because the paper leaves them open or
means another grammar: the limit of 4 rules, and the 256 commands.

All choices compare whole numbers (powers are rounded to 1/65,536), so that every machine makes the
same split.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import Draw
from bioreason_bench.families.scan.grammar import Command, Phrase
from bioreason_bench.families.scan.splits import Split

__all__ = ["MCD_TEST", "MCD_TRAIN", "Divergences", "Parts", "divergences", "make_mcd", "parts_of"]

MCD_TRAIN, MCD_TEST = 8_365, 1_045  # the sizes of the published SCAN splits
MOST_RULES = 4  # of a compound
CANDIDATES = 256  # commands that are compared for each place
MOST_ATOM_DIVERGENCE = 0.02
ATOM_ALPHA, COMPOUND_ALPHA = 0.5, 0.1
UNITS = 64  # a weight is a whole number of 64ths
SCALE = 1 << 16  # a power is a whole number of 65,536ths

Tree = tuple[Any, ...]  # a rule, then the trees of its parts; None stands for a part left out


@dataclass(frozen=True)
class Parts:
    """The atoms and compounds of commands.

    Attributes:
        atoms: How often each rule occurs in each command, shape [commands, rules].
        compounds: The numbers of the compounds of each command, padded with the number of a
            compound that has no weight, shape [commands, most].
        weights: Their weights in UNITS, the same shape.
    """

    atoms: NDArray[np.int64]
    compounds: NDArray[np.int64]
    weights: NDArray[np.int64]


@dataclass(frozen=True)
class Divergences:
    """How far the training commands are from the test commands, each in [0, 1]."""

    atom: float
    compound: float


def parts_of(commands: Sequence[Command]) -> Parts:
    """The atoms and weighted compounds of all commands, which are the sample that P is over."""
    derivations = [_derivation(command) for command in commands]
    found = [_compounds(tree) for tree in derivations]
    frequency = Counter(part for parts in found for part in parts)
    numbers = {part: number for number, part in enumerate(frequency)}
    most = max(map(len, found))
    compounds = np.full((len(found), most), len(numbers), np.int64)
    weights = np.zeros((len(found), most), np.int64)
    for row, parts in enumerate(found):
        compounds[row, : len(parts)] = [numbers[part] for part in parts]
        weights[row, : len(parts)] = _weights(parts, frequency)
    rules = {rule: i for i, rule in enumerate(sorted({r for t in derivations for r in _rules(t)}))}
    atoms = np.zeros((len(found), len(rules)), np.int64)
    for row, tree in enumerate(derivations):
        for rule in _rules(tree):
            atoms[row, rules[rule]] += 1
    return Parts(atoms, compounds, weights)


def make_mcd(
    parts: Parts, draw: Draw, train: int = MCD_TRAIN, test: int = MCD_TEST
) -> tuple[Split, Divergences]:
    """A split with a high compound and a low atom divergence.

    Args:
        parts: Atoms and compounds of the commands.
        draw: Which commands are compared for each place.
        train: The number of training commands.
        test: The number of test commands.
    """
    sides = _Sides(parts, train, test)
    free = draw.at("order").permutation(len(parts.atoms))
    drawn = draw.at("candidates").words((train + test) * CANDIDATES).reshape(-1, CANDIDATES)
    for numbers in drawn:
        side = int(len(sides.rows[0]) * test > len(sides.rows[1]) * train)
        places = (numbers % np.uint64(len(free))).astype(np.int64)
        place = places[sides.best(side, free[places])]
        sides.add(side, int(free[place]))
        free[place] = free[-1]
        free = free[:-1]
    split = Split(sorted(sides.rows[0]), sorted(sides.rows[1]))
    return split, divergences(parts, split)


def divergences(parts: Parts, split: Split) -> Divergences:
    """The divergences of a split; a command that is trained several times counts as often."""
    atoms = [parts.atoms[list(rows)].sum(axis=0) for rows in (split.train, split.test)]
    size = int(parts.compounds.max()) + 1
    compounds = []
    for rows in (split.train, split.test):
        totals = np.zeros(size, np.int64)
        np.add.at(totals, parts.compounds[list(rows)], parts.weights[list(rows)])
        compounds.append(totals)
    return Divergences(
        _divergence(atoms[0], atoms[1], ATOM_ALPHA),
        _divergence(compounds[0], compounds[1], COMPOUND_ALPHA),
    )


def _divergence(train: NDArray[np.int64], test: NDArray[np.int64], alpha: float) -> float:
    similarity = np.sum((train / train.sum()) ** alpha * (test / test.sum()) ** (1 - alpha))
    return round(1 - float(similarity), 4)


# the greedy algorithm -----------------------------------------------------------------------------


class _Sides:
    """The two sets while they grow, with the frequencies of their atoms and compounds."""

    def __init__(self, parts: Parts, train: int, test: int) -> None:
        self.parts = parts
        self.rows: tuple[list[int], list[int]] = ([], [])
        self.atoms = np.zeros((2, parts.atoms.shape[1]), np.int64)
        self.compounds = np.zeros((2, int(parts.compounds.max()) + 1), np.int64)
        heaviest = int(parts.weights.sum(axis=1).max())
        exponents = (COMPOUND_ALPHA, 1 - COMPOUND_ALPHA)
        self.powers = [
            _powers(heaviest * size, exponent)
            for size, exponent in zip((train, test), exponents, strict=True)
        ]
        self.shared = 0  # the sum over compounds of the products of their powers

    def best(self, side: int, rows: NDArray[np.int64]) -> int:
        """The position among `rows` of the command to add to a side."""
        gains, totals = self._gains(side, rows)
        similarity = (self.shared + gains) / np.maximum(totals, 1)
        excess = np.maximum(self._atom_divergence(side, rows) - MOST_ATOM_DIVERGENCE, 0.0)
        return int(np.lexsort((similarity, excess))[0])

    def add(self, side: int, row: int) -> None:
        gains, _ = self._gains(side, np.array([row]))
        self.shared += int(gains[0])
        np.add.at(self.compounds[side], self.parts.compounds[row], self.parts.weights[row])
        self.atoms[side] += self.parts.atoms[row]
        self.rows[side].append(row)

    def _gains(
        self, side: int, rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """What each command adds to `shared`, and the product of both sides' totals after it."""
        compounds, weights = self.parts.compounds[rows], self.parts.weights[rows]
        here, there = self.powers[side], self.powers[1 - side]
        before = self.compounds[side][compounds]
        other = there[self.compounds[1 - side][compounds]]
        gains = ((here[before + weights] - here[before]) * other).sum(axis=1)
        total = int(self.compounds[side].sum())
        totals = here[total + weights.sum(axis=1)] * there[int(self.compounds[1 - side].sum())]
        return gains, totals

    def _atom_divergence(self, side: int, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        mine, other = self.atoms[side] + self.parts.atoms[rows], self.atoms[1 - side]
        roots = np.rint(np.sqrt(mine * other) * SCALE).astype(np.int64).sum(axis=1)
        totals = np.sqrt((mine.sum(axis=1) * max(int(other.sum()), 1)).astype(np.float64))
        return 1 - roots / (totals * SCALE)


def _powers(most: int, exponent: float) -> NDArray[np.int64]:
    """The powers of 0..most, in 1/SCALE."""
    return np.rint(np.arange(most + 1, dtype=np.float64) ** exponent * SCALE).astype(np.int64)


# derivations --------------------------------------------------------------------------------------


def _derivation(command: Command) -> Tree:
    """The rules that derive a command, as a tree."""
    parts = tuple(_phrase_tree(phrase) for phrase in command.phrases())
    return (f"C:{command.joint}", *parts)


def _phrase_tree(phrase: Phrase) -> Tree:
    leaves = []
    if phrase.verb != "turn":
        leaves.append((f"U:{phrase.verb}",))
    if phrase.direction:
        leaves.append((f"D:{phrase.direction}",))
    head = "turn" if phrase.verb == "turn" else "U"
    shape = f"V:{head} {phrase.manner}{' D' if phrase.direction else ''}"
    return (f"S:{phrase.times}", (shape, *leaves))


def _rules(tree: Tree) -> Iterator[str]:
    yield str(tree[0])
    for part in tree[1:]:
        yield from _rules(part)


def _compounds(tree: Tree) -> list[Tree]:
    """The connected parts of 2 to MOST_RULES rules, each once, wherever their root is."""
    parts = [part for part in _rooted(tree, MOST_RULES) if _size(part) > 1]
    for child in tree[1:]:
        parts += _inner(child)
    return list(dict.fromkeys(parts))


@cache
def _inner(tree: Tree) -> list[Tree]:
    """The compounds of a phrase; there are 102 phrases."""
    return _compounds(tree)


def _rooted(tree: Tree, most: int) -> list[Tree]:
    """The connected parts with this root and at most `most` rules."""
    parts: list[Tree] = [tree[:1]]
    for child in tree[1:]:
        options = [None, *_rooted_phrase(child, most - 1)] if most > 1 else [None]
        parts = [(*part, option) for part in parts for option in options]
    return [part for part in parts if _size(part) <= most]


@cache
def _rooted_phrase(tree: Tree, most: int) -> list[Tree]:
    return _rooted(tree, most)


@cache
def _size(tree: Tree | None) -> int:
    """The number of rules."""
    return 0 if tree is None else 1 + sum(_size(part) for part in tree[1:])


def _weights(parts: Sequence[Tree], frequency: Counter[Tree]) -> list[int]:
    """The weights of the compounds of one command, in UNITS.

    It is enough to look at compounds that are larger by one rule: none that holds those is more
    frequent.
    """
    largest = dict.fromkeys(parts, 0)
    for part in parts:
        for smaller in _smaller(part):
            if smaller in largest:
                largest[smaller] = max(largest[smaller], frequency[part])
    return [UNITS - round(UNITS * largest[part] / frequency[part]) for part in parts]


@cache
def _smaller(part: Tree) -> list[Tree]:
    """The connected parts of a compound without one of its rules."""
    children = [child for child in part[1:] if child is not None]
    without_root = children if len(children) == 1 else []
    return [*without_root, *_without_leaf(part)]


def _without_leaf(part: Tree) -> list[Tree]:
    found: list[Tree] = []
    for place, child in enumerate(part[1:], 1):
        if child is None:
            continue
        options = [None] if _size(child) == 1 else _without_leaf(child)
        found += [(*part[:place], option, *part[place + 1 :]) for option in options]
    return found
