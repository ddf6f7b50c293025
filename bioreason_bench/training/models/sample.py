"""Completions for many prompts at once, from any causal language model with a key-value cache.

    prefill → expand → decode

Each distinct prompt is read once, then its cache is repeated for its samples; prompts of similar
length share a batch; finished samples leave it.  transformers' `generate` reads every copy of a
prompt and copies the whole cache at each token; greedy completions are the same (tested).

Shapes: P prompts, B sequences being decoded, T tokens so far, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

if TYPE_CHECKING:
    from transformers import PreTrainedModel

SPARE = 32  # tokens that a cache layer allocates in advance
SHRINK_BELOW = 0.75  # finished sequences leave the batch once the others are fewer than this share


class PreallocatedLayer(DynamicLayer):
    """A cache layer with spare room, so that a step copies one token instead of the whole cache.

    `keys` and `values` are [B, H, T, d], views of the first T tokens of the room.
    """

    keys: Tensor
    values: Tensor

    def update(
        self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self._key_room: Tensor | None = None
            self._value_room: Tensor | None = None
        old = self.get_seq_length()
        new = old + key_states.shape[-2]
        keys, values = self._key_room, self._value_room
        fits = keys is not None and keys.shape[-2] >= new and len(keys) == len(key_states)
        if keys is None or values is None or not fits:
            keys = self._grown(self.keys, key_states, old, new + SPARE)
            values = self._grown(self.values, value_states, old, new + SPARE)
            self._key_room, self._value_room = keys, values
        keys[..., old:new, :] = key_states
        values[..., old:new, :] = value_states
        self.keys, self.values = keys[..., :new, :], values[..., :new, :]
        return self.keys, self.values

    @staticmethod
    def _grown(kept: Tensor, like: Tensor, old: int, size: int) -> Tensor:
        """A tensor with room for `size` tokens that starts with the `old` tokens of `kept`."""
        grown = like.new_empty(*like.shape[:-2], size, like.shape[-1])
        if old:
            grown[..., :old, :] = kept
        return grown

    def reorder_cache(self, beam_idx: Tensor) -> None:
        super().reorder_cache(beam_idx)
        self._key_room = self._value_room = None


def make_cache(model: PreTrainedModel) -> DynamicCache:
    """An empty cache that fits the model."""
    cache = DynamicCache(config=model.config)
    if cache.layers and all(type(layer) is DynamicLayer for layer in cache.layers):
        cache.layers = [PreallocatedLayer() for _ in cache.layers]
    return cache


def sample(
    model: PreTrainedModel,
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
    """Sample completions of prompts, all as token ids.

    The same prompts, batch and seed give the same completions on the same machine.

    Args:
        model: Left in the mode (train or eval) in which it was.
        prompts: Of any lengths.
        ends: Tokens that end a completion, which then includes it.
        max_new: Maximum length of a completion.
        samples: Completions per prompt.
        temperature: Of the distribution to draw from; 0 for greedy decoding.
        seed: Of the draws.
        batch: Maximum number of sequences at a time.
        pad: Token id of the padding.

    Returns:
        The `samples` completions of each prompt.
    """
    greedy = not temperature > 0
    generator = None if greedy else torch.Generator(device=model.device).manual_seed(seed)
    numbers: dict[tuple[int, ...], list[int]] = {}  # where in `prompts` each distinct one occurs
    for number, prompt in enumerate(prompts):
        numbers.setdefault(tuple(prompt), []).append(number)
    distinct = sorted(numbers, key=len)
    most = max((len(same) for same in numbers.values()), default=1) * (1 if greedy else samples)
    at_once = max(1, batch // most)
    out: list[list[list[int]]] = [[] for _ in prompts]
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            for begin in range(0, len(distinct), at_once):
                chunk = distinct[begin : begin + at_once]
                copies = [1 if greedy else len(numbers[prompt]) * samples for prompt in chunk]
                state = expand(prefill(model, chunk, pad), copies)
                texts = iter(decode(model, state, list(ends), max_new, temperature, generator))
                for prompt in chunk:
                    if greedy:  # decoded once, since every completion is the same
                        text = next(texts)
                        for number in numbers[prompt]:
                            out[number] = [list(text) for _ in range(samples)]
                    else:
                        for number in numbers[prompt]:
                            out[number] = [next(texts) for _ in range(samples)]
    finally:
        model.train(training)
    return out


@dataclass(frozen=True)
class Decoding:
    """B sequences in the middle of decoding.

    Attributes:
        cache: Keys and values of the T tokens read so far; its rows are the B sequences.
        logits: Scores of the next token, [B, V].
        mask: 0 at the padding on the left, [B, T].
        position: Index of the last token in its own sequence, [B, 1].
    """

    cache: DynamicCache
    logits: Tensor
    mask: Tensor
    position: Tensor


def prefill(model: PreTrainedModel, prompts: Sequence[tuple[int, ...]], pad: int) -> Decoding:
    """Read P prompts, padded on the left."""
    width = max(map(len, prompts))
    ids = torch.full((len(prompts), width), pad, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt) :] = torch.tensor(prompt)
        mask[row, width - len(prompt) :] = 1
    ids, mask = ids.to(model.device), mask.to(model.device)
    cache = make_cache(model)
    position = (mask.cumsum(-1) - 1).clamp(min=0)  # [P, T]
    logits = _next_logits(model, ids, mask, position, cache)
    return Decoding(cache, logits, mask, position[:, -1:])


def expand(state: Decoding, copies: Sequence[int]) -> Decoding:
    """Repeat sequence i `copies[i]` times, next to each other; changes the cache in place."""
    device = state.mask.device
    if sum(copies) == len(copies):
        return state
    rows = torch.arange(len(copies), device=device)
    rows = torch.repeat_interleave(rows, torch.tensor(copies, device=device))  # [B], values < P
    # batch_select_indices would leave out the states of convolutions and of linear attention
    state.cache.reorder_cache(rows)
    return Decoding(state.cache, state.logits[rows], state.mask[rows], state.position[rows])


def decode(
    model: PreTrainedModel,
    state: Decoding,
    ends: Sequence[int],
    max_new: int,
    temperature: float,
    generator: torch.Generator | None,
) -> list[list[int]]:
    """Complete B sequences; returns the new tokens of each, up to and including the first end."""
    end_ids = torch.tensor(ends, device=state.mask.device)
    written: list[list[int]] = [[] for _ in range(len(state.mask))]
    owner = torch.arange(len(written), device=state.mask.device)  # text of each row still decoded
    for step in range(max_new):
        token = _pick(state.logits, temperature, generator)  # [rows]
        for text, word in zip(owner.tolist(), token.tolist(), strict=True):
            written[text].append(word)
        unfinished = ~torch.isin(token, end_ids)
        count = int(unfinished.sum())
        if not count or step + 1 == max_new:
            break
        if count < SHRINK_BELOW * len(token):
            rows = unfinished.nonzero()[:, 0]
            token, owner = token[rows], owner[rows]
            state = _select(state, rows)
        state = _advance(model, state, token)
    return [_up_to_end(text, ends) for text in written]


def _pick(logits: Tensor, temperature: float, generator: torch.Generator | None) -> Tensor:
    """The next token of each sequence, [B]."""
    if not temperature > 0:
        return logits.argmax(-1)
    return torch.multinomial((logits / temperature).softmax(-1), 1, generator=generator)[:, 0]


def _select(state: Decoding, rows: Tensor) -> Decoding:
    """Keep some sequences; `logits` stay those of all, since the next step replaces them."""
    state.cache.reorder_cache(rows)
    return replace(state, mask=state.mask[rows], position=state.position[rows])


def _advance(model: PreTrainedModel, state: Decoding, token: Tensor) -> Decoding:
    """Read one more token of each sequence, [B]."""
    mask = torch.cat([state.mask, state.mask.new_ones(len(state.mask), 1)], 1)
    position = state.position + 1
    logits = _next_logits(model, token[:, None], mask, position, state.cache)
    return Decoding(state.cache, logits, mask, position)


def _next_logits(
    model: PreTrainedModel, ids: Tensor, mask: Tensor, position: Tensor, cache: DynamicCache
) -> Tensor:
    """Read `ids` [B, t] into the cache; returns the scores of the token after them, [B, V]."""
    out = model(
        input_ids=ids,
        attention_mask=mask,
        position_ids=position,
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    )
    return out.logits[:, -1].float()


def _up_to_end(text: list[int], ends: Sequence[int]) -> list[int]:
    """A finished sequence is decoded further until it leaves the batch: cut that off."""
    length = next((index + 1 for index, word in enumerate(text) if word in ends), len(text))
    return text[:length]
