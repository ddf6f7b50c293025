"""What a large world makes on demand is what a small one keeps for everybody."""

from __future__ import annotations

import numpy as np
import pytest

from bioreason_bench.config import load_preset
from bioreason_bench.dataset import make_dataset
from bioreason_bench.draw import Draw
from bioreason_bench.language import biographies
from bioreason_bench.questions import contexts
from bioreason_bench.release.digest import digest_rows
from bioreason_bench.release.shards import make_table
from bioreason_bench.splits import distractors, starts
from bioreason_bench.taxonomy import LEVELS, SKILLS
from bioreason_bench.world import pools
from bioreason_bench.world.facts import make_world
from bioreason_bench.world.relations import CONTEXTUAL, PARAMETRIC


@pytest.mark.parametrize("count", [1, 65_535, 65_536, 65_537])
def test_compact_texts_are_those_of_a_list(count):
    texts = [f"Zoë {k}" for k in range(count)]
    blocks = (texts[k : k + pools.BLOCK] for k in range(0, count, pools.BLOCK))
    compact = pools.CompactTexts(blocks)
    assert len(compact) == count
    assert list(compact) == texts
    assert compact[count // 2 :] == texts[count // 2 :]
    assert compact[-1] == texts[-1]


def test_a_world_with_compact_texts_is_the_same(tiny_world, monkeypatch):
    monkeypatch.setattr(pools, "COMPACT", 100)
    monkeypatch.setattr(pools, "BLOCK", 50)
    compact = make_world(tiny_world.config)
    assert isinstance(compact.names, pools.CompactTexts)
    for kind, texts in tiny_world.texts.items():
        assert list(compact.texts[kind]) == list(texts), kind


@pytest.mark.parametrize("group", [PARAMETRIC, CONTEXTUAL])
def test_sentences_made_for_some_relations_are_those_of_the_whole_biography(tiny_world, group):
    people = np.arange(len(tiny_world.people))
    whole = biographies.sentences(tiny_world, group, people)
    wanted = Draw(3).uniform(len(people) * len(tiny_world.table)) < 0.4
    only = wanted.reshape(len(people), -1) & (tiny_world.steps[:, people].T >= 0)
    some = biographies.sentences(tiny_world, group, people, only=only)
    for part in ("text", "with_pronoun", "joined", "clear"):
        kept = some.text != ""
        assert (getattr(some, part)[kept] == getattr(whole, part)[kept]).all(), part
    assert 0 < (some.text != "").sum() < (whole.text != "").sum()


def test_rows_of_a_world_that_keeps_nothing_for_everybody_are_the_same(monkeypatch):
    """Who leads on, sentences and names on demand; only the drawn order of starts differs."""
    sizes = {f"{skill}.{level}": "12" for skill in SKILLS for level in LEVELS}
    sizes |= {"mem.train": "150", "ctx.train": "150", "comp.train": "220", "comp.rl": "30"}
    sizes |= {"mem.paths": "60", "ctx.paths": "60", "comp.paths": "80"}
    config = load_preset("tiny").override(sizes)
    kept = make_dataset(config)
    files = {shard.file: shard for shard in kept.shards()}
    some = [file for file in files if "/comp/" in file or "/ctx/" in file or "probes" in file]
    expected = {file: digest_rows(_table(kept, files[file])) for file in some}
    monkeypatch.setattr(distractors, "LARGE", 100)
    monkeypatch.setattr(contexts, "LARGE", 100)
    monkeypatch.setattr(pools, "COMPACT", 100)
    monkeypatch.setattr(contexts, "fillers", _fillers_of_small_worlds(monkeypatch))
    large = make_dataset(config)
    assert {file: digest_rows(_table(large, files[file])) for file in some} == expected


def _table(dataset, shard):
    return make_table(shard.kind, dataset.make(shard))


def _fillers_of_small_worlds(monkeypatch):
    """Fillers drawn from those who are ready, as in small worlds."""
    drawn = distractors.fillers

    def fillers(*args):
        with monkeypatch.context() as patch:
            patch.setattr(distractors, "LARGE", 10**9)
            return drawn(*args)

    return fillers


def test_fillers_of_a_large_world_are_ready_and_differ(tiny_world, monkeypatch):
    monkeypatch.setattr(distractors, "LARGE", 100)
    path = tuple(n for n, row in enumerate(tiny_world.table.relations) if row.group == CONTEXTUAL)[
        :1
    ]
    branches = starts.Starts(tiny_world, Draw(1)).branches(path)
    chain = np.arange(40, dtype=np.int32)[:, None]
    drawn = distractors.fillers(branches, chain, 3, Draw(2))
    assert branches.ready[drawn].all()
    assert all(
        len({*row, start}) == 4
        for row, (start,) in zip(drawn.tolist(), chain.tolist(), strict=True)
    )


def test_the_first_starts_of_many_people_are_drawn_without_drawing_for_all(monkeypatch):
    monkeypatch.setattr(starts, "LARGE", 1_000)
    people = 3 * np.arange(5_000)
    few, more = (starts._first_drawn(people, count, Draw(4)) for count in (40, 900))
    assert (more[:40] == few).all()
    assert len(set(more.tolist())) == 900
    assert set(more.tolist()) <= set(people.tolist())
    assert abs(more.mean() / people.mean() - 1) < 0.1
