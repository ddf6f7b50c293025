"""People: biographies, and questions that follow their relations."""

from __future__ import annotations

from typing import Any

from bioreason_bench.config import from_dict
from bioreason_bench.dataset.dataset import Dataset
from bioreason_bench.dataset.fit import make_or_explain
from bioreason_bench.family import PEOPLE, Family, Place, later
from bioreason_bench.taxonomy import LEVELS, OPEN_BOOK, OPEN_BOOK_SKILLS, QUESTION_KINDS, SKILLS
from bioreason_bench.world.table import table_as_dict

__all__ = ["FAMILY"]

ONCE, TESTS = frozenset({"train"}), frozenset({"validation", "test"})
LAYOUT = {
    "biographies": Place("biography", frozenset({"parametric", "contextual"})),
    "people": Place("person", ONCE),
    "facts": Place("fact", ONCE),
    "paths": Place("path", ONCE),
    "relations": Place("relation", ONCE),
    "probes": Place("probe", frozenset({"test"})),
    **{skill: Place("question", frozenset({"train", "rl"})) for skill in SKILLS},
    **{f"{skill}/{level}": Place("question", TESTS) for skill in SKILLS for level in LEVELS},
    **{
        f"{skill}/{level}_{OPEN_BOOK}": Place("question", TESTS)
        for skill in OPEN_BOOK_SKILLS
        for level in LEVELS
    },
    **{kind.folder: Place(kind.name, frozenset({"test"})) for kind in QUESTION_KINDS},
}


def _head(dataset: Dataset) -> dict[str, Any]:
    return {"relations": table_as_dict(dataset.world.table)}


FAMILY = Family(
    name=PEOPLE,
    summary="multi-hop questions about people, whose facts are recalled or read",
    schema="question",
    layout=LAYOUT,
    laws=later("bioreason_bench.audit.catalogue", "people_laws"),
    settings=from_dict,
    make=make_or_explain,
    head=_head,
    check=later("bioreason_bench.audit.people", "check_people"),
    grader=later("bioreason_bench.grading.saved", "grader_of_release"),
    shown=("comp_zeroshot", "comp_composition", "comp_iid", "ctx_zeroshot", "mem_zeroshot"),
)
