"""The reader reads back what the language writes, in one way only, and survives any other text.

`all_statements` and `all_questions` are a second, slow reader.  It tries every template everywhere
and returns every reading that the grammar allows.  It shares nothing with the package's reader but
the splitting of templates.
"""

import re
import time
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from write_gallery import gallery_world

from bioreason_bench.draw import Draw
from bioreason_bench.language import language_of
from bioreason_bench.language.english import wordings
from bioreason_bench.language.reader import Reader
from bioreason_bench.world.relations import Relation, RelationTable
from bioreason_bench.world.table import load_table
from bioreason_bench.world.table_laws import check_pool, check_table
from bioreason_bench.world.templates import (
    cut_ask,
    cut_clause,
    cut_statement,
    pronoun_form,
    with_article,
)
from bioreason_bench.world.wording_laws import check_wording
from bioreason_bench.world.words import read_words

TABLE = load_table()
READER, SYMBOL_READER = Reader(TABLE), Reader(TABLE, "symbols")
WORLD, SYMBOL_WORLD = gallery_world(), gallery_world("symbols")
NAME = re.compile(
    r"[A-Z\u00c0-\u00d6\u00d8-\u00de][\w-]*(?: [A-Z\u00c0-\u00d6\u00d8-\u00de][\w-]*)*"
)

ANY = re.compile(r".+", re.DOTALL)


def openings(table):
    """Return the first words of wordings: no names, as wording_laws.py and names.py see to."""
    texts = [text for row in table.relations for text in (*row.statements, *row.asks)]
    return {text.split()[0] for text in texts} | {"They", "Their"}


def all_statements(table, text):
    """Return every (subject, relation, object) for which some statement reads like the text."""
    readings, no_names = set(), openings(table)
    for row in table.relations:
        for statement in row.statements:
            cut = cut_statement(statement, row.to_person)
            if not (text.startswith(cut.before) and text.endswith(cut.after)):
                continue
            middle = text[len(cut.before) : len(text) - len(cut.after)]
            for match in re.finditer(f"(?={re.escape(cut.between)})", middle):
                first, second = middle[: match.start()], middle[match.start() + len(cut.between) :]
                subject, value = (second, first) if cut.object_first else (first, second)
                value = re.sub(r"^an? ", "", value) if cut.article else value
                if subject.split()[:1] and subject.split()[0] in no_names:
                    continue
                if NAME.fullmatch(subject) and (NAME if row.to_person else ANY).fullmatch(value):
                    readings.add((subject, row.name, value))
    return readings


def phrases(table, text, style):
    """Return every (name, path) whose phrase of the style reads like the text.

    A bare name has every style.
    """
    readings = {(text, ())} if NAME.fullmatch(text) else set()
    for row in table.relations:
        if row.to_person:
            heads = [f"the {noun} of " for noun in row.nouns] if style == "of" else []
            heads += (
                ["the person " + cut_clause(clause).before for clause in row.clauses]
                if style == "clause"
                else []
            )
            tails = [f"'s {noun}" for noun in row.nouns] if style == "possessive" else []
            inner = [text[len(head) :] for head in heads if text.startswith(head)] + [
                text[: -len(tail)] for tail in tails if text.endswith(tail)
            ]
            readings |= {
                (name, (*path, row.name))
                for part in inner
                for name, path in phrases(table, part, style)
            }
    return readings


def all_questions(table, text):
    """Return every (start, path) for which some question reads like the text."""
    readings = set()
    for row in table.relations:
        for ask in map(cut_ask, row.asks):
            if (
                text.startswith(ask.before)
                and text.endswith(ask.after)
                and len(text) > len(ask.before) + len(ask.after)
            ):
                middle = text[len(ask.before) : len(text) - len(ask.after)]
                for style in ("possessive",) if ask.possessive else ("possessive", "of", "clause"):
                    readings |= {
                        (name, (*path, row.name)) for name, path in phrases(table, middle, style)
                    }
    return readings


words_of_names = st.sampled_from(
    [
        *read_words("first_names"),
        *read_words("last_names"),
        "Mary-Jane",
        "\u00c9lodie",
        "\u00d8",
        "A",
        "Of",
    ]
)
names = st.lists(words_of_names, min_size=1, max_size=4).map(" ".join)
no_names = openings(TABLE)
names = names.filter(lambda name: name.split()[0] not in no_names)
template_words = sorted(
    {
        word
        for row in TABLE.relations
        for text in (*row.statements, *row.nouns)
        for word in text.split()
        if "{" not in word
    }
)
values = st.one_of(
    st.sampled_from([value for pool in TABLE.pools.values() for value in pool]),
    st.lists(
        st.sampled_from([*template_words, "Ann", "Lee", "12", "x@y.example"]),
        min_size=1,
        max_size=6,
    ).map(" ".join),
    st.text(
        st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=30
    ),
)
numbers = st.integers(0, 2**64 - 1)


def fits_a_pool(value):
    try:
        check_pool("any", [value, "something else entirely"])
    except ValueError:
        return False
    return value.casefold() != "something else entirely"


def fill(text, subject, target):
    parts = {"subject": subject, "object": target, "object:a": with_article(target)}
    return re.sub(r"\{([a-z:]+)\}", lambda match: parts[match[1]], text)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_every_statement_has_one_reading_for_any_name_and_value(data):
    row = data.draw(st.sampled_from(TABLE.relations))
    text = data.draw(st.sampled_from(row.statements))
    subject = data.draw(names)
    target = data.draw(names) if row.to_person else data.draw(values.filter(fits_a_pool))
    sentence = fill(text, subject, target)
    assert READER.sentence(sentence) == (subject, row.name, target)
    assert all_statements(TABLE, sentence) == {(subject, row.name, target)}


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_every_question_has_one_reading_for_any_path_and_wording(data):
    """Up to six hops, relations in any order."""
    people = [number for number, row in enumerate(TABLE.relations) if row.to_person]
    path = (
        *data.draw(st.lists(st.sampled_from(people), max_size=5)),
        data.draw(st.integers(0, len(TABLE) - 1)),
    )
    start = data.draw(names)
    world = SimpleNamespace(**vars(WORLD) | {"texts": {**WORLD.texts, "person": [start]}})
    question = language_of(world).questions(
        path, np.array([0]), np.array([data.draw(numbers)], np.uint64)
    )[0]
    reading = (start, TABLE.path_names(path))
    assert READER.question(question) == reading
    assert all_questions(TABLE, question) == {reading}


@pytest.mark.parametrize("row", TABLE.relations, ids=lambda row: row.name)
def test_every_wording_of_every_relation_reads_back(row):
    number = TABLE.number(row.name)
    for variant, text in enumerate(row.statements):
        sentence = language_of(WORLD).statements(number, np.array([3]), None, np.array([variant]))[
            0
        ]
        target = WORLD.texts[row.object][WORLD.objects[number, 3]]
        assert sentence == fill(text, WORLD.texts["person"][3], target)
        assert READER.sentence(sentence) == (WORLD.texts["person"][3], row.name, target)
    for first in (number for number, other in enumerate(TABLE.relations) if other.to_person):
        forms = wordings(TABLE).forms((first, number))
        for form in range(int(forms.offsets[-1])):
            before, after = forms.pieces[form]
            assert READER.question(f"{before}Ann Lee{after}") == (
                "Ann Lee",
                (TABLE[first].name, row.name),
            )


def walk(world, path, starts):
    ids = [starts]
    for relation in path:
        ids.append(world.objects[relation, ids[-1]])
    return np.stack(ids, axis=1)


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from([(WORLD, READER), (SYMBOL_WORLD, SYMBOL_READER)]))
def test_chains_read_back_hop_by_hop(data, world_and_reader):
    world, reader = world_and_reader
    people = [number for number, row in enumerate(TABLE.relations) if row.to_person]
    path = (
        *data.draw(st.lists(st.sampled_from(people), max_size=5)),
        data.draw(st.integers(0, len(TABLE) - 1)),
    )
    starts = np.array(data.draw(st.lists(st.integers(0, 39), min_size=1, max_size=3)))
    texts = [world.texts["person"]] * len(path) + [world.texts[TABLE[path[-1]].object]]
    language, ids = language_of(world), walk(world, path, starts)
    for row, chain in zip(ids.tolist(), language.chains(path, ids), strict=True):
        entities = [text[k] for text, k in zip(texts, row, strict=True)]
        facts = [
            (entities[hop], TABLE[relation].name, entities[hop + 1])
            for hop, relation in enumerate(path)
        ]
        assert reader.chain(chain) == (facts, entities[-1])
        assert len(reader.sentences(chain.rpartition("So,")[0])) == len(path)
    words = Draw(data.draw(st.integers(0, 99))).words(starts)
    for row, question in zip(ids.tolist(), language.questions(path, starts, words), strict=True):
        assert reader.question(question) == (texts[0][row[0]], TABLE.path_names(path))


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("Ann Lee was born on March 3, 1931.", ("Ann Lee", "birth_date", "March 3, 1931")),
        ("Ann was born on March 3, 1931.", ("Ann", "birth_date", "March 3, 1931")),
        ("Ann Lee worked as an umpire.", ("Ann Lee", "occupation", "umpire")),
        ("Ann Lee and Bo Ray were rivals.", ("Ann Lee", "rival", "Bo Ray")),
        ("The boss of Ann Lee was Bo Ray.", ("Ann Lee", "boss", "Bo Ray")),
        ("James Hess's boss was Bo Ray.", ("James Hess", "boss", "Bo Ray")),
        ("Bo Ray was Ann Lee's boss.", ("Ann Lee", "boss", "Bo Ray")),
        ("Bo Ray supervised Ann Lee.", ("Ann Lee", "boss", "Bo Ray")),
        ("Bo Ray answered to Ann Lee.", ("Ann Lee", "boss_of", "Bo Ray")),
        ("On March 3, 1931, Ann Lee was born.", ("Ann Lee", "birth_date", "March 3, 1931")),
        ("It was in Lima that Ann was born.", ("Ann", "birth_place", "Lima")),
        ("It was in Lima that Ann died.", ("Ann", "died_in", "Lima")),
        ("As an umpire, Ann Lee earned a living.", ("Ann Lee", "occupation", "umpire")),
        ('Ann Lee wrote "Late Apples."', ("Ann Lee", "wrote", "Late Apples")),
        ('"Late Apples" was written by Ann Lee.', ("Ann Lee", "wrote", "Late Apples")),
        ("Bo Ray supervised her.", None),
        ("They were born in Lima.", None),
        ("It was in Lima that they died.", None),
        ("Ann Lee's boss was Bo Ray (she said).", None),
        ("Ann Lee's boss was Bo Ray", None),  # no full stop
        ("Ann Lee's boss is Bo Ray.", None),
        ("ann lee's boss was Bo Ray.", None),
        ("'s boss was Bo Ray.", None),
        ("Ann Lee's boss was .", None),
        ("Ann Lee was born on", None),
        ("The boss of the boss of Ann Lee was Bo Ray.", None),
        ("", None),
    ],
)
def test_examples_of_sentences(text, reading):
    assert READER.sentence(text) == reading


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("Where was Ann Lee's boss's spouse born?", ("Ann Lee", ("boss", "spouse", "birth_place"))),
        (
            "Where was the spouse of the boss of Ann Lee born?",
            ("Ann Lee", ("boss", "spouse", "birth_place")),
        ),
        ("Who supervised the person who was married to Ann Lee?", ("Ann Lee", ("spouse", "boss"))),
        ("Who was the boss of Ann Lee's best friend?", ("Ann Lee", ("best_friend", "boss"))),
        (
            "Who was the boss of the spouse of Ann Lee's best friend?",
            None,
        ),  # two styles in one phrase
        ("What was the spouse of Ann Lee's hobby?", None),  # whose hobby?
        ("Who was the boss of the person who was married to the rival of Ann Lee?", None),
        ("Who was Ann Lee?", None),
        ("Who was Ann Lee's hobby?", None),
        ("Where was Ann Lee's hobby born?", None),
        ("Who was ?", None),
        ("Who was the boss of ?", None),
        ("", None),
    ],
)
def test_examples_of_questions(text, reading):
    assert READER.question(text) == reading
    assert all_questions(TABLE, text) == ({reading} if reading else set())


def test_examples_of_chains():
    chain = "Ann Lee's boss was Bo Ray. Bo Ray sang. So, the answer is: Bo Ray, I think"
    assert READER.chain(chain) == ([("Ann Lee", "boss", "Bo Ray"), None], "Bo Ray, I think")
    assert READER.chain("I do not know.") == ([None], None)
    assert READER.chain("the answer is: a. So, the answer is: b ") == ([None], "b")
    assert READER.chain("") == ([], None)
    assert SYMBOL_READER.chain("p1 boss p2 . p2 sang . So, the answer is: p2") == (
        [("p1", "boss", "p2"), None],
        "p2",
    )


def test_texts_split_into_sentences():
    text = (
        "Ann Lee's email address was a.b12@mail.example. Ann Lee and Bo Ray were rivals.\n"
        'Bo Ray wrote "Late Apples." "Late Apples" was written by Bo Ray.'
    )
    assert READER.sentences(text) == [
        "Ann Lee's email address was a.b12@mail.example.",
        "Ann Lee and Bo Ray were rivals.",
        'Bo Ray wrote "Late Apples."',
        '"Late Apples" was written by Bo Ray.',
    ]
    assert SYMBOL_READER.sentences("p1 boss p2 . p1 pet pet3 .\np2 boss p4 .") == [
        "p1 boss p2 .",
        "p1 pet pet3 .",
        "p2 boss p4 .",
    ]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        (
            "Ann Lee died in Lima. They were born on May 1, 1931, and their pet was a cat.",
            [
                "Ann Lee died in Lima.",
                "Ann Lee was born on May 1, 1931.",
                "Ann Lee's pet was a cat.",
            ],
        ),
        (
            'Ann Lee wrote "Late Apples," and they owned a cat. Bo Ray was their boss.',
            ['Ann Lee wrote "Late Apples."', "Ann Lee owned a cat.", "Bo Ray was Ann Lee's boss."],
        ),
        (
            "Bo Ray supervised Ann Lee. Cy Day inspired them. It was in Lima that they died.",
            [
                "Bo Ray supervised Ann Lee.",
                "Cy Day inspired Ann Lee.",
                "It was in Lima that Ann Lee died.",
            ],
        ),
        ("Ann Lee was known for naming them.", ["Ann Lee was known for naming them."]),
    ],
)
def test_pronouns_in_a_biography_mean_its_person(text, sentences):
    assert READER.biography_sentences(text) == sentences
    assert READER.biography(text) == [READER.sentence(part) for part in sentences]
    assert None not in READER.biography(text)


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("They died in Lima.", [None]),  # who?
        ("Somebody sang. They died in Lima.", [None, None]),
        ("Ann Lee died in Lima. They sang.", [("Ann Lee", "died_in", "Lima"), None]),
        ("Ann Lee died in Lima. Bo Ray was her boss.", [("Ann Lee", "died_in", "Lima"), None]),
        ("", []),
    ],
)
def test_pronouns_that_mean_nobody_state_nothing(text, facts):
    assert READER.biography(text) == facts


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_pronouns_and_joined_sentences_read_back_for_any_name_and_value(data):
    """A biography of three facts, each with the name or a pronoun, or joined to the one before."""
    subject, text, sentences, facts = data.draw(names), "", [], []
    for _ in range(3):
        row = data.draw(st.sampled_from(TABLE.relations))
        statement = data.draw(st.sampled_from(row.statements))
        target = data.draw(names) if row.to_person else data.draw(values.filter(fits_a_pool))
        cut = cut_statement(statement, row.to_person)
        sentences.append(fill(statement, subject, target))
        facts.append((subject, row.name, target))
        form, style = pronoun_form(cut), data.draw(st.sampled_from(["name", "pronoun", "joined"]))
        if not text or form is None or style == "name":
            text += " " + sentences[-1]
            continue
        with_pronoun = form.before + (with_article(target) if cut.article else target) + form.after
        if style == "joined" and with_pronoun.startswith(("They ", "Their ")):
            text = text[:-2] + ',"' if text.endswith('."') else text[:-1] + ","
            text += f" and t{with_pronoun[1:]}"
        else:
            text += " " + with_pronoun
    assert READER.biography_sentences(text) == sentences
    assert READER.biography(text) == facts


@pytest.mark.parametrize("row", TABLE.relations, ids=lambda row: row.name)
def test_every_relation_has_statements_with_a_pronoun(row):
    forms = [pronoun_form(cut_statement(text, row.to_person)) for text in row.statements]
    assert sum(form is not None for form in forms) >= 4
    for form in filter(None, forms):
        text = (form.before + form.after).lower()
        assert len(re.findall(r"\b(?:they|their|them)\b", text)) == 1
        assert not re.search(r"\b(?:they was|of them|was them)\b", text)


pieces = st.sampled_from(
    [
        "Ann",
        "Lee",
        "'s ",
        "'s",
        " ",
        "the ",
        "of ",
        "person who ",
        "?",
        ".",
        "was ",
        "\n",
        "\x00",
        "\u2028",
        "the answer is:",
        *template_words,
    ]
)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(),
        st.lists(pieces, max_size=40).map("".join),
        st.lists(pieces, max_size=40).map(" ".join),
    )
)
@example("So, the answer is:")
def test_no_text_raises(text):
    for reader in (READER, SYMBOL_READER):
        reader.sentence(text), reader.sentences(text), reader.question(text), reader.chain(text)
        assert len(reader.biography(text)) == len(reader.biography_sentences(text))


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "A",
        " ",
        "Ann ",
        "'s ",
        "'s boss",
        "the boss of ",
        "the person who supervised ",
        ". ",
        "The boss of ",
        "So, the answer is: ",
        "x-",
        '" ',
        "they ",
        ", and their ",
        "\t\n",
    ],
)
@pytest.mark.parametrize(
    "head",
    [
        "",
        "Who was ",
        "Who was the boss of ",
        "Who was Ann Lee",
        "Ann Lee's boss was ",
        "The boss of Ann",
        "Xy a",
        "It was in ",
        'The book "',
        "Ann Lee died in Lima. They",
    ],
)
def test_time_is_linear_in_the_text(head, unit):
    """300,000 hostile characters take a fraction of a second; quadratic time would be minutes."""
    text = head + unit * (300_000 // len(unit))
    for reader in (READER, SYMBOL_READER):
        for read in (
            reader.sentence,
            reader.question,
            reader.sentences,
            reader.chain,
            reader.biography,
        ):
            begin = time.process_time()
            read(text)
            assert time.process_time() - begin < 5, read


# --- tables made to collide: the rules refuse them, or every text has one reading ----------------

few = ["boss", "friend", "of", "best", "who", "was", "the", "person", "at", "work"]
phrase = st.lists(st.sampled_from(few), min_size=1, max_size=3).map(" ".join)


@st.composite
def colliding_statements(draw, person):
    """A statement with the subject or the object first, with or without words before them."""
    object_first = draw(st.booleans())
    if object_first and not person:
        before = draw(st.sampled_from(["The ", "The boss of ", "One ", '"']))
        between = draw(st.one_of(phrase.map(" {} ".format), st.just(", ")))
    else:
        before = draw(st.sampled_from(["", "", "The boss of ", "One friend at "]))
        between = draw(phrase.map(draw(st.sampled_from([" {} ", "'s {} "])).format))
    ends = [" {}.", "'s {}."] if person or object_first else [" {}."]
    after = draw(st.one_of(st.just("."), phrase.map(draw(st.sampled_from(ends)).format)))
    first, second = ("{object}", "{subject}") if object_first else ("{subject}", "{object}")
    return f"{before}{first}{between}{second}{after}"


@st.composite
def colliding_tables(draw):
    relations = []
    # Values that look like names and like words of the statements.
    values = draw(
        st.lists(
            st.one_of(
                phrase.filter(lambda text: not text.startswith("the")),
                st.sampled_from(["Cy Day", "Ann Lee was", "was Bo", "of Ann Lee"]),
            ),
            min_size=2,
            max_size=3,
            unique=True,
        )
    )
    for name in ("a", "b", "c"):
        nouns = tuple(draw(st.lists(phrase, min_size=1, max_size=2, unique=True)))
        asks = {
            f"Who was the {nouns[0]} of {{person}}?",
            draw(phrase.map(lambda text: f"Who {text} {{person}}?")),
        }
        asks |= {
            draw(
                st.builds(
                    "Who {}{{person}}{}?".format,
                    st.one_of(st.just(""), phrase.map("{} ".format)),
                    st.one_of(phrase.map(" {}".format), phrase.map("'s {}".format)),
                )
            )
        }
        person = draw(st.booleans()) or name == "a"
        statements = draw(
            st.lists(colliding_statements(person), min_size=1, max_size=3, unique=True)
        )
        clauses = tuple(
            draw(st.lists(phrase.map("who {} {{person}}".format), max_size=2, unique=True))
        )
        relations.append(
            Relation(
                name,
                "person" if person else "thing",
                "parametric",
                statements=tuple(statements),
                asks=tuple(asks),
                nouns=nouns,
                clauses=clauses if person else (),
            )
        )
    return RelationTable(tuple(relations), {"thing": tuple(values)})


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
@given(colliding_tables(), st.data())
def test_a_table_that_keeps_the_rules_has_one_reading_for_every_text(table, data):
    try:
        check_table(table)
        check_wording(table)
    except ValueError:
        assume(False)
    reader = Reader(table)
    texts = {"person": ["Ann Lee", "Bo Ray"], "thing": table.pools["thing"]}
    world = SimpleNamespace(
        table=table,
        texts=texts,
        objects=np.ones((3, 2), np.int32),
        config=SimpleNamespace(language="english"),
    )
    for number, row in enumerate(table.relations):
        for variant, target in product(range(len(row.statements)), texts[row.object]):
            sentence = language_of(world).statements(
                number, np.array([0]), [target], np.array([variant])
            )[0]
            assert (
                all_statements(table, sentence)
                == {("Ann Lee", row.name, target)}
                == {reader.sentence(sentence)}
            )
    for _ in range(4):
        people = [number for number, row in enumerate(table.relations) if row.to_person]
        hops = st.lists(st.sampled_from(people), max_size=3)
        path = (*data.draw(hops), data.draw(st.integers(0, 2)))
        question = language_of(world).questions(
            path, np.array([0]), np.array([data.draw(numbers)], np.uint64)
        )[0]
        assert (
            all_questions(table, question)
            == {("Ann Lee", table.path_names(path))}
            == {reader.question(question)}
        )
