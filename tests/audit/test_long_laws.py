"""The laws of long contexts hold in what the generator writes, and are seen to fail."""

from __future__ import annotations

from pathlib import Path

import pytest
from broken_release import ReleaseCopy

from bioreason_bench.audit.laws.contexts.long import LongContexts, check_long_contexts
from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.reading.questions import File
from bioreason_bench.audit.verify import verify
from bioreason_bench.draw import Draw

FILE = File("data/ctx/iid/test-00000-of-00001.parquet")


@pytest.fixture
def long_copy(long_release: Path, tmp_path: Path) -> ReleaseCopy:
    return ReleaseCopy(long_release, tmp_path / "copy")


def test_a_release_with_long_contexts_keeps_every_law(long_release: Path) -> None:
    audit = verify(long_release, workers=2)
    assert audit.ok, audit.ledger.as_dict()
    for law in ("context tokens", "bystanders", "depths"):
        assert audit.ledger.entries[law].checked


def test_a_cut_context_and_one_about_the_answer_are_found(long_copy: ReleaseCopy) -> None:
    rows = long_copy.raw_rows("ctx/iid/test")
    biographies = {
        row["person"]: row["text"] for row in long_copy.raw_rows("biographies/contextual")
    }
    kept = rows[3]["context_people"].index(rows[3]["entities"][0]) + 1
    rows[3]["context"] = "\n".join(rows[3]["context"].split("\n")[: max(kept, 5)])
    rows[3]["context_people"] = rows[3]["context_people"][: max(kept, 5)]
    number = next(n for n, row in enumerate(rows) if row["answer"] in biographies)
    rows[number]["context"] += "\n" + biographies[rows[number]["answer"]]
    rows[number]["context_people"].append(rows[number]["answer"])
    file = long_copy.write("ctx/iid/test", rows)
    entries = verify(long_copy.folder, workers=1).ledger.entries
    first = entries["context tokens"].first
    assert (first.file, first.row) == (file, 3) and "4,000" in first.expected
    assert entries["bystanders"].first.row == number


def counted(drawn: list[int], places: list[tuple[int, int]]) -> Ledger:
    ledger = Ledger()
    check_long_contexts([LongContexts(FILE, (4000, 8000, 16000), drawn, places)], ledger)
    return ledger


def test_even_lengths_and_depths_pass_and_others_do_not() -> None:
    """A hundred lines, and a gold biography in any of them; or never in the last ten."""
    draw = Draw(5)
    lengths = draw.at("lengths").integers(600, 3).tolist()
    lines = draw.at("lines").integers(600, 100).tolist()
    sound = counted(lengths, [(100, line) for line in lines])
    assert not sound.broken and sound.entries["depths"].checked == 10
    early = counted(lengths, [(100, line * 9 // 10) for line in lines])
    assert early.broken_in("depths") and not early.broken_in("context tokens")
    assert "tenth 10" in early.entries["depths"].first.expected
    short = counted([min(one, 1) for one in lengths], [(100, line) for line in lines])
    assert short.broken_in("context tokens") and not short.broken_in("depths")


def test_an_even_draw_hardly_ever_breaks_the_law() -> None:
    worlds = 200
    for seed in range(worlds):
        lines = Draw(seed).at("lines").integers(300, 37).tolist()
        assert not counted([], [(37, line) for line in lines]).broken, seed
