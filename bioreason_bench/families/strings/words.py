"""What the card of a release of string programs says, and what a chat model is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bioreason_bench.families.strings.audit.solvers import SOLVERS
from bioreason_bench.families.strings.world import RULE
from bioreason_bench.family import Words

__all__ = ["card_words", "instruction"]

FORM = (
    "Write one step after another, each as: y1 = NAME x = the letters . "
    "The results are y1, y2, and so on. "
    'End with "So, the answer is: " and the letters of the last result.'
)


def instruction(record: Mapping[str, Any]) -> str:
    """What a chat model is told before the context and the question."""
    if record["context"]:
        return (
            "Below are definitions of words and a program of these words for a string of letters. "
            f"Run the program. {FORM}"
        )
    return (
        "Below is a program for a string of letters. You know the meaning of its words from "
        f"training. {RULE} Run the program. {FORM}"
    )


def card_words(manifest: Mapping[str, Any]) -> Words:
    """What the card says."""
    config, definitions = manifest["config"], manifest["definitions"]
    known = "in the context" if config["definitions"] == "read" else "to be known from training"
    low, high = config["hops"]
    first, last = config["depth_hops"]
    return Words(
        title="bioreason strings",
        description=(
            "Programs over strings of letters: "
            f"{len(definitions['skills'])} skills and {len(definitions['routings'])} routings "
            "under names without meaning. Every question is a routing, its skills and a string; "
            "every trace gives the result of each step. So it can be told whether a model that "
            "knows the parts can put them together, and which training makes it do so."
        ),
        question=(
            "The first word is the routing, the words up to the colon are its skills, the letters "
            "behind it are the string `x`. The trace names the result of each step `y1`, `y2`, "
            f"and so on. The meaning of the words is {known}. {definitions['rule']}"
        ),
        levels={
            "strings_iid": "programs of training with other strings",
            "strings_composition": "a skill and a routing that training never joins, both trained",
            "strings_zeroshot": "a skill or a routing that is in no compound program of training "
            "(`unseen_primitives`); `known_from_atoms` says whether isolated atoms have it",
            "strings_depth": f"{first} to {last} skills; training has {low} to {high}",
            "strings_atoms": "isolated skills and routings, of as many tokens as the compounds",
            "strings_rl_nested": "for reinforcement learning: programs of training",
            "strings_rl_overlapping": "for reinforcement learning: half are programs of training",
            "strings_rl_disjoint": "for reinforcement learning: no program is in training",
            "strings_rl_atoms": "for reinforcement learning: isolated skills and routings",
        },
        solvers=SOLVERS,
        limits=(
            "A routing that applies one of two halves of its skills names skills that it does not "
            "apply. Skills are local operations on short strings; nothing follows from them for "
            "text. All answers can be computed, so a model that runs code answers everything."
        ),
        tags=("string-manipulation",),
    )
