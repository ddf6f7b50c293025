"""A user's facts become a world, or are refused with one sentence that says where and why."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bioreason_bench.config import from_dict, load_preset
from bioreason_bench.errors import UsageError
from bioreason_bench.world.facts import make_world
from bioreason_bench.world.given import describe_facts

TABLE = """
[[relation]]
name = "boss"
object = "person"
group = "parametric"
inverse = "report"
older = [1, 30]
statements = ["{subject}'s boss is {object}.", "{subject} reports to {object}."]
nouns = ["boss"]
asks = ["Who is {person}'s {noun}?", "Who is the {noun} of {person}?"]

[[relation]]
name = "report"
object = "person"
group = "contextual"
inverse = "boss"
older = [-30, -1]
statements = ["{subject}'s only report is {object}."]
nouns = ["report"]
asks = ["Who is {person}'s {noun}?", "Who is the {noun} of {person}?"]

[[relation]]
name = "peer"
object = "person"
group = "contextual"
inverse = "peer"
statements = ["{subject} shares a desk with {object}."]
nouns = ["peer"]
asks = ["Who is {person}'s {noun}?", "Who is the {noun} of {person}?"]

[[relation]]
name = "city"
object = "town"
group = "parametric"
statements = ["{subject} lives in {object}.", "{subject} has a flat in {object}."]
asks = ["Where does the flat stand of {person}?"]

[[relation]]
name = "start"
object = "date"
group = "contextual"
date = "birth"
statements = ["{subject} began on {object}."]
asks = ["When did the work begin of {person}?"]
"""
FACTS = [
    ("Ann", "boss", "Bo"),
    ("Bo", "boss", "Cy"),
    ("Ann", "peer", "Di"),
    ("Ann", "city", "Lagos"),
    ("Bo", "city", "Pune"),
    ("Cy", "city", "Lagos"),
    ("Di", "start", "1999"),
    ("Cy", "start", "2003"),
]
POOL = '\n[pools]\ntown = ["Lagos", "Lima", "Pune"]\n'


@pytest.fixture
def graph(tmp_path):
    """`graph(rows, names=..., table=..., raw=..., **fields)`: a configuration of these facts."""

    def make(rows=FACTS, *, names=None, table=TABLE, raw=None, suffix=".csv", **fields):
        facts, own_table = tmp_path / f"facts{suffix}", tmp_path / "my.toml"
        text = "subject,relation,object\n" + "".join(",".join(row) + "\n" for row in rows)
        facts.write_bytes(text.encode() if raw is None else raw)
        own_table.write_text(table, encoding="utf-8")
        config = replace(load_preset("graph"), facts=str(facts), relations=str(own_table), **fields)
        if names is None:
            return config
        path = tmp_path / "names.csv"
        path.write_text("id,name\n" + "".join(f"{k},{v}\n" for k, v in names), encoding="utf-8")
        return replace(config, names=str(path))

    return make


def stated(world):
    """Every stated fact as (subject, relation, object), in words."""
    return {
        (world.names[person], row.name, world.texts[row.object][target])
        for number, row in enumerate(world.table.relations)
        for person, target in enumerate(world.steps[number, :-1].tolist())
        if target >= 0
    }


# worlds -------------------------------------------------------------------------------------------


def test_the_world_states_the_facts_and_their_mirrors_and_no_others(graph):
    mirrors = {("Bo", "report", "Ann"), ("Cy", "report", "Bo"), ("Di", "peer", "Ann")}
    assert stated(make_world(graph())) == {*FACTS} | mirrors


def test_whoever_has_a_parametric_fact_is_known_and_is_numbered_first(graph):
    world = make_world(graph())
    assert world.names == ["Ann", "Bo", "Cy", "Di"]
    assert world.known.tolist() == [True, True, True, False]
    assert world.in_context.tolist() == [True, True, True, True]


def test_ages_have_no_effect_and_leave_the_table(graph):
    world = make_world(graph())
    assert not world.people.birth.any()
    assert not any(row.older or row.date or row.kin for row in world.table.relations)


def test_pools_come_from_the_data_unless_the_table_lists_them(graph):
    assert make_world(graph()).table.pools == {"town": ("Lagos", "Pune")}
    assert make_world(graph(table=TABLE + POOL)).table.pools == {"town": ("Lagos", "Lima", "Pune")}


def test_relations_without_facts_are_left_out(graph):
    world = make_world(graph([row for row in FACTS if row[1] != "peer"]))
    assert [row.name for row in world.table.relations] == ["boss", "report", "city", "start"]


def test_keep_leaves_out_relations_and_the_mirrors_they_would_have(graph):
    world = make_world(graph(keep=("boss", "city")))
    assert stated(world) == {row for row in FACTS if row[1] in ("boss", "city")}
    assert world.table[0].inverse == ""


def test_the_order_of_rows_repetitions_blanks_and_a_byte_order_mark_do_not_matter(graph):
    world = make_world(graph())
    text = "object,note,subject,relation\n" + "".join(
        f' {o} ,"x, y",{s},{r}\n\n' for s, r, o in [*reversed(FACTS), FACTS[0]]
    )
    other = make_world(graph(raw=b"\xef\xbb\xbf" + text.encode()))
    assert stated(other) == stated(world) and other.names == world.names
    assert np.array_equal(other.objects, world.objects)


def test_parquet_and_csv_make_the_same_world(graph, tmp_path):
    world = make_world(graph())
    columns = zip(("subject", "relation", "object"), zip(*FACTS, strict=True), strict=True)
    file = tmp_path / "facts.parquet"
    pq.write_table(pa.table({name: list(values) for name, values in columns}), file)
    other = make_world(replace(graph(), facts=str(file)))
    assert np.array_equal(other.objects, world.objects) and other.texts == world.texts


def test_names_replace_ids_in_sentences(graph):
    rows = [(s.lower(), r, o.lower() if r in ("boss", "peer") else o) for s, r, o in FACTS]
    names = [("ann", "Ann"), ("bo", "Bo"), ("cy", "Cy"), ("di", "Di"), ("ed", "Ed")]
    assert stated(make_world(graph(rows, names=names))) == stated(make_world(graph()))


def test_an_entity_that_only_the_names_list_may_be_an_object(graph):
    names = [(name, name) for name in ("Ann", "Bo", "Cy", "Di", "Ed")]
    world = make_world(graph([*FACTS, ("Cy", "boss", "Ed")], names=names))
    assert world.in_context[world.names.index("Ed")]  # by the mirror of that fact


def test_in_symbols_no_text_is_refused(graph):
    rows = [(s, r, "the  A. b?" if o == "Lagos" else o) for s, r, o in FACTS]
    names = [(name, "same Name") for name in ("Ann", "Bo", "Cy", "Di")]
    world = make_world(graph(rows, names=names, language="symbols"))
    assert world.names == ["p0", "p1", "p2", "p3"]
    assert world.texts["town"] == ["town0", "town1"] == list(world.table.pools["town"])


def test_the_community_is_closed_and_no_larger_than_asked(graph):
    groups = [
        [f"{letter}{k}" for k in range(size)] for letter, size in zip("ABC", (8, 3, 2), strict=True)
    ]
    rows = [(one, "boss", other) for group in groups for one, other in pairwise(group)]
    rows += [(group[-1], "city", "Lagos") for group in groups] + [("A0", "city", "Pune")]
    for share, sizes in ((0.1, {0}), (0.25, {2, 3}), (0.4, {5})):
        world = make_world(graph(rows, community=share))
        assert world.community.sum() in sizes
        for number, row in enumerate(world.table.relations):
            subjects = np.flatnonzero(world.objects[number] >= 0)
            if row.to_person:
                targets = world.objects[number, subjects]
                assert (world.community[subjects] == world.community[targets]).all()


# the files behind a release -----------------------------------------------------------------------


def test_a_description_holds_digests_and_counts_and_makes_the_same_world(graph):
    config = graph()
    described = describe_facts(config)
    assert (described.known, described.novel) == (3, 1)
    assert len(described.facts_sha256) == 64 and described.names_sha256 == ""
    assert np.array_equal(make_world(described).objects, make_world(config).objects)


def test_a_file_that_has_changed_is_refused(graph):
    described = describe_facts(graph())
    with Path(described.facts).open("a", encoding="utf-8") as file:
        file.write("Di,city,Pune\n")
    with pytest.raises(UsageError, match=r"facts\.csv has changed since .* SHA-256"):
        make_world(described)


def test_without_the_file_a_configuration_can_be_read_but_makes_no_world(graph):
    described = describe_facts(graph())
    Path(described.facts).unlink()
    config = from_dict(described.as_dict())
    assert config == described
    with pytest.raises(UsageError, match=r"facts\.csv cannot be read .*give the path"):
        make_world(config)


# refusals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "fragment"),
    [
        ([("Ann", "bos", "Bo")], "line 10: there is no relation 'bos' in my.toml; did you mean"),
        ([("Ann", "city", "Pune")], "line 10: 'Ann' has the city 'Pune', and in line 5 'Lagos'; a"),
        (
            [("Ann", "city", "Pune"), ("Bo", "city", "Lima"), ("Cy", "city", "Rome")],
            "line 10: 'Ann' has the city 'Pune', and in line 5 'Lagos', and 2 more rows",
        ),
        ([("Ann", "city", " ")], "line 10: the object is empty"),
        ([("", "city", "Rome")], "line 10: the subject is empty"),
        ([("Di", "boss", "Zoe")], "line 10: boss leads to an entity, and 'Zoe' is none"),
        ([("Di", "boss", "Di")], "line 10: 'Di' is its own boss"),
        ([("Di", "boss", "Bo")], "line 10: 'Di' boss 'Bo' means that the report of 'Bo' is 'Di'"),
        ([("Cy", "report", "Ann")], "the report of 'Cy' is 'Bo', but line 10 makes it 'Ann'"),
        ([("Cy", "peer", "Ann")], "line 10: 'Cy' peer 'Ann' means that the peer of 'Ann' is 'Cy'"),
        ([("Di", "city", "the Hague")], "value 'the Hague' must come without its article"),
        ([("Di", "city", "Bo")], "'Bo' is both the name of an entity and a value"),
        ([("Di", "city", "Lagos", "x")], "line 10: there are 4 values for 3 columns"),
        ([("Isle of Man", "city", "Pune")], "cannot hold 1 of 5 names, the first of them 'Isle"),
        ([("Who Knows", "city", "Pune")], "begins with 'Who', as sentences do"),
        ([("They Say", "city", "Pune")], "begins with 'They', as sentences do"),
        ([("Ed Jr", "city", "Pune")], "holds 'Jr', which reads as a title"),
        ([("ANN", "city", "Pune")], "are both called"),
    ],
)
def test_a_row_that_makes_no_sense_is_refused_with_its_line(graph, more, fragment):
    with pytest.raises(UsageError) as refusal:
        make_world(graph([*FACTS, *more]))
    assert fragment in str(refusal.value)
    assert str(refusal.value).count("; ") >= 1, "it says what to do next"


@pytest.mark.parametrize(
    ("raw", "suffix", "fragment"),
    [
        (b"a,b\n1,2\n", ".csv", "has no column 'subject'; it needs the columns subject, relation"),
        (b"", ".csv", "has no column 'subject'"),
        (b"subject,relation,object\n", ".csv", "has no rows"),
        (b"subject,relation,object,object\n", ".csv", "has more than one column 'object'"),
        (b"subject,relation,object\nAnn,city,M\xfcnchen\n", ".csv", "line 2: this is not UTF-8"),
        (b'subject,relation,object\nAnn,city,"Pu"ne\n', ".csv", "line 2: this is not CSV"),
        (b"subject\trelation\tobject\n", ".csv", "has no column 'subject'"),
        (b"PAR1 or not", ".parquet", "cannot be read as a Parquet file"),
        (b"subject,relation,object\n", ".tsv", "is no .csv or .parquet file"),
    ],
)
def test_a_file_of_another_kind_is_refused(graph, raw, suffix, fragment):
    with pytest.raises(UsageError, match=fragment.replace(".", r"\.")):
        make_world(graph(raw=raw, suffix=suffix))


@pytest.mark.parametrize(
    ("names", "fragment"),
    [
        ([("Ann", "Ann"), ("Bo", "Bo"), ("Cy", "Cy")], "line 4: peer leads to an entity, and 'Di'"),
        ([("Bo", "Bo")], "line 2: the subject 'Ann' is nobody; add it to names.csv"),
        ([("Ann", "Ann"), ("Ann", "Anna")], "names.csv, line 3: 'Ann' is 'Anna' here and 'Ann'"),
        ([(name, "Ann") for name in ("Ann", "Bo", "Cy", "Di")], "'Ann' and 'Bo' are both called"),
    ],
)
def test_names_that_do_not_fit_the_facts_are_refused(graph, names, fragment):
    with pytest.raises(UsageError) as refusal:
        make_world(graph(names=names))
    assert fragment in str(refusal.value)


def test_a_value_outside_a_listed_pool_is_refused(graph):
    with pytest.raises(UsageError, match="line 10: 'Rome' is not in the pool 'town'"):
        make_world(graph([*FACTS, ("Di", "city", "Rome")], table=TABLE + POOL))


def test_paraphrases_need_as_many_statements(graph):
    with pytest.raises(UsageError, match="'boss' has 2 statements; lower"):
        make_world(graph(paraphrases=3))
    with pytest.raises(UsageError, match="keeps 2 statements of a relation out"):
        make_world(graph(paraphrases=1, heldout_wordings=0.1))


def test_names_need_facts():
    with pytest.raises(UsageError, match="names is set, but facts is not"):
        replace(load_preset("graph"), names="names.csv")


def test_an_invented_world_still_needs_people():
    with pytest.raises(UsageError, match="novel is 0; it must be a whole number of at least 2"):
        load_preset("tiny").override({"novel": "0"})
