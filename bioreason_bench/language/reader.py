"""Text → facts, from the relation table alone; no world, no list of names.

    reader = Reader(load_table())
    reader.sentence("Ann Lee was born on March 3, 1931.")         # ("Ann Lee", "birth_date", "March 3, 1931")
    reader.question("Where was Ann Lee's boss's spouse born?")    # ("Ann Lee", ("boss", "spouse", "birth_place"))

Names are runs of words that begin with a capital letter.  The laws of the wordings (world/wording_laws.py) see to it that no
sentence has two readings.  Any string may be given: what cannot be read is None, in time linear in its length.
"""

from __future__ import annotations

from bioreason_bench.language.answer import MARKER
from bioreason_bench.language.read_english import EnglishParser
from bioreason_bench.language.read_symbols import SymbolsParser
from bioreason_bench.world.relations import RelationTable

Fact = tuple[str, str, str]  # subject, relation's name, object


class Reader:
    """Reads sentences, questions and chains of one relation table in one language."""

    def __init__(self, table: RelationTable, language: str = "english") -> None:
        parser = {"english": EnglishParser, "symbols": SymbolsParser}[language](table)
        self.sentence = parser.sentence
        self.sentences = parser.sentences
        self.question = parser.question

    def chain(self, text: str) -> tuple[list[Fact | None], str | None]:
        """What each sentence of the chain states (None where it states nothing that can be read), and the answer after the last mark."""
        said, mark, answer = text.rpartition(MARKER)
        if not mark:
            return [self.sentence(part) for part in self.sentences(text)], None
        said = said.rstrip().removesuffix("So,")
        return [self.sentence(part) for part in self.sentences(said)], answer.strip()
