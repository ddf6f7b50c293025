"""What a card says of a release of sentences, and what a chat model is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bioreason_bench.families.cogs.audit.solvers import SOLVERS
from bioreason_bench.families.cogs.kinds import KINDS
from bioreason_bench.family import Words

__all__ = ["card_words", "instruction"]


def card_words(manifest: Mapping[str, Any]) -> Words:
    """The texts of the card of a release with this manifest."""
    config = manifest["config"]
    renamed = config["vocabulary"] == "renamed"
    named = "with names, nouns and verbs invented for this release" if renamed else "in English"
    count = {
        level: sum(kind.level == level for kind in KINDS.values())
        for level in ("composition", "zeroshot", "depth")
    }
    return Words(
        title="Sentences and logical forms",
        description=f"Sentences of a small grammar, {named}, and their logical forms in the "
        "notation of COGS (Kim and Linzen, 2020). Tests ask for words in uses, and structures in "
        "sizes, that training does not have. Grammar and words are not those of COGS.",
        question="A question is a sentence, and the answer its logical form: “A rose was helped by "
        "the dog .” is `* dog ( x _ 6 ) ; rose ( x _ 1 ) AND help . theme ( x _ 3 , x _ 1 ) AND "
        "help . agent ( x _ 3 , x _ 6 )`, where `x _ 3` is the word at place 3, counted from 0. "
        "The trace gives the form of each noun, preposition and verb. The column `generalisation` "
        "says which of the 21 kinds of COGS a question is of.",
        levels={
            "iid": "sentences like those of training",
            "composition": f"{count['composition']} kinds: a known word in a use that training "
            "does not have it in, or a preposition in a subject",
            "zeroshot": f"{count['zeroshot']} kinds: a word that training has alone only",
            "depth": f"{count['depth']} kinds: clauses or prepositions nested "
            f"{config['deepest'] + 1} to 12 times; training has at most {config['deepest']}",
        },
        solvers=SOLVERS,
        limits="A model that fills the words of a sentence into the form of a training sentence "
        "with the same small words answers many questions of iid and composition without knowing "
        "which word has which role (solver `template`). Sentences have no adjectives, tenses or "
        "quantifiers.",
        tags=("cogs", "semantic-parsing", "compositional-generalization"),
    )


def instruction(record: Mapping[str, Any]) -> str:
    """What a chat model is told before the context and the question."""
    given = "The definitions say how forms are written. " if record["context"] else ""
    return (
        f"{given}Write the logical form of the sentence. First write the form of each noun, "
        "preposition and verb, as PLACE PART = FORM and a semicolon, then “So, the answer is:” and "
        "the form of the whole sentence."
    )
