"""Muon for matrices, AdamW for the rest, in one optimizer.

With its weight matrices updated by orthogonalized momentum, a small model learns to read a context
in about half as many steps (K. Jordan et al., Muon, 2024; the coefficients are theirs).  Recipes
ask for it by `matrix_learning_rate`; without it a stage uses AdamW as TRL does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.optim import Optimizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_A, _B, _C = 3.4445, -4.7750, 2.0315  # of the polynomial in a Newton-Schulz step


def orthogonal(matrix: Tensor, rounds: int = 5) -> Tensor:
    """The nearest matrix [m, n] with all singular values 1, approximated by Newton-Schulz steps."""
    x = matrix.float()
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / (x.norm() + 1e-7)
    for _ in range(rounds):
        a = x @ x.T
        x = _A * x + (_B * a + _C * a @ a) @ x
    return x.T if tall else x


class MuonAdamW(Optimizer):
    """An optimizer with two kinds of parameter groups: Muon where `matrix` is true, else AdamW."""

    def __init__(
        self,
        groups: list[dict[str, Any]],
        betas: tuple[float, float] = (0.9, 0.98),
        momentum: float = 0.95,
        weight_decay: float = 0.01,
    ) -> None:
        defaults = {
            "lr": 1e-3,
            "betas": betas,
            "momentum": momentum,
            "weight_decay": weight_decay,
            "matrix": False,
        }
        super().__init__(groups, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            update = self._muon if group["matrix"] else self._adam
            for weight in group["params"]:
                if weight.grad is not None:
                    weight.mul_(1 - group["lr"] * group["weight_decay"])
                    update(weight, weight.grad, group)
        return loss

    def _muon(self, weight: Tensor, grad: Tensor, group: dict[str, Any]) -> None:
        state = self.state[weight]
        if not state:
            state["momentum"] = torch.zeros_like(grad)
        state["momentum"].lerp_(grad, 1 - group["momentum"])
        update = orthogonal(grad.lerp(state["momentum"], group["momentum"]))  # Nesterov
        scale = max(1.0, weight.shape[0] / weight.shape[1]) ** 0.5
        weight.add_(update.to(weight.dtype), alpha=-group["lr"] * scale)

    def _adam(self, weight: Tensor, grad: Tensor, group: dict[str, Any]) -> None:
        state = self.state[weight]
        if not state:
            state["step"] = 0
            state["mean"] = torch.zeros_like(grad)
            state["square"] = torch.zeros_like(grad)
        state["step"] += 1
        first, second = group["betas"]
        state["mean"].lerp_(grad, 1 - first)
        state["square"].mul_(second).addcmul_(grad, grad, value=1 - second)
        scale = (state["square"] / (1 - second ** state["step"])).sqrt_().add_(1e-8)
        weight.addcdiv_(state["mean"], scale, value=-group["lr"] / (1 - first ** state["step"]))


def make_optimizer(
    model: PreTrainedModel,
    learning_rate: float,
    matrix_learning_rate: float,
    betas: tuple[float, float],
    weight_decay: float,
) -> MuonAdamW:
    """Make an optimizer: Muon for the linear layers inside the model, AdamW for everything else.

    Embeddings, the output layer, norms and biases are left to AdamW.
    """
    outside = {id(model.get_input_embeddings().weight), id(model.get_output_embeddings().weight)}
    linear = [module.weight for module in model.modules() if isinstance(module, torch.nn.Linear)]
    matrices = [weight for weight in linear if id(weight) not in outside and weight.requires_grad]
    chosen = {id(weight) for weight in matrices}
    rest = [
        weight for weight in model.parameters() if id(weight) not in chosen and weight.requires_grad
    ]
    groups = [
        {"params": matrices, "lr": matrix_learning_rate, "matrix": True},
        {"params": rest, "lr": learning_rate, "matrix": False},
    ]
    return MuonAdamW(groups, betas=betas, weight_decay=weight_decay)
