"""A context neither gives a recalled hop away nor singles out the person meant."""

from collections import Counter, defaultdict

import pytest

from bioreason_bench.config import load_preset
from bioreason_bench.dataset import make_dataset
from bioreason_bench.language.reader import Reader
from bioreason_bench.splits.distractors import copied_run


@pytest.fixture(scope="module", params=["tiny", "nano"])
def dataset(request):
    return make_dataset(
        load_preset(request.param).override(
            {"comp.train": "700", "ctx.train": "700", "comp.rl": "0"}
        )
    )


@pytest.fixture(scope="module")
def rows(dataset):
    """Every question with a context, with its facts: person -> relation -> object."""
    reader = Reader(dataset.world.table, dataset.config.language)
    found = []
    for shard in dataset.shards():
        if shard.kind in ("question", "probe") and shard.split in ("train", "test"):
            columns = dataset.make(shard)
            for row in (
                dict(zip(columns, values, strict=True))
                for values in zip(*columns.values(), strict=True)
            ):
                if row["context"]:
                    said = defaultdict(dict)
                    for sentence in reader.sentences(row["context"]):
                        subject, relation, value = reader.sentence(sentence)
                        assert relation not in said[subject], "a biography states each fact once"
                        said[subject][relation] = value
                    found.append((row, dict(said)))
    assert len(found) > 1000
    return found


def groups(dataset):
    return {row.name: row.group for row in dataset.world.table.relations}


def test_each_contextual_hop_can_be_read_from_the_biography_of_its_subject(dataset, rows):
    group = groups(dataset)
    for row, said in rows:
        assert list(said) == row["context_people"] or set(said) == set(row["context_people"])
        for hop, relation in enumerate(row["path"]):
            if group[relation] == "contextual":
                assert said[row["entities"][hop]][relation] == row["entities"][hop + 1]


def test_everybody_in_the_context_states_every_contextual_relation_asked_for(dataset, rows):
    group = groups(dataset)
    for row, said in rows:
        asked = {relation for relation in row["path"] if group[relation] == "contextual"}
        assert all(asked <= set(facts) for facts in said.values())


def test_nobody_in_a_context_says_the_mirror_of_a_recalled_hop(dataset, rows):
    """For everyone, not only for the person meant: otherwise a gap would point at them."""
    mirror = {row.name: row.inverse for row in dataset.world.table.relations}
    group = groups(dataset)
    for row, said in rows:
        hidden = {
            mirror[relation] for relation in row["path"] if group[relation] == "parametric"
        } - {""}
        assert not any(hidden & set(facts) for facts in said.values())


def test_distractors_are_strangers_to_the_chain_and_as_many_as_asked(dataset, rows):
    group = groups(dataset)
    for row, said in rows:
        gold = {
            row["entities"][hop]
            for hop, relation in enumerate(row["path"])
            if group[relation] == "contextual"
        }
        others = set(said) - gold
        assert len(others) == dataset.config.distractors * copied_run(row["pattern"])[1]
        assert not others & set(row["entities"])


def test_distractors_are_of_the_kind_of_the_person_meant(dataset, rows):
    """Distractors have the status (known, community) of the person at the head of the run."""
    kind = dict(
        zip(
            dataset.world.names,
            zip(dataset.world.known.tolist(), dataset.world.community.tolist(), strict=True),
            strict=True,
        )
    )
    for row, said in rows:
        begin, length = copied_run(row["pattern"])
        meant = row["entities"][begin]
        relations = row["path"][begin : begin + length - 1]
        heads = [
            name for name in said if name not in row["entities"] and _follow(said, name, relations)
        ]
        assert sum(kind[name] == kind[meant] for name in heads) >= dataset.config.distractors


def test_the_run_after_a_recalled_hop_stands_there_as_often_as_there_are_candidates(dataset, rows):
    """Whoever does not recall sees `distractors` other runs that hang together just as well."""
    for row, said in rows:
        if "PC" in row["pattern"]:
            begin, length = copied_run(row["pattern"])
            heads = [
                name
                for name in said
                if _follow(said, name, row["path"][begin : begin + length - 1])
            ]
            assert len(heads) > dataset.config.distractors and row["entities"][begin] in heads


def test_contexts_are_shortened_and_the_person_meant_stands_anywhere(dataset, rows):
    places = Counter()
    for row, said in rows:
        asked = sum(groups(dataset)[relation] == "contextual" for relation in row["path"])
        assert all(
            len(facts) <= max(dataset.config.context_facts, asked) for facts in said.values()
        )
        if row["pattern"] == "PC":
            places[row["context_people"].index(row["entities"][1])] += 1
    total = sum(places.values())
    expected = total / (dataset.config.distractors + 1)
    assert all(
        abs(places[place] - expected) < 5 * expected**0.5
        for place in range(dataset.config.distractors + 1)
    )


def _follow(said, name, relations):
    """Whether the context itself leads on from the person through all the relations."""
    for relation in relations:
        name = said.get(name, {}).get(relation)
    return name in said
