"""English, written from the wordings of the relation table.

Templates are split at their slots once.  All questions of a path in one form share the text before
and after the start's name, and all chains of a path differ in nothing but names and values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioreason_bench.language.answer import ANSWER
from bioreason_bench.world.relations import Relation, RelationTable
from bioreason_bench.world.templates import (
    Ask,
    Statement,
    cut_ask,
    cut_clause,
    cut_statement,
    pronoun_form,
    with_article,
)
from bioreason_bench.world.wording_laws import clause_unit, of_unit

# From this many units on, a phrase is at the end of its question.  Relative clauses always are.
LONG_POSSESSIVE, LONG_OF = 4, 2
MAX_CLAUSES = 2  # relative clauses in a phrase; more nesting is hard to read
MAX_CACHED_PATHS = 20_000
MAX_CACHED_TABLES = 4


class English:
    """A `Language` with several wordings per statement and several styles of questions."""

    def __init__(
        self, table: RelationTable, texts: Mapping[str, Sequence[str]], objects: NDArray
    ) -> None:
        self.table, self.texts, self.objects = table, texts, objects
        self._wordings = wordings(table)

    def variants(self, relation: int) -> int:
        return len(self._wordings.statements[relation])

    def statements(
        self, relation: int, subjects: NDArray, objects: list[str] | None, variants: NDArray
    ) -> list[str]:
        names, cuts = self.texts["person"], self._wordings.statements[relation]
        chosen = [cuts[k] for k in variants.tolist()]
        objects = self._objects(relation, subjects, objects, chosen)
        return [
            cut.fill(names[k], text)
            for cut, k, text in zip(chosen, subjects.tolist(), objects, strict=True)
        ]

    def with_pronouns(
        self, relation: int, subjects: NDArray, objects: list[str] | None, variants: NDArray
    ) -> list[str]:
        cuts, forms = self._wordings.statements[relation], self._wordings.pronoun_forms[relation]
        chosen = variants.tolist()
        objects = self._objects(relation, subjects, objects, [cuts[k] for k in chosen])
        return [
            f"{form.before}{text}{form.after}" if form else ""
            for form, text in zip([forms[k] for k in chosen], objects, strict=True)
        ]

    def _objects(
        self, relation: int, subjects: NDArray, objects: list[str] | None, cuts: list[Statement]
    ) -> list[str]:
        """Return the objects, by default the world's, with an article where statements have one."""
        if objects is None:
            texts = self.texts[self.table[relation].object]
            objects = [texts[k] for k in self.objects[relation][subjects].tolist()]
        if not any(cut.article for cut in cuts):
            return objects
        return [
            _with_article(text) if cut.article else text
            for text, cut in zip(objects, cuts, strict=True)
        ]

    def questions(self, path: tuple[int, ...], starts: NDArray, words: NDArray) -> list[str]:
        forms, names = self._wordings.forms(path), self.texts["person"]
        chosen = map(forms.pieces.__getitem__, forms.choose(words).tolist())
        return [
            f"{before}{names[k]}{after}"
            for k, (before, after) in zip(starts.tolist(), chosen, strict=True)
        ]

    def chains(self, path: tuple[int, ...], walk: NDArray) -> list[str]:
        kinds = ["person"] * len(path) + [self.table[path[-1]].object]
        columns = [
            [self.texts[kind][k] for k in ids]
            for kind, ids in zip(kinds, walk.T.tolist(), strict=True)
        ]
        sentences, slots = [], []
        for hop, relation in enumerate(path):
            cut = self._wordings.statements[relation][0]
            objects = columns[hop + 1]
            if cut.article:
                objects = list(map(_with_article, objects))
            before, between, after = map(_literal, (cut.before, cut.between, cut.after))
            sentences.append(f"{before}%s{between}%s{after} ")
            slots += [objects, columns[hop]] if cut.object_first else [columns[hop], objects]
        template = "".join(sentences) + ANSWER + "%s"
        return [template % row for row in zip(*slots, columns[-1], strict=True)]


_with_article = lru_cache(maxsize=65_536)(with_article)


def _literal(text: str) -> str:
    """Escape text for a template of the % operator."""
    return text.replace("%", "%%")


class Units(NamedTuple):
    """The units (see world/wording_laws.py) that a relation to a person adds to a phrase, by style.

    Attributes:
        possessives: Such as "'s boss", after the name.
        ofs: Such as "the boss of ", before the name.
        clauses: Such as "the person who supervised ", before the name; may be empty.
    """

    possessives: Sequence[str]
    ofs: Sequence[str]
    clauses: Sequence[str]


class Forms:
    """All ways to ask for a path, numbered from 0, grouped by style.

    Within a style, the number counts like digits: the asks change fastest, then the units of the
    first hop, and so on.  With 3 asks and 2 units for the only hop in a phrase, forms 0 to 5 are

        form   0  1  2  3  4  5
        ask    0  1  2  0  1  2
        unit   0  0  0  1  1  1

    Attributes:
        styles: For each style, its asks and the units of each hop; the possessive style is first.
        sizes: The number of forms of each style.
        offsets: The first form of each style, and at the end the number of all forms.
        pieces: The text before and after the name, by form; written when first used.
    """

    def __init__(self, asks: Sequence[Ask], phrase: Sequence[Units]) -> None:
        final = [ask for ask in asks if ask.final]
        final_or_possessive = [ask for ask in asks if ask.final or ask.possessive]
        not_possessive = [ask for ask in asks if not ask.possessive]
        self.styles: list[tuple[Sequence[Ask], list[Sequence[str]]]] = [
            (
                asks if len(phrase) < LONG_POSSESSIVE else final_or_possessive,
                [units.possessives for units in phrase],
            )
        ]
        if phrase:
            self.styles.append(
                (
                    not_possessive if len(phrase) < LONG_OF else final,
                    [units.ofs for units in phrase],
                )
            )
            if len(phrase) <= MAX_CLAUSES and all(units.clauses for units in phrase):
                self.styles.append((final, [units.clauses for units in phrase]))
        self.sizes = np.array(
            [len(asks) * prod(map(len, units)) for asks, units in self.styles], np.uint64
        )
        self.offsets = np.concatenate([[0], np.cumsum(self.sizes)]).astype(np.int64)
        self.pieces = _Pieces(self)

    def choose(self, words: NDArray) -> NDArray[np.int64]:
        """Choose a form per random word: a style, all equally likely, then a form of that style."""
        words, styles = np.asarray(words, np.uint64), np.uint64(len(self.styles))
        style = (words % styles).astype(np.int64)
        return self.offsets[style] + (words // styles % self.sizes[style]).astype(np.int64)

    def write(self, form: int) -> tuple[str, str]:
        """Return the text of a form before and after the name."""
        style = int(np.searchsorted(self.offsets, form, "right")) - 1
        asks, units = self.styles[style]
        remaining, chosen = divmod(form - int(self.offsets[style]), len(asks))
        ask, phrase = asks[chosen], []
        for choices in units:
            remaining, chosen = divmod(remaining, len(choices))
            phrase.append(choices[chosen])
        if style == 0:
            return ask.before, "".join(phrase) + ask.after
        return ask.before + "".join(reversed(phrase)), ask.after


class _Pieces(dict[int, tuple[str, str]]):
    """Form -> the text before and after the name; written when first used."""

    def __init__(self, forms: Forms) -> None:
        super().__init__()
        self._forms = forms

    def __missing__(self, form: int) -> tuple[str, str]:
        self[form] = pieces = self._forms.write(form)
        return pieces


class Wordings:
    """The templates of a relation table, split at their slots."""

    def __init__(self, table: RelationTable) -> None:
        self.statements = [
            [cut_statement(text, row.to_person) for text in row.statements]
            for row in table.relations
        ]
        self.pronoun_forms = [list(map(pronoun_form, cuts)) for cuts in self.statements]
        self._asks = [list(map(cut_ask, row.asks)) for row in table.relations]
        self._units = list(map(_units, table.relations))
        self._forms: dict[tuple[int, ...], Forms] = {}

    def forms(self, path: tuple[int, ...]) -> Forms:
        """Return the ways to ask for the path."""
        if path not in self._forms:
            if len(self._forms) >= MAX_CACHED_PATHS:
                self._forms.clear()
            phrase = [self._units[relation] for relation in path[:-1]]
            self._forms[path] = Forms(self._asks[path[-1]], phrase)
        return self._forms[path]


def _units(row: Relation) -> Units:
    return Units(
        [f"'s {noun}" for noun in row.nouns],
        [of_unit(noun) for noun in row.nouns],
        [clause_unit(cut_clause(clause)) for clause in row.clauses],
    )


_recent: list[tuple[RelationTable, Wordings]] = []


def wordings(table: RelationTable) -> Wordings:
    """Return the templates of a table, split once per table (tables are not hashable)."""
    for known, cut in _recent:
        if known is table:
            return cut
    _recent.append((table, Wordings(table)))
    del _recent[:-MAX_CACHED_TABLES]
    return _recent[-1][1]
