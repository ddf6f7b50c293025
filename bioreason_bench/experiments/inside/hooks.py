"""The parts of a model whose output can be read and replaced, by torch's forward hooks.

Any model of transformers has layers and the residual stream between them.  A nano model also has
attention heads, attention, MLP and convolution of each layer as parts of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bioreason_bench.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.utils.hooks import RemovableHandle
    from transformers import PreTrainedModel

EMBEDDING = -1  # in place of a layer: the residual stream before the first one
MODULES = {"attention": "out", "mlp": "down", "convolution": "mixed"}  # of a nano layer
Change = Callable[["Tensor"], "Tensor | None"]  # None leaves the value as it is


@dataclass(frozen=True)
class Part:
    """A part of a model; its value is a tensor [rows, tokens, size].

    Attributes:
        kind: "residual": the stream after a layer; "layer": what a layer adds to it; "attention",
            "mlp", "convolution": what that adds to it; "head": a head before the output matrix.
        layer: The layer, from 0; EMBEDDING for the stream before the first.
        head: The head, from 0.
    """

    kind: str
    layer: int
    head: int = 0

    def __str__(self) -> str:
        if self.kind == "head":
            return f"head {self.layer}.{self.head}"
        if self.layer == EMBEDDING:
            return "embedding"
        return f"{self.kind} {self.layer}"


def layers_of(model: PreTrainedModel) -> list[nn.Module]:
    """The layers of a model in order.

    Raises:
        UsageError: No list of modules has as many members as the config has layers.
    """
    from torch import nn

    number = getattr(model.config.get_text_config(), "num_hidden_layers", 0)
    for module in model.base_model.modules():
        if isinstance(module, nn.ModuleList) and len(module) == number:
            return list(module)
    raise UsageError(
        f"the layers of a {type(model).__name__} were not found; "
        "analyse needs a decoder whose layers form one list"
    )


def is_nano(model: PreTrainedModel) -> bool:
    from bioreason_bench.training.models.nano import NanoForCausalLM

    return isinstance(model, NanoForCausalLM)


def heads_of(model: PreTrainedModel) -> list[Part]:
    """The heads of a nano model, layer by layer; none of another model."""
    if not is_nano(model):
        return []
    heads = model.config.num_attention_heads
    return [
        Part("head", layer, head) for layer in range(len(layers_of(model))) for head in range(heads)
    ]


def parts_of(model: PreTrainedModel) -> list[Part]:
    """The parts that can be ablated: heads first, then what layers consist of, then layers."""
    numbers = range(len(layers_of(model)))
    kinds = MODULES if is_nano(model) else ()
    inner = [Part(kind, layer) for layer in numbers for kind in kinds]
    return [*heads_of(model), *inner, *(Part("layer", layer) for layer in numbers)]


def streams_of(model: PreTrainedModel) -> list[Part]:
    """The residual stream: the embedding, then after each layer."""
    return [Part("residual", layer) for layer in range(EMBEDDING, len(layers_of(model)))]


@contextmanager
def hooked(model: PreTrainedModel, changes: Mapping[Part, Change]) -> Iterator[None]:
    """While this lasts, each part has the value that its function makes of it."""
    handles: list[RemovableHandle] = []
    try:
        for part, change in changes.items():
            handles.append(_hook(model, part, change))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _hook(model: PreTrainedModel, part: Part, change: Change) -> RemovableHandle:
    if part.layer == EMBEDDING:
        module: Any = model.get_input_embeddings()
        return module.register_forward_hook(lambda _, args, output: change(output))
    layer: Any = layers_of(model)[part.layer]
    if part.kind == "head":
        return layer.out.register_forward_pre_hook(_on_head(layer.heads, part.head, change))
    if part.kind in MODULES:
        module = getattr(layer, MODULES[part.kind])
        return module.register_forward_hook(lambda _, args, output: change(output))
    return layer.register_forward_hook(_on_layer(part.kind, change), with_kwargs=True)


def _on_head(heads: int, head: int, change: Change) -> Callable[..., Any]:
    """A hook before the output matrix of attention, whose input is the heads side by side."""

    def hook(_: nn.Module, args: tuple[Tensor]) -> tuple[Tensor] | None:
        values = args[0].unflatten(-1, (heads, -1))
        new = change(values[..., head, :])
        if new is None:
            return None
        values = values.clone()
        values[..., head, :] = new
        return (values.flatten(-2),)

    return hook


def _on_layer(kind: str, change: Change) -> Callable[..., Any]:
    """A hook after a layer: on the stream after it, or on what the layer adds to it."""

    def hook(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Any:
        state = output[0] if isinstance(output, tuple) else output
        before = args[0] if args else kwargs["hidden_states"]
        new = change(state - before) if kind == "layer" else change(state)
        if new is None:
            return None
        state = before + new if kind == "layer" else new
        return (state, *output[1:]) if isinstance(output, tuple) else state

    return hook


def reader(kept: dict[Part, Tensor], part: Part) -> Change:
    """A function that keeps the value of a part, and changes nothing."""

    def keep(value: Tensor) -> None:
        kept[part] = value.detach()

    return keep
