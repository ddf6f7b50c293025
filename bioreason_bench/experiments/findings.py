"""What the numbers of a report say: sentences computed from result lines by stated rules.

The signatures of failure are the paper's (arXiv 2512.01970).  Whether one arm is ahead of another
is decided by `comparisons.compare`, never by a margin.
"""

from __future__ import annotations

from collections.abc import Mapping

from bioreason_bench.escaping import markdown_code
from bioreason_bench.experiments.comparisons import Comparison, compare
from bioreason_bench.experiments.results import Lines

TRAP_IID, TRAP_ZEROSHOT = 85.0, 30.0  # memorisation trap: iid above, zeroshot below
CHAIN_GAP = 15.0  # points by which answers exceed whole chains if the chains are wrong
EARLY_ERRORS, BRIDGED = 0.6, 50.0  # no bridge: share of early errors above, zeroshot below
MASTERED = 90.0  # an atomic skill below this is called missing
FORGOTTEN = 10.0  # points of an atomic skill whose loss is worth a sentence
PASSK_GAIN = 0.05  # a gain at k = 1 below this is none
ZEROSHOT = "comp_zeroshot"


def percent(lines: Lines, config: str, metric: str = "exact_match") -> float | None:
    """Mean over the seeds of a metric on a test set, in percent; None if it was not measured."""
    values = [line[metric] for line in lines if line["config"] == config]
    return 100 * sum(values) / len(values) if values else None


def signatures(arms: Mapping[str, Lines], bases: Mapping[str, str]) -> list[str]:
    """One sentence for each signature that an arm shows, and for each gain from GRPO.

    Args:
        arms: Result lines of each arm.
        bases: Arm -> the arm whose model it was trained from.
    """
    sentences: list[str] = []
    for arm, lines in arms.items():
        sentences += [
            memorisation_trap(arm, lines),
            wrong_chains(arm, lines),
            no_bridge(arm, lines),
        ]
        base = bases.get(arm, "")
        if base in arms:
            if arm.endswith("_grpo"):
                sentences.append(grpo_gain(base, arms[base], lines))
            sentences += [
                forgetting(arm, lines, base, arms[base], f"{skill}_iid") for skill in ("mem", "ctx")
            ]
    return [sentence for sentence in sentences if sentence]


def memorisation_trap(arm: str, lines: Lines) -> str:
    """A sentence if the arm is nearly perfect on iid and fails on zeroshot, else ""."""
    iid, zeroshot = percent(lines, "comp_iid"), percent(lines, ZEROSHOT)
    if iid is None or zeroshot is None or iid <= TRAP_IID or zeroshot >= TRAP_ZEROSHOT:
        return ""
    return (
        f"Memorisation trap: {markdown_code(arm)} answers {iid:.0f} % on iid, "
        f"{zeroshot:.0f} % on zeroshot."
    )


def wrong_chains(arm: str, lines: Lines) -> str:
    """A sentence if many right answers on zeroshot come with wrong chains, else ""."""
    answers, chains = percent(lines, ZEROSHOT), percent(lines, ZEROSHOT, "process_verified")
    if answers is None or chains is None or answers - chains <= CHAIN_GAP:
        return ""
    return (
        f"Right answers with wrong chains: {markdown_code(arm)} has {answers:.0f} % of the answers "
        f"and {chains:.0f} % of the whole chains on zeroshot."
    )


def no_bridge(arm: str, lines: Lines) -> str:
    """A sentence if most chains on zeroshot break in their first half, else ""."""
    early, zeroshot = early_errors(lines), percent(lines, ZEROSHOT)
    if early is None or early <= EARLY_ERRORS or zeroshot is None or zeroshot >= BRIDGED:
        return ""
    return (
        f"No bridge from memory to context: {100 * early:.0f} % of the first errors of "
        f"{markdown_code(arm)} on zeroshot are in the first half of the chain."
    )


def early_errors(lines: Lines, config: str = ZEROSHOT) -> float | None:
    """The share of first errors that are in the first half of the chain; None without errors."""
    early = total = 0
    for line in lines:
        if line["config"] != config:
            continue
        for position, count in line.get("first_error", {}).items():  # "0/3": first hop of three
            hop, hops = (int(number) for number in position.split("/"))
            total += count
            early += count * (hop < hops / 2)
    return early / total if total else None


def grpo_gain(base: str, before: Lines, after: Lines) -> str:
    """What GRPO adds on zeroshot to the arm `base`, and why if it is not ahead; "" if unknown."""
    gap = compare(before, after, ZEROSHOT)
    if gap is None:
        return ""
    if gap.verdict == "ahead":
        return f"GRPO is ahead of its base {markdown_code(base)} on zeroshot: {gap}."
    if gap.verdict == "behind":
        return (
            f"GRPO is behind its base {markdown_code(base)} on zeroshot: {gap}; {_atoms(before)}."
        )
    return (
        f"Undecided whether GRPO helps {markdown_code(base)} on zeroshot: {gap}; {_atoms(before)}."
    )


def _atoms(lines: Lines) -> str:
    """Whether an arm masters the two atomic skills."""
    skills = {skill: percent(lines, f"{skill}_iid") for skill in ("mem", "ctx")}
    values = ", ".join(
        f"{skill} not measured" if value is None else f"{skill} {value:.0f} %"
        for skill, value in skills.items()
    )
    if any(value is not None and value < MASTERED for value in skills.values()):
        return f"an atomic skill is missing ({values})"
    return f"no atomic skill is missing ({values})"


def forgetting(arm: str, after: Lines, base: str, before: Lines, config: str) -> str:
    """A sentence if an arm has lost much of an atomic skill that its base had, else ""."""
    gap = compare(before, after, config)
    now, then = percent(after, config), percent(before, config)
    if gap is None or now is None or then is None or then - now <= FORGOTTEN:
        return ""
    if gap.has_interval and gap.verdict != "behind":
        return ""
    return (
        f"Forgetting: {markdown_code(arm)} answers {now:.0f} % on {config}, "
        f"its base {markdown_code(base)} {then:.0f} %: {gap}."
    )


def control_sentence(arms: Mapping[str, Lines]) -> str:
    """How the control without RL compares with GRPO on zeroshot; "" if one of them was not run."""
    base, grpo, control = (
        arms.get(arm, ()) for arm in ("sft_mem_ctx", "sft_mem_ctx_grpo", "sft_mem_ctx_sft")
    )
    start = percent(base, ZEROSHOT)
    gap = compare(control, grpo, ZEROSHOT)
    if start is None or gap is None:
        return ""
    return (
        f"SFT(mem+ctx) answers {start:.0f} % on zeroshot. GRPO takes it to {_reached(grpo)}; "
        "the control, SFT on the gold chains of the same prompts, takes it to "
        f"{_reached(control)}. {_control_verdict(gap)}"
    )


def _reached(lines: Lines) -> str:
    """In the form "83 % (whole chains 78 %)"."""
    answers, chains = percent(lines, ZEROSHOT), percent(lines, ZEROSHOT, "process_verified")
    return f"{answers:.0f} % (whole chains {chains:.0f} %)"


def _control_verdict(gap: Comparison) -> str:
    """What the difference GRPO - control decides."""
    if gap.verdict == "ahead":
        return f"GRPO is ahead of the control: {gap}. RL adds something of its own here."
    if gap.verdict == "behind":
        return f"GRPO is behind the control: {gap}. RL is not the only way from the atomic skills."
    return f"Undecided whether GRPO is ahead of the control: {gap}."


def passk_reading(base: Mapping[str, float], trained: Mapping[str, float]) -> str:
    """What two pass@k curves (k -> share) say, by the rule of `passk_rule`.

    Returns:
        "no gain", "amplification", "synthesis", "between" or "saturated".
    """
    first, last = "1", str(max(map(int, base)))
    gain, left = trained[first] - base[first], trained[last] - base[last]
    if gain < PASSK_GAIN:
        return "no gain"
    if left < 0.25 * gain:
        return "saturated" if base[last] > 0.97 else "amplification"
    return "synthesis" if left > 0.5 * gain else "between"


def passk_rule() -> str:
    """The rule of `passk_reading` in words."""
    return (
        "Reading: the gain at k = 1 is compared with the gain at the largest k. "
        f"No gain: under {100 * PASSK_GAIN:.0f} points at k = 1. "
        "Amplification: less than a quarter of it is left at the largest k (the curves merge). "
        "Synthesis: more than half of it is left (they stay apart). Between: neither. "
        "Saturated: the base solves nearly everything at the largest k, so the questions are too "
        "easy to tell."
    )


def rules() -> str:
    """The rules behind the sentences of a report."""
    return (
        f"Rules behind the sentences. Memorisation trap: iid over {TRAP_IID:.0f} % and zeroshot "
        f"under {TRAP_ZEROSHOT:.0f} %. Wrong chains: answers more than {CHAIN_GAP:.0f} points "
        f"above whole chains. No bridge: over {100 * EARLY_ERRORS:.0f} % of first errors in the "
        f"first half of the chain and zeroshot under {BRIDGED:.0f} %. Missing skill: under "
        f"{MASTERED:.0f} %. Forgetting: a loss of more than {FORGOTTEN:.0f} points. "
        "An arm is ahead or behind if the 95 % interval of the paired difference excludes 0. "
        "The pairs are questions, clustered by seed and start person, where every verdict is on "
        "disk; else the seeds (t-interval), of which at least three are needed."
    )
