"""show and stats: what people and programs learn about a release."""

from __future__ import annotations

import json
import struct

import pytest

from bioreason_bench.language.reader import Reader
from bioreason_bench.release.hops import find_hops, recalled_biographies, source_in_words
from bioreason_bench.release.read import Release

CONFIGS = (
    "mem_iid",
    "ctx_zeroshot",
    "comp_zeroshot",
    "comp_depth",
    "comp_rl",
    "probes",
    "comp_iid_openbook",
)


@pytest.fixture(scope="module", params=["tiny_release", "nano_release"])
def release(request) -> Release:
    return Release(request.getfixturevalue(request.param))


@pytest.mark.parametrize("config", CONFIGS)
def test_every_hop_is_found_in_its_source(release, config):
    """A recalled hop is quoted from a parametric biography, a read hop from the context."""
    if config not in release.configs():
        pytest.skip("this preset has no such level")
    rows = list(release.rows(config, "test" if "test" in release.splits(config) else "train"))[:60]
    reader, recalled = (
        Reader(release.relations, release.config.language),
        recalled_biographies(release, rows),
    )
    for row in rows:
        lines = row["context"].split("\n")
        for letter, hop in zip(row["pattern"], find_hops(row, reader, recalled), strict=True):
            assert hop.recalled == (letter == "P" and not config.endswith("_openbook"))
            assert hop.text, (row["id"], hop)
            assert reader.sentence(hop.text) == (hop.subject, hop.relation, hop.object)
            if not hop.recalled:
                assert row["context_people"][hop.biography - 1] == hop.subject
                assert (
                    reader.biography_sentences(lines[hop.biography - 1])[hop.sentence - 1]
                    == hop.text
                )
            else:
                assert hop.biography is None
                assert hop.text in reader.biography_sentences(recalled[hop.subject])


def test_what_an_open_book_leaves_out_is_said_to_be_stated_nowhere(tiny_release):
    release = Release(tiny_release)
    reader = Reader(release.relations)
    for row in release.rows("comp_unanswerable", "test"):
        *before, last = find_hops(row, reader)
        assert all(hop.biography for hop in before)
        words = source_in_words(last, len(row["context_people"]))
        assert (words == "not stated in the context") == (not row["answerable"])


def test_show_marks_each_hop_and_json_says_the_same(cli, tiny_release):
    text, rows = (
        cli("show", tiny_release, "comp_zeroshot", "-n", "4").stdout,
        cli("show", tiny_release, "comp_zeroshot", "-n", "4", "--json").stdout,
    )
    rows = [json.loads(line) for line in rows.splitlines()]
    assert len(rows) == 4
    for row in rows:
        assert [step["source"] for step in row["steps"]] == [
            "weights" if letter == "P" else "context" for letter in row["pattern"]
        ]
        assert row["id"] in text
    assert text.count("RECALL") == sum(row["pattern"].count("P") for row in rows)
    assert text.count("READ") == sum(row["pattern"].count("C") for row in rows)


def test_show_finds_any_id(cli, tiny_release):
    release = Release(tiny_release)
    for config, split in (
        ("comp_iid", "train"),
        ("mem_depth", "validation"),
        ("probes", "test"),
        ("comp_conflict", "test"),
        ("biographies", "contextual"),
    ):
        wanted = list(release.rows(config, split))[-1]
        row = json.loads(cli("show", tiny_release, "--id", wanted["id"], "--json").stdout)
        assert {name: row[name] for name in wanted} == wanted
    done = cli("show", tiny_release, "--id", "comp-none")
    assert done.exit_code == 2
    assert "no question, probe or biography with the id 'comp-none'" in done.stderr


@pytest.mark.parametrize(
    ("config", "column"), [("comp_counterfactual", "changed"), ("comp_conflict", "conflicting")]
)
def test_show_prints_both_objects_of_a_changed_fact(cli, tiny_release, config, column):
    row = next(Release(tiny_release).rows(config, "test"))
    subject, relation, stated, other = row[column]
    text = " ".join(cli("show", tiny_release, "--id", row["id"]).stdout.split())
    assert f"{column} {subject}'s {relation.replace('_', ' ')}: {stated} → {other}" in text


def test_show_takes_its_rows_from_the_whole_split(cli, tiny_release):
    ids = [
        json.loads(line)["id"]
        for line in cli(
            "show", tiny_release, "comp_iid", "--split", "train", "-n", "600", "--json"
        ).stdout.splitlines()
    ]
    assert ids == [row["id"] for row in Release(tiny_release).rows("comp_iid", "train", ["id"])]
    assert (
        len(cli("show", tiny_release, "comp_iid", "-n", "9999", "--json").stdout.splitlines()) == 40
    )


@pytest.mark.parametrize("config", ["people", "facts", "relations", "paths", "biographies"])
def test_show_prints_tables_too(cli, tiny_release, config):
    assert cli("show", tiny_release, config, "-n", "2").exit_code == 0
    assert len(cli("show", tiny_release, config, "-n", "2", "--json").stdout.splitlines()) == 2


def test_the_whole_context_is_shown_with_the_sentences_that_matter_in_brackets(cli, tiny_release):
    row = next(
        row for row in Release(tiny_release).rows("comp_iid", "test") if row["pattern"] == "CP"
    )
    text = " ".join(cli("show", tiny_release, "--id", row["id"], "--context").stdout.split())
    assert text.count("[1: ") == 1
    for person in row["context_people"]:
        assert person in text


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_the_chain_is_drawn(cli, tiny_release, tmp_path, suffix):
    pytest.importorskip("matplotlib")
    file = tmp_path / "new" / f"chain{suffix}"
    assert cli("show", tiny_release, "comp_depth", "-n", "1", "--plot", file).exit_code == 0
    data = file.read_bytes()
    if suffix == ".png":
        width, height = struct.unpack(">II", data[16:24])
        assert width > 2 * height > 600
    elif suffix == ".svg":
        assert b"<svg" in data


def test_the_graph_has_the_hops_of_the_question(tiny_release):
    pytest.importorskip("matplotlib")
    from bioreason_bench.commands.chain import chain_graph

    release = Release(tiny_release)
    row = next(row for row in release.rows("comp_iid", "test") if row["pattern"] in ("CP", "PC"))
    hops = find_hops(row, Reader(release.relations))
    graph = chain_graph(row, hops)
    steps = sorted(
        (a[1], data["text"], data["recalled"])
        for a, b, data in graph.edges(data=True)
        if "recalled" in data
    )
    assert steps == [
        (k, name.replace("_", " "), letter == "P")
        for k, (name, letter) in enumerate(zip(row["path"], row["pattern"], strict=True))
    ]
    read = next(hop for hop in hops if not hop.recalled)
    assert graph.nodes["context", read.biography]["used"]
    assert sum(data.get("used", False) for _, data in graph.nodes(data=True)) == 1


@pytest.mark.parametrize(
    ("words", "fragment"),
    [
        (["--plot", "x.gif"], ".png, .svg or .pdf"),
        (["people", "--plot", "x.png"], "--plot draws questions"),
    ],
)
def test_what_cannot_be_drawn_is_refused(cli, tiny_release, tmp_path, monkeypatch, words, fragment):
    monkeypatch.chdir(tmp_path)
    done = cli("show", tiny_release, *words)
    assert done.exit_code == 2
    assert fragment in done.stderr


def test_stats_counts_the_rows_of_the_release(cli, tiny_release):
    release = Release(tiny_release)
    statistics = json.loads(cli("stats", tiny_release, "--json").stdout)
    for config in release.configs():
        assert statistics["rows"][config] == {
            split: release.count(config, split) for split in release.splits(config)
        }
    counts = statistics["questions"]["comp/zeroshot/test"]
    rows = list(release.rows("comp_zeroshot", "test"))
    assert (
        counts["rows"]
        == len(rows)
        == sum(counts["pattern"].values())
        == sum(counts["hops"].values())
    )
    assert counts["hops"]["2"] == sum(row["hops"] == 2 for row in rows)
    assert counts["context_people"] == round(
        sum(len(row["context_people"]) for row in rows) / len(rows), 2
    )
    assert statistics["questions"]["mem/iid/test"]["tokenish"]["context"]["max"] == 0


def test_chance_levels_follow_from_the_facts(cli, tiny_release):
    chances = json.loads(cli("stats", tiny_release, "--json").stdout)["chance"]
    facts = Release(tiny_release).table("facts").to_pylist()
    for name, row in chances.items():
        values = [fact["object"] for fact in facts if fact["relation"] == name]
        assert row["objects"] == len(set(values))
        assert row["uniform"] == pytest.approx(1 / len(set(values)))
        assert row["majority"] == pytest.approx(max(map(values.count, set(values))) / len(values))
    text = cli("stats", tiny_release).stdout
    for name in chances:
        assert name in text
