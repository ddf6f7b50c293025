"""The reader of the language of symbols."""

from __future__ import annotations

from bioreason_bench.world.relations import RelationTable


class SymbolsParser:
    """Reads "p17 spouse p42 ." and "p17 child spouse ?"; see `reader.Parser`."""

    def __init__(self, table: RelationTable) -> None:
        self._names = frozenset(relation.name for relation in table.relations)

    def sentence(self, text: str) -> tuple[str, str, str] | None:
        words = text.split()
        if len(words) == 4 and words[3] == "." and words[1] in self._names:
            return words[0], words[1], words[2]
        return None

    def sentences(self, text: str) -> list[str]:
        sentences: list[list[str]] = [[]]
        for word in text.split():
            sentences[-1].append(word)
            if word == ".":
                sentences.append([])
        return [" ".join(words) for words in sentences if words]

    def parts(self, text: str) -> list[str]:
        return self.sentences(text)

    def named(self, part: str, name: str) -> str:  # noqa: ARG002 - nobody is a pronoun
        return part

    def part(self, part: str, name: str) -> tuple[str, tuple[str, str, str] | None]:  # noqa: ARG002
        return part, self.sentence(part)

    def question(self, text: str) -> tuple[str, tuple[str, ...]] | None:
        words = text.split()
        if len(words) >= 3 and words[-1] == "?" and self._names.issuperset(words[1:-1]):
            return words[0], tuple(words[1:-1])
        return None
