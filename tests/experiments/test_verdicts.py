"""Every verdict of a study in one file: complete, small, and the same from wherever it is made."""

from __future__ import annotations

import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bioreason_bench.errors import ReleaseError
from bioreason_bench.evaluation.results import read_verdicts
from bioreason_bench.experiments.evidence import read_evidence, write_evidence
from bioreason_bench.experiments.report import make_blocks, make_report
from bioreason_bench.experiments.verdicts import VERDICTS, Key, Verdicts


@pytest.fixture(scope="module")
def committed(study, tmp_path_factory):
    """The two files that are committed of the study."""
    folder = tmp_path_factory.mktemp("committed")
    write_evidence(read_evidence([study]), folder)
    return folder


def test_the_file_holds_what_the_run_folders_hold(study, committed):
    verdicts = Verdicts.read(committed / VERDICTS)
    assert len(verdicts.parts) == 4 * 5 * 5
    path = study / "seed3" / "sft_mem_ctx+grpo" / "2-grpo" / "test" / "comp_zeroshot.jsonl"
    lines = {line["id"]: line for line in read_verdicts(path)}
    part = verdicts.of("sft_mem_ctx+grpo", 3, "comp_zeroshot")
    assert set(part.questions.id) == set(lines)
    for index, name in enumerate(part.questions.id):
        line = lines[name]
        assert part.questions.start[index] == line["start"]
        assert part.questions.unseen[index] == tuple(line["unseen_relations"])
        assert part.questions.first_unseen[index] == line["first_unseen"]
        assert part.questions.pattern[index] == line["pattern"]
        assert part.answer[index] == line["exact_match"]
        assert part.chain[index] == line["process_verified"]
        error = line["first_error"]
        assert part.first_error[index] == (-1 if error is None else error)


def test_the_same_verdicts_give_the_same_bytes_and_arms_share_their_questions(committed, tmp_path):
    verdicts = Verdicts.read(committed / VERDICTS)
    Verdicts(dict(reversed(verdicts.parts.items()))).write(tmp_path / VERDICTS)
    assert (tmp_path / VERDICTS).read_bytes() == (committed / VERDICTS).read_bytes()
    first, second = (verdicts.of(arm, 1, "comp_iid") for arm in ("sft_comp", "sft_mem_ctx"))
    assert first.questions is second.questions
    assert (committed / VERDICTS).stat().st_size < 4 * 6000, "6,000 rows, under 4 bytes each"


def test_the_report_of_the_two_files_is_that_of_the_run_folders(page, committed, tmp_path):
    make_report([committed], tmp_path, log=lambda _: None)
    names = sorted(path.name for path in page.parent.iterdir())
    assert names == sorted(path.name for path in tmp_path.iterdir())
    assert {
        "results.jsonl",
        VERDICTS,
        "report.md",
        "report.html",
        "levels.png",
        "claims.png",
        "passk.png",
    } <= set(names)
    for name in names:
        assert page.with_name(name).read_bytes() == (tmp_path / name).read_bytes(), name


def test_files_written_from_the_files_are_the_same_files(committed, tmp_path):
    write_evidence(read_evidence([committed / "results.jsonl"]), tmp_path)
    for name in ("results.jsonl", VERDICTS):
        assert (tmp_path / name).read_bytes() == (committed / name).read_bytes()


def test_without_verdicts_there_is_a_report_without_what_they_are_needed_for(committed, tmp_path):
    shutil.copy(committed / "results.jsonl", tmp_path)
    text = str(make_blocks(read_evidence([tmp_path]), {}))
    assert "first error at the first unseen relation" not in text
    assert "first error at the first unseen relation" in str(
        make_blocks(read_evidence([committed]), {})
    )


def test_verdicts_that_disagree_with_the_results_are_refused(committed, tmp_path):
    shutil.copytree(committed, tmp_path, dirs_exist_ok=True)
    lines = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    result = next(line for line in lines if line["type"] == "result")
    result["process_verified"] /= 2
    (tmp_path / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(ReleaseError, match="disagree about sft_mem_ctx, seed 1, comp_composition"):
        read_evidence([tmp_path])


def test_verdicts_of_another_run_in_the_folders_are_not_used(study, tmp_path):
    shutil.copytree(study, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "seed1" / "sft_comp" / "1-sft" / "test" / "comp_iid.jsonl"
    lines = [json.loads(line) | {"process_verified": 0.0} for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    verdicts = read_evidence([tmp_path]).verdicts
    assert Key("sft_comp", 1, "comp_iid") not in verdicts.parts
    assert Key("sft_comp", 2, "comp_iid") in verdicts.parts


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("unseen_group", "weird", "unseen_group is 'weird'"),
        ("pattern", "XXX", "pattern is 'XXX'|more or fewer letters"),
        ("pattern", "PPPPPP", "more or fewer letters than hops"),
        ("first_error", 7, "first_error is no hop"),
        ("first_unseen", -2, "first_unseen is no hop"),
        ("id", "twice", "the same id"),
        ("start", None, "start has an empty cell"),
    ],
)
def test_a_broken_file_of_verdicts_gets_one_sentence(committed, tmp_path, column, value, words):
    table = pq.read_table(committed / VERDICTS)
    broken = pa.array([value] * table.num_rows, table.schema.field(column).type)
    index = table.schema.get_field_index(column)
    pq.write_table(table.set_column(index, table.schema.field(column), broken), tmp_path / VERDICTS)
    with pytest.raises(ReleaseError, match=words) as caught:
        Verdicts.read(tmp_path / VERDICTS)
    assert "\n" not in str(caught.value)


def test_what_is_no_file_of_verdicts_gets_one_sentence(tmp_path):
    path = tmp_path / VERDICTS
    for content in (b"", b"PAR1", b"x" * 100):
        path.write_bytes(content)
        with pytest.raises(ReleaseError, match="is no file of verdicts"):
            Verdicts.read(path)
    pq.write_table(pa.table({"arm": ["a"]}), path)
    with pytest.raises(ReleaseError, match="its columns are others"):
        Verdicts.read(path)
    path.unlink()
    with pytest.raises(ReleaseError, match="cannot be read"):
        Verdicts.read(path)
    Verdicts().write(path)
    assert Verdicts.read(path).parts == {}
