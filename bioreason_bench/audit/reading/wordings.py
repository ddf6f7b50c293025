"""In which of its wordings a relation is stated."""

from __future__ import annotations

from bioreason_bench.world.relations import Relation
from bioreason_bench.world.templates import with_article

__all__ = ["wording_of"]


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
