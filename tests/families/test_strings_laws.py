"""Every law of string programs has been seen to fail."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bioreason_bench.audit.ledger import Ledger
from bioreason_bench.audit.verify import verify
from bioreason_bench.build import generate
from bioreason_bench.families.strings.audit import LAWS
from bioreason_bench.families.strings.audit.solvers import check_shortcuts
from bioreason_bench.families.strings.settings import StringSettings
from bioreason_bench.release.digest import digest_rows
from bioreason_bench.schema import arrow_schema

SMALL = {"train": 1_000, "rl": 100, "iid": 10, "composition": 10, "zeroshot": 10, "depth": 10}
Rows = list[dict[str, Any]]
Change = Callable[[Rows], object]
IID, OPEN = "strings/iid/test", "strings/iid_openbook/test"
COMPOSITION, ZEROSHOT, DEPTH = (
    f"strings/{level}/test" for level in ("composition", "zeroshot", "depth")
)
TRAIN, ATOMS = "strings/train", "strings_atoms/train"


def put(column: str, value: Any, row: int = 0) -> Change:
    """A value in a column of one row."""
    return lambda rows: rows[row].__setitem__(column, value)


def swapped(rows: Rows) -> None:
    """Two questions with all their columns but ids."""
    for name in rows[0]:
        if name != "id":
            rows[0][name], rows[1][name] = rows[1][name], rows[0][name]


def replaced(column: str, old: str, new: str) -> Change:
    return lambda rows: rows[0].__setitem__(column, rows[0][column].replace(old, new, 1))


def like_training(rows: Rows) -> None:
    """All programs of a set are one program."""
    for row in rows:
        row["path"], row["pattern"] = rows[0]["path"], rows[0]["pattern"]


def lost(rows: Rows) -> None:
    del rows[-1]


def no_atoms(rows: Rows) -> None:
    """Half of the isolated atoms are lost."""
    del rows[len(rows) // 2 :]


def without_parts(rows: Rows) -> None:
    """The programs of one routing are lost."""
    pattern = rows[0]["pattern"]
    rows[:] = [row for row in rows if row["pattern"] != pattern]


CORRUPTIONS: dict[str, tuple[str, Change]] = {  # law → split, change
    "unique ids": (IID, lambda rows: rows[1].__setitem__("id", rows[0]["id"])),
    "placed": (IID, put("level", "depth")),
    "answer": (IID, put("entities", ["a", "b"])),
    "once": (TRAIN, lambda rows: rows[1].update({**rows[0], "id": rows[1]["id"]})),
    "program": (IID, replaced("question", " : ", " ; ")),
    "letters": (IID, lambda rows: rows[0].__setitem__("question", rows[0]["question"] + " a a a")),
    "trace": (IID, replaced("chain", "y1 = ", "y2 = ")),
    "solution": (IID, put("answer", "a b c")),
    "shown": (OPEN, lambda rows: rows[0].__setitem__("context", rows[0]["context"] + " a")),
    "path_in_train": (IID, put("path_in_train", False)),
    "unseen_primitives": (ZEROSHOT, put("unseen_primitives", [])),
    "pairs_unseen": (COMPOSITION, put("pairs_unseen", 3)),
    "hops_beyond_train": (DEPTH, put("hops_beyond_train", 9)),
    "known_from_atoms": (ZEROSHOT, put("known_from_atoms", False)),
    "held out": (TRAIN, without_parts),
    "hops": (IID, lambda rows: rows[0].__setitem__("path", rows[0]["path"] * 2)),
    "iid": (IID, lambda rows: rows[0].__setitem__("path", rows[0]["path"] * 2)),
    "composition": (COMPOSITION, lambda rows: rows[0].__setitem__("path", ["zzz", "zzz"])),
    "zeroshot": (TRAIN, "zeroshot"),
    "depth": (DEPTH, lambda rows: rows[0].__setitem__("path", rows[0]["path"][:2])),
    "atoms": (ATOMS, lambda rows: rows[0].update(pattern="zzz", path=["zzz", "zzy"])),
    "supports": ("strings_rl_nested/train", lambda rows: rows[0].__setitem__("path", ["zzz"] * 2)),
    "tokens": (ATOMS, no_atoms),
    "portions": (TRAIN, put("portion", 10)),
    "counts": (IID, lost),
    "open book": (OPEN, swapped),
    "oracle": (IID, replaced("chain", "answer is: ", "answer is: a ")),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("strings") / "release"
    generate(StringSettings(preset="strings_small", **SMALL), folder, workers=1)
    return folder


def corrupt(folder: Path, split: str, change: Change) -> None:
    """Change the rows of a split, and seal its file."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    file = next(name for name in manifest["files"] if name.startswith(f"data/{split}-"))
    rows = pq.read_table(folder / file).to_pylist()
    change(rows)
    table = pa.Table.from_pylist(rows, schema=arrow_schema("strings"))
    pq.write_table(table, folder / file, store_schema=False)
    manifest["files"][file].update(rows=len(rows), digest=digest_rows(table))
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def broken(folder: Path) -> dict[str, str]:
    entries = verify(folder, workers=1).ledger.entries
    return {law: str(entry.first) for law, entry in entries.items() if entry.broken}


def test_a_release_as_it_was_made_breaks_no_law(made: Path) -> None:
    assert broken(made) == {}


@pytest.mark.parametrize("law", CORRUPTIONS)
def test_a_corruption_is_found_by_its_law(law: str, made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(made, folder)
    split, change = CORRUPTIONS[law]
    if change == "zeroshot":  # training gets a program of the zero-shot test
        strange = pq.read_table(next((folder / "data/strings/zeroshot").glob("test*")))
        corrupt(folder, split, lambda rows: rows[0].update(path=strange["path"][0].as_py()))
        corrupt(folder, split, lambda rows: rows[0].update(pattern=strange["pattern"][0].as_py()))
    else:
        corrupt(folder, split, change)
    assert law in broken(folder)


@pytest.mark.parametrize(
    ("law", "change"),
    [
        ("config", lambda m: m["config"].pop("hops")),
        ("config", lambda m: m["config"].update(train="many")),
        ("definitions", lambda m: m["definitions"]["skills"].update(zabak="the letters shuffled")),
        ("definitions", lambda m: m["definitions"]["skills"].update(zabak="a becomes b")),
        ("definitions", lambda m: m["definitions"].pop("routings")),
        ("held out", lambda m: m["config"].update(zeroshot_skills=3)),
    ],
    ids=["hops", "train", "shuffled", "becomes", "routings", "zeroshot"],
)
def test_an_edited_manifest_is_found(law: str, change, made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(made, folder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert law in broken(folder)


def test_a_shortcut_that_answers_most_questions_is_found() -> None:
    ledger = Ledger(LAWS)
    entry = {"questions": 1_000, "score": 0.6, "shortcut": True}
    check_shortcuts("data/strings/iid", {"echo": {**entry, "score": 0.4}}, ledger)
    check_shortcuts("data/strings/iid", {"oracle": {**entry, "shortcut": False}}, ledger)
    assert not ledger.broken
    check_shortcuts("data/strings/iid", {"echo": entry}, ledger)
    assert ledger.broken_in("shortcuts")


def test_every_law_has_been_seen_to_fail() -> None:
    assert set(LAWS) == {*CORRUPTIONS, "config", "definitions", "shortcuts"}


def test_rows_made_again_from_the_seed_are_compared(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(made, folder)
    assert verify(folder, workers=1, against="own").ok
    corrupt(folder, IID, put("level", "depth"))
    assert verify(folder, workers=1, against="own").ledger.broken_in("against")
