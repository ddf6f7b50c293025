"""The multi-hop questions of a skill: training, the RL subset, and the test levels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.draw import Draw
from bioreason_bench.questions.certificates import Certificates
from bioreason_bench.questions.records import Writer
from bioreason_bench.questions.sets import Columns, KeyRange, merge
from bioreason_bench.splits.levels import RL, TRAIN, PathPlan
from bioreason_bench.splits.starts import Starts

__all__ = ["PORTIONS", "MultiHop", "question_ids"]

PORTIONS = 10  # nested tenths of the training questions


@dataclass(frozen=True)
class MultiHop:
    """See `QuestionSet`; `level` is "train" or "rl" for the training files of the skill."""

    skill: str
    level: str
    split: str
    plans: Sequence[PathPlan]  # those of the skill that have questions in this split
    starts: Starts
    writer: Writer
    certificates: Certificates
    draw: Draw
    schema: str = "question"

    @property
    def folder(self) -> str:
        return self.skill if self.level in (TRAIN, RL) else f"{self.skill}/{self.level}"

    def __len__(self) -> int:
        return sum(plan.count(self.level, self.split) for plan in self.plans)

    def keys(self) -> Iterator[NDArray[np.uint64]]:
        for plan in self.plans:
            yield self._keys(plan, plan.starts(self.starts, self.level, self.split))

    def write(self, keys: KeyRange) -> Columns:
        parts, parts_keys = [], []
        for plan in self.plans:
            starts = plan.starts(self.starts, self.level, self.split)
            plan_keys = self._keys(plan, starts)
            chosen = keys.indices(plan_keys)
            if chosen.size:
                parts_keys.append(plan_keys[chosen])
                parts.append(self._rows(plan, starts[chosen], chosen))
        return merge(parts, parts_keys)

    def _keys(self, plan: PathPlan, starts: NDArray) -> NDArray[np.uint64]:
        return self.draw.at("order", self.skill, plan.number).words(starts)

    def _rows(self, plan: PathPlan, starts: NDArray, indices: NDArray) -> Columns:
        """The columns of a path's questions; `indices` are their positions in the path's slice."""
        size, training = len(starts), self.level in (TRAIN, RL)
        level = TRAIN if training else self.level
        rows: Columns = {
            "id": question_ids(self.skill, level, plan, starts),
            "skill": [self.skill] * size,
            "level": [level] * size,
        }
        rows |= self.writer.write(plan.path, starts)
        rows |= self.certify(plan, starts)
        rows["portion"] = self._portions(plan, indices) if training else [0] * size
        return rows

    def certify(self, plan: PathPlan, starts: NDArray) -> Columns:
        """The certificates of a path's questions."""
        return self.certificates.write(
            self.skill,
            plan.path,
            self.starts.world.walk(plan.path, starts),
            path_in_train=plan.trained,
            start_in_train=self._in_train,
        )

    @property
    def _in_train(self) -> bool:
        """Whether the questions are training questions; those for RL are so by the scheme roles."""
        return self.level == TRAIN or (
            self.level == RL and self.starts.world.config.scheme == "roles"
        )

    def _portions(self, plan: PathPlan, indices: NDArray) -> list[int]:
        """1..10 by position in the path's training slice.

        Portions are nested, and each holds every path in proportion.
        """
        total = plan.count(TRAIN, TRAIN)
        if self.level == RL and self._in_train:  # the last questions of the training slice
            indices = indices + total - plan.count(RL, RL)
        elif self.level == RL:
            total = plan.count(RL, RL)
        offset = self.draw.at("portion", self.skill).uniform([plan.number])
        portions: list[int] = (
            1 + (PORTIONS * (indices + offset) / total).astype(np.int64)
        ).tolist()
        return portions


def question_ids(skill: str, level: str, plan: PathPlan, starts: NDArray) -> list[str]:
    """Ids such as comp-zeroshot-0095-000030: skill, level, path number and start."""
    return [f"{skill}-{level}-{plan.number:04d}-{start:06d}" for start in starts.tolist()]
