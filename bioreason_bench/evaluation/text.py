"""Summaries of answers as text, for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bioreason_bench.escaping import shortened, visible
from bioreason_bench.evaluation.depths import depth_name, length_name

__all__ = ["render"]

MOST_PATTERNS = 6  # in one line
REPEATED = (
    "pass@k for k > 1 is not told: the samples of a question are one sample repeated; sample with "
    "a temperature above 0 and a seed for each (docs/evaluation.md, pass@k)"
)
HEAD = f"{'task':32}{'questions':>10}  {'answer':22}{'answer and chain':22}{'hops':8}gated"
Record = Mapping[str, Any]


def render(records: Iterable[Record]) -> str:
    """The records of `summarise` as text: in percent, with 95 % intervals."""
    lines: list[str] = []
    model = None
    for record in records:
        if record["model"] != model:
            model = record["model"]
            lines += ["", f"{shortened(model, 80)}  (percent, 95 % intervals by person)", HEAD]
        if record["variant"] == "passk":
            lines.append(_sampled_line(record))
            if record["samples_repeated"]:
                lines.append(f"    {REPEATED}")
        else:
            lines.append(_scored_line(record))
            lines += [f"    {detail}" for detail in _details(record)]
            if "by_length" in record:
                lines += [f"    {row}" for row in _lengths_and_depths(record)]
    return "\n".join(map(visible, lines[1:]))


def _task(record: Record) -> str:
    return "_".join(part for part in (record["skill"], record["level"], record["variant"]) if part)


def _sampled_line(record: Record) -> str:
    last = max(map(int, record["pass"]))
    cells = [f"pass@{k} {_cell(record['pass'][str(k)])}" for k in dict.fromkeys((1, last))]
    return f"{_task(record):32}{record['questions']:>10}  {'   '.join(cells)}"


def _scored_line(record: Record) -> str:
    answer, chain = _cell(record.get("exact_match")), _cell(record.get("process_verified"))
    hops = f"{100 * record['hop_accuracy']['value']:.1f}" if "hop_accuracy" in record else "-"
    return (
        f"{_task(record):32}{record['questions']:>10}  "
        f"{answer:22}{chain:22}{hops:8}{_gated(record.get('gated'))}"
    )


def _details(record: Record) -> list[str]:
    """The lines below a task: scores of its own, breakdowns, first errors."""
    details = [
        f"{name}: {_cell(record[key])}"
        for key, name in (
            ("pair_accuracy", "both of a pair right"),
            ("follows_context", "follows the context"),
        )
        if key in record
    ]
    if (cut := record.get("truncated")) and cut["value"]:
        details.append(
            f"truncated: {_cell(cut)}: these completions ended in a thought; {_remedy(record)}"
        )
    if record.get("gated"):
        details.append(
            f"gated: {_gated(record['gated'])} = right among the questions whose hops are all "
            "answered one by one (probes), and the share of such questions"
        )
    for key, parts in record["by"].items():
        if key == "pattern" and record["skill"] != "comp":
            continue
        shown = _common(parts) if key == "pattern" else parts
        cells = [
            f"{_word(part[key])} {100 * part['value']:.1f} ({part['questions']})" for part in shown
        ]
        if more := len(parts) - len(shown):
            cells.append(f"and {more} rarer ones (--json has all)")
        details.append(f"by {key.replace('_', ' ')}: {'   '.join(cells)}")
    if errors := record["first_errors"]:
        details.append(f"first error: {_shares(errors['kind'])}; {_shares(errors['group'])}")
    return details


def _lengths_and_depths(record: Record) -> list[str]:
    """A row for each depth, a column for each length of the context."""
    rows = {"any depth": {part["length"]: part for part in record["by_length"]}}
    for part in record["by_length_and_depth"]:
        rows.setdefault(depth_name(part["depth"]), {})[part["length"]] = part
    lengths = [part["length"] for part in record["by_length"]]
    head = "".join(f"{length_name(length):>15}" for length in lengths)
    title = "by length of the context in tokens, and depth of the biographies that are read"
    lines = [title, f"{'':12}{head}"]
    for name, parts in rows.items():
        cells = "".join(f"{_rounded(parts.get(length)):>15}" for length in lengths)
        lines.append(f"{name:12}{cells}")
    return lines


def _rounded(score: Record | None) -> str:
    """A score with its interval in whole numbers: 83 [71, 92]."""
    if not score:
        return "-"
    value = f"{100 * score['value']:.0f}"
    if score["low"] is None:
        return value
    return f"{value} [{100 * score['low']:.0f}, {100 * score['high']:.0f}]"


def _remedy(record: Record) -> str:
    """What to do about truncated completions."""
    if "chat" in record["variant"]:
        return "give more tokens, such as --gen_kwargs max_gen_toks=32768"
    return "ask reasoning models by the chat variant of the task"


def _common(parts: Sequence[Record]) -> list[Record]:
    """The most frequent parts, in the order given."""
    common = sorted(parts, key=lambda part: -part["questions"])[:MOST_PATTERNS]
    return [part for part in parts if part in common]


def _shares(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {100 * share:.0f} %" for name, share in shares.items())


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value == "" else str(value)


def _cell(score: Record | None) -> str:
    if not score:
        return "-"
    interval = ""
    if score["low"] is not None:
        interval = f" [{100 * score['low']:.1f}, {100 * score['high']:.1f}]"
    return f"{100 * score['value']:.1f}{interval}"


def _gated(score: Record | None) -> str:
    if not score:
        return "-"
    value = "-" if score["value"] is None else f"{100 * score['value']:.1f}"
    return f"{value} of {100 * score['share']:.0f} %"
