"""The words of a release as tables: skills, levels, and the kinds of questions beyond the levels.

Configuration, data set, schemas, audit, task names and cards read these tables and loop over them.  To add a kind of
question, add a row to QUESTION_KINDS and follow the worked example in CONTRIBUTING.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["KIND_NAMES", "LEVELS", "QUESTION_KINDS", "SKILLS", "QuestionKind", "kind_of"]

SKILLS = ("mem", "ctx", "comp")
LEVELS = ("iid", "composition", "zeroshot", "entity", "depth")


@dataclass(frozen=True)
class QuestionKind:
    """A kind of question beyond the levels: a config SKILL_NAME with a test split and columns of its own.

    Attributes:
        name: The last part of the config, and the name of the schema of its rows.
        skill: The skill that the questions belong to; the preset field SKILL.NAME says how many there are.
        rows: Rows for each one that the preset asks for (2 for pairs).
        variants: Variants of the lm-evaluation-harness task; "" is the chain.
        task: The base task file: `_{task}.yaml`.
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
        return f"{self.skill}_{self.name}"

    @property
    def folder(self) -> str:
        return f"{self.skill}/{self.name}"


QUESTION_KINDS = (
    QuestionKind(
        "counterfactual",
        skill="comp",
        rows=2,
        variants=("", "openbook", "direct"),
        task="pairs",
        summary="pairs of questions whose contexts differ in exactly one fact, and so in the answer",
    ),
    QuestionKind(
        "conflict",
        skill="comp",
        rows=1,
        variants=("", "direct"),
        task="conflict",
        summary="the context contradicts a fact that is to be recalled",
    ),
    QuestionKind(
        "direction",
        skill="mem",
        rows=2,
        variants=("", "direct"),
        task="pairs",
        summary="each fact asked in the direction that training states and in reverse",
    ),
)
KIND_NAMES = tuple(kind.name for kind in QUESTION_KINDS)


def kind_of(name: str) -> QuestionKind:
    """The kind called `name`; KeyError if there is none."""
    return {kind.name: kind for kind in QUESTION_KINDS}[name]
