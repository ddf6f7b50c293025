"""The grader of traces: steps with results, then an answer.

    grader = StepGrader(read_steps)
    grader.grade("y1 = mip x = e a k . So, the answer is: e a k", record).process_verified

A family gives a reader of its traces, and gets the verdicts and the four rewards of
grading/rewards.py.  A trace is right if it has the steps of the gold trace, in order, and no other:
the same operation on the same inputs, with the same result.  The answer must equal the right one,
character by character, but for blanks at its ends, doubled blanks and a final full stop.

Every function takes time linear in the length of the text, and none raises.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bioreason_bench.family import ReadTable, Step
from bioreason_bench.grading.grader import Grade
from bioreason_bench.grading.markers import Completion, final_answer, split_answer
from bioreason_bench.grading.thoughts import strip_thoughts
from bioreason_bench.language.answer import ANSWER, MARKER
from bioreason_bench.world.relations import PARAMETRIC

__all__ = [
    "ERRORS",
    "FormGrader",
    "ReadSteps",
    "StepGrader",
    "gold_steps",
    "grader_maker",
    "steps_between",
]

ERRORS = (
    "missing",  # the trace ends before the step
    "unreadable",  # there is a sentence for the step, but it is no step
    "wrong operation",  # another operation than the gold step
    "wrong input",  # the right operation on something else
    "wrong result",  # the right operation on the right input, another result
    "extra step",  # every step right, then one more
    "wrong answer",  # the trace right, then another answer
    "truncated",  # cut in its thoughts, before it could answer
)
LONGEST_BARE_ANSWER = 4_000  # characters of a completion that is nothing but an answer
LONGEST_TRACE = 20_000  # characters that are read
ReadSteps = Callable[[str], Sequence[Step | None]]


class StepGrader:
    """Grades completions of a family whose traces are steps.  Make one and reuse it.

    Attributes:
        language: "symbols": a name by which other modules ask for the language of chains.
    """

    language = "symbols"

    def __init__(self, read_steps: ReadSteps, group: str | None = None) -> None:
        """Make a grader.

        Args:
            read_steps: The steps of a trace without its answer, None for what is no step.  Must
                take time linear in the length of the text, and never raise.
            group: `failed_group` of a wrong step, such as "parametric" where the definitions are
                to be recalled.
        """
        self._read, self._group = read_steps, group

    def grade(self, completion: str, record: Mapping[str, Any]) -> Grade:
        """The verdict on `completion`; the record needs `chain` and `answer`."""
        gold = self._gold(record)
        if completion and completion.strip() == record["chain"]:
            return Grade(True, True, len(gold), len(gold), True, answer=record["answer"])
        given = self._split(completion or "")
        exact = _is_right(given, record["answer"])
        stated = self._read(given.chain[:LONGEST_TRACE])
        right, error = _follow(stated, gold)
        if given.truncated:
            error = "truncated"
        elif error is None and not exact:
            error = "wrong answer"
        failed = right if right < len(gold) else None
        return Grade(
            exact_match=exact,
            process_verified=exact and error is None,
            hops_right=right,
            hops=len(gold),
            format_ok=bool(stated) and None not in stated and given.well_formed,
            first_error=failed,
            error_kind=error,
            failed_group=None if failed is None else self._group,
            answer=given.answer,
        )

    def grade_direct(self, completion: str, record: Mapping[str, Any]) -> Grade:
        """The verdict on an answer without a trace, after a prompt that ends in the marker."""
        text, truncated = strip_thoughts(completion or "")
        if not truncated and not final_answer(text):
            completion = f"{ANSWER}{text}"
        return self.grade(completion, record)

    def share_stated(self, chain: str, record: Mapping[str, Any]) -> float:
        """Share of the gold steps that a trace states, in any order, in [0, 1].

        A step counts as often as the gold trace has it, and not at all if the trace also states
        another result of the same operation on the same inputs.
        """
        gold = self._gold(record)
        if not gold:
            return 0.0
        stated = Counter(_key(step) for step in self._read(chain[:LONGEST_TRACE]) if step)
        results: dict[tuple[str, tuple[str, ...]], set[str]] = {}
        for operation, inputs, result in stated:
            results.setdefault((operation, inputs), set()).add(result)
        needed = Counter(map(_key, gold))
        counted = sum(
            min(count, stated[key])
            for key, count in needed.items()
            if len(results.get(key[:2], ())) == 1
        )
        return counted / len(gold)

    def _split(self, completion: str) -> Completion:
        """The completion cut at its last marker."""
        return split_answer(completion)

    def _gold(self, record: Mapping[str, Any]) -> list[Step]:
        trace = record["chain"].rpartition(ANSWER)[0]
        return [step for step in self._read(trace) if step]


class FormGrader(StepGrader):
    """Grades answers that are no prose, such as `* rose ( x _ 1 ) ; help . theme ( ... )`.

    Full stops, semicolons and stars belong to the answer; elsewhere they are marks of sentences and
    of emphasis.
    """

    def _split(self, completion: str) -> Completion:
        """The completion cut at its last marker, with the line after it as it stands."""
        given = split_answer(completion)
        text, _ = strip_thoughts(completion)
        start = text.rfind(MARKER)
        if given.answer is None or start < 0:
            return given
        tail = text[start + len(MARKER) :].strip()
        line, _, rest = tail.partition("\n")
        well_formed = not rest and text.find(MARKER) == start
        return given._replace(answer=line.strip(), well_formed=well_formed, rest=rest)


def _key(step: Step) -> tuple[str, tuple[str, ...], str]:
    return step.operation, step.inputs, step.result


def _follow(stated: Sequence[Step | None], gold: Sequence[Step]) -> tuple[int, str | None]:
    """The number of right steps before the first wrong one, and what is wrong with it."""
    for number, wanted in enumerate(gold):
        if number >= len(stated):
            return number, "missing"
        step = stated[number]
        if step is None:
            return number, "unreadable"
        if step.operation != wanted.operation:
            return number, "wrong operation"
        if step.inputs != wanted.inputs:
            return number, "wrong input"
        if step.result != wanted.result:
            return number, "wrong result"
    return len(gold), "extra step" if len(stated) > len(gold) else None


def _is_right(given: Completion, answer: str) -> bool:
    """Whether a completion gives the answer, and nothing behind it, or is nothing but it."""
    text = given.answer
    if text is None:
        text = given.chain.strip()
        if given.marked or "\n" in text or len(text) > LONGEST_BARE_ANSWER:
            return False
    return not given.rest.strip() and _plain(text) == answer


def _plain(text: str) -> str:
    """The text with single blanks, without blanks and one full stop at its end."""
    words = " ".join(text.split())
    return words[:-1].rstrip() if words.endswith(".") else words


def grader_maker(
    kind: type[StepGrader], read_steps: ReadSteps
) -> Callable[[Mapping[str, Any], ReadTable], StepGrader]:
    """A `Family.grader`: a failed step is one of memory where definitions are to be recalled."""

    def make(manifest: Mapping[str, Any], table: ReadTable) -> StepGrader:  # noqa: ARG001 - Family.grader
        recalled = manifest.get("config", {}).get("definitions") == "recalled"
        return kind(read_steps, PARAMETRIC if recalled else None)

    return make


def steps_between(
    trace: str, mark: str, read_step: Callable[[str], Step | None]
) -> list[Step | None]:
    """The steps of a trace without its answer, which a mark ends; None for what is no step."""
    parts = " ".join(trace.split()).removesuffix("So,").strip().split(mark)
    return [read_step(text.strip()) for text in parts if text.strip()]


def gold_steps(record: Mapping[str, Any], read_steps: ReadSteps) -> list[Step]:
    """The steps of a question's gold trace."""
    return [step for step in read_steps(record["chain"].rpartition(ANSWER)[0]) if step]
