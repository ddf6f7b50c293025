"""The one grader: which answer a completion gives, and which hop of its chain fails first.

    grade("Ann Lee's boss was Bo Ray. ... So, the answer is: Bo Ray", record).exact_match

The answer is found and compared by grading/answer.py.  The chain before it is read back into facts
by the package's reader, in any wording of the relation table, and compared hop by hop with the
record's `entities` and `path` (see docs/design.md, Scoring).

Every function takes time linear in the length of the completion, and none raises, whatever a model
wrote.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bioreason_bench.grading.answer import final_answer, same_answer, split_answer
from bioreason_bench.grading.chain import ERROR_KINDS, Chains
from bioreason_bench.language.answer import ANSWER
from bioreason_bench.language.reader import Fact
from bioreason_bench.world.relations import RelationTable

__all__ = [
    "ERROR_KINDS",
    "Grade",
    "Grader",
    "grade",
    "grader_for",
    "grader_for_record",
    "make_grader",
]


@dataclass(frozen=True, slots=True)
class Grade:
    """The verdict on one completion.  Hops are counted from 0.

    Attributes:
        exact_match: The final answer is right.
        process_verified: The answer is right, and so is every hop, in order, with no other fact.
        hops_right: Number of hops that are right before the first wrong one.
        hops: Number of hops of the question.
        format_ok: Readable facts, then one "the answer is:" and an answer that ends the text.
        first_error: Number of the first wrong hop, None if all are right.
        error_kind: One of ERROR_KINDS, None if there is no error.
        failed_group: Group of the first wrong hop, "parametric" or "contextual".
        answer: The answer as extracted, None if the completion gives none.
    """

    exact_match: bool
    process_verified: bool
    hops_right: int
    hops: int
    format_ok: bool
    first_error: int | None = None
    error_kind: str | None = None
    failed_group: str | None = None
    answer: str | None = None

    @property
    def hop_accuracy(self) -> float:
        """Share of the hops that are right before the first wrong one, in [0, 1]."""
        return self.hops_right / self.hops if self.hops else 0.0

    def metrics(self) -> dict[str, float]:
        """The scores that are averaged over questions, each in [0, 1]."""
        return {
            "exact_match": float(self.exact_match),
            "process_verified": float(self.process_verified),
            "hop_accuracy": self.hop_accuracy,
            "format_rate": float(self.format_ok),
        }


class Grader:
    """Grades completions over one relation table in one language.  Make one and reuse it.

    Attributes:
        relations: The relations of the table by name.
        language: "english" or "symbols".
    """

    def __init__(
        self, table: RelationTable, language: str = "english", known: Collection[str] | None = None
    ) -> None:
        """Make a grader.

        Args:
            table: The relation table with which chains are read.
            language: The language of chains, "english" or "symbols".
            known: Every name and value of the world, to tell an invented entity from a wrong one.
                Without it, only values that are in no pool of the table count as invented.
        """
        self.language = language
        self._chains = Chains(table, language, known)
        self.relations = self._chains.relations

    def grade(self, completion: str, record: Mapping[str, Any]) -> Grade:
        """The verdict on `completion` as an answer to `record`.

        Args:
            completion: What the model wrote after the prompt.
            record: Columns of a question: chain, answer, entities, path, context.
        """
        hops = len(record["path"])
        if completion.strip() == record["chain"]:
            return Grade(
                exact_match=True,
                process_verified=True,
                hops_right=hops,
                hops=hops,
                format_ok=True,
                answer=record["answer"],
            )
        chain, answer, well_formed = split_answer(completion)
        exact = answer is not None and same_answer(answer, record["answer"])
        facts, readable = self.facts(chain)
        right, error = self._chains.follow(facts, record)
        if error is None and not exact:
            error = "wrong answer"
        failed = right if right < hops else None
        return Grade(
            exact_match=exact,
            process_verified=exact and error is None,
            hops_right=right,
            hops=hops,
            format_ok=readable and well_formed,
            first_error=failed,
            error_kind=error,
            failed_group=None if failed is None else self._group(record["path"][failed]),
            answer=answer,
        )

    def grade_direct(self, completion: str, record: Mapping[str, Any]) -> Grade:
        """The verdict on an answer without a chain, after a prompt that ends in the marker."""
        if not final_answer(completion):
            completion = f"{ANSWER}{completion}"
        return self.grade(completion, record)

    def facts(self, chain: str) -> tuple[list[Fact | None], bool]:
        """The fact that each sentence of a chain states, and whether the chain has the right form.

        See `Chains.facts`.
        """
        return self._chains.facts(chain)

    def _group(self, relation: str) -> str | None:
        row = self.relations.get(relation)
        return row.group if row else None


def make_grader(
    table: RelationTable, language: str, names: Iterable[str], objects: Iterable[str]
) -> Grader:
    """The grader of one world.

    Args:
        table: Its relation table.
        language: "english" or "symbols".
        names: The names of all its people.
        objects: The objects of all its facts.
    """
    return Grader(table, language, frozenset(names) | frozenset(objects))


@functools.lru_cache(maxsize=8)
def grader_for(language: str = "english") -> Grader:
    """The grader of the built-in relation table."""
    from bioreason_bench.world.table import load_table

    return Grader(load_table(), language)


def grader_for_record(record: Mapping[str, Any]) -> Grader:
    """The fallback if the release that a record is from is not known.

    It reads chains with the built-in relation table.  The language is guessed from the question:
    one in symbols ends in " ?", an English one ends in "?" after a letter.  For a release with
    its own relation table use `Release.grader()`.
    """
    return grader_for("symbols" if record["question"].endswith(" ?") else "english")


def grade(completion: str, record: Mapping[str, Any]) -> Grade:
    """The verdict by the built-in relation table, in the language of the record's question."""
    return grader_for_record(record).grade(completion, record)
