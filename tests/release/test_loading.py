"""`load` makes the rows of the release on demand; `graph` has an edge for each of its facts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import networkx as nx
import pytest

import bioreason_bench
from bioreason_bench.config import load_preset
from bioreason_bench.errors import ReleaseError, UsageError
from bioreason_bench.release.cache import Cache, cache_folder
from bioreason_bench.release.digest import digest_rows
from bioreason_bench.release.read import Release


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


# load ---------------------------------------------------------------------------------------------


def test_every_file_in_the_cache_has_the_digest_of_the_published_one(tiny_release, cache):
    manifest = Release(tiny_release).manifest
    made = Cache(load_preset("tiny"), cache)
    assert made.configs() == manifest["configs"]
    for file, path in zip(manifest["files"], made.make(list(manifest["files"])), strict=True):
        assert (
            json.loads(path.with_suffix(".json").read_text())["rows"]
            == manifest["files"][file]["digest"]
        )


@pytest.mark.parametrize(
    "config", ["comp_zeroshot", "mem_depth", "comp_rl", "biographies", "probes", "relations"]
)
def test_a_loaded_config_holds_the_rows_of_the_release_in_order(tiny_release, cache, config):
    release = Release(tiny_release)
    got = bioreason_bench.load("tiny", config, cache_dir=cache)
    assert list(got) == release.splits(config)
    for split, rows in got.items():
        assert digest_rows(rows.data.table) == digest_rows(release.table(config, split))


def test_only_the_splits_that_are_asked_for_are_made(tmp_path):
    got = bioreason_bench.load("tiny", "comp_zeroshot", seed=5, cache_dir=tmp_path, splits="test")
    assert list(got) == ["test"] and got["test"].num_rows == 40
    assert [path.name for path in tmp_path.rglob("*.parquet")] == ["test-00000-of-00001.parquet"]


def test_files_in_the_cache_are_loaded_without_making_the_data_set(cache, monkeypatch):
    from bioreason_bench import dataset

    bioreason_bench.load("tiny", "ctx_iid", cache_dir=cache)
    monkeypatch.setattr(dataset, "make_dataset", None)
    assert bioreason_bench.load("tiny", "ctx_iid", cache_dir=cache)["test"].num_rows == 40


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-9]),
        lambda path: path.with_suffix(".json").unlink(),
    ],
)
def test_a_damaged_file_in_the_cache_is_made_again(cache, damage):
    made = Cache(load_preset("tiny"), cache)
    [path] = made.files("mem/iid", "test")
    whole = path.read_bytes()
    damage(path)
    assert made.files("mem/iid", "test") == [path] and path.read_bytes() == whole


def test_an_edited_arrow_copy_is_made_again(tmp_path):
    """`datasets` believes its copies; it must not return an answer that somebody wrote there."""

    def answers() -> list[str]:
        loaded = bioreason_bench.load("tiny", "mem_iid", cache_dir=tmp_path, splits="test")
        return loaded["test"]["answer"][:]

    whole = answers()
    [copy] = tmp_path.rglob("parquet-*.arrow")
    written, old = copy.stat().st_mtime_ns, whole[0].encode()
    assert answers() == whole and copy.stat().st_mtime_ns == written
    copy.write_bytes(copy.read_bytes().replace(old, b"x" * len(old)))
    assert answers() == whole
    copy.write_bytes(b"")
    assert answers() == whole


def test_another_seed_or_setting_is_another_world(cache):
    first = bioreason_bench.load("tiny", "mem_iid", cache_dir=cache, splits=["test"])["test"]
    other = bioreason_bench.load("tiny", "mem_iid", seed=7, cache_dir=cache, splits=["test"])[
        "test"
    ]
    more = bioreason_bench.load(
        "tiny",
        "mem_iid",
        cache_dir=cache,
        overrides={"mem.iid": 60, "hops": {"2": 1}},
        splits=["test"],
    )["test"]
    assert set(first["question"]).isdisjoint(other["question"])
    assert more.num_rows == 60 and set(more["hops"]) == {2}


def test_the_first_rows_of_a_split_are_those_of_the_whole(tiny_release, cache):
    made = Cache(load_preset("tiny").override({"comp.train": "600"}), cache)
    [path] = made.files("comp", "train", first=20)
    import pyarrow.parquet as pq

    few, whole = (
        pq.read_table(path)["id"].to_pylist(),
        Release(tiny_release).table("comp_iid", "train")["id"].to_pylist(),
    )
    assert 20 <= len(few) < 100 and few == whole[: len(few)]


def test_processes_that_load_at_the_same_time_get_the_same_rows(tmp_path):
    program = (
        "import sys, bioreason_bench as b\n"
        "loaded = b.load('tiny', 'comp_iid', seed=3, cache_dir=sys.argv[1])\n"
        "print(loaded['train']['id'][-1])"
    )
    words = [sys.executable, "-c", program, str(tmp_path)]
    running = [
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    done = [process.communicate(timeout=300) for process in running]
    assert all(process.returncode == 0 for process in running), done
    assert len({out for out, _ in done}) == 1 and done[0][0].strip()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"preset": "tini"}, "did you mean 'tiny'"),
        ({"config": "comp_zero"}, "did you mean 'comp_zeroshot'"),
        ({"splits": ["tests"]}, "did you mean 'test'"),
        ({"overrides": {"comp.trane": 3}}, "no field 'trane'"),
    ],
)
def test_a_wrong_name_gets_the_right_one(cache, options, says):
    with pytest.raises(UsageError, match=says):
        bioreason_bench.load(**{"preset": "tiny", "cache_dir": cache, **options})


def test_an_error_about_the_cache_names_the_variable_to_set(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="set BIOREASON_CACHE"):
        bioreason_bench.load("tiny", "comp_iid", cache_dir=tmp_path / "file")


def test_the_cache_lies_where_the_user_or_the_platform_says(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "bioreason"
    monkeypatch.setenv("BIOREASON_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"


def test_pandas_users_get_plain_columns(cache):
    frame = bioreason_bench.load("tiny", "people", cache_dir=cache)["train"].to_pandas()
    assert list(frame.columns) == ["name", "known", "in_context", "heldout_wordings"]
    assert frame["known"].sum() == 120


# graph --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def world(tiny_release: Path) -> nx.MultiDiGraph:
    return bioreason_bench.graph(tiny_release)


def test_every_fact_is_one_edge_and_every_person_a_node(tiny_release, world):
    release = Release(tiny_release)
    facts = list(release.rows("facts", "train"))
    assert world.number_of_edges() == len(facts)
    for fact in facts:
        held = [
            target for target, keys in world[fact["subject"]].items() if fact["relation"] in keys
        ]
        assert [world.nodes[target]["label"] for target in held] == [fact["object"]]
        assert world[fact["subject"]][held[0]][fact["relation"]]["group"] == fact["group"]
    people = {name for name, kind in world.nodes(data="kind") if kind == "person"}
    assert people == {row["name"] for row in release.rows("people", "train")}


def test_the_biography_named_by_an_edge_states_its_fact(tiny_release, world):
    texts = {
        row["id"]: row["text"]
        for group in ("parametric", "contextual")
        for row in Release(tiny_release).rows("biographies", group)
    }
    for subject, target, edge in world.edges(data=True):
        assert world.nodes[target]["label"] in texts[edge["biography"]]
        assert world.nodes[subject][edge["group"]] == texts[edge["biography"]]


def test_a_symmetric_relation_leads_back(tiny_release, world):
    rows = Release(tiny_release).rows("relations", "train")
    mirror = {row["name"]: row["inverse"] for row in rows if row["inverse"]}
    known = {
        (row["name"], group)
        for row in Release(tiny_release).rows("people", "train")
        for group in ("known", "in_context")
        if row[group]
    }
    groups = {"parametric": "known", "contextual": "in_context"}
    group_of = {
        row["name"]: groups[row["group"]]
        for row in Release(tiny_release).rows("relations", "train")
    }
    for subject, target, relation in world.edges(keys=True):
        if relation in mirror and (target, group_of[mirror[relation]]) in known:
            assert mirror[relation] in world[target].get(subject, {}), (subject, relation, target)


def test_graphml_keeps_every_node_edge_and_attribute(world, tmp_path):
    nx.write_graphml(world, tmp_path / "world.graphml")
    again = nx.read_graphml(tmp_path / "world.graphml")
    assert dict(again.nodes(data=True)) == dict(world.nodes(data=True))
    assert sorted(again.edges(keys=True)) == sorted(world.edges(keys=True))
    assert all(again.edges[edge] == world.edges[edge] for edge in world.edges(keys=True))


def test_a_graph_without_its_texts_is_light(tiny_release, world):
    light = bioreason_bench.graph(tiny_release, biographies=False)
    assert set(light.edges(keys=True)) == set(world.edges(keys=True))
    assert not any("parametric" in data for _, data in light.nodes(data=True))


def test_a_folder_that_is_no_release_is_named(tmp_path):
    with pytest.raises(ReleaseError, match="not a complete release"):
        bioreason_bench.graph(tmp_path)
