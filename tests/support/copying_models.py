"""Nano models whose weights are set by hand: it is known which head does what.

A text states facts and asks a chain of two:    y3 z1 .   x1 y3 .   x2 y0 .   y0 z2 .   ? x2 z2

    embedding      A: this token
    convolution 0  B: the token before
    head 0.1       finds where the token before is this one, and writes what stands there to C
    head 1.2       finds where the token before is that of C, and writes what stands there to A

So head 0.1 finds y0 and head 1.2 finds z2; no other head writes anything.
"""

from __future__ import annotations

import random

import torch

from bioreason_bench.experiments.inside.pairs import Pair
from bioreason_bench.experiments.inside.texts import Spot, Text
from bioreason_bench.training.models.nano import NanoConfig, NanoForCausalLM

X, Y, Z, STOP, ASK, SIZE = 0, 4, 8, 12, 13, 26
A, B, C = 0, 32, 64  # where each vector of SIZE numbers begins in the hidden state
HIDDEN, HEAD = 128, 32
READS_FIRST, READS_SECOND = "head 0.1", "head 1.2"


def slot(token: int) -> int:
    """The dimension of a head that stands for a token: those that rotary positions hardly turn."""
    return token + 3 if token < 13 else token + 6


def chaining_model() -> NanoForCausalLM:
    """The model of this page."""
    config = NanoConfig(
        vocab_size=SIZE,
        hidden_size=HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=HIDDEN // HEAD,
        intermediate_size=8,
        rope_theta=1e16,
    )
    model = NanoForCausalLM(config).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "norm" not in name:
                weight.zero_()
        model.lm_head.weight[:, A : A + SIZE] = torch.eye(SIZE)
        model.lm_head.weight[:, B : B + SIZE] = torch.eye(SIZE)  # tied to the embedding
        first, second = model.model.layers
        # The norm makes 8 of the ones of an embedding.
        first.taps[0, B : B + SIZE], first.taps[1, B : B + SIZE] = -1 / 8, 1 / 8
        _set_head(first, 1, query=A, writes=C, strength=1.0)
        _set_head(second, 2, query=C, writes=A, strength=4.0)
    return model


def _set_head(layer, head: int, query: int, writes: int, strength: float) -> None:
    """Let a head look with `query` for the same token in B, and write what A holds there."""
    for token in range(SIZE):
        row = head * HEAD + slot(token)
        layer.qkv.weight[row, query + token] = 1.5 * strength
        layer.qkv.weight[HIDDEN + row, B + token] = 1.5
        layer.qkv.weight[HIDDEN + row, A + STOP] = -1.5  # a full stop is not looked at
        if token not in {STOP, ASK}:
            layer.qkv.weight[2 * HIDDEN + row, A + token] = 1.0
            layer.out.weight[writes + token, row] = strength


def chain_texts(number: int, seed: int = 0) -> list[tuple[list[int], int, dict[int, int]]]:
    """Random texts up to what is asked: (tokens, the start, what each start leads to)."""
    draw = random.Random(seed)
    made = []
    for _ in range(number):
        middles, ends = draw.sample(range(Y, Y + 4), 4), draw.sample(range(Z, Z + 4), 4)
        facts = [*zip(range(X, X + 4), middles, strict=True), *zip(middles, ends, strict=True)]
        draw.shuffle(facts)
        tokens = [token for fact in facts for token in (*fact, STOP)]
        start = draw.randrange(X, X + 4)
        answers = dict(zip(range(X, X + 4), ends, strict=True))
        made.append(([*tokens, ASK, start], start, answers))
    return made


def texts(number: int) -> list[Text]:
    """The texts with their answers as spots."""
    made = []
    for index, (tokens, start, answers) in enumerate(chain_texts(number)):
        types = [f"context {place % 3}" for place in range(24)] + ["ask", "start", "answer"]
        spot = Spot("read", (26, 27), 0, bridge=True)
        made.append(Text([*tokens, answers[start]], types, [spot], f"p{index % 20}", 26))
    return made


def pairs(number: int) -> list[Pair]:
    """The texts, each with the same one that asks for another start."""
    roles = ["context"] * 24 + ["question: rest", "question: start"]
    return [
        Pair(tokens, [*tokens[:-1], other], answers[start], answers[other], roles, f"p{index % 20}")
        for index, (tokens, start, answers) in enumerate(chain_texts(number))
        for other in [(start + 1) % 4]
    ]
