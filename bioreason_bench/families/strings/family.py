"""Programs over strings as a family."""

from __future__ import annotations

from bioreason_bench.families.grading import StepGrader, grader_maker
from bioreason_bench.families.parts import head_of
from bioreason_bench.families.strings.audit import LAWS, check_strings
from bioreason_bench.families.strings.read import read_steps, steps_of
from bioreason_bench.families.strings.settings import LEVELS, StringSettings
from bioreason_bench.families.strings.words import card_words, instruction
from bioreason_bench.families.strings.world import SUPPORTS
from bioreason_bench.families.strings.write import SCHEMA, make_dataset
from bioreason_bench.family import Family, Place

__all__ = ["FAMILY"]

TRAIN, TESTS = frozenset({"train"}), frozenset({"validation", "test"})


FAMILY = Family(
    name="strings",
    summary="programs over strings: skills and routings under meaningless names",
    schema=SCHEMA,
    layout={
        "strings": Place(SCHEMA, TRAIN),
        "strings_atoms": Place(SCHEMA, TRAIN),
        "strings_rl_atoms": Place(SCHEMA, TRAIN),
        **{f"strings_rl_{support}": Place(SCHEMA, TRAIN) for support in SUPPORTS},
        **{f"strings/{level}": Place(SCHEMA, TESTS) for level in LEVELS},
        **{f"strings/{level}_openbook": Place(SCHEMA, TESTS) for level in LEVELS},
    },
    laws=lambda: LAWS,
    settings=StringSettings.from_dict,
    make=make_dataset,
    head=head_of,
    check=check_strings,
    grader=grader_maker(StepGrader, read_steps),
    steps=steps_of,
    words=card_words,
    instruction=instruction,
    shown=("strings_composition", "strings_iid"),
)
