"""Scores of lm-evaluation-harness in the form in which a model's repository on the Hub states them.

Format: .eval_results/*.yaml, huggingface.co/docs/hub/eval-results.  The Hub shows them on the
model's page and on the leaderboard of the data set, whose eval.yaml names the same tasks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bioreason_bench.errors import ReleaseError, UsageError
from bioreason_bench.evaluation.harness.names import parse
from bioreason_bench.evaluation.official import OFFICIAL
from bioreason_bench.inputs import read_json
from bioreason_bench.questions.prompts import UNANSWERABLE
from bioreason_bench.taxonomy import LEVELS, OPEN_BOOK

__all__ = ["eval_results"]

SCORED = "exact_match,none"
CHAT = "_chat"
NOT_RANKED = ("direct", "passk", "probes")  # variants that ask for something else


def eval_results(folder: Path, repo: str) -> list[dict[str, Any]]:
    """The entries of a YAML file in the folder .eval_results of a model's repository.

    Only tasks that a model can do without training on the world count: `ctx`, open book and
    unanswerable, whose contexts are open books as well.

    Args:
        folder: The --output_path of a bioreason eval, with the results of one model.
        repo: The data set on the Hub that holds the questions, OWNER/NAME.

    Raises:
        UsageError: There are no such results, or they cannot be compared with others.
        ReleaseError: A file of results cannot be read.
    """
    if repo.count("/") != 1 or not all(repo.split("/")):
        raise UsageError(f"{repo!r} is no data set on the Hub; use OWNER/NAME, as org/bioreason")
    latest: dict[str, dict[str, Any]] = {}  # task -> its entry in the latest run
    models = set()
    for path in sorted(folder.rglob("results_*.json"), key=lambda path: path.name):
        run = _read(path)
        for task, entry in _entries(run, repo):
            models.add(str(run.get("model_name")))
            latest[task] = entry
    if len(models) > 1:
        raise UsageError(
            f"{folder} holds results of {len(models)} models ({', '.join(sorted(models))}); "
            "name the folder of one"
        )
    if not latest:
        raise UsageError(
            f"{folder} holds no results of ctx or open-book tasks; run bioreason eval "
            f"--tasks bioreason_ctx --output_path {folder}"
        )
    chats_last = sorted(latest, key=lambda task: task.endswith(CHAT))  # as eval.yaml asks them
    return list({_task_id(task): latest[task] for task in chats_last}.values())


def _read(path: Path) -> Mapping[str, Any]:
    try:
        run = read_json(path)
    except (OSError, ValueError) as error:
        raise ReleaseError(f"{path} cannot be read ({error}); evaluate again") from None
    if not isinstance(run, dict) or not isinstance(run.get("results"), dict):
        raise ReleaseError(f"{path} holds no results of the harness; evaluate again")
    return run


def _entries(run: Mapping[str, Any], repo: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each task of a run that the benchmark has, and its entry."""
    for task, scores in run["results"].items():
        name = parse(task)
        if name is None or not name.leaf or name.variant in NOT_RANKED or SCORED not in scores:
            continue
        if name.skill != "ctx" and not any(kind in task for kind in (OPEN_BOOK, UNANSWERABLE)):
            continue
        if OPEN_BOOK in task and name.level not in LEVELS:
            continue  # the open book of a counterfactual pair is made for the task
        settings = run.get("configs", {}).get(task, {}).get("metadata") or {}
        _check(run, task, settings, repo)
        entry = {
            "dataset": {"id": repo, "task_id": _task_id(task)},
            "value": round(100 * float(scores[SCORED]), 2),
            "date": datetime.fromtimestamp(float(run["date"]), UTC).date().isoformat(),
            "notes": _notes(run, task),
        }
        yield task, entry


def _task_id(task: str) -> str:
    """The task of eval.yaml that asks the same questions: its config."""
    return task.removeprefix("bioreason_").removesuffix(CHAT)


def _notes(run: Mapping[str, Any], task: str) -> str:
    shots = run.get("n-shot", {}).get(task, 0)
    version = run.get("lm_eval_version", "unknown")
    return f"exact_match in percent, {task}, {shots}-shot, lm-eval {version}"


def _check(run: Mapping[str, Any], task: str, settings: Mapping[str, Any], repo: str) -> None:
    """Refuse answers to a part of the questions, or to those of another world."""
    asked = run.get("n-samples", {}).get(task, {})
    if asked.get("effective") != asked.get("original"):
        raise UsageError(
            f"{task} was asked {asked['effective']} of {asked['original']} questions; "
            "evaluate without --limit"
        )
    instead = f'evaluate with --metadata \'{{"data": "{repo}"}}\''
    if settings.get("preset") is not None:
        world = settings["preset"], int(settings.get("seed") or OFFICIAL[1])
        if world != OFFICIAL:
            raise UsageError(
                f"{task} was asked about preset {world[0]}, seed {world[1]}, which is not the "
                f"world of {repo}; {instead}"
            )
    data = settings.get("data")
    if data is not None and str(data).partition("@")[0] != repo:
        raise UsageError(
            f"{task} was asked about {data}, which need not be what {repo} holds; {instead}"
        )
    if settings.get("split") not in (None, "test"):
        raise UsageError(f"{task} was asked validation questions; evaluate on the test split")
