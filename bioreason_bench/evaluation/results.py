"""Reading the answers that a run logged.

answers = read_results("OUT")                    # bioreason eval ... --output_path OUT
by(answers, "skill", "level")                    # see evaluation/summary.py
pandas.DataFrame(answers)                        # for anything else

read_verdicts("RUN/1-sft/test/comp_iid.jsonl")   # the same columns, from a training run
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bioreason_bench.errors import ReleaseError, UsageError, one_line
from bioreason_bench.evaluation.answers import METRICS, answer_problem, question_columns
from bioreason_bench.evaluation.harness.names import TaskName, parse
from bioreason_bench.inputs import Unreadable, json_lines, read_json

__all__ = ["has_results", "has_scores", "read_results", "read_verdicts"]

LONGEST_NAME = 200  # characters of a model's name
LOGS = "samples_bioreason*.jsonl"
_LOG = re.compile(r"samples_(?P<task>bioreason\w*?)_(?P<date>\d{4}-\d\d-\d\dT[\d.-]+)\.jsonl")
_ERROR_COLUMNS = ("first_error", "error_kind", "failed_group")
_SAMPLE_COLUMNS = ("samples", "right", "process_right", "identical")
_FORMER_COLUMNS: dict[str, str] = {
    "unseen": "unseen_group",
    "format_ok": "format_rate",
}  # verdicts of 0.1


def has_results(folder: str | Path) -> bool:
    """Whether there are sample logs of our tasks below the folder."""
    return any(_LOG.fullmatch(path.name) for path in Path(folder).rglob(LOGS))


def has_scores(folder: str | Path) -> bool:
    """Whether there are scores below the folder that the harness has written."""
    return next(Path(folder).rglob("results_*.json"), None) is not None


def read_results(folder: str | Path, completions: bool = False) -> list[dict[str, Any]]:
    """One record per answer, from the latest sample log of each model and task below `folder`.

    Args:
        folder: The --output_path of a run, or a folder of several.
        completions: Add the column `completion`: what the model wrote, in its first sample.

    Returns:
        Records with the columns
        model, task, variant, skill, level;
        id, start (the person that the question starts from), source (the release), hops, pattern,
        unseen_group, direction_seen, altered, pair, probe_of, context_tokens (estimated length of
        the context), depths (of each biography that is read, 0 to 1);
        exact_match, process_verified, hop_accuracy, format_rate, follows_context, truncated (None
        if the task does not report the metric), first_error, error_kind, failed_group;
        samples, right, process_right, identical (pass@k; 0 in other tasks).

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
        for answer in _answers(path, task, _model(path, folder), completions)
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
    verdicts = []
    try:
        for number, line in json_lines(Path(path)):
            if not isinstance(line, dict):
                raise Unreadable(f"line {number} is no table of values")
            verdict = {_former(name): value for name, value in line.items()}
            if problem := answer_problem(verdict):
                raise Unreadable(f"line {number}: {problem}")
            verdicts.append(verdict)
    except OSError as error:
        raise ReleaseError(f"{path} has no verdicts ({error.strerror}); evaluate again") from None
    except Unreadable as problem:
        raise ReleaseError(f"{path} has no verdicts ({problem}); evaluate again") from None
    return verdicts


def _former(column: str) -> str:
    return _FORMER_COLUMNS.get(column, column)


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
            results = read_json(file)
        except (OSError, ValueError):
            continue
        if isinstance(results, dict) and (name := results.get("model_name")):
            return one_line(str(name), LONGEST_NAME)
    return path.parent.name if path.parent != folder else folder.resolve().name


def _answers(path: Path, task: str, model: str, completions: bool) -> Iterator[dict[str, Any]]:
    name = parse(task)
    if name is None or not name.leaf:
        return
    try:
        for number, sample in json_lines(path):
            answer = _checked_answer(sample, name)
            if isinstance(answer, str):
                raise Unreadable(f"line {number}: not an answer that the harness logged: {answer}")
            if completions:
                answer["completion"] = _completion(sample)
            yield {"model": model, "task": task, **answer}
    except OSError as error:
        raise ReleaseError(f"{path} cannot be read ({error.strerror}); evaluate again") from None
    except Unreadable as problem:
        raise ReleaseError(f"{path}, {problem}; evaluate again") from None


def _completion(sample: Mapping[str, Any]) -> str:
    """What the model wrote in its first sample; "" if the log does not say."""
    value: Any = sample.get("resps")
    while isinstance(value, list) and value:
        value = value[0]
    return value if isinstance(value, str) else ""


def _checked_answer(sample: Any, name: TaskName) -> dict[str, Any] | str:
    """The record of one line of a sample log, or what is wrong with the line."""
    try:
        answer = _answer(sample, name)
    except KeyError as error:
        return f"it has no {error}"
    except (ValueError, TypeError, IndexError, AttributeError) as error:
        return f"{type(error).__name__}: {error}"
    if problem := answer_problem(answer):
        return problem
    if name.variant == "passk":
        return answer if answer["samples"] else "it has no samples"
    return answer if answer["exact_match"] is not None else "it has no exact_match"


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
