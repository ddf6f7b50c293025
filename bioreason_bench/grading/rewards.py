"""Rewards for TRL, veRL or any other loop: pure functions over the package's one grader.

outcome     1 if the final answer is right, else 0 (the paper's reward)
process     share of the chain's hops that are right before the first wrong one
format      1 if the text has the form asked for: readable facts, one "the answer is:", an end
composite   our own (papers that use such a reward do not publish theirs), a mean with weights
            `primitives`, `structure` and `answer` of
                hops that the chain states, in any order, / hops
                hops right before the first wrong one / hops
                1 if the answer is right

All values are in [0, 1].  The words of a question earn nothing when they are copied: a hop counts
only if the chain states its true object, and no other object for it.

A completion is a text, or a list of messages of which the last one is graded.  Further keyword
arguments are ignored.  A text without an end token earns nothing, because an unfinished text has no
final answer yet.

    outcome(completions, entities=[...], path=[...], ...)      columns of questions, one value each

Chains are read by the grader that is passed in.  Pass `Release.grader()`: without a grader, chains
are read with the built-in relation table, and those of other relations earn nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bioreason_bench.errors import UsageError, suggest
from bioreason_bench.grading.grader import Grade, Grader, grader_for_record
from bioreason_bench.grading.markers import split_answer

__all__ = [
    "COLUMNS",
    "REWARDS",
    "composite",
    "compute_score",
    "form",
    "make_rewards",
    "outcome",
    "process",
    "text_of",
]

COLUMNS = ("question", "context", "chain", "answer", "entities", "path")
OPTIONAL = ("skill",)  # names the family of a question whose release is not known
DEFAULT_WEIGHTS = {"primitives": 0.25, "structure": 0.25, "answer": 0.5}
Reward = Callable[..., list[float]]
Completion = str | Sequence[Mapping[str, Any]]  # a text, or the messages of a chat


def outcome(
    completions: Sequence[Completion], *, grader: Grader | None = None, **columns: Any
) -> list[float]:
    """1 for each right answer, else 0."""
    return [float(verdict.exact_match) for _, _, verdict in _graded(completions, columns, grader)]


def process(
    completions: Sequence[Completion], *, grader: Grader | None = None, **columns: Any
) -> list[float]:
    """Share of the hops of each chain that are right before the first wrong one."""
    return [verdict.hop_accuracy for _, _, verdict in _graded(completions, columns, grader)]


def form(
    completions: Sequence[Completion], *, grader: Grader | None = None, **columns: Any
) -> list[float]:
    """1 for each completion in the form asked for, else 0."""
    return [float(verdict.format_ok) for _, _, verdict in _graded(completions, columns, grader)]


def composite(
    completions: Sequence[Completion],
    weights: Mapping[str, float] | None = None,
    *,
    grader: Grader | None = None,
    **columns: Any,
) -> list[float]:
    """The weighted mean of hops stated, hops right and answer right (see the module).

    Raises:
        UsageError: A weight is unknown, negative or no number, or none is positive.
    """
    weights = _checked_weights(weights or {})
    total = sum(weights.values())
    return [
        (
            weights["primitives"] * _hops_stated(text, record, grader)
            + weights["structure"] * verdict.hop_accuracy
            + weights["answer"] * verdict.exact_match
        )
        / total
        for text, record, verdict in _graded(completions, columns, grader)
    ]


def _checked_weights(weights: Mapping[str, float]) -> dict[str, float]:
    """The weights of the composite reward, with defaults for those that are not given."""
    for name, weight in weights.items():
        if name not in DEFAULT_WEIGHTS:
            raise UsageError(
                f"the composite reward has no weight {name!r}: {suggest(name, DEFAULT_WEIGHTS)}"
            )
        if not isinstance(weight, (int, float)) or not 0 <= weight < math.inf:
            raise UsageError(
                f"the weight {name!r} of the composite reward is {weight!r}; "
                "give a number of at least 0"
            )
    weights = {**DEFAULT_WEIGHTS, **weights}
    if not any(weights.values()):
        raise UsageError("all weights of the composite reward are 0; at least one must be positive")
    return weights


REWARDS: dict[str, Reward] = {
    "outcome": outcome,
    "process": process,
    "composite": composite,
    "format": form,
}


def make_rewards(
    weights: Mapping[str, float],
    options: Mapping[str, float] | None = None,
    end: Sequence[int] = (),
    grader: Grader | None = None,
) -> list[Reward]:
    """The rewards of a recipe, in its order, with the signature that TRL calls.

    Args:
        weights: Reward name -> its weight (TRL applies the weights; here only the names count).
        options: The inner weights of `composite`.
        end: Tokens that end a completion; if given, an unended completion earns 0.
        grader: The grader of the release that the questions are from.

    Raises:
        UsageError: There is no reward of that name.
    """
    rewards = []
    for name in weights:
        if name not in REWARDS:
            raise UsageError(f"there is no reward {name!r}: {suggest(name, REWARDS)}")
        arguments: dict[str, Any] = {"grader": grader}
        if name == "composite":
            arguments["weights"] = dict(options or {})
        rewards.append(_for_trl(name, arguments, frozenset(end)))
    return rewards


def _for_trl(name: str, arguments: Mapping[str, Any], end: frozenset[int]) -> Reward:
    """The reward called `name` with TRL's signature: texts or chats, token ids, and all columns."""
    reward = REWARDS[name]

    def call(
        completions: Sequence[Any],
        completion_ids: Sequence[Sequence[int]] | None = None,
        **columns: Any,
    ) -> list[float]:
        columns = {key: value for key, value in columns.items() if key in COLUMNS + OPTIONAL}
        values = reward(completions, **columns, **arguments)
        if end and completion_ids is not None:
            values = [
                value if len(ids) and ids[-1] in end else 0.0
                for value, ids in zip(values, completion_ids, strict=True)
            ]
        return values

    call.__name__ = name  # TRL logs a reward by its function's name
    return call


def compute_score(
    data_source: str,  # noqa: ARG001 - veRL's signature
    solution_str: Completion,
    ground_truth: Any,
    extra_info: Mapping[str, Any] | None = None,
    *,
    reward: str = "outcome",
    grader: Grader | None = None,
    **_: Any,
) -> float:
    """A reward with veRL's signature, for `custom_reward_function.path=<this file>`.

    Further keyword arguments are ignored.

    Args:
        data_source: Not used.
        solution_str: The completion.
        ground_truth: The answer.
        extra_info: The question's columns; `outcome` needs none of them.
        reward: One of REWARDS.
        grader: The grader of the release that the question is from.

    Raises:
        UsageError: There is no reward of that name.
    """
    if reward not in REWARDS:
        raise UsageError(f"there is no reward {reward!r}: {suggest(reward, REWARDS)}")
    record: dict[str, Any] = {
        "question": "",
        "context": "",
        "chain": "",
        "answer": ground_truth,
        "entities": [ground_truth],
        "path": [],
    }
    given = extra_info or {}
    record |= {name: given[name] for name in COLUMNS + OPTIONAL if given.get(name) is not None}
    columns = {name: [value] for name, value in record.items()}
    return REWARDS[reward]([solution_str], grader=grader, **columns)[0]


def text_of(completion: Completion | None) -> str:
    """The text that is graded: that of the last message if the completion is a chat.

    The content of a message is a text, or a list of parts of which those of type "text" count.
    """
    if completion is None or isinstance(completion, str):
        return completion or ""
    content = completion[-1].get("content") if completion else None
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(str(part.get("text", "")) for part in content if isinstance(part, Mapping))


def _graded(
    completions: Sequence[Completion],
    columns: Mapping[str, Sequence[Any]],
    grader: Grader | None,
) -> list[tuple[str, dict[str, Any], Grade]]:
    """Each completion with its record and its grade; UsageError if a column is missing."""
    missing = [name for name in COLUMNS if name not in columns]
    if missing:
        raise UsageError(
            f"a reward needs the column {missing[0]!r} of the questions; keep it in the data set"
        )
    graded = []
    for index, completion in enumerate(completions):
        record = {name: columns[name][index] for name in COLUMNS + OPTIONAL if name in columns}
        text = text_of(completion)
        graded.append((text, record, (grader or grader_for_record(record)).grade(text, record)))
    return graded


def _hops_stated(text: str, record: Mapping[str, Any], grader: Grader | None) -> float:
    """Share of the hops that the chain states, in any order and from either end."""
    grader = grader or grader_for_record(record)
    return grader.share_stated(split_answer(text).chain, record)
