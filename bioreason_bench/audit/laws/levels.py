"""The laws that only many rows together can break: levels, certificates, splits and counts (DESIGN section 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.reading.evidence import Evidence
from bioreason_bench.audit.reading.questions import CERTIFICATE, Rows, code_of, path_of
from bioreason_bench.audit.reading.training import Shown, chain_people, pairs
from bioreason_bench.config import LEVELS, SKILLS

__all__ = ["certificate", "check_levels"]

Paths = dict[tuple[str, int], set[str]]  # (skill, path code) -> levels that data/paths gives it
TABLE_LEVELS = {  # level of a question -> levels in data/paths of the paths that it may follow
    "train": {"train", "iid"},
    "iid": {"iid"},
    "entity": {"train", "iid"},
    "composition": {"composition"},
    "zeroshot": {"zeroshot"},
    "depth": {"depth"},
}


def check_levels(
    evidence: Evidence,
    files: Sequence[Rows],
    shown: Mapping[str, Shown],
    paths: Paths,
    config: Mapping[str, Any],
    ledger: Ledger,
) -> None:
    """Check all of it; `shown` is what the training questions of each skill have shown."""
    for rows in files:
        here = (
            certificate(rows, shown[rows.file.skill])
            if rows.file.skill
            else _of_probes(evidence, rows)
        )
        _check_certificate(rows, here, evidence, ledger)
        if rows.file.level in TABLE_LEVELS:
            _check_level(rows, here, shown[rows.file.skill], config, ledger)
            _check_path(rows, paths, evidence, ledger)
    _check_once(files, ledger)
    _check_ids(files, ledger)
    for skill in SKILLS:
        mine = [rows for rows in files if rows.file.skill == skill]
        _check_counts(mine, skill, config, ledger)
        _check_rl(mine, ledger)
        _check_portions(mine, skill, ledger)


def certificate(rows: Rows, shown: Shown) -> dict[str, NDArray[np.int64]]:
    """The certificate of each row, recomputed: the columns of the release, unseen_relations as `code_of` them, sorted."""
    evidence = shown.evidence
    base = len(evidence.table)
    codes, place = np.unique(rows.path, return_inverse=True)
    members = [path_of(code, base) for code in codes]
    unseen = np.array(
        [code_of(sorted(set(path) - shown.relations), base) for path in members], np.int64
    )
    people = chain_people(evidence, rows.walk)
    return {
        "path_in_train": np.isin(codes, shown.paths)[place].astype(np.int64),
        "unseen_relations": unseen[place],
        "start_in_train": np.isin(pairs(rows.start, rows.path), shown.asked).astype(np.int64),
        "hops_beyond_train": np.maximum(0, rows.hops - shown.longest),
        "people_in_train": (shown.met[np.where(people, rows.walk, 0)] & people).sum(axis=1),
        "direction_seen": direction_seen(evidence, rows),
    }


def _of_probes(evidence: Evidence, rows: Rows) -> dict[str, NDArray[np.int64]]:
    """The certificate of probes: they belong to no skill's paths, so nothing but the direction is told of them."""
    told = {name: np.zeros(len(rows), np.int64) for name in CERTIFICATE}
    return told | {"direction_seen": direction_seen(evidence, rows)}


def direction_seen(evidence: Evidence, rows: Rows) -> NDArray[np.int64]:
    """1 where no hop is one that the biographies to train on state from the other end only: the hop's own relation is contextual,
    its inverse is parametric, and the biography of the person it leads to states the mirror.
    """
    codes, place = np.unique(rows.path, return_inverse=True)
    turned = np.zeros(len(rows), bool)
    for number, code in enumerate(codes):
        here = np.flatnonzero(place == number)
        for hop, relation in enumerate(path_of(code, len(evidence.table))):
            mirror = evidence.inverses[relation]
            if not evidence.parametric[relation] and mirror >= 0 and evidence.parametric[mirror]:
                target = rows.walk[here, hop + 1]
                person = (target >= 0) & (target < evidence.people)
                turned[here] |= person & (
                    evidence.facts[mirror, np.where(person, target, 0)] == rows.walk[here, hop]
                )
    return (~turned).astype(np.int64)


def _check_certificate(
    rows: Rows, here: dict[str, NDArray], evidence: Evidence, ledger: Ledger
) -> None:
    read = rows.path >= 0
    for name, expected in here.items():
        if name not in rows.recorded:
            continue
        found = rows.recorded[name]

        def say(
            row: int, name: str = name, expected: NDArray = expected, found: NDArray = found
        ) -> str:
            return f"{name} must be {_plain(name, expected[row], evidence)}, found {_plain(name, found[row], evidence)}"

        ledger.check(
            name, rows.file.name, int(read.sum()), np.flatnonzero(read & (found != expected)), say
        )


def _plain(name: str, value: int, evidence: Evidence) -> object:
    if name == "unseen_relations":
        return (
            list(evidence.table.path_names(path_of(value, len(evidence.table))))
            if value >= 0
            else "unknown names"
        )
    return int(value) if name in ("hops_beyond_train", "people_in_train") else bool(value)


def _check_level(
    rows: Rows, here: dict[str, NDArray], shown: Shown, config: Mapping[str, Any], ledger: Ledger
) -> None:
    """The certificate that must hold at the level of the file."""
    seen, begun = here["path_in_train"] == 1, here["start_in_train"] == 1
    known, longer = here["unseen_relations"] == 0, here["hops_beyond_train"] > 0
    level = rows.file.level
    good = {
        "train": seen,
        "iid": seen & ~begun,
        "composition": ~seen & known,
        "zeroshot": ~known,
        "entity": seen & (here["people_in_train"] == 0),
        "depth": longer & known & ~seen,
    }[level]
    facts = (
        "path_in_train",
        "start_in_train",
        "unseen_relations",
        "hops_beyond_train",
        "people_in_train",
    )

    def say(row: int) -> str:
        return "training says " + ", ".join(
            f"{name} {_plain(name, here[name][row], shown.evidence)}" for name in facts
        )

    read = rows.path >= 0
    ledger.check(level, rows.file.name, int(read.sum()), np.flatnonzero(read & ~good), say)
    if config.get("heldout_starts") and level not in ("train", "entity"):
        inside = np.flatnonzero(read & shown.starts[np.where(read, rows.start, 0)])
        ledger.check(
            "held-out starts",
            rows.file.name,
            int(read.sum()),
            inside,
            lambda row: f"{shown.evidence.text(rows.start[row])} begins training questions",
        )


def _check_path(rows: Rows, paths: Paths, evidence: Evidence, ledger: Ledger) -> None:
    codes, place = np.unique(rows.path, return_inverse=True)
    wanted = TABLE_LEVELS[rows.file.level]
    good = np.array(
        [
            code < 0 or bool(wanted & paths.get((rows.file.skill, int(code)), set()))
            for code in codes
        ]
    )

    def say(row: int) -> str:
        names = " > ".join(evidence.table.path_names(path_of(rows.path[row], len(evidence.table))))
        given = (
            ", ".join(sorted(paths.get((rows.file.skill, int(rows.path[row])), set()))) or "no row"
        )
        return f"the path {names} must stand in data/paths with level {' or '.join(sorted(wanted))}, and has {given}"

    ledger.check("in paths", rows.file.name, len(rows), np.flatnonzero(~good[place]), say)


def _check_once(files: Sequence[Rows], ledger: Ledger) -> None:
    """No (start, path) and no question text twice, rl files and configs beyond the levels aside."""
    mine = [rows for rows in files if rows.file.level in TABLE_LEVELS and rows.file.split != "rl"]
    for law_text, keys in (
        ("start and path", [pairs(rows.start, rows.path) for rows in mine]),
        ("question text", [rows.text for rows in mine]),
    ):
        _twice("once", law_text, mine, keys, [rows.path >= 0 for rows in mine], ledger)


def _check_ids(files: Sequence[Rows], ledger: Ledger) -> None:
    mine = [rows for rows in files if rows.file.split != "rl"]
    _twice(
        "unique ids",
        "id",
        mine,
        [rows.id for rows in mine],
        [np.ones(len(rows), bool) for rows in mine],
        ledger,
    )


def _twice(
    law: str,
    what: str,
    files: Sequence[Rows],
    keys: list[NDArray],
    read: list[NDArray],
    ledger: Ledger,
) -> None:
    """Breaches where a key stands a second time, in the order of the files."""
    if not files:
        return
    key = np.concatenate(keys)
    ends = np.cumsum([len(rows) for rows in files])
    readable = np.flatnonzero(np.concatenate(read))
    order = readable[np.argsort(key[readable], kind="stable")]
    again = np.zeros(len(key), bool)
    first = np.arange(len(key))
    same = key[order[1:]] == key[order[:-1]]
    again[order[1:][same]] = True
    for before, after in zip(order[:-1][same], order[1:][same], strict=True):
        first[after] = first[before]

    def place(number: int) -> tuple[str, int]:
        file = int(np.searchsorted(ends, number, side="right"))
        return files[file].file.name, int(number - (ends[file - 1] if file else 0))

    for number, rows in enumerate(files):
        begin = ends[number] - len(rows)
        broken = np.flatnonzero(again[begin : ends[number]])
        ledger.check(
            law,
            rows.file.name,
            len(rows),
            broken,
            lambda row, begin=begin: "the same {} stands in {} row {}".format(
                what, *place(first[begin + row])
            ),
        )


def _check_counts(
    files: Sequence[Rows], skill: str, config: Mapping[str, Any], ledger: Ledger
) -> None:
    sizes = config[skill]
    wanted = {(skill, "train"): sizes["train"], (skill, "rl"): sizes.get("rl", 0)}
    for level in LEVELS:
        count = sizes[level] if level in config["levels"] else 0
        wanted |= {
            (f"{skill}/{level}", "test"): count,
            (f"{skill}/{level}", "validation"): -(-count // 10),
        }
    for name in ("counterfactual", "conflict", "direction"):
        wanted[f"{skill}/{name}", "test"] = (
            2 * sizes.get(name, 0) if name != "conflict" else sizes.get(name, 0)
        )
    found: dict[tuple[str, str], int] = {}
    for rows in files:
        key = rows.file.folder, rows.file.split
        found[key] = found.get(key, 0) + len(rows)
    for (folder, split), count in wanted.items():
        have = found.get((folder, split), 0)
        problem = None if have == count else f"{have:,} questions, the config says {count:,}"
        ledger.whole("counts", f"data/{folder}/{split}", problem)


def _check_rl(files: Sequence[Rows], ledger: Ledger) -> None:
    train = [
        rows for rows in files if rows.file.folder == rows.file.skill and rows.file.split == "train"
    ]
    ids = (
        np.concatenate([rows.id ^ rows.whole for rows in train])
        if train
        else np.empty(0, np.uint64)
    )
    for rows in files:
        if rows.file.split == "rl":
            strange = ~np.isin(rows.id ^ rows.whole, ids)
            ledger.check(
                "rl",
                rows.file.name,
                len(rows),
                np.flatnonzero(strange),
                lambda _: "this row does not stand in the training files",
            )


def _check_portions(files: Sequence[Rows], skill: str, ledger: Ledger) -> None:
    """A tenth holds a tenth of the questions of every path, give or take one."""
    train = [rows for rows in files if rows.file.folder == skill and rows.file.split == "train"]
    if not train:
        return
    path = np.concatenate([rows.path for rows in train])
    portion = np.concatenate([rows.recorded["portion"] for rows in train])
    codes, place = np.unique(path, return_inverse=True)
    total = np.bincount(place)
    table = np.zeros((len(codes), 11), np.int64)
    np.add.at(table, (place, np.clip(portion, 0, 10)), 1)
    off = np.abs(table[:, 1:].cumsum(axis=1) - total[:, None] * np.arange(1, 11) / 10).max(axis=1)
    broken = np.flatnonzero((off > 1.001) & (codes >= 0))

    def say(number: int) -> str:
        return f"a path with {total[number]} questions has {table[number, 1:].tolist()} of them in the portions 1 to 10"

    def place_of(number: int) -> tuple[str, int]:
        return next(
            (rows.file.name, int(np.flatnonzero(rows.path == codes[number])[0]))
            for rows in train
            if codes[number] in rows.path
        )

    ledger.check("portions", place_of, len(codes), broken, say)
