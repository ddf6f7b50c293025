"""The audit passes nothing that was changed after the generator wrote it."""

from __future__ import annotations

from pathlib import Path

import pytest
from broken_release import ReleaseCopy
from corruptions import ANY_ROW, CORRUPTIONS, Corruption

from bioreason_bench.audit.catalogue import LAWS
from bioreason_bench.audit.laws.card import check_card
from bioreason_bench.audit.laws.settings import check_config
from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.reading import files
from bioreason_bench.audit.reading.files import check_folder, open_file
from bioreason_bench.audit.verify import verify
from bioreason_bench.draw import Draw
from bioreason_bench.release.files import Files

NEVER_ALONE = {
    "train",  # certificates are computed from the training questions, so that it follows
    "official",  # test_verify.py calls a release official
    "against",  # and compares one with rows made again
    "context tokens",  # test_long_laws.py has a release with long contexts
    "bystanders",
    "depths",
    "shortcuts",  # test_solvers.py leaves a trace in the contexts of a larger release
}


def opened(folder: Path, file: str) -> Ledger:
    """What an audit finds before it reads any text: folder, card, config, and one file."""
    ledger = Ledger()
    manifest = check_folder(Files(folder), ledger)
    assert manifest is not None
    check_card(folder, manifest, ledger)
    check_config(manifest, ledger)
    if file in manifest["files"]:
        open_file(Files(folder), file, manifest["files"][file], ledger)
    return ledger


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=str)
def test_a_corruption_is_found_by_its_law_at_its_row(
    corruption: Corruption, copy: ReleaseCopy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a file is read in several batches."""
    monkeypatch.setattr(files, "BATCH", 50)
    file, row = corruption.apply(copy)
    ledger = (
        opened(copy.folder, file) if corruption.quick else verify(copy.folder, workers=1).ledger
    )
    assert ledger.broken
    entry = ledger.entries[corruption.law]
    assert entry.broken, {
        law: str(entry.first) for law, entry in ledger.entries.items() if entry.broken
    }
    assert entry.first.file == file, entry.first
    assert row is ANY_ROW or entry.first.row == row, entry.first
    assert corruption.says in entry.first.expected, entry.first


def test_every_law_has_been_seen_to_fail() -> None:
    assert set(LAWS) - {corruption.law for corruption in CORRUPTIONS} == NEVER_ALONE


def other_value(value: object, draw: Draw) -> object:
    """Another value of the same type, hardly different."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    choice = int(draw.integers([0], 3)[0])
    if isinstance(value, list):
        if choice == 0 or not value:
            return [*value, *value[:1]]
        return value[:-1] if choice == 1 else [other_value(value[0], draw.at(0)), *value[1:]]
    index = int(draw.at("place").integers([0], len(value))[0]) if value else 0
    return (f"{value}x", value[1:], f"{value[:index]}Q{value[index + 1 :]}")[choice] or "Q"


@pytest.mark.parametrize("number", range(16))
def test_no_cell_can_be_changed_unnoticed(number: int, copy: ReleaseCopy) -> None:
    """One cell of one row is changed, numbers inside ids aside, and its file sealed."""
    draw = Draw(7).at("fuzz", number)
    names = sorted(copy.manifest["files"])
    file = names[int(draw.at("file").integers([0], len(names))[0])]
    split = file.removeprefix("data/").rsplit("-", 3)[0]
    rows = copy.rows(split)
    row = rows[int(draw.at("row").integers([0], len(rows))[0])]
    columns = [name for name in row if name != "id" and row[name] != []]
    column = columns[int(draw.at("column").integers([0], len(columns))[0])]
    before = row[column]
    row[column] = other_value(before, draw)
    copy.write(split, rows)
    assert not verify(copy.folder, workers=1).ok, (split, column, before, row[column])
