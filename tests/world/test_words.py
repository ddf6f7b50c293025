"""Nobody and nothing in a world is known from elsewhere, and no two values can be confused."""

import re
import unicodedata
from itertools import permutations
from math import prod

import pytest

from bioreason_bench.draw import Draw
from bioreason_bench.errors import UsageError
from bioreason_bench.language.read_english import EnglishParser
from bioreason_bench.world import pools
from bioreason_bench.world.names import BLOCKED, blocked_pairs, fold, name_words
from bioreason_bench.world.table import load_table
from bioreason_bench.world.words import FOLDER, read_words

TABLE = load_table()
FIRST, LAST = name_words(TABLE)
LARGEST = 1_500_000  # people of the largest worlds to come
FAMOUS = (
    *("Neil Armstrong", "Jimmy Carter", "Bill Murray", "Douglas Adams", "Martha Stewart"),
    *("Jennifer Lopez", "George Floyd", "Marilyn Monroe", "Harry Potter", "Isaac Newton"),
    *("Gabriel Garc\u00eda M\u00e1rquez", "Bj\u00f6rn Borg", "Wangari Maathai", "Deepika Padukone"),
)
CITIES = {
    "Africa": "Abuja Kano Nairobi Cairo Accra Kinshasa Addis_Ababa",
    "Asia": "Beijing Shanghai Mumbai Kolkata Tehran Isfahan Tokyo Jakarta Karachi",
    "Europe": "Moscow Saint_Petersburg Paris Warsaw Lisbon",
    "North America": "Chicago Mexico_City Montreal Havana",
    "Oceania": "Sydney Auckland Suva",
    "South America": "Sao_Paulo Recife Bogota Lima",
}
NATIONALITIES = {
    "Africa": "Nigerian Kenyan Egyptian Ghanaian",
    "Asia": "Chinese Indian Iranian Japanese Indonesian Pakistani",
    "Europe": "Russian French Polish",
    "North America": "American Mexican Cuban",
    "Oceania": "Australian Fijian Samoan",
    "South America": "Brazilian Argentine Peruvian",
}


def words_of_blocked():
    """The folded words of every blocked name."""
    for file in BLOCKED:
        for name in read_words(file):
            yield [word for word in map(fold, name.replace("-", " ").split()) if word]


def texts(kind):
    """The folded values of a listed pool."""
    return {value.casefold() for value in TABLE.pools[kind]}


# --- people ---------------------------------------------------------------------------------------


def test_there_are_2000_first_and_5000_last_names_of_12_locales():
    assert len(FIRST) >= 2000 and len(LAST) >= 5000
    assert not set(FIRST) & set(LAST)
    for file in ("first_names.txt", "last_names.txt"):
        text = (FOLDER / file).read_text(encoding="utf-8")
        locales = dict(re.findall(r"^# ([a-z]{2}_[A-Z]{2}): (\d+)$", text, re.MULTILINE))
        assert sum(int(count) >= 10 for count in locales.values()) >= 12
        assert sum(map(int, locales.values())) == len(read_words(file.removesuffix(".txt")))


def test_names_survive_normalization_and_are_read_as_names():
    parser = EnglishParser(TABLE)
    template = TABLE.relations[0].statements[0]
    for first, last in zip(FIRST, LAST, strict=False):
        name = f"{first} {last}"
        assert unicodedata.normalize("NFKC", name) == name
        sentence = template.format(subject=name, object="Ann Lee")
        assert parser.sentence(sentence) == (name, TABLE.relations[0].name, "Ann Lee")


@pytest.mark.parametrize("names", [FIRST, LAST], ids=["first", "last"])
def test_no_two_names_are_one_keystroke_apart_even_without_accents(names):
    owner = {}
    for name in names:
        word = fold(name)
        for key in {word, *(word[:k] + word[k + 1 :] for k in range(len(word)))}:
            assert owner.setdefault(key, name) == name


def test_no_name_is_a_word_of_a_wording_or_a_value():
    wordings = [
        text
        for row in TABLE.relations
        for text in (*row.statements, *row.asks, *row.nouns, *row.clauses)
    ]
    values = [value for pool in TABLE.pools.values() for value in pool]
    parts = [str(part) for kind in pools.UNIQUE for words in pools.parts_of(kind) for part in words]
    words = {
        fold(word) for text in (*wordings, *values, *parts) for word in re.findall(r"\w+", text)
    }
    assert not words & {fold(name) for name in (*FIRST, *LAST)}


def test_the_block_list_holds_3000_names_and_those_of_the_first_release():
    assert len({tuple(words) for words in words_of_blocked()}) >= 3000
    known = {tuple(words) for words in words_of_blocked()}
    assert {tuple(map(fold, name.split())) for name in FAMOUS} <= known


@pytest.mark.parametrize(
    ("people", "seeds"),
    [(15_000, (1, 7, 42, 123, 2026)), (1_500, range(20))],
    ids=["v1", "small"],
)
def test_nobody_bears_a_blocked_name(people, seeds):
    blocked = {(words[0], other) for words in words_of_blocked() for other in words[1:]}
    blocked |= {
        pair for words in words_of_blocked() if len(words) == 2 for pair in permutations(words)
    }
    for seed in seeds:
        draw = Draw(seed).at("texts", "person")
        names = pools.people_names(people, draw, FIRST, LAST)
        assert len(set(names)) == people
        for name in names:
            first, last = map(fold, name.split())
            assert (first, last) not in blocked


def test_every_pair_but_the_blocked_ones_can_be_drawn():
    first, last = (
        ("Neil", "Jos\u00e9", "Douglas", "Zoe"),
        ("Armstrong", "Adams", "Saramago", "Quux"),
    )
    pairs = {f"{given} {family}" for given in first for family in last}
    blocked = {"Neil Armstrong", "Douglas Adams", "Jos\u00e9 Saramago"}
    numbers = blocked_pairs(first, last).tolist()
    assert {f"{first[k // 4]} {last[k % 4]}" for k in numbers} == blocked
    for count in range(1, 4):
        assert (
            pools.people_names(count, Draw(1), first, last)
            == (pools.people_names(3, Draw(1), first, last)[:count])
        )
    everybody = pools.people_names(13 * 4, Draw(1), first, last)  # each pair with 4 middle names
    assert len(set(everybody)) == 13 * 4
    assert {f"{name.split()[0]} {name.split()[2]}" for name in everybody} == pairs - blocked
    with pytest.raises(UsageError, match="there are only 52 names"):
        pools.people_names(13 * 4 + 1, Draw(1), first, last)


# --- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "expected"), [("city", CITIES), ("nationality", NATIONALITIES)])
def test_cities_and_nationalities_are_from_every_continent(kind, expected):
    for continent, values in expected.items():
        for value in values.split():
            assert value.replace("_", " ") in TABLE.pools[kind], continent


@pytest.mark.parametrize("kind", sorted(TABLE.pools))
def test_no_value_holds_another_value(kind):
    """An answer such as "a dog" to a question about a terrier would be true and marked wrong."""
    values = texts(kind)
    for value in values:
        words = value.split()
        for begin in range(len(words)):
            for end in range(begin + 1, len(words) + 1):
                part = " ".join(words[begin:end])
                assert part == value or part not in values


def test_no_value_is_the_name_of_something_real():
    real = {text.casefold() for text in read_words("blocked_titles")}
    assert len(real) >= 1000
    for kind in ("award", "company", "service", "university"):
        assert not texts(kind) & real
    for kind in ("book", "organization"):
        *begins, ends = pools.parts_of(kind)
        template = pools.TEMPLATES[kind]
        for title in real:
            for end in (end for end in ends if title.endswith(" " + end.casefold())):
                rest = title.removesuffix(" " + end.casefold())
                middle = next((w for w in begins[-1] if rest.endswith(" " + w.casefold())), None)
                if middle is not None:
                    start = rest.removesuffix(" " + middle.casefold())
                    heads = ["".join(words) for words in combinations_of(begins[:-1])]
                    assert start not in {head.casefold() for head in heads}, (template, title)


def combinations_of(lists):
    """All combinations of the words of some lists."""
    found = [()]
    for words in lists:
        found = [(*head, word) for head in found for word in words]
    return found


@pytest.mark.parametrize("kind", sorted(pools.UNIQUE))
def test_there_are_enough_composed_texts_for_the_largest_worlds(kind):
    assert prod(map(len, pools.parts_of(kind, LARGEST))) >= LARGEST
    made = pools.composed(kind, [0, 1, LARGEST - 1], Draw(3).at(kind), LARGEST)
    assert len(set(made)) == 3


def test_phone_numbers_are_reserved_for_fiction():
    """555-0100 to 555-0199 in the area codes of places; with an extension in large worlds."""
    for people, extension in ((15_000, ""), (LARGEST, r" ext [1-9]\d\d")):
        numbers = pools.composed("phone", 15_000, Draw(5).at("phone"), people)
        assert len(set(numbers)) == 15_000
        form = re.compile(r"([2-9]\d\d)-555-01\d\d" + extension)
        codes = {int(form.fullmatch(number)[1]) for number in numbers}
        assert not codes & {211, 411, 500, 555, 700, 800, 822, 866, 877, 888, 900, 911, 976}


def test_email_domains_are_reserved_for_examples():
    assert all(domain.endswith(".example") for domain in read_words("email_domains"))


def test_titles_need_no_article_and_hold_no_punctuation():
    for kind in ("book", "organization"):
        for title in pools.composed(kind, 5_000, Draw(9).at(kind)):
            assert re.fullmatch(r"[A-Z][\w' -]+\w", title)
            assert not re.match(r"(?:A|An|The) ", title)
