"""Sentences and logical forms as a family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bioreason_bench.families.cogs.audit.check import LAWS, check_cogs
from bioreason_bench.families.cogs.read import read_steps, steps_of
from bioreason_bench.families.cogs.settings import LEVELS, CogsSettings
from bioreason_bench.families.cogs.words import card_words, instruction
from bioreason_bench.families.cogs.write import SCHEMA, SUPPORTS, make_dataset
from bioreason_bench.families.grading import FormGrader
from bioreason_bench.families.parts import PartDataset
from bioreason_bench.family import Family, Place, ReadTable

__all__ = ["FAMILY"]

TRAIN, TESTS = frozenset({"train"}), frozenset({"validation", "test"})


def _head(dataset: PartDataset) -> dict[str, Any]:
    return dict(dataset.head)


def _grader(manifest: Mapping[str, Any], table: ReadTable) -> FormGrader:  # noqa: ARG001 - Family.grader
    recalled = manifest.get("config", {}).get("definitions") == "recalled"
    return FormGrader(read_steps, "parametric" if recalled else None)


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
    head=_head,
    check=check_cogs,
    grader=_grader,
    steps=steps_of,
    words=card_words,
    instruction=instruction,
    shown=("cogs_composition", "cogs_zeroshot", "cogs_iid"),
)
