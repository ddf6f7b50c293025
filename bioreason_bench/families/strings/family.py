"""Programs over strings as a family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bioreason_bench.families.grading import StepGrader
from bioreason_bench.families.parts import PartDataset
from bioreason_bench.families.strings.audit import LAWS, check_strings
from bioreason_bench.families.strings.read import read_steps, steps_of
from bioreason_bench.families.strings.settings import LEVELS, StringSettings
from bioreason_bench.families.strings.words import card_words, instruction
from bioreason_bench.families.strings.world import SUPPORTS
from bioreason_bench.families.strings.write import SCHEMA, make_dataset
from bioreason_bench.family import Family, Place, ReadTable

__all__ = ["FAMILY"]

TRAIN, TESTS = frozenset({"train"}), frozenset({"validation", "test"})


def _head(dataset: PartDataset) -> dict[str, Any]:
    return dict(dataset.head)


def _grader(manifest: Mapping[str, Any], table: ReadTable) -> StepGrader:  # noqa: ARG001 - Family.grader
    recalled = manifest.get("config", {}).get("definitions") == "recalled"
    return StepGrader(read_steps, "parametric" if recalled else None)


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
    head=_head,
    check=check_strings,
    grader=_grader,
    steps=steps_of,
    words=card_words,
    instruction=instruction,
    shown=("strings_composition", "strings_iid"),
)
