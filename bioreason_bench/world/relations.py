"""The relation table: relations, their wordings and the values they lead to.

The table is data (relations.toml, or a user's own file; see docs/design.md, Relations).  No code
names a relation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

PERSON = "person"
PARAMETRIC, CONTEXTUAL = "parametric", "contextual"
MAX_GROUP = 256  # relations in a group: their order in a biography is drawn with 8-bit numbers


@dataclass(frozen=True)
class Relation:
    """One functional property of a person, and the words for it.

    Attributes:
        name: The name that data and paths use.
        object: "person", or the name of a pool of values.
        group: "parametric" (to be stored in weights) or "contextual" (given in the prompt).
        inverse: The relation that leads back: its own name if symmetric, "" if there is none.
        older: The least and the most years by which the object is older than the subject.
        kin: Whether no two relations with this flag lead from one person to the same other person.
        date: "birth" or "death" for the two dates that bound a life.
        exclusive: Whether a person can have only one object, so that two objects contradict.
        never_next: Names of relations that never follow this one in a path, because common sense
            would lead to another answer: a sibling's parent is one's own.
        statements: Sentences such as "{subject} was born on {object}."
        asks: Questions such as "When was {person} born?"
        nouns: Words such as "boss", for "{person}'s boss" and "the boss of {person}".
        clauses: Clauses such as "who supervised {person}"; only where the object is a person.
    """

    name: str
    object: str
    group: str
    inverse: str = ""
    older: tuple[int, int] | None = None
    kin: bool = False
    date: str = ""
    exclusive: bool = False
    never_next: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    nouns: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()

    @property
    def letter(self) -> str:
        """The letter of the group in patterns: P or C."""
        return "P" if self.group == PARAMETRIC else "C"

    @property
    def symmetric(self) -> bool:
        """Whether the relation is its own inverse."""
        return self.inverse == self.name

    @property
    def to_person(self) -> bool:
        """Whether the object is a person."""
        return self.object == PERSON


@dataclass(frozen=True)
class RelationTable:
    """The relations in a fixed order, which numbers them, and the pools of values they lead to.

    Attributes:
        relations: The relations; all other code refers to them by their index here.
        pools: Listed pools by name; composed ones (see pools.py) are absent.
    """

    relations: tuple[Relation, ...]
    pools: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.relations)

    def __getitem__(self, number: int) -> Relation:
        return self.relations[number]

    def __contains__(self, name: object) -> bool:
        return name in self._numbers

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {relation.name: number for number, relation in enumerate(self.relations)}

    def number(self, name: str) -> int:
        """Return the number of the relation called `name`; raise KeyError if there is none."""
        return self._numbers[name]

    def path_names(self, path: tuple[int, ...]) -> tuple[str, ...]:
        """Return the names of the relations on the path."""
        return tuple(self.relations[number].name for number in path)

    def pattern(self, path: tuple[int, ...]) -> str:
        """Return the groups of the path as letters, such as "CPC"."""
        return "".join(self.relations[number].letter for number in path)

    def people_on(self, path: tuple[int, ...]) -> int:
        """Return how many entities of a chain over `path` are people: all but a final value."""
        return len(path) + int(self.relations[path[-1]].to_person)
