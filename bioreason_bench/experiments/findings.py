"""What the numbers of a run say, by stated rules: the failure signatures of the paper, in plain words.

Shares are percent; `iid`, `composition`, `zeroshot` are answers on the `comp` levels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

TRAP_IID, TRAP_ZEROSHOT = 85.0, 30.0  # memorisation trap: I.I.D. above, zero-shot below
RL_GAIN = 5.0  # points of zero-shot below which RL is said to add nothing
ATOMS = 90.0  # an atomic skill below this is called missing

Lines = Sequence[Mapping[str, Any]]


def percent(lines: Lines, config: str, metric: str = "exact_match") -> float | None:
    """Mean over the seeds of a metric on a test set, in percent; None where it was not measured."""
    values = [line[metric] for line in lines if line["config"] == config]
    return 100 * sum(values) / len(values) if values else None


def signatures(arms: Mapping[str, Lines], bases: Mapping[str, str]) -> list[str]:
    """One sentence for every signature that some arm shows; `bases` says which arm another one went on from."""
    found = []
    for arm, lines in arms.items():
        iid, zero = percent(lines, "comp_iid"), percent(lines, "comp_zeroshot")
        if iid is not None and zero is not None and iid > TRAP_IID and zero < TRAP_ZEROSHOT:
            found.append(f"memorisation trap: {arm}, I.I.D. {iid:.0f}, zero-shot {zero:.0f}")
        chains = percent(lines, "comp_zeroshot", "process_verified")
        if zero is not None and chains is not None and zero - chains > 15:
            found.append(
                f"right answers by wrong chains: {arm}, zero-shot answers {zero:.0f}, whole chains {chains:.0f}"
            )
        early = early_errors(lines)
        if early is not None and early > 0.6 and zero is not None and zero < 50:
            where = f"{100 * early:.0f} % of first errors on zero-shot fall in the first half of the chain"
            found.append(f"no bridge from memory to context: {arm}, {where}")
        base = bases.get(arm, "")
        if base in arms and arm.endswith("_grpo"):
            before = percent(arms[base], "comp_zeroshot")
            if zero is not None and before is not None and zero - before < RL_GAIN:
                atoms = [percent(arms[base], config) for config in ("mem_iid", "ctx_iid")]
                missing = any(value is not None and value < ATOMS for value in atoms)
                why = (
                    f"an atomic skill is missing (mem {atoms[0]:.0f}, ctx {atoms[1]:.0f})"
                    if missing
                    else "though the atomic skills are there"
                )
                found.append(
                    f"RL adds {round(zero - before) + 0:+d} points of zero-shot to {base}: {why}"
                )
        for skill in ("mem", "ctx"):
            before, after = (
                percent(arms.get(base, ()), f"{skill}_iid"),
                percent(lines, f"{skill}_iid"),
            )
            if before is not None and after is not None and before - after > 10:
                found.append(f"forgetting: {arm} has {skill} {after:.0f}, before {before:.0f}")
    return found


def of_seed(lines: Lines, seed: int) -> list[Mapping[str, Any]]:
    return [line for line in lines if line["seed"] == seed]


def early_errors(lines: Lines, config: str = "comp_zeroshot") -> float | None:
    """Share of first errors that fall in the first half of the chain."""
    early = total = 0
    for line in lines:
        if line["config"] == config:
            for place, count in line.get("first_error", {}).items():
                hop, hops = (int(part) for part in place.split("/"))
                total += count
                early += count * (hop < hops / 2)
    return early / total if total else None


def control_sentence(arms: Mapping[str, Lines]) -> str:
    """What the control without RL says about the gain from GRPO; empty where it was not run."""
    names = ("sft_mem_ctx", "sft_mem_ctx_grpo", "sft_mem_ctx_sft")
    base, grpo, control = (percent(arms.get(name, ()), "comp_zeroshot") for name in names)
    if base is None or grpo is None or control is None:
        return ""
    chains = [percent(arms[name], "comp_zeroshot", "process_verified") for name in names[1:]]
    seeds = sorted(
        {line["seed"] for line in arms[names[1]]} & {line["seed"] for line in arms[names[2]]}
    )
    gaps = [
        percent(of_seed(arms[names[2]], seed), "comp_zeroshot")
        - percent(of_seed(arms[names[1]], seed), "comp_zeroshot")
        for seed in seeds
    ]
    as_much = sum(gap > -RL_GAIN for gap in gaps)
    many = f"in all {len(gaps)} seeds" if len(gaps) > 1 else "in the one seed run"
    if as_much == len(gaps):
        why = "so the atomic skills are the prerequisite and RL is not the only way from there"
        verdict = f"{many} plain SFT reaches as much (within {RL_GAIN:.0f} points), {why}"
    elif as_much == 0:
        verdict = f"{many} plain SFT reaches less, so RL adds something of its own here"
    else:
        verdict = f"plain SFT reaches as much (within {RL_GAIN:.0f} points) in {as_much} of {len(gaps)} seeds and less in the others"
    return (
        f"From SFT(mem+ctx), zero-shot {base:.0f} %, GRPO reaches {grpo:.0f} % (chains {chains[0]:.0f} %), "
        f"SFT on the gold chains of the very same prompts {control:.0f} % (chains {chains[1]:.0f} %): {verdict}."
    )
