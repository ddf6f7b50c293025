"""Activation patching and path patching: where the bridge person comes from.

The corrupted text of a pair is run with some activations of the clean one, and the question is how
much of the logit difference between the two bridge persons comes back: 0 as corrupted, 1 as clean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.experiments.inside.ablate import rounded
from bioreason_bench.experiments.inside.forward import Batch, batches, logits_at
from bioreason_bench.experiments.inside.hooks import (
    Change,
    Part,
    heads_of,
    hooked,
    layers_of,
    parts_of,
    reader,
    streams_of,
)
from bioreason_bench.experiments.inside.pairs import ROLES, Pair
from bioreason_bench.statistics import clustered

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

EVERYWHERE, LAST = "everywhere", "at the token that predicts"
LOGITS = "logits"
Values = dict[Part, "Tensor"]
Key = tuple[str, str]  # what was patched, and where (or what it leads to)


@dataclass(frozen=True)
class Restored:
    """What patching restored.

    Attributes:
        shares: For (part, position) the share of each pair, [pairs].
        paths: For (head, what it leads to) likewise.
        starts: The start of each pair.
        pairs: The number of pairs that were tried; those in the arrays are the ones in which the
            model ranks the right person first in both texts.
    """

    shares: dict[Key, NDArray[np.float64]]
    paths: dict[Key, NDArray[np.float64]]
    starts: list[str]
    pairs: int


def patch(model: PreTrainedModel, pairs: Sequence[Pair]) -> Restored:
    """Patch every part and path of a model, in the pairs that it gets right."""
    import torch

    with torch.no_grad():
        able = [pairs[number] for number in _answered(model, pairs)]
        shares: dict[Key, list[float]] = {}
        paths: dict[Key, list[float]] = {}
        starts: list[str] = []
        roles = patched_roles(pairs)
        for both in _both(model, able):
            starts += [pair.start for pair in both.pairs]
            for key, changes in _patches(model, both, roles):
                shares.setdefault(key, []).extend(both.restored(model, changes))
            for key, changes in _paths(model, both):
                paths.setdefault(key, []).extend(both.restored(model, changes))
    return Restored(_arrays(shares), _arrays(paths), starts, len(pairs))


def _arrays(lists: Mapping[Key, list[float]]) -> dict[Key, NDArray[np.float64]]:
    return {key: np.array(values) for key, values in lists.items()}


def _answered(model: PreTrainedModel, pairs: Sequence[Pair]) -> list[int]:
    """The pairs in which the model ranks the right person first in both texts."""
    right = np.ones(len(pairs), dtype=bool)
    for ids, wanted in (
        ([pair.clean for pair in pairs], [pair.gold for pair in pairs]),
        ([pair.corrupted for pair in pairs], [pair.other for pair in pairs]),
    ):
        for batch in batches(model, ids):
            first = _last_logits(model, batch).argmax(-1).tolist()
            for number, token in zip(batch.numbers, first, strict=True):
                right[number] &= token == wanted[number]
    return np.flatnonzero(right).tolist()


def _last_logits(model: PreTrainedModel, batch: Batch) -> Tensor:
    """Logits of the token after the last one of each text, [rows, vocabulary]."""
    ends = (batch.mask.sum(-1) - 1).tolist()
    return logits_at(model, batch, range(len(ends)), ends)


@dataclass(frozen=True)
class _Both:
    """A batch of pairs: the values of all parts in the clean and in the corrupted run.

    Attributes:
        pairs: The pairs of the batch.
        batch: The corrupted texts.
        clean: Values in the clean run.
        corrupted: Values in the corrupted run.
        ends: The logit difference of each pair in the corrupted and in the clean run.
    """

    pairs: list[Pair]
    batch: Batch
    clean: Values
    corrupted: Values
    ends: tuple[Tensor, Tensor]

    def where(self, role: str) -> Tensor:
        """The tokens with a role, [rows, width, 1]; EVERYWHERE and LAST are roles too."""
        import torch

        mask = torch.zeros_like(self.batch.mask, dtype=torch.bool)
        for row, pair in enumerate(self.pairs):
            if role == LAST:
                mask[row, len(pair.roles) - 1] = True
            else:
                chosen = [role in {EVERYWHERE, name} for name in pair.roles]
                mask[row, : len(chosen)] = torch.tensor(chosen)
        return mask[..., None]

    def restored(self, model: PreTrainedModel, changes: Mapping[Part, Change]) -> list[float]:
        """The share of the logit difference that is restored in each pair."""
        with hooked(model, changes):
            now = _difference(model, self.batch, self.pairs)
        low, high = self.ends
        shares: list[float] = ((now - low) / (high - low)).double().tolist()
        return shares


def _difference(model: PreTrainedModel, batch: Batch, pairs: Sequence[Pair]) -> Tensor:
    """The logit of the clean bridge person less that of the corrupted one, [rows]."""
    import torch

    logits, rows = _last_logits(model, batch), torch.arange(len(pairs))
    return logits[rows, [p.gold for p in pairs]] - logits[rows, [p.other for p in pairs]]


def _both(model: PreTrainedModel, pairs: Sequence[Pair]) -> Iterator[_Both]:
    """Run both texts of all pairs; they have the same lengths, hence the same batches."""
    parts = [*streams_of(model), *parts_of(model)]
    runs = zip(
        batches(model, [pair.clean for pair in pairs]),
        batches(model, [pair.corrupted for pair in pairs]),
        strict=True,
    )
    for clean, corrupted in runs:
        chosen = [pairs[number] for number in clean.numbers]
        values: tuple[Values, Values] = ({}, {})
        differences = []
        for batch, kept in zip((corrupted, clean), values, strict=True):
            with hooked(model, {part: reader(kept, part) for part in parts}):
                differences.append(_difference(model, batch, chosen))
        yield _Both(chosen, corrupted, values[1], values[0], (differences[0], differences[1]))


def patched_roles(pairs: Sequence[Pair]) -> list[str]:
    """The roles of tokens that can restore something: not those before the first difference."""
    differ = {
        role
        for pair in pairs
        for clean, corrupted, role in zip(pair.clean, pair.corrupted, pair.roles, strict=True)
        if clean != corrupted
    }
    after = [role for role in ROLES if role.startswith(("question", "chain"))]
    return after if differ <= set(after) else list(ROLES)


def _patches(
    model: PreTrainedModel, both: _Both, roles: Sequence[str]
) -> Iterator[tuple[Key, dict[Part, Change]]]:
    """Each part with the places at which it gets its clean value."""
    for part in streams_of(model):
        for role in (*roles, EVERYWHERE):
            yield (str(part), role), {part: _clean_at(both, part, role)}
    for part in parts_of(model):
        if part.kind != "layer":
            for role in (EVERYWHERE, LAST):
                yield (str(part), role), {part: _clean_at(both, part, role)}


def _clean_at(both: _Both, part: Part, role: str) -> Change:
    mask, clean = both.where(role), both.clean[part]

    def change(value: Tensor) -> Tensor:
        return clean.where(mask, value)

    return change


def _paths(model: PreTrainedModel, both: _Both) -> Iterator[tuple[Key, dict[Part, Change]]]:
    """Each head's direct paths: to the logits, and to each head of a later layer.

    Along a path the sender has its clean output and everything between has its corrupted one, so
    only the residual stream carries the difference.  A receiver's convolution belongs to it.
    """
    heads, last = heads_of(model), len(layers_of(model)) - 1
    for sender in heads:
        difference = _written(model, both, sender)
        yield (str(sender), LOGITS), {Part("residual", last): _plus(difference)}
        for layer in range(sender.layer + 1, last + 1):
            receivers = [part for part in heads if part.layer == layer]
            for receiver, value in _received(model, both, difference, receivers).items():
                yield (str(sender), str(receiver)), {receiver: _always(value)}


def _written(model: PreTrainedModel, both: _Both, head: Part) -> Tensor:
    """What the clean output of a head adds to the stream beyond its corrupted one, [B, T, D]."""
    layer: Any = layers_of(model)[head.layer]
    gap = both.clean[head] - both.corrupted[head]
    size = gap.shape[-1]
    matrix: Tensor = layer.out.weight[:, head.head * size : (head.head + 1) * size]
    return gap @ matrix.T


def _received(
    model: PreTrainedModel, both: _Both, difference: Tensor, receivers: Sequence[Part]
) -> Values:
    """The outputs of the heads of a layer whose input stream has the difference added."""
    kept: Values = {}
    before = Part("residual", receivers[0].layer - 1)
    readers = {part: reader(kept, part) for part in receivers}
    with hooked(model, {before: _plus(difference), **readers}):
        model(**both.batch.inputs)
    return kept


def _plus(difference: Tensor) -> Change:
    return lambda value: value + difference


def _always(value: Tensor) -> Change:
    return lambda _: value


def patch_lines(found: Restored, head: dict[str, Any]) -> list[dict[str, Any]]:
    """One line for each part and position, and for each path; one alone if no pair is right."""
    counts = {"pairs": found.pairs, "pairs_right": len(found.starts)}
    if not found.starts:
        return [{"measure": "patching", **head, **counts}]
    lines = []
    for (part, position), shares in found.shares.items():
        restored = rounded(clustered(shares, found.starts, verdicts=False))
        place = {"part": part, "position": position}
        lines.append({"measure": "patching", **head, **counts, **place, "restored": restored})
    for (sender, receiver), shares in found.paths.items():
        restored = rounded(clustered(shares, found.starts, verdicts=False))
        path = {"from": sender, "to": receiver}
        lines.append({"measure": "path", **head, **counts, **path, "restored": restored})
    return lines
