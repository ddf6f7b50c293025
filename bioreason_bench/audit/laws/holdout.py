"""The laws of the scheme `folds`: zero-shot is spread over relations, and levels are matched.

See docs/design.md, Paths and levels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.reading.links import pattern_of
from bioreason_bench.audit.reading.parser import ParsedRelease
from bioreason_bench.audit.reading.paths import ListedPaths
from bioreason_bench.audit.reading.questions import QuestionTable, path_of
from bioreason_bench.audit.reading.training import TrainingExposure
from bioreason_bench.taxonomy import SKILLS

__all__ = ["by_folds", "check_holdout"]

UNEVEN = 1.5  # times its equal share that an unseen relation may have
ROUNDING = 3  # questions more, since a handful of questions cannot be shared evenly
MATCHED = 0.02  # by how much two levels may differ in the share of a pattern or a kind of answer
ERRORS = 3.0  # standard errors of a share of one half, which they may differ by as well
# A world of a hundred people (preset tiny) has few questions on some paths, so that fewer than FEW
# test questions can be shared less evenly.
FEW, UNEVEN_IF_FEW, ERRORS_IF_FEW = 100, 2.5, 4.0


def by_folds(config: Mapping[str, Any]) -> bool:
    """Whether relations are held out by folds; releases of data 0.1 have no such field."""
    return bool(config.get("scheme") == "folds")


def check_holdout(
    release: ParsedRelease,
    files: Sequence[QuestionTable],
    exposure: Mapping[str, TrainingExposure],
    listed: ListedPaths,
    ledger: Ledger,
) -> None:
    """Check how each skill's levels are spread; for releases whose scheme is folds.

    Args:
        release: The release.
        files: All files of questions.
        exposure: The training questions of each skill.
        listed: The rows of data/paths.
        ledger: Where checks are counted.
    """
    for skill in SKILLS:
        levels = {
            level: _paths(release, files, f"{skill}/{level}")
            for level in ("iid", "composition", "zeroshot")
        }
        zeroshot = levels.pop("zeroshot")
        if not zeroshot:
            continue
        trained = exposure[skill].relations
        relations = {
            relation
            for (one, code), names in listed.levels.items()
            if one == skill and "zeroshot" in names
            for relation in path_of(code, len(release.table))
        }
        spread = Spread(release, zeroshot, trained, relations - trained)
        problem = spread.relation_problem() or spread.group_problem()
        ledger.check_whole("folds", f"data/{skill}/zeroshot/test", problem or None)
        for level, paths in levels.items():
            if paths:
                problem = _difference(release, paths, zeroshot)
                ledger.check_whole("matched", f"data/{skill}/{level}/test", problem or None)


def _paths(
    release: ParsedRelease, files: Iterable[QuestionTable], folder: str
) -> Counter[tuple[int, ...]]:
    """The test questions of a folder by path, unreadable ones left out."""
    paths: Counter[tuple[int, ...]] = Counter()
    for table in files:
        if table.file.folder == folder and table.file.split == "test":
            codes, counts = np.unique(table.path[table.path >= 0], return_counts=True)
            for code, count in zip(codes.tolist(), counts.tolist(), strict=True):
                paths[path_of(code, len(release.table))] += count
    return paths


@dataclass(frozen=True)
class Spread:
    """The unseen relations of the zero-shot test questions of one skill.

    Attributes:
        release: The release.
        paths: Questions by path.
        trained: The relations of the skill's training questions.
        unseen: The relations of its zero-shot paths that are in none of them.
    """

    release: ParsedRelease
    paths: Counter[tuple[int, ...]]
    trained: set[int]
    unseen: set[int]

    def relation_problem(self) -> str:
        """Which unseen relation has too many questions, "" if none has."""
        counts: Counter[int] = Counter()
        for path, questions in self.paths.items():
            counts.update({n: questions for n in path if n not in self.trained})
        equal = counts.total() / max(1, len(self.unseen))
        for relation, count in counts.items():
            if count > _most(equal, self.paths.total()):
                return (
                    f"{self.release.table[relation].name} is unseen in {count} questions, "
                    f"an equal share is {equal:.1f}"
                )
        return ""

    def group_problem(self) -> str:
        """Which group of unseen relations has too many questions, "" if none has."""
        groups: Counter[str] = Counter()
        for path, count in self.paths.items():
            unseen = tuple(relation for relation in path if relation not in self.trained)
            groups["".join(sorted(set(pattern_of(self.release, unseen))))] += count
        equal = sum(groups.values()) / len(groups)
        for letters, count in groups.items():
            if count > _most(equal, self.paths.total()):
                names = {"P": "recalled", "C": "read", "CP": "of both groups"}
                return (
                    f"the unseen relations of {count} questions are {names.get(letters, 'none')}, "
                    f"an equal share is {equal:.1f}"
                )
        return ""


def _most(equal: float, questions: int) -> float:
    """How many of the questions may have an unseen relation or group whose equal share is given."""
    return (UNEVEN if questions >= FEW else UNEVEN_IF_FEW) * equal + ROUNDING


def _difference(
    release: ParsedRelease, paths: Counter[tuple[int, ...]], zeroshot: Counter[tuple[int, ...]]
) -> str:
    """In which shape of questions a level differs most from zeroshot, "" if by little."""
    ours, theirs = _shapes(release, paths), _shapes(release, zeroshot)
    fewest = min(paths.total(), zeroshot.total())
    errors = ERRORS if fewest >= FEW else ERRORS_IF_FEW
    allowed = max(MATCHED, errors * 0.5 / fewest**0.5)
    for shape in sorted({*ours, *theirs}):
        one, two = ours[shape] / paths.total(), theirs[shape] / zeroshot.total()
        if abs(one - two) > allowed:
            return f"{one:.1%} of the questions have {shape}, of zeroshot {two:.1%}"
    return ""


def _shapes(release: ParsedRelease, paths: Counter[tuple[int, ...]]) -> Counter[str]:
    """Questions by pattern, and by whether their answers are people."""
    shapes: Counter[str] = Counter()
    for path, count in paths.items():
        shapes[f"pattern {pattern_of(release, path)}"] += count
        if release.to_people[path[-1]]:
            shapes["people as answers"] += count
    return shapes
