"""Reading what the harness wrote: one row for each question answered, and the tables that a reader asks for.

answers = read_results("OUT")           # bioreason eval ... --output_path OUT
by(answers, "skill", "level")           # means with person-clustered intervals
summarise(answers)                      # all of it, as plain JSON values
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioreason_bench.config import LEVELS, SKILLS
from bioreason_bench.errors import ReleaseError, UsageError
from bioreason_bench.evaluation.harness.names import BEYOND, VARIANTS, parse
from bioreason_bench.statistics import Estimate, clustered, gate, pass_at_k, powers_of_two

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "METRICS",
    "by",
    "estimate",
    "first_errors",
    "gated",
    "has_results",
    "pairs",
    "pass_curve",
    "read_results",
    "summarise",
]

METRICS = ("exact_match", "process_verified", "hop_accuracy", "format_rate", "follows_context")
BREAKDOWNS = ("hops", "pattern", "unseen_group", "direction_seen", "altered")
_FILE = re.compile(r"samples_(?P<task>bioreason\w*?)_(?P<date>\d{4}-\d\d-\d\dT[\d.-]+)\.jsonl")
_ORDER = {"skill": SKILLS, "level": (*LEVELS, *BEYOND), "variant": ("", *VARIANTS)}


def has_results(folder: str | Path) -> bool:
    """Are there sample logs of our tasks below the folder?"""
    return any(
        _FILE.fullmatch(path.name) for path in Path(folder).rglob("samples_bioreason*.jsonl")
    )


def read_results(folder: str | Path) -> pd.DataFrame:
    """A row for each question answered, from the latest sample log of each model and task below `folder`.

    Columns: model, task, variant, skill, level, id, start (the person the question starts from), source (where the questions
    come from), hops, pattern, unseen_group, direction_seen, altered, pair, probe_of, the METRICS (nan where a task has not
    that one), first_error, error_kind, failed_group, and for pass@k samples, right, process_right.
    Raises UsageError or ReleaseError where there is nothing to read.
    """
    import pandas as pd

    folder = Path(folder)
    if not folder.exists():
        raise UsageError(f"there is no folder {folder}; give the --output_path of a bioreason eval")
    latest: dict[tuple[Path, str], tuple[str, Path]] = {}
    for path in sorted(folder.rglob("samples_bioreason*.jsonl")):
        if found := _FILE.fullmatch(path.name):
            latest[path.parent, found["task"]] = max(
                latest.get((path.parent, found["task"]), ("", path)), (found["date"], path)
            )
    if not latest:
        raise UsageError(
            f"{folder} holds no answers (samples_bioreason_*.jsonl); run bioreason eval ... --output_path {folder}"
        )
    rows = [
        row
        for (_, task), (_, path) in sorted(latest.items())
        for row in _rows(path, task, _model(path, folder))
    ]
    if not rows:
        raise ReleaseError(f"the logs of answers in {folder} are empty; run bioreason eval again")
    return pd.DataFrame(rows)


def _model(path: Path, folder: Path) -> str:
    """The model's name: what the harness's own results file beside the log says, else the name of its folder."""
    for file in sorted(path.parent.glob("results_*.json"), reverse=True):
        try:
            name = json.loads(file.read_text(encoding="utf-8")).get("model_name")
        except (OSError, ValueError):
            continue
        if name:
            return str(name)
    return path.parent.name if path.parent != folder else folder.resolve().name


def _rows(path: Path, task: str, model: str) -> Iterator[dict[str, Any]]:
    name = parse(task)
    if name is None or not name.leaf:
        return
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                sample = json.loads(line)
                doc = sample["doc"]
                yield {
                    "model": model,
                    "task": task,
                    "variant": name.variant,
                    "skill": name.skill,
                    "level": name.level,
                    "id": doc["id"],
                    "start": doc["entities"][0],
                    "source": doc.get("source", ""),
                    "hops": doc["hops"],
                    "pattern": doc["pattern"],
                    "unseen_group": doc.get("unseen_group", ""),
                    "direction_seen": doc.get("direction_seen"),
                    "altered": doc.get("altered"),
                    "pair": doc.get("pair", ""),
                    "probe_of": doc.get("probe_of", []),
                    **{metric: float(sample.get(metric, math.nan)) for metric in METRICS},
                    **{
                        key: doc.get("grade", {}).get(key)
                        for key in ("first_error", "error_kind", "failed_group")
                    },
                    **{
                        key: doc.get("grade", {}).get(key, 0)
                        for key in ("samples", "right", "process_right")
                    },
                }
            except (ValueError, KeyError, TypeError, IndexError) as error:
                raise ReleaseError(
                    f"{path}, line {number}: not an answer that the harness logged ({error!r}); evaluate again"
                ) from None


# --- tables -----------------------------------------------------------------------------------------------------------


def estimate(answers: pd.DataFrame, metric: str = "exact_match") -> Estimate:
    """Mean of a metric over the answers, with its person-clustered interval."""
    return clustered(answers[metric].to_numpy(), answers["start"].tolist())


def by(answers: pd.DataFrame, *keys: str, metric: str = "exact_match") -> list[dict[str, Any]]:
    """One record for each value of the keys: the keys, value, low, high, questions, clusters; in the natural order of the keys."""
    answers = answers[answers[metric].notna()]
    made = []
    for values, part in answers.groupby(list(keys), sort=False, dropna=False):
        found = estimate(part, metric)
        made.append({**dict(zip(keys, values, strict=True)), **_estimate(found)})
    return sorted(made, key=lambda record: [_rank(key, record[key]) for key in keys])


def gated(
    answers: pd.DataFrame, probes: pd.DataFrame, metric: str = "exact_match"
) -> tuple[Estimate | None, float | None]:
    """Accuracy over the questions all of whose probes the same model answers, and the share of questions that pass that gate.

    The accuracy is None where no question passes, the share too where of none all probes were asked.
    """
    scores, hops = (
        dict(zip(answers["id"], answers[column], strict=True)) for column in (metric, "hops")
    )
    hop_of = dict(zip(probes["id"], probes["probe_of"], strict=True))
    passed, asked = gate(
        scores, hops, hop_of, dict(zip(probes["id"], probes["exact_match"], strict=True))
    )
    if not passed:
        return None, 0.0 if asked else None
    return estimate(answers[answers["id"].isin(list(passed))], metric), len(passed) / asked


def pass_curve(answers: pd.DataFrame, column: str = "right") -> dict[int, Estimate]:
    """Mean pass@k with its interval, for k = 1, 2, 4, ... up to the samples that every question has."""
    samples, right = answers["samples"].to_numpy(), answers[column].to_numpy()
    starts = answers["start"].tolist()
    return {
        k: clustered(pass_at_k(samples, right, k), starts, verdicts=False)
        for k in powers_of_two(int(samples.min()))
    }


def pairs(answers: pd.DataFrame) -> Estimate | None:
    """Share of the pairs (twins, or both ends of a fact) both of whose questions are answered right; None where none was asked whole."""
    both = (
        answers[answers["pair"] != ""]
        .groupby("pair")
        .agg(right=("exact_match", "min"), asked=("id", "size"), start=("start", "first"))
    )
    both = both[both["asked"] == 2]
    return clustered(both["right"].to_numpy(), both["start"].tolist()) if len(both) else None


def first_errors(answers: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Where the first wrong hop falls among the chains that have one: shares by hop, by group and by kind."""
    wrong = answers[answers["first_error"].notna()]
    if not len(wrong):
        return {}
    half = wrong["first_error"].astype(int) < wrong["hops"] / 2
    shares = {
        "hop": wrong["first_error"].astype(int).add(1).astype(str),
        "half": half.map({True: "first", False: "second"}),
        "group": wrong["failed_group"],
        "kind": wrong["error_kind"],
    }
    counted = {name: column.value_counts(normalize=True) for name, column in shares.items()}
    return {
        name: {str(key): round(share, 4) for key, share in counts.items()}
        for name, counts in counted.items()
    }


def summarise(answers: pd.DataFrame) -> list[dict[str, Any]]:
    """A plain record for each model, variant, skill and level: all metrics and their breakdowns, ready for JSON."""
    records = []
    probed = dict(
        list(answers[answers["variant"] == "probes"].groupby(["model", "skill", "level"]))
    )
    for (model, variant, skill, level), part in answers.groupby(
        ["model", "variant", "skill", "level"], sort=False
    ):
        record: dict[str, Any] = {
            "model": model,
            "variant": variant,
            "skill": skill,
            "level": level,
            "questions": len(part),
        }
        if variant == "passk":
            curves = {"pass": pass_curve(part), "process_pass": pass_curve(part, "process_right")}
            record |= {
                name: {str(k): _estimate(point) for k, point in curve.items()}
                for name, curve in curves.items()
            }
        else:
            metrics = [metric for metric in METRICS if part[metric].notna().all()]
            record |= {metric: _estimate(estimate(part, metric)) for metric in metrics}
            if (found := pairs(part)) is not None:
                record["pair_accuracy"] = _estimate(found)
            record["by"] = {key: by(part, key) for key in BREAKDOWNS if part[key].nunique() > 1}
            record["first_errors"] = first_errors(part)
            if variant == "" and (model, skill, level) in probed:
                found, share = gated(part, probed[model, skill, level])
                if share is not None:
                    record["gated"] = {
                        **(_estimate(found) if found else {"value": None, "questions": 0}),
                        "share": round(share, 4),
                    }
        records.append(record)
    return sorted(
        records,
        key=lambda record: [
            _rank(key, record[key]) for key in ("model", "variant", "skill", "level")
        ],
    )


def render(records: list[dict[str, Any]]) -> str:
    """The records of `summarise` as text: a line each, in percent, with 95 % intervals."""
    lines, model = [], None
    for record in records:
        if record["model"] != model:
            model = record["model"]
            head = (
                f"{'task':32}{'questions':>10}  {'answer':22}{'answer and chain':22}{'hops':8}gated"
            )
            lines += ["", f"{model}  (percent, 95 % intervals by person)", head]
        task = "_".join(
            part for part in (record["skill"], record["level"], record["variant"]) if part
        )
        if record["variant"] == "passk":
            last = max(map(int, record["pass"]))
            cells = [f"pass@{k} {_cell(record['pass'][str(k)])}" for k in dict.fromkeys((1, last))]
            lines.append(f"{task:32}{record['questions']:>10}  {'   '.join(cells)}")
            continue
        cells = [_cell(record.get("exact_match")), _cell(record.get("process_verified"))]
        hops = f"{100 * record['hop_accuracy']['value']:.1f}" if "hop_accuracy" in record else "-"
        gate_cell = "-"
        if "gated" in record:
            value = record["gated"]["value"]
            gate_cell = f"{'-' if value is None else f'{100 * value:.1f}'} of {100 * record['gated']['share']:.0f} %"
        lines.append(
            f"{task:32}{record['questions']:>10}  {cells[0]:22}{cells[1]:22}{hops:8}{gate_cell}"
        )
        for key, words in (
            ("pair_accuracy", "both of a pair right"),
            ("follows_context", "follows the context"),
        ):
            if key in record:
                lines.append(f"    {words}: {_cell(record[key])}")
        for key, parts in record["by"].items():
            if key == "pattern":  # as many as one takes in at a glance
                common = sorted(parts, key=lambda part: -part["questions"])[:6]
                parts = (
                    [part for part in parts if part in common] if record["skill"] == "comp" else []
                )
            if not parts:
                continue
            shown = "   ".join(
                f"{_word(part[key])} {100 * part['value']:.1f} ({part['questions']})"
                for part in parts
            )
            lines.append(f"    by {key.replace('_', ' ')}: {shown}")
        if record["first_errors"]:
            shown = (record["first_errors"]["kind"], record["first_errors"]["group"])
            cells = [
                ", ".join(f"{name} {100 * share:.0f} %" for name, share in shares.items())
                for shares in shown
            ]
            lines.append(f"    first error: {'; '.join(cells)}")
    return "\n".join(lines[1:])


def _word(value: Any) -> str:
    return (
        {True: "yes", False: "no", "": "none"}.get(value, str(value))
        if isinstance(value, (bool, str))
        else str(value)
    )


def _cell(found: dict[str, Any] | None) -> str:
    if not found:
        return "-"
    spread = (
        f" [{100 * found['low']:.1f}, {100 * found['high']:.1f}]"
        if found["low"] is not None
        else ""
    )
    return f"{100 * found['value']:.1f}{spread}"


def _estimate(found: Estimate) -> dict[str, Any]:
    finite = {
        name: None if math.isnan(value) else round(value, 6)
        for name, value in (("low", found.low), ("high", found.high))
    }
    return {
        "value": round(found.value, 6),
        **finite,
        "questions": found.questions,
        "clusters": found.clusters,
    }


def _rank(key: str, value: Any) -> tuple[int, Any]:
    order = _ORDER.get(key)
    if order:
        return (order.index(value) if value in order else len(order), str(value))
    return (
        (len(value), value)
        if key == "pattern"
        else (0, value if isinstance(value, (int, float)) else str(value))
    )
