"""data/paths: the paths of the questions, read into numbers and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from bioreason_bench.audit.ledger import Ledger, Location
from bioreason_bench.audit.reading.parser import ParsedRelease
from bioreason_bench.audit.reading.questions import code_of, path_of
from bioreason_bench.audit.reading.tables import Tables
from bioreason_bench.audit.reading.training import TrainingExposure
from bioreason_bench.world.relations import Relation, RelationTable

__all__ = ["ListedPaths", "PathKey", "check_path_levels", "path_problem", "read_paths"]

PathKey = tuple[str, int]  # skill, path code


@dataclass
class ListedPaths:
    """The rows of data/paths.

    Attributes:
        levels: The levels of each path; one, unless the table is broken.
        rows: The first row of each path.
    """

    levels: dict[PathKey, set[str]] = field(default_factory=dict)
    rows: dict[PathKey, Location] = field(default_factory=dict)

    def of(self, skill: str, code: int) -> set[str]:
        """The levels of a path, none if the table does not list it."""
        return self.levels.get((skill, code), set())


def read_paths(
    table: RelationTable, files: Tables, config: Mapping[str, Any], ledger: Ledger
) -> ListedPaths:
    """Read data/paths, and check each row by itself; `config` is the one in the manifest."""
    numbers = {relation.name: number for number, relation in enumerate(table.relations)}
    listed = ListedPaths()
    for file, rows in files.items():
        records = rows.to_pylist()
        broken: dict[int, str] = {}
        for row, record in enumerate(records):
            if problem := path_problem(table, record, config):
                broken[row] = problem
            if all(name in numbers for name in record["path"]):
                code = code_of([numbers[name] for name in record["path"]], len(table))
                key = record["skill"], code
                if key in listed.rows:
                    broken[row] = f"the same path is in row {listed.rows[key][1]}"
                listed.rows.setdefault(key, (file, row))
                listed.levels.setdefault(key, set()).add(record["level"])
        ledger.check("path shape", file, len(records), sorted(broken), broken)
    return listed


def path_problem(table: RelationTable, record: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """What is wrong with one row of data/paths, "" if nothing."""
    names = record["path"]
    relations_by_name = {relation.name: relation for relation in table.relations}
    if unknown := [name for name in names if name not in relations_by_name]:
        return f"{unknown[0]} is not a relation of this world"
    relations = [relations_by_name[name] for name in names]
    problem = _shape_problem(relations) or _column_problem(relations, record)
    if not problem and record["skill"] == "comp":
        if config.get("leak_guards"):
            problem = _leak_problem(relations)
        if not problem and config.get("distractors"):
            problem = _pattern_problem(record["pattern"])
    return problem


def _shape_problem(relations: list[Relation]) -> str:
    names = [relation.name for relation in relations]
    path = " > ".join(names)
    if len(set(names)) < len(names):
        return f"{path} holds a relation twice"
    if values := [relation.name for relation in relations[:-1] if not relation.to_person]:
        return f"{path} stops at {values[0]!r}: only people have relations"
    for before, after in pairwise(relations):
        if before.inverse and after.name == before.inverse:
            return f"{path} steps straight back by {after.name}"
        if after.name in before.never_next:
            return f"{path} holds {before.name} > {after.name}, which common sense decides"
    return ""


def _column_problem(relations: list[Relation], record: Mapping[str, Any]) -> str:
    path = " > ".join(relation.name for relation in relations)
    pattern, hops = "".join(relation.letter for relation in relations), len(relations)
    if record["pattern"] != pattern or record["hops"] != hops:
        return (
            f"{path} has pattern {pattern} and {hops} hops; "
            f"the row says {record['pattern']} and {record['hops']}"
        )
    skill = {"P": "mem", "C": "ctx"}.get("".join(sorted(set(pattern))), "comp")
    if record["skill"] != skill:
        return f"{path} with pattern {pattern} belongs to {skill}, the row says {record['skill']}"
    return ""


def _leak_problem(relations: list[Relation]) -> str:
    names = [relation.name for relation in relations]
    if any(relation.inverse in names and not relation.symmetric for relation in relations):
        path = " > ".join(names)
        return f"{path} asks for a relation and its inverse, so that one would give the other away"
    return ""


def _pattern_problem(pattern: str) -> str:
    """Why the biography of the gold person alone would name several people of the context."""
    for part in ("PCC", "CCC"):
        if part in pattern:
            return f"pattern {pattern} holds {part}: a biography would tell who is meant"
    return ""


def check_path_levels(
    release: ParsedRelease,
    listed: ListedPaths,
    exposure: Mapping[str, TrainingExposure],
    by_folds: bool,
    ledger: Ledger,
) -> None:
    """Compare the level of each path with the training questions, and comp with mem and ctx.

    Args:
        release: The release.
        listed: The rows of data/paths.
        exposure: The training questions of each skill.
        by_folds: Whether pairs of relations are held out.
        ledger: Where checks are counted.
    """
    keys = list(listed.rows)
    atomic = exposure["mem"].relations | exposure["ctx"].relations
    wrong: dict[int, str] = {}
    untrained: dict[int, str] = {}
    for number, (skill, code) in enumerate(keys):
        level = next(iter(listed.levels[skill, code]))
        problem = _level_problem(release, level, code, exposure[skill])
        if by_folds and not problem:
            problem = _pair_problem(release, level, code, exposure[skill])
        if problem:
            wrong[number] = problem
        if skill == "comp" and (relations := set(path_of(code, len(release.table))) - atomic):
            names = ", ".join(release.table.path_names(tuple(sorted(relations))))
            untrained[number] = f"{names} is in no training question of mem or ctx"

    def locate(number: int) -> Location:
        return listed.rows[keys[number]]

    ledger.check("path levels", locate, len(keys), sorted(wrong), wrong)
    composed = sum(skill == "comp" for skill, _ in keys)
    ledger.check("atomic", locate, composed, sorted(untrained), untrained)


def _level_problem(
    release: ParsedRelease, level: str, code: int, exposure: TrainingExposure
) -> str:
    """Why a path of this level does not fit the training questions of its skill, "" if it does."""
    path = path_of(code, len(release.table))
    trained = bool(np.isin(code, exposure.paths))
    unseen = set(path) - exposure.relations
    if trained != (level in ("train", "iid")):
        negation = "" if trained else "not "
        return f"level {level}, and the path is {negation}in the training questions"
    if bool(unseen) != (level == "zeroshot"):
        names = ", ".join(release.table.path_names(tuple(sorted(unseen))))
        return f"level {level}, and training lacks {names or 'none of its relations'}"
    if (len(path) > exposure.longest) != (level == "depth"):
        return f"level {level}, with {len(path)} hops where training has at most {exposure.longest}"
    return ""


def _pair_problem(release: ParsedRelease, level: str, code: int, exposure: TrainingExposure) -> str:
    """Why the pairs of a path do not fit its level, "" if they do."""
    pairs = set(pairwise(path_of(code, len(release.table)))) - exposure.pairs
    if level == "composition" and not pairs:
        return "level composition, and training joins every pair of its relations"
    if level == "depth" and pairs:
        names = " > ".join(release.table.path_names(min(pairs)))
        return f"level depth, and training never joins {names}"
    return ""
