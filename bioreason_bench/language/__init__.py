"""How it is said, and read back: statements, biographies, questions and chains, in English and in symbols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import NDArray

from bioreason_bench.language.english import English
from bioreason_bench.language.symbols import Symbols

if TYPE_CHECKING:
    from bioreason_bench.world.relations import RelationTable

__all__ = ["Language", "Said", "language_of"]


class Said(Protocol):
    """What a language needs to know of a world."""

    table: RelationTable
    texts: dict[str, list[str]]  # object kind -> texts by id; texts["person"] are the names
    objects: NDArray  # [relations, people] object ids, -1 where there is none


class Language(Protocol):
    """A way to say facts and to ask for them; many at a time, one relation or path at a time."""

    def variants(self, relation: int) -> int:
        """The number of wordings of the relation's statement."""

    def statements(
        self, relation: int, subjects: NDArray, objects: list[str] | None, variants: NDArray
    ) -> list[str]:
        """One sentence for each subject (ids), in the wording of that number; `objects` are texts, by default the world's own."""

    def questions(self, path: tuple[int, ...], starts: NDArray, words: NDArray) -> list[str]:
        """The question for the path from each start (ids); its style and wording are chosen by the 64-bit word beside it."""

    def chains(self, path: tuple[int, ...], walk: NDArray) -> list[str]:
        """The chain of each row of ids [rows, hops + 1], start first: a sentence a hop, then "So, the answer is: X"."""


LANGUAGES = {"english": English, "symbols": Symbols}


def language_of(world: Any) -> Language:
    """The language that the world's configuration names, over the world's own texts."""
    name = world.config.language
    return LANGUAGES[name](world.table, world.texts, world.objects)
