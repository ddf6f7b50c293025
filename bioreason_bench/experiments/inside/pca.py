"""Hidden states by skill on axes that all models share, and the distances between the skills.

The axes are fitted, for each layer, on the states of all models together.  The axes of the base
alone would hide whatever direction training adds; axes of each model could not show a shift.  The
distances are taken in the whole space, so that they do not depend on axes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.errors import UsageError
from bioreason_bench.experiments.inside.forward import batches
from bioreason_bench.experiments.inside.hooks import Part, hooked, reader, streams_of
from bioreason_bench.experiments.inside.texts import Text

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

States = dict[str, NDArray[np.float64]]  # layer -> [questions, size]


def prompt_states(model: PreTrainedModel, texts: Sequence[Text]) -> States:
    """The residual stream at the last token of each prompt, after each layer.

    The embedding is left out: every prompt ends with the same token.
    """
    import torch

    streams = streams_of(model)[1:]
    found: dict[str, list[NDArray[np.float64] | None]] = {
        str(part): [None] * len(texts) for part in streams
    }
    with torch.no_grad():
        for batch in batches(model, [text.ids[: text.prompt] for text in texts]):
            kept: dict[Part, Tensor] = {}
            with hooked(model, {part: reader(kept, part) for part in streams}):
                model(**batch.inputs)
            last = batch.mask.sum(-1) - 1
            for part, value in kept.items():
                states = value[torch.arange(len(last)), last].double().cpu().numpy()
                for number, state in zip(batch.numbers, states, strict=True):
                    found[str(part)][number] = state
    return {layer: np.array(states, dtype=np.float64) for layer, states in found.items()}


def common_axes(
    groups: Sequence[NDArray[np.float64]], axes: int = 2
) -> tuple[list[NDArray[np.float64]], NDArray[np.float64]]:
    """Coordinates of each group on the first principal axes of all of them together.

    Args:
        groups: States [n, size], one array for each model and skill.
        axes: Number of axes.

    Returns:
        Coordinates [n, axes] of each group, and the share of variance on each axis.

    Raises:
        UsageError: The states of the groups differ in size.
    """
    sizes = sorted({group.shape[1] for group in groups})
    if len(sizes) > 1:
        raise UsageError(
            f"the models have hidden states of {' and '.join(map(str, sizes))} numbers, which have "
            "no axes in common; compare models that were trained from one another"
        )
    states = np.concatenate(groups)
    states = states - states.mean(axis=0)
    left, size, _ = np.linalg.svd(states, full_matrices=False)
    points = left[:, :axes] * size[:axes]
    shares = size[:axes] ** 2 / max(float((size**2).sum()), 1e-12)
    return np.split(points, np.cumsum([len(group) for group in groups])[:-1]), shares


def distance(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Distance of two centroids in units of the root mean square distance from one's own."""
    gap = np.linalg.norm(first.mean(axis=0) - second.mean(axis=0))
    spread = np.sqrt((first.var(axis=0).sum() + second.var(axis=0).sum()) / 2)
    return float(gap / max(float(spread), 1e-12))


def chance(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """About the distance of the centroids of two samples of the same states."""
    return float(np.sqrt(1 / len(first) + 1 / len(second)))


def distance_lines(states: Mapping[str, States], head: dict[str, Any]) -> list[dict[str, Any]]:
    """The distance between each two skills, for each layer of a model; states by config."""
    return [
        {
            "measure": "distance",
            **head,
            "layer": layer,
            "configs": [first, second],
            "distance": round(distance(states[first][layer], states[second][layer]), 4),
            "chance": round(chance(states[first][layer], states[second][layer]), 4),
        }
        for layer in next(iter(states.values()))
        for first, second in combinations(states, 2)
    ]


def shift_lines(
    before: Mapping[str, States], after: Mapping[str, States], head: dict[str, Any]
) -> list[dict[str, Any]]:
    """How far training moved the centroid of each skill, for each layer; the same questions."""
    return [
        {
            "measure": "shift",
            **head,
            "layer": layer,
            "config": config,
            "shift": round(distance(layers[layer], after[config][layer]), 4),
        }
        for config, layers in before.items()
        for layer in layers
    ]
