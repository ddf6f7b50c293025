"""The vocabulary of a release as tables: skills, levels, and the further kinds of questions.

Configuration, data set, schemas, audit, task names and cards all loop over these tables.  To add a
kind of question, add a row to QUESTION_KINDS and follow the worked example in
docs/extending.md.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "KIND_NAMES",
    "LEVELS",
    "OPEN_BOOK",
    "OPEN_BOOK_SKILLS",
    "QUESTION_KINDS",
    "SKILLS",
    "QuestionKind",
]

SKILLS = ("mem", "ctx", "comp")
LEVELS = ("iid", "composition", "zeroshot", "entity", "depth")
OPEN_BOOK = "openbook"  # the config SKILL_LEVEL_openbook, whose contexts state all facts
OPEN_BOOK_SKILLS = ("mem", "comp")  # those that recall; ctx is read as it is


@dataclass(frozen=True)
class QuestionKind:
    """A kind of question in addition to the levels, with its own columns.

    It forms the config SKILL_NAME, which has only a test split.

    Attributes:
        name: The last part of the config's name, and the name of the row schema.
        skill: The skill of the questions; the preset field SKILL.NAME sets their number.
        rows: Rows per unit of that number (2 for pairs).
        variants: Variants of the lm-evaluation-harness task; "" asks for the chain.
        task: Part of the name of the base task file, `_{task}.yaml`.
        summary: One sentence for cards and documentation.
    """

    name: str
    skill: str
    rows: int
    variants: tuple[str, ...]
    task: str
    summary: str

    @property
    def config(self) -> str:
        """The name of the config, such as comp_conflict."""
        return f"{self.skill}_{self.name}"

    @property
    def folder(self) -> str:
        """The folder below data/, such as comp/conflict."""
        return f"{self.skill}/{self.name}"


QUESTION_KINDS = (
    QuestionKind(
        "counterfactual",
        skill="comp",
        rows=2,
        variants=("", "openbook", "direct"),
        task="pairs",
        summary="pairs of questions whose contexts differ in exactly one fact, hence in the answer",
    ),
    QuestionKind(
        "conflict",
        skill="comp",
        rows=1,
        variants=("", "direct"),
        task="conflict",
        summary="the context contradicts a fact that the model must recall",
    ),
    QuestionKind(
        "direction",
        skill="mem",
        rows=2,
        variants=("", "direct"),
        task="pairs",
        summary="each fact asked in the direction that training states and in reverse",
    ),
    *(
        QuestionKind(
            "unanswerable",
            skill=skill,
            rows=2,
            variants=("chat",),
            task="pairs",
            summary="pairs of questions with all facts in the context but one: in one of the two "
            f'the last fact of the chain is left out, and the answer is "unknown"{book}',
        )
        for skill, book in (("ctx", ""), ("comp", " (open book)"))
    ),
)
KIND_NAMES = tuple(dict.fromkeys(kind.name for kind in QUESTION_KINDS))
