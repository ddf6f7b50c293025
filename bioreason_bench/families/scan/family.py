"""SCAN commands as a family."""

from __future__ import annotations

from bioreason_bench.families.grading import StepGrader, grader_maker
from bioreason_bench.families.parts import head_of
from bioreason_bench.families.scan.audit.check import LAWS, check_scan
from bioreason_bench.families.scan.levels import SUPPORTS
from bioreason_bench.families.scan.read import read_steps, steps_of
from bioreason_bench.families.scan.settings import LEVEL_OF, LEVELS, ScanSettings
from bioreason_bench.families.scan.words import card_words, instruction
from bioreason_bench.families.scan.write import SCHEMA, make_dataset
from bioreason_bench.family import Family, Place

__all__ = ["FAMILY"]

TRAIN, TESTS, TEST = frozenset({"train"}), frozenset({"validation", "test"}), frozenset({"test"})
MOST_MCD = 5
SPLITS = {**LEVEL_OF, **{f"mcd{number}": "composition" for number in range(1, MOST_MCD + 1)}}


FAMILY = Family(
    name="scan",
    summary="commands of SCAN and their actions, in published or invented words",
    schema=SCHEMA,
    layout={
        "scan": Place(SCHEMA, TRAIN),
        **{f"scan_rl_{support}": Place(SCHEMA, TRAIN) for support in SUPPORTS},
        **{f"scan/{level}": Place(SCHEMA, TESTS) for level in LEVELS},
        **{f"scan/{level}_openbook": Place(SCHEMA, TESTS) for level in LEVELS},
        **{f"scan_{name}": Place(SCHEMA, TRAIN) for name in SPLITS},
        **{f"scan_{name}/{level}": Place(SCHEMA, TEST) for name, level in SPLITS.items()},
    },
    laws=lambda: LAWS,
    settings=ScanSettings.from_dict,
    make=make_dataset,
    head=head_of,
    check=check_scan,
    grader=grader_maker(StepGrader, read_steps),
    steps=steps_of,
    words=card_words,
    instruction=instruction,
    shown=("scan_composition", "scan_zeroshot", "scan_iid"),
)
