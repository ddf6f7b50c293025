"""Text back to facts, by the relation table alone: without the world, without a list of names.

>>> from bioreason_bench.world.table import load_table
>>> reader = Reader(load_table())
>>> reader.sentence("Ann Lee was born on March 3, 1931.")
('Ann Lee', 'birth_date', 'March 3, 1931')
>>> reader.question("Where was Ann Lee's boss's spouse born?")
('Ann Lee', ('boss', 'spouse', 'birth_place'))
>>> reader.chain("Ann Lee's boss was Bo Ray. So, the answer is: Bo Ray")
([('Ann Lee', 'boss', 'Bo Ray')], 'Bo Ray')

>>> reader.biography("Ann Lee died in Lima, and they kept a cat as a pet. Bo Ray was their boss.")
[('Ann Lee', 'died_in', 'Lima'), ('Ann Lee', 'pet', 'cat'), ('Ann Lee', 'boss', 'Bo Ray')]

Names are runs of capitalized words.  The rules for wordings (world/wording_laws.py) make sure that
no sentence has two readings.  Readers accept any string: one that they cannot read gives None, in
time linear in its length.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from bioreason_bench.language.answer import MARKER
from bioreason_bench.language.read_english import EnglishParser
from bioreason_bench.language.read_symbols import SymbolsParser
from bioreason_bench.world.relations import RelationTable

Fact = tuple[str, str, str]  # subject, name of the relation, object


class Parser(Protocol):
    """The part of a reader that depends on the language."""

    def sentence(self, text: str) -> Fact | None:
        """Return the fact that a statement in any of its wordings states; None for other text."""

    def sentences(self, text: str) -> list[str]:
        """Split a text into sentences as they are, each with its full stop."""

    def parts(self, text: str) -> list[str]:
        """Split a biography into parts of one fact: sentences, and halves of joined ones."""

    def named(self, part: str, name: str) -> str:
        """The part of a biography with the person's name for a pronoun."""

    def part(self, part: str, name: str) -> tuple[str, Fact | None]:
        """Read one part of a biography.

        Args:
            part: The part; a pronoun means the person.
            name: The person's name, "" while it is unknown.

        Returns:
            The part with the name for a pronoun, and its fact; None if it cannot be read.
        """

    def question(self, text: str) -> tuple[str, tuple[str, ...]] | None:
        """Return the start and the path (relation names) of a question; None for other text."""


PARSERS: Mapping[str, Callable[[RelationTable], Parser]] = {
    "english": EnglishParser,
    "symbols": SymbolsParser,
}


class Reader:
    """Reads sentences, biographies, questions and chains of one relation table and language."""

    def __init__(self, table: RelationTable, language: str = "english") -> None:
        parser = PARSERS[language](table)
        self.sentence = parser.sentence
        self.sentences = parser.sentences
        self.parts = parser.parts
        self.part = parser.part
        self.named = parser.named
        self.question = parser.question

    def told(self, text: str) -> list[tuple[str, Fact | None]]:
        """Read a biography, whose first sentence names the person; a pronoun means that person.

        Returns:
            One sentence a fact, with the person's name for pronouns; and the fact, None for a
            sentence that cannot be read.
        """
        read: list[tuple[str, Fact | None]] = []
        name = ""
        for part in self.parts(text):
            read.append(self.part(part, name))
            fact = read[0][1]
            name = fact[0] if fact else ""
        return read

    def biography(self, text: str) -> list[Fact | None]:
        """Return the facts of a biography; None for a sentence that cannot be read."""
        return [fact for _, fact in self.told(text)]

    def biography_sentences(self, text: str) -> list[str]:
        """Split a biography into one sentence a fact, with the person's name for pronouns."""
        return [sentence for sentence, _ in self.told(text)]

    def chain(self, text: str) -> tuple[list[Fact | None], str | None]:
        """Read a chain.

        Returns:
            The fact of each sentence, None for a sentence that cannot be read; and the answer after
            the last marker, None without a marker.
        """
        reasoning, marker, answer = text.rpartition(MARKER)
        if not marker:
            return [self.sentence(part) for part in self.sentences(text)], None
        reasoning = reasoning.rstrip().removesuffix("So,")
        return [self.sentence(part) for part in self.sentences(reasoning)], answer.strip()
