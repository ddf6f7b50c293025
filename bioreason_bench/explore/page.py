"""One HTML file with a world, its questions, its audit and a model's answers, for any browser.

    page.html   the frame, with a place for each of the others
    page.css    light and dark
    page.js     the views; it builds nodes and never parses a text as HTML
    data        JSON, compressed with gzip, in base64

The file loads nothing.  Its Content-Security-Policy forbids every request, and every script and
style but its own, by digest.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import io
import json
from collections.abc import Iterator
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any, BinaryIO

from bioreason_bench.audit.report import manifest_digest, read_audit
from bioreason_bench.errors import UsageError
from bioreason_bench.escaping import visible
from bioreason_bench.evaluation.results import read_results
from bioreason_bench.explore.answers import answers_by_question, score_rows
from bioreason_bench.explore.questions import question_splits, questions_of
from bioreason_bench.explore.world import world_of
from bioreason_bench.release.disk import plain_errors, write_whole
from bioreason_bench.release.partial import is_taken
from bioreason_bench.release.read import Release

__all__ = ["QUESTIONS", "write_page"]

QUESTIONS = 1_500  # of a page, shared by the configs


def write_page(
    release: Release,
    out: Path,
    results: Path | None = None,
    *,
    questions: int = QUESTIONS,
    force: bool = False,
) -> None:
    """Write the page of a release, completely or not at all.

    Args:
        release: The release.
        out: The file.
        results: The output of `bioreason eval`, whose answers are shown beside the questions.
        questions: About how many test questions; those with answers come first.
        force: Replace an existing file.

    Raises:
        UsageError: `out` exists or cannot be written, or no answer is about this release.
        ReleaseError: A file of the release, or a log of answers, is missing or broken.
        BioreasonError: The disk is full.
    """
    with plain_errors(out):
        if out.is_dir():
            raise UsageError(f"{out} is a folder; choose a file for --out, such as {out}.html")
        if is_taken(out) and not force:
            raise UsageError(
                f"{out} already exists; choose another --out, or replace it with --force"
            )
    data = _packed(release, results, questions)
    with plain_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        write_whole(out, partial(_write, _title(release), data))


def _packed(release: Release, results: Path | None, most: int) -> bytes:
    """The data of the page as JSON, compressed with gzip."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=9, mtime=0) as file:
        for number, (name, value) in enumerate(_sections(release, results, most)):
            text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            file.write(f"{',' if number else '{'}{json.dumps(name)}:{text}".encode())
        file.write(b"}")
    return buffer.getvalue()


def _sections(release: Release, results: Path | None, most: int) -> Iterator[tuple[str, Any]]:
    """The parts of the data, one after the other, so that only one of them is held as JSON."""
    answers = read_results(results, completions=True) if results else []
    answered = {answer["id"] for answer in answers}
    yield "title", _title(release)
    yield "about", _shown(_about(release))
    yield from world_of(release).items()
    chosen = list(questions_of(release, most, answered))
    if answered and answered.isdisjoint(question["id"] for question in chosen):
        raise UsageError(
            f"no answer in {results} is about a test question of {release.path}; "
            "give the release that the model was asked about"
        )
    yield "questions", _shown(chosen)
    yield "scores", _shown(score_rows(answers))
    shown = {question["id"] for question in chosen}
    yield "answers", _shown(answers_by_question([one for one in answers if one["id"] in shown]))
    yield "audit", _shown(_audit(release))


def _shown(value: Any) -> Any:
    """The value with every text as it may be shown."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible(name): _shown(part) for name, part in value.items()}
    return [_shown(part) for part in value] if isinstance(value, list) else value


def _title(release: Release) -> str:
    return f"{visible(release.manifest['preset'])}, seed {release.manifest['seed']}"


def _about(release: Release) -> dict[str, Any]:
    """Facts about the release for the first view."""
    manifest = release.manifest
    return {
        "version": str(manifest["versions"]["bioreason_bench"]),
        "license": manifest["license"],
        "canary": manifest["canary"],
        "test": {
            config: release.count(config, split) for config, split in question_splits(release)
        },
    }


def _audit(release: Release) -> dict[str, Any] | None:
    """Laws and solvers' scores of audit.json, and whether it is about this very release."""
    audit = read_audit(release.path)
    if audit is None:
        return None
    current = audit["manifest"] == manifest_digest(release.path)
    return {"current": current, **{name: audit[name] for name in ("ok", "laws", "solvers")}}


def _write(title: str, data: bytes, file: BinaryIO) -> None:
    """Write the page around the data."""
    style, script = _asset("page.css"), _asset("page.js")
    page = (
        _asset("page.html")
        .replace("{style digest}", _digest(style))
        .replace("{script digest}", _digest(script))
        .replace("{style}", style)
        .replace("{script}", script)
    )
    before, after = page.split("{data}")
    file.write(before.replace("{title}", html.escape(title)).encode())
    file.write(base64.b64encode(data))
    file.write(after.encode())


def _asset(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """The digest by which the page's own policy names a script or a style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
