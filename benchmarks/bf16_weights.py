"""How much of AdamW's updates is lost if the weights themselves are bfloat16.

python benchmarks/bf16_weights.py
"""

from __future__ import annotations

import torch

WEIGHTS, STEPS = 200_000, 20


def moved(dtype: torch.dtype, learning_rate: float) -> tuple[float, float]:
    """(share of weights that moved, mean distance) after STEPS steps in about one direction."""
    generator = torch.Generator().manual_seed(0)
    begun = (0.02 * torch.randn(WEIGHTS, generator=generator)).bfloat16()  # the same in float32
    weight = torch.nn.Parameter(begun.clone().to(dtype))
    optimizer = torch.optim.AdamW([weight], lr=learning_rate, weight_decay=0.0)
    for _ in range(STEPS):
        weight.grad = (1e-3 + 1e-3 * torch.randn(WEIGHTS, generator=generator)).to(dtype)
        optimizer.step()
    distance = (weight.detach().float() - begun.float()).abs()
    return float((distance > 0).float().mean()), float(distance.mean())


def main() -> None:
    print("| learning rate | moved in bfloat16 | distance, bfloat16 | distance, float32 |")
    print("|---|---|---|---|")
    for rate in (3e-4, 3e-5, 1e-5):
        share, distance = moved(torch.bfloat16, rate)
        _, exact = moved(torch.float32, rate)
        print(f"| {rate:.0e} | {100 * share:.0f} % | {distance:.2e} | {exact:.2e} |")


if __name__ == "__main__":
    main()
