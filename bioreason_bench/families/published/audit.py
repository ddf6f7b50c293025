"""The laws of a release of published files, checked on its text alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.report import Scores
from bioreason_bench.audit.run import AuditRun
from bioreason_bench.families.checks import (
    COMMON_LAWS,
    Seen,
    check_ids,
    check_settings,
    longest_beginning,
    read_questions,
    score,
)
from bioreason_bench.families.cogs.audit.solvers import nearest
from bioreason_bench.families.scan.audit.interpreter import NotACommand, interpret

__all__ = ["LAWS", "SOLVERS", "check_published"]

LAWS = {
    **{law: text for law, text in COMMON_LAWS.items() if law != "once"},
    "words": "path and hops are the first 64 words of the question, and the context is empty",
    "actions": "of SCAN, an interpreter finds the answer",
    "certificates": "path_in_train, unseen_primitives, pairs_unseen and hops_beyond_train are "
    "those of the training questions of the folder",
}
SOLVERS = {
    "nearest": "answers like the training question with the most words in common",
    "prefix": "answers like the training question that shares the longest beginning",
}
SCORED = 1_000  # questions of a config that the solvers answer
MOST_WORDS = 64
Row = Mapping[str, Any]


def check_published(run: AuditRun) -> Scores:
    """Check the laws; return the scores of the solvers by config."""
    check_settings(run)
    dataset = run.manifest["definitions"].get("dataset")
    files = list(run.manifest["files"])
    check = partial(_check_file, dataset)
    seen = read_questions(run, "questions", files, run.ledger.laws, check)
    scores: Scores = {}
    check_ids(run.ledger, seen)
    for skill in dict.fromkeys(one.folder.partition("/")[0] for one in seen):
        rows = [row for one in seen if one.folder == skill for row in one.found]
        for one in seen:
            if one.folder.partition("/")[0] == skill:
                _check_certificates(run.ledger, one, rows)
            config = one.folder.replace("/", "_")
            if one.folder.startswith(f"{skill}/") and one.split == "test" and config not in scores:
                scores[config] = _score(rows, one.found)
    return scores


def _check_file(dataset: str, file: str, rows: Sequence[Row], ledger: Ledger) -> list[Row]:
    bad = [
        index
        for index, row in enumerate(rows)
        if row["path"] != row["question"].split()[:MOST_WORDS]
        or row["hops"] != len(row["path"])
        or row["context"]
        or row["entities"] != [row["question"], row["answer"]]
    ]
    ledger.check("words", file, len(rows), bad, "the words of the question")
    if dataset == "scan":
        wrong = [index for index, row in enumerate(rows) if not _acts(row)]
        ledger.check("actions", file, len(rows), wrong, "the actions of the command")
    names = ("question", "answer", "path_in_train", "unseen_primitives", "pairs_unseen")
    return [{name: row[name] for name in (*names, "hops_beyond_train")} for row in rows]


def _acts(row: Row) -> bool:
    try:
        return " ".join(interpret(row["question"].split(), {})) == row["answer"]
    except NotACommand:
        return False


def _check_certificates(ledger: Ledger, one: Seen, train: Sequence[Row]) -> None:
    questions = {row["question"] for row in train}
    every = [row["question"].split()[:MOST_WORDS] for row in train]
    known = {word for words in every for word in words}
    pairs = {pair for words in every for pair in pairwise(words)}
    most = max(map(len, every), default=0)
    wrong = []
    for index, row in enumerate(one.found):
        words = row["question"].split()[:MOST_WORDS]
        right = {
            "path_in_train": row["question"] in questions,
            "unseen_primitives": [word for word in dict.fromkeys(words) if word not in known],
            "pairs_unseen": sum(pair not in pairs for pair in {*pairwise(words)}),
            "hops_beyond_train": max(len(words) - most, 0),
        }
        if any(row[name] != value for name, value in right.items()):
            wrong.append(index)
    ledger.check("certificates", one.task.file, len(one.found), wrong, "what training gives")


def _score(train: Sequence[Row], tests: Sequence[Row]) -> dict[str, dict[str, Any]]:
    known = {row["question"]: row["answer"] for row in train}
    some = tests[:: max(len(tests) // SCORED, 1)]
    texts = [row["question"] for row in some]
    given = {"nearest": nearest(known, texts), "prefix": longest_beginning(known, texts)}
    return {
        name: score([one == row["answer"] for one, row in zip(answers, some, strict=True)], 0.0)
        for name, answers in given.items()
    }
