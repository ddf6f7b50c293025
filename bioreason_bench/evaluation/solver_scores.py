"""What the shortcuts of the audit score on the questions of a release, to compare models with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bioreason_bench.errors import ReleaseError, UsageError
from bioreason_bench.evaluation.answers import Answers
from bioreason_bench.evaluation.official import OFFICIAL, official
from bioreason_bench.inputs import read_json
from bioreason_bench.validation import problems

__all__ = ["SolverScores", "read_solver_scores", "solver_scores_of"]

SolverScores = Mapping[
    str, Mapping[str, Mapping[str, Any]]
]  # config -> solver -> score, chance, ...


def read_solver_scores(path: Path) -> SolverScores:
    """The solvers' scores in an audit.json, or in that of the release in a folder.

    Returns:
        Config -> solver -> score, chance, shortcut.
    """
    path = path / "audit.json" if path.is_dir() else path
    command = f"bioreason verify {path.parent} --write"
    try:
        audit = read_json(path)
    except FileNotFoundError:
        raise UsageError(f"there is no {path}; make it with: {command}") from None
    except (OSError, ValueError) as error:
        raise ReleaseError(f"{path} cannot be read ({error}); make it again: {command}") from None
    if wrong := problems("audit", audit):
        raise ReleaseError(f"{path} holds no audit: {wrong[0]}; make it again with: {command}")
    return audit["solvers"]


def solver_scores_of(answers: Answers) -> SolverScores | None:
    """The solvers' scores on the questions that were asked, if their release has an audit."""
    sources = {answer["source"] for answer in answers}
    if len(sources) != 1:
        return None
    source = sources.pop()
    if source == f"preset {OFFICIAL[0]}, seed {OFFICIAL[1]}":
        return official()["solvers"] or None
    audit = Path(source) / "audit.json"
    try:
        return read_solver_scores(audit) if audit.is_file() else None
    except (OSError, ValueError):  # the source is not the path of a folder
        return None
