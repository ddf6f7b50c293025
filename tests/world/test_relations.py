"""The relation table: our own keeps its promises; a user's works, or is refused with a reason."""

import json
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from bioreason_bench.config import load_preset
from bioreason_bench.draw import Draw
from bioreason_bench.errors import ReleaseError, UsageError
from bioreason_bench.language import biographies, language_of
from bioreason_bench.language.reader import Reader
from bioreason_bench.resources import folder
from bioreason_bench.world import pools
from bioreason_bench.world.facts import make_world
from bioreason_bench.world.names import name_words
from bioreason_bench.world.relations import MAX_GROUP, Relation, RelationTable
from bioreason_bench.world.table import BUILT_IN, load_table, read_table, table_as_dict
from bioreason_bench.world.table_laws import check_table
from bioreason_bench.world.templates import cut_statement
from bioreason_bench.world.words import read_words

TABLES = Path(__file__).parents[1] / "data" / "tables"
PARAMETRIC = (
    "birth_date boss child classmate died_in died_on email favorite_food first_language hobby "
    "influenced_by known_for mentoring occupation pet phone roommate service university wrote"
)
CONTEXTUAL = (
    "address awards best_friend birth_place boss_of colleague influence leader_of lived_in major "
    "mentored_by nationality neighbor parent philanthropy rival sibling spouse worked_at"
)
SYMMETRIC = "best_friend classmate colleague neighbor rival roommate sibling spouse"


def test_the_39_relations_have_the_names_groups_and_inverses_of_the_paper():
    table = load_table()
    assert (
        sorted(row.name for row in table.relations if row.group == "parametric")
        == PARAMETRIC.split()
    )
    assert (
        sorted(row.name for row in table.relations if row.group == "contextual")
        == CONTEXTUAL.split()
    )
    assert sorted(row.name for row in table.relations if row.symmetric) == SYMMETRIC.split()
    inverse = {
        row.name: row.inverse for row in table.relations if row.inverse and not row.symmetric
    }
    pairs = {
        "child": "parent",
        "mentoring": "mentored_by",
        "boss": "boss_of",
        "influenced_by": "influence",
    }
    assert inverse == pairs | {other: one for one, other in pairs.items()}
    groups = {row.name: row.group for row in table.relations}
    assert all(groups[one] != groups[other] for one, other in pairs.items())
    assert sum(not row.to_person for row in table.relations) == 23
    assert {row.name for row in table.relations if row.kin} == {
        "spouse",
        "sibling",
        "parent",
        "child",
    }


def test_every_relation_has_eight_statements_two_of_them_object_first_and_four_asks():
    """Eight, so that two can be held out and five paraphrases still differ."""
    for row in load_table().relations:
        cuts = [cut_statement(text, row.to_person) for text in row.statements]
        assert len(cuts) >= 8 and sum(cut.object_first for cut in cuts) >= 2, row.name
        assert not cuts[0].object_first and not cuts[0].before, row.name
        assert len(row.asks) >= 4 and len(row.nouns) >= 1, row.name
        assert len(row.clauses) >= 2 or not row.to_person, row.name


def test_ages_tell_nothing_but_who_is_a_parent():
    """All relations between people have one window of ages; only family lines go one way."""
    windows = {row.name: row.older for row in load_table().relations if row.to_person}
    family = {windows.pop("parent"), windows.pop("child")}
    assert len(set(windows.values())) == 1
    (least, most) = next(iter(windows.values()))
    assert least == -most
    assert family == {(18, most), (-most, -18)}


def test_ages_tell_nothing_except_about_parents_and_children():
    windows = {
        row.name: row.older
        for row in load_table().relations
        if row.to_person and row.name not in {"parent", "child"}
    }
    assert len(windows) == 14 and set(windows.values()) == {(-40, 40)}
    table = load_table()
    assert table[table.number("parent")].older == (18, 40)


def test_exclusive_relations_are_those_that_nobody_has_twice():
    exclusive = {row.name for row in load_table().relations if row.exclusive}
    assert exclusive == {
        *("birth_date", "birth_place", "died_in", "died_on"),
        *("email", "first_language", "phone"),
    }


def test_no_path_takes_a_step_that_common_sense_decides():
    never_next = {row.name: set(row.never_next) for row in load_table().relations}
    for name, others in {
        "boss": "worked_at",
        "boss_of": "worked_at",
        "child": "sibling",
        "classmate": "university",
        "colleague": "worked_at",
        "neighbor": "address lived_in",
        "parent": "child",
        "roommate": "address lived_in neighbor university",
        "sibling": "parent",
        "spouse": "child address lived_in neighbor",
    }.items():
        assert never_next[name] >= set(others.split())
    assert not any(
        never_next[name] for name in ("best_friend", "rival", "mentoring", "mentored_by")
    )


def test_wordings_say_nothing_beyond_the_fact():
    """These words would be read as further facts, or as another relation."""
    words = re.compile(
        r"\b(?:only|former|main|firstborn|career|next[- ]door|birth parent|brought up|raised by"
        r"|disciple|follower|side by side|garden fence|home city|animal companion"
        r"|exchanged|learned the ropes)\b|Where did \{person\} live"
    )
    for row in load_table().relations:
        for text in (*row.statements, *row.asks, *row.nouns, *row.clauses):
            assert not words.search(text), text


def test_titles_are_in_quotation_marks():
    table = load_table()
    for text in table[table.number("wrote")].statements:
        assert re.search(r'"\{object\}(?:\."|")', text)


def test_value_lists_hold_at_least_40_values():
    for kind, values in load_table().pools.items():
        assert len(values) >= 40, kind


def test_our_own_table_has_the_shape_that_the_schema_requires():
    schema = json.loads((folder("schemas") / "relations.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(tomllib.loads(BUILT_IN.read_text()))
    Draft202012Validator(schema).validate(table_as_dict(load_table()))


def test_a_table_read_from_a_manifest_equals_the_one_written():
    for table in (
        load_table(),
        load_table(TABLES / "good" / "workshop.toml"),
        load_table(keep=["boss", "spouse", "pet"]),
    ):
        assert read_table(json.loads(json.dumps(table_as_dict(table)))) == table
    with pytest.raises(ReleaseError, match=r"manifest.json: 'relation' is a required property"):
        read_table({"pools": {}})


def test_keep_selects_relations_and_drops_inverses_that_are_not_kept():
    table = load_table(keep=["pet", "spouse", "boss", "child", "parent"])
    assert table[table.number("spouse")].never_next == ("child",)
    assert [row.name for row in table.relations] == [
        row.name
        for row in load_table().relations
        if row.name in {"pet", "spouse", "boss", "child", "parent"}
    ]
    assert {row.name: row.inverse for row in table.relations} == {
        "boss": "",
        "child": "parent",
        "parent": "child",
        "spouse": "spouse",
        "pet": "",
    }
    assert set(table.pools) == {"pet"}
    with pytest.raises(UsageError, match="keep holds 'friend', which is no relation of the table"):
        load_table(keep=["friend"])
    with pytest.raises(UsageError, match="keep: no relation leads to a person"):
        load_table(keep=["pet", "hobby"])


@pytest.mark.parametrize(
    "file", sorted((TABLES / "bad").glob("*.toml")), ids=lambda file: file.stem
)
def test_a_wrong_table_is_refused_with_row_and_rule(file):
    """The first line of each file contains a part of the message."""
    message = file.read_text().split("\n", 1)[0].removeprefix("# error: ")
    with pytest.raises(UsageError) as error:
        load_table(file)
    assert message in str(error.value) and file.name in str(error.value)
    assert "\n" not in str(error.value)


def test_a_group_of_too_many_relations_is_refused():
    """Biographies number the relations of a group in 8 bits."""
    people = Relation("friend", "person", "contextual")
    values = [Relation(f"r{k}", "email", "parametric") for k in range(MAX_GROUP + 1)]
    check_table(RelationTable((people, *values[1:])))
    with pytest.raises(ValueError, match="257 relations are parametric"):
        check_table(RelationTable((people, *values)))


def test_a_table_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"the relation table .*absent.toml cannot be read"):
        load_table(tmp_path / "absent.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="cannot be read"):
        load_table(tmp_path / "bytes.toml")


def assert_biographies_state_the_facts(world):
    """What a reader finds in everybody's biographies is what the world's facts are."""
    reader = Reader(world.table, world.config.language)
    people = np.flatnonzero(world.in_context & world.known)
    for group in ("parametric", "contextual"):
        for person, text in zip(
            people.tolist(), biographies.texts(world, group, people), strict=True
        ):
            assert set(reader.biography(text)) == {
                (
                    world.names[person],
                    row.name,
                    world.texts[row.object][world.objects[number, person]],
                )
                for number, row in enumerate(world.table.relations)
                if row.group == group and world.objects[number, person] >= 0
            }


@pytest.mark.parametrize("language", ["english", "symbols"])
def test_a_world_with_a_users_relations_is_written_and_read_back(language):
    """Another ontology, the same code."""
    world = make_world(
        load_preset("tiny").override(
            {"relations": str(TABLES / "good" / "workshop.toml"), "language": language}
        )
    )
    assert_biographies_state_the_facts(world)
    reader = Reader(world.table, language)
    # "partner" has no clauses, so there are no questions in that style.
    path = tuple(map(world.table.number, ("partner", "foreman", "tool")))
    starts = np.arange(len(world.names))
    for question, start in zip(
        language_of(world).questions(path, starts, Draw(1).words(starts)),
        starts.tolist(),
        strict=True,
    ):
        assert reader.question(question) == (world.names[start], ("partner", "foreman", "tool"))
        assert "the person who" not in question


def test_names_are_unique_and_plain():
    lists = name_words(load_table())
    few = (lists[0][:100], lists[1][:100])
    for count, words, source in ((15_000, 2, lists), (15_000, 3, few)):
        names = pools.people_names(count, Draw(3).at("names"), *source)
        assert len(set(names)) == count
        assert all(len(name.split()) == words and name.replace(" ", "").isalpha() for name in names)
    with pytest.raises(UsageError, match="lower known or novel"):
        pools.people_names(10**9, Draw(3), *few)


def test_no_name_is_a_month_or_begins_a_sentence():
    names = {*read_words("first_names"), *read_words("last_names")}
    table = load_table()
    openings = {text.split()[0] for row in table.relations for text in (*row.statements, *row.asks)}
    assert not names & (openings | {"So", "The", *pools.MONTHS})
    assert not set(read_words("first_names")) & set(read_words("last_names"))


@pytest.mark.parametrize("locale", ["de_DE", "cs_CZ", "es_MX", "tr_TR", "fr_FR"])
def test_names_of_another_locale_begin_no_sentence_and_are_read_back(locale):
    world = make_world(load_preset("tiny").override({"locale": locale}))
    first, last = name_words(world.table, locale)
    openings = {
        text.split()[0] for row in world.table.relations for text in (*row.statements, *row.asks)
    }
    assert not set(first) & set(last)
    assert not {*first, *last} & openings
    assert any(not name.isascii() for name in world.names)
    assert_biographies_state_the_facts(world)


@pytest.mark.parametrize(
    ("locale", "message"),
    [("de_ED", "did you mean 'de_DE'"), ("ja_JP", "0 first and 0 last"), ("x", "choose one of")],
)
def test_a_locale_without_usable_names_is_refused(locale, message):
    with pytest.raises(UsageError, match=message):
        name_words(load_table(), locale)
    with pytest.raises(UsageError, match="people have no names"):
        load_preset("nano").override({"locale": locale})


@pytest.mark.parametrize("kind", sorted(pools.COMPOSED))
def test_composed_texts_are_unique_and_independent_of_each_other(kind):
    draw = Draw(7).at(kind)
    texts = pools.composed(kind, 20_000, draw)
    assert len(set(texts)) == 20_000
    assert pools.composed(kind, [17, 19_999, 3], draw) == [texts[17], texts[19_999], texts[3]]
    assert not any(". " in text or text.endswith(".") for text in texts)


def test_dates_count_days_since_1800():
    assert pools.composed("date", [0, 59, 60], Draw(0)) == [
        "January 1, 1800",
        "March 1, 1800",
        "March 2, 1800",
    ]
    assert pools.composed("date", [pools.DATE_END - pools.DATE_ORIGIN - 1], Draw(0)) == [
        "December 31, 2024"
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 17, 1000, 65_537])
def test_scatter_is_a_permutation(size):
    assert sorted(pools.scatter(size, size, Draw(5)).tolist()) == list(range(size))
    assert (
        size < 10
        or pools.scatter(size, size, Draw(5)).tolist()
        != pools.scatter(size, size, Draw(6)).tolist()
    )


def test_pool_sizes_keep_the_first_values_of_a_pool():
    table = load_table()

    def texts(**sizes):
        return pools.world_texts(
            table, 20, Draw(1), language="english", pool_sizes=sizes, birth_years=(1900, 1985)
        )

    assert texts(pet=8)["pet"] == list(table.pools["pet"][:8])
    for sizes, message in (
        ({"pets": 8}, "no relation of this world leads to a listed pool 'pets'"),
        ({"pet": 1}, "from 2 to the"),
        ({"city": 9999}, "from 2"),
    ):
        with pytest.raises(UsageError, match=message):
            texts(**sizes)
