"""Facts as text, and text back to facts: statements, biographies, questions, chains, readers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from numpy.typing import NDArray

from bioreason_bench.language.english import English
from bioreason_bench.language.symbols import Symbols
from bioreason_bench.world.relations import RelationTable

if TYPE_CHECKING:
    from bioreason_bench.world.facts import World

__all__ = ["LANGUAGES", "Language", "language_of"]


class Language(Protocol):
    """A writer of facts and questions; each call writes many texts for one relation or path.

    People are ids: indices of the world's names.
    """

    def variants(self, relation: int) -> int:
        """Return the number of wordings of the relation's statement."""

    def statements(
        self, relation: int, subjects: NDArray, objects: list[str] | None, variants: NDArray
    ) -> list[str]:
        """Return one sentence per subject.

        Args:
            relation: The relation that every sentence states.
            subjects: Person ids.
            objects: One text per subject; None for the objects that the subjects have in the world.
            variants: The number of the wording, per subject.
        """

    def with_pronouns(
        self, relation: int, subjects: NDArray, objects: list[str] | None, variants: NDArray
    ) -> list[str]:
        """Return the same sentences with a pronoun for the subject; "" where there is none."""

    def questions(self, path: tuple[int, ...], starts: NDArray, words: NDArray) -> list[str]:
        """Return the question for the path from each start.

        Args:
            path: Numbers of the relations.
            starts: Person ids.
            words: Random 64-bit words, one per start, that choose style and wording.
        """

    def chains(self, path: tuple[int, ...], walk: NDArray) -> list[str]:
        """Return a chain per row: one sentence per hop, then "So, the answer is: X".

        Args:
            path: Numbers of the relations.
            walk: Object ids [rows, hops + 1], the start first.
        """


LANGUAGES: Mapping[
    str, Callable[[RelationTable, Mapping[str, Sequence[str]], NDArray], Language]
] = {
    "english": English,
    "symbols": Symbols,
}


def language_of(world: World) -> Language:
    """Return the language that the world's configuration names, for the world's texts."""
    return LANGUAGES[world.config.language](world.table, world.texts, world.objects)
