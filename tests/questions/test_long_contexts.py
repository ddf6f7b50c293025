"""`context_tokens` fills the contexts of the levels up, and changes nothing else."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from bioreason_bench.config import load_preset
from bioreason_bench.dataset import make_dataset
from bioreason_bench.errors import UsageError
from bioreason_bench.lengths import parse_lengths, tokens_in
from bioreason_bench.release.read import Release
from bioreason_bench.release.shards import make_table

LEVELS = ("iid", "zeroshot")


@pytest.fixture(scope="module")
def long(long_release):
    return make_dataset(Release(long_release).config)


@pytest.fixture(scope="module")
def short(long):
    return make_dataset(dataclasses.replace(long.config, context_tokens=""))


def rows_of(dataset, folder, split="test"):
    shard = next(
        shard for shard in dataset.shards() if (shard.folder, shard.split) == (folder, split)
    )
    return make_table(shard.kind, dataset.make(shard)).to_pylist()


def pairs(long, short):
    """Each question of the levels with its long and with its short context."""
    for skill in ("ctx", "comp"):
        for level in LEVELS:
            folder = f"{skill}/{level}"
            yield from zip(rows_of(long, folder), rows_of(short, folder), strict=True)


def test_only_the_contexts_of_levels_are_filled(long, short):
    for shard in short.shards():
        if shard.kind not in {"question", "probe", "counterfactual", "conflict"}:
            continue
        if shard.folder.endswith("_openbook"):  # there are none with long contexts
            continue
        one, other = long.make(shard), short.make(shard)
        different = {name for name in other if one[name] != other[name]}
        filled = shard.folder in {
            f"{skill}/{level}" for skill in ("ctx", "comp") for level in LEVELS
        }
        assert different == ({"context", "context_people", "support"} if filled else set()), (
            shard.file
        )


def test_a_filled_context_has_a_length_that_was_asked_for(long, short):
    lengths = [tokens_in(row["context"]) for row, _ in pairs(long, short)]
    nearest = [min((4000, 8000), key=lambda one: abs(one - length)) for length in lengths]
    errors = np.array(lengths) / nearest - 1
    assert errors.min() > -0.05 and errors.max() < 0.01
    assert 0.3 < np.mean(np.array(nearest) == 8000) < 0.7


def test_the_lines_of_the_short_context_stand_between_those_of_bystanders(long, short):
    for row, other in pairs(long, short):
        lines = row["context"].split("\n")
        assert set(other["context"].split("\n")) < set(lines)
        assert len(lines) == len(row["context_people"]) == len(set(row["context_people"]))


def test_nobody_whom_a_line_leads_to_is_a_bystander(long, short):
    """Else the context would tell who is not meant: the answer itself never stands there."""
    world = long.world
    number = {name: person for person, name in enumerate(world.names)}
    for row, other in pairs(long, short):
        path = [world.table.number(name) for name in row["path"]]
        there = {number[name] for name in row["context_people"]}
        bystanders = there - {number[name] for name in other["context_people"]}
        for name in row["entities"][: world.table.people_on(tuple(path))]:
            assert number[name] not in bystanders
        last_read = row["pattern"].rindex("C")
        if row["pattern"] == "P" * last_read + "C" and world.table[path[-1]].to_person:
            for name in other["context_people"]:
                assert world.steps[path[-1], number[name]] not in bystanders


def test_contexts_in_symbols_count_words():
    few = {"mem.train": "600", "ctx.train": "600", "comp.train": "1200", "comp.rl": "100"}
    dataset = make_dataset(load_preset("nano").override({**few, "context_tokens": "2000"}))
    for row in rows_of(dataset, "ctx/iid"):
        assert 1900 < len(row["context"].split()) <= 2000


def test_files_of_long_contexts_have_few_rows():
    sizes = {"ctx.iid": "800", "context_tokens": "128k"}
    dataset = make_dataset(load_preset("long").override(sizes))
    shards = [shard for shard in dataset.shards() if shard.folder == "ctx/iid"]
    assert sum(shard.rows for shard in shards if shard.split == "test") == 800
    assert max(shard.rows for shard in shards) * 128_000 * 3.5 < 150_000_000


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("many", "must be lengths in tokens, such as 16k"),
        ("4k..", "must be lengths in tokens"),
        ("8k..4k", "from a shorter to a longer"),
        ("100", "a length is 1,000 to 200,000 tokens"),
        ("1000k", "a length is 1,000 to 200,000 tokens"),
        (",".join(str(1000 + number) for number in range(101)), "at most 100"),
        ("64k", "raise known or novel, or lower context_tokens"),
    ],
)
def test_lengths_that_cannot_be_are_refused(text, says):
    with pytest.raises(UsageError, match="context_tokens") as error:
        load_preset("tiny").override({"context_tokens": text})
    assert says in str(error.value) and len(str(error.value)) < 1500


def test_a_world_with_too_few_people_who_state_what_is_asked_says_so():
    few = {"context_tokens": "12k", "levels": '["iid"]'}
    dataset = make_dataset(load_preset("tiny").override(few))
    with pytest.raises(UsageError, match="raise known or novel"):
        rows_of(dataset, "ctx/iid")


def test_a_range_has_as_many_lengths_in_each_octave():
    lengths = np.array(parse_lengths("4k..128k"))
    counts = np.histogram(np.log2(lengths / 4000), bins=5, range=(0, 5))[0]
    assert lengths[0] == 4000 and lengths[-1] == 128_000
    assert counts.max() - counts.min() <= 2
