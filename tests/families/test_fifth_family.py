"""The family that docs/extending.md adds works as the page says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import bioreason_bench as bb
from bioreason_bench import family
from bioreason_bench.audit.verify import verify
from bioreason_bench.errors import UsageError
from bioreason_bench.release.read import Release

PAGE = Path(__file__).resolve().parents[2] / "docs" / "extending.md"


@pytest.fixture
def sums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page's family in the table, and a preset of it."""
    if not PAGE.is_file():
        pytest.skip("the wheel has no docs")
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[-1]
    assert len(code.splitlines()) < 170
    (tmp_path / "sums_family.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(family.FAMILIES, "sums", "sums_family")
    preset = tmp_path / "sums.toml"
    preset.write_text('family = "sums"\ntrain = 300\n', encoding="utf-8")
    return preset


def test_a_fifth_family_is_generated_verified_shown_and_graded(sums: Path, cli) -> None:
    out = sums.parent / "out"
    assert cli("generate", "--preset", sums, "--out", out, "--workers", 1, "-q").exit_code == 0
    release = Release(out)
    assert release.manifest["family"] == "sums"
    assert release.configs() == ["sums_iid", "sums_depth"]
    audit = verify(out, workers=1)
    assert audit.ok, {k: str(e.first) for k, e in audit.ledger.entries.items() if e.broken}
    assert audit.scores["sums_depth"]["last_number"]["score"] < 0.1
    shown = cli("show", out, "-n", 1).stdout
    row = next(release.rows("sums_iid", "test"))
    assert row["question"] in shown
    assert bb.grade(" " + row["chain"], row).process_verified
    assert bb.grade("So, the answer is: 1000", row).exact_match is False
    assert bb.chat_prompt(row).startswith("Compute from left to right")


def test_the_audit_of_a_fifth_family_finds_a_changed_answer(sums: Path, cli) -> None:
    out = sums.parent / "out"
    cli("generate", "--preset", sums, "--out", out, "--workers", 1, "-q", "--set", "test=10")
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    manifest["config"]["train"] = 50
    (out / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert verify(out, workers=1).ledger.broken_in("config")


def test_its_settings_are_refused_in_a_sentence(sums: Path) -> None:
    with pytest.raises(UsageError, match="at least 100"):
        family.load_settings(str(sums)).override({"train": "5"})
    with pytest.raises(UsageError, match="there is no family 'sum'"):
        family.family_named("sum")
