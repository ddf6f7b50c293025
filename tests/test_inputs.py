"""Reading files from outside: what is refused, and that the reason names the place."""

from __future__ import annotations

import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bioreason_bench import inputs
from bioreason_bench.errors import ReleaseError, UsageError
from bioreason_bench.evaluation.results import read_results
from bioreason_bench.inputs import Unreadable
from bioreason_bench.parquet import open_parquet
from bioreason_bench.release.read import read_batches


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"[" * 100_000, "nested"),
        (b'{"a":' * 60 + b"1" + b"}" * 60, "nested"),
        (b"{", "not JSON"),
        (b'{\n"a": "\xff"}', "line 2 is not UTF-8"),
        (b"9" * 10_000, "not JSON"),
    ],
)
def test_json_that_is_none_is_refused_with_its_place(tmp_path, content, says):
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(Unreadable, match=says):
        inputs.read_json(tmp_path / "x.json")


def test_files_are_refused_by_size_and_kind(tmp_path):
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(inputs.TABLE + 1)
    os.mkfifo(tmp_path / "fifo")
    for path, says in (
        (tmp_path / "huge", "at most 10,000,000 are read"),
        (tmp_path / "fifo", "no regular file"),
        (tmp_path, "a folder"),
    ):
        with pytest.raises(Unreadable, match=says):
            inputs.read_text(path, inputs.TABLE)


def test_yaml_that_grows_by_aliases_is_refused():
    bomb = "a: &a [x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
        for before, name in zip("abcdefghij", "bcdefghijk", strict=True)
    )
    with pytest.raises(Unreadable, match="more than 200,000 values"):
        inputs.parse_yaml(bomb)
    for text in ("5: 6", "a: 2020-01-01", "null: 1"):
        with pytest.raises(Unreadable, match="put it in quotes"):
            inputs.parse_yaml(text)


def test_parquet_that_unpacks_to_gigabytes_is_refused(tmp_path):
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 5_000, pa.int32()), ["x" * 2_000_000])
    path = tmp_path / "bomb.parquet"
    pq.write_table(pa.table({"context": text}), path, compression="zstd", store_schema=False)
    assert path.stat().st_size < 10_000  # and 10 GB in memory
    with pytest.raises(ReleaseError, match="rows of more than 1,000,000 bytes"):
        list(read_batches([path]))
    with pytest.raises(Unreadable), open_parquet(tmp_path):
        pass


def test_batches_hold_the_columns_of_the_schema(tmp_path):
    schema = pa.schema([("a", pa.string())])
    path = tmp_path / "x.parquet"
    bad = pa.StringArray.from_buffers(1, *pa.array([b"\xff"], pa.binary()).buffers()[1:])
    for table, says in (
        (pa.table({"a": [1]}), "column a is int64"),
        (pa.table({"b": ["x"]}), "no column a"),
        (pa.table({"a": ["x", "y"]}), "it has 2 rows"),
        (pa.table({"a": pa.array([None], pa.string())}), "without a value"),
        (pa.table({"a": bad}), "UTF8|utf-8"),
    ):
        pq.write_table(table, path)
        with pytest.raises(ReleaseError, match=says):
            list(read_batches([path], ["a"], schema=schema, total=1))


@pytest.mark.parametrize(
    "line", [b"5", b"[]", b'{"doc": 5}', b"\xff", b"[" * 5_000, b'{"doc": {"grade": null}}']
)
def test_a_log_that_holds_no_answers_is_named_with_its_line(tmp_path, line):
    path = tmp_path / "samples_bioreason_comp_iid_2026-01-01T00-00-00.jsonl"
    path.write_bytes(line + b"\n")
    with pytest.raises(ReleaseError, match="line 1"):
        read_results(tmp_path)


@pytest.mark.parametrize("line", ["null", "[]", '{"type": "result"}', '{"type": 5}', "[" * 5_000])
def test_lines_that_are_no_results_are_refused(tmp_path, line):
    from bioreason_bench.experiments.results import read_lines

    (tmp_path / "results.jsonl").write_text(line)
    with pytest.raises(UsageError, match="line 1"):
        read_lines([tmp_path / "results.jsonl"])
