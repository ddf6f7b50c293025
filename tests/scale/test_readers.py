"""Reading one row of a large release reads one row group."""

from __future__ import annotations

import shutil

import pyarrow.parquet as pq
import pytest

from bioreason_bench.release import read
from bioreason_bench.release.read import Release


@pytest.mark.parametrize("config", ["comp_zeroshot", "mem_iid", "biographies", "probes"])
def test_every_row_is_found_by_its_id(tiny_release, config):
    release = Release(tiny_release)
    split = release.splits(config)[-1]
    rows = list(release.rows(config, split))
    for row in (rows[0], rows[len(rows) // 2], rows[-1]):
        assert release.find(row["id"]) == row
    assert release.find("comp-zeroshot-0000-999999") is None


def test_rows_are_those_of_the_file_and_their_row_groups_alone_are_read(
    tiny_release, tmp_path, monkeypatch
):
    release = Release(shutil.copytree(tiny_release, tmp_path / "tiny"))
    (file,) = release.files("comp_zeroshot", "train")
    table = pq.read_table(file)
    small = file.with_name("small.parquet")
    pq.write_table(table, small, row_group_size=100, store_schema=False)
    monkeypatch.setattr(Release, "rows_of", lambda self, file: table.num_rows)
    monkeypatch.setattr(Release, "_arrow_schema", lambda self, file, columns: table.schema)
    taken, read_group = [], pq.ParquetFile.read_row_group
    monkeypatch.setattr(
        pq.ParquetFile, "read_row_group", lambda self, k: (taken.append(k), read_group(self, k))[1]
    )
    wanted = [3, 101, 199, 577]
    assert list(release.rows_in(small, wanted)) == table.take(wanted).to_pylist()
    assert taken == [0, 1, 5]


def test_the_folder_that_an_id_names_is_looked_at_first():
    files = ["data/comp/train-0.parquet", "data/comp/zeroshot/test-0.parquet", "data/probes/t"]
    order = sorted(files, key=lambda file: -read._named("comp-zeroshot-0095-000030", file))
    assert order == [files[1], files[0], files[2]]
