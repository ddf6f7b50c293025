"""The relation table: all that the package knows of its 39 relations, read from data (relations.toml)."""

from __future__ import annotations

from dataclasses import dataclass, field

PERSON = "person"
PARAMETRIC, CONTEXTUAL = "parametric", "contextual"


@dataclass(frozen=True)
class Relation:
    """One functional property of a person, and how it is said."""

    name: str
    object: str  # "person", or the name of a pool of values
    group: str  # "parametric" (to be stored in weights) or "contextual" (given in the prompt)
    inverse: str = ""  # own name where symmetric, empty where none
    older: tuple[int, int] | None = (
        None  # years by which the object is older than the subject, at least and at most
    )
    kin: bool = False  # nobody is two kinds of kin of the same person
    date: str = ""  # "birth" or "death" for the two dates that bound a life
    statements: tuple[str, ...] = ()  # "{subject} was born on {object}."
    asks: tuple[str, ...] = ()  # "When was {person} born?"
    nouns: tuple[str, ...] = ()  # "boss", for "{person}'s boss" and "the boss of {person}"
    clauses: tuple[str, ...] = ()  # "who supervised {person}", only where the object is a person

    @property
    def letter(self) -> str:
        return "P" if self.group == PARAMETRIC else "C"

    @property
    def symmetric(self) -> bool:
        return self.inverse == self.name

    @property
    def to_person(self) -> bool:
        return self.object == PERSON


@dataclass(frozen=True)
class RelationTable:
    """The relations in a fixed order (their numbers everywhere else), and the pools of values that they lead to."""

    relations: tuple[Relation, ...]
    pools: dict[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # listed pools; composed ones (see pools.py) are absent

    def __post_init__(self) -> None:
        object.__setattr__(
            self,
            "_number",
            {relation.name: number for number, relation in enumerate(self.relations)},
        )

    def __len__(self) -> int:
        return len(self.relations)

    def __getitem__(self, number: int) -> Relation:
        return self.relations[number]

    def number(self, name: str) -> int:
        """The number of the relation called `name`; KeyError if there is none."""
        return self._number[name]

    def path_names(self, path: tuple[int, ...]) -> tuple[str, ...]:
        return tuple(self.relations[number].name for number in path)

    def pattern(self, path: tuple[int, ...]) -> str:
        return "".join(self.relations[number].letter for number in path)

    def people_on(self, path: tuple[int, ...]) -> int:
        """How many of the entities of a chain over `path` are people: all but a final value."""
        return len(path) + int(self.relations[path[-1]].to_person)
