"""What a card says of a release of SCAN commands, and what a chat model is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bioreason_bench.families.scan.audit.solvers import SOLVERS
from bioreason_bench.family import Words

__all__ = ["card_words", "instruction"]


def card_words(manifest: Mapping[str, Any]) -> Words:
    """The texts of the card of a release with this manifest."""
    config = manifest["config"]
    renamed = config["vocabulary"] == "renamed"
    named = "in words invented for this release" if renamed else "in the words of the paper"
    mcd = ""
    for name, found in manifest.get("divergences", {}).items():
        mcd += (
            f"\n- `scan_{name}`: atom divergence {found['atom']}, compound divergence "
            f"{found['compound']}. Made here by the algorithm of Keysers et al. (2020); the "
            "commands are not those of the published files."
        )
    return Words(
        title="SCAN commands",
        description=f"Commands of the grammar of SCAN (Lake and Baroni, 2018), {named}, and the "
        "actions that they stand for. A model that has learnt the words and how they combine can "
        "act on commands that training does not have.",
        question="A question is a command, such as “jump left twice” in the words of the paper. "
        "The trace gives each part its actions, from the inside: `jump left = I_TURN_LEFT I_JUMP . "
        "jump left twice = I_TURN_LEFT I_JUMP I_TURN_LEFT I_JUMP .` The answer is the actions of "
        "the whole command.",
        levels={
            "iid": "commands like those of training",
            "composition": f"“{config['new_manner']}” with “right”, which training has apart",
            "zeroshot": f"“{config['new_primitive']}”, which training has alone only",
            "depth": f"commands with more than {config['longest']} actions, the most of training",
            **{f"scan_{name}": f"the published split {name}" for name in config["splits"]},
        },
        solvers=SOLVERS,
        limits="The grammar has 20,910 commands and no recursion: nothing is nested deeper than in "
        "training. `scan_simple` has the size of the published split, not its commands." + mcd,
        tags=("scan", "compositional-generalization"),
    )


def instruction(record: Mapping[str, Any]) -> str:
    """What a chat model is told before the context and the question."""
    given = "The definitions say what each word means. " if record["context"] else ""
    return (
        f"{given}Write the actions of the command. First write the actions of each part of it, "
        "from the inside, as PART = ACTIONS and a full stop, then “So, the answer is:” and the "
        "actions of the whole command."
    )
