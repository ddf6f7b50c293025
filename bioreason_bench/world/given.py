"""The world of a user's own facts (see docs/data.md, Your own facts).

Triples (subject, relation, object) and a relation table become the same table, people, texts and
object ids that the package otherwise invents.  A "person" is then any entity: a country, a gene.

- An entity is the subject of a row, or listed in the file of names if there is one.
- Each fact has at most one object.  The mirror of a fact (its inverse, or the same symmetric
  relation) is added where it is missing; a mirror that contradicts it is refused.
- `older`, `kin` and `date` of the table say how to invent people, and have no effect here.
- A pool of values that the table does not list holds the objects that occur, sorted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.config import WorldConfig
from bioreason_bench.draw import Draw
from bioreason_bench.errors import UsageError, suggest
from bioreason_bench.world.people import People
from bioreason_bench.world.pools import COMPOSED
from bioreason_bench.world.relations import PARAMETRIC, PERSON, Relation, RelationTable
from bioreason_bench.world.table import keep_relations, load_open_table
from bioreason_bench.world.table_laws import check_pool, check_table, check_values
from bioreason_bench.world.templates import NAME_WORD
from bioreason_bench.world.triples import Rows, read_rows

__all__ = ["describe_facts", "given_world"]

FACTS, NAMES = ("subject", "relation", "object"), ("id", "name")
_NAME = re.compile(rf"{NAME_WORD}(?: {NAME_WORD})*")
_RESERVED = {"So", "The", "Their", "They"}  # words that begin sentences whatever the relation table
_TITLES = {"dr", "ii", "iii", "iv", "jr", "md", "miss", "mr", "mrs", "ms", "phd", "prof", "sr"}

Texts = dict[str, list[str]]
Parts = tuple[RelationTable, People, Texts, NDArray[np.int32]]


@dataclass(frozen=True)
class Given:
    """Facts that do not contradict each other.

    Attributes:
        table: The relations to keep; their pools are those that the table's file lists.
        rows: The rows of the file.
        facts: Relation -> subject -> (object, index of the row that says or implies it), for
            relations with facts.
        names: Entity -> the name used in sentences.
        names_rows: The rows of the file of names, None without one.
    """

    table: RelationTable
    rows: Rows
    facts: dict[str, dict[str, tuple[str, int]]]
    names: Mapping[str, str]
    names_rows: Rows | None


def describe_facts(config: WorldConfig) -> WorldConfig:
    """Return the configuration with the digests of its files and the numbers of their entities.

    Raises:
        UsageError: The facts make no world.
    """
    given = _read(config)
    people = _people(config, given, _entities(given), Draw(config.seed))
    known = int(people.known.sum())
    both = int((people.known & people.in_context).sum())
    return replace(
        config,
        facts_sha256=given.rows.sha256,
        names_sha256=given.names_rows.sha256 if given.names_rows else "",
        known=known,
        novel=len(people) - known,
        in_context=round(both / known, 4) if known else 0.0,
        pool_sizes={},
        locale="",
    )


def given_world(config: WorldConfig, draw: Draw) -> Parts:
    """Make table, people, texts and object ids of the user's facts.

    Raises:
        UsageError: Says in one sentence what is wrong with the files, and where.
    """
    given = _read(config)
    entities = _entities(given)
    people = _people(config, given, entities, draw)
    pools = _pools(given)
    if config.language == "english":
        _check_texts(given, entities, pools)
        _check_paraphrases(config, given)
    texts = {PERSON: [given.names[entity] for entity in entities], **pools}
    ids = {kind: {text: number for number, text in enumerate(pools[kind])} for kind in pools}
    ids[PERSON] = {entity: number for number, entity in enumerate(entities)}
    if config.language == "symbols":
        texts = {PERSON: [f"p{k}" for k in range(len(entities))]} | {
            kind: [f"{kind}{k}" for k in range(len(values))] for kind, values in pools.items()
        }
    table = _final_table(given, texts)
    objects = np.full((len(table), len(entities)), -1, np.int32)
    for number, relation in enumerate(table.relations):
        for subject, (target, _) in given.facts[relation.name].items():
            objects[number, ids[PERSON][subject]] = ids[relation.object][target]
    return table, people, texts, objects


# reading ------------------------------------------------------------------------------------------


def _read(config: WorldConfig) -> Given:
    table = load_open_table(config.relations)
    rows = read_rows(config.facts, FACTS, config.facts_sha256)
    names_rows = read_rows(config.names, NAMES, config.names_sha256) if config.names else None
    subjects = rows.columns[0]
    names = _names(names_rows) if names_rows else {subject: subject for subject in subjects}
    _check_relations(config, table, rows)
    _check_entities(table, rows, names, names_rows)
    if config.keep:
        table = keep_relations(table, config.keep)
    facts = _group(table, rows)
    _add_mirrors(table, rows, facts)
    return Given(table, rows, facts, names, names_rows)


def _names(rows: Rows) -> dict[str, str]:
    """Entity -> name."""
    names: dict[str, str] = {}
    for index, (entity, name) in enumerate(zip(*rows.columns, strict=True)):
        if names.setdefault(entity, name) != name:
            raise UsageError(
                f"{rows.at(index)}: {entity!r} is {name!r} here and {names[entity]!r} above; "
                "give it one name"
            )
    return names


def _check_relations(config: WorldConfig, table: RelationTable, rows: Rows) -> None:
    known = [relation.name for relation in table.relations]
    for name in rows.columns[1]:
        if name not in table:
            source = Path(config.relations).name or "the built-in relation table"
            raise UsageError(
                f"{rows.at(rows.columns[1].index(name))}: there is no relation {name!r} in "
                f"{source}; {suggest(name, known)}"
            )


def _check_entities(
    table: RelationTable, rows: Rows, names: Mapping[str, str], names_rows: Rows | None
) -> None:
    """Every subject, and every object of a relation between entities, is an entity."""
    add = f"add it to {names_rows.source}" if names_rows else "add a row with it as the subject"
    for index, (subject, name, target) in enumerate(zip(*rows.columns, strict=True)):
        if subject not in names:
            raise UsageError(f"{rows.at(index)}: the subject {subject!r} is nobody; {add}")
        if not table[table.number(name)].to_person:
            continue
        if target not in names:
            raise UsageError(
                f"{rows.at(index)}: {name} leads to an entity, and {target!r} is none; "
                f"correct it, or {add}"
            )
        if target == subject:
            raise UsageError(
                f"{rows.at(index)}: {subject!r} is its own {name}; remove the row, "
                "because a path never stays where it is"
            )


def _group(table: RelationTable, rows: Rows) -> dict[str, dict[str, tuple[str, int]]]:
    """The facts of the table's relations; a row that is there twice counts once."""
    facts: dict[str, dict[str, tuple[str, int]]] = {}
    twice: list[tuple[int, int]] = []
    for index, (subject, name, target) in enumerate(zip(*rows.columns, strict=True)):
        if name not in table:
            continue
        first = facts.setdefault(name, {}).setdefault(subject, (target, index))
        if first[0] != target:
            twice.append((first[1], index))
    if twice:
        first_row, second = twice[0]
        subject, name, target = (column[second] for column in rows.columns)
        more = len(twice) - 1
        others = f", and {more:,} more rows repeat a subject and relation" if more else ""
        raise UsageError(
            f"{rows.at(second)}: {subject!r} has the {name} {target!r}, and in {rows.unit} "
            f"{rows.numbers[first_row]} {rows.columns[2][first_row]!r}{others}; "
            "a relation has one object, so keep one row of each"
        )
    if not facts:
        raise UsageError(f"{rows.source} has no fact of the relations in keep; keep others")
    return facts


def _add_mirrors(
    table: RelationTable, rows: Rows, facts: dict[str, dict[str, tuple[str, int]]]
) -> None:
    """Add the mirror of each fact of a relation with an inverse; refuse one that contradicts it."""
    for relation in table.relations:
        if not relation.inverse or relation.name not in facts:
            continue
        mirrors = facts.setdefault(relation.inverse, {})
        for subject, (target, index) in list(facts[relation.name].items()):
            back, other = mirrors.setdefault(target, (subject, index))
            if back != subject:
                raise UsageError(
                    f"{rows.at(index)}: {subject!r} {relation.name} {target!r} means that the "
                    f"{relation.inverse} of {target!r} is {subject!r}, but {rows.unit} "
                    f"{rows.numbers[other]} makes it {back!r}; correct one of them, or remove "
                    f"inverse from {relation.name} and {relation.inverse}"
                )


# entities -----------------------------------------------------------------------------------------


def _entities(given: Given) -> list[str]:
    """Everybody who occurs in a fact: those with a parametric fact first, each part sorted."""
    known: set[str] = set()
    everybody: set[str] = set()
    for name, facts in given.facts.items():
        relation = given.table[given.table.number(name)]
        everybody |= facts.keys()
        if relation.group == PARAMETRIC:
            known |= facts.keys()
        if relation.to_person:
            everybody |= {target for target, _ in facts.values()}
    return [*sorted(known), *sorted(everybody - known)]


def _people(config: WorldConfig, given: Given, entities: Sequence[str], draw: Draw) -> People:
    """Who is known, in contexts and in the community; all births are the same."""
    ids = {entity: number for number, entity in enumerate(entities)}
    known, in_context = np.zeros(len(ids), bool), np.zeros(len(ids), bool)
    for name, facts in given.facts.items():
        parametric = given.table[given.table.number(name)].group == PARAMETRIC
        (known if parametric else in_context)[[ids[subject] for subject in facts]] = True
    stream = draw.at("people")
    community = np.zeros(len(ids), bool)
    if config.community:
        community = _community(given, ids, config.community, stream)
    withheld = stream.at("heldout_wordings").uniform(len(ids)) < config.heldout_wordings
    births = np.zeros(len(ids), np.int64)
    return People(known, in_context, community, births, known & withheld)


def _community(given: Given, ids: Mapping[str, int], share: float, draw: Draw) -> NDArray[np.bool_]:
    """A closed part of the graph with at most `share` of the entities: whole components.

    Nobody in it is related to anybody outside.  Components are tried in a drawn order.
    """
    component = np.arange(len(ids))
    edges = np.array(
        [
            (ids[subject], ids[target])
            for name, facts in given.facts.items()
            if given.table[given.table.number(name)].to_person
            for subject, (target, _) in facts.items()
        ],
        np.int64,
    ).reshape(-1, 2)
    before = None
    while before is None or not np.array_equal(before, component):
        before = component.copy()
        least = component[edges].min(axis=1)
        np.minimum.at(component, edges[:, 0], least)
        np.minimum.at(component, edges[:, 1], least)
        component = component[component]  # halves the number of rounds
    community = np.zeros(len(ids), bool)
    for label in draw.at("community").permutation(np.unique(component)).tolist():
        members = component == label
        if (community | members).sum() <= share * len(ids):
            community |= members
    return community


# values, names and the final table ----------------------------------------------------------------


def _pools(given: Given) -> Texts:
    """Kind of value -> its values: those that the table lists, or else the objects that occur."""
    objects: dict[str, set[str]] = {}
    for relation in _used(given):
        if relation.to_person:
            continue
        listed = given.table.pools.get(relation.object)
        facts = given.facts[relation.name]
        if listed is None:
            objects.setdefault(relation.object, set()).update(
                target for target, _ in facts.values()
            )
            continue
        allowed = objects.setdefault(relation.object, set(listed))
        for target, index in facts.values():
            if target not in allowed:
                hint = suggest(target, listed, "correct it, or add it to the pool")
                raise UsageError(
                    f"{given.rows.at(index)}: {target!r} is not in the pool {relation.object!r} "
                    f"of the relation table; {hint}"
                )
    return {
        kind: list(given.table.pools.get(kind, sorted(values))) for kind, values in objects.items()
    }


def _used(given: Given) -> Iterator[Relation]:
    """The relations that have facts, in the order of the table."""
    return (row for row in given.table.relations if row.name in given.facts)


def _final_table(given: Given, texts: Texts) -> RelationTable:
    """The relations with facts and their pools, without what only invented people have."""
    relations = tuple(
        replace(
            row,
            older=None,
            kin=False,
            date="",
            never_next=tuple(name for name in row.never_next if name in given.facts),
        )
        for row in _used(given)
    )
    kinds = {row.object for row in relations if not row.to_person} - COMPOSED
    table = RelationTable(relations, {kind: tuple(texts[kind]) for kind in texts if kind in kinds})
    try:
        check_table(table)
    except ValueError as problem:
        raise UsageError(f"{given.rows.source}: {problem}") from None
    return table


def _check_texts(given: Given, entities: Sequence[str], pools: Texts) -> None:
    """Values and names can be told apart in English sentences, and no value is a name."""
    _check_names(given, entities)
    names = {given.names[entity] for entity in entities}
    for kind, values in pools.items():
        try:
            if kind in COMPOSED:
                check_values(f"values of the kind '{kind}': ", values)
            else:
                check_pool(kind, values)
        except ValueError as problem:
            raise UsageError(f"{given.rows.source}: {problem}") from None
        if same := sorted(names.intersection(values)):
            raise UsageError(
                f"{given.rows.source}: {same[0]!r} is both the name of an entity and a value of "
                f"the kind {kind!r}; write one of them differently, such as '{same[0]} City'"
            )


def _check_names(given: Given, entities: Sequence[str]) -> None:
    """The reader finds every name by its capitals, and tells all names apart."""
    source = given.names_rows.source if given.names_rows else given.rows.source
    first_words = _RESERVED | {
        text.split()[0] for row in _used(given) for text in (*row.statements, *row.asks)
    }
    bad = [
        (given.names[entity], reason)
        for entity in entities
        if (reason := _why_unreadable(given.names[entity], first_words))
    ]
    if bad:
        name, reason = bad[0]
        raise UsageError(
            f"{source}: English sentences cannot hold {len(bad):,} of {len(entities):,} names, the "
            f"first of them {name!r}, which {reason}; give other names with --names, or use "
            "--set language=symbols"
        )
    owner: dict[str, str] = {}
    for entity in entities:
        name = given.names[entity]
        key = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", name).casefold()))
        if key in owner:
            raise UsageError(
                f"{source}: {owner[key]!r} and {entity!r} are both called {name!r}, or nearly so; "
                "give them different names with --names"
            )
        owner[key] = entity


def _why_unreadable(name: str, first_words: set[str]) -> str:
    """What is wrong with a name, "" if nothing."""
    if not _NAME.fullmatch(name):
        return (
            "is not made of words that begin with a capital letter (A-Z or \u00c0-\u00de) and hold "
            "letters, digits and hyphens only"
        )
    words = name.split()
    if words[0] in first_words:
        return f"begins with {words[0]!r}, as sentences do"
    if titles := [word for word in words if word.lower() in _TITLES]:
        return f"holds {titles[0]!r}, which reads as a title or a suffix"
    return ""


def _check_paraphrases(config: WorldConfig, given: Given) -> None:
    """Paraphrases of a biography differ, also where it states one fact only."""
    rows = [row for row in _used(given) if row.group == PARAMETRIC]
    fewest = min(rows, key=lambda row: len(row.statements), default=None)
    held_out = 2 if config.heldout_wordings else 0
    if fewest is not None and len(fewest.statements) < config.paraphrases + held_out:
        needed = f"paraphrases is {config.paraphrases}"
        if held_out:
            needed += f" and heldout_wordings keeps {held_out} statements of a relation out"
        raise UsageError(
            f"{needed}, but relation {fewest.name!r} has {len(fewest.statements)} statements; "
            "lower them, or write more statements"
        )
