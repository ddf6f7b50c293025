"""Completions for many prompts at once, for any causal language model with a key-value cache.

Each different prompt is read once, then its cache is repeated for the samples; prompts of like length go together; finished
samples leave the batch.  transformers' `generate` reads every copy of a prompt and copies the whole cache at each token; greedy
completions are the same (tested).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer


class RoomyLayer(DynamicLayer):
    """A cache layer with room to grow, so that a token's step copies that token only."""

    def update(self, key_states: Tensor, value_states: Tensor, *_, **__) -> tuple[Tensor, Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self._room_k = self._room_v = None
        old = self.get_seq_length()
        new = old + key_states.shape[-2]
        if (
            self._room_k is None
            or self._room_k.shape[-2] < new
            or self._room_k.shape[0] != key_states.shape[0]
        ):
            room = new + 32
            self._room_k = self._grown(self.keys, key_states, old, room)
            self._room_v = self._grown(self.values, value_states, old, room)
        self._room_k[..., old:new, :] = key_states
        self._room_v[..., old:new, :] = value_states
        self.keys, self.values = self._room_k[..., :new, :], self._room_v[..., :new, :]
        return self.keys, self.values

    @staticmethod
    def _grown(kept: Tensor, like: Tensor, old: int, room: int) -> Tensor:
        grown = like.new_empty(*like.shape[:-2], room, like.shape[-1])
        if old:
            grown[..., :old, :] = kept
        return grown

    def batch_repeat_interleave(self, repeats: int) -> None:
        super().batch_repeat_interleave(repeats)
        self._room_k = self._room_v = None

    def batch_select_indices(self, indices: Tensor) -> None:
        super().batch_select_indices(indices)
        self._room_k = self._room_v = None


def make_cache(model: Any) -> DynamicCache:
    """An empty cache that fits the model."""
    cache = DynamicCache(config=model.config)
    if cache.layers and all(type(layer) is DynamicLayer for layer in cache.layers):
        cache.layers = [RoomyLayer() for _ in cache.layers]
    return cache


def sample(
    model: Any,
    prompts: Sequence[Sequence[int]],
    *,
    ends: Sequence[int],
    max_new: int,
    samples: int = 1,
    temperature: float = 0.0,
    seed: int = 0,
    batch: int = 256,
    pad: int = 0,
) -> list[list[list[int]]]:
    """`samples` completions of each prompt (token ids), each up to and with its first end token; greedy at temperature 0.

    The same prompts, batch and seed give the same completions on one machine.
    """
    generator = torch.Generator(device=model.device).manual_seed(seed) if temperature > 0 else None
    different: dict[tuple[int, ...], list[int]] = {}
    for number, prompt in enumerate(prompts):
        different.setdefault(tuple(prompt), []).append(number)
    order = sorted(different, key=len)
    out: list[list[list[int]]] = [[] for _ in prompts]
    most = max((len(numbers) for numbers in different.values()), default=1) * (
        samples if temperature > 0 else 1
    )
    at_once = max(1, batch // most)
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            for begin in range(0, len(order), at_once):
                some = order[begin : begin + at_once]
                copies = [
                    len(different[prompt]) * samples if temperature > 0 else 1 for prompt in some
                ]
                texts = _sample(
                    model, some, copies, list(ends), max_new, temperature, generator, pad
                )
                for prompt in some:
                    for number in different[prompt]:
                        out[number] = (
                            [next(texts) for _ in range(samples)] if temperature > 0 else []
                        )
                    if not temperature > 0:
                        text = next(texts)
                        for number in different[prompt]:
                            out[number] = [list(text) for _ in range(samples)]
    finally:
        model.train(training)
    return out


def _sample(
    model: Any,
    prompts: list[tuple[int, ...]],
    copies: list[int],
    ends: list[int],
    max_new: int,
    temperature: float,
    generator: Any,
    pad: int,
):
    device = model.device
    width = max(map(len, prompts))
    ids = torch.full((len(prompts), width), pad, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt) :] = torch.tensor(prompt)
        mask[row, width - len(prompt) :] = 1
    ids, mask = ids.to(device), mask.to(device)
    cache = make_cache(model)
    position = (mask.cumsum(-1) - 1).clamp(min=0)
    out = model(
        input_ids=ids,
        attention_mask=mask,
        position_ids=position,
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    )
    logits = out.logits[:, -1].float()
    repeat = torch.tensor(copies, device=device)
    total = int(repeat.sum())
    if total > len(prompts):
        which = torch.repeat_interleave(torch.arange(len(prompts), device=device), repeat)
        cache.batch_select_indices(which)
        logits, mask, position = logits[which], mask[which], position[which]
    stop = torch.tensor(ends, device=device)
    written: list[list[int]] = [[] for _ in range(total)]
    live = torch.arange(total, device=device)
    last = position[:, -1:]
    for step in range(max_new):
        token = (
            logits.argmax(-1)
            if not temperature > 0
            else torch.multinomial((logits / temperature).softmax(-1), 1, generator=generator)[:, 0]
        )
        for row, word in zip(live.tolist(), token.tolist(), strict=True):
            written[row].append(word)
        going = ~torch.isin(token, stop)
        alive = int(going.sum())
        if not alive or step + 1 == max_new:
            break
        if alive < 0.75 * len(going):  # drop the finished ones when it pays
            keep = going.nonzero()[:, 0]
            cache.batch_select_indices(keep)
            token, mask, last, live, going = (
                token[keep],
                mask[keep],
                last[keep],
                live[keep],
                going[keep],
            )
        mask = torch.cat([mask, mask.new_ones(len(mask), 1)], 1)
        last = last + 1
        out = model(
            input_ids=token[:, None],
            attention_mask=mask,
            position_ids=last,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits = out.logits[:, -1].float()
    for text in written:
        cut = next((place + 1 for place, word in enumerate(text) if word in ends), len(text))
        yield text[:cut]
