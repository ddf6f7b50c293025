"""A release: layout, files, manifest, digests, and reading it back."""

from __future__ import annotations

import json
import shutil
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bioreason_bench.config import load_preset
from bioreason_bench.errors import ReleaseError, UsageError
from bioreason_bench.release import shards
from bioreason_bench.release.digest import digest_rows
from bioreason_bench.release.manifest import CANARY, read_manifest
from bioreason_bench.release.read import Release
from bioreason_bench.release.shards import configs_of, make_table, write_shard
from bioreason_bench.schema import ROWS, arrow_schema, columns, validator
from bioreason_bench.taxonomy import OPEN_BOOK, OPEN_BOOK_SKILLS

LEVELS = ("iid", "composition", "zeroshot", "entity", "depth")
OPEN_BOOKS = tuple(f"{skill}_{level}_{OPEN_BOOK}" for skill in OPEN_BOOK_SKILLS for level in LEVELS)
FURTHER = (
    "ctx_unanswerable",
    "comp_unanswerable",
    "comp_counterfactual",
    "comp_conflict",
    "mem_direction",
)  # test questions of another kind


@pytest.fixture(scope="module")
def release(tiny_release):
    return Release(tiny_release)


def test_a_release_holds_the_layout_that_is_promised(tiny_release):
    """All folders exist, and data/ holds the manifest's files and nothing else."""
    folders = {
        path.parent.relative_to(tiny_release).as_posix() for path in tiny_release.rglob("*.parquet")
    }
    skills = ("mem", "ctx", "comp")
    expected = {
        f"data/{name}"
        for name in ("relations", "people", "facts", "paths", "biographies", "probes", *skills)
    }
    assert folders == expected | {
        f"data/{skill}/{level}" for skill in skills for level in LEVELS
    } | {f"data/{name.replace('_', '/', 1)}" for name in FURTHER + OPEN_BOOKS}
    there = {
        path.relative_to(tiny_release).as_posix()
        for path in (tiny_release / "data").rglob("*")
        if path.is_file()
    }
    assert there == set(read_manifest(tiny_release)["files"])
    assert {"README.md", "manifest.json"} <= {path.name for path in tiny_release.iterdir()}
    assert not list(tiny_release.rglob(".*")), "a leftover of the writing"


def test_configs_are_those_of_the_hub_and_share_the_training_files(release):
    names = [f"{skill}_{level}" for skill in ("mem", "ctx", "comp") for level in LEVELS]
    assert set(release.configs()) == {
        *names,
        *FURTHER,
        *OPEN_BOOKS,
        "comp_rl",
        "biographies",
        "facts",
        "people",
        "relations",
        "paths",
        "probes",
    }
    for name in names:
        assert release.splits(name) == ["train", "validation", "test"]
        assert release.files(name, "train") == release.files(f"{name.split('_')[0]}_iid", "train")
    assert release.splits("comp_rl") == ["train"]
    assert release.splits("probes") == ["test"]
    assert set(release.splits("biographies")) == {"parametric", "contextual"}
    assert set(release.question_configs()) == {*names, *OPEN_BOOKS, "comp_rl"}
    for name in OPEN_BOOKS:
        assert release.splits(name) == ["validation", "test"]


def test_configs_take_whatever_level_there_is():
    """A kind of questions beyond the levels does not share the training files."""
    files = [
        f"data/comp/{split}-00000-of-00001.parquet"
        for split in ("train", "iid/test", "iid/validation", "counterfactual/test")
    ]
    assert configs_of(files) == {
        "comp_iid": {"train": [files[0]], "validation": [files[2]], "test": [files[1]]},
        "comp_counterfactual": {"test": [files[3]]},
    }
    with pytest.raises(ReleaseError, match="remove it"):
        configs_of(["data/comp/notes.txt"])


def test_every_file_has_the_columns_of_its_schema_and_no_metadata_but_the_canary(release):
    for name, entry in release.manifest["files"].items():
        with pq.ParquetFile(release.path / name) as parquet:
            assert parquet.schema_arrow.equals(arrow_schema(entry["schema"])), name
            assert parquet.schema_arrow.metadata == {b"canary": CANARY.encode()}, name
            assert parquet.metadata.num_rows == entry["rows"]
            group = parquet.metadata.row_group(0)
            assert group.column(0).has_offset_index and group.column(0).has_column_index
            assert {group.column(k).compression for k in range(group.num_columns)} == {"ZSTD"}


def test_every_row_matches_its_json_schema(release):
    for name, entry in release.manifest["files"].items():
        check = validator(entry["schema"])
        for row in release.read(release.path / name).to_pylist()[:60]:
            check.validate(row)


@pytest.mark.parametrize("name", ROWS)
def test_a_schema_refuses_what_is_no_row_of_it(name, release):
    """A missing, a superfluous and a retyped column are each refused: the schemas can fail."""
    file = next(
        file for file, entry in release.manifest["files"].items() if entry["schema"] == name
    )
    row, check = release.read(release.path / file).slice(0, 1).to_pylist()[0], validator(name)
    assert check.is_valid(row)
    assert not check.is_valid(row | {"extra": 1})
    for column in columns(name):
        assert not check.is_valid({key: value for key, value in row.items() if key != column}), (
            column
        )
        assert not check.is_valid(row | {column: 1.5}), column


def test_the_manifest_says_what_was_made(release, tiny_release):
    manifest = release.manifest
    assert manifest["canary"] == CANARY
    assert (manifest["preset"], manifest["seed"], manifest["license"]) == ("tiny", 42, "CC-BY-4.0")
    assert release.config == load_preset("tiny")
    assert len(release.relations) == 39
    assert CANARY in (tiny_release / "README.md").read_text(encoding="utf-8")


def test_digests_are_those_of_the_rows(release):
    for name, entry in release.manifest["files"].items():
        assert digest_rows(release.read(release.path / name)) == entry["digest"], name


def test_ids_are_unique_in_the_whole_release(release):
    """The questions set aside for RL are in no other file."""
    ids = Counter()
    for name, entry in release.manifest["files"].items():
        if "id" in columns(entry["schema"]):
            ids.update(release.read(release.path / name, ["id"])["id"].to_pylist())
    assert [name for name, count in ids.items() if count > 1] == []
    assert release.count("comp_rl", "train") == 100


def test_rows_come_in_order_and_in_batches(release):
    table = pa.Table.from_batches(release.batches("comp_iid", "train", rows=50))
    assert table.num_rows == release.count("comp_iid", "train") == 600
    assert [row["id"] for row in release.rows("comp_iid", "train", ["id"])] == table[
        "id"
    ].to_pylist()


def test_a_config_or_split_that_is_not_there_is_named_with_a_suggestion(release):
    with pytest.raises(UsageError, match="did you mean 'comp_zeroshot'"):
        release.files("comp_zeroshoot", "test")
    with pytest.raises(UsageError, match="it has train, validation, test"):
        release.files("comp_iid", "dev")


def test_a_folder_without_a_release_is_refused(tmp_path, tiny_release):
    with pytest.raises(UsageError, match="there is no folder"):
        Release(tmp_path / "nowhere")
    with pytest.raises(ReleaseError, match=r"has no manifest\.json"):
        Release(tmp_path)
    manifest = json.loads((tiny_release / "manifest.json").read_text(encoding="utf-8"))
    for text, reason in (
        ("{", "cannot be read"),
        ("{}", "broken at its top level"),
        (json.dumps(manifest | {"seed": "x"}), "broken at seed"),
    ):
        (tmp_path / "manifest.json").write_text(text, encoding="utf-8")
        with pytest.raises(ReleaseError, match=reason):
            Release(tmp_path)


def test_a_missing_or_cut_file_is_named(tmp_path, tiny_release):
    shutil.copytree(tiny_release, tmp_path / "copy")
    release = Release(tmp_path / "copy")
    gone, cut = release.files("facts", "train")[0], release.files("people", "train")[0]
    gone.unlink()
    cut.write_bytes(cut.read_bytes()[:200])
    with pytest.raises(ReleaseError, match=rf"{gone.name} is missing"):
        release.table("facts")
    with pytest.raises(ReleaseError, match=rf"{cut.name} is broken"):
        release.table("people")


def test_arrow_types_follow_from_the_json_schema():
    kinds = {str(field.type) for name in ROWS for field in arrow_schema(name)}
    lists = {"list<element: string>", "list<element: int32>"}
    assert kinds == {"string", "bool", "int32", *lists}


# the digest ---------------------------------------------------------------------------------------

ROW = {
    "name": ["Ann", "", "Zoë"],
    "known": [True, False, True],
    "in_context": [False, False, True],
    "heldout_wordings": [False, False, False],
}


def test_the_digest_ignores_chunks_slices_and_offset_widths():
    table = make_table("person", ROW)
    doubled = pa.concat_tables([table, table])
    wide = table.set_column(0, "name", table["name"].cast(pa.large_string()))
    same = [
        pa.concat_tables([table.slice(0, 1), table.slice(1)]),
        doubled.slice(3),
        doubled.combine_chunks().slice(3),
        wide,
    ]
    assert {digest_rows(other) for other in same} == {digest_rows(table)}


@pytest.mark.parametrize(
    "change",
    [
        {"name": ["Ann", "Zoë", ""]},  # another order
        {"name": ["An", "n", "Zoë"]},  # cut elsewhere
        {"known": [True, True, True]},
    ],
)
def test_the_digest_notices_every_change(change):
    assert digest_rows(make_table("person", ROW | change)) != digest_rows(make_table("person", ROW))


def test_the_digest_tells_lists_from_their_flattened_texts():
    lists = [[["a", "b"], ["c"]], [["a"], ["b", "c"]], [["a", "b", "c"], []], [["ab"], ["c"]]]
    assert (
        len(
            {
                digest_rows(pa.table({"x": pa.array(values, pa.list_(pa.string()))}))
                for values in lists
            }
        )
        == 4
    )


def test_the_digest_refuses_what_no_row_holds():
    for column, reason in ((pa.array(["a", None]), "missing"), (pa.array([1.5, 2.0]), "type")):
        with pytest.raises(ReleaseError, match=reason):
            digest_rows(pa.table({"x": column}))


def test_the_digest_is_what_its_documentation_says():
    """Computed here from the description, so that it cannot change unnoticed."""
    import hashlib

    def sha(data):
        return hashlib.sha256(data).digest()

    def numbers(values, kind="<u4"):
        return sha(np.array(values, kind).tobytes())

    by_hand = hashlib.sha256(b"t\0string\0" + numbers([3, 4]) + sha("AnnZoë".encode()))
    by_hand.update(b"n\0int32\0" + numbers([1, -2], "<i4"))
    by_hand.update(b"l\0list<string>\0" + numbers([2, 0]) + numbers([1, 2]) + sha(b"abc"))
    by_hand.update(b"b\0bool\0" + sha(b"\x01\x00"))
    lists = pa.array([["a", "bc"], []], pa.list_(pa.string()))
    table = pa.table(
        {"t": ["Ann", "Zoë"], "n": pa.array([1, -2], pa.int32()), "l": lists, "b": [True, False]}
    )
    assert digest_rows(table) == f"sha256:{by_hand.hexdigest()}"


def test_writing_leaves_the_whole_file_or_none(tmp_path, monkeypatch):
    def break_off(*_, **__):
        raise OSError(28, "No space left on device")

    (tmp_path / "data" / "people").mkdir(parents=True)
    monkeypatch.setattr(pq.ParquetWriter, "write_table", break_off)
    with pytest.raises(OSError, match="No space"):
        write_shard(tmp_path, "data/people/train-00000-of-00001.parquet", "person", ROW)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_texts_behind_two_gigabytes_of_others_are_written():
    """A cast to strings with 32-bit offsets refuses such a slice, however short it is."""
    ends = 2**31 + 3 * np.arange(4)
    data = np.zeros(2**31 + 9, np.uint8)  # nothing of it is in memory until it is touched
    data[2**31 :] = np.frombuffer(b"onetwosix", np.uint8)
    late = pa.LargeStringArray.from_buffers(3, pa.py_buffer(ends), pa.py_buffer(data))
    table = make_table("person", ROW | {"name": late})
    assert table["name"].to_pylist() == ["one", "two", "six"]
    assert digest_rows(table) == digest_rows(make_table("person", ROW | {"name": late.to_pylist()}))


def test_a_row_group_of_more_than_two_gigabytes_is_divided(monkeypatch):
    monkeypatch.setattr(shards, "LARGEST", 10)
    names = pa.array(["Ann Lee", "Bo", "Cy Young"], pa.large_string())
    table = make_table("person", ROW | {"name": names})
    assert table["name"].num_chunks > 1
    assert digest_rows(table) == digest_rows(
        make_table("person", ROW | {"name": names.to_pylist()})
    )


def test_a_file_is_the_same_rows_whatever_the_size_of_its_row_groups(tmp_path, monkeypatch):
    (tmp_path / "data" / "people").mkdir(parents=True)
    one = write_shard(tmp_path, "data/people/train-00000-of-00001.parquet", "person", ROW)
    monkeypatch.setattr(shards, "ROW_GROUP", 2)
    two = write_shard(tmp_path, "data/people/train-00000-of-00001.parquet", "person", ROW)
    assert one == two
    assert one.digest == digest_rows(make_table("person", ROW))
    assert pq.ParquetFile(tmp_path / one.file).num_row_groups == 2
    nobody = {name: [] for name in ROW}
    empty = write_shard(tmp_path, "data/people/train-00000-of-00001.parquet", "person", nobody)
    assert (empty.rows, empty.digest) == (0, digest_rows(make_table("person", nobody)))
