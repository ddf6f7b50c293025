"""Probes: one for every hop of every test question, and no others."""

from __future__ import annotations

from collections.abc import Sequence

from bioreason_bench.audit.laws.levels import TABLE_LEVELS
from bioreason_bench.audit.ledger import Ledger, Location
from bioreason_bench.audit.reading.parser import ParsedRelease
from bioreason_bench.audit.reading.questions import QuestionTable, path_of

__all__ = ["check_probes"]

Hop = tuple[int, int]  # relation, subject


def check_probes(release: ParsedRelease, files: Sequence[QuestionTable], ledger: Ledger) -> None:
    """Compare the hops of each test question with the probes that name it, in both directions."""
    named: dict[str, set[Hop]] = {}  # question id → hops of the probes that name it
    locations: dict[Hop, Location] = {}
    for table in files:
        if table.file.folder == "probes":
            _collect(release, table, named, locations, ledger)
    for table in files:
        if table.file.level in TABLE_LEVELS and table.file.split == "test":
            _check_questions(release, table, named, ledger)
    strangers = list(named.items())  # those of test questions are gone by now
    ledger.check(
        "probes",
        lambda number: locations[min(strangers[number][1])],
        len(strangers),
        range(len(strangers)),
        lambda number: f"probe_of names {strangers[number][0]}, which is no test question",
    )


def _collect(
    release: ParsedRelease,
    table: QuestionTable,
    named: dict[str, set[Hop]],
    locations: dict[Hop, Location],
    ledger: Ledger,
) -> None:
    """Enter the probes of one file into `named` and `locations`."""
    broken: list[int] = []
    rows = zip(table.path.tolist(), table.start.tolist(), table.lists["probe_of"], strict=True)
    for row, (code, start, questions) in enumerate(rows):
        path = path_of(code, len(release.table))
        if len(path) != 1:
            broken.append(row)
            continue
        hop = path[0], start
        if hop in locations or len(set(questions)) < len(questions):
            broken.append(row)
        locations.setdefault(hop, (table.file.name, row))
        for question in questions:
            named.setdefault(question, set()).add(hop)
    problem = (
        "a probe asks for one hop, no other probe asks for the same, and it names a question once"
    )
    ledger.check("probes", table.file.name, len(table), broken, problem)


def _check_questions(
    release: ParsedRelease, table: QuestionTable, named: dict[str, set[Hop]], ledger: Ledger
) -> None:
    """Compare the questions of one file with their probes, and take them out of `named`."""
    broken: dict[int, str] = {}
    for row, (question, code) in enumerate(
        zip(table.lists["id"], table.path.tolist(), strict=True)
    ):
        path = path_of(code, len(release.table))
        hops = set(zip(path, table.walk[row].tolist(), strict=False))
        probed = named.pop(question, set())
        if code >= 0 and hops != probed:
            broken[row] = _difference(release, question, hops, probed)
    ledger.check("probes", table.file.name, len(table), sorted(broken), broken)


def _difference(release: ParsedRelease, question: str, hops: set[Hop], probed: set[Hop]) -> str:
    missing = hops - probed
    relation, subject = min(missing or probed - hops)
    hop = f"{release.text(subject)} {release.table[relation].name}"
    if missing:
        return f"no probe asks for {hop} and names {question}"
    return f"the probe of {hop} names {question}, which has no such hop"
