"""Scores of the solvers by config: shares of right answers with intervals, and chance."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.reading.questions import File, Item
from bioreason_bench.audit.solvers.knowledge import Knowledge
from bioreason_bench.audit.solvers.solvers import LEGITIMATE, SOLVERS
from bioreason_bench.grading.grader import same_answer

__all__ = ["Trial", "interval", "summarise"]

MARGIN = 0.03  # by so much may a shortcut be better than chance
Z = 1.959963984540054  # 95 %
SURE = 4.0  # one in 30,000 by luck; a release has some 70 scores


class Trial:
    """What every solver makes of the questions of one file."""

    def __init__(self, file: File, knowledge: Knowledge) -> None:
        self.file, self.knowledge = file, knowledge
        self.starts: list[int] = []
        self.right: dict[str, list[bool]] = {name: [] for name in SOLVERS}
        self.chance: dict[str, list[float]] = {name: [] for name in SOLVERS}

    def add(self, item: Item) -> None:
        """A question that cannot be read counts as wrong for all, the oracle too."""
        self.starts.append(item.start)
        for name, solver in SOLVERS.items():
            guess = solver(item, self.knowledge) if item.path and item.start >= 0 else None
            given = (
                self.knowledge.evidence.texts[guess.answer] if guess and guess.answer >= 0 else ""
            )
            self.right[name].append(same_answer(given, item.record["answer"]))
            self.chance[name].append(guess.chance if guess else 0.0)

    def arrays(self) -> tuple[File, NDArray, NDArray, NDArray]:
        """(file, [rows] starts, [solvers, rows] right, [solvers, rows] chance), to be sent between processes."""
        return (
            self.file,
            np.array(self.starts),
            np.array(list(self.right.values()), bool),
            np.array(list(self.chance.values())),
        )


def summarise(
    trials: Iterable[tuple[File, NDArray, NDArray, NDArray]], guarded: bool, ledger: Ledger
) -> dict[str, dict[str, dict[str, Any]]]:
    """Config -> solver -> questions, score, low, high, chance, shortcut: `solvers` of audit.json.

    Two laws are checked: the oracle answers everything; and where the questions are `guarded` no shortcut is more than MARGIN better
    than chance, unless by luck.
    """
    by_config: dict[str, list] = {}
    for file, *arrays in trials:
        if arrays[0].size:
            by_config.setdefault(file.folder, []).append(arrays)
    found: dict[str, dict] = {}
    for folder, parts in by_config.items():
        starts, right, chance = (
            np.concatenate([part[k] for part in parts], axis=-1) for k in range(3)
        )
        here = found[folder.replace("/", "_")] = {}
        for number, name in enumerate(SOLVERS):
            score, worth = float(right[number].mean()), float(chance[number].mean())
            low, high = interval(right[number], starts)
            shortcut = name != "oracle" and (folder.partition("/")[0], name) not in LEGITIMATE
            here[name] = {"questions": len(starts)} | {
                key: round(value, 6)
                for key, value in (
                    ("score", score),
                    ("low", low),
                    ("high", high),
                    ("chance", worth),
                )
            }
            here[name]["shortcut"] = shortcut
            if name == "oracle":
                ledger.whole(
                    "oracle",
                    f"data/{folder}",
                    None
                    if score == 1
                    else f"it answers {score:.1%} of the test questions; it must answer all",
                )
            elif guarded and shortcut:
                over = score - worth > MARGIN and interval(right[number], starts, SURE)[0] > worth
                problem = f"{name} answers {score:.1%} of the test questions, chance is {worth:.1%}"
                ledger.whole("shortcuts", f"data/{folder}", problem if over else None)
    return found


def interval(right: NDArray[np.bool_], clusters: NDArray, z: float = Z) -> tuple[float, float]:
    """Interval (of 95 % if `z` is not given) of the mean of `right`.

    Wilson's (1927), with the number of questions divided by the design effect of their clusters (Kish 1965): the variance of a mean
    of clusters over that of a mean of independent questions, and at least 1.
    """
    size, mean = len(right), float(right.mean())
    _, place = np.unique(clusters, return_inverse=True)
    apart = mean * (1 - mean) * size
    effect = (
        max(1.0, float((np.bincount(place, right - mean) ** 2).sum()) / apart) if apart > 0 else 1.0
    )
    n = size / effect
    middle = (mean + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * float(np.sqrt(mean * (1 - mean) / n + z * z / (4 * n * n)))
    return (max(0.0, middle - half) if mean > 0 else 0.0), (
        min(1.0, middle + half) if mean < 1 else 1.0
    )
