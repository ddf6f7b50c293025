"""Scores of the solvers by config: shares of right answers with intervals, and chance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.questions import File, Item
from bioreason_bench.audit.solvers import LEGITIMATE, SOLVERS, Knowledge
from bioreason_bench.grading import same_answer

__all__ = ["Trial", "interval", "shortcut_laws", "summarise"]

MARGIN = 0.03  # by so much may a shortcut be better than chance
Z = 1.959963984540054  # 95 %


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
            given = self.knowledge.evidence.texts[guess.answer] if guess and guess.answer >= 0 else ""
            self.right[name].append(same_answer(given, item.record["answer"]))
            self.chance[name].append(guess.chance if guess else 0.0)

    def arrays(self) -> tuple[File, NDArray, NDArray, NDArray]:
        """(file, [rows] starts, [solvers, rows] right, [solvers, rows] chance), to be sent between processes."""
        return self.file, np.array(self.starts), np.array(list(self.right.values()), bool), np.array(list(self.chance.values()))


def summarise(trials: Iterable[tuple[File, NDArray, NDArray, NDArray]]) -> dict[str, dict[str, dict[str, float | int | bool]]]:
    """Config -> solver -> questions, score, low, high, chance, shortcut: `solvers` of audit.json."""
    by_config: dict[str, list] = {}
    for file, *arrays in trials:
        if arrays[0].size:
            by_config.setdefault(file.folder.replace("/", "_"), []).append(arrays)
    found: dict[str, dict] = {}
    for config, parts in by_config.items():
        starts, right, chance = (np.concatenate([part[k] for part in parts], axis=-1) for k in range(3))
        found[config] = {}
        for number, name in enumerate(SOLVERS):
            low, high = interval(right[number], starts)
            found[config][name] = {
                "questions": len(starts),
                "score": round(float(right[number].mean()), 6),
                "low": round(low, 6),
                "high": round(high, 6),
                "chance": round(float(chance[number].mean()), 6),
                "shortcut": name != "oracle" and (config.partition("_")[0], name) not in LEGITIMATE,
            }
    return found


def interval(right: NDArray[np.bool_], clusters: NDArray) -> tuple[float, float]:
    """95 % interval of the mean of `right`: Wilson's (1927), with the number of questions divided by the design effect of their
    clusters (Kish 1965), which is the variance of the mean of clusters over that of independent questions, and at least 1."""
    size, mean = len(right), float(right.mean())
    _, place = np.unique(clusters, return_inverse=True)
    apart = mean * (1 - mean) * size
    effect = max(1.0, float((np.bincount(place, right - mean) ** 2).sum()) / apart) if apart > 0 else 1.0
    n = size / effect
    middle = (mean + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * float(np.sqrt(mean * (1 - mean) / n + Z * Z / (4 * n * n)))
    return (max(0.0, middle - half) if mean > 0 else 0.0), (min(1.0, middle + half) if mean < 1 else 1.0)


def shortcut_laws(scores: Mapping[str, Mapping[str, Mapping[str, float]]], config: Mapping, ledger: Ledger) -> None:
    """The oracle is right everywhere; with guards and distractors, no shortcut is surely more than MARGIN better than chance."""
    guarded = config.get("guards") and config.get("distractors")
    for name, solvers in scores.items():
        for solver, score in solvers.items():
            if solver == "oracle":
                problem = None if score["score"] == 1 else f"{solver} answers {score['score']:.1%} of {name}; it must answer all"
                ledger.whole("oracle", f"data/{name.replace('_', '/', 1)}", problem)
            elif guarded and score["shortcut"]:
                over = score["low"] - score["chance"] > MARGIN
                problem = f"{solver} answers {score['score']:.1%} (at least {score['low']:.1%}) of {name}, where chance is {score['chance']:.1%}"
                ledger.whole("shortcuts", f"data/{name.replace('_', '/', 1)}", problem if over else None)
