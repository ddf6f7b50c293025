"""Probes: one for every hop of every test question, and for nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bioreason_bench.audit.laws.levels import TABLE_LEVELS
from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.reading.evidence import Evidence
from bioreason_bench.audit.reading.questions import Rows, path_of

__all__ = ["check_probes"]

Hop = tuple[int, int]  # relation, subject


def check_probes(evidence: Evidence, files: Sequence[Rows], ledger: Ledger) -> None:
    """Both ways: the hops of each test question against the probes that name it."""
    base = len(evidence.table)
    named: dict[str, set[Hop]] = {}
    places: dict[Hop, tuple[str, int]] = {}
    for rows in files:
        if rows.file.folder != "probes":
            continue
        again: list[int] = []
        for row, (code, start, questions) in enumerate(
            zip(rows.path.tolist(), rows.start.tolist(), rows.lists["probe_of"], strict=True)
        ):
            path = path_of(code, base)
            if len(path) != 1:
                again.append(row)
                continue
            hop = path[0], start
            if hop in places:
                again.append(row)
            places.setdefault(hop, (rows.file.name, row))
            for question in questions:
                named.setdefault(question, set()).add(hop)
        ledger.check(
            "probes",
            rows.file.name,
            len(rows),
            again,
            lambda _: "a probe asks one hop, and no other probe asks the same",
        )
    for rows in files:
        if rows.file.level not in TABLE_LEVELS or rows.file.split != "test":
            continue
        bad: dict[int, str] = {}
        for row, (question, code) in enumerate(
            zip(rows.lists["id"], rows.path.tolist(), strict=True)
        ):
            hops = set(zip(path_of(code, base), rows.walk[row].tolist(), strict=False))
            found = named.pop(question, set())
            if code >= 0 and hops != found:
                bad[row] = _say(evidence, question, hops, found)
        ledger.check(
            "probes", rows.file.name, len(rows), sorted(bad), lambda row, bad=bad: bad[row]
        )
    for question, hops in named.items():
        ledger.check(
            "probes",
            lambda _, hops=hops: places[next(iter(sorted(hops)))],
            1,
            np.zeros(1, int),
            lambda _, question=question: f"probe_of names {question}, which is no test question",
        )


def _say(evidence: Evidence, question: str, hops: set[Hop], found: set[Hop]) -> str:
    missing, odd = sorted(hops - found), sorted(found - hops)
    relation, subject = (missing or odd)[0]
    hop = f"{evidence.text(subject)} {evidence.table[relation].name}"
    return (
        f"no probe asks for {hop} and names {question}"
        if missing
        else f"the probe of {hop} names {question}, which has no such hop"
    )
