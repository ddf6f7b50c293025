"""Published files as a family."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from bioreason_bench.families.grading import FormGrader
from bioreason_bench.families.parts import head_of
from bioreason_bench.families.published.audit import LAWS, SOLVERS, check_published
from bioreason_bench.families.published.forms import DATASETS
from bioreason_bench.families.published.meaning import same_meaning
from bioreason_bench.families.published.settings import PublishedSettings
from bioreason_bench.families.published.write import SCHEMA, make_dataset
from bioreason_bench.family import Family, Place, ReadTable, Words
from bioreason_bench.grading.grader import Grade

__all__ = ["FAMILY"]

TRAIN, TESTS = frozenset({"train"}), frozenset({"validation", "test"})
LEVELS = ("iid", "composition", "zeroshot", "depth")
SPLITS = {split for splits in DATASETS.values() for split in splits}


class PublishedGrader(FormGrader):
    """Grades answers without a trace, by their text or by what they say."""

    def __init__(self, dataset: str) -> None:
        """Make a grader; with "" as data set answers must be equal."""
        super().__init__(lambda _: [])
        self._dataset = dataset

    def grade(self, completion: str, record: Mapping[str, Any]) -> Grade:
        """The verdict on a completion; the record needs `chain` and `answer`."""
        verdict = super().grade(completion, record)
        if verdict.exact_match or verdict.answer is None or not self._dataset:
            return verdict
        if not same_meaning(self._dataset, verdict.answer, record["answer"]):
            return verdict
        return dataclasses.replace(
            verdict, exact_match=True, process_verified=True, error_kind=None
        )


def _grader(manifest: Mapping[str, Any], table: ReadTable) -> PublishedGrader:  # noqa: ARG001 - Family.grader
    by_meaning = manifest.get("config", {}).get("grading") == "meaning"
    return PublishedGrader(manifest["definitions"]["dataset"] if by_meaning else "")


def _words(manifest: Mapping[str, Any]) -> Words:
    dataset = manifest["definitions"]["dataset"]
    files = "\n".join(
        f"- `{file}`, SHA-256 `{digest}`"
        for file, digest in manifest["definitions"]["sources"].items()
    )
    return Words(
        title=f"Published files of {dataset}",
        description=f"The questions and answers of published files of {dataset}, unchanged. The "
        "license of those files holds for this release.",
        question="A question is a line of the files, and the chain is its answer alone: the files "
        "have no traces.",
        levels={
            "iid": "questions like those of training",
            "composition": "known parts in new combinations, as the files divide them",
            "zeroshot": "a word that training has alone only",
            "depth": "longer or deeper than training",
        },
        solvers=SOLVERS,
        limits=f"Models may have read these files. They were read from:\n\n{files}",
        tags=(dataset, "compositional-generalization"),
    )


FAMILY = Family(
    name="published",
    summary="published files of SCAN, COGS, CFQ or GeoQuery that you have",
    schema=SCHEMA,
    layout={
        **{f"published_{split}": Place(SCHEMA, TRAIN) for split in SPLITS},
        **{
            f"published_{split}/{level}": Place(SCHEMA, TESTS)
            for split in SPLITS
            for level in LEVELS
        },
    },
    laws=lambda: LAWS,
    settings=PublishedSettings.from_dict,
    make=make_dataset,
    head=head_of,
    check=check_published,
    grader=_grader,
    steps=lambda _: [],
    words=_words,
    instruction=lambda _: "Answer the question. End with “So, the answer is:” and the answer.",
)
