"""Isolated atoms: every stated fact as a question of one hop (arXiv 2606.18089 trains on atoms alone or inside compound traces).

A release has one-hop questions only as probes of its tests; these are made anew from the release's own configuration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bioreason_bench.draw import Draw

if TYPE_CHECKING:
    from bioreason_bench.baselines.data import Corpus


def make_atoms(corpus: Corpus) -> list[dict[str, Any]]:
    """A row (columns of a question, skill `mem` or `ctx`) for each fact that some biography states."""
    from bioreason_bench.plan import make_plan
    from bioreason_bench.questions.probes import Probes

    plan = make_plan(corpus.config)
    subject, relation = np.nonzero(plan.world.steps[:, :-1].T >= 0)
    keys = Draw(corpus.config.seed).at("order", "atoms").words(len(subject))
    atoms = Probes(relation.astype(np.int64), subject.astype(np.int64), [[]] * len(subject), keys)
    columns = atoms.write(plan.writer, (np.uint64(0), np.uint64(2**64 - 1)))
    del columns["probe_of"]
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
