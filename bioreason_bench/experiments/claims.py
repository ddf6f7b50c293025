"""Claims: which of two arms is ahead, decided by one test over worlds and worded by it.

A study states its claims before it is run, as a list in its YAML file:

    claims:
      - text: reward adds more than imitation
        first: sft_mem_ctx+gold       # what is compared with
        second: sft_mem_ctx+grpo      # what the claim is about
        config: comp_zeroshot         # the default
        metric: process_verified      # the default: whole chains; exact_match for answers
        first_config: comp_iid        # only if `first` is taken on another test set

The primary test is the paired t-test of second - first over worlds, with Holm's correction over the
claims of the study; equivalence is tested with a margin of 5 points.  The interval over all
questions, clustered by person and unseen relation, stands beside it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from bioreason_bench.experiments.evidence import Evidence, controls_of, start_of_rl
from bioreason_bench.experiments.rewards import does_not_count
from bioreason_bench.statistics import (
    LEAST_WORLDS,
    Estimate,
    PairedDifference,
    holm,
    paired_difference,
    pooled_difference,
)

__all__ = [
    "CHAINS",
    "MARGIN",
    "ZEROSHOT",
    "Claim",
    "Finding",
    "claims_of",
    "compare",
    "findings_of",
    "judge",
    "pooled",
]

MARGIN = 0.05  # differences up to this one count as none; stated before any run
ALPHA = 0.05  # of each test, after Holm's correction
ZEROSHOT = "comp_zeroshot"
CHAINS = "process_verified"

Verdict = Literal["ahead", "behind", "equivalent within 5 points", "undecided", "no claim"]


@dataclass(frozen=True)
class Claim:
    """Two things to compare, as a study's YAML states them.

    Attributes:
        first: The arm that is compared with.
        second: The arm that the claim is about, and that may be ahead.
        config: The test set.
        metric: "process_verified" (whole chains) or "exact_match" (answers).
        text: The claim in words.
        first_config: The test set of the first arm, if it is another.
    """

    first: str
    second: str
    config: str = ZEROSHOT
    metric: str = CHAINS
    text: str = ""
    first_config: str = ""

    @property
    def configs(self) -> tuple[str, str]:
        """The test sets of the first and of the second arm."""
        return self.first_config or self.config, self.config


@dataclass(frozen=True)
class Finding:
    """What the evidence says about a claim.

    Attributes:
        claim: What was compared.
        test: The paired difference over worlds; None if no world has both.
        pooled: The difference over all questions; None without verdicts on the same questions.
        p: p of the test, after Holm's correction; NaN if there is none.
        p_equivalent: p of equivalence, after Holm's correction.
        excluded: Why nothing is claimed, in half a sentence: an arm does not count, or the test
            set is too hard or too easy for both; "" if there is no such reason.
    """

    claim: Claim
    test: PairedDifference | None
    pooled: Estimate | None
    p: float
    p_equivalent: float
    excluded: str

    @property
    def verdict(self) -> Verdict:
        """What may be said; "ahead" goes before "equivalent" if both tests reject."""
        if self.test is None or self.test.worlds < LEAST_WORLDS or self.excluded:
            return "no claim"
        if self.p < ALPHA:
            return "ahead" if self.test.value > 0 else "behind"
        return "equivalent within 5 points" if self.p_equivalent < ALPHA else "undecided"


def claims_of(evidence: Evidence) -> list[Claim]:
    """The claims that the study states; without a study, each arm of RL against base and control.

    Those are the comparisons on zero-shot whole chains of an arm ending in "+grpo" with the arm
    that it was trained from, and with those that have "+gold" in place of "+grpo".
    """
    if evidence.study:
        return [Claim(**claim) for claim in evidence.study.get("claims", ())]
    return list(_usual_claims(evidence))


def _usual_claims(evidence: Evidence) -> Iterator[Claim]:
    test_set = evidence.zeroshot
    for arm in evidence.arms:
        start = start_of_rl(arm)
        if start is None:
            continue
        base = evidence.bases.get(arm, start)
        if base in evidence.arms:
            yield Claim(base, arm, test_set, text="GRPO adds to the arm that it begins from")
        for control in controls_of(start, evidence.arms):
            text = "GRPO adds more than SFT on gold chains of its prompts"
            yield Claim(control, arm, test_set, text=text)


@lru_cache(maxsize=1)
def findings_of(evidence: Evidence) -> list[Finding]:
    """What the evidence says about its claims; kept for the parts of one report."""
    return judge(claims_of(evidence), evidence)


def judge(claims: Sequence[Claim], evidence: Evidence) -> list[Finding]:
    """Test all claims of a study together."""
    reasons = does_not_count(evidence)
    tests = [compare(claim, evidence) for claim in claims]
    excluded = [_excluded(claim, reasons) or _at_an_end(claim, evidence) for claim in claims]
    usable = [
        test if test is not None and not reason else None
        for test, reason in zip(tests, excluded, strict=True)
    ]
    ps = _corrected([test.p if test else math.nan for test in usable])
    equivalents = _corrected([test.p_equivalent if test else math.nan for test in usable])
    return [
        Finding(claim, test, pooled(claim, evidence), p, equivalent, reason)
        for claim, test, p, equivalent, reason in zip(
            claims, tests, ps, equivalents, excluded, strict=True
        )
    ]


def _corrected(ps: Sequence[float]) -> list[float]:
    """Holm's correction over all claims of a study, those that cannot be decided (NaN) as well.

    Otherwise whether a claim is decided would depend on what became of the others.
    """
    adjusted = holm([1.0 if math.isnan(p) else p for p in ps])
    return [math.nan if math.isnan(p) else q for p, q in zip(ps, adjusted, strict=True)]


def compare(claim: Claim, evidence: Evidence) -> PairedDifference | None:
    """The difference second - first over the worlds that have both; None if there is none."""
    first, second = _scores(claim, evidence)
    return paired_difference(second, first, margin=MARGIN) if first else None


def _scores(claim: Claim, evidence: Evidence) -> tuple[list[float], list[float]]:
    """The scores of the first and of the second arm in the worlds that have both."""
    first, second = (
        evidence.by_world(arm, config, claim.metric)
        for arm, config in zip((claim.first, claim.second), claim.configs, strict=True)
    )
    worlds = sorted(first.keys() & second.keys())
    return [first[world] for world in worlds], [second[world] for world in worlds]


def _excluded(claim: Claim, reasons: Mapping[str, str]) -> str:
    """Which of the two arms do not count, and why; "" if both do."""
    ours = dict.fromkeys(reasons[arm] for arm in (claim.first, claim.second) if arm in reasons)
    return f"an arm does not count: {'; '.join(ours)}" if ours else ""


def _at_an_end(claim: Claim, evidence: Evidence) -> str:
    """Why two arms would be equivalent whatever they had learnt; "" if they would not.

    If both are within the margin of 0, or of 1, no difference beyond it is possible.
    """
    means = [sum(scores) / len(scores) for scores in _scores(claim, evidence) if scores]
    percent = f"{100 * MARGIN:.0f} %"
    if means and max(means) <= MARGIN:
        return f"both arms have at most {percent}, and so cannot differ by more"
    if means and min(means) >= 1 - MARGIN:
        return f"both arms are within {percent} of 100 %, and so cannot differ by more"
    return ""


def pooled(claim: Claim, evidence: Evidence) -> Estimate | None:
    """The same over the questions of all worlds; None if a world lacks its verdicts.

    Questions are clustered by start person (of a world) and, where there are any, by unseen
    relation, which is the same word in all worlds.
    """
    if claim.configs[0] != claim.configs[1]:
        return None
    sides = [
        {line["seed"]: part for line, part in evidence.parts(arm, claim.config)}
        for arm in (claim.second, claim.first)
    ]
    seeds = {
        line["seed"]
        for arm in (claim.first, claim.second)
        for line in evidence.of(arm, claim.config)
    }
    if not seeds or any(seed not in side for seed in seeds for side in sides):
        return None
    scores: tuple[list[float], list[float]] = ([], [])
    people: list[tuple[Any, ...]] = []
    relations: list[tuple[str, ...]] = []
    for seed in sorted(seeds):
        ours, theirs = (side[seed] for side in sides)
        if ours.questions.id != theirs.questions.id:
            return None
        for into, part in zip(scores, (ours, theirs), strict=True):
            into += part.right(claim.metric).astype(float).tolist()
        people += [((seed, start),) for start in ours.questions.start]
        relations += ours.questions.unseen
    kinds = [people, relations] if any(relations) else [people]
    return pooled_difference(*scores, *kinds)
