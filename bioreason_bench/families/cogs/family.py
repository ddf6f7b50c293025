"""Sentences and logical forms as a family."""

from __future__ import annotations

from bioreason_bench.families.cogs.audit.check import LAWS, check_cogs
from bioreason_bench.families.cogs.read import read_steps, steps_of
from bioreason_bench.families.cogs.settings import LEVELS, CogsSettings
from bioreason_bench.families.cogs.words import card_words, instruction
from bioreason_bench.families.cogs.write import SCHEMA, SUPPORTS, make_dataset
from bioreason_bench.families.grading import FormGrader, grader_maker
from bioreason_bench.families.parts import head_of
from bioreason_bench.family import Family, Place

__all__ = ["FAMILY"]

TRAIN, TESTS = frozenset({"train"}), frozenset({"validation", "test"})


FAMILY = Family(
    name="cogs",
    summary="sentences and logical forms, with the 21 ways to generalise of COGS",
    schema=SCHEMA,
    layout={
        "cogs": Place(SCHEMA, TRAIN),
        **{f"cogs_rl_{support}": Place(SCHEMA, TRAIN) for support in SUPPORTS},
        **{f"cogs/{level}": Place(SCHEMA, TESTS) for level in LEVELS},
        **{f"cogs/{level}_openbook": Place(SCHEMA, TESTS) for level in LEVELS},
    },
    laws=lambda: LAWS,
    settings=CogsSettings.from_dict,
    make=make_dataset,
    head=head_of,
    check=check_cogs,
    grader=grader_maker(FormGrader, read_steps),
    steps=steps_of,
    words=card_words,
    instruction=instruction,
    shown=("cogs_composition", "cogs_zeroshot", "cogs_iid"),
)
