"""What each arm was given on top of the arm that it begins from: steps, tokens, samples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from bioreason_bench.experiments.evidence import Evidence
from bioreason_bench.experiments.results import Line

UNMATCHED = 0.05  # relative difference above which budgets are not the same


@dataclass(frozen=True)
class Budget:
    """The stages that an arm adds to its base, mean over its runs; None where it is not recorded.

    Attributes:
        base: The arm that it begins from; "" for none, or for stages that all arms share.
        stages: Their kinds in order, such as ("rft", "rft", "rft").
        steps: Optimizer steps.
        tokens: Tokens with loss that they learnt.
        samples: Completions that they drew.
        minutes: Of training.
    """

    base: str
    stages: tuple[str, ...]
    steps: float | None
    tokens: float | None
    samples: float | None
    minutes: float


def budgets(evidence: Evidence) -> dict[str, Budget]:
    """Arm -> its budget, in the order of the report.

    Only one of the arms has trained the stages that all share, so these are left out, unless the
    arm has no other; so are those that an arm has trained in some of its runs only.
    """
    of_recipe = {run["arm"]: len(run["recipe"].get("stages", [])) for run in evidence.runs}
    shared = _shared([run["recipe"].get("stages", []) for run in evidence.runs])
    runs: dict[str, list[Line]] = defaultdict(list)
    for run in evidence.runs:
        runs[run["arm"]].append(run)
    found = {}
    for arm, of_arm in runs.items():
        base = evidence.bases.get(arm, "")
        first = of_recipe.get(base, shared if shared < of_recipe[arm] else 0)
        trained = [
            {stage.get("stage", first + 1): stage for stage in run.get("stages", [])}
            for run in of_arm
        ]
        numbers = [number for number in trained[0] if number > first]
        own = [
            [stages[number] for number in numbers if all(number in other for other in trained)]
            for stages in trained
        ]
        found[arm] = Budget(
            base,
            tuple(stage.get("kind", "?") for stage in own[0]),
            _mean(own, "steps"),
            _mean(own, "learnt_tokens"),
            _mean(own, "samples"),
            (_mean(own, "seconds") or 0.0) / 60,
        )
    return found


def _shared(recipes: Sequence[Sequence[Line]]) -> int:
    """With how many stages all begin."""
    return sum(1 for _ in takewhile(_are_equal, zip(*recipes, strict=False)))


def _are_equal(stages: Sequence[Line]) -> bool:
    return all(stage == stages[0] for stage in stages)


def _mean(runs: Sequence[Sequence[Line]], key: str) -> float | None:
    """Mean over runs of the sum of a field over stages; None if a stage does not have it."""
    values = [stage.get(key) for stages in runs for stage in stages]
    known = [value for value in values if isinstance(value, int | float)]
    return sum(known) / len(runs) if known and len(known) == len(values) else None


def unmatched(first: Budget, second: Budget) -> list[str]:
    """In what two arms with the same base differ, such as "100 and 50 steps"."""
    if first.base != second.base:
        return []
    pairs = {"steps": (first.steps, second.steps), "tokens learnt": (first.tokens, second.tokens)}
    return [
        f"{one:,.0f} and {other:,.0f} {name}"
        for name, (one, other) in pairs.items()
        if one is not None and other is not None and abs(one - other) > UNMATCHED * max(one, other)
    ]
