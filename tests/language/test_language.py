"""Articles, possessives, styles and biographies; and a gallery of texts for people to read."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from write_gallery import gallery_world, pages, walk

from bioreason_bench.draw import Draw
from bioreason_bench.language import biographies, language_of
from bioreason_bench.language.english import wordings
from bioreason_bench.language.reader import Reader
from bioreason_bench.world.relations import RelationTable
from bioreason_bench.world.table import load_table
from bioreason_bench.world.templates import with_article, without_article

GALLERY = Path(__file__).parents[1] / "data" / "gallery"
TABLE = load_table()
WORLD = gallery_world()


@pytest.mark.parametrize("file", sorted(pages()))
def test_the_gallery_is_up_to_date(file):
    """If this fails, run tests/support/write_gallery.py and read `git diff tests/data/gallery`."""
    assert (GALLERY / file).read_text(encoding="utf-8") == pages()[file]


def test_a_and_an_follow_the_sound():
    """The first letter decides, except for four values of the pools that take an article."""
    with_articles = {
        row.object
        for row in TABLE.relations
        if any("{object:a}" in text for text in row.statements)
    }
    assert with_articles == {"occupation", "pet", "nationality"}
    exceptions = {
        value
        for kind in with_articles
        for value in TABLE.pools[kind]
        if with_article(value).startswith("an ") != (value[0].lower() in "aeiou")
    }
    assert exceptions == {"urologist", "Ugandan", "Ukrainian", "Uruguayan"}
    phrases = (
        "a university, an unimportant man, an hour, a house, a European, an umbrella, "
        "a one-act play, an heir, an Uzbek, an honor"
    )
    for text in phrases.split(", "):
        assert with_article(without_article(text)) == text


@pytest.mark.parametrize("file", sorted(file for file in pages() if file != "symbols.txt"))
def test_text_reads_as_an_educated_person_writes(file):
    """No doubled blank, word or stop, no open slot, no "a umpire", no present tense."""
    for line in pages()[file].splitlines():
        text = re.sub(r"^    (?:(?:possessive|of|clause|chain) +)?", "", line)
        assert not re.search(
            r"  |\.\.|\{|\}| \.|%|\ba [aeio]|\ban [^aeiouAEIOUh]"
            r"|\b(?:is|are|has|have|lives|works)\b(?! to)",
            text.replace("answer is", ""),
        ), line
        assert not re.search(r"\b(\w+) \1\b", text), line
        assert (
            text.endswith((".", "?", '."'))
            or "the answer is: " in text
            or not re.search(r" (?:was|were|did) ", text)
        ), line


def test_who_asks_for_people_and_only_for_people():
    for row in TABLE.relations:
        for ask in row.asks:
            assert (
                bool(re.match(r"(?:Who|Whom|(?:To|By|With|Against) whom)\b", ask)) == row.to_person
            ), ask


def test_questions_for_dates_and_cities_use_the_right_question_word():
    for row in TABLE.relations:
        if row.object in {"date", "city"}:
            words = {
                "date": r"When|On what date|What was .*date",
                "city": r"Where|In which city|Which city|What was .*(?:place|city|birthplace)",
            }[row.object]
            assert all(re.match(words, ask) for ask in row.asks), row.name


def test_a_question_has_one_style_and_long_phrases_are_at_its_end():
    path = tuple(map(TABLE.number, ("spouse", "boss", "birth_place")))
    starts = np.zeros(600, np.int64)
    questions = language_of(WORLD).questions(path, starts, Draw(4).words(600))
    name = WORLD.texts["person"][0]
    counts = {"possessive": 0, "of": 0, "clause": 0}
    for question in questions:
        possessive, clause = "'s" in question, "the person" in question
        assert not (possessive and clause)
        assert possessive or question.endswith(f" {name}?")
        if possessive:
            counts["possessive"] += 1
        else:
            counts["clause" if clause else "of"] += 1
    assert min(counts.values()) > 150
    assert len(set(questions)) > 20


def test_relative_clauses_are_nested_at_most_twice():
    people = tuple(map(TABLE.number, ("spouse", "boss", "rival", "child", "mentoring")))
    for hops in range(1, 6):
        path = (*people[:hops], TABLE.number("pet"))
        questions = language_of(WORLD).questions(path, np.zeros(400, int), Draw(4).words(400))
        nested = {len(re.findall("the person who", question)) for question in questions}
        assert nested == ({0, hops} if hops <= 2 else {0})


def test_a_random_word_alone_chooses_the_wording():
    """Other rows do not matter, so any shard can write its own questions."""
    path = tuple(map(TABLE.number, ("child", "hobby")))
    starts, words = np.arange(40), Draw(2).words(40)
    together = language_of(WORLD).questions(path, starts, words)
    assert together == [
        language_of(WORLD).questions(path, starts[[k]], words[[k]])[0] for k in range(40)
    ]
    assert (
        len(set(language_of(WORLD).questions(path, np.zeros(2000, int), Draw(2).words(2000))))
        == wordings(TABLE).forms(path).offsets[-1]
    )


def test_statements_can_have_other_objects_than_the_worlds():
    number = TABLE.number("pet")
    statements = language_of(WORLD).statements(
        number, np.array([0, 1]), ["otter", "dog"], np.array([0, 1])
    )
    first, second = WORLD.texts["person"][:2]
    assert statements == [f"{first}'s pet was an otter.", f"{second} kept a dog as a pet."]


def test_a_percent_sign_in_a_value_or_wording_is_literal():
    world = gallery_world()
    hobby = TABLE.number("hobby")
    world.texts["hobby"] = ["100 %s", *world.texts["hobby"][1:]]
    world.objects[hobby, 0] = 0
    (chain,) = language_of(world).chains((hobby,), walk(world, (hobby,), 0))
    assert chain.endswith(" was 100 %s. So, the answer is: 100 %s")
    relations = list(TABLE.relations)
    relations[hobby] = replace(relations[hobby], statements=("{subject} spent 9 %s on {object}.",))
    world.table = RelationTable(tuple(relations), TABLE.pools)
    (chain,) = language_of(world).chains((hobby,), walk(world, (hobby,), 0))
    assert " spent 9 %s on 100 %s. So" in chain


def test_symbols_are_one_token_each():
    world = gallery_world("symbols")
    tokens = {text for texts in world.texts.values() for text in texts} | {
        row.name for row in TABLE.relations
    }
    assert all(re.fullmatch(r"[a-z_]+[0-9]*", token) for token in tokens)
    assert len(tokens) == len(TABLE) + sum(len(texts) for texts in world.texts.values())
    path = tuple(map(TABLE.number, ("child", "spouse")))
    assert language_of(world).questions(path, np.array([17]), np.zeros(1, np.uint64)) == [
        "p17 child spouse ?"
    ]
    (row,) = walk(world, path, 17).tolist()
    assert language_of(world).chains(path, np.array([row])) == [
        f"p17 child p{row[1]} . p{row[1]} spouse p{row[2]} . So, the answer is: p{row[2]}"
    ]


# --- biographies ---------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["english", "symbols"])
def test_a_biography_states_each_fact_of_its_group_once_and_nothing_else(tiny_world, language):
    from bioreason_bench.config import load_preset
    from bioreason_bench.world.facts import make_world

    world = (
        tiny_world
        if language == "english"
        else make_world(load_preset("tiny").override({"language": language}))
    )
    reader = Reader(world.table, language)
    for group, described in (("parametric", world.known), ("contextual", world.in_context)):
        people = np.flatnonzero(described)
        for person, text in zip(
            people.tolist(), biographies.texts(world, group, people, 1), strict=True
        ):
            facts = reader.biography(text)
            stated = {
                (
                    world.names[person],
                    row.name,
                    world.texts[row.object][world.objects[number, person]],
                )
                for number, row in enumerate(world.table.relations)
                if row.group == group and world.stated(number)[person]
            }
            assert set(facts) == stated and len(facts) == len(stated)


def test_paraphrases_differ_in_words_and_order():
    people = np.arange(40)
    paraphrases = [biographies.sentences(WORLD, "parametric", people, k) for k in range(5)]
    for person in people.tolist():
        for relation in paraphrases[0].order[person].tolist():
            assert len({made.of([person], relation)[0] for made in paraphrases}) == 5
    orders = np.stack([made.order for made in paraphrases])
    assert len(np.unique(orders.reshape(-1, orders.shape[2]), axis=0)) == 200
    assert (np.sort(orders, axis=2) == np.sort(orders[0, 0])).all()


@pytest.mark.parametrize("statements", [1, 2, 3, 8])
def test_people_with_heldout_wordings_never_use_two_of_a_relation(statements):
    """One is the first, which is the one of chains; the other is drawn for each person."""
    world = gallery_world(people=2000)
    relations = [replace(row, statements=row.statements[:statements]) for row in TABLE.relations]
    world.table = RelationTable(tuple(relations), TABLE.pools)
    people, held_out = np.arange(2000), world.people.heldout_wordings
    drawn = [
        biographies.variants(world, "parametric", TABLE.number("boss"), people, k) for k in range(8)
    ]
    wordings_used = [set(column.tolist()) for column in np.stack(drawn).T]
    everything = set(range(statements))
    unused = [everything - used for used in wordings_used]
    assert not any(unused[person] for person in np.flatnonzero(~held_out))
    for person in np.flatnonzero(held_out):
        assert len(unused[person]) == min(2, statements - 1)
        assert statements == 1 or 0 in unused[person]
    if statements == 8:
        assert {max(unused[person]) for person in np.flatnonzero(held_out)} == set(range(1, 8))


def test_everybody_uses_all_wordings_if_none_are_held_out():
    world = gallery_world(people=40)
    del world.people.heldout_wordings
    boss = TABLE.number("boss")
    assert (biographies.variants(world, "parametric", boss, np.arange(40)) == 0).any()


def test_sentences_use_the_wordings_that_variants_returns():
    people = np.arange(40)
    for group in ("parametric", "contextual"):
        made = biographies.sentences(WORLD, group, people, 2)
        for relation in made.order[0].tolist():
            chosen = biographies.variants(WORLD, group, relation, people, 2)
            assert made.of(people, relation) == language_of(WORLD).statements(
                relation, people, None, chosen
            )


PRONOUN = re.compile(r"\b(?:they|them|their)\b", re.IGNORECASE)
JOINED = re.compile(r",\"? and (?:they|their)\b")


@pytest.mark.parametrize("group", ["parametric", "contextual"])
def test_a_share_of_the_sentences_has_a_pronoun_or_is_joined(group):
    """Shares of all sentences after the first; pronouns include those of joined sentences."""
    world = gallery_world(people=1000)
    texts = biographies.texts(world, group, np.arange(1000))
    reader = Reader(TABLE)
    later = sum(len(reader.biography_sentences(text)) - 1 for text in texts)
    assert 0.1 < sum(len(PRONOUN.findall(text)) for text in texts) / later < 0.4
    assert 0.05 < sum(len(JOINED.findall(text)) for text in texts) / later < 0.15
    assert not any(
        len(JOINED.findall(part)) > 1 for text in texts for part in reader.sentences(text)
    )


def test_a_pronoun_follows_only_a_sentence_that_names_nobody_else():
    """So that "they" cannot mean the boss, or the graduates."""
    reader = Reader(TABLE)
    for person in range(40):
        name = WORLD.texts["person"][person]
        for group in ("parametric", "contextual"):
            (text,) = biographies.texts(WORLD, group, np.array([person]), 3)
            named = reader.biography_sentences(text)
            written = [part for joined in reader.sentences(text) for part in parts(joined)]
            assert len(written) == len(named) and name in written[0]
            for before, sentence in zip(named, written[1:], strict=False):
                if PRONOUN.search(sentence):
                    assert not TABLE[TABLE.number(reader.sentence(before)[1])].to_person
                    assert not before.endswith(f"{name}.")


def parts(joined):
    """Split a sentence at the place where two of them are joined."""
    index = JOINED.search(joined)
    return [joined[: index.start()], joined[index.start() :]] if index else [joined]


def test_a_shortened_biography_begins_with_the_name():
    """Whatever sentences are left, and with one biography in several texts."""
    made = biographies.sentences(WORLD, "contextual", np.arange(40))
    reader = Reader(TABLE)
    for count in (1, 2, 4):
        rows = np.repeat(np.arange(40), count)
        kept = np.concatenate([np.sort(Draw(k).permutation(19)[:count]) for k in range(40)])
        relations = made.order[rows, kept]
        texts = made.paragraphs(rows, relations, 40).to_pylist()
        for person, text in enumerate(texts):
            mine = relations[rows == person]
            assert reader.biography_sentences(text) == made.of(np.full(count, person), mine)
            assert WORLD.texts["person"][person] in reader.sentences(text)[0].partition(", and")[0]
    twice = made.paragraphs(np.zeros(19, int), made.order[0], 2, number=np.repeat([0, 1], [9, 10]))
    assert [reader.biography_sentences(text) for text in twice.to_pylist()] == [
        made.of(np.zeros(9, int), made.order[0, :9]),
        made.of(np.zeros(10, int), made.order[0, 9:]),
    ]


def test_sentences_can_be_written_in_place_of_others():
    """They are written as they are; nothing else of the biography changes its meaning."""
    reader = Reader(TABLE)
    made = biographies.sentences(WORLD, "parametric", np.arange(40))
    for person in range(40):
        rows, relations = np.full(20, person), made.order[person]
        sentence = f"{WORLD.texts['person'][person]} died in Atlantis."
        for index in range(20):
            (text,) = made.paragraphs(
                rows, relations, 1, number=np.zeros(20, int), instead={index: sentence}
            ).to_pylist()
            named = made.of(rows, relations)
            assert sentence in reader.sentences(text)
            assert reader.biography_sentences(text) == [
                *named[:index],
                sentence,
                *named[index + 1 :],
            ]


def test_biographies_in_symbols_have_no_pronouns():
    world = gallery_world("symbols")
    made = biographies.sentences(world, "contextual", np.arange(40))
    assert not made.with_pronoun.any() and not made.joined.any()
    reader = Reader(TABLE, "symbols")
    (text,) = biographies.texts(world, "contextual", np.array([3]))
    assert reader.biography_sentences(text) == reader.sentences(text)
    assert reader.biography(text) == [reader.sentence(part) for part in reader.sentences(text)]


def test_every_relation_comes_first_equally_often():
    """Order in a biography carries no information."""
    world = gallery_world(people=4000)
    first = biographies.sentences(world, "contextual", np.arange(4000)).order[:, 0]
    counts = np.unique(first, return_counts=True)[1]
    assert len(counts) == 19 and counts.min() > 4000 / 19 * 0.7 and counts.max() < 4000 / 19 * 1.3


def test_a_biography_does_not_depend_on_the_others_written_with_it(tiny_world):
    people = np.flatnonzero(tiny_world.known)
    whole = [biographies.texts(tiny_world, "parametric", people, k) for k in range(2)]
    chosen = people[[5, 3, 8, 3]]
    assert biographies.texts(tiny_world, "parametric", chosen, np.array([0, 1, 1, 0])) == [
        whole[0][5],
        whole[1][3],
        whole[1][8],
        whole[0][3],
    ]


def test_absent_facts_are_not_stated(tiny_world):
    """People without a child have no sentence about one, and their order ends in -1."""
    made = biographies.contextual_sentences(tiny_world)
    for person in range(len(tiny_world.names)):
        order = made.order[person].tolist()
        stated = [
            number
            for number, row in enumerate(tiny_world.table.relations)
            if row.group == "contextual" and tiny_world.stated(number)[person]
        ]
        assert sorted(order[: len(stated)]) == stated and set(order[len(stated) :]) <= {-1}
        with_sentence = [
            number
            for number, row in enumerate(tiny_world.table.relations)
            if row.group == "contextual" and made.of([person], number)[0]
        ]
        assert with_sentence == stated
    assert not any(
        made.text[person].any() for person in np.flatnonzero(~tiny_world.in_context).tolist()
    )
