"""The one grader: which answer a completion gives, and which hop of its chain fails first.

    grade("Ann Lee's boss was Bo Ray. ... So, the answer is: Bo Ray", record).exact_match

The answer is found by grading/markers.py and compared by grading/answer.py.  The chain before it is
read back into facts by grading/chain.py, in any wording of docs/chains.md, and compared hop by hop
with the record's `entities` and `path` (see docs/design.md, Scoring).  Thoughts are not graded.

Every function takes time linear in the length of the completion, and none raises, whatever a model
wrote.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from bioreason_bench.family import family_of_row
from bioreason_bench.grading.answer import gives
from bioreason_bench.grading.chain import ERROR_KINDS, Chains
from bioreason_bench.grading.markers import Completion, final_answer, split_answer
from bioreason_bench.grading.text import normalise, normalised_answer
from bioreason_bench.grading.thoughts import strip_thoughts
from bioreason_bench.grading.values import Expected
from bioreason_bench.language.answer import ANSWER
from bioreason_bench.language.reader import Fact
from bioreason_bench.questions.prompts import UNKNOWN
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

# "unknown", with the reason behind it or without
_UNKNOWN_AS = re.compile(
    rf"{UNKNOWN}(?: \((?:not|the|this|no)\b[^()]*\)|,? (?:as|because|since) .*)?"
)
LONGEST_BARE_ANSWER = 200  # characters of a completion that is nothing but an answer


@dataclass(frozen=True, slots=True)
class Grade:
    """The verdict on one completion.  Hops are counted from 0.

    Attributes:
        exact_match: The final answer is right.
        process_verified: The answer is right, and so is every hop, in order, with no other fact.
        hops_right: Number of hops that are right before the first wrong one.
        hops: Number of hops of the question that are stated somewhere.
        format_ok: Readable facts, then one "the answer is:" and an answer that ends the text.
            Facts are in the wordings of the relation table, one in a sentence.
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
    def truncated(self) -> bool:
        """Whether the completion was cut in its thoughts, before it could answer."""
        return self.error_kind == "truncated"

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
        self._known = known if known is not None else frozenset()
        self._pools = table.pools
        self._normalised_values: dict[str, frozenset[str]] = {}

    def grade(self, completion: str, record: Mapping[str, Any]) -> Grade:
        """The verdict on `completion` as an answer to `record`.

        Args:
            completion: What the model wrote after the prompt.
            record: Columns of a question: chain, answer, entities, path, context.
        """
        asked = _stated_part(record)
        hops = len(asked["path"])
        if completion and completion.strip() == record["chain"]:
            return Grade(
                exact_match=True,
                process_verified=True,
                hops_right=hops,
                hops=hops,
                format_ok=True,
                answer=record["answer"],
            )
        given = split_answer(completion)
        exact = self._is_right(given, record)
        facts, readable = self.facts(given.chain)
        right, error = self._chains.follow(facts, asked)
        if given.truncated:
            error = "truncated"
        elif error is None and self._chains.is_too_long(given.chain):
            error = "unreadable"
        elif error is None and not exact:
            error = "wrong answer"
        failed = right if right < hops else None
        return Grade(
            exact_match=exact,
            process_verified=exact and error is None,
            hops_right=right,
            hops=hops,
            format_ok=readable and given.well_formed,
            first_error=failed,
            error_kind=error,
            failed_group=None if failed is None else self._group(asked["path"][failed]),
            answer=given.answer,
        )

    def _is_right(self, given: Completion, record: Mapping[str, Any]) -> bool:
        """Whether the completion gives the right answer, or is nothing but it."""
        answer, text = record["answer"], given.answer
        if text is None:
            text = given.chain.strip()
            if given.marked or "\n" in text or len(text) > LONGEST_BARE_ANSWER:
                return False
        elif not given.rest and text in {answer, f"{answer}."}:
            return True
        if (
            answer == UNKNOWN
            and not given.rest
            and _UNKNOWN_AS.fullmatch(text.strip(" *_.\n").lower())
        ):
            return True
        return bool(text) and gives(text, self._expected(record), given.rest)

    def _expected(self, record: Mapping[str, Any]) -> Expected:
        """The right answer of a question, with what the grader knows about its kind."""
        row = self.relations.get(record["path"][-1]) if record["path"] else None
        kind = row.object if row else ""
        return Expected(
            record["answer"],
            kind,
            self._values(kind),
            self._known,
            frozenset(map(normalised_answer, record["entities"][:-1])),
        )

    def _values(self, kind: str) -> frozenset[str]:
        """The listed values of a kind, normalised."""
        if kind not in self._normalised_values:
            self._normalised_values[kind] = frozenset(map(normalise, self._pools.get(kind, ())))
        return self._normalised_values[kind]

    def grade_direct(self, completion: str, record: Mapping[str, Any]) -> Grade:
        """The verdict on an answer without a chain, after a prompt that ends in the marker."""
        text, truncated = strip_thoughts(completion)
        if not truncated and not final_answer(text):
            completion = f"{ANSWER}{text}"
        return self.grade(completion, record)

    def facts(self, chain: str) -> tuple[list[Fact | None], bool]:
        """The fact that each sentence of a chain states, and whether the chain has the right form.

        See `Chains.facts`.
        """
        return self._chains.facts(chain)

    def share_stated(self, chain: str, record: Mapping[str, Any]) -> float:
        """Share of the hops that a chain states, in any order, in [0, 1].

        A hop does not count if the chain also states another object for it.
        """
        return self._chains.share_stated(self.facts(chain)[0], _stated_part(record))

    def _group(self, relation: str) -> str | None:
        row = self.relations.get(relation)
        return row.group if row else None


def _stated_part(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The record without its last hop where the context leaves that out; see `UNKNOWN`."""
    if record["answer"] != UNKNOWN or record["entities"][-1:] != [UNKNOWN]:
        return record
    return {**record, "path": record["path"][:-1], "entities": record["entities"][:-1]}


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

    If the record's `skill` names another family than people, that family grades it.  Otherwise
    chains are read with the built-in relation table, and the language is guessed from the question:
    one in symbols ends in " ?", an English one ends in "?" after a letter.  For a release with its
    own relation table use `Release.grader()`.
    """
    family = family_of_row(record)
    if family.steps:
        grader: Grader = family.grader({}, _no_table)
        return grader
    return grader_for("symbols" if record["question"].endswith(" ?") else "english")


def _no_table(name: str) -> NoReturn:
    raise KeyError(name)


def grade(completion: str, record: Mapping[str, Any]) -> Grade:
    """The verdict by the built-in relation table, in the language of the record's question."""
    return grader_for_record(record).grade(completion, record)
