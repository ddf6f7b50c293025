"""Freeze the words of people's names as package data, so that no release depends on Faker.

    python scripts/freeze_words.py    # rewrites first_names.txt and last_names.txt in world/words
    python scripts/freeze_words.py --famous corpora=DIR nba=FILE    # and blocked_gathered.txt

Names come from Faker's lists for the locales below, one section per locale.  Every locale gives a
name in turn, so that none prevails.  A name is left out if

- it is not one capitalized word of 3 to 11 letters of Latin-1 or Latin Extended-A, which fonts and
  tokenizers know well, beginning with one of Latin-1, or NFKC changes it;
- it is a word of a wording, a value or a title of this package, or is listed in excluded_names.txt;
- it equals a name chosen before, once accents and one letter of each are ignored.

A word that is both a first and a last name becomes the one that it is in more locales.

The names of well-known people are in two lists.  blocked_names.txt was written for this project;
blocked_gathered.txt comes from dariusk/corpora (CC0; give the folder of a checkout) and nba_api
(MIT; give its file stats/library/data.py).  The other word lists were written for this project.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from hashlib import sha256
from importlib import import_module
from itertools import zip_longest
from pathlib import Path

import faker

from bioreason_bench.world.names import RESERVED, fold
from bioreason_bench.world.pools import MONTHS
from bioreason_bench.world.table import load_table
from bioreason_bench.world.templates import CAPITAL

WORDS = Path(__file__).resolve().parent.parent / "bioreason_bench" / "world" / "words"
LOCALES = (
    *("az_AZ", "cs_CZ", "da_DK", "de_AT", "de_DE", "en_GB", "en_IE", "en_IN", "en_KE", "en_NG"),
    *("en_NZ", "en_PK", "en_TH", "en_US", "es_AR", "es_CL", "es_CO", "es_ES", "es_MX", "et_EE"),
    *("fi_FI", "fr_DZ", "fr_FR", "fr_QC", "ha_NG", "hr_HR", "hu_HU", "id_ID", "ig_NG", "it_IT"),
    *("ja_JP", "lt_LT", "lv_LV", "nl_BE", "nl_NL", "no_NO", "pl_PL", "pt_BR", "pt_PT", "ro_RO"),
    *("sk_SK", "sl_SI", "sv_SE", "tr_TR", "tw_GH", "uz_UZ", "yo_NG", "zu_ZA"),
)
FIRST, LAST = 2_400, 5_600  # how many to keep
NAME = re.compile(rf"(?:Mac|Mc|De|Van)?[{CAPITAL}][^\W\d_A-Z]{{1,10}}")
# Last names that only women (or wives, or daughters) bear: no world states anybody's sex.
FEMALE = {
    **dict.fromkeys(("cs_CZ", "sk_SK"), re.compile(r"\u00e1$")),
    **dict.fromkeys(("az_AZ", "uz_UZ"), re.compile(r"[oe]va$|q\u0131z\u0131$")),
    "lv_LV": re.compile(r"[^s\u0161]$"),
    "pl_PL": re.compile(r"[sc]ka$"),
}
ODD = {"en_PK": re.compile("aa", re.IGNORECASE), "nl_NL": re.compile("dr$")}  # odd spellings
SCOTTISH_AND_IRISH = ("en_GB", "en_IE", "en_NZ", "en_US")  # where Mcdonald is McDonald
# Last names of en_US that have lost an apostrophe: O'Brien, D'Amore.
LOST_APOSTROPHE = re.compile(r"O[bchknrs](?:rien|onne|onno|ara|eef|eil|eal|eill|ullivan|eill).*")
# Words that questions and statements use, or may come to use, besides those of the table.
WORDING = (
    "about above after all also and any are art away back bank bay be bell ben best bill book "
    "born boss brother can card child christian daily dale dean dear did died done drew early "
    "east ever faith far father first follow for forest friend from gave general given glory "
    "good grace grand grant great had happy has have he her his home hope house hunter in is "
    "joy just justice kin king kind known lady last law led left less letter life like long lord "
    "love low made major man march mark mary may me met mine more most mother much my near new "
    "next no north now of old on one only open or other our out own page pal part past patience "
    "peace precious price prince princess queen rich rival rose sea self she short sister so some "
    "son south star still street student success sunday monday tuesday wednesday thursday friday "
    "saturday spring summer autumn winter teacher than that the them then they thing this time "
    "title to told town true trust truth under use very victory virtue was way we well went were "
    "west what when where which while white who whom why wife will win wine wise with woman won "
    "word work world write wrote year yes you young your black brown green gray grey blue red "
    "january february april june july august september october november december"
)


def names_of(provider: type, kind: str) -> set[str]:
    """Return all names of a kind ("first" or "last") that a Faker provider lists in Latin."""
    lists = [
        value
        for attribute in dir(provider)
        if re.match(rf"((fe)?male_|unisex_)?{kind}(_romanized)?_names?(_|$)", attribute)
        and isinstance(value := getattr(provider, attribute), Collection)
    ]
    names = (name for values in lists for name in values if isinstance(name, str))
    return {unicodedata.normalize("NFC", name) for name in names}


def usable(name: str, reserved: Collection[str]) -> bool:
    """Return whether the name may be frozen."""
    return bool(
        NAME.fullmatch(name)
        and 3 <= len(name) <= 11
        and unicodedata.normalize("NFKC", name) == name
        and max(name) <= "\u017f"
        and not LOST_APOSTROPHE.fullmatch(name)
        and fold(name) not in reserved
    )


def reserved_words() -> set[str]:
    """Return the folded words that must not be names."""
    table = load_table()
    texts = [*RESERVED, *MONTHS, *WORDING.split()]
    for row in table.relations:
        texts += [*row.statements, *row.asks, *row.nouns, *row.clauses]
    for file in [*WORDS.glob("*.txt"), *WORDS.glob("pools/*.txt")]:
        if not re.match(r"first_|last_|blocked_", file.name):
            texts += lines(file)
    return {fold(word) for text in texts for word in re.findall(r"[^\W\d_]+", text)}


def lines(file: Path) -> list[str]:
    """Return the lines of a word list that are not comments."""
    text = file.read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def neighbourhood(name: str) -> set[str]:
    """Return the folded name, and what is left of it without one of its letters."""
    word = fold(name)
    return {word, *(word[:k] + word[k + 1 :] for k in range(len(word)))}


def choose(names: dict[str, list[str]], count: int) -> dict[str, list[str]]:
    """Choose names from the locales in turn; leave out those like one chosen before."""
    taken: set[str] = set()
    chosen: dict[str, list[str]] = {locale: [] for locale in names}
    number = 0
    for turn in zip_longest(*names.values()):
        for locale, name in zip(names, turn, strict=True):
            if name and number < count and not neighbourhood(name) & taken:
                taken |= neighbourhood(name)
                chosen[locale].append(name)
                number += 1
    return chosen


def freeze_names() -> None:
    """Write first_names.txt and last_names.txt."""
    reserved = reserved_words()
    lists: dict[str, dict[str, set[str]]] = {"first": {}, "last": {}}
    for locale in LOCALES:
        provider = import_module(f"faker.providers.person.{locale}").Provider
        for kind, by_locale in lists.items():
            names = names_of(provider, kind)
            if locale in SCOTTISH_AND_IRISH:
                names = {
                    re.sub("^Mc[a-z]", lambda match: "Mc" + match[0][2].upper(), name)
                    for name in names
                }
            if kind == "last" and locale in FEMALE:
                names = {name for name in names if not FEMALE[locale].search(name)}
            if locale in ODD:
                names = {name for name in names if not ODD[locale].search(name)}
            by_locale[locale] = {name for name in names if usable(name, reserved)}
    uses = {
        kind: Counter(fold(name) for names in by_locale.values() for name in names)
        for kind, by_locale in lists.items()
    }
    for kind, other, count in (("first", "last", FIRST), ("last", "first", LAST)):
        pick = {
            locale: sorted(
                (
                    name
                    for name in names
                    if (uses[kind][fold(name)], kind) > (uses[other][fold(name)], other)
                ),
                key=lambda name: sha256(name.encode()).digest(),
            )
            for locale, names in lists[kind].items()
        }
        chosen = choose(pick, count)
        out = [
            f"# Faker {faker.VERSION} (MIT licence); frozen by scripts/freeze_words.py.",
            "# Each section holds the names that one of Faker's locales gave.",
        ]
        for locale, names in chosen.items():
            out += [f"# {locale}: {len(names)}", *sorted(names)]
        (WORDS / f"{kind}_names.txt").write_text("\n".join(out) + "\n", encoding="utf-8")
        print(f"{kind}_names.txt: {sum(map(len, chosen.values()))} names")
        print("  " + ", ".join(f"{locale} {len(names)}" for locale, names in chosen.items()))


def strings(value: object, keys: Collection[str]) -> Iterator[str]:
    """Yield the strings of a JSON value that are in lists, or in objects under these keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from strings(item, keys)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in keys or isinstance(item, (list, dict)):
                yield from strings(item, keys)


def freeze_famous(corpora: Path, nba: Path) -> None:
    """Write blocked_gathered.txt: the well-known people that two free data sets list."""
    files = (
        *("humans/britishActors", "humans/celebrities", "humans/richpeople", "humans/scientists"),
        *("humans/tolkienCharacterNames", "humans/wrestlers", "music/rock_hall_of_fame"),
        *("music/female_classical_guitarists", "sports/nba_mvps", "music/xxl_freshman"),
    )
    names: set[str] = set()
    for file in files:
        value = json.loads((corpora / "data" / f"{file}.json").read_text(encoding="utf-8"))
        names |= set(strings(value, {"name"}))
    presidents = json.loads((corpora / "data/humans/us_presidents.json").read_text("utf-8"))
    for role in presidents["objects"]:
        names.add(f"{role['person']['firstname']} {role['person']['lastname']}")
    bestsellers = json.loads((corpora / "data/books/bestsellers.json").read_text("utf-8"))
    names |= {book["author"] for book in bestsellers["books"]}
    tree = ast.parse(nba.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "players":
            names |= {player[3] for player in ast.literal_eval(node.value)}
    write_blocked("blocked_gathered.txt", names, "dariusk/corpora (CC0) and nba_api (MIT)")


def write_blocked(file: str, names: Iterable[str], source: str) -> None:
    """Write a list of full names, without those of one word."""
    known = {name.strip() for name in lines(WORDS / "blocked_names.txt")}
    kept = sorted({" ".join(name.split()) for name in names if len(name.split()) > 1} - known)
    head = f"# Well-known people, from {source}; gathered by scripts/freeze_words.py.\n"
    (WORDS / file).write_text(head + "\n".join(kept) + "\n", encoding="utf-8")
    print(f"{file}: {len(kept)} names")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Freeze the words of people's names.")
    parser.add_argument("--famous", nargs=2, metavar=("corpora=DIR", "nba=FILE"))
    sources = parser.parse_args().famous
    if sources:
        freeze_famous(**{key: Path(path) for key, path in (item.split("=") for item in sources)})
    freeze_names()
