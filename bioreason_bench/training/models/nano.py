"""A transformer of about a million parameters that looks up facts in its context.

Three layers of attention alone find a fact by its relation, but not by person and relation
together.  A short causal convolution before each attention layer combines the two neighbours into
one key, and the same model then reads (the experiment is on the card).  The rest is today's usual
architecture: rotary positions, RMSNorm, tied embeddings.  It is an ordinary transformers model:

    import bioreason_bench.training.models.nano     # registers the classes with the Auto classes
    model = AutoModelForCausalLM.from_pretrained(folder)

Several texts may share a row: a `position_ids` of 0 starts a new text, which cannot see those
before it.  The cache is transformers' own; each layer stores the last inputs of its convolution
with its values.

Shapes: B rows, T tokens of the call, D hidden size, H heads, d = D / H, K taps, V vocabulary.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    DynamicCache,
    GenerationMixin,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers.modeling_outputs import BaseModelOutputWithPast, CausalLMOutputWithPast


class NanoConfig(PreTrainedConfig):
    """The sizes of a nano model; `conv_size` is the number of taps of the convolution."""

    model_type = "bioreason_nano"
    auto_map: ClassVar[dict[str, str]] = {}  # TRL looks here for a reference model's code

    def __init__(  # noqa: PLR0913, PLR0917 - the fields of a transformers config
        self,
        vocab_size: int = 1024,
        hidden_size: int = 128,
        num_hidden_layers: int = 3,
        num_attention_heads: int = 4,
        intermediate_size: int = 512,
        conv_size: int = 4,
        rope_theta: float = 10_000.0,
        max_position_embeddings: int = 1024,
        initializer_range: float = 0.05,
        tie_word_embeddings: bool = True,
        **kwargs: Any,
    ) -> None:
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.num_attention_heads = num_attention_heads
        self.intermediate_size = intermediate_size
        self.conv_size = conv_size
        self.rope_theta = rope_theta
        self.max_position_embeddings = max_position_embeddings
        self.initializer_range = initializer_range
        self.tie_word_embeddings = tie_word_embeddings
        super().__init__(tie_word_embeddings=tie_word_embeddings, **kwargs)


class Norm(nn.Module):
    """RMSNorm with a learned scale."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.weight.shape, self.weight.to(x.dtype), 1e-6)


def mix_neighbours(x: Tensor, before: Tensor, taps: Tensor, position: Tensor) -> Tensor:
    """Causal depthwise convolution of x [B, T, D], inside each text only.

    Args:
        x: The inputs of this call, [B, T, D].
        before: The K - 1 inputs before x, [B, K - 1, D].
        taps: Weights [K, D]; tap k belongs to the input k tokens back.
        position: Index of each token in its own text, [B, T].
    """
    window = torch.cat([before, x], 1)
    reach, length = taps.shape[0] - 1, x.shape[1]
    out = x * taps[0]
    for back in range(1, reach + 1):
        inside = (position >= back).unsqueeze(-1).to(x.dtype)
        out = out + window[:, reach - back : reach - back + length] * inside * taps[back]
    return out


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Apply rotary positions to x [B, H, T, d]; cos and sin are [B, 1, T, d / 2]."""
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    """Scaled dot-product attention of [B, H, T, d]; causal if there is no mask.

    On a CPU it is computed in float32 even under autocast: the backward pass in bfloat16 is several
    times slower there.
    """
    causal = mask is None and q.shape[2] > 1  # one token sees the whole cache
    if q.device.type != "cpu":
        return F.scaled_dot_product_attention(q, k, v.to(q.dtype), attn_mask=mask, is_causal=causal)
    with torch.autocast("cpu", enabled=False):
        return F.scaled_dot_product_attention(
            q.float(), k.float(), v.float(), attn_mask=mask, is_causal=causal
        )


class Layer(nn.Module):
    """Convolution, attention and MLP, each added to the hidden states [B, T, D]."""

    def __init__(self, config: NanoConfig, index: int) -> None:
        super().__init__()
        size = config.hidden_size
        self.index, self.heads = index, config.num_attention_heads
        self.norm_mix, self.norm, self.norm_mlp = Norm(size), Norm(size), Norm(size)
        self.taps = nn.Parameter(torch.zeros(config.conv_size, size))
        self.qkv = nn.Linear(size, 3 * size, bias=False)
        self.out = nn.Linear(size, size, bias=False)
        self.up = nn.Linear(size, config.intermediate_size, bias=False)
        self.down = nn.Linear(config.intermediate_size, size, bias=False)
        self.mixed = nn.Identity()  # the output of the convolution passes here, for forward hooks

    def forward(
        self,
        h: Tensor,
        position: Tensor,
        cos: Tensor,
        sin: Tensor,
        mask: Tensor | None,
        cache: DynamicCache | None,
    ) -> Tensor:
        batch, length, size = h.shape
        x = self.norm_mix(h)
        h = h + self.mixed(mix_neighbours(x, self._before(x, cache), self.taps, position))
        q, k, v = (
            part.view(batch, length, self.heads, -1).transpose(1, 2)
            for part in self.qkv(self.norm(h)).chunk(3, -1)
        )
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        if cache is not None:
            kept = x.view(batch, length, self.heads, -1).transpose(1, 2)
            k, v = cache.update(k, torch.cat([v, kept], -1), self.index)
            v = v[..., : size // self.heads]
        a = attend(q, k, v, mask)
        h = h + self.out(a.transpose(1, 2).reshape(batch, length, size))
        return h + self.down(F.gelu(self.up(self.norm_mlp(h)), approximate="tanh"))

    def _before(self, x: Tensor, cache: DynamicCache | None) -> Tensor:
        """The K - 1 inputs of the convolution before x, [B, K - 1, D]; zeros before the start."""
        batch, _, size = x.shape
        reach = self.taps.shape[0] - 1
        if cache is None or cache.get_seq_length(self.index) == 0:
            return x.new_zeros(batch, reach, size)
        kept = cache.layers[self.index].values[:, :, -reach:, size // self.heads :]
        kept = kept.transpose(1, 2).reshape(batch, -1, size)
        return F.pad(kept, (0, 0, reach - kept.shape[1], 0))


class NanoPreTrainedModel(PreTrainedModel):
    """Initialization and loading, as transformers wants them."""

    config_class = NanoConfig
    base_model_prefix = "model"
    _supports_sdpa = True
    supports_gradient_checkpointing = False
    _no_split_modules = ("Layer",)

    def _init_weights(self, module: nn.Module) -> None:
        std = self.config.initializer_range
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=std)
        elif isinstance(module, Norm):
            nn.init.ones_(module.weight)
        if isinstance(module, Layer):
            nn.init.normal_(module.taps, std=0.3)
            for last in (module.out, module.down):
                nn.init.normal_(last.weight, std=std / (2 * self.config.num_hidden_layers) ** 0.5)


class NanoModel(NanoPreTrainedModel):
    """The transformer without its output layer."""

    def __init__(self, config: NanoConfig) -> None:
        super().__init__(config)
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(
            Layer(config, index) for index in range(config.num_hidden_layers)
        )
        self.norm = Norm(config.hidden_size)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: DynamicCache | None = None,
        inputs_embeds: Tensor | None = None,
        use_cache: bool | None = None,
        **_: Any,
    ) -> BaseModelOutputWithPast:
        """Hidden states [B, T, D] of input_ids [B, T].

        `attention_mask` [B, past + T] is 0 at padding, which may be on either side.
        """
        h = self.embed_tokens(input_ids) if inputs_embeds is None else inputs_embeds
        if use_cache and past_key_values is None:
            past_key_values = DynamicCache()
        past = past_key_values.get_seq_length() if past_key_values is not None else 0
        position, mask = positions_and_mask(h, past, attention_mask, position_ids)
        half = self.config.hidden_size // self.config.num_attention_heads // 2  # d / 2
        rate = self.config.rope_theta ** (
            -torch.arange(half, device=h.device, dtype=torch.float32) / half
        )
        angle = position[:, None, :, None].float() * rate
        cos, sin = angle.cos().to(h.dtype), angle.sin().to(h.dtype)
        for layer in self.layers:
            h = layer(h, position, cos, sin, mask, past_key_values)
        return BaseModelOutputWithPast(
            last_hidden_state=self.norm(h), past_key_values=past_key_values
        )


def positions_and_mask(
    h: Tensor, past: int, attention_mask: Tensor | None, position_ids: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """Each token's position in its own text, and the attention mask.

    Args:
        h: Hidden states [B, T, D]; only the shape is used.
        past: The number of tokens in the cache.
        attention_mask: 0 at padding, [B, past + T].
        position_ids: Positions that restart at 0 with each text of a row, [B, T].

    Returns:
        Positions [B, T]; and which token sees which, [B, 1, T, past + T], or None for plain causal.
    """
    batch, length, _ = h.shape
    if attention_mask is not None and attention_mask.dim() == 2 and not bool(attention_mask.all()):
        valid = attention_mask.bool()
        position = (valid.long().cumsum(-1) - 1).clamp(min=0)[:, -length:]
        allowed = valid[:, None, :] & _causal(length, past, h.device)
        own = torch.eye(length, past + length, dtype=torch.bool, device=h.device).roll(past, 1)
        # A padding token sees itself: a softmax over nothing would be NaN.
        return position, (allowed | own).unsqueeze(1)
    plain = torch.arange(past, past + length, device=h.device).expand(batch, length)
    if attention_mask is not None or position_ids is None or past:
        return plain, None if past == 0 or length == 1 else _causal(length, past, h.device)[None]
    position_ids = position_ids.expand(batch, length)
    if bool((position_ids[:, 1:] > position_ids[:, :-1]).all()):
        return position_ids, None
    # The text of each token by number: positions 0 1 2 0 1 give 1 1 1 2 2.
    text = (position_ids == 0).cumsum(-1)
    same_text = text[:, :, None] == text[:, None, :]
    return position_ids, (same_text & _causal(length, 0, h.device)).unsqueeze(1)


def _causal(length: int, past: int, device: torch.device) -> Tensor:
    """True where a token may see another by order alone, [1, T, past + T]."""
    return torch.ones(length, past + length, dtype=torch.bool, device=device).tril(past)[None]


class NanoForCausalLM(NanoPreTrainedModel, GenerationMixin):
    """The transformer with its output layer, tied to the embeddings."""

    _tied_weights_keys: ClassVar[dict[str, str]] = {"lm_head.weight": "model.embed_tokens.weight"}

    def __init__(self, config: NanoConfig) -> None:
        super().__init__(config)
        self.model = NanoModel(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.post_init()

    def forward(  # noqa: PLR0913, PLR0917 - the signature that transformers calls
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: DynamicCache | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int | Tensor = 0,
        num_items_in_batch: Tensor | int | None = None,
        output_hidden_states: bool | None = None,
        **_: Any,
    ) -> CausalLMOutputWithPast:
        """Logits [B, T, V], or those of the last `logits_to_keep` tokens.

        With labels [B, T] (-100 where there is none) also the mean loss.
        """
        out = self.model(
            input_ids, attention_mask, position_ids, past_key_values, inputs_embeds, use_cache
        )
        h = out.last_hidden_state
        keep = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        logits = self.lm_head(h[:, keep] if logits_to_keep is not None else h)
        loss = None
        if labels is not None:
            loss = self.loss_function(
                logits,
                labels,
                vocab_size=self.config.vocab_size,
                num_items_in_batch=num_items_in_batch,
            )
        return CausalLMOutputWithPast(
            loss=loss,
            logits=logits,
            past_key_values=out.past_key_values,
            hidden_states=(h,) if output_hidden_states else None,
        )


def register() -> None:
    """Register the nano model with transformers' Auto classes, by its `model_type`."""
    AutoConfig.register(NanoConfig.model_type, NanoConfig, exist_ok=True)
    AutoModel.register(NanoConfig, NanoModel, exist_ok=True)
    AutoModelForCausalLM.register(NanoConfig, NanoForCausalLM, exist_ok=True)


register()
