"""A context neither gives a recalled hop away nor singles out the person meant.

Checked on rows, with the reader alone: what a context states, who is in it, and who else could be
meant at each hop.
"""

from collections import Counter

import pytest

from bioreason_bench.config import load_preset
from bioreason_bench.dataset import make_dataset
from bioreason_bench.language.reader import Reader
from bioreason_bench.release.shards import make_table

OPEN_BOOK = "data/mem/entity_openbook/test"
LEVELS = ("iid", "composition", "zeroshot", "entity", "depth")


@pytest.fixture(scope="module", params=["tiny", "nano"])
def dataset(request):
    few = {"comp.train": "700", "ctx.train": "700", "mem.train": "700", "comp.rl": "0"}
    return make_dataset(load_preset(request.param).override(few))


@pytest.fixture(scope="module")
def rows(dataset):
    """Every question with a context, with its facts: person -> relation -> object."""
    reader = Reader(dataset.world.table, dataset.config.language)
    found = []
    for shard in dataset.shards():
        level = shard.folder.partition("/")[2]
        if shard.kind == "question" and (level in LEVELS or shard.split == "train"):
            rows = make_table(shard.kind, dataset.make(shard)).to_pylist()
            found += [(row, facts_of(reader, row["context"])) for row in rows if row["context"]]
    assert len(found) > 1000
    return found


def facts_of(reader, context):
    """Person -> relation -> object, as a context states them; each fact once."""
    facts = {}
    for line in context.split("\n"):
        stated = [reader.sentence(sentence) for sentence in reader.biography_sentences(line)]
        assert len({subject for subject, _, _ in stated}) == 1, "a line is about one person"
        facts[stated[0][0]] = {relation: value for _, relation, value in stated}
        assert len(facts[stated[0][0]]) == len(stated), "a biography states each fact once"
    return facts


@pytest.fixture(scope="module")
def memory(dataset):
    """Person -> parametric relation -> object."""
    world = dataset.world
    facts = {name: {} for name in world.names}
    for number, relation in enumerate(world.table.relations):
        if relation.group == "parametric":
            for person, target in enumerate(world.steps[number, :-1].tolist()):
                if target >= 0:
                    facts[world.names[person]][relation.name] = world.texts[relation.object][target]
    return facts


def follow(row, person, hop, facts, memory):
    """Where the rest of the path leads from a person: recalled, or read in the context."""
    for letter, relation in zip(row["pattern"][hop:], row["path"][hop:], strict=True):
        source = memory if letter == "P" else facts
        person = source.get(person, {}).get(relation)
        if person is None:
            return None
    return person


def test_each_hop_leads_on_as_the_row_says(rows, memory):
    for row, facts in rows:
        assert follow(row, row["entities"][0], 0, facts, memory) == row["answer"]


def test_everybody_in_a_context_states_what_the_path_asks_for(rows):
    for row, facts in rows:
        asked = {r for r, letter in zip(row["path"], row["pattern"], strict=True) if letter == "C"}
        assert all(asked <= set(stated) for stated in facts.values())
        assert set(facts) == set(row["context_people"])


def test_no_sentence_names_both_ends_of_a_recalled_hop(rows):
    for row, facts in rows:
        for hop, letter in enumerate(row["pattern"]):
            if letter == "P":
                one, two = row["entities"][hop : hop + 2]
                assert two not in facts.get(one, {}).values()
                assert one not in facts.get(two, {}).values()


def test_no_biography_states_the_mirror_of_a_recalled_relation(dataset, rows):
    inverse = {row.name: row.inverse for row in dataset.world.table.relations}
    for row, facts in rows:
        recalled = [r for r, s in zip(row["path"], row["pattern"], strict=True) if s == "P"]
        mirrors = {inverse[relation] for relation in recalled}
        assert not any(mirrors & set(stated) for stated in facts.values())


def branches(row):
    """The hops at which others could be meant: see splits/distractors.py."""
    pattern, final = row["pattern"], row["hops"] - 1
    if row["skill"] == "ctx":
        return [final - 1]
    last_read = pattern.rindex("C")
    return [hop for hop in range(final) if hop < last_read or pattern[hop] == "C"]


def test_at_every_branch_enough_others_lead_on_to_an_answer(dataset, rows, memory):
    """Without the relation of one hop, at least `distractors` other people could be meant.

    They are related to the same person by other relations of the same group: in a biography to
    train on, or in this very context.
    """
    group = {row.name: row.group for row in dataset.world.table.relations if row.to_person}
    for row, facts in rows:
        for hop in branches(row):
            before, gold = row["entities"][hop : hop + 2]
            source = memory if row["pattern"][hop] == "P" else facts
            others = {
                person
                for relation, person in source[before].items()
                if relation in group and person != gold
            }
            able = [p for p in others if follow(row, p, hop + 1, facts, memory) is not None]
            assert len(able) >= dataset.config.distractors, (row["id"], hop)


def test_the_people_read_about_behind_a_recalled_hop_look_alike(dataset, rows):
    """Gold or not, they state equally many facts; and gold is in any line of the context."""
    lines = Counter()
    for row, facts in rows:
        sizes = {len(stated) for stated in facts.values()}
        asked = row["pattern"].count("C") + dataset.config.distractors
        assert max(sizes) <= max(dataset.config.context_facts, asked)
        if row["pattern"] == "PC":
            lines[row["context_people"].index(row["entities"][1])] += 1
    total, places = sum(lines.values()), dataset.config.distractors + 1
    assert set(lines) == set(range(places))
    assert all(abs(n - total / places) < 5 * (total / places) ** 0.5 for n in lines.values())


def test_in_an_open_book_the_only_other_who_could_be_meant_does_not_name_the_person_before():
    """She is the classmate of one person before, the roommate of another, and somebody's child."""
    dataset = make_dataset(load_preset("tiny", 3))
    shard = next(one for one in dataset.shards() if one.file.startswith(OPEN_BOOK))
    columns = make_table(shard.kind, dataset.make(shard)).to_pydict()
    row = [entities[0] for entities in columns["entities"]].index("Röya Fontaine")
    assert columns["entities"][row][1] == "Kweku Zubayrov"
    assert columns["path"][row][1] == "child"
    lines = columns["context"][row].split("\n")
    about = dict(zip(columns["context_people"][row], lines, strict=True))
    assert "Nidra Pérez" in about["Kweku Zubayrov"], "he names her, his roommate"
    assert "Kweku Zubayrov" not in about["Nidra Pérez"]
