"""English, written from the wordings of the relation table.

Text is joined from pieces that are cut once: a path's questions differ in a prefix and a suffix around the start's name, its
chains in nothing but names and values.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.language.answer import ANSWER
from bioreason_bench.world.relations import RelationTable
from bioreason_bench.world.templates import Ask, cut_ask, cut_clause, cut_statement, with_article
from bioreason_bench.world.wording_laws import clause_unit, of_unit

POSSESSIVE_LONG, OF_LONG = (
    4,
    2,
)  # a phrase of so many units or more stands at the end of its question; a relative clause always does


class English:
    """See `language.Language`; ids are those of `texts`."""

    def __init__(self, table: RelationTable, texts: dict[str, list[str]], objects: NDArray) -> None:
        self.table, self.texts, self.objects = table, texts, objects
        self._wordings = wordings(table)

    def variants(self, relation: int) -> int:
        return len(self._wordings.statements[relation])

    def statements(
        self, relation: int, subjects: NDArray, objects: list[str] | None, variants: NDArray
    ) -> list[str]:
        cuts = self._wordings.statements[relation]
        if objects is None:
            texts = self.texts[self.table[relation].object]
            objects = [texts[k] for k in self.objects[relation][subjects].tolist()]
        if any(cut.article for cut in cuts):
            known = {text: with_article(text) for text in set(objects)}
            objects = [
                known[text] if cuts[k].article else text
                for text, k in zip(objects, variants.tolist(), strict=True)
            ]
        names = self.texts["person"]
        pieces = [(cut.before, cut.between, cut.after) for cut in cuts]
        chosen = [pieces[k] for k in variants.tolist()]
        return [
            f"{a}{names[k]}{b}{text}{c}"
            for (a, b, c), k, text in zip(chosen, subjects.tolist(), objects, strict=True)
        ]

    def questions(self, path: tuple[int, ...], starts: NDArray, words: NDArray) -> list[str]:
        forms = self._wordings.forms(path)
        names, pieces = self.texts["person"], forms.pieces
        return [
            f"{pair[0]}{names[k]}{pair[1]}"
            for k, pair in zip(
                starts.tolist(), map(pieces.__getitem__, forms.choose(words).tolist()), strict=True
            )
        ]

    def chains(self, path: tuple[int, ...], walk: NDArray) -> list[str]:
        names = self.texts["person"]
        sentences, columns = [], []
        people = [[names[k] for k in column] for column in walk.T[: len(path)].tolist()]
        texts = self.texts[self.table[path[-1]].object]
        answers = [texts[k] for k in walk[:, -1].tolist()]
        for hop, relation in enumerate(path):
            cut = self._wordings.statements[relation][0]
            shown = people[hop + 1] if hop + 1 < len(path) else answers
            if cut.article:
                shown = list(map(_with_article, shown))
            sentences += [
                piece.replace("%", "%%")
                for piece in (cut.before, "%s", cut.between, "%s", cut.after, " ")
            ]
            columns += [people[hop], shown]
        template = "".join(sentences).replace("%%s", "%s") + ANSWER + "%s"
        return [template % row for row in zip(*columns, answers, strict=True)]


_with_article = lru_cache(maxsize=65_536)(with_article)


class Pieces(dict[int, tuple[str, str]]):
    """Form number -> the text before and after the name; made when first asked for."""

    def __init__(self, forms: Forms) -> None:
        super().__init__()
        self._forms = forms

    def __missing__(self, number: int) -> tuple[str, str]:
        self[number] = pieces = self._forms.write(number)
        return pieces


class Forms:
    """All ways to ask for a path, numbered: the styles one after the other, in each the asks, then the units of each hop."""

    def __init__(
        self, asks: list[Ask], phrase: list[tuple[list[str], list[str], list[str]]]
    ) -> None:
        final = [ask for ask in asks if ask.final]
        compact = (
            asks
            if len(phrase) < POSSESSIVE_LONG
            else [ask for ask in asks if ask.final or ask.possessive]
        )
        plain = final if len(phrase) >= OF_LONG else [ask for ask in asks if not ask.possessive]
        styles = [(compact, [possessives for possessives, _, _ in phrase])]
        if phrase:
            styles.append((plain, [units for _, units, _ in phrase]))
            if all(clauses for _, _, clauses in phrase):
                styles.append((final, [clauses for _, _, clauses in phrase]))
        self.styles = styles
        self.sizes = np.array(
            [len(asks) * prod(map(len, units)) for asks, units in styles], np.uint64
        )
        self.begin = np.concatenate([[0], np.cumsum(self.sizes)]).astype(np.int64)
        self.pieces = Pieces(self)

    def choose(self, words: NDArray) -> NDArray[np.int64]:
        """A form for each word: every style as likely as the others, then every form of the style."""
        words = np.asarray(words, np.uint64)
        style = (words % np.uint64(len(self.styles))).astype(np.int64)
        return self.begin[style] + (
            words // np.uint64(len(self.styles)) % self.sizes[style]
        ).astype(np.int64)

    def write(self, number: int) -> tuple[str, str]:
        style = int(np.searchsorted(self.begin, number, "right")) - 1
        asks, units = self.styles[style]
        number, which = divmod(number - int(self.begin[style]), len(asks))
        ask, said = asks[which], []
        for choices in units:
            number, which = divmod(number, len(choices))
            said.append(choices[which])
        if style == 0:
            return ask.before, "".join(said) + ask.after
        return ask.before + "".join(reversed(said)), ask.after


class Wordings:
    """A table's templates, cut."""

    def __init__(self, table: RelationTable) -> None:
        self.statements = [
            [cut_statement(text) for text in row.statements] for row in table.relations
        ]
        self._asks = [[cut_ask(text) for text in row.asks] for row in table.relations]
        self._units = [
            (
                [f"'s {noun}" for noun in row.nouns],
                [of_unit(noun) for noun in row.nouns],
                [clause_unit(cut_clause(text)) for text in row.clauses],
            )
            for row in table.relations
        ]
        self._forms: dict[tuple[int, ...], Forms] = {}

    def forms(self, path: tuple[int, ...]) -> Forms:
        """The ways to ask for the path."""
        if path not in self._forms:
            if len(self._forms) >= 20_000:
                self._forms.clear()
            self._forms[path] = Forms(
                self._asks[path[-1]], [self._units[relation] for relation in path[:-1]]
            )
        return self._forms[path]


_cut: list[tuple[RelationTable, Wordings]] = []


def wordings(table: RelationTable) -> Wordings:
    """The table's templates, cut once for each table in use."""
    for known, cut in _cut:
        if known is table:
            return cut
    _cut.append((table, Wordings(table)))
    del _cut[:-4]
    return _cut[-1][1]
