"""Write the gallery, tests/data/gallery/*.txt: samples of the language for people to read.

    python tests/support/write_gallery.py

Its world depends on the relation table and the word lists alone, so a page changes only if a
wording does.
"""

from __future__ import annotations

from datetime import date
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from bioreason_bench.draw import Draw
from bioreason_bench.language import biographies, language_of
from bioreason_bench.language.english import wordings
from bioreason_bench.world.pools import DATE_ORIGIN, world_texts
from bioreason_bench.world.relations import Relation
from bioreason_bench.world.table import load_table

GALLERY = Path(__file__).parents[1] / "data" / "gallery"
PEOPLE = 40
STYLES = ("possessive", "of", "clause")
DRAW = Draw(1).at("gallery")


def gallery_world(language: str = "english", people: int = PEOPLE) -> SimpleNamespace:
    """Make a world in which everybody has an object for every relation.

    Every tenth person has held-out wordings.
    """
    table = load_table()
    texts = world_texts(
        table, people, DRAW.at("texts"), language=language, pool_sizes={}, birth_years=(1900, 1985)
    )
    objects = np.zeros((len(table), people), np.int32)
    for number, row in enumerate(table.relations):
        if row.to_person:
            objects[number] = (np.arange(people) + number + 1) % people
        elif row.date:
            days = DRAW.at("lives", row.date).integers(people, 40 * 365)
            objects[number] = days + (
                date(1900 if row.date == "birth" else 1975, 1, 1).toordinal() - DATE_ORIGIN
            )
        else:
            objects[number] = DRAW.at("objects", row.name).integers(people, len(texts[row.object]))
    everybody = np.ones(people, bool)
    return SimpleNamespace(
        table=table,
        texts=texts,
        objects=objects,
        config=SimpleNamespace(language=language, seed=1),
        stated=lambda relation: everybody,
        people=SimpleNamespace(heldout_wordings=np.arange(people) % 10 == 9),
    )


def walk(world: SimpleNamespace, path: tuple[int, ...], start: int) -> np.ndarray:
    """Return the object ids along the path [1, hops + 1], the start first."""
    ids = [start]
    for relation in path:
        ids.append(int(world.objects[relation, ids[-1]]))
    return np.array([ids])


def pages() -> dict[str, str]:
    """Return the text of every page by file name."""
    world = gallery_world()
    return {
        "relations.txt": relation_page(world),
        "patterns.txt": pattern_page(world),
        "biographies.txt": biography_page(world),
        "symbols.txt": symbol_page(gallery_world("symbols")),
    }


def sample(world: SimpleNamespace, path: tuple[int, ...], start: int) -> list[str]:
    """Return the question in each style, and the chain."""
    forms, lines, index = wordings(world.table).forms(path), [], start + len(path) * 1000
    for style, name in zip(range(len(forms.styles)), STYLES, strict=False):
        number = int(
            forms.offsets[style]
            + DRAW.at("form", path, name).integers([index], int(forms.sizes[style]))[0]
        )
        before, after = forms.pieces[number]
        lines.append(f"    {name:<11} {before}{world.texts['person'][start]}{after}")
    lines.append(
        f"    {'chain':<11} {language_of(world).chains(path, walk(world, path, start))[0]}"
    )
    return lines


def relation_page(world: SimpleNamespace) -> str:
    """Show each relation: its statements, its asks of one hop, and as the last of two hops."""
    table, language, lines = world.table, language_of(world), []
    to_people = [number for number, row in enumerate(table.relations) if row.to_person]
    for number, row in enumerate(table.relations):
        start = number % PEOPLE
        lines += [f"{row.name} ({row.group}, leads to {row.object})", ""]
        for variant in range(language.variants(number)):
            (text,) = language.statements(number, np.array([start]), None, np.array([variant]))
            lines.append(f"    {text}")
        forms = wordings(table).forms((number,))
        for form in range(int(forms.offsets[-1])):
            before, after = forms.pieces[form]
            lines.append(f"    {before}{world.texts['person'][start]}{after}")
        first = to_people[number % len(to_people)]
        first = first if first != number else to_people[(number + 1) % len(to_people)]
        lines += ["", *sample(world, (first, number), start), "", ""]
    return "\n".join(lines)


def may_follow(before: Relation, row: Relation) -> bool:
    """Return whether a relation may follow another one in a path."""
    return row.name != before.inverse and row.name not in before.never_next


def pattern_page(world: SimpleNamespace) -> str:
    """Show every pattern of 2 to 4 hops, and some of 5 and 6, in all styles."""
    table, lines = world.table, []
    patterns = ["".join(letters) for hops in (2, 3, 4) for letters in product("PC", repeat=hops)]
    patterns += [
        "PCPCP",
        "CPPCC",
        "PPPPP",
        "CCCCC",
        "CPCPC",
        "PCCPPC",
        "CPCPCP",
        "CCPPCC",
        "PPCCPP",
        "PCPCPC",
    ]
    for turn, pattern in enumerate(patterns):
        path: list[int] = []
        for hop, letter in enumerate(pattern):
            last = hop + 1 == len(pattern)
            fit = [
                number
                for number, row in enumerate(table.relations)
                if row.letter == letter
                and number not in path
                and (row.to_person or (last and turn % 4))
                and (not path or may_follow(table[path[-1]], row))
            ]
            path.append(int(DRAW.at("pattern", turn, hop).permutation(fit)[0]))
        names = " > ".join(table.path_names(tuple(path)))
        lines += [f"{pattern}: {names}", "", *sample(world, tuple(path), turn % PEOPLE), "", ""]
    return "\n".join(lines)


def biography_page(world: SimpleNamespace) -> str:
    """Show whole biographies: all paraphrases for one person, and some contextual ones."""
    lines = []
    for group, people, paraphrases in (
        ("parametric", [3], 5),
        ("parametric", [11, 25], 1),
        ("contextual", [3, 11, 25, 38, 39], 1),
    ):
        for person in people:
            for paraphrase in range(paraphrases):
                (text,) = biographies.texts(world, group, np.array([person]), paraphrase)
                lines += [
                    f"{world.texts['person'][person]}, {group}, paraphrase {paraphrase}",
                    "",
                    text,
                    "",
                    "",
                ]
    return "\n".join(lines)


def symbol_page(world: SimpleNamespace) -> str:
    language, lines = language_of(world), []
    for start, names in enumerate(
        (
            ["spouse"],
            ["child", "spouse"],
            ["boss", "neighbor", "pet"],
            ["rival", "mentoring", "sibling", "birth_date"],
        )
    ):
        path = tuple(world.table.number(name) for name in names)
        lines += [
            language.questions(path, np.array([start]), np.zeros(1, np.uint64))[0],
            language.chains(path, walk(world, path, start))[0],
            "",
        ]
    lines += [biographies.texts(world, "contextual", np.array([5]))[0], ""]
    return "\n".join(lines)


if __name__ == "__main__":
    GALLERY.mkdir(exist_ok=True)
    for file, text in pages().items():
        (GALLERY / file).write_text(text, encoding="utf-8")
        print(GALLERY / file)
