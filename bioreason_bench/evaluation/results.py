"""Reading the answers that a run logged.

answers = read_results("OUT")                    # bioreason eval ... --output_path OUT
by(answers, "skill", "level")                    # see evaluation/summary.py
pandas.DataFrame(answers)                        # for anything else

read_verdicts("RUN/1-sft/test/comp_iid.jsonl")   # the same columns, from a training run
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bioreason_bench.errors import ReleaseError, UsageError
from bioreason_bench.evaluation.answers import METRICS, question_columns
from bioreason_bench.evaluation.harness.names import TaskName, parse

__all__ = ["has_results", "read_results", "read_verdicts"]

LOGS = "samples_bioreason*.jsonl"
_LOG = re.compile(r"samples_(?P<task>bioreason\w*?)_(?P<date>\d{4}-\d\d-\d\dT[\d.-]+)\.jsonl")
_ERROR_COLUMNS = ("first_error", "error_kind", "failed_group")
_SAMPLE_COLUMNS = ("samples", "right", "process_right")
_FORMER_COLUMNS = {"unseen": "unseen_group", "format_ok": "format_rate"}  # verdicts of 0.1


def has_results(folder: str | Path) -> bool:
    """Whether there are sample logs of our tasks below the folder."""
    return any(_LOG.fullmatch(path.name) for path in Path(folder).rglob(LOGS))


def read_results(folder: str | Path) -> list[dict[str, Any]]:
    """One record per answer, from the latest sample log of each model and task below `folder`.

    Returns:
        Records with the columns
        model, task, variant, skill, level;
        id, start (the person that the question starts from), source (the release), hops, pattern,
        unseen_group, direction_seen, altered, pair, probe_of;
        exact_match, process_verified, hop_accuracy, format_rate, follows_context (None if the task
        does not report the metric), first_error, error_kind, failed_group;
        samples, right, process_right (pass@k; 0 in other tasks).

    Raises:
        UsageError: There is no such folder, or no log in it.
        ReleaseError: A log cannot be read, or all logs are empty.
    """
    folder = Path(folder)
    if not folder.exists():
        raise UsageError(f"there is no folder {folder}; give the --output_path of a bioreason eval")
    answers = [
        answer
        for task, path in _latest_logs(folder)
        for answer in _answers(path, task, _model(path, folder))
    ]
    if not answers:
        raise ReleaseError(f"the logs of answers in {folder} are empty; run bioreason eval again")
    return answers


def read_verdicts(path: str | Path) -> list[dict[str, Any]]:
    """The verdicts on one test set that a training run logged (RUN/STAGE/test/CONFIG.jsonl).

    Returns:
        Records with the columns of a question, its verdict and `completion`, as in `read_results`.

    Raises:
        ReleaseError: The file cannot be read.
    """
    try:
        lines = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]
        return [
            {_FORMER_COLUMNS.get(column, column): value for column, value in line.items()}
            for line in lines
        ]
    except (OSError, ValueError, AttributeError) as error:
        raise ReleaseError(f"{path} has no verdicts ({error!r}); evaluate again") from None


def _latest_logs(folder: Path) -> list[tuple[str, Path]]:
    """(task, log) of the latest run of each task in each folder below `folder`."""
    latest: dict[tuple[Path, str], tuple[str, Path]] = {}
    for path in sorted(folder.rglob(LOGS)):
        if match := _LOG.fullmatch(path.name):
            key = path.parent, match["task"]
            latest[key] = max(latest.get(key, ("", path)), (match["date"], path))
    if not latest:
        raise UsageError(
            f"{folder} holds no answers (samples_bioreason_*.jsonl); "
            f"run bioreason eval ... --output_path {folder}"
        )
    return [(task, path) for (_, task), (_, path) in sorted(latest.items())]


def _model(path: Path, folder: Path) -> str:
    """The model's name in the harness's results file next to the log, else the folder's name."""
    for file in sorted(path.parent.glob("results_*.json"), reverse=True):
        try:
            name = json.loads(file.read_text(encoding="utf-8")).get("model_name")
        except (OSError, ValueError):
            continue
        if name:
            return str(name)
    return path.parent.name if path.parent != folder else folder.resolve().name


def _answers(path: Path, task: str, model: str) -> Iterator[dict[str, Any]]:
    name = parse(task)
    if name is None or not name.leaf:
        return
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                answer = _answer(json.loads(line), name)
            except (ValueError, KeyError, TypeError, IndexError) as error:
                raise ReleaseError(
                    f"{path}, line {number}: not an answer that the harness logged ({error!r}); "
                    "evaluate again"
                ) from None
            yield {"model": model, "task": task, **answer}


def _answer(sample: Mapping[str, Any], name: TaskName) -> dict[str, Any]:
    """The record of one line of a sample log."""
    question = sample["doc"]
    grade = question.get("grade", {})
    scores = {metric: sample.get(metric) for metric in METRICS}
    return {
        "variant": name.variant,
        "skill": name.skill,
        "level": name.level,
        "source": question.get("source", ""),
        **question_columns(question),
        **{name: None if score is None else float(score) for name, score in scores.items()},
        **{column: grade.get(column) for column in _ERROR_COLUMNS},
        **{column: grade.get(column, 0) for column in _SAMPLE_COLUMNS},
    }
