"""Solvers of string programs without a model: the interpreter, and shortcuts.

A shortcut is a function from (question, what training shows) to an answer.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.report import Scores
from bioreason_bench.audit.run import AuditRun
from bioreason_bench.families.checks import Seen, score
from bioreason_bench.families.strings.audit.interpreter import Interpreter, Run, Unreadable

__all__ = ["SOLVERS", "check_shortcuts", "score_solvers"]

Program = tuple[str, tuple[str, ...]]
MOST_SHARE = 0.5  # of a level's questions that a shortcut may answer
ENOUGH = 200  # questions of a level, from which on that is checked
ORACLE = "oracle"
SOLVERS = {  # in the order of the card
    ORACLE: "the interpreter: knows every definition",
    "nearest_train": "knows every definition, and runs the training program that is nearest to the "
    "question: of its routing with most of its skills at their places, or of its skills",
    "longest_prefix": "gives the answer of the training question with the longest common beginning",
    "in_order": "knows every skill and no routing: applies the skills one after another",
    "bag_of_primitives": "knows every skill, no routing and no order: applies the skills in the "
    "order of their names",
    "last_skill": "applies the last skill alone",
    "echo": "gives the string of the question",
}


@dataclass(frozen=True)
class Training:
    """What shortcuts may use of training.

    Attributes:
        interpreter: Runs programs.
        programs: The compound programs.
        questions: (question, answer) of compound training questions, sorted.
    """

    interpreter: Interpreter
    programs: Collection[Program]
    questions: Sequence[tuple[str, str]]

    @cached_property
    def by_part(self) -> dict[tuple[str, int, str], list[Program]]:
        """(routing, place, skill) → the programs of that routing that have the skill there."""
        index: dict[tuple[str, int, str], list[Program]] = {}
        for routing, skills in sorted(self.programs):
            for place, skill in enumerate(skills):
                index.setdefault((routing, place, skill), []).append((routing, skills))
        return index

    @cached_property
    def by_skills(self) -> dict[tuple[str, ...], Program]:
        """Skills → a program of these, of any routing."""
        return {skills: (routing, skills) for routing, skills in sorted(self.programs)}


def _nearest_train(ran: Run, training: Training) -> str:
    program = ran.routing, ran.skills
    if program in training.programs:
        return ran.answer
    near: dict[Program, int] = {}
    for place, skill in enumerate(ran.skills):
        for other in training.by_part.get((ran.routing, place, skill), ()):
            near[other] = near.get(other, 0) + 1
    best = max(near, key=lambda other: (near[other], -len(other[1])), default=None)
    if best is None or near[best] < len(ran.skills) - 1:
        best = training.by_skills.get(ran.skills, best)
    if best is None:
        return ""
    return training.interpreter.go(best[0], best[1], ran.texts[0].split(" ")).answer


def _longest_prefix(ran: Run, training: Training) -> str:
    text = f"{ran.routing} {' '.join(ran.skills)} : {ran.texts[0]}"
    place = bisect_left(training.questions, (text, ""))
    near = training.questions[max(0, place - 1) : place + 1]
    return max(near, key=lambda pair: _common(pair[0], text), default=("", ""))[1]


def _common(one: str, two: str) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), 0)


def _applied(skills: Sequence[str], ran: Run, training: Training) -> str:
    x = ran.texts[0].split(" ")
    for skill in skills:
        x = training.interpreter.go("", (skill,), x).answer.split(" ")
    return " ".join(x)


SHORTCUTS: dict[str, Callable[[Run, Training], str]] = {
    "nearest_train": _nearest_train,
    "longest_prefix": _longest_prefix,
    "in_order": lambda ran, training: _applied(ran.skills, ran, training),
    "bag_of_primitives": lambda ran, training: _applied(sorted(ran.skills), ran, training),
    "last_skill": lambda ran, training: _applied(ran.skills[-1:], ran, training),
    "echo": lambda ran, _: ran.texts[0],
}


def score_solvers(
    run: AuditRun,
    tests: Sequence[Seen],
    programs: Collection[Program],
    questions: Sequence[tuple[str, str]],
) -> Scores:
    """Score the solvers on the test questions of every level, and check their laws."""
    interpreter = Interpreter(run.manifest["definitions"])
    training = Training(interpreter, programs, sorted(questions))
    scores: Scores = {}
    for folder in dict.fromkeys(seen.folder for seen in tests):
        files = [seen for seen in tests if seen.folder == folder]
        rows = [
            (question, trace.rpartition(": ")[2])
            for seen in files
            for question, trace in zip(seen.questions, seen.found.traces, strict=True)
        ]
        rows = rows[: run.sample] if run.sample else rows
        right: dict[str, list[bool]] = {name: [] for name in SOLVERS}
        for question, answer in rows:
            try:
                ran = interpreter.run(question)
            except Unreadable:
                for verdicts in right.values():
                    verdicts.append(False)
                continue
            right[ORACLE].append(ran.answer == answer)
            for name, shortcut in SHORTCUTS.items():
                right[name].append(shortcut(ran, training) == answer)
        config = folder.replace("/", "_")
        legitimate = {ORACLE, *(["nearest_train"] if "/iid" in folder else [])}
        scores[config] = {
            name: score(verdicts, 0.0, name not in legitimate) for name, verdicts in right.items()
        }
        all_right = all(right[ORACLE])
        problem = f"it answers {sum(right[ORACLE])} of {len(rows)} test questions"
        run.ledger.check_whole("oracle", f"data/{folder}", None if all_right else problem)
        check_shortcuts(f"data/{folder}", scores[config], run.ledger)
    return scores


def check_shortcuts(place: str, scores: Mapping[str, Mapping[str, Any]], ledger: Ledger) -> None:
    """No shortcut answers more than MOST_SHARE of the questions, if they are ENOUGH."""
    for name, entry in scores.items():
        if entry["shortcut"] and entry["questions"] >= ENOUGH:
            problem = f"{name} answers {entry['score']:.1%} of {entry['questions']:,} questions"
            above = entry["score"] > MOST_SHARE
            ledger.check_whole("shortcuts", place, problem if above else None)
