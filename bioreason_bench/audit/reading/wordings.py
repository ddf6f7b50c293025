"""In which of its wordings a relation is stated."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from bioreason_bench.audit.reading.parser import ParsedRelease
from bioreason_bench.world.relations import Relation
from bioreason_bench.world.templates import cut_statement, with_article

__all__ = ["first_wording", "wording_of"]


def first_wording(release: ParsedRelease) -> Callable[[int, str, str], str]:
    """A function from (relation, subject, object) to the sentence that chains state it in."""
    names = [relation.name for relation in release.table.relations]
    if release.language == "symbols":
        return lambda relation, subject, target: f"{subject} {names[relation]} {target} ."
    cuts = [
        cut_statement(relation.statements[0], relation.to_person)
        for relation in release.table.relations
    ]

    def write(relation: int, subject: str, target: str) -> str:
        cut = cuts[relation]
        return cut.fill(subject, _with_article(target) if cut.article else target)

    return write


_with_article = lru_cache(maxsize=65_536)(with_article)


def wording_of(relation: Relation, sentence: str, subject: str, target: str) -> int:
    """The number of the statement that a sentence is made from, -1 if there is none.

    Args:
        relation: The relation that the sentence states.
        sentence: The sentence, with the name of its subject.
        subject: The name.
        target: The object.
    """
    for number, statement in enumerate(relation.statements):
        slots = {"{subject}": subject, "{object}": target, "{object:a}": with_article(target)}
        for slot, text in slots.items():
            statement = statement.replace(slot, text)
        if statement == sentence:
            return number
    return -1
