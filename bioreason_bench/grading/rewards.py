"""Rewards: pure functions over the package's one grader, for TRL, veRL, or any loop.

outcome     1 if the final answer is right, else 0 (the paper's reward)
process     share of the chain's hops that are right before the first wrong one
format      1 if the text has the form that was asked for: facts in readable sentences, one "the answer is:", an end
composite   our own (the papers that use such a reward do not give theirs), with weights p, s, a that sum to 1 after scaling:

                p * (relations of the path that the chain names, in any order, / hops)
              + s * (hops right before the first wrong one / hops)
              + a * (the answer is right)

A text that never ended (no end token within the limit) earns nothing: what stands in it is not an answer yet.

    outcome(completions, entities=[...], path=[...], ...)      columns of a question, one value a completion
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bioreason_bench.errors import UsageError
from bioreason_bench.grading.grader import Grade, Grader, grade
from bioreason_bench.language.answer import MARKER

__all__ = ["REWARDS", "composite", "compute_score", "form", "make_rewards", "outcome", "process"]

COLUMNS = ("question", "context", "chain", "answer", "entities", "path")
DEFAULT_WEIGHTS = {"primitives": 0.25, "structure": 0.25, "answer": 0.5}


def outcome(completions: Sequence[str], **columns: Any) -> list[float]:
    return [float(verdict.exact_match) for verdict in _grades(completions, columns)]


def process(completions: Sequence[str], **columns: Any) -> list[float]:
    return [verdict.hop_accuracy for verdict in _grades(completions, columns)]


def form(completions: Sequence[str], **columns: Any) -> list[float]:
    return [float(verdict.format_ok) for verdict in _grades(completions, columns)]


def composite(
    completions: Sequence[str], weights: Mapping[str, float] | None = None, **columns: Any
) -> list[float]:
    given = {**DEFAULT_WEIGHTS, **(weights or {})}
    total = sum(given.values())
    if total <= 0:
        raise UsageError(
            f"the weights of the composite reward sum to {total}; at least one must be positive"
        )
    return [
        (
            given["primitives"] * _named(text, record, columns.get("grader"))
            + given["structure"] * verdict.hop_accuracy
            + given["answer"] * verdict.exact_match
        )
        / total
        for text, record, verdict in zip(
            completions,
            _records(columns, len(completions)),
            _grades(completions, columns),
            strict=True,
        )
    ]


REWARDS: dict[str, Callable[..., list[float]]] = {
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
) -> list[Callable[..., list[float]]]:
    """The rewards named in a recipe, in its order, as TRL calls them.

    Args:
        weights: Names of the rewards; only the names are used.
        options: Weights inside the composite reward.
        end: Ids of the tokens that end a completion; one without them earns 0.
        grader: That of the release; default: one that knows the built-in relations only.
    """
    made = []
    for name in weights:
        if name not in REWARDS:
            raise UsageError(f"there is no reward {name!r}; choose from {', '.join(REWARDS)}")
        fixed: dict[str, Any] = {"grader": grader} if grader else {}
        if name == "composite":
            fixed["weights"] = dict(options or {})
        made.append(_for_trl(name, REWARDS[name], fixed, frozenset(end)))
    return made


def _for_trl(
    name: str,
    reward: Callable[..., list[float]],
    fixed: Mapping[str, Any],
    end: frozenset[int],
) -> Callable[..., list[float]]:
    def call(
        completions: Sequence[Any],
        completion_ids: Sequence[Sequence[int]] | None = None,
        **columns: Any,
    ) -> list[float]:
        texts = [text if isinstance(text, str) else text[-1]["content"] for text in completions]
        columns = {key: value for key, value in columns.items() if key in COLUMNS}
        values = reward(texts, **columns, **fixed)
        if end and completion_ids is not None:
            values = [
                value if len(ids) and ids[-1] in end else 0.0
                for value, ids in zip(values, completion_ids, strict=True)
            ]
        return values

    call.__name__ = name
    return call


def compute_score(
    data_source: str,  # noqa: ARG001 - veRL's signature
    solution_str: str,
    ground_truth: Any,
    extra_info: Mapping[str, Any] | None = None,
) -> float:
    """VeRL's signature: `custom_reward_function.path=<this file>`; outcome, with the question's columns in `extra_info`."""
    record = dict(extra_info or {})
    record.setdefault("answer", ground_truth)
    for key, empty in (
        ("question", ""),
        ("context", ""),
        ("chain", ""),
        ("entities", [ground_truth]),
        ("path", []),
    ):
        record.setdefault(key, empty)
    return float(grade(solution_str, record).exact_match)


def _records(columns: Mapping[str, Sequence[Any]], size: int) -> list[dict[str, Any]]:
    missing = [name for name in COLUMNS if name not in columns]
    if missing:
        raise UsageError(
            f"a reward needs the column {missing[0]!r} of the questions; keep it in the data set"
        )
    return [{name: columns[name][row] for name in COLUMNS} for row in range(size)]


def _grades(completions: Sequence[str], columns: Mapping[str, Sequence[Any]]) -> list[Grade]:
    grader: Grader | None = columns.get("grader")  # type: ignore[assignment]
    verdict = grader.grade if grader else grade
    return [
        verdict(text, record)
        for text, record in zip(completions, _records(columns, len(completions)), strict=True)
    ]


def _named(text: str, record: Mapping[str, Any], grader: Any = None) -> float:
    """Share of the path's relations that some readable sentence of the chain states."""
    from bioreason_bench.grading.grader import grader_for

    grader = grader or grader_for("symbols" if record["question"].endswith(" ?") else "english")
    facts, _ = grader._read(text.rpartition(MARKER)[0])
    said = {fact[1] for fact in facts if fact}
    said |= {row.inverse for name in said if (row := grader._relations.get(name)) and row.inverse}
    return sum(name in said for name in record["path"]) / max(1, len(record["path"]))
